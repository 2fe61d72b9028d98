package httpapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// differences keeps comparisons of editions.
type differences struct {
	factors *keeper[calc.FactorDifference]
	levels  *keeper[[]calc.LevelDifference]
	plants  *keeper[calc.PlantDifference]
}

// maxDifferences bounds what is kept of each: one takes some two megabytes.
const maxDifferences = 8

func newDifferences() differences {
	return differences{
		newKeeper[calc.FactorDifference](maxDifferences), newKeeper[[]calc.LevelDifference](maxDifferences), newKeeper[calc.PlantDifference](maxDifferences),
	}
}

func (d *differences) ofFactors(ctx context.Context, in *request) (*calc.FactorDifference, error) {
	return d.factors.get(ctx, in.pairKey(), func() (*calc.FactorDifference, error) {
		return calc.ReadFactorDifference(ctx, in.data.db, in.pair)
	})
}

func (d *differences) ofLevels(ctx context.Context, in *request, levels []egrid.Level) ([]calc.LevelDifference, error) {
	all, err := d.levels.get(ctx, fmt.Sprint(in.pairKey(), levels), func() (*[]calc.LevelDifference, error) {
		all, err := calc.ReadLevelDifferences(ctx, in.data.db, in.pair, levels...)
		return &all, err
	})
	if err != nil {
		return nil, err
	}
	return *all, nil
}

func (d *differences) ofPlants(ctx context.Context, in *request) (*calc.PlantDifference, error) {
	return d.plants.get(ctx, in.pairKey(), func() (*calc.PlantDifference, error) {
		return calc.ReadPlantDifference(ctx, in.data.db, in.pair)
	})
}

func (a *api) diffFactorsOperation() {
	params := append(pairParams(),
		many("level", "Levels of the regions; all when left out.", true, calc.RegionLevels()),
		parameter{name: "code", list: true, upper: true, doc: "Codes of regions, as CAMX; all when left out. The US has none.", schema: huma.Schema{MaxLength: new(60)}},
		many("kind", "What factors are per; output and nonbaseload when left out. meta.comparison tells of every kind.", false, calc.Kinds()),
		many("gas", "What is emitted; every gas when left out.", false, calc.Gases()),
		parameter{name: "all", doc: "true: factors that did not move, too.", schema: huma.Schema{Enum: []any{"true", "false"}}},
		limitParam("100"), cursorParam())
	a.register(operation{
		id: "diff-factors", path: "/diff/factors", tag: "levels", summary: "What a new release or edition means for emission factors",
		details: "Every factor of a region that moved by more than rounding explains, the largest relative change first, then those from 0, then those that one edition alone has. " +
			"A factor is the mass over the generation, or heat input of kind input, at full precision: of the region's own row where both editions have such sheets, else of plants; of kind nonbaseload by plants where both have them, else the published rate. " +
			"moved_by says which input moved it. change is published where the sums give the same factor, and the published rate is another one. " + pairDetails,
		params: params, schema: a.schemaOf(typeOf[[]wire.FactorChange]()), pair: true,
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.diffFactors(ctx, in) },
	})
}

// many is a parameter of which several values may be given.
func many[T ~string](name, doc string, upper bool, values []T) parameter {
	p := oneOf(name, doc, values)
	p.list, p.upper = true, upper
	return p
}

func (a *api) diffFactors(ctx context.Context, in *request) (*answer, error) {
	at, err := in.findPair(ctx, calc.FactorLevels())
	if err != nil {
		return nil, err
	}
	d, err := a.differences.ofFactors(ctx, in)
	if err != nil {
		return nil, err
	}
	kinds := in.values["kind"]
	if kinds == nil {
		kinds = []string{string(calc.Output), string(calc.Nonbaseload)}
	}
	list := []wire.FactorChange{}
	for i := range d.Changes {
		if c := &d.Changes[i]; in.wants("level", string(c.Level)) && in.wants("code", c.Code) && in.wants("gas", string(c.Gas)) &&
			slices.Contains(kinds, string(c.Kind)) && (c.Change != calc.Same || in.text("all") == "true") {
			list = append(list, wire.FactorChangeOf(c))
		}
	}
	return pageOf(in, list, at, new(wire.FactorComparisonOf(d)), nil), nil
}

// wants reports whether a value is one of those that a parameter asks for, or it asks
// for none.
func (in *request) wants(name, value string) bool {
	return len(in.values[name]) == 0 || slices.Contains(in.values[name], value)
}
