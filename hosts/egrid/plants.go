package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// pages walks an answer of plants page by page, limit rows at most. read gets the
// size and the cursor of a page.
func pages(limit int, read func(size int, cursor string) (egrid.RowPage, error)) (store.Answer, error) {
	const most = 1000
	if limit == 0 {
		limit = math.MaxInt
	}
	page, err := read(min(limit, most), "")
	if err != nil {
		return store.Answer{}, err
	}
	return store.Answer{Schema: page.Schema(), Revision: page.Revision, Snapshots: page.Snapshots, Batches: func(yield func(*egrid.Batch, error) bool) {
		for yield(page.Batch, nil) && page.Next != "" && limit > page.Len() {
			limit -= page.Len()
			if page, err = read(min(limit, most), page.Next); err != nil {
				yield(nil, err)
				return
			}
		}
	}}, nil
}

type topCmd struct{ selection }

// Help implements kong.HelpProvider.
func (c *topCmd) Help() string {
	return `Examples:

  egrid top --limit 5
  egrid top --state texas --fuel NG --format csv
  egrid top --fuel-category wind --year all --limit 3
  egrid top --year 2021 --release v2 --sort -nameplate_capacity_mw
  egrid top --limit 0 --format geojson --output plants.geojson`
}

func (c *topCmd) Run(a *app) error {
	if err := c.check(a); err != nil {
		return err
	}
	filters, err := c.filters()
	if err != nil {
		return err
	}
	query := store.PlantQuery{Year: int(c.Year), Release: c.Release, Filters: filters, Search: c.Search, Columns: columnsOf(c.Columns)}
	ranked := c.Sort == ""
	if ranked {
		c.Sort = "-net_generation_mwh,plant_name"
	}
	if query.Sort, err = egrid.ParseSort(c.Sort); err != nil {
		return err
	}
	if len(query.Columns) == 0 && c.Format == formatTable && !c.Wide {
		query.Columns = []egrid.Column{egrid.PlantName, egrid.State, egrid.Fuel, egrid.NameplateCapacity, egrid.NetGeneration, store.ShareOfState}
		c.prefer = append([]egrid.Column{store.PlantID}, query.Columns...)
	}
	return a.withData(func(db *store.DB) error {
		if c.Year == egrid.AllYears {
			return c.everyYear(a, db, query)
		}
		in := askedOfPlants(a.ctx, db, query.Year, query.Release)
		if query.Filters, err = a.understand(query.Filters, in); err != nil {
			return err
		}
		if ranked {
			if err := canRank(a.ctx, db, query); err != nil {
				return err
			}
		}
		var source store.PlantSource
		answer, err := pages(c.limit(), func(size int, cursor string) (egrid.RowPage, error) {
			query.Limit, query.Cursor = size, cursor
			page, err := db.Plants(a.ctx, query)
			source = page.PlantSource
			return page.RowPage, err
		})
		if err != nil {
			return err
		}
		n, err := a.print(&c.output, "", &answer)
		if err != nil {
			return err
		}
		if err := a.tellPlants(n, query, c, in); err != nil {
			return err
		}
		return a.tellSource(db, &source, query)
	})
}

// tellPlants says how many plants there are, and which are only a part of a plant.
func (a *app) tellPlants(n int64, query store.PlantQuery, c *topCmd, in asked) error {
	if n == 0 {
		return a.tellEmpty(query.Filters, query.Search, in)
	}
	return a.tellRows(&c.output, n, c.limit(), "plant", "largest first", func() (int64, error) { return in.count(query.Filters, query.Search) })
}

