package egrid

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ReaderOptions says what a file itself may not. The zero value infers
// everything.
type ReaderOptions struct {
	Name    string   // object name or path, for inference and messages
	Sheet   string   // member of a zip or sheet of a workbook; empty for a plain file
	Level   Level    // empty: recognised by the columns
	Year    int      // 0: inferred; used only where neither the rows nor a column name give the data year
	Release string   // empty: from the file name; NoRelease forces the unmarked one
	Mapping *Mapping // for files whose headers are nobody's codes
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
	Name        string        `json:"name"`      // member of a zip or sheet of a workbook
	Level       Level         `json:"level"`     //
	LevelFrom   string        `json:"from"`      // what the level was inferred from
	Year        int           `json:"year"`      // 0 when every row gives its own
	YearFrom    string        `json:"year_from"` //
	Release     string        `json:"release"`
	ReleaseFrom string        `json:"release_from"`
	Schema      *Schema       `json:"schema"`      // of the decoded rows; the data year is not in it
	Unknown     []Column      `json:"unknown"`     // columns kept under their own header
	ShareScale  float64       `json:"share_scale"` // what the file's 1 stands for in a share: 1, or 0.01 where it holds percent
	Delimiter   string        `json:"delimiter"`
	HeaderLine  int64         `json:"header_line"` // line of the code row, from 1
	DataLine    int64         `json:"data_line"`   // line of the first record below it
	DataOffset  int64         `json:"data_offset"` // byte offset of that record
	Cells       []SheetColumn `json:"cells"`       // the header row
}

// SheetColumn is one cell of the header row and what becomes of its column.
type SheetColumn struct {
	Header    string `json:"header"`
	Column    Column `json:"column,omitempty"`    // empty: left out
	Transform string `json:"transform,omitempty"` // see Mapping
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
		Name: o.Sheet, Level: best.level, LevelFrom: best.levelFrom, ShareScale: 1, Delimiter: string(best.delim),
		HeaderLine: best.line, DataLine: best.nextLine, DataOffset: best.nextOffset,
	}
	sample := sync.OnceValue(func() [][]string { return sampleRows(head, more, s) })
	yearHeader, err := s.bindColumns(best.cells, sample, o.Mapping)
	if err != nil {
		return nil, err
	}
	if err := s.inferEdition(yearHeader, o); err != nil {
		return nil, err
	}
	s.inferShareScale(sample)
	return s, nil
}

func notCSV(head []byte) error {
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case len(head) == 0:
		return fmt.Errorf("%w: the file is empty", ErrInvalid)
	case is("PK\x03\x04"):
		return fmt.Errorf("%w: the file is a zip archive or an XLSX workbook; save its sheets as CSV", ErrInvalid)
	case is("\xd0\xcf\x11\xe0"):
		return fmt.Errorf("%w: the file is an XLS workbook; save its sheets as CSV", ErrInvalid)
	case is("\x1f\x8b"):
		return fmt.Errorf("%w: the file is gzip-compressed; name it .csv.gz", ErrInvalid)
	case is("\xff\xfe"), is("\xfe\xff"):
		return fmt.Errorf("%w: the file is UTF-16 text; save it as UTF-8 CSV", ErrInvalid)
	case bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0:
		return fmt.Errorf("%w: the file ends its lines with carriage returns alone; save it with line feeds", ErrInvalid)
	case bytes.IndexByte(head, 0) >= 0:
		return fmt.Errorf("%w: the file is not text: it has a NUL byte", ErrInvalid)
	}
	return nil
}

// header is a candidate for the code row.
type header struct {
	cells                []string
	level                Level
	levelFrom            string
	known, filled        int
	delim                byte
	line                 int64
	nextLine, nextOffset int64
}

// fits reports whether most of the header's cells are known.
func (h header) fits() bool { return h.known >= 2 && h.known*2 >= h.filled }

const byteOrderMark = "\ufeff"

