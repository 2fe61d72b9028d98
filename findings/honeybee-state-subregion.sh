#!/usr/bin/env bash
# honeybee-energy knows one eGRID subregion for each state: Buffalo is in New York City's, Chicago in that of Missouri.
#
# Tool:  honeybee-energy 1.126.6 (Python, building energy models), result.emissions.emissions_region, "the eGrid subregion
#        for the location".
# Guess: the location has coordinates, so Buffalo is in NYUP and Chicago in RFCW; Honolulu in HIOA, Anchorage in AKGD.
# Seen:  Buffalo NYCW, Chicago SRMW, Las Vegas as Reno NWPP; Honolulu, Anchorage, San Juan and the state "New York" (for
#        "NY") nothing. The future regions of the same call are Cambium's, where all of New York is one (NYSTc).
# Why:   eGRID2023's first file has 974.656 lb/MWh CO2 for NYCW and 240.990 for NYUP, 1,238.311 for SRMW and 911.321 for
#        RFCW: 4 times and 1.36 times. Of eGRID2018's generation 17 % is in another subregion than this table gives its
#        state, AKGD, AKMS, HIMS, HIOA, NYLI and NYUP are never given. Go from ZIP codes or from the plants' SUBRGN.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check honeybee-energy==1.126.6
venv/bin/python -W ignore - <<'PY'
import sys

from honeybee_energy.result.emissions import emissions_region
from ladybug.location import Location

places = [
    ("Buffalo", "NY", 42.89, -78.88, "NYCW"), ("New York", "NY", 40.71, -74.01, "NYCW"),
    ("Chicago", "IL", 41.88, -87.63, "SRMW"), ("Springfield", "IL", 39.80, -89.64, "SRMW"),
    ("Las Vegas", "NV", 36.17, -115.14, "NWPP"), ("Reno", "NV", 39.53, -119.81, "NWPP"),
    ("Honolulu", "HI", 21.31, -157.86, None), ("Anchorage", "AK", 61.22, -149.90, None),
    ("San Juan", "PR", 18.47, -66.11, None), ("Buffalo", "New York", 42.89, -78.88, None),
]
changed = False
for city, state, latitude, longitude, expected in places:
    found = emissions_region(Location(city, state, "USA", latitude, longitude))
    print(city, state, found)
    if (found and found[1]) != expected:
        print("CHANGED:", city, state, "was", expected, file=sys.stderr)
        changed = True
sys.exit(changed)
PY
