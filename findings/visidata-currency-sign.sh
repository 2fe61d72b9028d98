#!/usr/bin/env bash
# VisiData's currency type drops the brackets of a negative figure and sums it as positive.
#
# Tool:  VisiData 3.4.
# Guess: the type for amounts ("$", in the menu "as currency") reads "(2,443)" as -2443, the accounting form,
#        or marks the cell as an error as the types int and float do.
# Seen:  every character but digits, point and sign is dropped: "(2,443)" -> 2443, "14.3%" -> 14.3.
#        "-2,443" keeps its sign. The sum of a negative and a positive plant is 12687 for 7801.
# Why:   it is the one type of VisiData that accepts EPA's thousands separators, so it is the one at hand
#        for a CSV saved from the workbook. Pumped storage and batteries then add to generation; nothing is red.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check visidata==3.4
cat >plants.csv <<'EOF'
ORISPL,PLNGENAN,PLCLPR
3,"(2,443)",14.3%
7,"10,244",5.3%
EOF
HOME=$dir venv/bin/python - <<'EOF'
import sys
import visidata
from visidata import vd

sheet = vd.openSource("plants.csv")
sheet.reload()
visidata.vd.sync()
generation = sheet.column("PLNGENAN")
share = sheet.column("PLCLPR")
generation.type = share.type = visidata.currency
values = [generation.getTypedValue(row) for row in sheet.rows]
shares = [share.getTypedValue(row) for row in sheet.rows]
generation.type = float
as_float = [type(generation.getTypedValue(row)).__name__ for row in sheet.rows]
print("as currency:", values, "sum", sum(values), shares)
print("as float:   ", as_float)
print('currency("-2,443") =', visidata.currency("-2,443"))
if values != [2443.0, 10244.0] or shares != [14.3, 5.3]:
    sys.exit("CHANGED: the currency type no longer drops brackets and percent signs")
if visidata.currency("-2,443") != -2443:
    sys.exit("CHANGED: the currency type no longer keeps a minus")
if set(as_float) != {"TypedExceptionWrapper"}:
    sys.exit("CHANGED: float no longer refuses such cells")
EOF
