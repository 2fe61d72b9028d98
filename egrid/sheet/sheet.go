package sheet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ReaderOptions says what a file itself may not. The zero value infers
// everything.
type ReaderOptions struct {
	Name    string      // object name or path, for inference and messages
	Sheet   string      // member of a zip or sheet of a workbook; empty for a plain file
	Level   egrid.Level // empty: recognised by the columns
	Year    int         // 0: inferred; used only where neither the rows nor a column name give the data year
	Release string      // empty: from the file name; NoRelease forces the unmarked one
	Mapping *Mapping    // for files whose headers are nobody's codes
}

// Mapping tells how to read a file whose headers the dictionary does not know.
type Mapping struct {
	Delimiter string            `json:"delimiter,omitempty"` // one character; empty: comma, or what fits the header
	SkipRows  int               `json:"skip_rows,omitempty"` // records above the header row
	Columns   map[string]string `json:"columns,omitempty"`   // header -> EPA code or our name; "" leaves the column out
	Transform map[string]string `json:"transform,omitempty"` // EPA code or our name -> divide_by_100, negate, trim, upper or null_if:X
}

// Sheet is what the head of a file tells: all that is needed to decode any
// part of it, in this process or another. It is a plain JSON value.
type Sheet struct {
	Name       string         `json:"name"` // member of a zip or sheet of a workbook
	Level      egrid.Level    `json:"level"`
	Year       int            `json:"year"` // 0 when every row gives its own
	Release    string         `json:"release"`
	Units      string         `json:"units"`       // of the file: us or metric
	Evidence   []Evidence     `json:"evidence"`    // what told all this
	Schema     *egrid.Schema  `json:"schema"`      // of the decoded rows; the data year is not in it
	Unknown    []egrid.Column `json:"unknown"`     // columns kept under their own header
	ShareScale float64        `json:"share_scale"` // what the file's 1 stands for in a share: 1, or 0.01 where it holds percent
	Delimiter  string         `json:"delimiter"`
	Dialect    Dialect        `json:"dialect"`
	HeaderLine int64          `json:"header_line"` // line of the code row, from 1
	DataLine   int64          `json:"data_line"`   // line of the first record below it
	DataOffset int64          `json:"data_offset"` // byte offset of that record
	Cells      []SheetColumn  `json:"cells"`       // the header row
}

// SheetColumn is one cell of the header row and what becomes of its column.
type SheetColumn struct {
	Header    string       `json:"header"`
	Column    egrid.Column `json:"column,omitempty"`    // empty: left out
	Repeats   egrid.Column `json:"repeats,omitempty"`   // a column that the sheet has already: every row must have the same in both
	Transform string       `json:"transform,omitempty"` // see Mapping
	Fixed     []int        `json:"fixed,omitempty"`     // data years in which it was rounded to a fixed number of decimals
}

// inspectBytes is how much of a file's head is looked at.
const inspectBytes = 1 << 20

// headerRows is how many records may stand above the first row of data.
const headerRows = 64

// Inspect reads the head of a CSV file, at most 1 MiB, finds the code row by
// its content, and infers level, data year, release and the scale of shares.
// The error wraps [ErrInvalid] and names what is missing and how to give it.
func Inspect(r io.Reader, o *ReaderOptions) (*Sheet, error) {
	if o == nil {
		o = &ReaderOptions{}
	}
	head, err := io.ReadAll(io.LimitReader(r, inspectBytes))
	if err != nil {
		return nil, err
	}
	return inspect(head, len(head) == inspectBytes, o)
}

func inspect(head []byte, more bool, o *ReaderOptions) (*Sheet, error) {
	if err := notCSV(head); err != nil {
		return nil, err
	}
	best, err := findHeader(head, o)
	if err != nil {
		return nil, err
	}
	s := &Sheet{
		Name: o.Sheet, Level: best.level, Units: "us", ShareScale: 1, Delimiter: string(best.delim),
		HeaderLine: best.line, DataLine: best.nextLine, DataOffset: best.nextOffset,
	}
	s.found("level", string(s.Level), best.levelFrom)
	first := firstRows(head, more, s)
	named := rowNames(s.Level, best.cells, o.Mapping, first)
	if named {
		first = withoutFirst(first)
	}
	sample := sync.OnceValue(func() [][]string {
		rows := sampleRows(head, more, s)
		if named {
			rows = withoutFirst(rows)
		}
		return rows
	})
	yearHeader, err := s.bindColumns(best.cells, sample, o.Mapping)
	if err != nil {
		return nil, err
	}
	if err := s.inferEdition(yearHeader, o); err != nil {
		return nil, err
	}
	if err := s.inferDialect(head, more, first, sample); err != nil {
		return nil, err
	}
	s.inferShareScale(sample)
	if named {
		s.Cells = slices.Insert(s.Cells, 0, SheetColumn{})
		s.found("row_names", "left out", "records have one field more than the header")
	}
	return s, nil
}

