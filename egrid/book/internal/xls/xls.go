// Package xls reads the workbooks of Excel 97 to 2003 (.xls, BIFF8), in which EPA
// published the editions of 1996 to 2012.
//
//	book, err := xls.Open(file, size)
//	for i, sheet := range book.Sheets() {
//		text, err := book.Open(i) // sheet.Name as CSV text
//	}
//
// # Guarantees
//
// A sheet comes as UTF-8 CSV text (RFC 4180) in which row r of the sheet is record
// r: a row without cells is an empty record, every other one has as many fields
// as the sheet has columns. Cells have their values, never what is displayed: a
// number is the shortest decimal text of its float64, a date the number of its
// day, a formula its last result; booleans are TRUE and FALSE, and an error is its
// text, such as #N/A. Line breaks within a cell are kept, in quotes.
//
// Every length in the file is checked before it is used. Memory holds the
// workbook's texts once and one record, and the cells of a sheet only where they
// do not stand in the order of rows and columns.
//
// # Errors
//
// [egrid.ErrInvalid] for what is no such workbook, is encrypted, of Excel 95 or
// older, or damaged. What the file itself returns comes through as it is.
//
// # See also
//
// Package book opens any file of tables.
package xls

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Workbook is an open workbook. It is safe for concurrent use where its file is.
type Workbook struct {
	file   io.ReaderAt
	size   int64
	sheets []Sheet
	starts []int64 // of the sheets, in the workbook's stream
	texts  texts
}

// Sheet is a worksheet.
type Sheet struct {
	Name   string
	Hidden bool
}

// Open reads the list of sheets and the texts that they share. It borrows the
// file.
func Open(file io.ReaderAt, size int64) (*Workbook, error) {
	w := &Workbook{file: file, size: size}
	s, err := openStream(file, size)
	if err != nil {
		return nil, err
	}
	if err := w.readGlobals(newRecords(s, 0)); err != nil {
		return nil, s.cause(err)
	}
	return w, nil
}

// Sheets lists the worksheets in their order. Charts, macro sheets and modules
// are not among them.
func (w *Workbook) Sheets() []Sheet { return w.sheets }

// Open returns a sheet of [Workbook.Sheets] as CSV text. The caller closes it.
func (w *Workbook) Open(i int) (io.ReadCloser, error) {
	c, err := w.cells(i)
	if err != nil {
		return nil, err
	}
	width, inOrder, err := measure(c)
	if err != nil {
		return nil, err
	}
	if c, err = w.cells(i); err != nil {
		return nil, err
	}
	next := c.next
	if !inOrder {
		if next, err = sorted(c); err != nil {
			return nil, err
		}
	}
	return &csvText{next: next, width: width}, nil
}

// cells returns a reader of the cells of a sheet.
func (w *Workbook) cells(i int) (*cells, error) {
	s, err := openStream(w.file, w.size)
	if err != nil {
		return nil, err
	}
	c := &cells{sheet: w.sheets[i].Name, texts: &w.texts, stream: s}
	start := w.starts[i]
	if start <= 0 || start >= s.Size {
		return nil, c.damaged("it is said to begin behind the workbook's end")
	}
	if _, err := s.Seek(start, io.SeekStart); err != nil {
		return nil, c.wrap(fmt.Errorf("%w: %w", errDamaged, err))
	}
	c.records = newRecords(s, start)
	if err := c.records.next(); err != nil {
		return nil, c.wrap(err)
	}
	if c.kind != recordBOF {
		return nil, c.damaged("no sheet begins where it is said to begin")
	}
	return c, nil
}

// The records that are read.
const (
	recordFormula    = 0x0006
	recordBOF2       = 0x0009
	recordEOF        = 0x000A
	recordFilePass   = 0x002F
	recordContinue   = 0x003C
	recordBoundSheet = 0x0085
	recordMulRK      = 0x00BD
	recordRString    = 0x00D6
	recordSST        = 0x00FC
	recordLabelSST   = 0x00FD
	recordNumber     = 0x0203
	recordLabel      = 0x0204
	recordBoolErr    = 0x0205
	recordString     = 0x0207
	recordBOF3       = 0x0209
	recordRK         = 0x027E
	recordBOF4       = 0x0409
	recordBOF        = 0x0809
)

