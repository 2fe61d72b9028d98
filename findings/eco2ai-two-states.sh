#!/usr/bin/env bash
# eco2ai has the rates of eGRID2019 for all states but two: Connecticut has that of DC, Delaware a twentieth of its own.
#
# Tool:  eco2ai 0.3.12 (Python), which tracks the emissions of computing.
# Guess: the rates of US states are one edition of eGRID, or of one other source, throughout.
# Seen:  kg/MWh; eGRID2019's CO2e rates x 0.45359237 behind them:
#          California    175.62   175.6        Connecticut  361.83   216.6 (361.83 is the District of Columbia)
#          Wyoming       938.48   938.5        Delaware      16.5    322.7
#        The District itself is not there and gets the country's 369.571; eGRID2019's for the US is 403.3.
# Why:   a report for Delaware states 5 % of its emissions, and one for Connecticut 167 %, with no sign of it:
#        the table has no source, no year and no total that would show it. Give the rate yourself
#        (emission_level), from the state's row of the edition that you cite.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check eco2ai==0.3.12
venv/bin/python -W ignore - <<'PY'
import sys

from eco2ai.utils import define_carbon_index

# Annual CO2 equivalent output rates of the ST sheet of eGRID2019, lb/MWh.
egrid2019 = {"California": 387.183, "Wyoming": 2068.992, "Connecticut": 477.422, "Delaware": 711.478, "District of Columbia": 797.692}
seen = {}
for state, rate in egrid2019.items():
    seen[state], _ = define_carbon_index(alpha_2_code="US", region=state)
    print(f"{state:21} eco2ai {seen[state]:8.2f}   eGRID2019 {rate * 0.45359237:6.1f}   kg/MWh")
want = {"California": 175.62, "Wyoming": 938.48, "Connecticut": 361.83, "Delaware": 16.5, "District of Columbia": 369.571}
if seen != want:
    sys.exit(f"CHANGED: the rates were {want}")
PY
