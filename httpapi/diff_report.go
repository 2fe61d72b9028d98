package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/comparison"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// maxReported is how many factors, columns and plants a report has of each.
const maxReported = 100

func (a *api) diffReportOperation() {
	a.register(operation{
		id: "diff-report", path: "/diff/report", tag: "levels", summary: "What a new release or edition means, as one page",
		details: "Emission factors that moved, columns that changed, plants that moved, came or went: the sum of each, and the first 100 of each. format=html is a page to read, print and keep. " + pairDetails,
		params:  pairParams(), schema: a.component(typeOf[wire.Report]()), pair: true, page: &pageWriter{writeReport, comparison.Policy()},
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.diffReport(ctx, in) },
	})
}

func writeReport(w io.Writer, value any) error {
	r, ok := value.(wire.Report)
	if !ok {
		return fmt.Errorf("httpapi: the page of a comparison is not made of %T", value)
	}
	return comparison.Write(w, &r)
}

func (a *api) diffReport(ctx context.Context, in *request) (*answer, error) {
	levels := append(calc.FactorLevels(), egrid.GEN)
	if _, err := in.findPair(ctx, levels); err != nil {
		return nil, err
	}
	r, err := a.report(ctx, in)
	if err != nil {
		return nil, err
	}
	m := in.meta()
	if in.pair.From.Year == in.pair.To.Year {
		m.Year = &in.pair.To.Year
	}
	return &answer{value: *r, meta: m.of(1, nil)}, nil
}

// report compares what the editions have in common. What they have not is a note.
func (a *api) report(ctx context.Context, in *request) (*wire.Report, error) {
	r := &wire.Report{FactorChanges: []wire.FactorChange{}, ColumnChanges: []wire.ColumnChange{}, PlantChanges: []wire.PlantChange{}}
	r.From, r.To = wire.ComparedEditionOf(in.pair.From.Snapshots), wire.ComparedEditionOf(in.pair.To.Snapshots)
	r.Notes, r.Citation = []string{}, calc.CitePair("Comparison", in.pair.From.Snapshots, in.pair.To.Snapshots)
	for _, part := range []func(context.Context, *request, *wire.Report) error{a.reportFactors, a.reportColumns, a.reportPlants} {
		switch err := part(ctx, in, r); {
		case errors.Is(err, egrid.ErrNotFound):
			r.Notes = append(r.Notes, sentence(err))
		case err != nil:
			return nil, err
		}
	}
	return r, nil
}

// sentence is what an error says that something is not found.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), egrid.ErrNotFound.Error()+": ")
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

func (a *api) reportFactors(ctx context.Context, in *request, r *wire.Report) error {
	d, err := a.differences.ofFactors(ctx, in)
	if err != nil {
		return err
	}
	c := wire.FactorComparisonOf(d)
	r.Factors, r.From.GWP, r.To.GWP = c.Factors, c.From.GWP, c.To.GWP
	r.Notes = append(r.Notes, c.Notes...)
	for i := range d.Changes {
		if c := &d.Changes[i]; c.Change != calc.Same && (c.Kind == calc.Output || c.Kind == calc.Nonbaseload) && len(r.FactorChanges) < maxReported {
			r.FactorChanges = append(r.FactorChanges, wire.FactorChangeOf(c))
		}
	}
	return nil
}

func (a *api) reportColumns(ctx context.Context, in *request, r *wire.Report) error {
	all, err := a.differences.ofLevels(ctx, in, calc.FactorLevels())
	if err != nil {
		return err
	}
	r.Levels = wire.ColumnComparisonOf(all).Levels
	list := columnChanges(all, false)
	r.ColumnChanges = append(r.ColumnChanges, list[:min(maxReported, len(list))]...)
	return nil
}

func (a *api) reportPlants(ctx context.Context, in *request, r *wire.Report) error {
	d, err := a.differences.ofPlants(ctx, in)
	if err != nil {
		return err
	}
	c := wire.PlantComparisonOf(d)
	r.Plants, r.Notes = c.Plants, append(r.Notes, c.Notes...)
	for i := range d.Changes[:min(maxReported, len(d.Changes))] {
		r.PlantChanges = append(r.PlantChanges, wire.PlantChangeOf(&d.Changes[i]))
	}
	return nil
}
