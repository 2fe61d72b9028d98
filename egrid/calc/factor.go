package calc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Gas is what a factor is of.
type Gas string

// The gases. CO2e is CO2, CH4 and N2O together, weighted by a [GWP].
const (
	CO2e Gas = "co2e"
	CO2  Gas = "co2"
	CH4  Gas = "ch4"
	N2O  Gas = "n2o"
	NOx  Gas = "nox"
	SO2  Gas = "so2"
)

// Gases returns the gases, CO2e first.
func Gases() []Gas { return []Gas{CO2e, CO2, CH4, N2O, NOx, SO2} }

// Kind is what a factor is per.
type Kind string

// The kinds.
const (
	Output      Kind = "output"      // per MWh of all generation: for an inventory by location
	Nonbaseload Kind = "nonbaseload" // per MWh of generation that follows the load: for savings
	Combustion  Kind = "combustion"  // per MWh of generation by burning fuel
	HeatInput   Kind = "input"       // per MMBtu of fuel burned
)

// Kinds returns the kinds, output first.
func Kinds() []Kind { return []Kind{Output, Nonbaseload, Combustion, HeatInput} }

// FactorQuery asks for an emission factor of a region, or of a set of plants. The
// zero value of every field but the place means its default.
type FactorQuery struct {
	Level  egrid.Level // ST, BA, SRL, NRL or US
	Code   string      // of the region, e.g. CAMX; empty for the US
	Plants []string    // ORIS codes, in place of a region

	Year      int    // data year; 0 is the newest in which the place can be answered
	Release   string // empty is the newest, NoRelease the unmarked one
	Gas       Gas    // default CO2e
	Kind      Kind   // default Output
	GWP       string // of CO2e: published (default), or the name of one of [GWPs]
	Unit      string // default lb/MWh, of kind input lb/MMBtu; see [FactorUnits]
	Delivered bool   // per MWh at the customer: grid gross loss taken into account
	Explain   bool   // list the plants, where their sheet is loaded

	// Adjustment is what of the plants' emissions is left out; default AsPublished. Any
	// other is summed from plants, whose sheet has the columns for it.
	Adjustment Adjustment
}

// Factor is an emission factor, with all that it takes to compute it again.
type Factor struct {
	Value     float64     // of Formula over Inputs, at full precision
	Unit      string      // of Value, as kg/MWh: one of FactorUnits of the kind
	Published egrid.Value // EPA's rounded figure of the same factor, in Unit; missing where there is none
	Query     FactorQuery // as it was answered: defaults filled in, names in the dictionary's spelling
	Name      string      // of the region, where its sheet has one
	Basis     egrid.Level // level of the sheet that the inputs are from; PLNT: sums over plants
	Rounded   bool        // it rests on a figure that was rounded when it was published
	Authority string      // who published the edition
	Formula   string      // see [Evaluate]
	Inputs    map[string]Input
	Plants    []PlantShare // where asked for: their amounts times weight sum up to the inputs
	Snapshots []egrid.Snapshot
	Notes     []string // what a reader should know
}

// FactorOf computes an emission factor from what a DB holds: from the region's
// own sheet where one is published, else from the plants of the region; factors
// of kind nonbaseload from plants of the same release where they are published,
// else from the published rate. Sheets of different releases are never mixed.
//
// Errors: [egrid.ErrInvalid] for a query that cannot be; [egrid.ErrNotFound] for a
// place, year or release that is not published, and where the sheets lack a
// figure that the factor needs: the text says which, and what there is;
// [egrid.ErrConflict] where the sheet has several rows for the region, see [OneRow].
func FactorOf(ctx context.Context, db *store.DB, q FactorQuery) (Factor, error) {
	return factorOf(ctx, db, q, nil)
}

func factorOf(ctx context.Context, db *store.DB, q FactorQuery, kept *Answers) (Factor, error) {
	if err := q.normalize(); err != nil {
		return Factor{}, err
	}
	now, err := db.Now(ctx)
	if err != nil {
		return Factor{}, err
	}
	r := reader{db: now, kept: kept}
	levels := []egrid.Level{q.Level, egrid.PLNT}
	if len(q.Plants) > 0 || q.adjusted() {
		levels = levels[1:]
	}
	basis, err := r.edition(ctx, q.Year, q.Release, levels...)
	if errors.Is(err, egrid.ErrNotFound) && q.adjusted() {
		err = fmt.Errorf("%w; emissions with adjustment %s are summed from plants", err, q.Adjustment)
	}
	if err != nil {
		return Factor{}, err
	}
	q.Year, q.Release = r.year, r.release
	f, err := r.factor(ctx, q, basis)
	if err != nil {
		return Factor{}, err
	}
	if q.Delivered {
		if err := r.deliver(ctx, &f); err != nil {
			return Factor{}, err
		}
	}
	return f.finish()
}

