#!/usr/bin/env bash
# frictionless takes the generators 2-1, 2-3, 2-4 of a plant for months, and writes them as 2-01, 2-03, 2-04.
#
# Tool:  frictionless 5.21.0 (Python), the reference implementation of Data Package and Table Schema.
# Guess: identifiers such as 2-1 are inferred as text, and a file written back is the file read.
# Seen:  the column GENID of one plant is inferred as "yearmonth" (year 2, month 1), the file is valid, and
#          plant 10532: 2-1 2-3 2-4 2-5  -> 2-01 2-03 2-04 2-05
#          plant 62842: 1-003            -> 1-03
#        Leading zeros beside them, as 0290, become the integer 290 in the same way.
# Why:   2-01 and 1-003 are names of generators as well, so the rows join with nothing, or with another generator.
#        8 plants of eGRID2023 are changed when a file has them alone. Describe identifiers as "string" in a schema
#        of your own (a datapackage.json beside the file) and never infer one from an extract.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check frictionless==5.21.0
venv/bin/python - <<'PY'
import csv
import sys

from frictionless import Resource, validate


def through(ids):
    with open("plant.csv", "w", newline="") as f:
        csv.writer(f).writerows([["ORISPL", "GENID"]] + [["10532", i] for i in ids])
    valid = validate("plant.csv").valid
    with Resource(path="plant.csv") as source:
        kind = source.schema.get_field("GENID").type
    Resource(path="plant.csv").write(Resource(path="written.csv"))
    with open("written.csv", newline="") as f:
        return kind, valid, [row[1] for row in csv.reader(f)][1:]


for ids, want in (
    (["2-1", "2-3", "2-4", "2-5"], ("yearmonth", True, ["2-01", "2-03", "2-04", "2-05"])),
    (["1-003"], ("yearmonth", True, ["1-03"])),
    (["2-1", "GT1"], ("string", True, ["2-1", "GT1"])),
):
    seen = through(ids)
    print(ids, "->", *seen)
    if seen != want:
        sys.exit(f"CHANGED: it was {want}")
PY
