#!/usr/bin/env bash
# energyusage takes 1,639.89 lb/MWh for natural gas "from eGRID data"; the gas plants of eGRID2016 have 898.
#
# Tool:  energyusage 0.0.14 (Python), which measures a function's energy and emissions.
# Guess: its rates of coal, oil and gas are the US rates by fuel of eGRID2016, whose state rates it ships.
# Seen:  lb CO2/MWh:   coal 2195.2    gas 1639.89    oil 1800.49
#        eGRID2016:    coal 2180.3    gas  897.6     oil 1369.3   (plants by PLFUELCT: 2000 x PLCO2AN / PLNGENAN)
#        Its rates of US states are eGRID2016's, to the last digit.
# Why:   the state rates are right and cite eGRID, so the rates by fuel are believed; for any place outside the US
#        they make gas 1.8 times and oil 1.3 times too high, and gas nearly as bad as coal. A rate "derived from
#        eGRID" needs edition, sheet and formula beside it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check energyusage==0.0.14
venv/bin/python -W ignore - <<'PY'
import json
import pathlib
import sys

import energyusage.convert as convert

# Plants of eGRID2016 by primary fuel category: lb of CO2 for each MWh of net generation.
plants = {"gas": 897.6, "coal": 2180.3, "oil": 1369.3}
per_mwh = {
    "gas": convert.natural_gas_to_carbon(1000),
    "coal": convert.coal_to_carbon(1000),
    "oil": convert.petroleum_to_carbon(1000),
}
seen = {}
for fuel, kg in per_mwh.items():
    seen[fuel] = round(kg / 0.45359237, 2)
    print(f"{fuel:5} energyusage {seen[fuel]:8.2f}   eGRID2016 {plants[fuel]:7.1f}   lb/MWh   {seen[fuel] / plants[fuel]:.2f} times")
states = json.loads((pathlib.Path(convert.__file__).parent / "data/json/us-emissions_2016.json").read_text())
print("states:", {name: states[name] for name in ("Alaska", "U.S.")})
if seen != {"gas": 1639.89, "coal": 2195.2, "oil": 1800.49}:
    sys.exit("CHANGED: the rates by fuel are others")
if (states["Alaska"], states["U.S."]) != (925.862, 998.443):
    sys.exit("CHANGED: the rates of states are no longer those of eGRID2016")
PY
