#!/usr/bin/env bash
# xlsReader reads -534935 as 1073206889: negative numbers that .xls keeps in its short form lose their sign.
#
# Tool:  github.com/shakinm/xlsReader v0.9.12, a Go reader of .xls; the workbook is written by xlwt 1.3.0.
# Guess: a number is the number that spreadsheet programs and xlrd show, or an error.
# Seen:  by GetString and GetFloat64, without an error:
#          -534935   -> 1073206889      -450.25 -> 10736967.99      31522590 -> 31522590      -0.000012 -> -0.000012
#        The short form holds whole numbers, and those with two decimals times 100, in 30 bits with a sign.
# Why:   eGRID up to data year 2010 is .xls. Of 146,847 numbers in a workbook of 1998 two are wrong, and both are net
#        generation below zero turned into a billion MWh; the other 2,149 negative ones are right, so nobody looks.
#        Check the sum of a column against EPA's total, or read with another library.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xlwt==1.3.0 xlrd==2.0.2
cat >go.mod <<'MOD'
module finding

go 1.22

require github.com/shakinm/xlsReader v0.9.12
MOD
venv/bin/python - <<'PY'
import xlrd
import xlwt

book = xlwt.Workbook()
sheet = book.add_sheet("EGRDST98")
for i, figure in enumerate((-534935, -450.25, 31522590, -0.000012)):
    sheet.write(i, 0, figure)
book.save("small.xls")
print("xlrd:     ", *xlrd.open_workbook("small.xls").sheet_by_index(0).col_values(0))
PY
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"

	"github.com/shakinm/xlsReader/xls"
)

func main() {
	book, err := xls.OpenFile("small.xls")
	if err != nil {
		log.Fatal(err)
	}
	sheet, err := book.GetSheet(0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print("xlsReader:")
	for i := range sheet.GetNumberRows() {
		row, err := sheet.GetRow(i)
		if err != nil {
			log.Fatal(err)
		}
		cell, err := row.GetCol(0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(" ", cell.GetString())
	}
	fmt.Println()
}
GO
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
grep -qxF 'xlsReader: 1073206889 10736967.99 31522590 -0.000012' seen || { echo "CHANGED: negative numbers are read otherwise" >&2; exit 1; }
