"""Prints every cell of a workbook as xlrd reads it: cells.py FILE.xls

A line for each: sheet, row, column, kind and value as JSON. Numbers are in
hexadecimal, so that nothing is rounded on the way.
"""

import json
import sys

import xlrd

book = xlrd.open_workbook(sys.argv[1])
for i, name in enumerate(book.sheet_names()):
    sheet = book.sheet_by_index(i)
    for row in range(sheet.nrows):
        for column in range(sheet.ncols):
            cell = sheet.cell(row, column)
            if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
                value = float(cell.value).hex()
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = "TRUE" if cell.value else "FALSE"
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code[cell.value]
            elif cell.ctype == xlrd.XL_CELL_TEXT and cell.value:
                value = cell.value
            else:
                continue
            number = cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE)
            print(json.dumps([name, row, column, number, value]))
