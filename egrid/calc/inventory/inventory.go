package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Options say what sites do not. The zero value of every field means its default.
type Options struct {
	Year    int    // data year of sites that name none; 0 is the newest that has factors
	Release string // empty is the newest
	GWP     string // of CO2e: published (default), or the name of one of [calc.GWPs]
	// Shapes are the outlines of subregions, which place sites by their coordinates.
	// Default none: then coordinates place no site.
	Shapes *shapes.Set
}

// Site is a place that used electricity. Of the places the most precise one that
// can be answered counts; empty ones are not known.
type Site struct {
	Subregion string  // code of an eGRID subregion
	Latitude  string  // in degrees, decimal; south is below 0
	Longitude string  // in degrees, decimal; west is below 0
	ZIP       string  // five or nine digits, or what a spreadsheet has left of them
	BA        string  // code of a balancing authority
	State     string  // postal abbreviation
	Year      string  // data year; empty: that of the options
	Quantity  string  // of electricity, as a person writes it: 1,234.5
	PerMWh    float64 // how many MWh a unit of the quantity is: 0.001 for kWh
	Fault     string  // what is wrong with the site's record; empty for nothing
}

// Precision is what a site was placed by.
type Precision string

// The precisions, the finest first.
const (
	BySubregion   Precision = "subregion"
	ByCoordinates Precision = "coordinates"
	ByZIP         Precision = "zip"
	ByBA          Precision = "balancing_authority"
	ByState       Precision = "state"
)

// Answer is what became of a site.
type Answer struct {
	MWh    float64
	Place  *Place // nil where the site could not be placed
	Note   string // what a reader should know of the place; empty for nothing
	Reason string // why there are no emissions; empty where there are
}

// Place is where sites are, with its factors.
type Place struct {
	Level     egrid.Level
	Code      string
	Precision Precision
	Year      int
	Release   string
	Authority string
	Rates     [4]float64  // kg/MWh, by CO2, CH4, N2O and CO2e; NaN for a gas that the sheet does not have
	Loss      float64     // grid gross loss, 0-1; negative where its sheet is not loaded
	Factor    calc.Factor // of CO2e, in kg/MWh

	source string // ids of the snapshots that the factor was computed from
}

// The places of gases in Place.Rates and Totals.Kilograms.
const (
	CO2 = iota
	CH4
	N2O
	CO2e
)

var gasNames = [...]calc.Gas{calc.CO2, calc.CH4, calc.N2O, calc.CO2e}

// Totals are the sums of an inventory.
type Totals struct {
	Sites, Answered int64
	MWh             float64
	Kilograms       [4]float64       // of emissions, by CO2, CH4, N2O and CO2e
	Losses          float64          // kg of CO2e that the electricity lost on the way to the sites caused
	Places          []*Place         // that sites were placed in, by year, level and code
	Reasons         map[string]int64 // how many sites have no emissions, by reason
	Incomplete      map[string]int64 // of [Columns]: how many answered sites lack the figure, so that the sum is of the others
}

// MostReasons returns the reasons that most sites have no emissions for, at most n.
func (t *Totals) MostReasons(n int) []string {
	reasons := slices.SortedFunc(maps.Keys(t.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.Reasons[b], t.Reasons[a]), strings.Compare(a, b))
	})
	return reasons[:min(n, len(reasons))]
}

// Inventory answers for sites, one after the other. It is not safe for concurrent
// use.
type Inventory struct {
	db      *store.DB
	answers *calc.Answers
	o       Options
	year    string
	places  map[key]*found
	used    map[*Place]bool // by sites that have emissions
	codes   map[levelYear]map[string]bool
	totals  Totals
}

type levelYear struct {
	level egrid.Level
	year  int
}

type key struct {
	precision  Precision
	code, year string
}

// found is what is known of a key: a place, or why there is none.
type found struct {
	place  *Place
	note   string
	reason string
}

