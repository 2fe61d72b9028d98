package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// preferred are the columns of a level that a table has where nobody names others,
// what matters most first.
func preferred(level egrid.Level) []egrid.Column {
	rates := []egrid.Column{
		egrid.NameplateCapacity, egrid.NetGeneration, egrid.CO2eRate, egrid.CO2Rate, egrid.CO2e, egrid.NOxRate, egrid.SO2Rate, egrid.CoalShare, egrid.GasShare,
		egrid.NuclearShare, egrid.HydroShare, egrid.WindShare, egrid.SolarShare,
	}
	switch level {
	case egrid.UNT:
		return []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.UnitID, egrid.Fuel, egrid.PrimeMover, egrid.OperatingStatus, egrid.HeatInput, egrid.CO2, egrid.NOx, egrid.SO2}
	case egrid.GEN:
		return []egrid.Column{
			egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.Fuel, egrid.NameplateCapacity, egrid.NetGeneration, egrid.PrimeMover, egrid.OperatingStatus,
			egrid.CapacityFactor, "year_online",
		}
	case egrid.PLNT:
		return append([]egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.Fuel}, append(rates[:3:3], egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion, egrid.CO2e, egrid.CapacityFactor)...)
	case egrid.ST:
		return append([]egrid.Column{egrid.State}, rates...)
	case egrid.BA:
		return append([]egrid.Column{egrid.BalancingAuthority, egrid.BalancingAuthorityName}, rates...)
	case egrid.SRL:
		return append([]egrid.Column{egrid.Subregion, "subregion_name"}, rates...)
	case egrid.NRL:
		return append([]egrid.Column{egrid.NERCRegion, "nerc_region_name"}, rates...)
	case egrid.US:
		return append([]egrid.Column{egrid.Year}, rates...)
	case egrid.GGL:
		return []egrid.Column{egrid.Region, egrid.GridGrossLoss}
	}
	return nil
}

// table says how the columns of an answer are shown in a table, unless somebody named
// them.
func (o *output) table(named []string, answer *store.Answer, prefer []egrid.Column, everyYear bool) {
	if len(named) > 0 {
		return
	}
	if everyYear && !slices.Contains(prefer, egrid.Year) {
		prefer = append([]egrid.Column{egrid.Year, egrid.ReleaseColumn}, prefer...)
	}
	o.prefer = slices.DeleteFunc(slices.Clone(prefer), func(c egrid.Column) bool { return !answer.Schema.Has(c) })
}

// tablePrinter writes a table that fits the terminal.
type tablePrinter struct {
	w       io.Writer
	o       *output
	width   int
	schema  *egrid.Schema
	batches []*egrid.Batch

	shown, of int
}

func (p *tablePrinter) Write(b *egrid.Batch) error {
	p.batches = append(p.batches, b)
	return nil
}

// Close prints the table, now that all of it is known.
func (p *tablePrinter) Close() error {
	rows := 0
	for _, b := range p.batches {
		rows += b.Len()
	}
	if rows == 0 {
		return nil // what there is to say is said on stderr
	}
	places := p.places()
	asked := p.o.all || p.o.Wide || p.asked()
	sheet := terminal.Sheet{Width: p.width, All: asked, Records: p.o.records}
	if p.o.Wide {
		sheet.Width = 0
	}
	if rows == 1 && !asked && len(places) < p.schema.Len() {
		sheet.Records = true
	}
	if sheet.Records {
		places = p.every()
	}
	for _, at := range places {
		sheet.Columns = append(sheet.Columns, p.column(at, sheet.Records))
	}
	p.of = p.schema.Len()
	if sheet.Records {
		p.of = 0 // cells without a value are left out, and that shows
	}
	var err error
	p.shown, err = sheet.Write(p.w)
	return err
}

// asked reports whether the columns are those that somebody named, or all that an
// answer has.
func (p *tablePrinter) asked() bool { return len(p.o.prefer) == 0 }

// places are the columns to show: the preferred ones, with as many as fit of the
// others behind them where the whole is not asked for.
func (p *tablePrinter) places() []int {
	if p.asked() || p.o.Wide || p.o.all {
		return p.every()
	}
	var places []int
	for _, c := range p.o.prefer {
		places = append(places, p.schema.Index(c))
	}
	return slices.DeleteFunc(places, func(at int) bool { return p.empty(at) })
}

func (p *tablePrinter) every() []int {
	places := make([]int, p.schema.Len())
	for i := range places {
		places[i] = i
	}
	return places
}

// empty reports whether no row has a value in a column.
func (p *tablePrinter) empty(at int) bool {
	return !slices.ContainsFunc(p.batches, func(b *egrid.Batch) bool { return b.Column(at).Missing() < b.Len() })
}

// left says how many columns are left out; nothing where none is.
func (p *tablePrinter) left() string {
	if p.shown == 0 || p.shown >= p.of {
		return ""
	}
	return fmt.Sprintf("%d of %d columns; --wide shows all, --columns those that you name", p.shown, p.of)
}

