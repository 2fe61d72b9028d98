#!/usr/bin/env bash
# petl's convertnumbers makes a complex number of generator 1J, and 36121 of the key 3612_1.
#
# Tool:  petl 1.7.30 (Python, tables), convertnumbers and numparser.
# Guess: what is no number stays text: 1J, 2J and the key 3612_1 (ORISPL and GENID) as they are. (That 01 becomes 1 and
#        7E600 infinity is what many readers do.)
# Seen:  1J -> 1j and 2J -> 2j (complex numbers, written to a CSV as 1j, 2j); 3612_1 and 361_21 -> 36121, both. 2D, 1-01
#        and JAN stay; figures as they are shown, "20,961" and " (2,443)", stay text beside numbers.
# Why:   plant 56692 has the generators 1J and 2J, which then join with nothing. An underscore within digits is allowed in
#        Python's whole numbers, so a key of plant and generator loses it, and two keys become one. Convert the columns of
#        figures by name: convert(table, ["GENNTAN", "CFACT"], float).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check petl==1.7.30
venv/bin/python - <<'PY'
import sys

import petl

cells = ["1J", "2J", "3612_1", "361_21", "2D", "1-01", "JAN", "20,961", " (2,443)", "-2443.4"]
with open("gen.csv", "w") as file:
    file.write("GENID\n" + "".join(f'"{cell}"\n' for cell in cells))
table = petl.convertnumbers(petl.fromcsv("gen.csv"))
seen = list(petl.values(table, "GENID"))
for cell, value in zip(cells, seen):
    print(repr(cell), "->", repr(value))
petl.tocsv(table, "out.csv")
print(open("out.csv").read().split()[:3])
if seen != [1j, 2j, 36121, 36121, "2D", "1-01", "JAN", "20,961", " (2,443)", -2443.4]:
    sys.exit("CHANGED: cells are converted otherwise")
PY
