// Package jsonrows makes CSV text of rows that are JSON objects: one on each line
// (NDJSON, JSON Lines), or the elements of one array.
//
//	if jsonrows.Are(head) {
//		text, err := jsonrows.Open(open)
//	}
//
// # Guarantees
//
// The header has the names of all members of all objects, each behind the one that
// it stands behind where it first occurs, and every object becomes one record. So
// columns are in their places although R leaves out members that are missing. Numbers keep their digits
// as written; true and false are what they are; strings are in quotes, so that "NA"
// is told from a missing cell; null, and a member that an object lacks, is a cell
// with nothing in it. No value is left out: what has no cell is refused.
//
// Record n+1 belongs to the object that begins in line n, and blank records stand
// for the lines in which none begins. Only behind several objects on a line of an
// array they count on by one for each.
//
// The objects are read twice, the names first. Memory does not grow with their
// number.
//
// # Errors
//
// All wrap [egrid.ErrInvalid] and name the line, but those of the reader below,
// which come as they are.
package jsonrows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Are reports whether a file that begins so holds objects, or an array of them.
func Are(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte(byteOrderMark))
	head = bytes.TrimLeft(head, blanks)
	if rest, array := bytes.CutPrefix(head, []byte("[")); array {
		return bytes.HasPrefix(bytes.TrimLeft(rest, blanks), []byte("{"))
	}
	rest, object := bytes.CutPrefix(head, []byte("{"))
	rest = bytes.TrimLeft(rest, blanks)
	return object && len(rest) > 0 && (rest[0] == '"' || rest[0] == '}')
}

// Open reads the names of the members of all objects, and returns the text. What
// open opens has to be the same each time.
func Open(open func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	h := &header{index: map[string]int{}}
	from, err := open()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(h.read(from), from.Close()); err != nil {
		return nil, err
	}
	if from, err = open(); err != nil {
		return nil, err
	}
	t := &text{Closer: from, header: h, rows: newScanner(from), cells: make([]value, len(h.names)), line: 1}
	t.out = h.append(nil)
	return t, nil
}

// header is the names of the members.
type header struct {
	names [][]byte // as written
	index map[string]int
	order []int // the places of the columns' names
	bytes int   // of the names
}

// Bounds on the names: the columns of a spreadsheet, and half of the text in which
// package sheet looks for the header.
const (
	maxNames     = 16384
	maxNameBytes = 512 << 10
)

// read reads all objects.
func (h *header) read(from io.Reader) error {
	rows := newScanner(from)
	var met occurrences
	for {
		switch err := rows.next(); {
		case err == io.EOF && len(h.names) == 0:
			return fmt.Errorf("%w: its objects have no members", egrid.ErrInvalid)
		case err == io.EOF:
			h.sort()
			return nil
		case err != nil:
			return err
		}
		met.nextRow()
		at := -1
		for _, m := range rows.members {
			before := at
			var known bool
			if at, known = h.find(before+1, m.name); !known {
				at = h.add(m.name, before)
			}
			if len(h.names) > maxNames || h.bytes > maxNameBytes {
				return rows.refuse(m, fmt.Sprintf("the objects have more than %d different members, or names of more than %d KiB; columns belong into names, and values into rows", maxNames, maxNameBytes>>10))
			}
			if met.again(at) {
				return rows.refuse(m, "the object has the member twice; leave one of them out")
			}
		}
	}
}

// find finds the place of a name, which is most often the likely one.
func (h *header) find(likely int, name []byte) (at int, known bool) {
	if likely < len(h.names) && bytes.Equal(h.names[likely], name) {
		return likely, true
	}
	if at, known = h.index[string(name)]; known {
		return at, true
	}
	at, known = h.index[string(unescaped(name))]
	return at, known
}

// add adds the column of a name behind the one of the name at before, or in front
// of all.
func (h *header) add(name []byte, before int) (at int) {
	at = len(h.names)
	h.order = slices.Insert(h.order, slices.Index(h.order, before)+1, at)
	h.names = append(h.names, bytes.Clone(name))
	h.index[string(unescaped(name))] = at
	h.bytes += len(name)
	return at
}

// sort brings the names into the order of the columns.
func (h *header) sort() {
	names := make([][]byte, len(h.names))
	for column, at := range h.order {
		names[column] = h.names[at]
		h.index[string(unescaped(names[column]))] = column
	}
	h.names = names
}

// append writes the header record.
func (h *header) append(dst []byte) []byte {
	for i, name := range h.names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = egrid.AppendCSVCell(dst, string(unescaped(name)), len(h.names) == 1)
	}
	return append(dst, '\n')
}

// occurrences tells which columns an object has already.
type occurrences struct {
	row uint64
	of  []uint64 // the last row that had the column
}

func (o *occurrences) nextRow() { o.row++ }

func (o *occurrences) again(at int) bool {
	for at >= len(o.of) {
		o.of = append(o.of, 0)
	}
	was := o.of[at]
	o.of[at] = o.row
	return was == o.row
}

// text is the CSV text.
type text struct {
	io.Closer
	header *header
	rows   *scanner
	cells  []value // of the object at hand
	line   int64   // that the next record stands for
	out    []byte  // written and not read yet
	read   int     // of out
	err    error   // what comes behind out
}

// Read implements io.Reader.
func (t *text) Read(p []byte) (int, error) {
	const enough = 64 << 10
	if t.read == len(t.out) {
		t.out, t.read = t.out[:0], 0
	}
	for t.err == nil && len(t.out) < enough && t.read == 0 {
		t.err = t.record()
	}
	n := copy(p, t.out[t.read:])
	if t.read += n; n == 0 && len(p) > 0 {
		return 0, t.err
	}
	return n, nil
}

// record writes one object.
func (t *text) record() error {
	if err := t.rows.next(); err != nil {
		return err
	}
	for ; t.line < t.rows.line; t.line++ {
		t.out = append(t.out, '\n')
	}
	t.line++
	clear(t.cells)
	at := -1
	for _, m := range t.rows.members {
		var known bool
		if at, known = t.header.find(at+1, m.name); !known {
			return fmt.Errorf("%w: line %d: the file changed while it was being read", egrid.ErrInvalid, t.rows.line)
		}
		t.cells[at] = m.value
	}
	for i := range t.cells {
		if i > 0 {
			t.out = append(t.out, ',')
		}
		t.out = t.cells[i].append(t.out, len(t.cells) == 1)
	}
	t.out = append(t.out, '\n')
	return nil
}
