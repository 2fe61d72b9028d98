package httpapi

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// csvFormat is CSV as in RFC 4180: lines end with CRLF, and the first one names
// the columns. Unlike that of package encoding/csv it leaves the text of cells as
// it is, line ends included, and quotes the only cell of a row when it is empty,
// because readers leave out blank lines, and one that begins with a byte order
// mark, which they leave out at the beginning of a file.
type csvFormat struct{ names []string }

const byteOrderMark = "\ufeff"

func newCSV(s *egrid.Schema, codes bool) csvFormat {
	f := csvFormat{}
	for _, field := range s.Fields() {
		name := string(field.Column)
		if codes && field.Code != "" {
			name = field.Code
		}
		f.names = append(f.names, name)
	}
	return f
}

func (f csvFormat) begin(b []byte) []byte {
	for i, name := range f.names {
		b = f.cell(b, i, name)
	}
	return append(b, "\r\n"...)
}

func (f csvFormat) row(b []byte, row egrid.Row) ([]byte, bool) {
	for i, v := range row.Values {
		b = f.cell(b, i, v.String())
	}
	return append(b, "\r\n"...), true
}

func (csvFormat) end(b []byte) []byte { return b }

func (f csvFormat) cell(b []byte, i int, text string) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	plain := !strings.ContainsAny(text, "\",\r\n") && strings.TrimSpace(text) == text && !strings.HasPrefix(text, byteOrderMark)
	if plain && (text != "" || len(f.names) > 1) {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}

// The codes parameter chooses how the header of a CSV names the columns.
const (
	codesName = "codes"
	codesEPA  = "epa"
)

func codesParam() parameter {
	return parameter{name: codesName, doc: "epa: the header names columns by EPA's codes, where they have one. CSV only.", schema: huma.Schema{Enum: []any{codesEPA}}}
}

// checkCodes refuses codes where there is no header.
func (in *request) checkCodes() []*huma.ErrorDetail {
	if in.text(codesName) == "" || in.format.name == formatCSV {
		return nil
	}
	return []*huma.ErrorDetail{fault("query."+codesName, in.text(codesName), fmt.Sprintf("is for the header of a CSV, and this answer comes as %s; ask for format=csv", in.format.name))}
}
