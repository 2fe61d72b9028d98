"""Writes a workbook of all that xlwt can write: write.py FILE.xls

Numbers of every size and sign, in each of the forms that a file has for them;
texts of both widths, long enough to be cut over several records. Letters of two
units are not among them: xlrd fails where such a pair is cut.
"""

import datetime
import random
import sys

import xlwt

book = xlwt.Workbook()
pick = random.Random(1)
sheet = book.add_sheet("numbers", cell_overwrite_ok=True)
for row in range(400):
    for column in range(40):
        sheet.write(row, column, pick.choice([
            lambda: pick.randint(-(2**29), 2**29 - 1),
            lambda: pick.randint(-(2**29), 2**29 - 1) / 100,
            lambda: pick.randint(-(2**40), 2**40),
            lambda: pick.uniform(-1, 1) * 10 ** pick.randint(-300, 300),
            lambda: round(pick.uniform(-1000, 1000), pick.randint(0, 4)),
            lambda: 0,
        ])())
for row in range(400, 500):  # a row at once becomes MULRK
    for column in range(pick.randint(1, 200)):
        sheet.write(row, column, pick.randint(-1000, 1000))
sheet = book.add_sheet("texts \u2713")
letters = ["a", "Z", ",", '"', "\n", " ", "é", "ÿ", "\u2713", "東"]
for row in range(300):
    for column in range(5):
        few = letters[: pick.choice([6, 8, 10])]
        sheet.write(row * 2, column, "".join(pick.choice(few) for _ in range(pick.choice([1, 20, 300, 5000]))))
sheet = book.add_sheet("others")
sheet.visibility = 1
for row in range(20):
    sheet.write(row, 0, row % 2 == 0)
    sheet.row(row).set_cell_error(1, [0x00, 0x07, 0x0F, 0x17, 0x1D, 0x24, 0x2A][row % 7])
    sheet.write(row, 3, datetime.datetime(1998, 1, 1 + row, 6), xlwt.easyxf(num_format_str="YYYY-MM-DD"))
    sheet.write(row, 4, xlwt.Formula("A1+1"))
    sheet.row(row).set_cell_blank(255)
    rich = [("bo", xlwt.easyfont("bold on")), ("ld %d" % row, xlwt.easyfont("color red"))]
    sheet.write_rich_text(row, 5, rich)
book.add_sheet("empty")
book.save(sys.argv[1])