// everyYear answers with the plants of each data year, the newest first: the largest
// of each, up to the limit.
func (c *topCmd) everyYear(a *app, db *store.DB, query store.PlantQuery) error {
	catalog, err := db.Catalog(a.ctx)
	if err != nil {
		return err
	}
	if len(query.Columns) == 0 {
		query.Columns = store.PlantColumns()
	}
	if c.prefer != nil {
		c.prefer = append([]egrid.Column{egrid.Year, egrid.ReleaseColumn}, c.prefer...)
	}
	query.Columns = append([]egrid.Column{egrid.Year, egrid.ReleaseColumn}, slices.DeleteFunc(query.Columns, egrid.IsContext)...)
	all := store.Answer{Revision: catalog.Revision}
	var builder *egrid.Builder
	var lacking error
	given := query.Filters
	for _, year := range slices.Backward(store.PlantYears(catalog)) {
		query.Year = year
		in := askedOfPlants(a.ctx, db, year, query.Release)
		if query.Filters, err = a.understand(given, in); err != nil {
			return err
		}
		query.Limit = c.limit()
		if query.Limit == 0 {
			query.Limit = math.MaxInt - 1
		}
		page, err := db.Plants(a.ctx, query)
		switch {
		case errors.Is(err, egrid.ErrInvalid), errors.Is(err, egrid.ErrNotFound): // this year's sheets cannot tell
			lacking = err
			a.tell("data year %d is left out: %v", year, err)
			continue
		case err != nil:
			return err
		}
		if builder == nil {
			builder = egrid.NewBuilder(page.Schema(), 0)
			all.Schema = page.Schema()
		}
		all.Snapshots = append(all.Snapshots, page.Snapshots...)
		for row := range page.Rows() {
			if err := builder.Row(row.Values()); err != nil {
				return err
			}
			builder.EndRow(int64(builder.Len()+1), 0)
		}
	}
	if builder == nil {
		if lacking == nil {
			lacking = fmt.Errorf("%w: no plants are published", egrid.ErrNotFound)
		}
		return lacking
	}
	batch := builder.Batch()
	all.Batches = func(yield func(*egrid.Batch, error) bool) { yield(batch, nil) }
	n, err := a.print(&c.output, "", &all)
	if err != nil {
		return err
	}
	what := "the largest of each data year"
	return a.tellRows(&c.output, n, 0, "plant", what, nil)
}

// canRank returns an error where no plant has net generation: what comes first then
// is no largest plant.
func canRank(ctx context.Context, db *store.DB, query store.PlantQuery) error {
	sum, err := db.SumPlants(ctx, "", store.PlantQuery{Year: query.Year, Release: query.Release})
	if err != nil || sum.Basis == "" || sum.Len() == 0 || !sum.Row(0).Value(egrid.NetGeneration).IsMissing() {
		return err
	}
	f, _ := egrid.Lookup(sum.Basis, string(egrid.NetGeneration))
	sheet := strings.TrimSpace(fmt.Sprint(sum.Basis, " ", sum.Year, " ", sum.Release))
	return fmt.Errorf("%w: %s has no net generation (%s) to rank plants by; give --sort, e.g. --sort plant_name", egrid.ErrNotFound, sheet, f.Code)
}

type plantCmd struct {
	ID string `arg:"" help:"ORIS code, an id as other answers have it, or the name of a plant."`
	edition
	Columns    []string `short:"c" env:"-" help:"Columns to print. Default: all that have a value." placeholder:"COLUMN,..."`
	History    bool     `env:"-" help:"The plant in every data year; likewise --year all." xor:"part"`
	Generators bool     `env:"-" help:"Its generators." xor:"part"`
	Units      bool     `env:"-" help:"Its units." xor:"part"`
	output
}

// Help implements kong.HelpProvider.
func (c *plantCmd) Help() string {
	return `Examples:

  egrid plant 6008
  egrid plant "palo verde" --year 2023
  egrid plant 3 --history --columns net_generation_mwh,co2e_short_tons
  egrid plant 3 --generators --format csv`
}

