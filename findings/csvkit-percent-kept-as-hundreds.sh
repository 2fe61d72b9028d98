#!/usr/bin/env bash
# csvkit reads "14.3%" as the number 14.3: it takes the sign away and does not divide.
#
# Tool:  csvkit 2.2.0 with agate 1.14.2.
# Guess: a column of "14.3%" is text, as "(2,443)" is, or 0.143.
# Seen:  it is a number column of 14.3. One column of generation in brackets beside it stays text:
#          {"PLNGENAN": "(2,443)", "PLCLPR": 14.3}     csvstat --mean PLCLPR -> 6.533
#        A column that mixes 0.0525 (a sheet of 2018 or later) and 5.3% gives 0.0525 and 5.3 side by side.
# Why:   EPA shows shares and capacity factors as 0.0%. Through csvjson, csvsql or csvsort they arrive 100
#        times too large and rounded, and look like the 0-100 scale that EPA used up to 2016, so a check of
#        the scale by edition accepts them. Use -I (no inference) and treat the percent sign yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
cat >plants.csv <<'EOF'
ORISPL,PLNGENAN,PLCLPR
3,"(2,443)",14.3%
7,"10,244",5.3%
8,-5,0.0%
EOF
cat >mixed.csv <<'EOF'
ORISPL,CAPFAC
3,0.0525
7,5.3%
EOF
venv/bin/csvjson plants.csv | tee plants.json
venv/bin/csvjson mixed.csv | tee mixed.json
venv/bin/csvjson -I plants.csv
venv/bin/python - <<'EOF'
import json
import sys

plants, mixed = json.load(open("plants.json")), json.load(open("mixed.json"))
if [p["PLCLPR"] for p in plants] != [14.3, 5.3, 0.0]:
    sys.exit("CHANGED: 14.3% is no longer the number 14.3")
if plants[0]["PLNGENAN"] != "(2,443)":
    sys.exit("CHANGED: a figure in brackets is no longer text")
if [p["CAPFAC"] for p in mixed] != [0.0525, 5.3]:
    sys.exit("CHANGED: 0.0525 and 5.3% are no longer mixed in one number column")
EOF