// New makes an inventory that answers from the present state of a DB. It returns
// [egrid.ErrInvalid] for a GWP that is none, and [egrid.ErrNotFound] when nothing
// is published that has factors.
func New(ctx context.Context, db *store.DB, o *Options) (*Inventory, error) {
	if o == nil {
		o = &Options{}
	}
	now, err := db.Now(ctx)
	if err != nil {
		return nil, err
	}
	v := &Inventory{db: now, answers: calc.NewAnswers(nil), o: *o, places: map[key]*found{}, used: map[*Place]bool{}, codes: map[levelYear]map[string]bool{}, totals: Totals{Reasons: map[string]int64{}, Incomplete: map[string]int64{}}}
	if o.GWP != "" && !strings.EqualFold(o.GWP, calc.GWPPublished) {
		if _, err := calc.ParseGWP(o.GWP); err != nil {
			return nil, err
		}
	}
	if v.o.Year == 0 {
		c, err := now.Catalog(ctx)
		if err != nil {
			return nil, err
		}
		years := c.Years(append(calc.RegionLevels(), egrid.PLNT)...)
		if len(years) == 0 {
			return nil, fmt.Errorf("%w: nothing is published that has emission factors; load a sheet of regions or plants first", egrid.ErrNotFound)
		}
		v.o.Year = years[len(years)-1]
	}
	v.year = strconv.Itoa(v.o.Year)
	return v, nil
}

// Answer finds the factor of a site and computes its emissions. The error is of
// the store; what is wrong with the site is told in the answer.
func (v *Inventory) Answer(ctx context.Context, s *Site) (Answer, error) {
	f, err := v.place(ctx, s)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Place: f.place, Note: f.note, Reason: f.reason}
	mwh, reason := quantity(s)
	if reason != "" {
		a.Reason = strings.Join(slices.DeleteFunc([]string{a.Reason, reason}, func(s string) bool { return s == "" }), "; ")
	}
	a.MWh = mwh
	v.totals.Sites++
	if a.Reason != "" {
		if len(v.totals.Reasons) < maxReasons || v.totals.Reasons[a.Reason] > 0 {
			v.totals.Reasons[a.Reason]++
		} else {
			v.totals.Reasons[otherReasons]++
		}
		return a, nil
	}
	v.totals.Answered++
	v.totals.MWh += mwh
	for i, rate := range f.place.Rates {
		if math.IsNaN(rate) {
			v.totals.Incomplete[string(gasNames[i])+"_kg"]++
			continue
		}
		v.totals.Kilograms[i] += mwh * rate
	}
	if f.place.Loss >= 0 {
		v.totals.Losses += f.place.losses(mwh)
	} else {
		v.totals.Incomplete["losses_co2e_kg"]++
	}
	v.used[f.place] = true
	return a, nil
}

// maxReasons bounds the reasons that totals tell apart.
const (
	maxReasons   = 1000
	otherReasons = "other reasons"
)

// losses are the kilograms of CO2e of what is lost on the way to the customer.
func (p *Place) losses(mwh float64) float64 { return mwh * p.Rates[CO2e] * p.Loss / (1 - p.Loss) }

// Totals returns the sums over the sites so far.
func (v *Inventory) Totals() Totals {
	t := v.totals
	t.Places = slices.SortedFunc(maps.Keys(v.used), func(a, b *Place) int {
		return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Level, b.Level), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Precision, b.Precision))
	})
	return t
}

// place finds the most precise place that a site allows.
func (v *Inventory) place(ctx context.Context, s *Site) (*found, error) {
	var before []string
	for _, by := range [...]struct {
		precision Precision
		code      string
	}{{BySubregion, s.Subregion}, {ByCoordinates, s.Latitude + s.Longitude}, {ByZIP, s.ZIP}, {ByBA, s.BA}, {ByState, s.State}} {
		if by.code == "" {
			continue
		}
		if by.precision == ByCoordinates {
			code, reason := v.locate(s)
			if by.code = code; reason != "" {
				before = append(before, reason)
				continue
			}
		}
		f, err := v.find(ctx, key{by.precision, by.code, cmp.Or(s.Year, v.year)})
		if err != nil {
			return nil, err
		}
		if f.place == nil {
			before = append(before, f.reason)
			continue
		}
		if before != nil {
			note := strings.Join(append(before, "the factor is that of the "+string(by.precision)), "; ")
			if f.note != "" {
				note += "; " + f.note
			}
			return &found{place: f.place, note: note}, nil
		}
		return f, nil
	}
	if before == nil {
		before = []string{"the site names no subregion, coordinates, ZIP code, balancing authority or state"}
	}
	return &found{reason: strings.Join(before, "; ")}, nil
}

// longestCode is above the length of every code of a place.
const longestCode = 60

// maxPlaces bounds what is kept of places: input that names others without end
// must not fill the memory.
const maxPlaces = 200_000

func (v *Inventory) find(ctx context.Context, k key) (*found, error) {
	if f := v.places[k]; f != nil {
		return f, nil
	}
	f, err := v.look(ctx, k)
	if err != nil || len(k.code) > longestCode || len(k.year) > longestCode {
		return f, err
	}
	if len(v.places) >= maxPlaces {
		for other, old := range v.places {
			if !v.used[old.place] {
				delete(v.places, other)
			}
		}
	}
	v.places[key{k.precision, strings.Clone(k.code), strings.Clone(k.year)}] = f
	return f, nil
}

