package sheet

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func notCSV(head []byte) error {
	is := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case len(head) == 0:
		return fmt.Errorf("%w: the file is empty", egrid.ErrInvalid)
	case is("PK\x03\x04"):
		return fmt.Errorf("%w: the file is a zip archive or an XLSX workbook; open it with package book, or save its sheets as CSV", egrid.ErrInvalid)
	case is("\xd0\xcf\x11\xe0"):
		return fmt.Errorf("%w: the file is an XLS workbook; open it with package book, or save its sheets as CSV", egrid.ErrInvalid)
	case is("\x1f\x8b"):
		return fmt.Errorf("%w: the file is gzip-compressed; open it with package book, or decompress it", egrid.ErrInvalid)
	case is("\xff\xfe"), is("\xfe\xff"):
		return fmt.Errorf("%w: the file is UTF-16 text; open it with package book, or save it as UTF-8 CSV", egrid.ErrInvalid)
	case bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0:
		return fmt.Errorf("%w: the file ends its lines with carriage returns alone; save it with line feeds", egrid.ErrInvalid)
	case bytes.IndexByte(head, 0) >= 0:
		return fmt.Errorf("%w: the file is not text: it has a NUL byte", egrid.ErrInvalid)
	}
	return nil
}

// header is a candidate for the code row.
type header struct {
	cells                []string
	level                egrid.Level
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
	if o.Grid {
		delims = delims[:1]
	}
	skip := 0
	if o.Mapping != nil {
		skip = o.Mapping.SkipRows
		if d := o.Mapping.Delimiter; d != "" {
			if len(d) != 1 || strings.ContainsAny(d, "\"\r\n") {
				return header{}, fmt.Errorf("%w: delimiter %q is not one character", egrid.ErrInvalid, d)
			}
			delims = []byte{d[0]}
		}
	}
	var best header
	var tied []egrid.Level
	for _, delim := range delims {
		split := newSplitter(bytes.NewReader(head), delim, 0, 1)
		split.grid = o.Grid
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
func (h *header) score(o *ReaderOptions) []egrid.Level {
	levels := egrid.Levels()
	if o.Level != "" {
		levels = []egrid.Level{o.Level}
	}
	var tied []egrid.Level
	for _, c := range h.cells {
		if strings.TrimSpace(c) != "" {
			h.filled++
		}
	}
	for _, level := range levels {
		known := 0
		met := map[egrid.Column]bool{}
		for _, c := range h.cells {
			if f, ok := lookupHeader(level, c, o.Mapping); ok && !met[f.Column] {
				met[f.Column] = true
				known++
			}
		}
		switch {
		case known > h.known:
			h.known, h.level, tied = known, level, []egrid.Level{level}
		case known == h.known && known > 0:
			tied = append(tied, level)
		}
	}
	return tied
}

func lookupHeader(level egrid.Level, cell string, m *Mapping) (egrid.Field, bool) {
	cell = strings.TrimSpace(cell)
	if m != nil {
		if target, ok := m.Columns[cell]; ok {
			return egrid.Lookup(level, target)
		}
	}
	if cell == "" {
		return egrid.Field{}, false
	}
	return egrid.Lookup(level, cell)
}

func (h header) check(tied []egrid.Level, o *ReaderOptions) (header, error) {
	mapped := o.Mapping != nil && len(o.Mapping.Columns) > 0
	if h.known < 2 || !mapped && !h.fits() {
		if h.known == 0 {
			return h, fmt.Errorf("%w: not an eGRID sheet: no header row with eGRID's column codes in the first %d rows; map the headers with an etl.json", egrid.ErrInvalid, headerRows)
		}
		var unknown []string
		for _, c := range h.cells {
			if _, ok := lookupHeader(h.level, c, o.Mapping); !ok && strings.TrimSpace(c) != "" {
				unknown = append(unknown, strings.TrimSpace(c))
			}
		}
		return h, fmt.Errorf("%w: not an eGRID sheet: line %d has %d of %d headers that %s knows; map the others with an etl.json (%s)",
			egrid.ErrInvalid, h.line, h.known, h.filled, h.level, shorten(strings.Join(unknown, ", "), 200))
	}
	h.levelFrom = "columns"
	if o.Level != "" {
		h.levelFrom = "given"
		return h, nil
	}
	if len(tied) > 1 {
		named, _, _ := levelAndYearOf(cmp.Or(o.Sheet, path.Base(o.Name)))
		if !slices.Contains(tied, named) {
			return h, fmt.Errorf("%w: line %d fits the levels %s alike; give --level", egrid.ErrInvalid, h.line, strings.Trim(fmt.Sprint(tied), "[]"))
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
