#!/usr/bin/env bash
# xlsx2csv prints the number format in place of the number when the format shows a unit.
#
# Tool:  xlsx2csv 0.8.6; the workbook is written with openpyxl 3.1.5.
# Guess: 45000.25 with the format 0.0 "lb/MWh" comes out as 45000.25, or as 45000.3 lb/MWh.
# Seen:  the figure is gone. The letters d, m, y, h and s inside the quotes are taken for a date, so the
#        cell is the format itself, in lower case, with month and hour of the "date" (45000.25 is 2023-03-15 06:00) filled in:
#          0.0 "lb/MWh" -> 0.0 "lb/03w06"      #,##0 "short tons" -> #,##0 "s06ort tons"      0.0 "kg" -> 45000.250000
#        Exit status 0. "--ignore-formats float" does not help, since the type found is "date";
#        "--ignore-formats date" gives the number back.
# Why:   a unit in the format leaves the cell a number (openpyxl, pandas, polars and calamine read 45000.25),
#        so it is the tidy way to label MWh, lb and short tons. The CSV has text there, and the figure is not in it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xlsx2csv==0.8.6 openpyxl==3.1.5
venv/bin/python - <<'EOF'
import openpyxl

book = openpyxl.Workbook()
sheet = book.active
formats = ['0.0 "lb/MWh"', '#,##0 "short tons"', '0.0 "MMBtu"', '0.0 "kg"', "#,##0; (#,##0)"]
for column, number_format in enumerate(formats, 1):
    cell = sheet.cell(row=1, column=column, value=45000.25)
    cell.number_format = number_format
book.save("rates.xlsx")
print("openpyxl:", [c.value for c in openpyxl.load_workbook("rates.xlsx").active[1]])
EOF
venv/bin/xlsx2csv rates.xlsx | tee plain.csv
venv/bin/xlsx2csv --ignore-formats date -- rates.xlsx | tee dates_off.csv
want='"0.0 ""lb/03w06""","#,##0 ""s06ort tons""","0.0 ""03btu""",45000.250000,45000.25'
if [ "$(tr -d '\r' <plain.csv)" != "$want" ]; then
	echo "CHANGED: a unit in the number format no longer hides the number" >&2
	exit 1
fi
