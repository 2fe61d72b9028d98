package sheet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// ReaderOptions says what a file itself may not. The zero value infers
// everything.
type ReaderOptions struct {
	Name      string      // object name or path, for inference and messages
	Sheet     string      // member of a zip or sheet of a workbook; empty for a plain file
	Grid      bool        // the records are the rows of a spreadsheet: lines count records, whatever line breaks are in them
	Objects   bool        // the records are JSON objects, as package book has them: the first has their names, and lines count the others
	Level     egrid.Level // empty: recognised by the columns
	Year      int         // 0: inferred; must not contradict what the file says
	Release   string      // empty: from the file name; NoRelease forces the unmarked one
	Units     string      // US or Metric; empty: as the file says, else US
	Authority string      // who published it; empty: as the file says, else EPA
	Mapping   *Mapping    // for files whose headers are nobody's codes
}

// records reports whether lines count records.
func (o *ReaderOptions) records() bool { return o.Grid || o.Objects }

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
	Authority  string         `json:"authority"`   // who published it
	Units      string         `json:"units"`       // of the file: US or Metric
	Evidence   []Evidence     `json:"evidence"`    // what told all this
	Schema     *egrid.Schema  `json:"schema"`      // of the decoded rows; the data year is not in it
	Unknown    []egrid.Column `json:"unknown"`     // columns kept under their own header
	ShareScale float64        `json:"share_scale"` // what the file's 1 stands for in a share: 1, or 0.01 where it holds percent
	Delimiter  string         `json:"delimiter"`
	Grid       bool           `json:"grid,omitempty"` // lines are rows of a spreadsheet or JSON objects, each a record
	Dialect    Dialect        `json:"dialect"`
	HeaderLine int64          `json:"header_line"` // line of the code row, from 1
	DataLine   int64          `json:"data_line"`   // line of the first record below it
	DataOffset int64          `json:"data_offset"` // byte offset of that record
	Cells      []SheetColumn  `json:"cells"`       // the header row

	byName []int // cells above full names of states
}

// SheetColumn is one cell of the header row and what becomes of its column.
type SheetColumn struct {
	Header    string       `json:"header"`
	Column    egrid.Column `json:"column,omitempty"`    // empty: left out
	Repeats   egrid.Column `json:"repeats,omitempty"`   // a column that the sheet has already: every row must have the same in both
	Transform string       `json:"transform,omitempty"` // see Mapping; also state_name: full names become postal abbreviations
	Unit      string       `json:"unit,omitempty"`      // in the file, where it is not the dictionary's: the decoder converts
	Fixed     []int        `json:"fixed,omitempty"`     // data years in which it was rounded to a fixed number of decimals
	Release   *string      `json:"release,omitempty"`   // it is left out, and every row must have this release in it
	Authority *string      `json:"authority,omitempty"` // it is left out, and every row must have this authority in it
	Rounds    bool         `json:"rounds,omitempty"`    // it is left out, and names the columns that were rounded
}

// How much of a file's head is looked at. The first few tell all of most files.
const (
	fewBytes     = 64 << 10
	inspectBytes = 1 << 20
)

// headerRows is how many records may stand above the first row of data.
const headerRows = 64

// Inspect reads the head of a CSV file, at most 1 MiB, finds the code row by
// its content, and infers level, data year, release, authority, units and the
// scale of shares, each with its evidence. The error wraps [ErrInvalid] and names
// what is missing, or what contradicts each other, and how to give it: a
// [*NotKeptError] for a table of a kind that no level keeps.
func Inspect(r io.Reader, o *ReaderOptions) (*Sheet, error) {
	if o == nil {
		o = &ReaderOptions{}
	}
	s, _, err := inspect(r, o)
	return s, err
}

