package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// Factor is an emission factor with all that it takes to compute it again.
type Factor struct {
	Value     Number                 `json:"value" doc:"The formula over the inputs, at full precision."`
	Unit      string                 `json:"unit" example:"lb/MWh"`
	Published *Number                `json:"published" doc:"The rounded figure that was published for the same factor, in the same unit; null where there is none."`
	Gas       calc.Gas               `json:"gas"`
	Kind      calc.Kind              `json:"kind"`
	GWP       *string                `json:"gwp" doc:"Of co2e: what CH4 and N2O count in CO2."`
	Adjust    calc.Adjustment        `json:"adjustment,omitempty" doc:"What of the plants' emissions is left out; left out where they are as published, adjusted for biomass and CHP."`
	Delivered bool                   `json:"delivered" doc:"Per MWh at the customer: grid gross loss is taken into account."`
	Region    *FactorRegion          `json:"region,omitempty" doc:"Left out for a set of plants."`
	Year      int                    `json:"year"`
	Release   string                 `json:"release"`
	Authority string                 `json:"authority" doc:"Who published the edition."`
	Basis     egrid.Level            `json:"basis" doc:"Sheet that the inputs are from; PLNT: sums over plants."`
	Rounded   bool                   `json:"rounded" doc:"It rests on a figure that was rounded."`
	Formula   string                 `json:"formula" doc:"Names of inputs, numbers, + - * / and parentheses."`
	Inputs    map[string]FactorInput `json:"inputs"`
	Plants    []PlantShare           `json:"plants,omitempty" doc:"Where asked for: amounts times weight sum up to the inputs."`
	Sources   []FactorSource         `json:"sources" doc:"The files that it was computed from."`
	Notes     []string               `json:"notes" doc:"What a reader should know."`
	Citation  string                 `json:"citation" doc:"A line to cite. The permanent address is in links.permanent."`
}

// FactorRegion names the region of a factor.
type FactorRegion struct {
	Level egrid.Level `json:"level"`
	Code  string      `json:"code" doc:"Empty for the US."`
	Name  *string     `json:"name" doc:"Null where the sheet has none."`
}

// FactorInput is a figure that a formula names.
type FactorInput struct {
	Value  Number       `json:"value"`
	Unit   string       `json:"unit"`
	Level  egrid.Level  `json:"level" doc:"Sheet that it was read from."`
	Code   string       `json:"code" doc:"Of the region; empty for the US, and for sums over plants."`
	Column egrid.Column `json:"column"`
	Of     string       `json:"of,omitempty" doc:"Which plants were summed, and how; left out for a cell of a sheet."`
}

// PlantShare is what a plant has of the inputs.
type PlantShare struct {
	ID      string            `json:"id" doc:"ORIS code."`
	Name    string            `json:"name"`
	Weight  Number            `json:"weight" doc:"By which it counts: its non-baseload factor, else 1."`
	Amounts map[string]Number `json:"amounts" doc:"By input, before the weight."`
}

// FactorSource is a file that figures were read from.
type FactorSource struct {
	Snapshot egrid.SnapshotID `json:"snapshot"`
	Level    egrid.Level      `json:"level"`
	Object   string           `json:"object"`
	Sheet    string           `json:"sheet"`
	SHA256   string           `json:"sha256"`
}

// FactorOf returns the JSON form of a factor.
func FactorOf(f *calc.Factor) Factor {
	w := Factor{
		Value: Number(f.Value), Unit: f.Unit, Published: NumberOf(f.Published), Gas: f.Query.Gas, Kind: f.Query.Kind,
		GWP: textOrNull(f.Query.GWP), Delivered: f.Query.Delivered, Year: f.Query.Year, Release: unmarked(f.Query.Release),
		Authority: f.Authority, Basis: f.Basis, Rounded: f.Rounded, Formula: f.Formula, Inputs: inputsOf(f.Inputs),
		Plants: sharesOf(f.Plants), Sources: sourcesOf(f.Snapshots), Notes: append([]string{}, f.Notes...), Citation: f.Citation(),
	}
	if f.Query.Adjustment != calc.AsPublished {
		w.Adjust = f.Query.Adjustment
	}
	if len(f.Query.Plants) == 0 {
		w.Region = &FactorRegion{Level: f.Query.Level, Code: f.Query.Code, Name: textOrNull(f.Name)}
	}
	return w
}

// Whole is a whole number of JSON, where 2023.0 is one, too.
type Whole int

// UnmarshalJSON reads a number without a fraction. It returns [egrid.ErrInvalid] for
// another one, and for one beyond 2^53.
func (w *Whole) UnmarshalJSON(b []byte) error {
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return fmt.Errorf("%w: %s is not a whole number", egrid.ErrInvalid, b)
	}
	*w = Whole(x)
	return nil
}

