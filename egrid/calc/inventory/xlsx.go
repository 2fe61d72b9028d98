package inventory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// XLSX reads a table of sites as [CSV] does, and writes a workbook: the sites with
// their emissions on the first sheet, and on the second, About, the totals and, for
// who has to check the inventory, the factor of each place with its formula, inputs
// and files. Errors: as CSV, and [egrid.ErrInvalid] for more sites than a sheet has
// rows.
func XLSX(ctx context.Context, db *store.DB, r io.Reader, w io.Writer, o *Options) (Totals, error) {
	return run(ctx, db, r, w, o, &xlsxForm{})
}

// xlsxForm makes a workbook of batches of rows.
type xlsxForm struct {
	file  export.Writer
	about export.About
	part  bytes.Buffer // of the file that is not passed on yet
	rows  *egrid.Builder
}

// batchRows is how many rows are kept before they are written.
const batchRows = 1000

func (x *xlsxForm) begin(dst []byte, header []string) ([]byte, error) {
	var fields []egrid.Field
	for _, name := range slices.Concat(header, Columns()) {
		field := egrid.Field{Column: egrid.Column(name), Type: egrid.Text}
		if i := slices.Index(Columns(), name); len(fields) >= len(header) && i >= 0 {
			field.Type, field.Unit = typeOf(name)
		}
		for n := 2; field.Column == "" || slices.ContainsFunc(fields, func(f egrid.Field) bool { return f.Column == field.Column }); n++ {
			field.Column = egrid.Column(strings.TrimSpace(name + " " + strconv.Itoa(n)))
		}
		fields = append(fields, field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return dst, err
	}
	x.rows, x.file = egrid.NewBuilder(schema, 0), export.XLSX().New(&x.part, schema, &x.about)
	return x.pass(dst), nil
}

// typeOf is the type and unit of one of Columns.
func typeOf(name string) (egrid.Type, string) {
	switch {
	case name == "egrid_year":
		return egrid.Integer, ""
	case strings.HasSuffix(name, "_kg"):
		return egrid.Number, "kg"
	case strings.HasSuffix(name, "_kg_per_mwh"):
		return egrid.Number, "kg/MWh"
	case name == "electricity_mwh":
		return egrid.Number, "MWh"
	}
	return egrid.Text, ""
}

// pass moves what there is of the file to dst.
func (x *xlsxForm) pass(dst []byte) []byte {
	dst = append(dst, x.part.Bytes()...)
	x.part.Reset()
	return dst
}

func (x *xlsxForm) row(dst []byte, n int64, header, record []string, a *Answer) ([]byte, error) {
	for i, cell := range record[:min(len(header), len(record))] {
		if cell != "" {
			x.rows.Text(i, []byte(cell))
		}
	}
	for i, v := range a.values() {
		if err := x.rows.Value(len(header)+i, v); err != nil {
			return dst, err
		}
	}
	x.rows.EndRow(n, 0)
	if x.rows.Len() < batchRows {
		return dst, nil
	}
	err := x.flush()
	return x.pass(dst), err
}

func (x *xlsxForm) flush() error {
	b := x.rows.Batch()
	x.rows.Reset(b.Schema(), 0)
	return x.file.Write(b)
}

func (x *xlsxForm) end(dst []byte, t *Totals) ([]byte, error) {
	x.about.More = t.facts()
	err := x.flush()
	if err == nil {
		err = x.file.Close()
	}
	return x.pass(dst), err
}

// values are the cells of Columns.
func (a *Answer) values() []egrid.Value {
	answered, p := a.Reason == "", a.Place
	values := make([]egrid.Value, 0, len(Columns()))
	number := func(known bool, x float64) {
		if !known {
			x = math.NaN()
		}
		values = append(values, egrid.NumberOf(x))
	}
	text := func(s string) { values = append(values, egrid.TextOf(s)) }
	number(answered, a.MWh)
	if p == nil {
		values = append(values, make([]egrid.Value, 7)...)
	} else {
		text(string(p.Level))
		text(p.Code)
		text(string(p.Precision))
		values = append(values, egrid.IntegerOf(int64(p.Year)))
		text(p.Release)
		text(p.Authority)
		number(true, p.Rates[CO2e])
	}
	for i := range gasNames {
		if answered {
			number(true, a.MWh*p.Rates[i])
		} else {
			number(false, 0)
		}
	}
	if answered && p.Loss >= 0 {
		number(true, p.losses(a.MWh))
	} else {
		number(false, 0)
	}
	if p != nil {
		text(p.source)
	} else {
		text("")
	}
	text(a.Note)
	text(a.Reason)
	return values
}

// facts tell of the totals, the reasons, and the factor of each place.
func (t *Totals) facts() []export.Fact {
	kg := func(x float64) string { return egrid.SumOf(x).String() + " kg" }
	facts := []export.Fact{
		{Name: "sites", Value: fmt.Sprintf("%d, of which %d have emissions", t.Sites, t.Answered)},
		{Name: "electricity", Value: egrid.SumOf(t.MWh).String() + " MWh"},
		{Name: "CO2", Value: kg(t.Kilograms[CO2])}, {Name: "CH4", Value: kg(t.Kilograms[CH4])}, {Name: "N2O", Value: kg(t.Kilograms[N2O])},
		{Name: "CO2e", Value: kg(t.Kilograms[CO2e])}, {Name: "CO2e of losses", Value: kg(t.Losses)},
		{Name: "method", Value: "Location-based: electricity in MWh times the output emission rate of the place. Losses: emissions times GGL/(1-GGL), a Scope 3 figure."},
	}
	for _, p := range t.Places {
		about := []string{p.Factor.Citation(), "Formula: " + p.Factor.Formula + "."}
		for _, name := range sortedNames(p.Factor.Inputs) {
			in := p.Factor.Inputs[name]
			about = append(about, fmt.Sprintf("%s = %s %s (%s).", name, egrid.NumberOf(in.Value), in.Unit, strings.TrimSpace(string(in.Level)+" "+in.Code+" "+in.Of)))
		}
		if p.Loss >= 0 {
			about = append(about, "Grid gross loss: "+egrid.NumberOf(p.Loss).String()+".")
		}
		facts = append(facts, export.Fact{Name: fmt.Sprintf("factor of %s %s %d, by %s", p.Level, p.Code, p.Year, p.Precision), Value: strings.Join(append(about, p.Factor.Notes...), " ")})
	}
	for _, column := range sortedNames(t.Incomplete) {
		facts = append(facts, export.Fact{Name: "incomplete: " + column, Value: fmt.Sprintf("%d answered sites have no figure: the sum is of the others", t.Incomplete[column])})
	}
	for _, reason := range sortedNames(t.Reasons) {
		facts = append(facts, export.Fact{Name: fmt.Sprintf("%d without emissions", t.Reasons[reason]), Value: reason})
	}
	return facts
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
