"""Prints what calamine reads: a line for each sheet, with the number of cells
that are not empty and the SHA-256 of all of them, as bookcheck_test.go makes it
of what package book reads.

    pip install -r requirements.txt && python calamine.py FILE.xlsx ... > calamine.txt
"""

import datetime
import hashlib
import pathlib
import re
import struct
import sys

import python_calamine

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
FIRST = datetime.datetime(1899, 12, 30)


def text(value):
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        value = (value - FIRST) / datetime.timedelta(days=1)
    elif isinstance(value, datetime.date):
        value = (value - FIRST.date()) / datetime.timedelta(days=1)
    if isinstance(value, str) and NUMBER.fullmatch(value) and float(value) not in (float("inf"), float("-inf")):
        value = float(value)
    if isinstance(value, (int, float)):
        return struct.pack(">d", float(value) + 0.0).hex()
    return value


for path in sys.argv[1:]:
    book = python_calamine.load_workbook(path)
    for name in book.sheet_names:
        digest, cells = hashlib.sha256(), 0
        for r, row in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), 1):
            for c, value in enumerate(row, 1):
                if value != "":
                    cells += 1
                    digest.update(f"{r}\t{c}\t{text(value)}\n".encode())
        print(f"{pathlib.Path(path).name}\t{name}\t{cells}\t{digest.hexdigest()}")