// findHeader looks for the record most of whose cells are codes of one level.
func findHeader(head []byte, o *ReaderOptions) (header, error) {
	delims := []byte{',', '\t', ';', '|'}
	skip := 0
	if o.Mapping != nil {
		skip = o.Mapping.SkipRows
		if d := o.Mapping.Delimiter; d != "" {
			if len(d) != 1 || strings.ContainsAny(d, "\"\r\n") {
				return header{}, fmt.Errorf("%w: delimiter %q is not one character", ErrInvalid, d)
			}
			delims = []byte{d[0]}
		}
	}
	var best header
	var tied []Level
	for _, delim := range delims {
		split := newSplitter(bytes.NewReader(head), delim, 0, 1)
		rows := headerRows
		for i := 0; i < rows; i++ {
			rec, err := split.next()
			if err != nil {
				break
			}
			if i < skip {
				continue
			}
			cells, err := splitFields(nil, strings.TrimPrefix(string(rec.raw), byteOrderMark), delim)
			if err != nil {
				continue
			}
			h := header{cells: cells, delim: delim, line: rec.line, nextLine: split.line, nextOffset: split.offset}
			levels := h.score(o)
			if h.known > best.known {
				best, tied = h, levels
				if best.fits() {
					rows = min(rows, i+3) // a description row may fit by chance; the code row is next to it
				}
			}
			if o.Mapping != nil && len(o.Mapping.Columns) > 0 && skip > 0 {
				break // skip_rows says where the header is
			}
		}
		if best.fits() {
			break
		}
	}
	return best.check(tied, o)
}

// score counts the known cells for the level that knows most of them, and
// returns the levels that know equally many.
func (h *header) score(o *ReaderOptions) []Level {
	levels := Levels()
	if o.Level != "" {
		levels = []Level{o.Level}
	}
	var tied []Level
	for _, c := range h.cells {
		if strings.TrimSpace(c) != "" {
			h.filled++
		}
	}
	for _, level := range levels {
		known := 0
		met := map[Column]bool{}
		for _, c := range h.cells {
			if f, ok := lookupHeader(level, c, o.Mapping); ok && !met[f.Column] {
				met[f.Column] = true
				known++
			}
		}
		switch {
		case known > h.known:
			h.known, h.level, tied = known, level, []Level{level}
		case known == h.known && known > 0:
			tied = append(tied, level)
		}
	}
	return tied
}

func lookupHeader(level Level, cell string, m *Mapping) (Field, bool) {
	cell = strings.TrimSpace(cell)
	if m != nil {
		if target, ok := m.Columns[cell]; ok {
			return Lookup(level, target)
		}
	}
	if cell == "" {
		return Field{}, false
	}
	return Lookup(level, cell)
}

func (h header) check(tied []Level, o *ReaderOptions) (header, error) {
	mapped := o.Mapping != nil && len(o.Mapping.Columns) > 0
	if h.known < 2 || !mapped && !h.fits() {
		if h.known == 0 {
			return h, fmt.Errorf("%w: not an eGRID sheet: no header row with eGRID's column codes in the first %d rows; map the headers with an etl.json", ErrInvalid, headerRows)
		}
		var unknown []string
		for _, c := range h.cells {
			if _, ok := lookupHeader(h.level, c, o.Mapping); !ok && strings.TrimSpace(c) != "" {
				unknown = append(unknown, strings.TrimSpace(c))
			}
		}
		return h, fmt.Errorf("%w: not an eGRID sheet: line %d has %d of %d headers that %s knows; map the others with an etl.json (%s)",
			ErrInvalid, h.line, h.known, h.filled, h.level, shorten(strings.Join(unknown, ", "), 200))
	}
	h.levelFrom = "columns"
	if o.Level != "" {
		h.levelFrom = "given"
		return h, nil
	}
	if len(tied) > 1 {
		named, _, _ := levelAndYearOf(cmp.Or(o.Sheet, path.Base(o.Name)))
		if !slices.Contains(tied, named) {
			return h, fmt.Errorf("%w: line %d fits the levels %s alike; give --level", ErrInvalid, h.line, strings.Trim(fmt.Sprint(tied), "[]"))
		}
		h.level, h.levelFrom = named, "file name"
	}
	return h, nil
}

