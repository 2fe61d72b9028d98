#!/usr/bin/env bash
# No spelling of EPA's energy unit is known to all unit libraries, and "MBtu" is taken as a million Btu.
#
# Tools: pint 0.25.3 (Python), UDUNITS 2.2.28 (udunits2; behind netCDF and R's units), GNU units 2.22.
# Guess: MMBtu, the unit of every heat column of eGRID, is known to all three; lb/MWh as well.
# Seen:            MMBtu     MBtu        Btu       MWh      lb/MWh    lbs       ton
#        pint      unknown   1e6 Btu     1055 J    known    known     0.4536kg  907.18 kg
#        UDUNITS   unknown   1e6 Btu     1055 J    unknown  unknown   unknown   907.185 kg
#        GNU units unknown   unknown     unknown   known    known     0.4536kg  907.18474 kg
#        "kt" is a kiloton (metric) for GNU units and a knot, a speed, for pint.
# Why:   in this field MBtu is a thousand Btu and MMBtu a million, so a text in MBtu is read 1000 times too
#        large without an error. "ton" as the short ton is right for EPA's sheets. Unit strings that other
#        programs should understand must be mapped: "1e6 Btu" for pint and UDUNITS, "1e6 btu" for GNU units.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for tool in udunits2 units; do
	command -v "$tool" >/dev/null || { echo "needs $tool (Debian: apt-get install udunits-bin units)" >&2; exit 1; }
done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pint==0.25.3
cat >pint_to.py <<'EOF'
import sys
import pint

try:
    print("%.6g" % pint.UnitRegistry().Quantity(1, sys.argv[1]).to(sys.argv[2]).magnitude)
except pint.UndefinedUnitError:
    print("unknown")
except pint.DimensionalityError:
    print("other dimension")
EOF
with_pint() { venv/bin/python pint_to.py "$1" "$2"; }
with_udunits() {
	local out
	out=$(udunits2 -H "$1" -W "$2" 2>&1) || true
	case $out in
	*"Don't recognize"*) echo unknown ;;
	*"not convertible"*) echo "other dimension" ;;
	*) echo "$out" | sed -n 's/^ *1 .* = \([^ ]*\) .*/\1/p' | head -1 ;;
	esac
}
with_gnu() {
	local out
	out=$(units -1 -t "$1" "$2" 2>&1) || true
	case $out in
	*"Unknown unit"*) echo unknown ;;
	*conformability*) echo "other dimension" ;;
	*) echo "$out" | head -1 ;;
	esac
}
failed=0
check() { # unit, target, pint, UDUNITS, GNU units
	local got
	got="$(with_pint "$1" "$2") | $(with_udunits "$1" "$2") | $(with_gnu "$1" "$2")"
	echo "$1 in $2: $got"
	if [ "$got" != "$3 | $4 | $5" ]; then
		echo "CHANGED: $1 in $2 was $3 | $4 | $5" >&2
		failed=1
	fi
}
echo "unit in target: pint | UDUNITS | GNU units"
check MMBtu J unknown unknown unknown
check MBtu J 1.05506e+09 1.05506e+09 unknown
check Btu J 1055.06 1055.06 unknown
check MWh J 3.6e+09 unknown 3.6e+09
check lbs kg 0.453592 unknown 0.45359237
check ton kg 907.185 907.185 907.18474
check kt kg "other dimension" "other dimension" 1000000
exit "$failed"
