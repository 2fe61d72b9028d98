package calc

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// ReconcileOptions say what a certificate is of. The zero value of every field
// means its default.
type ReconcileOptions struct {
	Release string  // default the newest of the year; egrid.NoRelease is the unmarked one
	Method  *Method // how regions are computed; default: the choices that fit best
}

// Reconcile holds every figure of the published region sheets of one edition
// against the one computed anew: from the sums of its own row, for the US from the
// sums of the other levels, and from the plants where the PLNT sheet of the same
// release is published. A year of 0 is the newest with a region sheet.
//
// For each rule that editions differ in it tries every choice and keeps the one
// that most figures follow, see [Certificate.Variants]; [MethodOf] decides where
// several do.
//
// All sheets are of one release and one state of the data. It reads them into
// memory: some ten megabytes for an edition. Errors: [egrid.ErrInvalid] for what is
// no year or release, [egrid.ErrNotFound] where no region sheet of it is published.
// Figures that differ are an answer, and no error.
func Reconcile(ctx context.Context, db *store.DB, year int, o *ReconcileOptions) (*Certificate, error) {
	if o == nil {
		o = &ReconcileOptions{}
	}
	now, err := db.Now(ctx)
	if err != nil {
		return nil, err
	}
	catalog, err := now.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	c := &Certificate{}
	if c.Year, c.Release, err = editionOf(catalog, year, o.Release); err != nil {
		return nil, err
	}
	e, err := readEdition(ctx, now, catalog, c)
	if err != nil {
		return nil, err
	}
	method := MethodOf(c.Year, c.Release)
	if o.Method != nil {
		method = *o.Method
	}
	c.Method, c.Variants = e.fit(method, o.Method == nil)
	c.Cells = e.all(c.Method)
	for i := range c.Cells {
		c.Cells[i].settle()
	}
	c.GWP = e.gwp()
	return c, nil
}

// settle rounds what was computed so that the difference of figures of about the same
// size is an exact decimal number. Before it, products are rounded by a conversion
// where something is added to them: processors that have an instruction for both would
// give other last digits, and certificates another hash.
func (c *Cell) settle() {
	whole := math.Ceil(math.Log10(max(math.Abs(c.Published), math.Abs(c.Recomputed), 100)))
	c.Recomputed, c.Tolerance = roundOff(c.Recomputed, max(14-int(whole), 0)), significant(c.Tolerance, 3)
}

