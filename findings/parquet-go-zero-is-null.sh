#!/usr/bin/env bash
# parquet-go writes a generation of 0 as missing when the column is optional.
#
# Tool:  github.com/parquet-go/parquet-go v0.32.0 writes, pyarrow 26.0.1 reads.
# Guess: in a field `PLNGENAN float64` tagged "optional" every float64 is written, 0 too; null needs a pointer.
# Seen:  0 is written as null. Only a *float64 that points at 0 stays 0:
#          plant 3: value 0 -> None, pointer to 0 -> 0.0; plant 7: value -2443.4 -> -2443.4, nil -> None
#        Then count and mean are those of fewer rows: 1 of 2 plants, mean -2443.4 for -1221.7.
# Why:   EPA writes 0 for a plant that ran and produced nothing on balance and a blank where it has no figure,
#        and rates are blank where generation is 0. Written this way, the two become the same, and averages
#        change. Use pointers for every eGRID measure; "optional" on a plain float64 is no null type.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding

go 1.24

require github.com/parquet-go/parquet-go v0.32.0
EOF
cat >main.go <<'EOF'
package main

import "github.com/parquet-go/parquet-go"

type plant struct {
	ORISPL int64    `parquet:"ORISPL"`
	Value  float64  `parquet:"value,optional"`
	Ptr    *float64 `parquet:"pointer,optional"`
}

func main() {
	zero := 0.0
	if err := parquet.WriteFile("plants.parquet", []plant{{3, 0, &zero}, {7, -2443.4, nil}}); err != nil {
		panic(err)
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr || { cat stderr; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
venv/bin/python - <<'EOF'
import sys
import pyarrow.compute as pc
import pyarrow.parquet as pq

table = pq.read_table("plants.parquet")
for row in table.to_pylist():
    print(row)
mean = pc.mean(table["value"]).as_py()
print("plants with a value:", pc.count(table["value"]).as_py(), "of", table.num_rows, "mean", mean)
want = [{"ORISPL": 3, "value": None, "pointer": 0.0}, {"ORISPL": 7, "value": -2443.4, "pointer": None}]
if table.to_pylist() != want or mean != -2443.4:
    sys.exit("CHANGED: an optional float64 of 0 is no longer written as null")
EOF