// bindColumns decides what becomes of every column and makes the schema. It
// returns the header of the column that gives the data year, if any.
func (s *Sheet) bindColumns(cells []string, sample func() [][]string, m *Mapping) (yearHeader string, err error) {
	transform, err := s.transforms(m)
	if err != nil {
		return "", err
	}
	if m != nil {
		for h, target := range m.Columns {
			if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) == h }) {
				return "", fmt.Errorf("%w: the mapping names the header %q, which line %d does not have", egrid.ErrInvalid, h, s.HeaderLine)
			}
			if _, ok := egrid.Lookup(s.Level, target); !ok && target != "" {
				return "", fmt.Errorf("%w: the mapping of %q names %q, which is no column of %s", egrid.ErrInvalid, h, target, s.Level)
			}
		}
	}
	var fields []egrid.Field
	used := map[egrid.Column]bool{}
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		f, known := lookupHeader(s.Level, cell, m)
		col := SheetColumn{Header: cell}
		switch {
		case !known && m != nil && mappedAway(m, cell), egrid.IsContext(egrid.Column(cell)) && egrid.Column(cell) != egrid.Year:
			// left out: the mapping says so, or our own export repeats the snapshot there
		case known && f.Column == egrid.Year && yearHeader == "":
			col.Column, yearHeader = egrid.Year, cell
		case known && !used[f.Column] && f.Column != egrid.Year:
			col.Column, col.Transform = f.Column, transform[f.Column]
			fields = append(fields, f)
		case i == 0 && isIndex(cell, sample):
			s.found("row_names", "left out", fmt.Sprintf("running numbers in the first column, %q", cell))
		case known && s.repeats(f.Column, i, sample):
			col.Repeats = f.Column
		case cell == "" && !anyValue(sample(), i):
			// an empty column, as spreadsheets write in front of a table
		default:
			name := egrid.Column(cmp.Or(cell, fmt.Sprintf("column_%d", i+1)))
			for n := 2; used[name] || egrid.IsContext(name); n++ {
				name = egrid.Column(fmt.Sprintf("%s_%d", cmp.Or(cell, "column"), n))
			}
			col.Column = name
			fields = append(fields, egrid.Field{Level: s.Level, Column: name, Type: egrid.Text})
			s.Unknown = append(s.Unknown, name)
		}
		used[col.Column] = true
		s.Cells = append(s.Cells, col)
	}
	s.Schema, err = egrid.NewSchema(fields...)
	return yearHeader, err
}

func mappedAway(m *Mapping, cell string) bool {
	target, ok := m.Columns[cell]
	return ok && target == ""
}

func anyValue(sample [][]string, i int) bool {
	return slices.ContainsFunc(sample, func(row []string) bool { return i < len(row) && strings.TrimSpace(row[i]) != "" })
}

func (s *Sheet) transforms(m *Mapping) (map[egrid.Column]string, error) {
	if m == nil {
		return nil, nil
	}
	out := map[egrid.Column]string{}
	for name, t := range m.Transform {
		f, ok := egrid.Lookup(s.Level, name)
		if !ok {
			return nil, fmt.Errorf("%w: the mapping transforms %q, which is no column of %s", egrid.ErrInvalid, name, s.Level)
		}
		switch t {
		case "divide_by_100", "negate":
			if f.Type != egrid.Number {
				return nil, fmt.Errorf("%w: the mapping applies %s to %s, which is of type %s", egrid.ErrInvalid, t, f.Column, f.Type)
			}
		case "trim", "upper":
		default:
			if !strings.HasPrefix(t, "null_if:") {
				return nil, fmt.Errorf("%w: transformation %q of %q is not divide_by_100, negate, trim, upper or null_if:X", egrid.ErrInvalid, t, name)
			}
		}
		out[f.Column] = t
	}
	return out, nil
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := n
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "..."
}

// UnmarshalJSON checks what a stage of another process hands over.
func (s *Sheet) UnmarshalJSON(b []byte) error {
	type plain Sheet
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	t := Sheet(p)
	if _, err := egrid.ParseLevel(string(t.Level)); err != nil {
		return err
	}
	if t.Schema == nil || len(t.Delimiter) != 1 || t.ShareScale <= 0 || t.DataOffset < 0 {
		return fmt.Errorf("%w: a sheet needs a schema, a delimiter, a share scale and a data offset", egrid.ErrInvalid)
	}
	for _, c := range t.Cells {
		if c.Column != "" && c.Column != egrid.Year && !t.Schema.Has(c.Column) {
			return fmt.Errorf("%w: the sheet's cell %q names the column %s, which its schema lacks", egrid.ErrInvalid, c.Header, c.Column)
		}
	}
	*s = t
	return nil
}
