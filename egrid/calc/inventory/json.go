package inventory

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// JSON reads a table of sites as [CSV] does, and writes one document:
//
//	{"sites": [{"site": {...}, "answer": {...}}], "totals": {...}, "methods": [...]}
//
// A site has the cells of the table as texts, an answer the [Columns] with null for
// what is missing. Methods tell of each place that sites were placed in: the
// factor, its formula, inputs and files, for who has to check the inventory.
func JSON(ctx context.Context, db *store.DB, r io.Reader, w io.Writer, o *Options) (Totals, error) {
	return run(ctx, db, r, w, o, jsonForm{})
}

type jsonForm struct{}

func (jsonForm) begin(dst []byte, _ []string) ([]byte, error) {
	return append(dst, `{"sites":[`...), nil
}

func (jsonForm) row(dst []byte, n int64, header, record []string, a *Answer) ([]byte, error) {
	if n > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, "\n"+`{"site":{`...)
	for i, name := range header {
		if i > 0 {
			dst = append(dst, ',')
		}
		cell := ""
		if i < len(record) {
			cell = record[i]
		}
		dst = appendText(append(appendText(dst, name), ':'), cell)
	}
	dst = append(dst, `},"answer":{`...)
	for i, cell := range a.cells() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(appendText(dst, cell.name), ':'), cell.value...)
	}
	return append(dst, "}}"...), nil
}

func (jsonForm) end(dst []byte, t *Totals) ([]byte, error) {
	dst = append(dst, "\n"+`],"totals":`...)
	dst = appendJSON(dst, totalsForm{
		Sites: t.Sites, Answered: t.Answered, MWh: egrid.SumOf(t.MWh), CO2: egrid.SumOf(t.Kilograms[CO2]), CH4: egrid.SumOf(t.Kilograms[CH4]),
		N2O: egrid.SumOf(t.Kilograms[N2O]), CO2e: egrid.SumOf(t.Kilograms[CO2e]), Losses: egrid.SumOf(t.Losses), Reasons: t.Reasons, Incomplete: t.Incomplete,
	})
	dst = append(dst, `,"methods":[`...)
	for i, p := range t.Places {
		if i > 0 {
			dst = append(dst, ',')
		}
		m := methodForm{
			Level: p.Level, Region: p.Code, Precision: p.Precision, Year: p.Year, Release: p.Release, Authority: p.Authority,
			Factor: egrid.NumberOf(p.Rates[CO2e]), Formula: p.Factor.Formula, Inputs: map[string]inputForm{}, Citation: p.Factor.Citation(), Notes: append([]string{}, p.Factor.Notes...),
		}
		for name, in := range p.Factor.Inputs {
			m.Inputs[name] = inputForm{egrid.NumberOf(in.Value), in.Unit, in.Level, in.Code, in.Column, in.Of}
		}
		if p.Loss >= 0 {
			m.Loss = egrid.NumberOf(p.Loss)
		}
		dst = appendJSON(append(dst, '\n'), m)
	}
	return append(dst, "\n]}\n"...), nil
}

type totalsForm struct {
	Sites    int64            `json:"sites"`
	Answered int64            `json:"answered"`
	MWh      egrid.Value      `json:"electricity_mwh"`
	CO2      egrid.Value      `json:"co2_kg"`
	CH4      egrid.Value      `json:"ch4_kg"`
	N2O      egrid.Value      `json:"n2o_kg"`
	CO2e     egrid.Value      `json:"co2e_kg"`
	Losses   egrid.Value      `json:"losses_co2e_kg"`
	Reasons  map[string]int64 `json:"reasons"`

	Incomplete map[string]int64 `json:"incomplete"`
}

type methodForm struct {
	Level     egrid.Level          `json:"egrid_level"`
	Region    string               `json:"egrid_region"`
	Precision Precision            `json:"precision"`
	Year      int                  `json:"egrid_year"`
	Release   string               `json:"egrid_release"`
	Authority string               `json:"egrid_authority"`
	Factor    egrid.Value          `json:"factor_co2e_kg_per_mwh"`
	Loss      egrid.Value          `json:"grid_gross_loss"`
	Formula   string               `json:"formula"`
	Inputs    map[string]inputForm `json:"inputs"`
	Citation  string               `json:"citation"`
	Notes     []string             `json:"notes"`
}

type inputForm struct {
	Value  egrid.Value  `json:"value"`
	Unit   string       `json:"unit"`
	Level  egrid.Level  `json:"level"`
	Code   string       `json:"code"`
	Column egrid.Column `json:"column"`
	Of     string       `json:"of,omitempty"`
}

// jsonCell is a cell of Columns, its value as JSON.
type jsonCell struct {
	name  string
	value []byte
}

func (a *Answer) cells() []jsonCell {
	number := func(x float64, decimals int) []byte { return strconv.AppendFloat(nil, x, 'f', decimals, 64) }
	values := make([][]byte, 0, len(Columns()))
	add := func(known bool, value []byte) {
		if !known {
			value = []byte("null")
		}
		values = append(values, value)
	}
	answered, p := a.Reason == "", a.Place
	if p == nil {
		p = &Place{Loss: -1}
	}
	placed := a.Place != nil
	add(answered, appendJSON(nil, egrid.NumberOf(a.MWh)))
	for _, text := range []string{string(p.Level), p.Code, string(p.Precision)} {
		add(placed, appendText(nil, text))
	}
	add(placed, strconv.AppendInt(nil, int64(p.Year), 10))
	add(placed, appendText(nil, p.Release))
	add(placed, appendText(nil, p.Authority))
	add(placed, number(p.Rates[CO2e], 6))
	for _, rate := range p.Rates {
		add(answered && !math.IsNaN(rate), number(a.MWh*rate, 3))
	}
	add(answered && p.Loss >= 0, number(p.losses(a.MWh), 3))
	add(placed, appendText(nil, p.source))
	add(a.Note != "", appendText(nil, a.Note))
	add(!answered, appendText(nil, a.Reason))
	cells := make([]jsonCell, len(values))
	for i, name := range Columns() {
		cells[i] = jsonCell{name, values[i]}
	}
	return cells
}

func appendText(dst []byte, s string) []byte { return appendJSON(dst, s) }

// appendJSON writes what has a JSON form: texts, numbers, and structs of them.
func appendJSON(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs only
	}
	return append(dst, b...)
}