// significant rounds to a number of digits.
func significant(x float64, digits int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// editionOf finds the year and release of which region sheets are published.
func editionOf(catalog egrid.Catalog, year int, release string) (int, string, error) {
	wanted, err := egrid.ParseRelease(release)
	if err != nil {
		return 0, "", err
	}
	if year != 0 {
		if err := egrid.CheckYear(year); err != nil {
			return 0, "", err
		}
	}
	var editions []string
	foundYear, foundRelease, found := 0, "", false
	for i := range catalog.Snapshots {
		s := &catalog.Snapshots[i]
		if s.Status != egrid.Published || !slices.Contains(RegionLevels(), s.Level) {
			continue
		}
		if name := editionName(s.Year, s.Release); !slices.Contains(editions, name) {
			editions = append(editions, name)
		}
		if year != 0 && s.Year != year || release != "" && s.Release != wanted {
			continue
		}
		if !found || s.Year > foundYear || s.Year == foundYear && egrid.CompareReleases(s.Release, foundRelease) > 0 {
			foundYear, foundRelease, found = s.Year, s.Release, true
		}
	}
	if !found {
		slices.Sort(editions)
		return 0, "", fmt.Errorf("%w: no region sheet of %s is published; there are those of: %s", egrid.ErrNotFound, askedFor(year, release), strings.Join(editions, ", "))
	}
	return foundYear, foundRelease, nil
}

func editionName(year int, release string) string {
	return strings.TrimSpace(strconv.Itoa(year) + " " + release)
}

func askedFor(year int, release string) string {
	what := "any data year"
	if year != 0 {
		what = "data year " + strconv.Itoa(year)
	}
	if release != "" {
		what += ", release " + release
	}
	return what
}

// edition is the sheets of one release.
type edition struct {
	sheets []*sheet
	plants *Plants // nil where there are none
	rough  rough   // columns of the plants that were rounded for display

	places   map[place]int       // numbers of cells
	outcomes map[string]*outcome // by method
}

func readEdition(ctx context.Context, db *store.DB, catalog egrid.Catalog, c *Certificate) (*edition, error) {
	e := &edition{places: map[place]int{}, outcomes: map[string]*outcome{}}
	for _, level := range append([]egrid.Level{egrid.PLNT}, RegionLevels()...) {
		snapshot, ok := catalog.Published(level, c.Year, c.Release)
		if !ok {
			c.Absent = append(c.Absent, level)
			continue
		}
		c.Snapshots = append(c.Snapshots, snapshot)
		if level == egrid.PLNT {
			if err := e.readPlants(ctx, db, snapshot); err != nil {
				return nil, err
			}
			continue
		}
		var batches []*egrid.Batch
		for b, err := range driver.ReadSnapshot(ctx, db, snapshot) {
			if err != nil {
				return nil, err
			}
			batches = append(batches, b)
		}
		if len(batches) > 0 {
			e.sheets = append(e.sheets, newSheet(level, batches, snapshot))
		}
	}
	return e, nil
}

// readPlants reads the columns of plants that formulas need.
func (e *edition) readPlants(ctx context.Context, db *store.DB, s egrid.Snapshot) error {
	q := egrid.RowQuery{Level: egrid.PLNT, Year: s.Year, Release: s.Release}
	if q.Release == "" {
		q.Release = egrid.NoRelease
	}
	for _, column := range PlantColumns() {
		if s.Schema.Has(column) && !slices.Contains(q.Columns, column) {
			q.Columns = append(q.Columns, column)
		}
	}
	answer, err := db.Stream(ctx, q)
	if err != nil {
		return err
	}
	e.rough = rough{}
	e.plants, err = ReadPlants(func(yield func(*egrid.Batch, error) bool) {
		for b, err := range answer.Batches {
			if err == nil {
				e.rough.add(b, s)
			}
			if !yield(b, err) {
				return
			}
		}
	})
	return err
}

// sheet returns the sheet of a level; nil where there is none.
func (e *edition) sheet(level egrid.Level) *sheet {
	for _, s := range e.sheets {
		if s.level == level {
			return s
		}
	}
	return nil
}

// computed are the cells that follow from a method: level by level, from own sums
// and then from plants.
func (e *edition) computed(m Method) []Cell {
	cells := make([]Cell, 0, len(e.places)) // of the methods before
	for _, s := range e.sheets {
		cells = append(cells, s.compare(s.level, FromSums(s.level, s.rows, m))...)
		if e.plants != nil {
			if regions := e.plants.Regions(s.level, m); regions != nil {
				cells = append(cells, e.rough.loosen(e.plants.regions[s.level], s.compare(egrid.PLNT, regions))...)
			}
		}
	}
	return cells
}

// all are the cells of a certificate: level by level, what they are from, row by row.
func (e *edition) all(m Method) []Cell {
	cells := e.computed(m)
	for _, s := range e.sheets {
		cells = append(cells, s.fuelRates()...)
	}
	if us := e.sheet(egrid.US); us != nil && len(us.codes) == 1 {
		for _, s := range e.sheets {
			if s.level == egrid.US {
				continue
			}
			var whole, regions *egrid.Batch
			if e.plants != nil {
				whole, regions = e.plants.Regions(egrid.US, m), e.plants.Regions(s.level, m)
			}
			cells = append(cells, us.sums(s, outsideOf(whole, regions))...)
		}
	}
	order := egrid.Levels()
	slices.SortStableFunc(cells, func(a, b Cell) int { return slices.Index(order, a.Level) - slices.Index(order, b.Level) })
	return cells
}

// place is what tells a cell from the others of an edition.
type place struct {
	level, from egrid.Level
	line        int64
	column      egrid.Column
}

func placeOf(c *Cell) place { return place{c.Level, c.From, c.Line, c.Column} }

// outcome is what a method gives, by the number of a place.
type outcome struct {
	recomputed []float64 // NaN where nothing was compared
	tolerance  []float64
	matches    []bool
}

// outcome computes what a method gives, once.
func (e *edition) outcome(m Method) *outcome {
	o := e.outcomes[m.String()]
	if o != nil {
		return o
	}
	cells := e.computed(m)
	o = &outcome{make([]float64, 0, len(cells)), make([]float64, 0, len(cells)), make([]bool, 0, len(cells))}
	for i := range cells {
		c := &cells[i]
		n, known := e.places[placeOf(c)]
		if !known {
			n = len(e.places)
			e.places[placeOf(c)] = n
		}
		for len(o.recomputed) <= n {
			o.recomputed, o.tolerance, o.matches = append(o.recomputed, math.NaN()), append(o.tolerance, 0), append(o.matches, false)
		}
		o.recomputed[n], o.tolerance[n], o.matches[n] = c.Recomputed, c.Tolerance, c.Matches()
	}
	e.outcomes[m.String()] = o
	return o
}

// at returns a figure, NaN where nothing was compared, and whether it matches.
func (o *outcome) at(n int) (recomputed float64, matches bool) {
	if n >= len(o.recomputed) {
		return math.NaN(), false
	}
	return o.recomputed[n], o.matches[n]
}

// fit finds the choices that most figures follow, and counts for each rule what
// each choice matches with the other rules at their best. Where search is false, the
// method stays as it is.
func (e *edition) fit(m Method, search bool) (Method, []VariantFit) {
	const passes = 3
	var fits []VariantFit
	for range passes {
		before := m.String()
		fits = nil
		for _, rule := range VariantRules() {
			tried := e.try(m, rule)
			if search {
				m = better(m, tried)
			}
			fits = append(fits, tried...)
		}
		if m.String() == before {
			break
		}
	}
	for i := range fits {
		fits[i].Used = m.is(fits[i].Rule, fits[i].Choice)
	}
	return m, fits
}

// better returns the method with the choice that matches most; the one that it has
// where no other matches more.
func better(m Method, tried []VariantFit) Method {
	best := slices.IndexFunc(tried, func(v VariantFit) bool { return m.is(v.Rule, v.Choice) })
	for i := range tried {
		if best < 0 || tried[i].Matched > tried[best].Matched {
			best = i
		}
	}
	other, err := m.With(tried[best].Rule, tried[best].Choice)
	if err != nil {
		panic(err) // the choices are those of the table
	}
	return other
}

// try counts what each choice of a rule matches, over the figures that differ from
// choice to choice by more than rounding.
func (e *edition) try(m Method, rule string) []VariantFit {
	if rule == FuelRateDigits {
		return e.tryDigits()
	}
	var tried []VariantFit
	var outcomes []*outcome
	for _, choice := range choicesOf(rule) {
		other, err := m.With(rule, choice)
		if err != nil {
			panic(err) // the choices are those of the table
		}
		tried, outcomes = append(tried, VariantFit{Rule: rule, Choice: choice}), append(outcomes, e.outcome(other))
	}
	for n, tolerance := range outcomes[0].tolerance {
		least, most := math.Inf(1), math.Inf(-1)
		for _, o := range outcomes {
			x, _ := o.at(n)
			least, most = min(least, x), max(most, x)
		}
		if !(most-least > tolerance) { // nor where nothing was compared
			continue
		}
		for i, o := range outcomes {
			tried[i].Checked++
			if _, matches := o.at(n); matches {
				tried[i].Matched++
			}
		}
	}
	return tried
}

// choicesOf lists the choices of a rule, each once.
func choicesOf(rule string) []Choice {
	var choices []Choice
	for _, v := range loadVariants() {
		if v.Rule == rule && !slices.Contains(choices, v.Choice) {
			choices = append(choices, v.Choice)
		}
	}
	return choices
}

// tryDigits counts the rates of CH4 and N2O by fuel whose column has three decimals
// in the sheets, and four.
func (e *edition) tryDigits() []VariantFit {
	three, four := VariantFit{Rule: FuelRateDigits, Choice: "three"}, VariantFit{Rule: FuelRateDigits, Choice: "four"}
	for _, s := range e.sheets {
		for at, f := range s.rows.Schema().Fields() {
			if len(f.Rule.Categories) == 0 || f.Rule.Weight != "" || !slices.Contains([]egrid.Column{egrid.CH4, egrid.N2O}, f.Rule.Numerator[0]) {
				continue
			}
			n := 0
			for row := range s.codes {
				if x, ok := s.rows.Column(at).Float(row); ok && x != 0 {
					n++
				}
			}
			three.Checked, four.Checked = three.Checked+n, four.Checked+n
			switch e.decimals(f.Column) {
			case 3:
				three.Matched += n
			case 4:
				four.Matched += n
			}
		}
	}
	return []VariantFit{three, four}
}

// decimals is the number of decimals of a column over all sheets.
func (e *edition) decimals(c egrid.Column) int {
	most := 0
	for _, s := range e.sheets {
		most = max(most, s.places[c])
	}
	return most
}

// gwp finds the global warming potentials that CO2e was computed with: on the US
// row or, where there is none, on the sums of the states.
func (e *edition) gwp() GWPFit {
	of := e.sheet(egrid.US)
	if of == nil {
		of = e.sheet(egrid.ST)
	}
	if of == nil {
		return GWPFit{}
	}
	return fitGWP(func(c egrid.Column) (sum float64) {
		for row := range of.codes {
			x, ok := of.number(c, row)
			if !ok && len(of.codes) == 1 {
				return math.NaN()
			}
			sum += x
		}
		return sum
	})
}
