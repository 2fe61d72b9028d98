#!/usr/bin/env bash
# gocsv reads the thousands separator as a decimal point, and a blank as 0.
#
# Tool:  github.com/gocarina/gocsv v0.0.0-20240520201108-78e41c74b4b1, a Go library that fills structs from CSV.
# Guess: "2,443" in a float64 field is an error, as in strconv.ParseFloat, and so is a blank.
# Seen:  "2,443" is 2.443, a blank is 0, and 57053.9 in an int field is 57053, all without an error.
#        "31,522,590" and "(2,443)" are errors, so only figures between 1,000 and 999,999 slip through:
#          "2,443" -> 2.443 <nil>      blank -> 0 <nil>      "31,522,590" -> error
# Why:   a CSV saved from EPA's workbook as it looks has "2,443" for 2443 MWh. A small plant loses a factor
#        of 1000 while a large one stops the program. A blank rate, which means "cannot be divided", becomes
#        a plant without emissions. Give such fields a type of your own with UnmarshalCSV, or read text.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding

go 1.22

require github.com/gocarina/gocsv v0.0.0-20240520201108-78e41c74b4b1
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"

	"github.com/gocarina/gocsv"
)

type plant struct {
	ORISPL   int     `csv:"ORISPL"`
	PLNGENAN float64 `csv:"PLNGENAN"`
}

func main() {
	for _, cells := range []string{`3,"2,443"`, `3,"31,522,590"`, `3,"(2,443)"`, `3,`, `57053.9,1`, `,1`} {
		var rows []plant
		err := gocsv.UnmarshalString("ORISPL,PLNGENAN\n"+cells+"\n", &rows)
		if err != nil {
			fmt.Printf("%s -> error\n", cells)
			continue
		}
		fmt.Printf("%s -> %d %g\n", cells, rows[0].ORISPL, rows[0].PLNGENAN)
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
expect() {
	grep -qxF -- "$1" seen || { echo "CHANGED: no line \"$1\" any more" >&2; exit 1; }
}
expect '3,"2,443" -> 3 2.443'
expect '3,"31,522,590" -> error'
expect '3,"(2,443)" -> error'
expect '3, -> 3 0'
expect '57053.9,1 -> 57053 1'
expect ',1 -> 0 1'
