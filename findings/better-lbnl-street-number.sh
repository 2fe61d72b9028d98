#!/usr/bin/env bash
# BETTER takes the first five digits of an address for its ZIP code, and the US rate where it finds no subregion.
#
# Tool:  better-lbnl-os 0.1.1 (Python; the analytics of Berkeley Lab's BETTER): estimate_savings with an address and a
#        location without a ZIP code, as coordinates give it; lookup_egrid_subregion.
# Guess: "12345 Lincoln Ave, Springfield, IL 62701" is in SRMW, the subregion of 62701; a ZIP code without its leading
#        zero (2139) is an error or found; San Juan, Puerto Rico, has the rate of PRMS, which eGRID2022 has.
# Seen:  12345 Lincoln Ave, Springfield, IL 62701   12345  NYUP   0.125 kg/kWh
#          123 Lincoln Ave, Springfield, IL 62701   62701  SRMW   0.626
#        ZIP 2139 and 00901: no subregion; San Juan gets 0.375, the average of the US. Nothing is said.
# Why:   the same building has a fifth of its rate, because its street number is a ZIP code of Schenectady, NY. ZIP
#        codes of New England lose their zero in every spreadsheet: NEWE has 0.245. Give LocationInfo the ZIP code as a
#        text of five digits, and look at egrid_subregion in the result.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check better-lbnl-os==0.1.1
venv/bin/python -W ignore - <<'PY'
import sys

from better_lbnl_os import estimate_savings
from better_lbnl_os.core.defaults import get_electric_emission_factor, lookup_egrid_subregion
from better_lbnl_os.models import LocationInfo

months = [f"2023-{month:02}-01" for month in range(1, 13)]
bills = {
    "aggregated": {"periods": months, "days_in_period": [30] * 12, "dict_v_eui": {"ELECTRICITY": [1.0] * 12}},
    "weather": {"degC": [10.0] * 12},
}
level = {"coefficient_value": 1.0, "target_value": 0.5, "nominal_level": 0.8}  # kWh a day and square metre
model = {"ELECTRICITY": {"baseload": level}}


def rate(address, **place):
    location = LocationInfo(geo_lat=39.8, geo_lng=-89.6, **place)
    result = estimate_savings(model, bills, floor_area=100.0, location_info=location, address=address)
    found = result.metadata["location_context"]
    kg = round(get_electric_emission_factor(found["egrid_subregion"], "US")["CO2e"], 3)
    print(address, "|", found["zipcode"], found["egrid_subregion"], kg)
    return found["zipcode"], found["egrid_subregion"], kg


seen = [
    rate("12345 Lincoln Ave, Springfield, IL 62701"),
    rate("123 Lincoln Ave, Springfield, IL 62701"),
    rate("San Juan, PR", zipcode="00901"),
]
zips = [lookup_egrid_subregion(code) for code in ("02139", "2139", 2139, "00901")]
print("02139, 2139, the number 2139, 00901:", *zips)
if seen != [("12345", "NYUP", 0.125), ("62701", "SRMW", 0.626), ("00901", None, 0.375)]:
    sys.exit("CHANGED: addresses are read otherwise")
if zips != ["NEWE", None, None, None]:
    sys.exit("CHANGED: ZIP codes are found otherwise")
PY
