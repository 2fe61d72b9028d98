// Writes the workbooks of this folder that JavaScript's libraries make.
//
//     npm install xlsx@0.18.5 exceljs@4.4.0 && node write.mjs

import ExcelJS from "exceljs";
import XLSX from "xlsx";

const texts = ["NA", "0290", "7E600", " Trailing ", 'a, "b"', "two\nlines", "<&>'", "é 漢 😀", "=1+1", "tab\there", "1,234"];
const numbers = [0, -1, 3, 0.1, 0.368, -2443.4, 1.234e-5, 1e-300, 10244180.930931, 2 / 3, 99999999999.99];
const rows = [["CODE", "GENNTAN", null, "FLAG"], ...texts.map((t, i) => [t, numbers[i], i % 3 ? null : i + 0.5, i % 2 === 0]), [], [null, null, "far", null, null, 7]];

const sheet = XLSX.utils.aoa_to_sheet(rows);
const book = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(book, sheet, "GEN23 ");
XLSX.writeFile(book, new URL("sheetjs.xlsx", import.meta.url).pathname, { compression: true });
XLSX.writeFile(book, new URL("sheetjs-shared.xlsx", import.meta.url).pathname, { compression: true, bookSST: true });

const workbook = new ExcelJS.Workbook();
const page = workbook.addWorksheet("GEN23 ");
rows.forEach((row) => page.addRow(row));
page.addRow([{ formula: "1+2", result: 3 }, { richText: [{ text: "CO" }, { font: { vertAlign: "subscript" }, text: "2" }] }, { error: "#N/A" }]);
await workbook.xlsx.writeFile(new URL("exceljs.xlsx", import.meta.url).pathname);