func (c *plantCmd) Run(a *app) error {
	if err := c.settle(a.stdout); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		year := int(c.Year)
		if c.Year == egrid.AllYears {
			c.History = !c.Generators && !c.Units
			year = 0
		}
		id, err := a.findPlant(db, c.ID, year, c.Release)
		if err != nil {
			return err
		}
		switch {
		case c.Generators:
			return c.parts(a, db, egrid.GEN, id)
		case c.Units:
			return c.parts(a, db, egrid.UNT, id)
		case c.History:
			page, err := db.PlantHistory(a.ctx, id)
			if err != nil {
				return err
			}
			if page.Batch, err = choose(page.Batch, append([]egrid.Column{egrid.Year, store.BasisColumn, egrid.ReleaseColumn}, columnsOf(c.Columns)...), len(c.Columns) > 0); err != nil {
				return err
			}
			answer := answerOf(&page)
			c.table(c.Columns, &answer, historyColumns(), false)
			_, err = a.print(&c.output, "", &answer)
			return err
		}
		page, err := db.Plant(a.ctx, id, year, c.Release)
		if err != nil {
			return err
		}
		if page.Batch, err = choose(page.Batch, columnsOf(c.Columns), len(c.Columns) > 0); err != nil {
			return err
		}
		answer := answerOf(&page.RowPage)
		c.records = true
		if _, err := a.print(&c.output, page.Basis, &answer); err != nil {
			return err
		}
		return a.tellSource(db, &page.PlantSource, store.PlantQuery{Year: page.Year, Release: c.Release})
	})
}

func historyColumns() []egrid.Column {
	return []egrid.Column{
		egrid.Year, store.BasisColumn, egrid.ReleaseColumn, egrid.PlantName, egrid.Fuel, egrid.NameplateCapacity, egrid.CapacityFactor, egrid.NetGeneration,
		egrid.CO2e, egrid.CO2eRate,
	}
}

// parts writes the generators or units of a plant.
func (c *plantCmd) parts(a *app, db *store.DB, level egrid.Level, id string) error {
	query := egrid.RowQuery{Level: level, Year: int(c.Year), Release: c.Release, Filters: store.PlantFilters(id), Columns: columnsOf(c.Columns)}
	answer, err := db.Stream(a.ctx, query)
	if err != nil {
		return err
	}
	c.table(c.Columns, &answer, slices.DeleteFunc(preferred(level), func(c egrid.Column) bool {
		return c == egrid.State || c == egrid.PlantName || c == egrid.PlantCode
	}), c.Year == egrid.AllYears)
	n, err := a.print(&c.output, level, &answer)
	if err != nil {
		return err
	}
	if n == 0 {
		a.tell("%s has no rows of plant %s", editionsOf(level, answer.Snapshots), id)
		return nil
	}
	return a.tellRows(&c.output, n, 0, level.Title(), editionsOf(level, answer.Snapshots), nil)
}

// findPlant finds the id of a plant by its id or by words of its name.
func (a *app) findPlant(db *store.DB, text string, year int, release string) (string, error) {
	page, err := db.Plants(a.ctx, store.PlantQuery{Year: year, Release: release, Filters: store.PlantFilters(text), Limit: 1, Columns: []egrid.Column{egrid.PlantName}})
	if err != nil && !errors.Is(err, egrid.ErrInvalid) || page.Len() > 0 {
		return text, err
	}
	if _, err := db.PlantHistory(a.ctx, text); err == nil {
		return text, nil // of another year, which the answer tells
	}
	const few = 5
	named, err := db.Plants(a.ctx, store.PlantQuery{Year: year, Release: release, Search: text, Limit: few, Count: true, Columns: []egrid.Column{egrid.PlantName, egrid.State}})
	if err != nil {
		return text, err
	}
	var found []string
	for row := range named.Rows() {
		id, name := row.At(0).String(), row.Value(egrid.PlantName).String()
		if named.Total == 1 || strings.EqualFold(name, text) && exactNames(named.Batch, text) == 1 {
			a.tell("%s is plant %s (%s)", name, id, row.Value(egrid.State))
			return id, nil
		}
		found = append(found, fmt.Sprintf("%s %s (%s)", id, name, row.Value(egrid.State)))
	}
	if len(found) == 0 {
		return text, fmt.Errorf("%w: no plant has the ORIS code, id or name %q; egrid rows PLNT --search WORDS finds plants", egrid.ErrNotFound, text)
	}
	more := ""
	if n := named.Total - int64(len(found)); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return text, fmt.Errorf("%w: no plant has the ORIS code or id %q; with such words there are %s%s", egrid.ErrNotFound, text, strings.Join(found, ", "), more)
}

func exactNames(b *egrid.Batch, name string) (n int) {
	for row := range b.Rows() {
		if strings.EqualFold(row.Value(egrid.PlantName).String(), name) {
			n++
		}
	}
	return n
}
