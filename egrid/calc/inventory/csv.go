package inventory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Columns are what [CSV] adds to a table. Emissions are kg, factors kg/MWh.
func Columns() []string {
	return []string{
		"electricity_mwh", "egrid_level", "egrid_region", "precision", "egrid_year", "egrid_release", "egrid_authority",
		"factor_co2e_kg_per_mwh", "co2_kg", "ch4_kg", "n2o_kg", "co2e_kg", "losses_co2e_kg", "egrid_source", "note", "reason",
	}
}

// CSV reads a table of sites and writes it with their emissions: the columns of the
// table as they are, then [Columns]. The first record of the table names its
// columns: subregion, latitude and longitude (degrees; they need Options.Shapes), zip, ba
// or state; kwh or mwh; year where sites differ in it, each also under similar names. Errors: [egrid.ErrInvalid] for a table without
// such columns, or that is no CSV; those of [New]; those of r and w.
func CSV(ctx context.Context, db *store.DB, r io.Reader, w io.Writer, o *Options) (Totals, error) {
	return run(ctx, db, r, w, o, csvForm{})
}

// form is how answers are written: each method appends what goes to the file.
type form interface {
	begin(dst []byte, header []string) ([]byte, error)
	row(dst []byte, n int64, header, record []string, a *Answer) ([]byte, error)
	end(dst []byte, t *Totals) ([]byte, error)
}

// run reads a table and writes its answers in a form.
func run(ctx context.Context, db *store.DB, r io.Reader, w io.Writer, o *Options, to form) (Totals, error) {
	input := &guard{r: r}
	in := csv.NewReader(bufio.NewReaderSize(input, 1<<16))
	in.ReuseRecord, in.FieldsPerRecord, in.LazyQuotes = true, -1, true
	header, err := readHeader(in)
	if err != nil {
		return Totals{}, err
	}
	l, err := newLayout(header)
	if err != nil {
		return Totals{}, err
	}
	v, err := New(ctx, db, o)
	if err != nil {
		return Totals{}, err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	line, err := to.begin(nil, header)
	var s Site
	for err == nil {
		if _, err = out.Write(line); err != nil {
			return v.Totals(), err
		}
		var record []string
		if record, err = in.Read(); err == nil {
			err = input.check(record, in.InputOffset())
		}
		if err != nil {
			break
		}
		if l.site(record, &s); len(record) > len(header) && strings.Join(record[len(header):], "") != "" {
			s.Fault = fmt.Sprintf("the record has %d cells, and the header %d", len(record), len(header))
		}
		var a Answer
		if a, err = v.Answer(ctx, &s); err == nil {
			line, err = to.row(line[:0], v.totals.Sites, header, record, &a)
		}
	}
	t := v.Totals()
	if !errors.Is(err, io.EOF) {
		var fault *csv.ParseError
		if errors.As(err, &fault) {
			err = fmt.Errorf("%w: the table of sites: %w", egrid.ErrInvalid, err)
		}
		return t, err
	}
	if line, err = to.end(line[:0], &t); err == nil {
		_, err = out.Write(line)
	}
	return t, errors.Join(err, out.Flush())
}

// readHeader reads the first record, and refuses a table that is not separated by
// commas: what its numbers mean would be a guess.
func readHeader(in *csv.Reader) ([]string, error) {
	record, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: the table of sites is empty: it has no header", egrid.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the table of sites has no header: %w", egrid.ErrInvalid, err)
	}
	header := slices.Clone(record)
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	switch text := strings.Join(header, ","); {
	case strings.Contains(text, "\x00"):
		return nil, fmt.Errorf("%w: the table of sites is UTF-16, or no text: save it as CSV in UTF-8", egrid.ErrInvalid)
	case len(header) == 1 && strings.Contains(text, ";"):
		return nil, fmt.Errorf("%w: the table of sites is separated by semicolons, so that a comma in its numbers may be a decimal sign: save it with commas between the columns and decimal points", egrid.ErrInvalid)
	case len(header) == 1 && strings.Contains(text, "\t"):
		return nil, fmt.Errorf("%w: the table of sites is separated by tabs: save it as CSV, with commas between the columns and decimal points", egrid.ErrInvalid)
	}
	return header, nil
}