// FactorQuery asks for one factor, as an element of a batch or by parameters. One of the places is given.
type FactorQuery struct {
	Subregion string   `json:"subregion,omitempty" maxLength:"60"`
	State     string   `json:"state,omitempty" maxLength:"60"`
	BA        string   `json:"ba,omitempty" maxLength:"60" doc:"Code of a balancing authority."`
	NERC      string   `json:"nerc,omitempty" maxLength:"60"`
	US        bool     `json:"us,omitempty"`
	Plants    []string `json:"plants,omitempty" maxItems:"1000" nullable:"false" doc:"ORIS codes."`
	Year      Whole    `json:"year,omitempty" minimum:"1990" maximum:"9999" doc:"Data year; the newest when left out."`
	Release   string   `json:"release,omitempty" maxLength:"60"`
	Gas       string   `json:"gas,omitempty" maxLength:"60"`
	Kind      string   `json:"kind,omitempty" maxLength:"60"`
	GWP       string   `json:"gwp,omitempty" maxLength:"60"`
	Unit      string   `json:"unit,omitempty" maxLength:"60"`
	Delivered bool     `json:"delivered,omitempty"`

	Adjustment string `json:"adjustment,omitempty" maxLength:"60" doc:"published, which is the default, unadjusted, biomass or chp."`
}

// Query is the query of package calc. It returns [egrid.ErrInvalid] unless
// one place is given.
func (q FactorQuery) Query() (calc.FactorQuery, error) {
	c := calc.FactorQuery{
		Plants: q.Plants, Year: int(q.Year), Release: q.Release, Gas: calc.Gas(q.Gas), Kind: calc.Kind(q.Kind),
		GWP: q.GWP, Unit: q.Unit, Delivered: q.Delivered, Adjustment: calc.Adjustment(q.Adjustment),
	}
	places := 0
	if len(q.Plants) > 0 {
		places++
	}
	for _, p := range []struct {
		level egrid.Level
		code  string
	}{{egrid.SRL, q.Subregion}, {egrid.ST, q.State}, {egrid.BA, q.BA}, {egrid.NRL, q.NERC}} {
		if p.code != "" {
			c.Level, c.Code = p.level, p.code
			places++
		}
	}
	if q.US {
		c.Level = egrid.US
		places++
	}
	if places != 1 {
		return c, fmt.Errorf("%w: a factor is of one place: a subregion, a state, a balancing authority, a NERC region, the US, or a list of plants; %d are given", egrid.ErrInvalid, places)
	}
	return c, nil
}

// FactorResult is the answer to one query of a batch.
type FactorResult struct {
	Factor *Factor  `json:"factor,omitempty"`
	Error  *Problem `json:"error,omitempty" doc:"Why there is no factor."`
}

// Explanation is a published figure with what it follows from.
type Explanation struct {
	Level       egrid.Level            `json:"level"`
	Code        string                 `json:"code"`
	Column      egrid.Column           `json:"column"`
	EPACode     string                 `json:"epa_code"`
	Unit        string                 `json:"unit"`
	Description string                 `json:"description"`
	Year        int                    `json:"year"`
	Release     string                 `json:"release"`
	Authority   string                 `json:"authority" doc:"Who published the edition."`
	Published   egrid.Value            `json:"published" doc:"The figure, as it was published; null where it is missing."`
	Recomputed  *Number                `json:"recomputed" doc:"The formula over the inputs, at full precision; null where no formula gives the figure."`
	Tolerance   Number                 `json:"tolerance" doc:"By how much rounding alone may part the two."`
	Matches     bool                   `json:"matches" doc:"They differ by no more."`
	Formula     string                 `json:"formula" doc:"Names of inputs, numbers, + - * / and parentheses; empty where the figure is an input of eGRID."`
	Inputs      map[string]FactorInput `json:"inputs"`
	Plants      []PlantShare           `json:"plants,omitempty" doc:"Where the inputs are sums over plants: amounts times weight sum up to them."`
	Method      string                 `json:"method" doc:"What the edition does where editions differ."`
	Row         int64                  `json:"row" doc:"Record of the sheet, from 1, that holds the figure."`
	Sources     []FactorSource         `json:"sources"`
	Notes       []string               `json:"notes"`
}

