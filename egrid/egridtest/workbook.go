package egridtest

import (
	"archive/zip"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Sheet is a sheet of a workbook.
type Sheet struct {
	Name   string
	CSV    string // its cells
	Hidden bool   // the workbook does not show it
}

// WriteWorkbook writes an .xlsx workbook. A field of the CSV that is written as
// numbers are becomes a number; what would not come back as the same text, such as
// 0290, and everything else becomes a text, and an empty field no cell.
func WriteWorkbook(w io.Writer, sheets ...Sheet) error {
	const relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	archive := zip.NewWriter(w)
	write := func(name, content string) error {
		part, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(part, xml.Header+content)
		}
		return err
	}
	var list, relations, types strings.Builder
	for i, s := range sheets {
		cells, err := cellsOf(s.CSV)
		if err != nil {
			return fmt.Errorf("sheet %s: %w", s.Name, err)
		}
		n := i + 1
		state := "visible"
		if s.Hidden {
			state = "hidden"
		}
		fmt.Fprintf(&list, `<sheet name="%s" sheetId="%d" state="%s" r:id="rId%d"/>`, escaped(s.Name), n, state, n)
		fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="%sworksheet" Target="worksheets/sheet%d.xml"/>`, n, relation, n)
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		err = write(fmt.Sprintf("xl/worksheets/sheet%d.xml", n), `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+cells+`</sheetData></worksheet>`)
		if err != nil {
			return err
		}
	}
	return errors.Join(
		write("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>`+types.String()+`</Types>`),
		write("_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="`+relation+`officeDocument" Target="xl/workbook.xml"/></Relationships>`),
		write("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="`+strings.TrimSuffix(relation, "/")+`"><sheets>`+list.String()+`</sheets></workbook>`),
		write("xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+relations.String()+`</Relationships>`),
		archive.Close(),
	)
}

func cellsOf(text string) (string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	var b strings.Builder
	for row := 1; ; row++ {
		record, err := r.Read()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, `<row r="%d">`, row)
		for i, field := range record {
			ref := columnName(i) + strconv.Itoa(row)
			switch x, err := strconv.ParseFloat(field, 64); {
			case field == "":
			case err == nil && strconv.FormatFloat(x, 'f', -1, 64) == field:
				fmt.Fprintf(&b, `<c r="%s"><v>%s</v></c>`, ref, field)
			default:
				fmt.Fprintf(&b, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, ref, escaped(field))
			}
		}
		b.WriteString("</row>")
	}
}

// columnName names a column, from 0, as spreadsheets do.
func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
