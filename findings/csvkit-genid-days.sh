#!/usr/bin/env bash
# csvkit reads the generators 2D and 3D of a plant as 2 and 3 days, 1-01 as a date, and writes them back so.
#
# Tool:  csvkit 2.2.0 with agate 1.14.2.
# Guess: a column of identifiers with letters or hyphens in them is text.
# Seen:  csvsort, which only sorts, turns the column GENID of one plant into
#          2D, 3D      -> "2 days, 0:00:00", "3 days, 0:00:00"
#          1-01, 12-2  -> 2001-01-01, 2001-12-02
#          JAN, MAY    -> 0001-01-01, 0001-05-01
#        With one value more that fits no type, as G1, the whole column stays text.
# Why:   eGRID2023 has 37 generators whose names are digits and one of D, H, M and S, and 80 like 1-01; four plants have
#        only the former, 18 only the latter. An extract of such a plant loses its generators in csvsort, csvjson and
#        csvsql, while the whole sheet keeps them: a test on the sheet finds nothing. Use -I (no inference) always.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
failed=0
check() { # the GENIDs of one plant, what csvsort makes of them
	printf 'ORISPL,GENID\n' >plant.csv
	for id in $1; do printf '55816,%s\n' "$id" >>plant.csv; done
	venv/bin/csvsort plant.csv | tail -n +2 | cut -d, -f2- | tr '\n' ';' >seen
	echo "$1 -> $(cat seen)"
	if [ "$(cat seen)" != "$2" ]; then
		echo "CHANGED: $1 was $2" >&2
		failed=1
	fi
}
check "2D 3D" '"2 days, 0:00:00";"3 days, 0:00:00";'
check "1-01 12-2" '2001-01-01;2001-12-02;'
check "JAN MAY" '0001-01-01;0001-05-01;'
check "2D 3D G1" '2D;3D;G1;'
printf 'ORISPL,GENID\n55816,2D\n55816,3D\n' >plant.csv
echo "with -I: $(venv/bin/csvsort -I plant.csv | tail -n +2 | tr '\n' ';')"
exit "$failed"