// look asks the DB for a place. What it does not have becomes a reason.
func (v *Inventory) look(ctx context.Context, k key) (*found, error) {
	year, ok := yearOf(k.year)
	if !ok {
		return &found{reason: fmt.Sprintf("%.20q is not a data year", k.year)}, nil
	}
	if len(k.code) > longestCode {
		return &found{reason: fmt.Sprintf("%.20q... is too long for a %s", k.code, k.precision)}, nil
	}
	f := &found{}
	var err error
	level, code := egrid.SRL, strings.ToUpper(strings.TrimSpace(k.code))
	switch k.precision {
	case ByBA:
		level = egrid.BA
	case ByState:
		level = egrid.ST
	case ByZIP:
		if code, f.note, f.reason, err = v.crosswalk(ctx, code, year); err != nil || f.reason != "" {
			return f, err
		}
	}
	if of, ok := egrid.RegionCode(level, code); ok { // a name, as Texas
		code = of
	}
	if known, err := v.codesOf(ctx, level, year); err != nil || known != nil && !known[code] {
		return &found{reason: fmt.Sprintf("no %s %s in the eGRID of %d", level.Title(), code, year)}, err
	}
	p, err := v.factors(ctx, level, code, year)
	if err != nil {
		if errors.Is(err, egrid.ErrNotFound) || errors.Is(err, egrid.ErrInvalid) || errors.Is(err, egrid.ErrConflict) {
			return &found{reason: plain(err)}, nil
		}
		return nil, err
	}
	p.Precision = k.precision
	if k.precision == ByCoordinates {
		p.Factor.Notes = append(p.Factor.Notes, fmt.Sprintf("Sites were placed by the outlines of %s (SHA-256 %s).", v.o.Shapes.Name(), v.o.Shapes.SHA256()))
	}
	f.place = p
	return f, nil
}

// codesOf reads the codes of a level's sheet, once: asking for a factor of each code
// that is none would take a query each. It is nil where there is no such sheet.
func (v *Inventory) codesOf(ctx context.Context, level egrid.Level, year int) (map[string]bool, error) {
	k := levelYear{level, year}
	if codes, ok := v.codes[k]; ok {
		return codes, nil
	}
	column := map[egrid.Level]egrid.Column{egrid.SRL: egrid.Subregion, egrid.BA: egrid.BalancingAuthority, egrid.ST: egrid.State}[level]
	page, err := v.db.Rows(ctx, egrid.RowQuery{Level: level, Year: year, Release: v.o.Release, Columns: []egrid.Column{column}, Limit: 1000})
	if errors.Is(err, egrid.ErrNotFound) || err == nil && page.Len() == 0 {
		v.codes[k] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	codes := map[string]bool{}
	for row := range page.Rows() {
		codes[row.Text(column)] = true
	}
	v.codes[k] = codes
	return codes, nil
}

func yearOf(text string) (year int, ok bool) {
	year, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), ".0")) // as spreadsheets write whole numbers
	return year, err == nil && egrid.CheckYear(year) == nil
}

func zipOf(text string) (zip string, ok bool) {
	zip, err := egrid.ParseZIP(text)
	return zip, err == nil
}

// plain is the text of an error on one line, without what errors.Is looks for, and
// without the list of codes that there are.
func plain(err error) string {
	text := strings.NewReplacer(egrid.ErrNotFound.Error()+": ", "", egrid.ErrInvalid.Error()+": ", "", egrid.ErrConflict.Error()+": ", "", "\n", "; ").Replace(err.Error())
	text, _, _ = strings.Cut(text, "; there are")
	return text
}

