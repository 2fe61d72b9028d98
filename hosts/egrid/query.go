package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// selection are the flags that queries share.
type selection struct {
	Year      int      `env:"-" help:"Data year. Default: the newest."`
	Release   string   `env:"-" help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	State     []string `env:"-" help:"Postal abbreviations, e.g. TX,OK."`
	Subregion []string `env:"-" help:"eGRID subregions, e.g. CAMX."`
	BA        []string `env:"-" help:"Codes of balancing authorities, e.g. ERCO."`
	Nerc      []string `env:"-" help:"NERC regions, e.g. WECC."`
	Fuel      []string `env:"-" help:"EIA energy source codes, e.g. NG."`
	Filter    []string `env:"-" help:"Condition on any column, e.g. 'nameplate_capacity_mw>=100'. May be repeated." sep:"none"`
	Search    string   `env:"-" help:"Words to find in names and codes."`
	Sort      string   `env:"-" help:"Columns to sort by, downwards with a minus, e.g. -net_generation_mwh,plant_name."`
	Columns   []string `env:"-" help:"Columns to print. Default: those of the answer."`
	Limit     *int     `env:"-" help:"Rows at most; 0 is all. Default: 100 in a table, all in any other format." placeholder:"N"`
	output
}

// limit is how many rows to write at most; 0 is all.
func (s *selection) limit() int {
	switch {
	case s.Limit != nil:
		return *s.Limit
	case s.Format == formatTable:
		return 100
	}
	return 0
}

// check settles the format, and refuses what cannot be.
func (s *selection) check(stdout io.Writer) error {
	if s.limit() < 0 {
		return fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, s.limit())
	}
	return s.settle(stdout)
}

func (s selection) filters() ([]egrid.Filter, error) {
	var filters []egrid.Filter
	for _, code := range []struct {
		column egrid.Column
		values []string
	}{
		{egrid.State, s.State}, {egrid.Subregion, s.Subregion}, {egrid.BalancingAuthority, s.BA}, {egrid.NERCRegion, s.Nerc}, {egrid.Fuel, s.Fuel},
	} {
		if len(code.values) > 0 {
			filters = append(filters, egrid.Where(code.column, egrid.Eq, code.values...))
		}
	}
	for _, text := range s.Filter {
		f, err := egrid.ParseFilter(text)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	return filters, nil
}

func (s selection) columns() []egrid.Column {
	columns := make([]egrid.Column, len(s.Columns))
	for i, c := range s.Columns {
		columns[i] = egrid.Column(c)
	}
	return columns
}

// pages walks an answer of plants page by page, limit rows at most. read gets the
// size and the cursor of a page.
func pages(limit int, read func(size int, cursor string) (egrid.RowPage, error)) (store.Answer, error) {
	const most = 1000
	if limit == 0 {
		limit = math.MaxInt
	}
	page, err := read(min(limit, most), "")
	if err != nil {
		return store.Answer{}, err
	}
	return store.Answer{Schema: page.Schema(), Revision: page.Revision, Snapshots: page.Snapshots, Batches: func(yield func(*egrid.Batch, error) bool) {
		for yield(page.Batch, nil) && page.Next != "" && limit > page.Len() {
			limit -= page.Len()
			if page, err = read(min(limit, most), page.Next); err != nil {
				yield(nil, err)
				return
			}
		}
	}}, nil
}

type topCmd struct{ selection }

// Help implements kong.HelpProvider.
func (c *topCmd) Help() string {
	return `Examples:

  egrid top --limit 5
  egrid top --state TX --fuel NG --format csv
  egrid top --year 2021 --release v2 --sort -nameplate_capacity_mw`
}

func (c *topCmd) Run(a *app) error {
	if err := c.check(a.stdout); err != nil {
		return err
	}
	filters, err := c.filters()
	if err != nil {
		return err
	}
	query := store.PlantQuery{Year: c.Year, Release: c.Release, Filters: filters, Search: c.Search, Columns: c.columns()}
	ranked := c.Sort == ""
	if ranked {
		c.Sort = "-net_generation_mwh,plant_name"
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	if len(query.Columns) == 0 && c.Format == formatTable {
		query.Columns = []egrid.Column{egrid.PlantName, egrid.State, egrid.Fuel, egrid.NameplateCapacity, egrid.NetGeneration, store.ShareOfState}
	}
	return a.withData(func(db *store.DB) error {
		if ranked {
			if err := canRank(a.ctx, db, query); err != nil {
				return err
			}
		}
		var source store.PlantSource
		answer, err := pages(c.limit(), func(size int, cursor string) (egrid.RowPage, error) {
			query.Limit, query.Cursor = size, cursor
			page, err := db.Plants(a.ctx, query)
			source = page.PlantSource
			return page.RowPage, err
		})
		if err != nil {
			return err
		}
		if err := a.print(&c.output, "", &answer); err != nil {
			return err
		}
		return a.tellSource(db, &source, query)
	})
}

// canRank returns an error where no plant has net generation: what comes first then
// is no largest plant.
func canRank(ctx context.Context, db *store.DB, query store.PlantQuery) error {
	sum, err := db.SumPlants(ctx, "", store.PlantQuery{Year: query.Year, Release: query.Release})
	if err != nil || sum.Basis == "" || sum.Len() == 0 || !sum.Row(0).Value(egrid.NetGeneration).IsMissing() {
		return err
	}
	f, _ := egrid.Lookup(sum.Basis, string(egrid.NetGeneration))
	sheet := strings.TrimSpace(fmt.Sprint(sum.Basis, " ", sum.Year, " ", sum.Release))
	return fmt.Errorf("%w: %s has no net generation (%s) to rank plants by; give --sort, e.g. --sort plant_name", egrid.ErrNotFound, sheet, f.Code)
}

type rowsCmd struct {
	Level string `arg:"" optional:"" help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO or ZIP."`
	Flag  string `name:"level" env:"-" help:"The same as a flag." placeholder:"LEVEL"`
	selection
}

