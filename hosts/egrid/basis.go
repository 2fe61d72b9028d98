package main

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// tellSource says on stderr which sheets an answer of plants is from, what their
// states or the United States generated, and which loaded sheets say otherwise.
func (a *app) tellSource(db *store.DB, source *store.PlantSource, query store.PlantQuery) error {
	if source.Basis == "" {
		return nil
	}
	from := fmt.Sprintf("plants of %d by %s", source.Year, sheetName(store.Sheet{Level: source.Basis, Release: source.Release}))
	if source.Shares.Level != "" {
		from += "; shares of their states by " + sheetName(source.Shares)
	}
	a.tell("%s", from)
	if len(source.Filled) > 0 {
		a.tell("that sheet lacks %s: filled in by ORIS code from %s", strings.Join(texts(source.Filled), ", "), sheetName(source.FilledFrom))
	}
	if by := fuelConditions(query.Filters); by != "" {
		if source.Basis == egrid.GEN {
			a.tell("a plant is the sum of its generators with %s: where it has others, this is a part of the plant", by)
		} else {
			a.tell("%s is the primary fuel of the plant, whose figures are of all its fuels", by)
		}
	}
	where := store.PlantQuery{Year: source.Year, Release: query.Release}
	of := "the United States"
	for _, f := range query.Filters {
		if f.Column == egrid.State && f.Op == egrid.Eq {
			where.Filters, of = append(where.Filters, f), strings.Join(texts(f.Values), ", ")
		}
	}
	totals, err := db.Totals(a.ctx, "", where)
	if err != nil {
		return err
	}
	for row := range totals.Rows() {
		if mwh, ok := row.Float(egrid.NetGeneration); ok {
			a.tell("net generation of %s: %s by %s", of, generation(mwh), sheetName(totals.Sheet))
		}
	}
	for _, d := range totals.Differences {
		than := "more"
		if d.Gap() < 0 {
			than = "less"
		}
		text := fmt.Sprintf("%s makes it %s, %s %s", sheetName(d.Other), generation(d.OtherTotal), generation(math.Abs(d.Gap())), than)
		if d.Of.Release != d.Other.Release {
			text += "; figures of different releases do not add up"
		}
		a.tell("%s", text)
	}
	return nil
}

// fuelConditions are the conditions on fuels.
func fuelConditions(filters []egrid.Filter) string {
	var by []string
	for _, f := range filters {
		if f.Column == egrid.Fuel || f.Column == egrid.FuelCategoryColumn {
			by = append(by, f.String())
		}
	}
	return strings.Join(by, " and ")
}

// sheetName names a sheet and its release.
func sheetName(s store.Sheet) string {
	return fmt.Sprintf("sheet %s (release %s)", s.Level, cmp.Or(s.Release, egrid.NoRelease))
}

// generation writes MWh for people.
func generation(mwh float64) string {
	for _, unit := range []struct {
		name string
		mwh  float64
	}{{"TWh", 1e6}, {"GWh", 1e3}} {
		if math.Abs(mwh) >= unit.mwh/10 {
			tenths := int64(math.Round(math.Abs(mwh) / unit.mwh * 10))
			sign := map[bool]string{true: "-"}[mwh < 0]
			return fmt.Sprintf("%s%s.%d %s", sign, terminal.Thousands(tenths/10), tenths%10, unit.name)
		}
	}
	return readable(mwh, "MWh") + " MWh"
}

func texts[T interface{ ~string } | egrid.Value](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return texts
}
