#!/usr/bin/env bash
# Miller's sum and mean leave out figures with separators, while its count counts them and its max returns one.
#
# Tool:  Miller 6.6.0 (mlr, as in Debian 12).
# Guess: stats1 -a sum over a column with "10,244" and "(2,443)" in it gives (error), as `put` does for them.
# Seen:  text is skipped in sum and mean, counted in count, and is above every number in max:
#          -5, 0.0, "10,244", "(2,443)", blank -> sum -5, mean -2.5 (of 2), count 4, max 10,244
#          a rate column with "--": sum 0.00794604, mean 0.00397302 (of 2), count 3, max --
#        Exit status 0. So mean * count is not sum, which is the one hint.
# Why:   "--" stands in EPA's Hg columns, and a CSV saved from the workbook has separators from 1,000 upwards:
#        the sum of a state's generation is that of the plants below 1,000 MWh only. Check with
#        `mlr filter 'is_string($x)'` before any sum, or load raw values.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
command -v mlr >/dev/null || { echo "needs mlr (Debian: apt-get install miller)" >&2; exit 1; }
mlr --version
cat >plants.csv <<'EOF'
ORISPL,PLNGENAN,RATE
3,-5,0.00001234
7,0.0,0.00793370
8,"10,244",--
9,"(2,443)",
10,,
EOF
mlr --icsv --oxtab stats1 -a sum,mean,count,max -f PLNGENAN,RATE plants.csv | tee seen
mlr --icsv --ojsonl head -n 3 then put -q 'emit {"plus 1": $PLNGENAN + 1}' plants.csv | tee put
expect() {
	local got
	got=$(sed -n "s/^$1  *//p" seen)
	[ "$got" = "$2" ] || { echo "CHANGED: $1 is $got, was $2" >&2; exit 1; }
}
expect PLNGENAN_sum -5
expect PLNGENAN_mean -2.5
expect PLNGENAN_count 4
expect PLNGENAN_max 10,244
expect RATE_count 3
expect RATE_max --
grep -qF '(error)' put || { echo "CHANGED: put no longer gives (error) for text" >&2; exit 1; }
