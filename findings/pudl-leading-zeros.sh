#!/usr/bin/env bash
# PUDL takes the zeros off generator ids, so generators 1 and 01 of plant 3612 become one.
#
# Tool:  catalystcoop-pudl 2025.12.1 (Python), cleaned EIA and EPA data; its function
#        helpers.remove_leading_zeros_from_numeric_strings, which it applies to the generators and boilers of EIA.
#        The function alone is run, out of the published wheel, with pandas 2.3.3: the package needs 90 others.
# Guess: generator ids stay the text that EIA and eGRID have, as the column's type says.
# Seen:  plant 3612, GENID:  1 01 2 02 3 03 -> 1 1 2 2 3 3       0290 -> 290      0A1 and 5.1 stay
# Why:   eGRID2023 has 278 ids of digits that begin with a zero; none of them joins with PUDL's by its name. Four pairs in
#        it differ by zeros only (3612: 1, 2, 3; 56032: 001 and 0001), so that taking the zeros off eGRID's side as well
#        gives two generators the same key, and a join counts their generation twice. Join on both forms, and check
#        that (ORISPL, GENID) is as often there after as before.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pandas==2.3.3
venv/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.13 catalystcoop-pudl==2025.12.1
venv/bin/python -W ignore - <<'PY'
import ast
import glob
import logging
import sys
import zipfile

import pandas as pd

name = "remove_leading_zeros_from_numeric_strings"
tree = ast.parse(zipfile.ZipFile(glob.glob("catalystcoop*pudl-2025.12.1*.whl")[0]).read("pudl/helpers.py"))
found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
if not found:
    sys.exit(f"CHANGED: there is no {name} any more")
space = {"pd": pd, "logger": logging.getLogger()}
exec(compile(ast.Module(found, []), "pudl/helpers.py", "exec"), space)  # the package's own code, unchanged

ids = ["1", "01", "2", "02", "3", "03", "0290", "0A1", "5.1"]
seen = list(space[name](pd.DataFrame({"generator_id": ids}), "generator_id")["generator_id"])
print(*ids, "->", *seen)
if seen != ["1", "1", "2", "2", "3", "3", "290", "0A1", "5.1"]:
    sys.exit("CHANGED: ids are cleaned otherwise")
PY
