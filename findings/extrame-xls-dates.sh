#!/usr/bin/env bash
# extrame/xls shows net generation as a date of 1691, once the cell has EPA's number format.
#
# Tool:  github.com/extrame/xls v0.0.1, a Go reader of .xls; the workbook is written by xlwt 1.3.0.
# Guess: a number with the format "#,##0; (#,##0)" or "0.000" is a number.
# Seen:  31522590 in "#,##0; (#,##0)"  -> 1691-11-30T14:44:50Z     31522590 in "#,##0" -> 31522590
#        2303659.9 in "0.000"          -> 1886-11-01T01:27:47Z     925.862 in "0.000" -> 925.862
#        0 in "0.0%"                   -> 1899-12-30T00:00:00Z     0.0525 in "0.0%"   -> 0.0525
#        Any format that is not built in makes a date of the numbers that .xls keeps in its short form (whole, or with
#        two decimals, or few binary digits); Row.Col has no way to ask for the number instead.
# Why:   EPA's .xls workbooks have such formats in every measure: 79,752 of 146,847 numbers of a workbook of 1998 come
#        out as dates, the others as numbers, in one column. There is no error.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xlwt==1.3.0
cat >go.mod <<'MOD'
module finding

go 1.22

require github.com/extrame/xls v0.0.1
MOD
venv/bin/python - <<'PY'
import xlwt

book = xlwt.Workbook()
sheet = book.add_sheet("EGRDST98")
for i, (figure, form) in enumerate((
    (31522590, "#,##0; (#,##0)"), (31522590, "#,##0"), (2303659.9, "0.000"), (925.862, "0.000"), (0, "0.0%"), (0.0525, "0.0%"),
)):
    sheet.write(i, 0, figure, xlwt.easyxf(num_format_str=form))
book.save("small.xls")
PY
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"

	"github.com/extrame/xls"
)

func main() {
	book, err := xls.Open("small.xls", "utf-8")
	if err != nil {
		log.Fatal(err)
	}
	sheet := book.GetSheet(0)
	for i := range int(sheet.MaxRow) + 1 {
		fmt.Println(sheet.Row(i).Col(0))
	}
}
GO
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
cat >want <<'SEEN'
1691-11-30T14:44:50Z
31522590
1886-11-01T01:27:47Z
925.862
1899-12-30T00:00:00Z
0.0525
SEEN
cmp -s seen want || { echo "CHANGED: the cells were $(tr '\n' ' ' <want)" >&2; exit 1; }