const (
	biff8     = 0x0600 // the version in the BOF record
	maxSheets = 1000   // that are read of a workbook
)

var (
	errDamaged   = fmt.Errorf("%w: the workbook is damaged; fetch it again", egrid.ErrInvalid)
	errEncrypted = fmt.Errorf("%w: the workbook is encrypted; save it without a password", egrid.ErrInvalid)
	errOld       = fmt.Errorf("%w: a workbook of Excel 95 or older; open it in a spreadsheet and save it as .xlsx", egrid.ErrInvalid)
)

// readGlobals reads the part of the stream that is about the whole workbook.
func (w *Workbook) readGlobals(r *records) error {
	if err := r.next(); err != nil {
		return err
	}
	switch {
	case r.kind == recordBOF2 || r.kind == recordBOF3 || r.kind == recordBOF4,
		r.kind == recordBOF && len(r.body) >= 2 && binary.LittleEndian.Uint16(r.body) < biff8:
		return errOld
	case r.kind != recordBOF:
		return errDamaged
	}
	for {
		if err := r.next(); err != nil {
			return err
		}
		switch r.kind {
		case recordFilePass:
			return errEncrypted
		case recordBoundSheet:
			if err := w.addSheet(r); err != nil {
				return err
			}
		case recordSST:
			if err := w.texts.read(r); err != nil {
				return err
			}
		case recordEOF:
			return nil
		}
	}
}

// addSheet reads a BOUNDSHEET record: the place, the state, the kind and the name
// of a sheet.
func (w *Workbook) addSheet(r *records) error {
	b, err := r.take(7)
	if err != nil {
		return err
	}
	start, hidden, worksheet, length := int64(binary.LittleEndian.Uint32(b)), b[4]&3 != 0, b[5] == 0, int(b[6])
	if !worksheet {
		return nil
	}
	if len(w.sheets) == maxSheets {
		return fmt.Errorf("%w: the workbook has more than %d sheets; save those that matter in another one", egrid.ErrInvalid, maxSheets)
	}
	flags, err := r.take(1)
	if err != nil {
		return err
	}
	units, err := r.chars(length, flags[0]&wide != 0)
	if err != nil {
		return err
	}
	w.sheets = append(w.sheets, Sheet{Name: string(appendUTF8(nil, units)), Hidden: hidden})
	w.starts = append(w.starts, start)
	return nil
}

// records reads the records of a stream, one after the other.
type records struct {
	r    *bufio.Reader
	at   int64 // of the next record in the stream
	kind uint16
	body []byte // what is unread of the record; valid until the next one
	head [4]byte
	buf  []byte
	unit []uint16
}

func newRecords(r io.Reader, at int64) *records {
	return &records{r: bufio.NewReaderSize(r, 32<<10), at: at, buf: make([]byte, math.MaxUint16)}
}

// next goes to the next record. A stream ends behind its last record only, never
// before, so its end is an error.
func (r *records) next() error {
	if _, err := io.ReadFull(r.r, r.head[:]); err != nil {
		return r.ended(err)
	}
	r.kind, r.body = binary.LittleEndian.Uint16(r.head[:]), r.buf[:binary.LittleEndian.Uint16(r.head[2:])]
	if _, err := io.ReadFull(r.r, r.body); err != nil {
		return r.ended(err)
	}
	r.at += int64(len(r.head) + len(r.body))
	return nil
}

func (r *records) ended(err error) error {
	return fmt.Errorf("%w: record at byte %d: %w", errDamaged, r.at, err)
}

