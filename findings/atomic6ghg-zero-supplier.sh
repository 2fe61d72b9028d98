#!/usr/bin/env bash
# atomic6ghg takes a supplier's rate of 0 lb/MWh for none, and puts the rate of the eGRID subregion in its place.
#
# Tool:  atomic6ghg 1.1.1 (Python), the formulas of EPA's simplified GHG emissions calculator.
# Guess: market-based emissions of a contract for wind, at 0 lb/MWh, are 0; only a blank rate falls back to eGRID.
# Seen:  1,000,000 kWh in CAMX, metric tons of CO2e, market-based:
#          0 -> 242.07      blank -> 242.07      0.001 -> 0.15      -1 -> 0
#        242.07 is the location-based figure: CAMX of eGRID2021 with the GWP of AR4.
# Why:   0 and "not known" are different figures. Whoever buys certified wind or solar power reports the whole
#        grid's emissions; a rate of 0.001 in its place gives 0.15 t. Check that the two totals of such a site differ.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check atomic6ghg==1.1.1
venv/bin/python - <<'PY'
import sys

from atomic6ghg.formulas.electricity import Electricity

seen = {}
for rate in (0.0, None, 0.001, -1.0):
    row = {"sourceId": "1", "sourceDescription": "office", "sourceArea": None, "eGridSubregion": "camx", "electricityPurchased": 1_000_000.0}
    for gas in ("CO2", "CH4", "N2O"):
        row[f"marketBasedEmissionFactors{gas}Emissions"] = rate
    totals = Electricity({"version": "electricity.1.0.0", "totalElectricityPurchased": [row]}).to_dict()
    market = totals["CO2EquivalentEmissionsMarketBasedElectricityEmissions"]
    place = totals["CO2EquivalentEmissionsLocationBasedElectricityEmissions"]
    seen[rate] = round(market, 2)
    print(f"supplier's rate {rate}: market-based {market:.2f} t, location-based {place:.2f} t")
if seen != {0.0: 242.07, None: 242.07, 0.001: 0.15, -1.0: 0.0}:
    sys.exit("CHANGED: market-based totals are others")
PY
