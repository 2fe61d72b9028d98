package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// selection are the flags that queries share.
type selection struct {
	Year      int      `help:"Data year. Default: the newest."`
	Release   string   `help:"Release, e.g. v2; none for the unmarked one. Default: the newest."`
	State     []string `help:"Postal abbreviations, e.g. TX,OK."`
	Subregion []string `help:"eGRID subregions, e.g. CAMX."`
	BA        []string `help:"Codes of balancing authorities, e.g. ERCO."`
	Nerc      []string `help:"NERC regions, e.g. WECC."`
	Fuel      []string `help:"EIA energy source codes, e.g. NG."`
	Filter    []string `help:"Condition on any column, e.g. 'nameplate_capacity_mw>=100'. May be repeated." sep:"none"`
	Search    string   `help:"Words to find in names and codes."`
	Sort      string   `help:"Columns to sort by, downwards with a minus, e.g. -net_generation_mwh,plant_name."`
	Columns   []string `help:"Columns to print. Default: those of the answer."`
	Limit     int      `help:"Rows at most; 0 is all." default:"100"`
	Format    string   `help:"table, json, csv or ndjson." enum:"table,json,csv,ndjson" default:"table"`
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
	if s.Limit < 0 {
		return nil, fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, s.Limit)
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

// pages walks an answer page by page, limit rows at most. read gets the size
// and the cursor of a page.
func pages(limit int, read func(size int, cursor string) (egrid.RowPage, error)) iter.Seq2[egrid.RowPage, error] {
	const most = 1000
	if limit == 0 {
		limit = math.MaxInt
	}
	return func(yield func(egrid.RowPage, error) bool) {
		cursor := ""
		for limit > 0 {
			page, err := read(min(limit, most), cursor)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			limit -= len(page.Rows)
			cursor = page.Next
		}
	}
}

type topCmd struct{ selection }

func (c *topCmd) Run(a *app) error {
	filters, err := c.filters()
	if err != nil {
		return err
	}
	query := store.PlantQuery{Year: c.Year, Release: c.Release, Filters: filters, Search: c.Search, Columns: c.columns()}
	if c.Sort == "" {
		c.Sort = "-net_generation_mwh,plant_name"
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	if len(query.Columns) == 0 && c.Format == "table" {
		query.Columns = []egrid.Column{egrid.PlantName, egrid.State, egrid.Fuel, egrid.NameplateCapacity, egrid.NetGeneration, store.StateShare}
	}
	return a.withData(func(store driver.Store) error {
		return a.print(c.Format, pages(c.Limit, func(size int, cursor string) (egrid.RowPage, error) {
			query.Limit, query.Cursor = size, cursor
			page, err := egrid.Plants(a.ctx, store, query)
			return page.RowPage, err
		}))
	})
}

type rowsCmd struct {
	Level string `help:"UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL or DEMO." required:""`
	selection
}

func (c *rowsCmd) Run(a *app) error {
	level, err := egrid.ParseLevel(c.Level)
	if err != nil {
		return err
	}
	query := egrid.RowQuery{Level: level, Year: c.Year, Release: c.Release, Search: c.Search, Columns: c.columns()}
	if query.Filters, err = c.filters(); err != nil {
		return err
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	return a.withData(func(store driver.Store) error {
		return a.print(c.Format, pages(c.Limit, func(size int, cursor string) (egrid.RowPage, error) {
			query.Limit, query.Cursor = size, cursor
			return store.Rows(a.ctx, query)
		}))
	})
}

// withData is withStore for questions: it says when there is nothing to ask.
func (a *app) withData(f func(driver.Store) error) error {
	return a.withStore(func(store service.Store) error {
		catalog, err := store.Catalog(a.ctx)
		if err != nil {
			return err
		}
		if catalog.Revision == 0 {
			fmt.Fprintf(a.stderr, "egrid: nothing is published in %s; load files with egrid load\n", a.cli.Store)
		}
		return f(store)
	})
}

// print writes an answer. Only a table is held in memory.
func (a *app) print(format string, answer iter.Seq2[egrid.RowPage, error]) error {
	var p printer
	switch format {
	case "csv":
		p = &csvPrinter{w: csv.NewWriter(a.stdout)}
	case "json":
		p = &jsonPrinter{w: a.stdout, before: "[", between: ",\n", after: "]\n"}
	case "ndjson":
		p = &jsonPrinter{w: a.stdout, between: "\n", after: "\n"}
	default:
		p = &tablePrinter{w: a.stdout}
	}
	for page, err := range answer {
		if err != nil {
			return err
		}
		if err := p.page(page); err != nil {
			return err
		}
	}
	return p.end()
}

type printer interface {
	page(egrid.RowPage) error
	end() error
}

type csvPrinter struct {
	w      *csv.Writer
	headed bool
}

func (p *csvPrinter) page(page egrid.RowPage) error {
	if page.Schema == nil {
		return nil
	}
	if !p.headed {
		p.headed = true
		if err := p.w.Write(names(page.Schema)); err != nil {
			return err
		}
	}
	for _, row := range page.Rows {
		if err := p.w.Write(cells(row)); err != nil {
			return err
		}
	}
	return nil
}

func (p *csvPrinter) end() error {
	p.w.Flush()
	return p.w.Error()
}

func names(s *egrid.Schema) []string {
	names := make([]string, s.Len())
	for i, c := range s.Columns() {
		names[i] = string(c)
	}
	return names
}

func cells(row egrid.Row) []string {
	texts := make([]string, len(row.Values))
	for i, v := range row.Values {
		texts[i] = v.String()
	}
	return texts
}

type jsonPrinter struct {
	w                      io.Writer
	before, between, after string
	rows                   int
}

func (p *jsonPrinter) page(page egrid.RowPage) error {
	for _, row := range page.Rows {
		b, err := json.Marshal(row)
		if err != nil {
			return err
		}
		lead := p.between
		if p.rows == 0 {
			lead = p.before
		}
		p.rows++
		if _, err := fmt.Fprint(p.w, lead, string(b)); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonPrinter) end() error {
	tail := p.after
	if p.rows == 0 {
		tail = p.before + strings.TrimPrefix(p.after, "\n")
	}
	_, err := io.WriteString(p.w, tail)
	return err
}

type tablePrinter struct {
	w     io.Writer
	table terminal.Table
}

func (p *tablePrinter) page(page egrid.RowPage) error {
	if page.Schema == nil {
		return nil
	}
	if p.table.Header == nil {
		p.table.Header = names(page.Schema)
		for _, f := range page.Schema.Fields() {
			p.table.Right = append(p.table.Right, f.Type == egrid.Number || f.Type == egrid.Integer)
		}
	}
	for _, row := range page.Rows {
		texts := cells(row)
		for i, v := range row.Values {
			if x, ok := v.Float(); ok && v.Type() == egrid.Number {
				texts[i] = readable(x, page.Schema.Field(i).Unit)
			} else {
				texts[i] = strings.Join(strings.Fields(texts[i]), " ")
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

func (p *tablePrinter) end() error { return p.table.Write(p.w) }
