package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// ofFigures are the levels that factors and explanations are read from.
func ofFigures(*request) []egrid.Level {
	return append([]egrid.Level{egrid.PLNT, egrid.GGL}, calc.RegionLevels()...)
}

const factorDetails = "The value is formula over inputs, at full precision, so that anybody can do the sum again; published is EPA's rounded figure of the same factor. " +
	"A region's own sheet answers, or else its plants; sheets of different releases are never mixed. " +
	"Kind output is for an inventory by location, nonbaseload for what is saved or added, combustion is per MWh of generation that burns fuel, and input per unit of fuel. " +
	"co2e counts CH4 and N2O as the edition was published, or by the GWP asked for."

func (a *api) factorOperations() {
	code := func(name, doc string) parameter {
		return parameter{name: name, upper: true, doc: doc, schema: huma.Schema{MaxLength: new(60)}}
	}
	flag := func(name, doc string) parameter {
		return parameter{name: name, doc: doc, schema: huma.Schema{Enum: []any{"true", "false"}}}
	}
	params := []parameter{
		code("subregion", "eGRID subregion, as CAMX. One place is given: a subregion, state, ba, nerc, us, or plants."), code("state", "State, as TX."),
		code("ba", "Code of a balancing authority, as CISO."), code("nerc", "NERC region, as WECC."), flag("us", "The United States."),
		{name: "plants", list: true, doc: "ORIS codes: a factor of these plants together.", schema: huma.Schema{MaxLength: new(60)}},
		yearParam(), releaseParam(),
		oneOf("gas", "What is emitted; co2e when left out.", calc.Gases()), oneOf("kind", "What it is per; output when left out.", calc.Kinds()),
		gwpParam(), oneOf("adjustment", "What of the plants' emissions is left out: published, which is the default, is adjusted for biomass and for the useful heat of CHP; biomass and chp for one of these; unadjusted for none. Others than published are summed from plants, where their sheet has the columns.", calc.Adjustments()),
		unitParam(), flag("delivered", "Per MWh at the customer: grid gross loss of the interconnect is taken into account."),
		flag("explain", "List the plants, where their sheet is loaded."),
	}
	a.register(operation{
		id: "factor", path: "/factors", tag: "factors", summary: "An emission factor, with formula, inputs and sources",
		details: factorDetails, params: params, pins: ofFigures, schema: a.component(typeOf[wire.Factor]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.factor(ctx, in) },
	})
	a.register(operation{
		id: "explain", path: "/explain/{level}/{code}/{column}", tag: "factors", summary: "One published number, and what it follows from",
		details: "The formula, its inputs, the plants with their weights, and the record that holds the number. Plants are listed where their sheet of the same release is loaded.",
		params: []parameter{
			levelsParam(ofFigures(nil)), {name: "code", path: true, doc: "ORIS code of a plant, code of a region, or name of an interconnect; US for the United States.", schema: huma.Schema{MaxLength: new(60)}},
			{name: "column", path: true, doc: "Name or EPA's code of a column, as co2_output_rate_lb_per_mwh or SRCO2RTA.", schema: huma.Schema{MaxLength: new(100)}},
			yearParam(), releaseParam(),
		},
		pins: ofFigures, schema: a.component(typeOf[wire.Explanation]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.explain(ctx, in) },
	})
	queries := a.batchOf(typeOf[wire.FactorQuery](), maxFactors)
	a.registerQuestion(&question{
		operation: operation{id: "factors", path: "/factors", tag: "factors", summary: "Up to 1,000 emission factors at once", formats: []format{{name: formatJSON, mediaType: wire.TypeJSON}},
			details: "One result for each query, in their order: a factor, or why there is none. All are of one state of the data. " + factorDetails},
		takes: map[string]*huma.MediaType{wire.TypeJSON: {Schema: queries, Example: []wire.FactorQuery{
			{Subregion: "CAMX", Year: 2023, Unit: "kg/MWh"}, {State: "TX", Year: 2023, Gas: "co2", Kind: "nonbaseload"},
		}}},
		reply: a.batch(queries, a.factors),
	}, map[string]*huma.MediaType{wire.TypeJSON: {Schema: a.envelope(a.schemaOf(typeOf[[]wire.FactorResult]()))}})
	a.inventoryOperation()
}