// crosswalk finds the subregion of a ZIP code, by the crosswalk of the year or else
// of the newest year that has one.
func (v *Inventory) crosswalk(ctx context.Context, text string, year int) (code, note, reason string, err error) {
	zip, ok := zipOf(text)
	if !ok {
		return "", "", fmt.Sprintf("%q is not a US ZIP code", text), nil
	}
	c, err := v.db.ZIP(ctx, zip, year, "")
	if errors.Is(err, egrid.ErrNotFound) {
		if c, err = v.db.ZIP(ctx, zip, 0, ""); err == nil && c.Snapshot.Year != year {
			note = fmt.Sprintf("the crosswalk of ZIP codes is of %d", c.Snapshot.Year)
		}
	}
	switch {
	case errors.Is(err, egrid.ErrNotFound), errors.Is(err, egrid.ErrInvalid):
		return "", "", "ZIP code " + zip + ": " + plain(err), nil
	case err != nil:
		return "", "", "", err
	}
	var all []string
	for _, candidate := range c.Candidates {
		all = append(all, candidate.Subregion)
	}
	code, ok = c.Subregion()
	switch {
	case !ok:
		return "", "", fmt.Sprintf("ZIP code %s lies in %s, and the crosswalk does not say where most of it is", zip, strings.Join(all, ", ")), nil
	case len(all) > 1:
		several := fmt.Sprintf("ZIP code %s lies in %s; %s serves most of it", zip, strings.Join(all, ", "), code)
		note = strings.Join(slices.DeleteFunc([]string{several, note}, func(s string) bool { return s == "" }), "; ")
	}
	return code, note, "", nil
}

// factors computes the rates of a region, and the loss of its interconnect.
func (v *Inventory) factors(ctx context.Context, level egrid.Level, code string, year int) (*Place, error) {
	p := &Place{Level: level, Code: code, Year: year, Loss: -1}
	for i, gas := range slices.Backward(gasNames[:]) { // CO2e first: without it there is no place
		q := calc.FactorQuery{Level: level, Code: code, Year: year, Release: v.o.Release, Gas: gas, Unit: "kg/MWh"}
		if gas == calc.CO2e {
			q.GWP = v.o.GWP
		}
		f, err := v.answers.Factor(ctx, v.db, q)
		switch {
		case err == nil && gas == calc.CO2e:
			p.Rates[i], p.Factor = f.Value, f
		case err == nil:
			p.Rates[i] = f.Value
		case gas != calc.CO2e && errors.Is(err, egrid.ErrNotFound):
			p.Rates[i] = math.NaN() // CO2e alone will do
		default:
			return nil, err
		}
	}
	p.Release, p.Authority = p.Factor.Query.Release, p.Factor.Authority
	if p.Release == egrid.NoRelease {
		p.Release = ""
	}
	var ids []string
	for i := range p.Factor.Snapshots {
		ids = append(ids, string(p.Factor.Snapshots[i].ID))
	}
	p.source = strings.Join(ids, " ")
	q := p.Factor.Query
	q.Delivered = true
	delivered, err := v.answers.Factor(ctx, v.db, q)
	switch {
	case err == nil && delivered.Value > 0:
		p.Loss = 1 - p.Rates[CO2e]/delivered.Value
	case err != nil && !errors.Is(err, egrid.ErrNotFound):
		return nil, err
	}
	return p, nil
}

// quantity reads how much electricity a site used, in MWh.
func quantity(s *Site) (mwh float64, reason string) {
	if s.Fault != "" {
		return 0, s.Fault
	}
	text := strings.TrimSpace(s.Quantity)
	if x, err := strconv.ParseFloat(text, 64); err == nil && plainDigits(text) {
		return checked(x * s.PerMWh)
	}
	if strings.Contains(text, "%") {
		return 0, fmt.Sprintf("the electricity used, %.40q, is a percentage", s.Quantity)
	}
	for _, unit := range []struct {
		name   string
		perMWh float64
	}{{"kwh", 0.001}, {"mwh", 1}, {"gwh", 1000}} {
		if n := len(text) - len(unit.name); n > 0 && strings.EqualFold(text[n:], unit.name) {
			if s.PerMWh != unit.perMWh {
				return 0, fmt.Sprintf("%.40q names another unit than its column", text)
			}
			text = strings.TrimSpace(text[:n])
		}
	}
	value, _, err := egrid.ParseValue(egrid.Number, text)
	if err != nil {
		return 0, fmt.Sprintf("the electricity used, %.40q, is not a number", s.Quantity)
	}
	x, ok := value.Float()
	if !ok {
		return 0, "the electricity used is missing"
	}
	return checked(x * s.PerMWh)
}

// mostMWh is above what the whole of the United States use in a year.
const mostMWh = 1e10

func checked(mwh float64) (float64, string) {
	switch {
	case mwh < 0:
		return mwh, "the electricity used is negative: what a site sends out is no part of its Scope 2"
	case mwh > mostMWh:
		return 0, "the electricity used is more than the United States use in a year"
	}
	return math.Abs(mwh), "" // without the sign of -0
}

// plainDigits reports whether a text is digits, a point and a sign: strconv takes
// more than that for a number.
func plainDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789.-") == "" }
