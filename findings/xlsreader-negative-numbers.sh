#!/usr/bin/env bash
# shakinm/xlsReader reads negative numbers of an .xls file as large positive ones.
#
# Tool:  github.com/shakinm/xlsReader v0.9.12, a Go reader of .xls; the workbook is written with xlwt 1.3.0.
# Guess: the cells are the numbers that were written, as xlrd and LibreOffice have them.
# Seen:  a whole number, or one with two decimals, is kept in 30 bits with a sign, which is taken for a part of the number:
#          -534935 -> 1073206889      -521320.3 -> 10216097.94      -534935.125 and 534935 are right
# Why:   EPA published 1996 to 2012 as .xls. Both figures are in eGRID1998_location.xls, the hydro net generation in MWh
#        of Consumers Energy and of its parent, and the only two of 146,847 numbers that are wrong: 1,073 TWh for -0.5, 10 for -0.5.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xlwt==1.3.0 xlrd==2.0.2
venv/bin/python - <<'PY'
import xlrd, xlwt

book = xlwt.Workbook()
sheet = book.add_sheet("numbers")
for row, number in enumerate([-534935, -521320.3, -534935.125, 534935]):
    sheet.write(row, 0, number)
book.save("numbers.xls")
print("xlrd:", xlrd.open_workbook("numbers.xls").sheet_by_index(0).col_values(0))
PY
cat >go.mod <<'GO'
module finding

go 1.22

require github.com/shakinm/xlsReader v0.9.12
GO
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/shakinm/xlsReader/xls"
)

func main() {
	book, err := xls.OpenFile("numbers.xls")
	if err != nil {
		panic(err)
	}
	sheet, err := book.GetSheet(0)
	if err != nil {
		panic(err)
	}
	for _, row := range sheet.GetRows() {
		cell, err := row.GetCol(0)
		if err != nil {
			panic(err)
		}
		fmt.Println(cell.GetString())
	}
}
GO
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
if [ "$(tr '\n' ' ' <seen)" != "1073206889 10216097.94 -534935.125 534935 " ]; then
	echo "CHANGED: the reader no longer loses the sign" >&2
	exit 1
fi