// column is a column of the table. In records each number has its own decimals.
func (p *tablePrinter) column(at int, records bool) terminal.Column {
	f := p.schema.Field(at)
	c := terminal.Column{Name: string(f.Column), Unit: unitBeside(f), Right: f.Type == egrid.Number || f.Type == egrid.Integer}
	c.Keep = f.Type == egrid.Text && isCode(f.Column)
	if f.Type == egrid.Number && records && f.Unit != "degrees" {
		for _, b := range p.batches {
			for i := range b.Len() {
				text := ""
				if x, ok := b.Column(at).Float(i); ok {
					text = readable(x, f.Unit)
				}
				c.Cells = append(c.Cells, text)
			}
		}
		return c
	}
	if f.Type == egrid.Number {
		var xs []float64
		for _, b := range p.batches {
			for i := range b.Len() {
				x, ok := b.Column(at).Float(i)
				if !ok {
					x = math.NaN()
				}
				xs = append(xs, x)
			}
		}
		c.Cells = numbers(xs, f)
		return c
	}
	for _, b := range p.batches {
		for i := range b.Len() {
			c.Cells = append(c.Cells, text(b.Column(at).Value(i), f))
		}
	}
	return c
}

// isCode tells identifiers, which are not cut.
func isCode(c egrid.Column) bool {
	return slices.Contains(egrid.CodeColumns(), c) || slices.Contains([]egrid.Column{egrid.PlantCode, egrid.GeneratorID, egrid.UnitID, egrid.ZIPCode, egrid.ReleaseColumn, store.BasisColumn}, c)
}

// numbers writes a column of numbers; places on the map have four decimals.
func numbers(xs []float64, f egrid.Field) []string {
	if f.Unit != "degrees" {
		return terminal.Numbers(xs)
	}
	texts := make([]string, len(xs))
	for i, x := range xs {
		if !math.IsNaN(x) {
			texts[i] = terminal.Decimals(x, 4)
		}
	}
	return texts
}

// text writes a value that is no number of type number. Counts have their thousands
// apart; years and sequences are no counts.
func text(v egrid.Value, f egrid.Field) string {
	if n, ok := v.Int(); ok && !strings.Contains(string(f.Column), "year") && f.Column != egrid.Sequence && !strings.HasSuffix(string(f.Column), "_id") {
		return terminal.Thousands(n)
	}
	return strings.Join(strings.Fields(v.String()), " ")
}

// unitBeside is the unit of a column whose name does not end in it.
func unitBeside(f egrid.Field) string {
	name := strings.NewReplacer(" ", "_", "/", "_per_").Replace(strings.ToLower(f.Unit))
	if f.Unit == "" || strings.HasSuffix(string(f.Column), name) {
		return ""
	}
	return f.Unit
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

// sheet prints columns that are no answer of a store, fitted to the terminal.
func (a *app) sheet(columns []terminal.Column, wide bool) error {
	paged, err := terminal.Pager(a.stdout, a.cli.Pager)
	if err != nil {
		return err
	}
	s := terminal.Sheet{Columns: columns, Width: terminal.Columns(a.stdout)}
	if wide {
		s.Width = 0
	}
	shown, err := s.Write(paged)
	if err = errors.Join(err, paged.Close()); err == nil && shown < len(columns) {
		a.tell("%d of %d columns; --wide shows all", shown, len(columns))
	}
	return err
}

// choose leaves some columns of a batch, by name or by EPA's code.
func choose(b *egrid.Batch, columns []egrid.Column, asked bool) (*egrid.Batch, error) {
	if !asked {
		return b, nil
	}
	var fields []egrid.Field
	var from []int
	for _, name := range columns {
		at := b.Schema().Index(name)
		for _, level := range []egrid.Level{egrid.PLNT, egrid.GEN} {
			if f, ok := egrid.Lookup(level, string(name)); ok && at < 0 {
				at = b.Schema().Index(f.Column)
			}
		}
		if at < 0 {
			var names []string
			for _, c := range b.Schema().Columns() {
				names = append(names, string(c))
			}
			hint := "; egrid columns lists them"
			if meant := egrid.Nearest(string(name), names); meant != "" {
				hint = "; did you mean " + meant + "?"
			}
			return nil, fmt.Errorf("%w: the answer has no column %q%s", egrid.ErrInvalid, name, hint)
		}
		if !slices.Contains(from, at) {
			fields, from = append(fields, b.Schema().Field(at)), append(from, at)
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return nil, err
	}
	return b.Project(schema, from), nil
}

// answerOf is a page that is an answer by itself.
func answerOf(page *egrid.RowPage) store.Answer {
	batch := page.Batch
	return store.Answer{Schema: batch.Schema(), Revision: page.Revision, Snapshots: page.Snapshots, Batches: func(yield func(*egrid.Batch, error) bool) { yield(batch, nil) }}
}
