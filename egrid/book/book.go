// Package book opens a file of any kind that holds tables, by its content and not
// by its name, and gives each table as CSV text.
//
//	b, err := book.Open(file, size, nil)
//	defer b.Close()
//	for _, table := range b.Tables() {
//		text, err := table.Open()
//		r, err := sheet.NewReader(text, &sheet.ReaderOptions{Sheet: table.Name, Grid: table.Grid, Objects: table.Objects})
//	}
//
// Start with [Open] and [Book.Tables]. Package sheet reads the text. Package
// parquetfile adds Parquet, through [Options].
//
// # Guarantees
//
// It reads CSV and other delimited text in UTF-8, UTF-16 and Windows-1252, rows
// that are JSON objects (NDJSON, or one array), text compressed by gzip, zip
// archives of these, workbooks of Excel and other programs (.xlsx, and .xls since
// Excel 97), and workbooks in archives. The text of a table is UTF-8. That of a
// sheet has the raw values, never those displayed: record n is row n of the sheet,
// numbers have all their digits, dates are the numbers that stand for them,
// formulas their stored values, errors their texts. Hidden rows, columns and sheets
// are there.
//
// The text of JSON objects has a header of the names of all their members. Numbers
// have their digits as written; null, and a member that an object lacks, is an empty
// cell. Nested values, and members that are there twice, are refused.
//
// Memory does not grow with the file, but for the texts that the cells of a
// workbook share. What unpacks to more than 200 times its size, beyond 16 MiB, is
// refused. What is packed in something packed is kept in a temporary file until
// Close.
//
// A Book is safe for concurrent use if its reader is.
//
// # Errors
//
// All wrap [egrid.ErrInvalid] and say what the file is and what to do, but those
// of the reader below, which come as they are.
package book

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/charset"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/jsonrows"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xls"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xlsx"
	"github.com/egrid-analytics/egrid-go/internal/spool"
	"github.com/egrid-analytics/egrid-go/internal/unpack"
)

// Book is an open file.
type Book struct {
	size     int64
	tables   []Table
	names    map[string]bool // of the tables
	left     []LeftOut
	unpacked []*spool.File
	bytes    int64 // in unpacked
	formats  []Format
}

// Options configures Open. The zero value of every field means its default.
type Options struct {
	Formats []Format // of files that are read, too; default none
}

// Format is a kind of file that holds one table and is told by its first bytes.
type Format struct {
	Magic string // the first bytes
	// Open begins to read a file as CSV text with a record of names, in UTF-8, in
	// the way of the sheets of workbooks. Errors wrap [egrid.ErrInvalid], but for
	// those of the reader below.
	Open func(r io.ReaderAt, size int64) (io.ReadCloser, error)
}

// Table is one table of a file.
type Table struct {
	Name    string // of the sheet or the member: "GEN23 ", "a.csv", "book.xlsx/GEN23 "; of one more of that name "a.csv (2)"; empty where the file is the table
	Grid    bool   // its records are the rows of a spreadsheet
	Objects bool   // its records are JSON objects: the first has their names, and record n+1 is line n of the file
	Plain   bool   // its text is the file itself, byte by byte
	Hidden  bool   // the workbook does not show it

	// Charset is the encoding of the text in the file, as its first bytes tell:
	// empty for UTF-8, or "UTF-16LE", "UTF-16BE" or "Windows-1252". Who finds
	// that the whole text has another one, see [Charset], sets it before Open.
	Charset string

	open func() (io.ReadCloser, error)
}

// LeftOut is what a file holds besides tables.
type LeftOut struct {
	Name   string
	Reason string
}

