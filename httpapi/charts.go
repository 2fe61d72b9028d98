package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	"by-year":      {"Net generation by data year", "Data year", "year"},
	"by-fuel":      {"Net generation by fuel category", "Fuel category", egrid.FuelGroup},
	"by-subregion": {"Net generation by eGRID subregion", "eGRID subregion", egrid.Subregion},
}

func (a *api) chartOperation(where []parameter) {
	a.register(operation{
		id: "plant-chart", path: "/plants/chart/{type}", tag: "plants", summary: "Net generation, ready to draw",
		params: append([]parameter{{name: "type", path: true, schema: huma.Schema{Enum: []any{"by-state", "by-year", "by-fuel", "by-subregion"}}}}, where...),
		schema: a.schemaOf(typeOf[wire.Chart]()),
		pins:   func(*request) []egrid.Level { return []egrid.Level{egrid.PLNT, egrid.GEN, egrid.SRL} },
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.chart(ctx, in.text("type")) },
	})
}

func (in *request) chart(ctx context.Context, kind string) (*answer, error) {
	about := charts[kind]
	c := wire.Chart{Type: kind, Title: about.title, Unit: "MWh", XLabel: about.x, YLabel: "Net generation (MWh)"}
	page, m, err := in.chartRows(ctx, kind)
	if err != nil {
		return nil, err
	}
	if m.Year != nil {
		c.Title += fmt.Sprintf(", %d", *m.Year)
	}
	series := wire.Series{Name: "Net generation", Points: []wire.Point{}}
	for row := range page.Rows() {
		series.Points = append(series.Points, wire.Point{X: row.Value(about.column), Y: wire.NumberOf(row.Value(egrid.NetGeneration))})
	}
	c.Series = []wire.Series{series}
	return &answer{value: c, meta: m.of(len(series.Points), map[string]string{"y": c.Unit})}, nil
}

func (in *request) chartRows(ctx context.Context, kind string) (egrid.RowPage, meta, error) {
	query := in.plantQuery()
	switch kind {
	case "by-year":
		if query.Year != 0 || query.Release != "" {
			return egrid.RowPage{}, meta{}, fmt.Errorf("%w: the chart by-year shows every data year in its newest release; leave year and release out", egrid.ErrInvalid)
		}
		page, err := in.yearSums(ctx)
		return page, yearsMeta(&page), err
	case "by-subregion":
		return in.subregionSums(ctx, query)
	}
	page, err := in.data.db.SumPlants(ctx, charts[kind].column, query)
	return page.RowPage, plantMeta(&page), err
}

// subregionSums sums plants by subregion or, where plants are summed from
// generators, which do not know theirs, reads the sheet of subregions.
func (in *request) subregionSums(ctx context.Context, query store.PlantQuery) (egrid.RowPage, meta, error) {
	all, err := in.data.db.SumPlants(ctx, "", query)
	if err != nil {
		return egrid.RowPage{}, meta{}, err
	}
	if all.Basis != egrid.GEN {
		page, err := in.data.db.SumPlants(ctx, egrid.Subregion, query)
		return page.RowPage, plantMeta(&page), err
	}
	if len(query.Filters) > 0 {
		return egrid.RowPage{}, meta{}, fmt.Errorf("%w: no PLNT sheet of data year %d is published, so subregions cannot be told apart by other parameters", egrid.ErrInvalid, all.Year)
	}
	page, err := in.data.db.Rows(ctx, egrid.RowQuery{
		Level: egrid.SRL, Year: all.Year, Release: query.Release, Sort: []egrid.Sort{{Column: egrid.Subregion}}, Limit: maxJSONLimit,
	})
	m := plantMeta(&all)
	m.Basis = string(egrid.SRL)
	if errors.Is(err, egrid.ErrNotFound) {
		all.Batch = all.Slice(0, 0)
		return all.RowPage, m, nil
	}
	m.snapshots = slices.Concat(all.Snapshots, page.Snapshots)
	return page, m, err
}

func (a *api) statisticsOperation() {
	a.register(operation{
		id: "statistics", path: "/plants/statistics", tag: "plants", summary: "Counts, totals and the last load",
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
	page, err := in.data.db.SumPlants(ctx, "", store.PlantQuery{Year: in.number("year")})
	if err != nil {
		return nil, err
	}
	if page.Len() > 0 {
		s.Plants, _ = page.Row(0).Int(store.PlantCount)
		s.NetGeneration = wire.NumberOf(page.Row(0).Value(egrid.NetGeneration))
	}
	if generators, ok := newest[egrid.GEN][page.Year]; ok {
		s.Generators = &generators.Rows
	}
	return &answer{value: s, meta: plantMeta(&page).of(1, map[string]string{string(egrid.NetGeneration): "MWh"})}, nil
}