// normalize fills in the defaults, and refuses what cannot be.
func (q *FactorQuery) normalize() error {
	q.Gas, q.Kind = Gas(strings.ToLower(string(q.Gas))), Kind(strings.ToLower(string(q.Kind)))
	if q.Gas == "" {
		q.Gas = CO2e
	}
	if q.Kind == "" {
		q.Kind = Output
	}
	if !slices.Contains(Gases(), q.Gas) {
		return fmt.Errorf("%w: gas %q is none of %s", egrid.ErrInvalid, q.Gas, list(Gases()))
	}
	if !slices.Contains(Kinds(), q.Kind) {
		return fmt.Errorf("%w: kind %q is none of %s", egrid.ErrInvalid, q.Kind, list(Kinds()))
	}
	if err := errors.Join(q.normalizeGWP(), q.normalizeAdjustment()); err != nil {
		return err
	}
	unit, err := findUnit(q.Kind, q.Unit)
	if err != nil {
		return err
	}
	q.Unit = unit.name
	if q.Delivered && q.Kind == HeatInput {
		return fmt.Errorf("%w: a factor per unit of fuel is not delivered over the grid: leave delivered out, or ask for another kind than input", egrid.ErrInvalid)
	}
	return q.normalizePlace()
}

func (q *FactorQuery) normalizeGWP() error {
	switch q.GWP = strings.ToLower(strings.TrimSpace(q.GWP)); {
	case q.Gas != CO2e:
		if q.GWP != "" && q.GWP != GWPPublished {
			return fmt.Errorf("%w: a GWP weighs gases of co2e; %s is one gas by itself", egrid.ErrInvalid, q.Gas)
		}
		q.GWP = ""
	case q.GWP == "" || q.GWP == GWPPublished:
		q.GWP = GWPPublished
	default:
		g, err := ParseGWP(q.GWP)
		if err != nil {
			return err
		}
		q.GWP = g.Name
	}
	return nil
}

func (q *FactorQuery) normalizePlace() error {
	if len(q.Plants) > 0 {
		if q.Level != "" || q.Code != "" {
			return fmt.Errorf("%w: a factor is of a region or of plants, not of both", egrid.ErrInvalid)
		}
		var ids []string
		for _, id := range q.Plants {
			if id = plantCode(id); id != "" {
				ids = append(ids, id)
			}
		}
		if ids == nil {
			return fmt.Errorf("%w: which plants? Their ORIS codes are missing", egrid.ErrInvalid)
		}
		slices.Sort(ids)
		q.Plants = slices.Compact(ids)
		return nil
	}
	if !slices.Contains(RegionLevels(), q.Level) {
		return fmt.Errorf("%w: a factor is of a level ST, BA, SRL, NRL or US, or of plants; %q is none of these", egrid.ErrInvalid, q.Level)
	}
	q.Code = strings.ToUpper(strings.TrimSpace(q.Code))
	if q.Level == egrid.US {
		if q.Code != "" && q.Code != "US" {
			return fmt.Errorf("%w: the US have no code; leave %q out, or name the level that it is a code of", egrid.ErrInvalid, q.Code)
		}
		q.Code = ""
		return nil
	}
	if q.Code == "" {
		return fmt.Errorf("%w: which %s? The code is missing", egrid.ErrInvalid, q.Level.Title())
	}
	return nil
}

// plantCode is an ORIS code as sheets have it: spreadsheets write 3.0 for 3.
func plantCode(text string) string {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789") == "" {
		return text
	}
	if v, _, err := egrid.ParseValue(egrid.Integer, text); err == nil && !v.IsMissing() {
		return v.String()
	}
	return text
}

func list[T ~string](names []T) string {
	var words []string
	for _, n := range names {
		words = append(words, string(n))
	}
	return strings.Join(words, ", ")
}

