#!/usr/bin/env bash
# excelize ignores the condition in a number format and shows 2443 as "-" and 57 as 5700.0%.
#
# Tool:  github.com/xuri/excelize/v2 v2.11.1.
# Guess: a format such as [=0]"-";#,##0 ("a dash for zero, else the number") is applied as spreadsheets do:
#        2443 is shown as 2,443.
# Seen:  the condition is dropped and the sections are taken as positive;negative. No error, no raw value:
#          [=0]"-";#,##0                       2443      -> -          (should be 2,443)
#          [<1]0.0%;0                          57        -> 5700.0%    (should be 57)
#          [>=1000000]0.0,," TWh";0 "MWh"      45000.25  -> 0.0 TWh    (should be 45000 MWh)
# Why:   with such formats a sheet of eGRID figures can show "no emissions" as a dash, shares of 0-1 and of
#        0-100 (both occur in EPA's editions) in one column, or MWh and TWh side by side. A Go program that
#        reads GetRows or GetCellValue gets dashes for real emissions. Use excelize.Options{RawCellValue: true}.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding

go 1.25.0

require github.com/xuri/excelize/v2 v2.11.1
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	f := excelize.NewFile()
	for i, c := range []struct {
		format string
		value  float64
	}{
		{`[=0]"-";#,##0`, 2443}, {`[<1]0.0%;0`, 57}, {`[<1]0.0%;0`, 0.57},
		{`[>=1000000]0.0,," TWh";0 "MWh"`, 45000.25}, {`[>=1000000]0.0,," TWh";0 "MWh"`, 31522590},
	} {
		cell := fmt.Sprintf("A%d", i+1)
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &c.format})
		must(err)
		must(f.SetCellValue("Sheet1", cell, c.value))
		must(f.SetCellStyle("Sheet1", cell, cell, style))
		shown, err := f.GetCellValue("Sheet1", cell)
		must(err)
		raw, err := f.GetCellValue("Sheet1", cell, excelize.Options{RawCellValue: true})
		must(err)
		fmt.Printf("%s | %s | %s\n", c.format, raw, shown)
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
echo "format | raw | shown"
cat seen
expect() {
	grep -qxF -- "$1" seen || { echo "CHANGED: no line \"$1\" any more" >&2; exit 1; }
}
expect '[=0]"-";#,##0 | 2443 | -'
expect '[<1]0.0%;0 | 57 | 5700.0%'
expect '[>=1000000]0.0,," TWh";0 "MWh" | 45000.25 | 0.0 TWh'
