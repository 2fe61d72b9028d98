package parquetfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
)

// Input is Parquet as a format of files to load: those of [Export], and those that
// pandas, polars, DuckDB and others write of columns with the same names.
//
// Columns are strings, booleans, integers, doubles, or decimals. Null is missing, and
// so is a double that is NaN. Dates and times, 32-bit floats, which keep 7 digits,
// lists and structs are refused. The indexes that pandas writes beside the columns
// (__index_level_0__) are left out. Columns may be compressed by Snappy, gzip or zstd.
func Input() book.Format { return book.Format{Magic: "PAR1", Open: open} }

const (
	rowsAtOnce = 64
	outBytes   = 64 << 10 // text is made in pieces of about that size
	maxRow     = 16 << 20 // of the text of a row
)

// reader makes CSV of a file.
type reader struct {
	groups  []parquet.RowGroup // still to read
	columns []column
	rows    parquet.Rows
	buffer  []parquet.Row
	out     []byte
	at      int // what was read of out
	err     error
}

// open opens a file as the text of its one table.
func open(r io.ReaderAt, size int64) (text io.ReadCloser, err error) {
	defer recovered(&err)
	source := &failing{ReaderAt: r}
	whole := io.NewSectionReader(source, 0, size) // which knows no place out of bounds
	if err := checkFooter(whole, size); err != nil {
		return nil, source.cause(err)
	}
	file, err := parquet.OpenFile(whole, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, source.cause(err)
	}
	columns, err := columnsOf(file.Root())
	if err != nil {
		return nil, err
	}
	if err := checkPages(file, whole); err != nil {
		return nil, source.cause(err)
	}
	in := &reader{groups: file.RowGroups(), columns: columns, buffer: make([]parquet.Row, rowsAtOnce)}
	for i, name := range names(columns) {
		if i > 0 {
			in.out = append(in.out, ',')
		}
		in.out = egrid.AppendCSVCell(in.out, name, i == 0)
	}
	in.out = append(in.out, '\n')
	return &guarded{in, source}, nil
}

// names are those of the columns that are not left out.
func names(columns []column) []string {
	var names []string
	for i := range columns {
		if columns[i].append != nil {
			names = append(names, columns[i].name)
		}
	}
	return names
}

// guarded tells the failures of the reader below from those of the file.
type guarded struct {
	*reader
	source *failing
}

// Read implements io.Reader.
func (g *guarded) Read(p []byte) (n int, err error) {
	defer recovered(&err)
	if n, err = g.read(p); err != nil && err != io.EOF {
		err = g.source.cause(err)
	}
	return n, err
}

func (in *reader) read(p []byte) (int, error) {
	for in.at == len(in.out) {
		if in.err != nil {
			return 0, in.err
		}
		in.out, in.at = in.out[:0], 0
		in.err = in.more()
	}
	n := copy(p, in.out[in.at:])
	in.at += n
	return n, nil
}

// Close implements io.Closer.
func (in *reader) Close() error {
	if in.rows == nil {
		return nil
	}
	rows := in.rows
	in.rows = nil
	return rows.Close()
}

// more makes the next piece of text.
func (in *reader) more() error {
	for len(in.out) < outBytes {
		if in.rows == nil {
			if len(in.groups) == 0 {
				return io.EOF
			}
			in.rows, in.groups = in.groups[0].Rows(), in.groups[1:]
		}
		n, err := in.rows.ReadRows(in.buffer)
		for _, row := range in.buffer[:n] {
			if err := in.row(row); err != nil {
				return err
			}
		}
		if err == io.EOF {
			err = in.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row appends a record. Of a row that is blank the one cell is quoted, because
// readers of text leave out blank lines.
func (in *reader) row(row parquet.Row) error {
	if len(row) != len(in.columns) {
		return fmt.Errorf("%w: its columns have different numbers of rows", errDamaged)
	}
	start, first := len(in.out), true
	for i, v := range row {
		c := &in.columns[i]
		if c.append == nil {
			continue
		}
		if !first {
			in.out = append(in.out, ',')
		}
		first = false
		if v.IsNull() {
			continue
		}
		var err error
		if in.out, err = c.append(in.out, v); err != nil {
			return fmt.Errorf("%w: column %q: %w", egrid.ErrInvalid, c.name, err)
		}
		if len(in.out)-start > maxRow {
			return fmt.Errorf("%w: column %q: a row is longer than %d MiB", egrid.ErrInvalid, c.name, maxRow>>20)
		}
	}
	if len(in.out) == start { // of one column
		in.out = append(in.out, `""`...)
	}
	in.out = append(in.out, '\n')
	return nil
}

// column is a column of a file.
type column struct {
	name   string
	append func(dst []byte, v parquet.Value) ([]byte, error) // a cell that is not null; nil for a column that is left out
}

func columnsOf(root *parquet.Column) ([]column, error) {
	var columns []column
	for _, c := range root.Columns() {
		if !c.Leaf() || c.Repeated() {
			return nil, fmt.Errorf("%w: column %q is a list or a struct; write its parts as columns of their own", egrid.ErrInvalid, c.Name())
		}
		name := c.Name()
		if strings.HasPrefix(name, "__index_level_") {
			columns = append(columns, column{name: name})
			continue
		}
		appendCell, why := cellOf(c.Type())
		if why != "" {
			return nil, fmt.Errorf("%w: column %q is of %s", egrid.ErrInvalid, name, why)
		}
		columns = append(columns, column{name, appendCell})
	}
	if len(names(columns)) == 0 {
		return nil, fmt.Errorf("%w: it has no columns", egrid.ErrInvalid)
	}
	return columns, nil
}

// cellOf is how the cells of a type are written, or why they are none.
func cellOf(t parquet.Type) (appendCell func([]byte, parquet.Value) ([]byte, error), why string) {
	if logical := t.LogicalType(); logical != nil && logical.Value != nil {
		if appendCell, why, ok := logicalCell(t, logical.Value); ok {
			return appendCell, why
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendBool(dst, v.Boolean()), nil }, ""
	case parquet.Int32:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return strconv.AppendInt(dst, int64(v.Int32()), 10), nil
		}, ""
	case parquet.Int64:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendInt(dst, v.Int64(), 10), nil }, ""
	case parquet.Double:
		return appendDouble, ""
	case parquet.ByteArray:
		return appendText, ""
	case parquet.Float:
		return nil, "32-bit floats, which keep 7 digits of a figure; write it as double (float64)"
	}
	return nil, fmt.Sprintf("the type %s, which is no cell; write it as text", t)
}

// appendDouble writes the shortest decimal that reads back as the same double.
func appendDouble(dst []byte, v parquet.Value) ([]byte, error) {
	x := v.Double()
	if math.IsNaN(x) {
		return dst, nil
	}
	return strconv.AppendFloat(dst, x, form(x), -1, 64), nil
}

// form is how a number is written: with all its digits, unless there are many zeros
// among them.
func form(x float64) byte {
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		return 'e'
	}
	return 'f'
}

// recovered turns a panic of the library, which a damaged file can cause, into an
// error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
	}
}

var errDamaged = fmt.Errorf("%w: the Parquet file is damaged; fetch or write it again", egrid.ErrInvalid)

// failing remembers why its reader failed.
type failing struct {
	io.ReaderAt
	err error
}

// ReadAt implements io.ReaderAt.
func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, off)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// cause tells whether the file or the reader below is to blame.
func (f *failing) cause(err error) error {
	switch {
	case f.err != nil:
		return f.err
	case errors.Is(err, egrid.ErrInvalid):
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}
