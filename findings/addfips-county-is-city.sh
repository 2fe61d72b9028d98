#!/usr/bin/env bash
# addfips takes Baltimore, MD and Richmond, VA, which are counties in eGRID, for the cities of these names.
#
# Tool:  addfips 0.4.2 (Python, county names to FIPS codes).
# Guess: "Baltimore" is Baltimore County (24005), "Richmond" Richmond County (51159); "St Louis" and "La Salle" are found as
#        "St. Louis" and "LaSalle" are.
# Seen:  Baltimore 24510 and Baltimore City 24510, Richmond 51760 and Richmond City 51760; St Louis, MO and La Salle, IL
#        nothing, LaSalle, IL 17099 and La Salle, LA 22059.
# Why:   eGRID has "Baltimore" for 24005, "Richmond" for 51159 and "St Louis" for 29189. Of the plants of eGRID2018, 19 get the
#        code of a city beside their county (10 in Baltimore, 4 in Bedford, 3 in Fairfax, VA), and those in "St Lawrence", NY
#        (41) and other saints' counties none. Take FIPSST and FIPSCNTY of the PLNT sheet, as texts of two and three digits.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check addfips==0.4.2
venv/bin/python -W ignore - <<'PY'
import sys

import addfips

names = {
    ("MD", "Baltimore"): "24510", ("MD", "Baltimore City"): "24510", ("VA", "Richmond"): "51760", ("VA", "Richmond City"): "51760",
    ("MO", "St Louis"): None, ("IL", "La Salle"): None, ("IL", "LaSalle"): "17099", ("LA", "La Salle"): "22059",
}
fips = addfips.AddFIPS()
changed = False
for (state, county), expected in names.items():
    found = fips.get_county_fips(county, state=state)
    print(county, state, found)
    changed |= found != expected
sys.exit("CHANGED: counties are found otherwise" if changed else 0)
PY
