#!/usr/bin/env bash
# codecarbon ships eGRID's US rate but answers "USA" with another one; Puerto Rico and "CA" get that one too.
#
# Tool:  codecarbon 3.3.2 (data/private_infra/2023/usa_emissions.json, "EPA eGRID2023", field STC2ERTA).
# Guess: country USA without a region is eGRID2023's US rate, 770.884 lb/MWh = 349.667 g/kWh; region "CA" is
#        California, as the file has regionCode CA; Puerto Rico is its row of the ST sheet.
# Seen:  g/kWh for 1,000 kWh
#          USA, no region   369.473   (a national mix from another source; +5.7 %)
#          USA, "usa"       349.667   (eGRID; only under this spelling)
#          USA, california  179.064   USA, "CA" 369.473   USA, "CAMX" 369.473
#          USA, puerto rico 369.473   PRI 678.738   (eGRID2023's first file: 1548.409 lb/MWh = 702.347 g/kWh)
#        A region that is not found only logs an error; the figure looks like any other.
# Why:   reports that name "codecarbon, eGRID2023" hold two sources, depending on how the region was written.
#        The state file has the 50 states and DC, without Puerto Rico, which the ST sheet of 2023 has.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check codecarbon==3.3.2
HOME=$dir venv/bin/python - 2>log <<'EOF' || { tail -5 log >&2; exit 1; }
import sys
from codecarbon.core.emissions import Emissions
from codecarbon.core.units import Energy
from codecarbon.external.geography import GeoMetadata
from codecarbon.input import DataSource

source = DataSource()
states = source.get_country_emissions_data("usa")
print("states in the file:", sum(not k.startswith("_") and k != "usa" for k in states), "- US", states["usa"])
emissions = Emissions(source)
want = {
    ("USA", None): 369.473, ("USA", "usa"): 349.667, ("USA", "california"): 179.064, ("USA", "CA"): 369.473,
    ("USA", "CAMX"): 369.473, ("USA", "puerto rico"): 369.473, ("PRI", None): 678.738,
}
changed = False
for (country, region), expected in want.items():
    place = GeoMetadata(country_iso_code=country, country_name=country, region=region)
    kg = round(emissions.get_private_infra_emissions(Energy.from_energy(kWh=1000), place), 3)
    print(country, region, kg)
    if kg != expected:
        print("CHANGED:", country, region, "was", expected, file=sys.stderr)
        changed = True
sys.exit(changed)
EOF