// guard refuses what a quote that is not closed makes of a table: one cell of all
// that follows.
type guard struct {
	r      io.Reader
	read   int64 // bytes
	before int64 // of them, those of records that were checked
	ended  bool
	last   byte // of the input so far, line ends aside
}

// longestRecord is above the length of every honest record, in bytes.
const longestRecord = 1 << 20

func (g *guard) Read(p []byte) (int, error) {
	if g.read-g.before > longestRecord {
		return 0, fmt.Errorf("%w: the table of sites: a record is longer than %d bytes; is a quote not closed?", egrid.ErrInvalid, longestRecord)
	}
	n, err := g.r.Read(p)
	g.read += int64(n)
	g.ended = err != nil
	if text := bytes.TrimRight(p[:n], "\r\n"); len(text) > 0 {
		g.last = text[len(text)-1]
	}
	return n, err
}

// check takes a record and where it ends. It refuses the last one when its last
// cell goes over several lines without a quote at its end.
func (g *guard) check(record []string, end int64) error {
	g.before = end
	if g.ended && end == g.read && g.last != '"' && strings.Contains(record[len(record)-1], "\n") {
		return fmt.Errorf("%w: the table of sites ends within quotes: a quote is not closed in the record %.60q", egrid.ErrInvalid, strings.Join(record, ","))
	}
	return nil
}

// csvForm writes records as they were, with more cells.
type csvForm struct{}

func (csvForm) begin(dst []byte, header []string) ([]byte, error) {
	return append(appendCells(dst, append(slices.Clip(header), Columns()...)), '\r', '\n'), nil
}

func (csvForm) row(dst []byte, _ int64, header, record []string, a *Answer) ([]byte, error) {
	dst = appendCells(dst, record[:min(len(header), len(record))])
	for range len(header) - len(record) {
		dst = append(dst, ',')
	}
	return append(a.appendCSV(dst), '\r', '\n'), nil
}

func (csvForm) end(dst []byte, _ *Totals) ([]byte, error) { return dst, nil }

func appendCells(dst []byte, cells []string) []byte {
	for i, c := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = egrid.AppendCSVCell(dst, c, false)
	}
	return dst
}

// appendCSV writes the cells of Columns, each behind a comma.
func (a *Answer) appendCSV(dst []byte) []byte {
	number := func(x float64, decimals int) {
		if dst = append(dst, ','); !math.IsNaN(x) {
			dst = strconv.AppendFloat(dst, x, 'f', decimals, 64)
		}
	}
	if a.Reason == "" {
		number(a.MWh, -1)
	} else {
		dst = append(dst, ',')
	}
	p := a.Place
	if p == nil {
		dst = append(dst, ",,,,,,,"...)
	} else {
		dst = p.appendCSV(dst)
	}
	if a.Reason == "" {
		for _, rate := range p.Rates {
			number(a.MWh*rate, 3)
		}
		if dst = append(dst, ','); p.Loss >= 0 {
			dst = strconv.AppendFloat(dst, p.losses(a.MWh), 'f', 3, 64)
		}
	} else {
		dst = append(dst, ",,,,,"...)
	}
	if dst = append(dst, ','); p != nil {
		dst = append(dst, p.source...)
	}
	dst = egrid.AppendCSVCell(append(dst, ','), a.Note, false)
	return egrid.AppendCSVCell(append(dst, ','), a.Reason, false)
}

// appendCSV writes what a place says of itself, each cell behind a comma.
func (p *Place) appendCSV(dst []byte) []byte {
	for _, text := range []string{string(p.Level), p.Code, string(p.Precision)} {
		dst = egrid.AppendCSVCell(append(dst, ','), text, false)
	}
	dst = strconv.AppendInt(append(dst, ','), int64(p.Year), 10)
	dst = append(append(dst, ','), p.Release...)
	dst = egrid.AppendCSVCell(append(dst, ','), p.Authority, false)
	return strconv.AppendFloat(append(dst, ','), p.Rates[CO2e], 'f', 6, 64)
}