// finish evaluates the formula.
func (f Factor) finish() (Factor, error) {
	unit, err := findUnit(f.Query.Kind, f.Query.Unit)
	if err != nil {
		return Factor{}, err
	}
	f.contradict()
	f.Notes = append(f.Notes, foreign(f.Snapshots)...)
	if unit.factor != "" {
		f.Formula += " * " + unit.factor
		if rate, ok := f.Published.Float(); ok {
			scaled, err := Evaluate("rate * "+unit.factor, map[string]Input{"rate": {Value: rate}})
			if err != nil {
				return Factor{}, err
			}
			f.Published = egrid.NumberOf(scaled)
		}
	}
	f.Unit = unit.name
	if f.Query.Delivered {
		f.Formula = "(" + f.Formula + ") / (1 - " + lossFormula(f.Inputs) + ")"
		f.Published = egrid.Value{}
	}
	f.Value, err = Evaluate(f.Formula, f.Inputs)
	if err != nil {
		return Factor{}, fmt.Errorf("%w: there is no such factor: %w", egrid.ErrNotFound, err)
	}
	return f, nil
}

// contradict notes a published figure that differs from the computed one by more
// than rounding may have done.
func (f *Factor) contradict() {
	published, ok := f.Published.Float()
	computed, err := Evaluate(f.Formula, f.Inputs)
	if !ok || err != nil {
		return
	}
	const rounding = 0.0006 // of figures of three decimals, which some tables show in fewer digits
	if math.Abs(published-computed) <= rounding+1e-3*math.Abs(computed) {
		return
	}
	than := ""
	if computed != 0 {
		than = ": it is " + strconv.FormatFloat(100*published/computed, 'f', 1, 64) + " % of it"
	}
	f.Notes = append(f.Notes, fmt.Sprintf("The published figure, %s %s, is not what the sums of the sheets give%s. Explain the column to see both.", f.Published, unitsOf(f.Query.Kind)[0].name, than))
}

// Citation is a line that names the factor, its edition and the files that it was
// computed from.
func (f *Factor) Citation() string {
	q := &f.Query
	edition := fmt.Sprintf("eGRID%d", q.Year)
	if q.Release != "" && q.Release != egrid.NoRelease {
		edition += " " + q.Release
	}
	what := strings.ToUpper(string(q.Gas))
	if q.Gas == CO2e {
		if what = "CO2e"; q.GWP != GWPPublished {
			what += " (" + strings.ToUpper(q.GWP) + ")"
		}
	}
	kind := string(q.Kind) + " emission rate"
	switch q.Adjustment {
	case Unadjusted:
		kind = "unadjusted " + kind
	case BiomassAdjusted, CHPAdjusted:
		kind += " adjusted for " + strings.ReplaceAll(string(q.Adjustment), "chp", "CHP") + " alone"
	}
	if q.Delivered {
		kind += " of delivered electricity"
	}
	var files []string
	for i := range f.Snapshots {
		for _, s := range f.Snapshots[i].Sources {
			files = append(files, fmt.Sprintf("%s (SHA-256 %s)", strings.TrimSpace(s.Object+" "+s.Sheet), s.SHA256))
		}
	}
	return fmt.Sprintf("%s, %s, %s: %s %s, %s %s. Computed from %s.", f.Authority, edition, f.place(), what, kind,
		f.figure(), f.Unit, strings.Join(files, ", "))
}

// figure is the value with six digits at least, with the three decimals that EPA
// publishes, and with those of the published figure where that has more.
func (f *Factor) figure() string {
	digits := 6
	if f.Value != 0 {
		digits = max(digits, 4+int(math.Floor(math.Log10(math.Abs(f.Value)))))
	}
	if unit, err := findUnit(f.Query.Kind, f.Query.Unit); err == nil && unit.factor == "" {
		digits = max(digits, len(strings.TrimLeft(strings.Trim(strings.Replace(f.Published.String(), ".", "", 1), "-"), "0")))
	}
	return strconv.FormatFloat(f.Value, 'g', digits, 64)
}

// place names the place in words.
func (f *Factor) place() string {
	q := &f.Query
	switch {
	case len(q.Plants) == 1:
		return "plant " + q.Plants[0]
	case len(q.Plants) > 1:
		return fmt.Sprintf("%d plants", len(q.Plants))
	case q.Level == egrid.US:
		return q.Level.Title()
	case f.Name != "":
		return fmt.Sprintf("%s %s (%s)", q.Level.Title(), q.Code, f.Name)
	}
	return q.Level.Title() + " " + q.Code
}