// more goes on to the CONTINUE record that must follow.
func (r *records) more() error {
	head, err := r.r.Peek(2)
	if err == nil && binary.LittleEndian.Uint16(head) == recordContinue {
		if err := r.next(); err != nil || len(r.body) > 0 {
			return err
		}
	}
	return fmt.Errorf("%w: the record before byte %d is too short", errDamaged, r.at)
}

// take returns the next n bytes of the record and of those that continue it.
func (r *records) take(n int) ([]byte, error) {
	if n <= len(r.body) {
		b := r.body[:n]
		r.body = r.body[n:]
		return b, nil
	}
	b := append(make([]byte, 0, n), r.body...)
	for {
		if err := r.more(); err != nil {
			return nil, err
		}
		part := min(n-len(b), len(r.body))
		b = append(b, r.body[:part]...)
		r.body = r.body[part:]
		if len(b) == n {
			return b, nil
		}
	}
}

// skip leaves out n bytes.
func (r *records) skip(n int64) error {
	for n > int64(len(r.body)) {
		n -= int64(len(r.body))
		if err := r.more(); err != nil {
			return err
		}
	}
	r.body = r.body[n:]
	return nil
}

// The flags of a text.
const (
	wide     = 1 // two bytes a letter, or the low one alone
	phonetic = 4 // how to pronounce it stands behind it
	rich     = 8 // so do the fonts of its parts
)

// text reads a text with a length of 16 bits.
func (r *records) text() ([]uint16, error) {
	b, err := r.take(3)
	if err != nil {
		return nil, err
	}
	length, flags := int(binary.LittleEndian.Uint16(b)), b[2]
	var behind int64
	if flags&rich != 0 {
		if b, err = r.take(2); err != nil {
			return nil, err
		}
		behind += 4 * int64(binary.LittleEndian.Uint16(b))
	}
	if flags&phonetic != 0 {
		if b, err = r.take(4); err != nil {
			return nil, err
		}
		behind += int64(binary.LittleEndian.Uint32(b))
	}
	units, err := r.chars(length, flags&wide != 0)
	if err != nil {
		return nil, err
	}
	return units, r.skip(behind)
}

// chars reads the letters of a text. Where they go on in a CONTINUE record, that
// begins with a byte that says anew how many bytes a letter has. What it returns
// is valid until the next call.
func (r *records) chars(n int, twoBytes bool) ([]uint16, error) {
	r.unit = r.unit[:0]
	for n > len(r.unit) {
		if len(r.body) == 0 {
			if err := r.more(); err != nil {
				return nil, err
			}
			twoBytes = r.body[0]&wide != 0
			r.body = r.body[1:]
		}
		left := n - len(r.unit)
		if !twoBytes {
			left = min(left, len(r.body))
			for _, c := range r.body[:left] {
				r.unit = append(r.unit, uint16(c))
			}
			r.body = r.body[left:]
			continue
		}
		left = min(left, len(r.body)/2)
		if left == 0 && len(r.body) > 0 {
			return nil, fmt.Errorf("%w: a letter is cut in two before byte %d", errDamaged, r.at)
		}
		for i := range left {
			r.unit = append(r.unit, binary.LittleEndian.Uint16(r.body[2*i:]))
		}
		r.body = r.body[2*left:]
	}
	return r.unit, nil
}

// texts are the texts that the cells of all sheets share, in one block.
type texts struct {
	block []byte
	ends  []uint32
}

// read reads the SST record and those that continue it.
func (t *texts) read(r *records) error {
	b, err := r.take(8)
	if err != nil {
		return err
	}
	for range binary.LittleEndian.Uint32(b[4:]) {
		units, err := r.text()
		if err != nil {
			return err
		}
		t.block = appendUTF8(t.block, units)
		t.ends = append(t.ends, uint32(len(t.block)))
	}
	return nil
}

func (t *texts) at(i uint32) (text []byte, ok bool) {
	if uint64(i) >= uint64(len(t.ends)) {
		return nil, false
	}
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.block[start:t.ends[i]], true
}
