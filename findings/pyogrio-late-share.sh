#!/usr/bin/env bash
# GDAL's type detection takes a share for a whole number, and a geothermal share of 0.804 comes back missing.
#
# Tool:  pyogrio 0.12.1 with GDAL 3.11.4, which QGIS and GeoPandas read CSV by.
# Guess: AUTODETECT_TYPE=YES looks at the whole file; or the two fractions make the column one of numbers.
# Seen:  it looks at the first 1,000,000 bytes. Shares that are 0 or 1 until then make an integer column, and
#          0.804058067600655 -> nan      0.751969022799872 -> nan      1 -> 1.0
#        There is one warning for the column, and none for the second figure.
# Why:   the PLNT sheet of eGRID2018 has 10,964 plants, and its column PLGTPR has its first fraction in row 7,569: the only
#        two plants that have solar panels beside geothermal wells lose the share, and "missing" means not known.
#        Give AUTODETECT_SIZE_LIMIT=0 (all of it), or a .csvt file with types.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyogrio==0.12.1
venv/bin/python -W ignore - <<'PY'
import math
import sys

import pyogrio

with open("PLNT18.csv", "w") as f:
    f.write("ORISPL,PNAME,PLGTPR\n")
    for i in range(7568):
        f.write(f"{i},{'A plant whose row is as long as the rows of EPA are. ' * 3},{int(i % 100 == 0)}\n")
    f.write("58319,Patua Acquisition Project,0.804058067600655\n50765,Stillwater Facility,0.751969022799872\n")


def last_two(**options):
    meta, _, _, columns = pyogrio.raw.read("PLNT18.csv", AUTODETECT_TYPE="YES", **options)
    i = list(meta["fields"]).index("PLGTPR")
    print(options, meta["dtypes"][i], columns[i][-2:])
    return meta["dtypes"][i], columns[i][-2:]


print("pyogrio", pyogrio.__version__, "GDAL", pyogrio.__gdal_version_string__)
kind, figures = last_two()
if kind != "int32" or not all(math.isnan(x) for x in figures):
    sys.exit("CHANGED: the fractions are no longer missing from an integer column")
kind, figures = last_two(AUTODETECT_SIZE_LIMIT="0")
if kind != "float64" or abs(figures[0] - 0.804058067600655) > 1e-15:
    sys.exit("CHANGED: AUTODETECT_SIZE_LIMIT=0 does not cure it")
PY