// sampleRows reads the records of the head below the header row.
func sampleRows(head []byte, more bool, s *Sheet) [][]string {
	var rows [][]string
	split := newSplitter(bytes.NewReader(head[s.DataOffset:]), s.Delimiter[0], s.DataOffset, s.DataLine)
	for {
		rec, err := split.next()
		if err != nil || more && split.eof && split.start == len(split.buf) {
			return rows // the last record of a cut head may be cut too
		}
		if cells, err := splitFields(nil, string(rec.raw), s.Delimiter[0]); err == nil {
			rows = append(rows, cells)
		}
	}
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
				return "", fmt.Errorf("%w: the mapping names the header %q, which line %d does not have", ErrInvalid, h, s.HeaderLine)
			}
			if _, ok := Lookup(s.Level, target); !ok && target != "" {
				return "", fmt.Errorf("%w: the mapping of %q names %q, which is no column of %s", ErrInvalid, h, target, s.Level)
			}
		}
	}
	var fields []Field
	used := map[Column]bool{}
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		f, known := lookupHeader(s.Level, cell, m)
		col := SheetColumn{Header: cell}
		switch {
		case !known && m != nil && mappedAway(m, cell), IsContext(Column(cell)) && Column(cell) != Year:
			// left out: the mapping says so, or our own export repeats the snapshot there
		case known && f.Column == Year && yearHeader == "":
			col.Column, yearHeader = Year, cell
		case known && !used[f.Column] && f.Column != Year:
			col.Column, col.Transform = f.Column, transform[f.Column]
			fields = append(fields, f)
		case cell == "" && !anyValue(sample(), i):
			// an empty column, as spreadsheets write in front of a table
		default:
			name := Column(cmp.Or(cell, fmt.Sprintf("column_%d", i+1)))
			for n := 2; used[name] || IsContext(name); n++ {
				name = Column(fmt.Sprintf("%s_%d", cmp.Or(cell, "column"), n))
			}
			col.Column = name
			fields = append(fields, Field{Level: s.Level, Column: name, Type: Text})
			s.Unknown = append(s.Unknown, name)
		}
		used[col.Column] = true
		s.Cells = append(s.Cells, col)
	}
	s.Schema, err = NewSchema(fields...)
	return yearHeader, err
}

func mappedAway(m *Mapping, cell string) bool {
	target, ok := m.Columns[cell]
	return ok && target == ""
}

func anyValue(sample [][]string, i int) bool {
	return slices.ContainsFunc(sample, func(row []string) bool { return i < len(row) && strings.TrimSpace(row[i]) != "" })
}

func (s *Sheet) transforms(m *Mapping) (map[Column]string, error) {
	if m == nil {
		return nil, nil
	}
	out := map[Column]string{}
	for name, t := range m.Transform {
		f, ok := Lookup(s.Level, name)
		if !ok {
			return nil, fmt.Errorf("%w: the mapping transforms %q, which is no column of %s", ErrInvalid, name, s.Level)
		}
		switch t {
		case "divide_by_100", "negate":
			if f.Type != Number {
				return nil, fmt.Errorf("%w: the mapping applies %s to %s, which is of type %s", ErrInvalid, t, f.Column, f.Type)
			}
		case "trim", "upper":
		default:
			if !strings.HasPrefix(t, "null_if:") {
				return nil, fmt.Errorf("%w: transformation %q of %q is not divide_by_100, negate, trim, upper or null_if:X", ErrInvalid, t, name)
			}
		}
		out[f.Column] = t
	}
	return out, nil
}