// ExplanationOf returns the JSON form of an explanation.
func ExplanationOf(x *calc.Explanation) Explanation {
	return Explanation{
		Level: x.Query.Level, Code: x.Query.Code, Column: x.Field.Column, EPACode: x.Field.Code, Unit: x.Field.Unit,
		Description: x.Field.Description, Year: x.Query.Year, Release: unmarked(x.Query.Release), Authority: x.Authority,
		Published: x.Published, Recomputed: NumberOf(x.Recomputed), Tolerance: Number(x.Tolerance), Matches: x.Matches,
		Formula: x.Formula, Inputs: inputsOf(x.Inputs), Plants: sharesOf(x.Plants), Method: x.Method, Row: x.Row,
		Sources: sourcesOf(x.Snapshots), Notes: append([]string{}, x.Notes...),
	}
}

func inputsOf(inputs map[string]calc.Input) map[string]FactorInput {
	to := make(map[string]FactorInput, len(inputs))
	for name, in := range inputs {
		to[name] = FactorInput{Number(in.Value), in.Unit, in.Level, in.Code, in.Column, in.Of}
	}
	return to
}

func sharesOf(shares []calc.PlantShare) []PlantShare {
	var to []PlantShare
	for _, s := range shares {
		amounts := make(map[string]Number, len(s.Amounts))
		for name, x := range s.Amounts {
			amounts[name] = Number(x)
		}
		to = append(to, PlantShare{s.ID, s.Name, Number(s.Weight), amounts})
	}
	return to
}

func sourcesOf(snapshots []egrid.Snapshot) []FactorSource {
	to := []FactorSource{}
	for i := range snapshots {
		s := &snapshots[i]
		for _, from := range s.Sources {
			to = append(to, FactorSource{s.ID, s.Level, from.Object, from.Sheet, from.SHA256})
		}
	}
	return to
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// unmarked is a release as answers write it.
func unmarked(release string) string {
	if strings.EqualFold(release, egrid.NoRelease) {
		return ""
	}
	return release
}

// Inventory is a table of sites with their emissions.
type Inventory struct {
	Sites   []InventorySite   `json:"sites"`
	Totals  InventoryTotals   `json:"totals"`
	Methods []InventoryMethod `json:"methods" doc:"The places that sites were placed in."`
}

// InventorySite is a site with its answer.
type InventorySite struct {
	Site   map[string]string `json:"site" doc:"The cells of its record, by column."`
	Answer InventoryAnswer   `json:"answer"`
}

// InventoryAnswer is what became of a site.
type InventoryAnswer struct {
	MWh       *Number `json:"electricity_mwh"`
	Level     *string `json:"egrid_level"`
	Region    *string `json:"egrid_region"`
	Precision *string `json:"precision" doc:"What the site was placed by."`
	Year      *int    `json:"egrid_year"`
	Release   *string `json:"egrid_release"`
	Authority *string `json:"egrid_authority"`
	Factor    *Number `json:"factor_co2e_kg_per_mwh"`
	CO2       *Number `json:"co2_kg"`
	CH4       *Number `json:"ch4_kg"`
	N2O       *Number `json:"n2o_kg"`
	CO2e      *Number `json:"co2e_kg"`
	Losses    *Number `json:"losses_co2e_kg" doc:"CO2e of the electricity that was lost on the way to the site."`
	Source    *string `json:"egrid_source" doc:"Ids of snapshots."`
	Note      *string `json:"note"`
	Reason    *string `json:"reason" doc:"Why there are no emissions."`
}

// InventoryTotals are the sums of an inventory.
type InventoryTotals struct {
	Sites    int64            `json:"sites"`
	Answered int64            `json:"answered"`
	MWh      *Number          `json:"electricity_mwh"`
	CO2      *Number          `json:"co2_kg"`
	CH4      *Number          `json:"ch4_kg"`
	N2O      *Number          `json:"n2o_kg"`
	CO2e     *Number          `json:"co2e_kg"`
	Losses   *Number          `json:"losses_co2e_kg"`
	Reasons  map[string]int64 `json:"reasons" doc:"How many sites have no emissions, by reason."`

	Incomplete map[string]int64 `json:"incomplete" doc:"How many answered sites lack a figure, by column: the sum is of the others."`
}

// InventoryMethod is a place of an inventory, with its factor.
type InventoryMethod struct {
	Level     egrid.Level            `json:"egrid_level"`
	Region    string                 `json:"egrid_region"`
	Precision string                 `json:"precision"`
	Year      int                    `json:"egrid_year"`
	Release   string                 `json:"egrid_release"`
	Authority string                 `json:"egrid_authority"`
	Factor    *Number                `json:"factor_co2e_kg_per_mwh"`
	Loss      *Number                `json:"grid_gross_loss"`
	Formula   string                 `json:"formula"`
	Inputs    map[string]FactorInput `json:"inputs"`
	Citation  string                 `json:"citation"`
	Notes     []string               `json:"notes"`
}
