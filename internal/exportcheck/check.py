"""Opens exports by the lines that docs/exports.md gives, and compares every cell.

check.py DOCS: in a folder with GEN_2023.parquet, .xlsx and .csv.
"""

import csv
import math
import re
import sys

import duckdb
import pandas as pd
import polars as pl

TEXTS = ["state", "plant_name", "oris_plant_code", "generator_id", "fuel"]
NUMBERS = ["nameplate_capacity_mw", "net_generation_mwh", "year_retired"]


def expected():
    with open("GEN_2023.csv", newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    assert [r["generator_id"] for r in rows] == ["0290", "NA", "7E600", "12/2", "1"], rows
    numbers = [c for c in NUMBERS if c in rows[0]]
    assert len(numbers) == 3, rows[0].keys()
    return rows, numbers


def plain(value):
    """A cell, None where it is missing."""
    if value is None or value is pd.NA or isinstance(value, float) and math.isnan(value):
        return None
    return value


def compare(line, found, rows, numbers):
    assert len(found) == len(rows), f"{line}: {len(found)} rows"
    for want, got in zip(rows, found):
        for c in TEXTS:
            assert plain(got[c]) == want[c], f"{line}: {c} is {got[c]!r}; want {want[c]!r}"
        for c in numbers:
            number = float(want[c]) if want[c] else None
            assert plain(got[c]) == number, f"{line}: {c} is {got[c]!r}; want {number!r}"
    print(f"{line}: {len(found)} rows as in the CSV")


def records(frame):
    if isinstance(frame, pd.DataFrame):
        return frame.to_dict("records")
    if isinstance(frame, pl.DataFrame):
        return frame.to_dicts()
    return [dict(zip(frame.columns, row)) for row in frame.fetchall()]


def main():
    rows, numbers = expected()
    with open(sys.argv[1], encoding="utf-8") as f:
        blocks = re.findall(r"```(python|sql)\n(.*?)```", f.read(), re.S)
    lines = []
    for language, block in blocks:
        if "frictionless" in block:
            continue
        for line in block.splitlines():
            if language == "python" and line.startswith(("pd.read", "pl.read")):
                compare(line, records(eval(line)), rows, numbers)
                lines.append(line)
            elif language == "sql" and line.startswith("SELECT *"):
                compare(line, records(duckdb.sql(line.rstrip(";"))), rows, numbers)
                lines.append(line)
            elif language == "sql" and "kv_metadata" in line:
                found = dict(duckdb.sql(line.rstrip(";")).fetchall())
                assert found[b"egrid.level"] == b"GEN" and found[b"egrid.year"] == b"2023", found
                lines.append(line)
    assert len(lines) >= 9, f"the document has {len(lines)} lines that could be tried"


main()