var (
	sequenceYear = regexp.MustCompile(`(?i)^SEQ[A-Z]+(\d{2})$`)
	levelYear    = regexp.MustCompile(`(?i)(?:^|[^A-Za-z])(UNT|GEN|PLNT|ST|BA|SRL|NRL|US|GGL|DEMO)[_-]?(\d{2})(?:\D|$)`)
	digits       = regexp.MustCompile(`\d+`)
	releaseMark  = regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])((?:v|rev)\d{1,3})(?:[^A-Za-z0-9]|$)`)
)

// century completes a two-digit year: eGRID starts with data year 1996.
func century(yy string) int {
	n, _ := strconv.Atoi(yy) // two digits
	if n >= FirstYear%100 {
		return 1900 + n
	}
	return 2000 + n
}

func levelAndYearOf(name string) (Level, int, bool) {
	if m := levelYear.FindStringSubmatch(name); m != nil {
		return Level(strings.ToUpper(m[1])), century(m[2]), true
	}
	return "", 0, false
}

func (s *Sheet) inferEdition(yearHeader string, o *ReaderOptions) error {
	s.Year, s.YearFrom = inferYear(s.Cells, yearHeader, o)
	if s.YearFrom == "" {
		return fmt.Errorf("%w: nothing tells the data year: no year column, no year in the sequence column, the file name or the folder; give --year", ErrInvalid)
	}
	if s.Year != 0 {
		if err := CheckYear(s.Year); err != nil {
			return err
		}
	}
	var err error
	switch {
	case o.Release != "":
		s.ReleaseFrom = "given"
		s.Release, err = ParseRelease(o.Release)
	default:
		for _, name := range []string{o.Sheet, path.Base(o.Name)} {
			if m := releaseMark.FindStringSubmatch(name); m != nil && s.ReleaseFrom == "" {
				s.ReleaseFrom = "file name"
				s.Release, err = ParseRelease(m[1])
			}
		}
	}
	return err
}

func inferYear(cells []SheetColumn, yearHeader string, o *ReaderOptions) (year int, from string) {
	if yearHeader != "" {
		return 0, "column " + yearHeader
	}
	for _, c := range cells {
		if m := sequenceYear.FindStringSubmatch(c.Header); m != nil {
			return century(m[1]), "column " + c.Header
		}
	}
	if _, y, ok := levelAndYearOf(o.Sheet); ok {
		return y, "sheet " + o.Sheet
	}
	if o.Year != 0 {
		return o.Year, "given"
	}
	name := strings.ReplaceAll(o.Name, "\\", "/")
	if _, y, ok := levelAndYearOf(path.Base(name)); ok {
		return y, "file name " + path.Base(name)
	}
	for dir, what := name, "file name "; ; dir, what = path.Dir(dir), "folder " {
		base := path.Base(dir)
		if base == "." || base == "/" {
			return 0, ""
		}
		if y, ok := onlyYear(base); ok {
			return y, what + base
		}
	}
}

// onlyYear finds the four-digit year in a name; two years tell nothing.
func onlyYear(name string) (year int, ok bool) {
	for _, d := range digits.FindAllString(name, -1) {
		n, err := strconv.Atoi(d)
		if err != nil || len(d) != 4 || CheckYear(n) != nil {
			continue
		}
		if year != 0 && year != n {
			return 0, false
		}
		year = n
	}
	return year, year != 0
}

// inferShareScale decides from the values whether the sheet holds shares as
// 0-1 or as percent, as EPA's workbooks did up to 2016 and its exports of 2018
// and 2019 do.
func (s *Sheet) inferShareScale(sample func() [][]string) {
	var mix, shares []int
	for i, c := range s.Cells {
		if j := s.Schema.Index(c.Column); j < 0 || !isShare(s.Schema.fields[j]) || c.Transform == "divide_by_100" {
			continue
		}
		shares = append(shares, i)
		if slices.Contains(fuelShares, c.Column) {
			mix = append(mix, i)
		}
	}
	if len(shares) == 0 {
		return
	}
	fraction, percent := 0, 0
	for _, row := range sample() {
		sum, largest := 0.0, 0.0
		for _, i := range shares {
			if i >= len(row) || strings.Contains(row[i], "%") {
				continue
			}
			v, _ := ParseValue(Number, row[i])
			x, _ := v.Float()
			largest = max(largest, math.Abs(x))
			if slices.Contains(mix, i) {
				sum += x
			}
		}
		switch {
		case sum > 50 || len(mix) < 3 && largest > 1.5:
			percent++
		case sum > 0.5 || len(mix) < 3 && largest > 0:
			fraction++
		}
	}
	if percent > fraction {
		s.ShareScale = 0.01
	}
}

// isShare reports whether a field holds a part of a whole, which files give as
// a fraction or in percent.
func isShare(f Field) bool { return f.Unit == "fraction" }

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

// Span is a run of whole records of a sheet: what one worker decodes.
type Span struct {
	Index  int   `json:"index"`  // from 0
	Offset int64 `json:"offset"` // byte offset in the file
	Length int64 `json:"length"` // bytes
	Line   int64 `json:"line"`   // line of the file where it starts
	Row    int64 `json:"row"`    // number of its first record
	Rows   int64 `json:"rows"`   // records, blank ones left out
	Blank  int64 `json:"blank"`  // records without any value
}

// Divide cuts a sheet into spans of about size bytes, never inside a record.
// r is the whole file from its first byte. It reads ahead of the caller by one
// buffer only, and looks at quotes and line ends alone, so it is fast.
func (s *Sheet) Divide(r io.Reader, size int64) iter.Seq2[Span, error] {
	return func(yield func(Span, error) bool) {
		if _, err := io.CopyN(io.Discard, r, s.DataOffset); err != nil {
			yield(Span{}, unexpectedEnd(err))
			return
		}
		delim := s.Delimiter[0]
		split := newSplitter(r, delim, s.DataOffset, s.DataLine)
		span := Span{Offset: s.DataOffset, Line: s.DataLine, Row: 1}
		for {
			rec, err := split.next()
			if err != nil && err != io.EOF {
				yield(span, err)
				return
			}
			if err == nil {
				if rec.open && rec.lines > 1 {
					yield(span, errUnclosed(rec))
					return
				}
				span.Length += rec.size
				if rec.blank(delim) {
					span.Blank++
				} else {
					span.Rows++
				}
			}
			if err == io.EOF || span.Length >= size {
				if span.Length > 0 && !yield(span, nil) || err == io.EOF {
					return
				}
				span = Span{Index: span.Index + 1, Offset: split.offset, Line: split.line, Row: span.Row + span.Rows}
			}
		}
	}
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file is shorter than when it was inspected: %w", ErrInvalid, io.ErrUnexpectedEOF)
	}
	return err
}

func errUnclosed(rec record) error {
	return fmt.Errorf("%w: line %d: a quoted field of this record is never closed and takes in the %d lines to the end of the file; close the quote, or complete the file if it was cut", ErrInvalid, rec.line, rec.lines)
}

// UnmarshalJSON checks what a stage of another process hands over.
func (s *Sheet) UnmarshalJSON(b []byte) error {
	type plain Sheet
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	t := Sheet(p)
	if _, err := ParseLevel(string(t.Level)); err != nil {
		return err
	}
	if t.Schema == nil || len(t.Delimiter) != 1 || t.ShareScale <= 0 || t.DataOffset < 0 {
		return fmt.Errorf("%w: a sheet needs a schema, a delimiter, a share scale and a data offset", ErrInvalid)
	}
	for _, c := range t.Cells {
		if c.Column != "" && c.Column != Year && !t.Schema.Has(c.Column) {
			return fmt.Errorf("%w: the sheet's cell %q names the column %s, which its schema lacks", ErrInvalid, c.Header, c.Column)
		}
	}
	*s = t
	return nil
}