// Help implements kong.HelpProvider.
func (c *rowsCmd) Help() string {
	return `Examples:

  egrid rows ST --year 2023 --sort -net_generation_mwh --format csv
  egrid rows PLNT --year 2023 --output plants.parquet
  egrid rows GEN --state TX --output texas.xlsx --codes epa
  egrid rows GEN --state TX,OK --filter 'nameplate_capacity_mw>=100'
  egrid rows PLNT --search "palo verde" --columns plant_name,net_generation_mwh`
}

func (c *rowsCmd) Run(a *app) error {
	if (c.Level == "") == (c.Flag == "") {
		return fmt.Errorf("%w: name one level, as in egrid rows ST", egrid.ErrInvalid)
	}
	level, err := egrid.ParseLevel(cmp.Or(c.Level, c.Flag))
	if err != nil {
		return err
	}
	if err := c.check(a.stdout); err != nil {
		return err
	}
	query := egrid.RowQuery{Level: level, Year: c.Year, Release: c.Release, Search: c.Search, Columns: c.columns()}
	if query.Filters, err = c.filters(); err != nil {
		return err
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		query.Limit = c.limit()
		answer, err := db.Stream(a.ctx, query)
		if err != nil {
			return err
		}
		return a.print(&c.output, level, &answer)
	})
}

// csvPrinter writes CSV. text is the header at first.
type csvPrinter struct {
	w    io.Writer
	text []byte
}

func (p *csvPrinter) Write(b *egrid.Batch) error {
	for i := range b.Len() {
		p.text = lineEnd(b.AppendCSV(p.text, i))
	}
	return p.Close()
}

// Close writes what is held back.
func (p *csvPrinter) Close() error {
	_, err := p.w.Write(p.text)
	p.text = p.text[:0]
	return err
}

// lineEnd ends a record as the tools of a terminal expect it, without the \r of
// RFC 4180.
func lineEnd(record []byte) []byte {
	return append(bytes.TrimSuffix(record, []byte("\r\n")), '\n')
}

type jsonPrinter struct {
	w                      io.Writer
	before, between, after string
	written                int
	text                   []byte
}

func (p *jsonPrinter) Write(b *egrid.Batch) error {
	p.text = p.text[:0]
	for i := range b.Len() {
		lead := p.between
		if p.written == 0 {
			lead = p.before
		}
		p.written++
		p.text = b.AppendJSON(append(p.text, lead...), i)
	}
	_, err := p.w.Write(p.text)
	return err
}

// Close ends the document.
func (p *jsonPrinter) Close() error {
	tail := p.after
	if p.written == 0 {
		tail = p.before + strings.TrimPrefix(p.after, "\n")
	}
	_, err := io.WriteString(p.w, tail)
	return err
}

type tablePrinter struct {
	w     io.Writer
	table terminal.Table
}

// tableOf is a table without rows.
func tableOf(s *egrid.Schema) terminal.Table {
	var t terminal.Table
	for _, f := range s.Fields() {
		t.Header = append(t.Header, string(f.Column))
		t.Right = append(t.Right, f.Type == egrid.Number || f.Type == egrid.Integer)
	}
	return t
}

func (p *tablePrinter) Write(b *egrid.Batch) error {
	for row := range b.Rows() {
		texts := make([]string, row.Len())
		for i, v := range row.Values() {
			if x, ok := v.Float(); ok && v.Type() == egrid.Number {
				texts[i] = readable(x, b.Schema().Field(i).Unit)
			} else {
				texts[i] = strings.Join(strings.Fields(v.String()), " ")
			}
		}
		p.table.Add(texts...)
	}
	return nil
}

// readable writes a number for people, with three decimals at most, a share
// with five. The other formats have every digit.
func readable(x float64, unit string) string {
	decimals := 3
	if unit == "fraction" || math.Abs(x) < 1 {
		decimals = 5
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		fraction = "." + fraction
	}
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && (n < -999 || n > 999) {
		whole = terminal.Thousands(n)
	}
	return whole + fraction
}

// Close prints the table, now that its width is known.
func (p *tablePrinter) Close() error { return p.table.Write(p.w) }