// inspect also returns what it has read of r.
func inspect(r io.Reader, o *ReaderOptions) (s *Sheet, read []byte, err error) {
	h := &head{}
	for _, size := range [...]int{fewBytes, inspectBytes} {
		if err := h.read(r, size); err != nil {
			return nil, nil, err
		}
		if s, err = h.inspect(o); !h.more || err == nil && !h.cut {
			break
		}
	}
	return s, h.data, err
}

// head is the beginning of a file.
type head struct {
	data []byte
	more bool // of the file may be behind data
	cut  bool // it was used up to where it ends: with more of the file it may tell something else
}

// read reads on, up to a size, in steps: thousands of files are small.
func (h *head) read(r io.Reader, size int) error {
	h.more, h.cut = true, false
	for h.more && len(h.data) < size {
		step := min(max(4*len(h.data), smallBytes), size)
		h.data = slices.Grow(h.data, step-len(h.data))
		n, err := io.ReadFull(r, h.data[len(h.data):step])
		h.data = h.data[:len(h.data)+n]
		h.more = err == nil
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
	}
	return nil
}

func (h *head) inspect(o *ReaderOptions) (*Sheet, error) {
	if err := notCSV(h.data, o); err != nil {
		return nil, err
	}
	best, tied, records, err := findHeader(h, o)
	if err != nil {
		return nil, err
	}
	if best.known == 0 && !o.Grid {
		if err := otherText(h.data, o); err != nil {
			return nil, err
		}
	}
	if err := best.recognise(tied, records, o); err != nil {
		return nil, err
	}
	s := &Sheet{
		Name: o.Sheet, Level: best.level, ShareScale: 1, Delimiter: string(best.delim), Grid: o.records(),
		HeaderLine: best.line, DataLine: best.nextLine, DataOffset: best.nextOffset,
	}
	s.found("level", string(s.Level), best.levelFrom)
	if named, _, ok := levelAndYearOf(tableName(o)); ok && named != s.Level {
		s.found("level", string(named), nameOf(o)+", overruled")
	}
	first := firstRows(h, s)
	named := rowNames(s.Level, best.cells, o.Mapping, first)
	if named {
		first = withoutFirst(first)
	}
	rows := func(most int) func() [][]string {
		return sync.OnceValue(func() [][]string {
			if named {
				return withoutFirst(sampleRows(h, s, most))
			}
			return sampleRows(h, s, most)
		})
	}
	sample, few := rows(math.MaxInt), rows(fewRows)
	switch {
	case o.Year != 0:
		few = sample // all of them must have that year
	case len(first) >= fewRows:
		few = func() [][]string { return first[:fewRows] }
	}
	yearHeader, err := s.bindColumns(best.cells, sample, few, o.Mapping)
	if err != nil {
		return nil, err
	}
	if err := s.refuseUnnamed(few, o); err != nil {
		return nil, err
	}
	if err := s.inferYear(&best, yearHeader, few, o); err != nil {
		return nil, err
	}
	if err := s.inferBasis(&best, o); err != nil {
		return nil, err
	}
	if err := s.inferRelease(few, o); err != nil {
		return nil, err
	}
	if err := s.inferAuthority(&best, few, o); err != nil {
		return nil, err
	}
	if err := s.inferUnits(&best, few, o); err != nil {
		return nil, err
	}
	if err := s.inferDialect(h, first, sample); err != nil {
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
func (s *Sheet) bindColumns(cells []headerCell, sample, few func() [][]string, m *Mapping) (yearHeader string, err error) {
	transform, err := s.transforms(m)
	if err != nil {
		return "", err
	}
	if m != nil {
		for h, target := range m.Columns {
			if !slices.ContainsFunc(cells, func(c headerCell) bool { return c.raw == h }) {
				return "", fmt.Errorf("%w: the mapping names the header %q, which line %d does not have", egrid.ErrInvalid, h, s.HeaderLine)
			}
			if _, ok := egrid.Lookup(s.Level, target); !ok && target != "" {
				return "", fmt.Errorf("%w: the mapping of %q names %q, which is no column of %s", egrid.ErrInvalid, h, target, s.Level)
			}
		}
	}
	claims, repeated, err := s.claims(cells, few, m)
	if err != nil {
		return "", err
	}
	var fields []egrid.Field
	used := map[egrid.Column]bool{}
	for _, f := range claims {
		used[f.Column] = true
	}
	for i, cell := range cells {
		f, known := claims[i]
		col := SheetColumn{Header: cell.code}
		switch {
		case m != nil && mappedAway(m, cell.raw), repeatsContext(cell.code, i, few):
			// left out: the mapping says so, or our own export repeats the snapshot there
		case known && f.Column == egrid.Year:
			col.Column, yearHeader = egrid.Year, cell.code
		case known:
			if col.Column, col.Transform = f.Column, transform[f.Column]; slices.Contains(s.byName, i) && col.Transform == "" {
				col.Transform = stateName
			}
			fields = append(fields, f)
		case isContext(cell.code, egrid.EditionAuthority):
			// left out: inferAuthority reads it
		case isContext(cell.code, egrid.RoundedColumns) && s.namesColumns(few(), i):
			col.Rounds = true
		case i == 0 && isIndex(cell.code, sample):
			s.found("row_names", "left out", fmt.Sprintf("running numbers in the first column, %q", cell.code))
		case repeated[i] != "":
			col.Repeats = repeated[i]
		case cell.code == "" && !anyValue(sample(), i):
			// an empty column, as spreadsheets write in front of a table
		default:
			name := egrid.Column(cmp.Or(cell.code, fmt.Sprintf("column_%d", i+1)))
			for n := 2; used[name] || egrid.IsContext(name) || egrid.IsMark(name) || isColumn(s.Level, name); n++ {
				name = egrid.Column(fmt.Sprintf("%s_%d", cmp.Or(cell.code, "column"), n))
			}
			col.Column, used[name] = name, true
			fields = append(fields, egrid.Field{Level: s.Level, Column: name, Type: egrid.Text})
		}
		s.Cells = append(s.Cells, col)
	}
	if s.Schema, err = egrid.NewSchema(fields...); err != nil {
		return "", err
	}
	return yearHeader, s.leaveOutTwins(claims, few)
}

// repeatsContext reports whether a column is the level or the release that our own
// exports repeat in every row. Such a header above other texts is somebody's own;
// notes and totals below the table do not make it one.
func repeatsContext(header string, at int, sample func() [][]string) bool {
	var fits func(text string) bool
	switch {
	case isContext(header, egrid.LevelColumn):
		fits = func(text string) bool { _, err := egrid.ParseLevel(text); return err == nil || cell.Missing(text) }
	case isContext(header, egrid.ReleaseColumn):
		fits = func(text string) bool { _, known := releaseOf(text); return known }
	default:
		return false
	}
	balance := 0
	for _, row := range sample() {
		switch {
		case at >= len(row):
		case fits(row[at]):
			balance++
		default:
			balance--
		}
	}
	return balance >= 0
}

// isContext reports whether a header names a context column, by its name or its
// code, which are the same letters.
func isContext(header string, c egrid.Column) bool { return strings.EqualFold(header, string(c)) }

// isColumn reports whether the dictionary has a column of the name.
func isColumn(level egrid.Level, name egrid.Column) bool {
	f, ok := egrid.Lookup(level, string(name))
	return ok && f.Column == name
}

// leaveOutTwins leaves out the columns that repeat others in another unit, and
// lists the unknown ones that stay.
func (s *Sheet) leaveOutTwins(claims map[int]egrid.Field, sample func() [][]string) error {
	var fields []egrid.Field
	for i, c := range s.Cells {
		at := s.Schema.Index(c.Column)
		if _, known := claims[i]; at >= 0 && !known {
			if _, is := s.twin(i, sample); is {
				s.Cells[i].Column = ""
				continue
			}
			s.Unknown = append(s.Unknown, c.Column)
		}
		if at >= 0 {
			fields = append(fields, s.Schema.Field(at))
		}
	}
	var err error
	s.Schema, err = egrid.NewSchema(fields...)
	return err
}

// claims decides which cell names which field. Where several name one, a mapping
// comes before EPA's code, the code before our name, and that before an alias;
// one that has the same texts repeats the other.
func (s *Sheet) claims(cells []headerCell, sample func() [][]string, m *Mapping) (claims map[int]egrid.Field, repeated map[int]egrid.Column, err error) {
	claims, repeated = map[int]egrid.Field{}, map[int]egrid.Column{}
	taken := map[egrid.Column]int{}
	for i, cell := range cells {
		f, known := lookupHeader(s.Level, cell, m)
		if !known {
			continue
		}
		named := f.Column == egrid.State && !abbreviations(sample, i) && s.namesStates(cells, sample, i, m)
		if named {
			s.byName = append(s.byName, i)
		}
		if f.Column == egrid.State && rank(f, cell, m) == 2 && !named && !abbreviations(sample, i) {
			s.found("column", cell.code, "its values are no postal abbreviations, so it is not "+f.Code)
			if s.Level == egrid.ST && !slices.ContainsFunc(cells, func(c headerCell) bool { return strings.EqualFold(c.code, f.Code) }) {
				return nil, nil, fmt.Errorf("%w: column %s holds no postal abbreviations, which identify the rows of %s; put a column %s beside it", egrid.ErrInvalid, cell.code, s.Level, f.Code)
			}
			continue
		}
		if at, again := taken[f.Column]; again {
			if rank(f, cell, m) == 0 && rank(f, cells[at], m) == 0 {
				return nil, nil, fmt.Errorf("%w: the mapping takes two headers for %s, %q in column %d and %q in column %d; leave one of them out, of the file or by \"\" in the mapping", egrid.ErrInvalid, f.Code, cells[at].raw, at+1, cell.raw, i+1)
			}
			if sameTexts(sample(), at, i, columnOf(f)) {
				repeated[i] = f.Column
				continue
			}
			best, other := at, i
			if rank(f, cell, m) < rank(f, cells[at], m) {
				best, other = i, at
			}
			s.found("column", f.Code, fmt.Sprintf("column %s; column %s means it too, and is kept under its own name", cells[best].code, cells[other].code))
			delete(claims, other)
			if best == at {
				continue
			}
		}
		claims[i], taken[f.Column] = f, i
	}
	return claims, repeated, nil
}

// rank is how well a cell names a field; the least is best.
func rank(f egrid.Field, c headerCell, m *Mapping) int {
	switch {
	case m != nil && m.Columns[c.raw] != "":
		return 0
	case strings.EqualFold(c.code, f.Code), f.Column == egrid.Sequence && sequenceYear.MatchString(c.code):
		return 1
	case strings.EqualFold(c.code, string(f.Column)):
		return 2
	}
	return 3
}

// abbreviations reports whether a column may hold postal abbreviations.
func abbreviations(sample func() [][]string, i int) bool {
	longer, two := 0, 0
	for _, row := range sample() {
		if i < len(row) && !cell.Missing(row[i]) {
			switch n := len(strings.TrimSpace(row[i])); {
			case n > 2:
				longer++
			case n == 2:
				two++
			}
		}
	}
	return two >= longer
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
		if c.Unit != "" {
			f, ok := t.measure(c)
			if _, converts := conversions[[2]string{c.Unit, f.Unit}]; !ok || !converts {
				return fmt.Errorf("%w: the sheet's cell %q is in %q, which is not known", egrid.ErrInvalid, c.Header, c.Unit)
			}
		}
		if c.Column != "" && c.Column != egrid.Year && !t.Schema.Has(c.Column) {
			return fmt.Errorf("%w: the sheet's cell %q names the column %s, which its schema lacks", egrid.ErrInvalid, c.Header, c.Column)
		}
	}
	*s = t
	return nil
}
