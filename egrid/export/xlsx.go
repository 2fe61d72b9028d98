package export

import (
	"archive/zip"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// XLSX is a workbook of two sheets: the rows below a header of names, and About,
// which tells of the file and its columns. The first sheet is named as EPA names it
// (GEN23) where the rows are of one level and data year.
//
// Texts are text cells, which no spreadsheet takes for numbers, dates or formulas;
// numbers have every digit; a missing value has no cell. A whole number beyond 2^53
// is a text, because spreadsheets would round it.
func XLSX() Format {
	return Format{
		Name: "xlsx", Extension: ".xlsx", MediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Codes: true, Packed: true,
		New: func(w io.Writer, s *egrid.Schema, about *About) Writer { return newWorkbook(w, s, about) },
	}
}

// Bounds of a sheet, those of every spreadsheet program.
const (
	maxSheetRows    = 1 << 20
	maxSheetColumns = 1 << 14
	maxCellLetters  = 1<<15 - 1
	maxExactInteger = 1 << 53
)

const (
	officeDocument = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	spreadsheet    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	packageParts   = "http://schemas.openxmlformats.org/package/2006/"
	contentType    = "application/vnd.openxmlformats-officedocument.spreadsheetml."

	// The first row stays in sight.
	beginSheet = xml.Header + `<worksheet xmlns="` + spreadsheet + `"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	endSheet   = `</sheetData></worksheet>`
)

// workbook writes an XLSX file while the rows come.
type workbook struct {
	schema  *egrid.Schema
	about   *About
	archive *zip.Writer
	sheet   io.Writer // the part at hand
	letters []string  // of the columns
	row     int       // the last one
	text    []byte
	err     error // the first one
}

func newWorkbook(w io.Writer, s *egrid.Schema, about *About) *workbook {
	b := &workbook{schema: s, about: about, archive: zip.NewWriter(w)}
	if s.Len() > maxSheetColumns {
		b.err = fmt.Errorf("%w: a sheet has at most %d columns, and these are %d; ask for fewer, or for CSV", egrid.ErrInvalid, maxSheetColumns, s.Len())
		return b
	}
	for i := range max(s.Len(), 5) { // About has five
		b.letters = append(b.letters, columnLetters(i))
	}
	b.begin("xl/worksheets/sheet1.xml")
	header := make([]string, s.Len())
	for i, f := range s.Fields() {
		header[i] = about.ColumnName(&f)
	}
	b.texts(header...)
	return b
}

// Write implements Writer.
func (b *workbook) Write(rows *egrid.Batch) error {
	for i := range rows.Len() {
		if b.err != nil {
			return b.err
		}
		if b.row == maxSheetRows {
			b.err = fmt.Errorf("%w: a sheet has at most %d rows; ask for fewer, or for CSV or Parquet", egrid.ErrInvalid, maxSheetRows)
			return b.err
		}
		b.beginRow()
		for j := range b.schema.Len() {
			b.cell(rows, i, j)
		}
		b.endRow()
	}
	return b.err
}

// cell appends a cell. The last one of a row is there also when it is empty:
// readers that take cells as they come would see rows of different lengths.
func (b *workbook) cell(rows *egrid.Batch, i, j int) {
	v := rows.Column(j)
	if v.IsMissing(i) {
		if j == b.schema.Len()-1 {
			b.text = append(b.reference(j), "/>"...)
		}
		return
	}
	switch v.Type() {
	case egrid.Text:
		b.textCell(j, v.Entry(v.Code(i)))
	case egrid.Flag:
		b.text = append(b.reference(j), ` t="b"><v>`...)
		digit := byte('0')
		if yes, _ := v.Value(i).Bool(); yes {
			digit = '1'
		}
		b.text = append(append(b.text, digit), "</v></c>"...)
	case egrid.Integer:
		n, _ := v.Int(i)
		if n > maxExactInteger || n < -maxExactInteger {
			b.textCell(j, strconv.FormatInt(n, 10))
			return
		}
		b.text = append(b.reference(j), "><v>"...)
		b.text = append(strconv.AppendInt(b.text, n, 10), "</v></c>"...)
	default:
		x, _ := v.Float(i)
		b.text = append(b.reference(j), "><v>"...)
		b.text = append(strconv.AppendFloat(b.text, x, form(x), -1, 64), "</v></c>"...)
	}
}

// form is how a number is written: with all its digits, unless there are many zeros
// among them.
func form(x float64) byte {
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		return 'e'
	}
	return 'f'
}

func (b *workbook) textCell(j int, s string) {
	if len(s) > maxCellLetters && utf8.RuneCountInString(s) > maxCellLetters && b.err == nil {
		b.err = fmt.Errorf("%w: row %d, column %s: a cell has at most %d letters; ask for CSV", egrid.ErrInvalid, b.row, b.letters[j], maxCellLetters)
	}
	b.text = append(b.reference(j), ` t="inlineStr"><is><t`...)
	if s != strings.TrimSpace(s) {
		b.text = append(b.text, ` xml:space="preserve"`...)
	}
	b.text = append(appendXML(append(b.text, '>'), s), "</t></is></c>"...)
}

// reference appends the beginning of a cell.
func (b *workbook) reference(j int) []byte {
	dst := append(append(b.text, `<c r="`...), b.letters[j]...)
	return append(strconv.AppendInt(dst, int64(b.row), 10), '"')
}

// texts adds a row of texts; an empty one has no cell.
func (b *workbook) texts(cells ...string) {
	b.beginRow()
	for j, s := range cells {
		if s != "" {
			b.textCell(j, s)
		}
	}
	b.endRow()
}

func (b *workbook) beginRow() {
	b.row++
	b.text = append(strconv.AppendInt(append(b.text[:0], `<row r="`...), int64(b.row), 10), `">`...)
}

func (b *workbook) endRow() {
	if b.err == nil {
		_, b.err = b.sheet.Write(append(b.text, "</row>"...))
	}
}

// begin begins a sheet, which ends the one before.
func (b *workbook) begin(part string) {
	b.row = 0
	if b.err == nil {
		b.sheet, b.err = b.archive.Create(part)
	}
	b.put(beginSheet)
}

func (b *workbook) put(s string) {
	if b.err == nil {
		_, b.err = io.WriteString(b.sheet, s)
	}
}

// Close implements Writer.
func (b *workbook) Close() error {
	if b.err != nil {
		return b.err
	}
	b.put(endSheet)
	b.begin("xl/worksheets/sheet2.xml")
	b.texts("This file", "")
	for _, f := range b.about.Facts() {
		b.texts(f.Name, f.Value)
	}
	b.texts()
	b.texts("column", "EPA code", "type", "unit", "description")
	for _, c := range b.about.Columns(b.schema) {
		b.texts(c.Name, c.Code, c.Type, c.Unit, c.Description)
	}
	b.put(endSheet)
	for _, p := range b.parts() {
		if b.err == nil {
			b.sheet, b.err = b.archive.Create(p.name)
		}
		b.put(xml.Header + p.content)
	}
	if b.err != nil {
		return b.err
	}
	return b.archive.Close()
}

type part struct{ name, content string }

// parts are what a workbook has besides its sheets.
func (b *workbook) parts() []part {
	override := func(name, kind string) string {
		return `<Override PartName="/xl/` + name + `.xml" ContentType="` + contentType + kind + `+xml"/>`
	}
	relation := func(id, kind, target string) string {
		return `<Relationship Id="` + id + `" Type="` + officeDocument + "/" + kind + `" Target="` + target + `"/>`
	}
	relations := func(all ...string) string {
		return `<Relationships xmlns="` + packageParts + `relationships">` + strings.Join(all, "") + `</Relationships>`
	}
	return []part{
		{"xl/styles.xml", `<styleSheet xmlns="` + spreadsheet + `"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
			`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf xfId="0"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`},
		{"xl/workbook.xml", `<workbook xmlns="` + spreadsheet + `" xmlns:r="` + officeDocument + `"><sheets><sheet name="` + string(appendXML(nil, b.about.sheetName())) + `" sheetId="1" r:id="rId1"/><sheet name="About" sheetId="2" r:id="rId2"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", relations(relation("rId1", "worksheet", "worksheets/sheet1.xml"), relation("rId2", "worksheet", "worksheets/sheet2.xml"), relation("rId3", "styles", "styles.xml"))},
		{"_rels/.rels", relations(relation("rId1", "officeDocument", "xl/workbook.xml"))},
		{"[Content_Types].xml", `<Types xmlns="` + packageParts + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			override("workbook", "sheet.main") + override("worksheets/sheet1", "worksheet") + override("worksheets/sheet2", "worksheet") + override("styles", "styles") + `</Types>`},
	}
}

// sheetName names the sheet of the rows.
func (a *About) sheetName() string {
	switch {
	case a.Level == "":
		return "rows"
	case len(a.Snapshots) == 1:
		return fmt.Sprintf("%s%02d", a.Level, a.Snapshots[0].Year%100)
	}
	return string(a.Level)
}

// columnLetters names a column, from 0, as spreadsheets do.
func columnLetters(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// appendXML appends text with XML's escapes, and those of workbooks (_x0007_) for
// what XML cannot hold.
func appendXML(dst []byte, s string) []byte {
	for i, c := range s {
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c < ' ' && c != '\t' && c != '\n', c == 0xFFFE, c == 0xFFFF:
			dst = fmt.Appendf(dst, "_x%04X_", c)
		case c == '_' && isEscape(s[i:]):
			dst = append(dst, "_x005F_"...)
		default:
			dst = utf8.AppendRune(dst, c)
		}
	}
	return dst
}

// isEscape reports whether a reader of workbooks would take the front of s for an
// escape.
func isEscape(s string) bool {
	if len(s) < 7 || s[1] != 'x' && s[1] != 'X' || s[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil
}
