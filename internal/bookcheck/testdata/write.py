"""Writes the workbooks of this folder, each by another program's library.

    pip install -r requirements.txt && python write.py
"""

import datetime
import pathlib

import openpyxl
import pyexcelerate
import xlsxwriter

HERE = pathlib.Path(__file__).parent
DAY = datetime.datetime(2024, 1, 31)
NUMBERS = [0, -1, 3, 0.1, 0.368, -2443.4, 1.234e-05, 1e-300, 1.25e300, 10244180.930931, 123456789012345678, 2 / 3, 99999999999.99]
TEXTS = ["NA", "0290", "7E600", " Trailing ", "a, \"b\"", "two\nlines", "<&>'", "é 漢 😀", "_x000D_", "=1+1", "tab\there", "", "1,234"]
ROWS = [["Description\nof it", "Plant name", None, "x"], ["CODE", "PNAME", "GENNTAN", "FLAG"]]
ROWS += [[t, n, None if i % 3 else i + 0.5, i % 2 == 0] for i, (t, n) in enumerate(zip(TEXTS, NUMBERS))]
ROWS += [[], [None, None, "far", None, None, 7], [DAY, "end"]]


def with_openpyxl(name, **options):
    book = openpyxl.Workbook(**options)
    sheets = [book.create_sheet("GEN23 ") if options else book.active, book.create_sheet("Formulas & more")]
    sheets[0].title = "GEN23 "
    for row in ROWS:
        sheets[0].append([t if not isinstance(t, str) or not t.startswith("=") else None for t in row])
    sheets[1].append(["never calculated", 1])
    if not options:
        sheets[1]["A3"] = "#N/A"
        sheets[1]["A6"] = "=B1*2"
        sheets[1].merge_cells("B4:C5")
        sheets[1].sheet_state = "hidden"
        sheets[1].row_dimensions[3].hidden = True
    book.save(HERE / name)


def with_xlsxwriter(name, **options):
    with xlsxwriter.Workbook(HERE / name, options) as book:
        sheet = book.add_worksheet("GEN23 ")
        shown = book.add_format({"num_format": "#,##0; (#,##0)"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(ROWS):
            for c, value in enumerate(row):
                if isinstance(value, datetime.datetime):
                    sheet.write_datetime(r, c, value, day)
                elif isinstance(value, str):
                    sheet.write_string(r, c, value)
                elif isinstance(value, bool):
                    sheet.write_boolean(r, c, value)
                elif value is not None:
                    sheet.write_number(r, c, value, shown)
        more = book.add_worksheet("Formulas & more")
        more.write_formula(0, 0, "=SUM(1, 2)", shown, 3)
        more.write_formula(0, 1, '="A" & "K"', None, "AK")
        more.write_formula(0, 2, "=1/0", None, "#DIV/0!")
        more.write_formula(0, 3, "=TRUE", None, True)
        if not options.get("constant_memory"):
            small = book.add_format({"font_script": 2})
            more.write_rich_string(1, 0, "CO", small, "2", " (tons)")
        more.write_blank(1, 1, None, shown)
        more.set_row(1, None, None, {"hidden": True})
        more.hide()


def with_pyexcelerate(name):
    book = pyexcelerate.Workbook()
    book.new_sheet("GEN23", data=[[None if isinstance(v, str) and v.startswith("=") else v for v in row] for row in ROWS])
    book.save(HERE / name)


with_openpyxl("openpyxl.xlsx")
with_openpyxl("openpyxl-write-only.xlsx", write_only=True)
with_xlsxwriter("xlsxwriter.xlsx")
with_xlsxwriter("xlsxwriter-constant-memory.xlsx", constant_memory=True)
with_xlsxwriter("xlsxwriter-1904.xlsx", date_1904=True)
with_pyexcelerate("pyexcelerate.xlsx")
