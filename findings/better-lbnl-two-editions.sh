#!/usr/bin/env bash
# BETTER's table of "eGRID 2022" rates has CO2e of one edition beside CO2, CH4 and N2O of an older one.
#
# Tool:  better-lbnl-os 0.1.1 (Python; the analytics of Berkeley Lab's BETTER), its egrid_emission_factors_2024.json by
#        get_electric_emission_factor.
# Guess: the manifest says "EPA eGRID 2022 release", so all gases of a subregion are of that edition, in kg/kWh, and
#        CO2e is not below CO2.
# Seen:  19 of the 26 subregions have CO2e below CO2. CO2 is that of eGRID2018 v2 (CAMX 496.536 lb/MWh, AZNM 1,022.355,
#        NYCW 596.414), CO2e that of another edition: 499.4, 779.4 and 886.7 lb/MWh. CH4 and N2O are of 2018 as well, and times
#        25 and 298: CO2e, not mass. There is no PRMS.
# Why:   "CO2 only" is 31 % above the CO2e of AZNM and a third below that of NYCW; whoever weights CH4 and N2O does so twice.
#        CO2e >= CO2 is a test that costs nothing. Take CO2e alone from this table, and all gases from one edition.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check better-lbnl-os==0.1.1
venv/bin/python -W ignore - <<'PY'
import sys

from better_lbnl_os.core.defaults import get_electric_emission_factor

codes = """AKGD AKMS AZNM CAMX ERCT FRCC HIMS HIOA MROE MROW NEWE NWPP NYCW NYLI NYUP PRMS RFCE RFCM RFCW RMPA SPNO SPSO SRMV SRMW
SRSO SRTV SRVC""".split()
us = get_electric_emission_factor(None, "US")
rates = {code: get_electric_emission_factor(code, "US") for code in codes}
missing = [code for code in codes if rates[code] == us]  # an unknown region gets the country's
below = [code for code in codes if rates[code]["CO2e"] < rates[code]["CO2"]]
print("not there:", *missing, "- CO2e below CO2:", len([c for c in below if c not in missing]), "of", len(codes) - len(missing))

lb = 0.45359237  # kg
seen = {}
for code in ("CAMX", "AZNM", "NYCW"):
    r = rates[code]
    seen[code] = [round(r[gas] / lb * 1000, 1) for gas in ("CO2", "CO2e")]
    print(code, "CO2, CO2e in lb/MWh:", *seen[code])
camx = rates["CAMX"]
weights = [round(camx["CH4"] / lb * 1000 / 0.034), round(camx["N2O"] / lb * 1000 / 0.004)]  # eGRID2018: 0.034 and 0.004 lb/MWh
print("CAMX: CH4 and N2O are", *weights, "times the masses of eGRID2018")

if missing != ["PRMS"] or len([c for c in below if c not in missing]) != 19:
    sys.exit("CHANGED: other subregions are missing or have CO2e below CO2")
if seen != {"CAMX": [496.5, 499.4], "AZNM": [1022.4, 779.4], "NYCW": [596.4, 886.7]}:
    sys.exit("CHANGED: the rates are others")
if not (24 <= weights[0] <= 26 and 295 <= weights[1] <= 300):
    sys.exit("CHANGED: CH4 and N2O are not weighted any more")
PY