// Open finds out what a file of size bytes is, and lists its tables. The reader
// has to stay open as long as the book; Close does not close it.
func Open(r io.ReaderAt, size int64, o *Options) (*Book, error) {
	b := &Book{size: size, names: map[string]bool{}}
	if o != nil {
		b.formats = o.Formats
	}
	whole := content{at: r, size: size, open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(r, 0, size)), nil
	}}
	err := whole.look(b.formats)
	if err == nil {
		err = b.add("", whole, 0)
	}
	if err == nil && len(b.tables) == 0 {
		err = fmt.Errorf("%w: it holds no table", egrid.ErrInvalid)
		if len(b.left) > 0 {
			err = fmt.Errorf("%w; %s: %s", err, b.left[0].Name, b.left[0].Reason)
		}
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Tables lists the tables in the order of the file. One that cannot be read is
// among them; its Open says why.
func (b *Book) Tables() []Table { return b.tables }

// LeftOut lists what else the file holds, and why that is no table.
func (b *Book) LeftOut() []LeftOut { return b.left }

// Close removes temporary files.
func (b *Book) Close() error {
	var err error
	for _, f := range b.unpacked {
		err = errors.Join(err, f.Close())
	}
	b.unpacked = nil
	return err
}

// Open reads the text of the table from its first byte on.
func (t Table) Open() (io.ReadCloser, error) {
	text, err := t.open()
	if err != nil || t.Charset == "" {
		return text, err
	}
	return unpack.ReadCloser{Reader: charset.Reader(t.Charset, text), Closer: text}, nil
}

// content is a file, or something in it.
type content struct {
	at   io.ReaderAt // nil where it has to be unpacked
	size int64
	open func() (io.ReadCloser, error)

	kind    kind    // what look found
	charset string  // of a text
	format  *Format // of what the options add
}

const (
	maxDepth    = 2  // how often a table may be packed: a workbook in an archive is packed twice
	maxUnpacked = 64 // packed files in an archive, each of which takes a temporary file
)

// add adds the tables of what has a name, was looked at, and is packed so many
// times.
func (b *Book) add(name string, c content, depth int) (err error) {
	switch c.kind {
	case text:
		b.table(Table{Name: name, Charset: c.charset, Plain: depth == 0 && c.charset == "", open: c.open})
		return nil
	case objects:
		b.objects(name, c)
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("%w: it is packed more than %d times; unpack it first", egrid.ErrInvalid, maxDepth)
	}
	if c.at == nil {
		if c, err = b.unpack(c); err != nil {
			return err
		}
	}
	switch c.kind {
	case compressed:
		inner := content{open: func() (io.ReadCloser, error) {
			packed, err := c.open()
			if err != nil {
				return nil, err
			}
			text, err := unpack.Gzip(bufio.NewReaderSize(packed, 64<<10), min(c.size, b.size))
			if err != nil {
				return nil, errors.Join(err, packed.Close())
			}
			return unpack.ReadCloser{Reader: text, Closer: packed}, nil
		}}
		if err := inner.look(b.formats); err != nil {
			return err
		}
		return b.add(name, inner, depth+1)
	case compound:
		w, err := xls.Open(c.at, c.size)
		if err != nil {
			return err
		}
		for i, s := range w.Sheets() {
			b.sheet(join(name, s.Name), s.Hidden, func() (io.ReadCloser, error) { return w.Open(i) })
		}
		return nil
	case added:
		b.sheet(name, false, func() (io.ReadCloser, error) { return c.format.Open(c.at, c.size) })
		return nil
	}
	archive, err := unpack.Zip(c.at, c.size)
	if err != nil {
		return err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(archive.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
	}
	if has("[Content_Types].xml") {
		w, err := xlsx.Open(c.at, c.size)
		if err != nil {
			return err
		}
		for i, s := range w.Sheets() {
			b.sheet(join(name, s.Name), s.Hidden, func() (io.ReadCloser, error) { return w.Open(i) })
		}
		return nil
	}
	for _, d := range documents {
		if has(d.member) {
			return fmt.Errorf("%w: %s", egrid.ErrInvalid, d.why)
		}
	}
	return b.members(name, archive, depth)
}

// sheet adds a sheet of a workbook, or what is read like one.
func (b *Book) sheet(name string, hidden bool, open func() (io.ReadCloser, error)) {
	b.table(Table{Name: name, Grid: true, Hidden: hidden, open: func() (io.ReadCloser, error) {
		text, err := open()
		if err != nil {
			return nil, err
		}
		return unpack.ReadCloser{Reader: unpack.Bounded(text, b.size), Closer: text}, nil
	}})
}

// objects adds rows that are JSON objects.
func (b *Book) objects(name string, c content) {
	b.table(Table{Name: name, Objects: true, open: func() (io.ReadCloser, error) {
		text, err := jsonrows.Open(c.decoded)
		if err != nil {
			return nil, err
		}
		return unpack.ReadCloser{Reader: unpack.Bounded(text, b.size), Closer: text}, nil
	}})
}

// members adds the tables of an archive.
func (b *Book) members(name string, archive *zip.Reader, depth int) error {
	for _, f := range archive.File {
		member := strings.ReplaceAll(f.Name, `\`, "/")
		base := path.Base(member)
		if strings.HasSuffix(member, "/") || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "~$") || strings.HasPrefix(member, "__MACOSX/") {
			continue
		}
		c := content{size: int64(min(f.UncompressedSize64, 1<<62)), open: func() (io.ReadCloser, error) {
			return unpack.Member(f, b.size)
		}}
		full := join(name, member)
		err := c.look(b.formats)
		var other *otherKind
		switch {
		case errors.As(err, &other) && !tableName(member):
			b.left = append(b.left, LeftOut{Name: full, Reason: other.why})
			continue
		case err == nil && (c.kind == text || c.kind == objects) && !tableName(member):
			b.left = append(b.left, LeftOut{Name: full, Reason: "its name does not end in .csv, .tsv, .ndjson or .jsonl"})
			continue
		case err == nil:
			err = b.add(full, c, depth+1)
		}
		if err != nil {
			b.table(Table{Name: full, open: func() (io.ReadCloser, error) { return nil, err }})
		}
	}
	return nil
}

// table adds a table under a name that no other one has.
func (b *Book) table(t Table) {
	name := t.Name
	for n := 2; b.names[t.Name]; n++ {
		t.Name = fmt.Sprintf("%s (%d)", name, n)
	}
	b.names[t.Name] = true
	b.tables = append(b.tables, t)
}

// unpack keeps what has to be read at any place in a temporary file.
func (b *Book) unpack(c content) (content, error) {
	if len(b.unpacked) == maxUnpacked {
		return c, fmt.Errorf("%w: the archive has more than %d packed files in it; unpack it first", egrid.ErrInvalid, maxUnpacked)
	}
	packed, err := c.open()
	if err != nil {
		return c, err
	}
	f := spool.New(packed)
	b.unpacked = append(b.unpacked, f)
	c.at = f
	if c.size, err = f.Size(); err != nil {
		return c, err
	}
	if b.bytes += c.size; b.bytes > unpack.Budget(b.size) {
		return c, unpack.ErrTooLarge()
	}
	c.open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f, 0, c.size)), nil }
	return c, nil
}

func join(name, member string) string {
	if name == "" {
		return member
	}
	return name + "/" + member
}

// tableName reports whether a member of an archive is called as tables are.
func tableName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".ndjson", ".jsonl", ".gz", ".zip", ".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".parquet":
		return true
	}
	return false
}

// headBytes is how much tells what a file is.
const headBytes = 64 << 10

// look tells by the first bytes what something is, and the encoding of a text.
func (c *content) look(formats []Format) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	defer r.Close()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	head = head[:n]
	for i := range formats {
		if bytes.HasPrefix(head, []byte(formats[i].Magic)) {
			c.kind, c.format = added, &formats[i]
			return nil
		}
	}
	if c.kind, err = kindOf(head); c.kind != text {
		return err
	}
	c.charset = charset.Detect(head)
	if c.charset != "" { // an error is about a letter that the head ends in
		head, _ = io.ReadAll(charset.Reader(c.charset, bytes.NewReader(head)))
	}
	if jsonrows.Are(head) {
		c.kind = objects
	}
	return nil
}

// decoded opens JSON text, which is Unicode by definition: one with other bytes in
// it is refused with the line, and not taken for Windows-1252.
func (c content) decoded() (io.ReadCloser, error) {
	text, err := c.open()
	if err != nil || c.charset == "" || c.charset == charset.Windows1252 {
		return text, err
	}
	return unpack.ReadCloser{Reader: charset.Reader(c.charset, text), Closer: text}, nil
}

// kind is what the first bytes of a file tell.
type kind string

const (
	text       kind = "text"
	objects    kind = "JSON objects"
	compressed kind = "gzip"
	archived   kind = "zip" // workbooks too
	compound   kind = "compound file"
	added      kind = "added by the options"
)

func kindOf(head []byte) (kind, error) {
	for magic, kind := range map[string]kind{"\x1f\x8b": compressed, "PK\x03\x04": archived, "PK\x05\x06": archived, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": compound} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kind, nil
		}
	}
	for _, o := range others {
		if bytes.HasPrefix(bytes.TrimLeft(head, "\ufeff \r\n\t"), []byte(o.magic)) {
			return "", &otherKind{o.why}
		}
	}
	return text, nil
}

// otherKind is the error of a file of a kind that is known and not read.
type otherKind struct{ why string }

func (e *otherKind) Error() string { return egrid.ErrInvalid.Error() + ": " + e.why }
func (e *otherKind) Unwrap() error { return egrid.ErrInvalid }
