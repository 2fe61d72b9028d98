#!/usr/bin/env bash
# tealeg/xlsx shows 5.25 % as 5.2% and 31522590 without separators, in EPA's own number formats.
#
# Tool:  github.com/tealeg/xlsx/v3 v3.3.13 beside excelize v2.11.1; the workbook is written by openpyxl 3.1.5.
# Guess: FormattedValue gives what spreadsheet programs show: 5.3%, and 31,522,590.
# Seen:              tealeg      excelize
#        0.0525      5.2%        5.3%          (format 0.0%)
#        0.1445      14.4%       14.5%
#        1.0005      100.0%      100.1%
#        -2443.4     (2443)      " (2,443)"    (format #,##0; (#,##0))
#        31522590    31522590    31,522,590
# Why:   what two programs export "as shown" of one sheet of EPA differs in the last digit of shares, and looks like two
#        releases. Without separators a rounded 2,443 cannot be told from an exact one, so a loader that marks columns
#        as rounded by their commas does not see it: 52 columns of the 2023 state sheet. Read Cell.Value instead.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5
cat >go.mod <<'MOD'
module finding

go 1.25

require (
	github.com/tealeg/xlsx/v3 v3.3.13
	github.com/xuri/excelize/v2 v2.11.1
)
MOD
venv/bin/python - <<'PY'
import openpyxl

book = openpyxl.Workbook()
sheet = book.active
sheet.title = "ST23"
for i, (figure, form) in enumerate((
    (0.0525, "0.0%"), (0.1445, "0.0%"), (1.0005, "0.0%"), (-2443.4, "#,##0; (#,##0)"), (31522590, "#,##0; (#,##0)"),
), 1):
    cell = sheet.cell(i, 1, figure)
    cell.number_format = form
book.save("small.xlsx")
PY
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"

	"github.com/tealeg/xlsx/v3"
	"github.com/xuri/excelize/v2"
)

func main() {
	book, err := xlsx.OpenFile("small.xlsx")
	if err != nil {
		log.Fatal(err)
	}
	other, err := excelize.OpenFile("small.xlsx")
	if err != nil {
		log.Fatal(err)
	}
	for i := range 5 {
		cell, err := book.Sheets[0].Cell(i, 0)
		if err != nil {
			log.Fatal(err)
		}
		a, err := cell.FormattedValue()
		if err != nil {
			log.Fatal(err)
		}
		b, err := other.GetCellValue("ST23", fmt.Sprint("A", i+1))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s | %s\n", cell.Value, a, b)
	}
}
GO
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
cat >want <<'SEEN'
0.0525: 5.2% | 5.3%
0.1445: 14.4% | 14.5%
1.0005: 100.0% | 100.1%
-2443.4: (2443) |  (2,443)
31522590: 31522590 | 31,522,590
SEEN
cmp -s seen want || { echo "CHANGED: it was" >&2; cat want >&2; exit 1; }
