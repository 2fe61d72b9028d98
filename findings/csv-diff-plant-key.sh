#!/usr/bin/env bash
# csv-diff compares one row of each plant only when its key is ORISPL, and says that nothing changed.
#
# Tool:  csv-diff 1.2 (Python), csv-diff ONE TWO --key COLUMN, which takes one column.
# Guess: a key that is not unique is an error, or every row is compared.
# Seen:  the last row of each key counts: generator 1 of plant 3 has 999 MWh for 100, generator 2 is as it was; nothing is
#        printed, exit code 0. With the sequence number as key: 1 row changed.
# Why:   sheets of generators and units have one plant in many rows, GENID repeats over plants, and in eGRID2016 even both
#        together repeat (3612). Two releases look equal. SEQGEN is unique but numbers the rows of another release anew: write
#        a column of ORISPL, GENID and occurrence first, and count it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csv-diff==1.2
printf 'SEQGEN,ORISPL,GENID,GENNTAN\n1,3,1,100\n2,3,2,200\n3,7,1,50\n' > one.csv
printf 'SEQGEN,ORISPL,GENID,GENNTAN\n1,3,1,999\n2,3,2,200\n3,7,1,50\n' > two.csv
plant=$(venv/bin/csv-diff one.csv two.csv --key ORISPL 2>&1) || { echo "CHANGED: a key that repeats is refused: $plant" >&2; exit 1; }
row=$(venv/bin/csv-diff one.csv two.csv --key SEQGEN)
printf 'key ORISPL: [%s]\nkey SEQGEN: %s\n' "$plant" "$row"
[[ $plant != *999* && $row == *999* ]] || { echo "CHANGED: rows are compared otherwise" >&2; exit 1; }
