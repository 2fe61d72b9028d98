#!/usr/bin/env bash
# calamine, and polars through it, read a formula that was never calculated as blank, and an error too.
#
# Tool:  python-calamine 0.9.1; polars 2.1.0 with fastexcel 0.21.0; the workbook is by openpyxl 3.1.5.
# Guess: a formula without a stored value is an error, or its text; #N/A can be told from an empty cell.
# Seen:  both are '' in calamine and null in polars; the sum of the column is 5 where the sheet says 2000 + 5.
# Why:   programs write formulas and leave the calculation to the spreadsheet program. Until one has saved the
#        workbook, net generation that is a formula is "not known", in silence, and totals are short of it.
#        Package book gives the text of such a formula, =1000*2, so that the row is rejected with its reason.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-calamine==0.9.1 polars==2.1.0 fastexcel==0.21.0 openpyxl==3.1.5
venv/bin/python - <<'PYTHON'
import sys

import openpyxl
import polars
import python_calamine

book = openpyxl.Workbook()
for row in [["ORISPL", "PLNGENAN"], [3, "=1000*2"], [7, "#N/A"], [8, 5]]:
    book.active.append(row)
book.save("plants.xlsx")

rows = python_calamine.load_workbook("plants.xlsx").get_sheet_by_index(0).to_python()
table = polars.read_excel("plants.xlsx")
print(rows)
print(table)
if [row[1] for row in rows[1:]] != ["", "", 5.0]:
    sys.exit("CHANGED: calamine tells a formula without a value, or an error, from an empty cell")
if table["PLNGENAN"].to_list() != [None, None, 5]:
    sys.exit("CHANGED: polars tells a formula without a value, or an error, from an empty cell")
PYTHON