// maxFactors is how many factors one request may ask for.
const maxFactors = 1000

func levelsParam(levels []egrid.Level) parameter {
	p := parameter{name: "level", path: true, upper: true, doc: "Sheet of the workbook."}
	for _, l := range levels {
		p.schema.Enum = append(p.schema.Enum, string(l))
	}
	return p
}

func oneOf[T ~string](name, doc string, values []T) parameter {
	p := parameter{name: name, doc: doc}
	for _, v := range values {
		p.schema.Enum = append(p.schema.Enum, string(v))
	}
	return p
}

func gwpParam() parameter {
	p := parameter{name: "gwp", doc: "Global warming potentials of co2e: published, which is the default, or of an assessment report of the IPCC."}
	p.schema.Enum = []any{calc.GWPPublished}
	for _, g := range calc.GWPs() {
		p.schema.Enum = append(p.schema.Enum, g.Name)
	}
	return p
}

func unitParam() parameter {
	return oneOf("unit", "Unit of the factor: of energy where it is per MWh, of heat where its kind is input.", append(calc.FactorUnits(calc.Output), calc.FactorUnits(calc.HeatInput)...))
}

func (a *api) factor(ctx context.Context, in *request) (*answer, error) {
	q, err := wire.FactorQuery{
		Subregion: in.text("subregion"), State: in.text("state"), BA: in.text("ba"), NERC: in.text("nerc"), US: in.text("us") == "true", Plants: in.values["plants"],
		Year: wire.Whole(in.number("year")), Release: in.text("release"), Gas: in.text("gas"), Kind: in.text("kind"),
		GWP: in.text("gwp"), Unit: in.text("unit"), Delivered: in.text("delivered") == "true", Adjustment: in.text("adjustment"),
	}.Query()
	if err != nil {
		return nil, err
	}
	q.Explain = in.text("explain") == "true"
	f, err := a.answers.Factor(ctx, in.data.db, q)
	if err != nil {
		return nil, err
	}
	w := wire.FactorOf(&f)
	m := in.meta()
	m.Year, m.Release, m.snapshots = &w.Year, &w.Release, f.Snapshots
	return &answer{value: w, meta: m.of(1, map[string]string{"value": w.Unit, "published": w.Unit})}, nil
}

func (a *api) explain(ctx context.Context, in *request) (*answer, error) {
	x, err := a.answers.Explain(ctx, in.data.db, calc.ExplainQuery{
		Level: egrid.Level(in.text("level")), Code: in.text("code"), Column: in.text("column"), Year: in.number("year"), Release: in.text("release"),
	})
	if err != nil {
		return nil, err
	}
	w := wire.ExplanationOf(&x)
	m := in.meta()
	m.Year, m.Release, m.snapshots = &w.Year, &w.Release, x.Snapshots
	units := map[string]string{}
	if w.Unit != "" {
		units["published"], units["recomputed"] = w.Unit, w.Unit
	}
	return &answer{value: w, meta: m.of(1, units)}, nil
}

// factors answers a batch. What is wrong with one query is told in its place.
func (a *api) factors(ctx context.Context, in *request, body []byte) (any, int, error) {
	var queries []wire.FactorQuery
	if err := json.Unmarshal(body, &queries); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
	}
	results := make([]wire.FactorResult, len(queries))
	for i := range queries {
		q, err := queries[i].Query()
		var f calc.Factor
		if err == nil {
			f, err = a.answers.Factor(ctx, in.data.db, q)
		}
		switch {
		case err == nil:
			w := wire.FactorOf(&f)
			results[i].Factor = &w
		case errors.Is(err, egrid.ErrInvalid), errors.Is(err, egrid.ErrNotFound):
			results[i].Error = a.problemOf(in.http, err)
		default:
			return nil, 0, err
		}
	}
	return results, len(results), nil
}
