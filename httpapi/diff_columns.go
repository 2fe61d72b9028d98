package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) diffColumnsOperation() {
	params := append(pairParams(), many("level", "Levels; all that both editions have when left out.", true, egrid.Levels()),
		parameter{name: "all", doc: "true: columns that did not change, too.", schema: huma.Schema{Enum: []any{"true", "false"}}},
		limitParam("100"), cursorParam())
	a.register(operation{
		id: "diff-columns", path: "/diff/columns", tag: "levels", summary: "What changed between two releases or editions, column by column",
		details: "How many cells of each column differ and how, the largest change and the median one; level by level, the columns with the most cells that contradict each other first. /diff has the cells. " + pairDetails,
		params:  params, schema: a.schemaOf(typeOf[[]wire.ColumnChange]()), pair: true,
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.diffColumns(ctx, in) },
	})
}

func (a *api) diffColumns(ctx context.Context, in *request) (*answer, error) {
	levels := egrid.Levels()
	if asked := in.values["level"]; asked != nil {
		levels = nil
		for _, name := range asked {
			levels = append(levels, egrid.Level(name))
		}
	}
	at, err := in.findPair(ctx, levels)
	if err != nil {
		return nil, err
	}
	all, err := a.differences.ofLevels(ctx, in, levels)
	if err != nil {
		return nil, err
	}
	return pageOf(in, columnChanges(all, in.text("all") == "true"), at, new(wire.ColumnComparisonOf(all)), nil), nil
}

// columnChanges are the columns that changed, or all of them.
func columnChanges(all []calc.LevelDifference, same bool) []wire.ColumnChange {
	list := []wire.ColumnChange{}
	for i := range all {
		for j := range all[i].Changes {
			if c := &all[i].Changes[j]; same || c.Change != calc.Same {
				list = append(list, wire.ColumnChangeOf(all[i].To.Level, c))
			}
		}
	}
	return list
}

func (a *api) diffPlantsOperation() {
	params := append(pairParams(),
		many("change", "What became of the plant; all when left out.", false, []calc.Change{calc.Moved, calc.Added, calc.Lost}),
		many("column", "Regions that plants moved between; all when left out.", false, calc.PlantRegions()),
		limitParam("100"), cursorParam())
	a.register(operation{
		id: "diff-plants", path: "/diff/plants", tag: "levels", summary: "Plants that moved between regions, came or went",
		details: "Plants are matched by their ORIS codes: of the PLNT sheets where both editions have them, else summed from generators. A plant that moved has a row for each region that is another one, those with the most generation first; meta.comparison.plants.flows counts them by the regions. " +
			"successor is the code under which a plant that went seems to be in the second edition, found by its generators where both editions have those, else by its name. " + pairDetails,
		params: params, schema: a.schemaOf(typeOf[[]wire.PlantChange]()), pair: true,
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.diffPlants(ctx, in) },
	})
}

func (a *api) diffPlants(ctx context.Context, in *request) (*answer, error) {
	at, err := in.findPair(ctx, calc.PlantLevels())
	if err != nil {
		return nil, err
	}
	d, err := a.differences.ofPlants(ctx, in)
	if err != nil {
		return nil, err
	}
	list := []wire.PlantChange{}
	for i := range d.Changes {
		if c := &d.Changes[i]; in.wants("change", string(c.Change)) && (c.Column == "" && in.values["column"] == nil || c.Column != "" && in.wants("column", string(c.Column))) {
			list = append(list, wire.PlantChangeOf(c))
		}
	}
	return pageOf(in, list, at, new(wire.PlantComparisonOf(d)), nil), nil
}
