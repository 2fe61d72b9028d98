package httpapi

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// charts are the diagrams, by the column that makes their points.
var charts = map[string]struct {
	title, x string
	column   egrid.Column
}{
	"by-state":     {"Net generation by state", "State", egrid.State},
	"by-year":      {"Net generation by data year", "Data year", egrid.Year},
	"by-fuel":      {"Net generation by fuel category", "Fuel category", egrid.FuelCategoryColumn},
	"by-subregion": {"Net generation by eGRID subregion", "eGRID subregion", egrid.Subregion},
}

func (a *api) chartOperation(where []parameter) {
	a.register(operation{
		id: "plant-chart", path: "/plants/chart/{type}", tag: "plants", summary: "Net generation, ready to draw", details: totalDetails,
		params: append([]parameter{{name: "type", path: true, schema: huma.Schema{Enum: []any{"by-state", "by-year", "by-fuel", "by-subregion"}}}}, where...),
		schema: a.schemaOf(typeOf[wire.Chart]()),
		pins:   ofTotals,
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.chart(ctx, in.text("type")) },
	})
}

func (in *request) chart(ctx context.Context, kind string) (*answer, error) {
	about := charts[kind]
	c := wire.Chart{Type: kind, Title: about.title, Unit: "MWh", XLabel: about.x, YLabel: "Net generation (MWh)"}
	query := in.plantQuery()
	if kind == "by-year" && (query.Year != 0 || query.Release != "") {
		return nil, fmt.Errorf("%w: the chart by-year shows every data year in its newest release; leave year and release out", egrid.ErrInvalid)
	}
	page, err := in.data.db.Totals(ctx, about.column, query)
	if err != nil {
		return nil, err
	}
	m := totalsMeta(&page)
	if m.Year != nil {
		c.Title += fmt.Sprintf(", %d", *m.Year)
	}
	series := wire.Series{Name: "Net generation", Points: []wire.Point{}}
	for row := range page.Rows() {
		series.Points = append(series.Points, wire.Point{
			X: row.At(0), Y: wire.NumberOf(row.Value(egrid.NetGeneration)),
			Basis: egrid.Level(row.Text(store.BasisColumn)), Release: row.Text(egrid.ReleaseColumn),
		})
	}
	c.Series = []wire.Series{series}
	return &answer{value: c, meta: m.of(len(series.Points), map[string]string{"y": c.Unit})}, nil
}

func (a *api) statisticsOperation() {
	a.register(operation{
		id: "statistics", path: "/plants/statistics", tag: "plants", summary: "Counts, totals and the last load", details: totalDetails,
		params: []parameter{yearParam()}, schema: a.schemaOf(typeOf[wire.Statistics]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.statistics(ctx) },
	})
}

func (in *request) statistics(ctx context.Context) (*answer, error) {
	s := wire.Statistics{Levels: []wire.LevelStatistics{}}
	newest := map[egrid.Level]map[int]*egrid.Snapshot{}
	for i := range in.data.catalog.Snapshots {
		snap := &in.data.catalog.Snapshots[i]
		if snap.Status != egrid.Published {
			continue
		}
		if newest[snap.Level] == nil {
			newest[snap.Level] = map[int]*egrid.Snapshot{}
		}
		newest[snap.Level][snap.Year] = snap // releases come oldest first
		if s.FirstYear == nil || snap.Year < *s.FirstYear {
			s.FirstYear = &snap.Year
		}
		if s.LastYear == nil || snap.Year > *s.LastYear {
			s.LastYear = &snap.Year
		}
		if s.LastLoad == nil || snap.LoadedAt.After(*s.LastLoad) {
			s.LastLoad = &snap.LoadedAt
		}
	}
	for _, level := range egrid.Levels() {
		if years := in.data.catalog.Years(level); len(years) > 0 {
			l := wire.LevelStatistics{Level: level, Years: years}
			for _, snap := range newest[level] {
				l.Rows += snap.Rows
			}
			s.Levels = append(s.Levels, l)
		}
	}
	page, err := in.data.db.Totals(ctx, "", store.PlantQuery{Year: in.number("year")})
	if err != nil {
		return nil, err
	}
	for row := range page.Rows() { // one, or none where nothing is published
		if n, ok := row.Int(store.PlantCount); ok {
			s.Plants, s.PlantsBasis, s.PlantsRelease = &n, egrid.Level(row.Text(store.PlantsBasis)), new(row.Text(store.PlantsRelease))
		}
		s.NetGeneration = wire.NumberOf(row.Value(egrid.NetGeneration))
	}
	if generators, ok := newest[egrid.GEN][page.Year]; ok {
		s.Generators = &generators.Rows
	}
	return &answer{value: s, meta: totalsMeta(&page).of(1, map[string]string{string(egrid.NetGeneration): "MWh"})}, nil
}
