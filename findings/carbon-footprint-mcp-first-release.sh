#!/usr/bin/env bash
# carbon-footprint-mcp still has the rates of eGRID2023's first file, and answers "PR" with the US average.
#
# Tool:  carbon-footprint-mcp 1.0.1 (an MCP server, "eGRID2023 (Jan 2025)"), mcp 1.30.0 (it asks for any mcp; 2 fails).
# Guess: a package of May 2026 has EPA's second revision of June 2025; a code it does not know is an error.
# Seen:  NYCW 974.656, NYLI 1180.678 and US 771.523 lb CO2/MWh are those of the first file of January 2025.
#        Revision 2 has US CO2e 770.884 (EPA), so the package's US CO2 alone is above the revised CO2e.
#        Unknown codes are computed with the US rate; only a note in "details" tells:
#          1 GWh in PRMS 702292.4586 kg CO2e, in "PR", "Puerto Rico" or "New York" 351642.9135 ("US Average (fallback)")
# Why:   between the first file and revision 2 NYCW's CO2 rate fell by 11.3 %. An answer that says
#        "eGRID2023" does not tell which revision it is. Compare figures with the revision beside the
#        year, and treat "US Average (fallback)" as no answer: Puerto Rico's is twice as high.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check carbon-footprint-mcp==1.0.1 mcp==1.30.0
venv/bin/python - <<'EOF'
import sys
from carbon_footprint_mcp.compute_emissions import compute_scope2
from carbon_footprint_mcp.emission_factors import EGRID

changed = False


def expect(name, got, want):
    global changed
    print(name, "=", got)
    if got != want:
        print("CHANGED:", name, "was", want, file=sys.stderr)
        changed = True


for code, first_file in {"NYCW": 974.656, "NYLI": 1180.678, "US Average": 771.523}.items():
    expect(code + " lb CO2/MWh", EGRID[code]["co2_lb_per_mwh"], first_file)
revised_us_co2e = 770.884
expect("US CO2 above revised CO2e", EGRID["US Average"]["co2_lb_per_mwh"] > revised_us_co2e, True)
for place, kg, used in [
    ("PRMS", 702292.4586, "PRMS"), ("PR", 351642.9135, "US Average (fallback)"),
    ("Puerto Rico", 351642.9135, "US Average (fallback)"), ("New York", 351642.9135, "US Average (fallback)"),
]:
    answer = compute_scope2({"electricity_kwh": 1000000, "egrid_subregion": place})["electricity"]
    got = (answer["value"], answer["details"]["egrid_subregion"], answer["label"])
    expect("1 GWh in " + place, got, (kg, used, "computed"))
sys.exit(changed)
EOF
