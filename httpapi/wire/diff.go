package wire

import (
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// FactorChange is what became of a factor of a region from one edition to another.
// Relative changes are over what was there, -0.113 for -11.3 %.
type FactorChange struct {
	Level         egrid.Level `json:"level" enum:"ST,BA,SRL,NRL,US"`
	Code          string      `json:"code" doc:"Of the region; empty for the US."`
	Name          *string     `json:"name" doc:"Null where the sheet has none."`
	Kind          calc.Kind   `json:"kind" enum:"output,nonbaseload,combustion,input"`
	Gas           calc.Gas    `json:"gas" enum:"co2e,co2,ch4,n2o,nox,so2"`
	Unit          string      `json:"unit" example:"lb/MWh"`
	Change        calc.Change `json:"change" enum:"moved,published,same,added,lost" doc:"moved: by more than rounding explains; published: the sums give the same, and the published rate is another one; added, lost: in one edition only."`
	From          *Number     `json:"from" doc:"The factor, mass over generation or heat input at full precision, in the first edition; null where there is none."`
	To            *Number     `json:"to"`
	Difference    *Number     `json:"difference" doc:"to less from."`
	Relative      *Number     `json:"relative_change" doc:"The difference over from; null where there is none, or from is 0."`
	MovedBy       *calc.Mover `json:"moved_by" doc:"The input that moved it: masses, generation, heat_input (of kind input); both where neither has nine tenths of the move; published where the published rate alone moved; null where nothing tells."`
	MassChange    *Number     `json:"mass_change" doc:"Relative change of the mass."`
	WholeChange   *Number     `json:"generation_change" doc:"Relative change of the generation, or of the heat input of kind input."`
	ByMasses      *Number     `json:"by_masses" doc:"The part of relative_change that the masses have; with by_generation it adds up to it."`
	ByWhole       *Number     `json:"by_generation" doc:"The part that the generation has, or the heat input of kind input."`
	ByGWP         *Number     `json:"by_gwp" doc:"Of co2e: the part of by_masses that other global warming potentials of the second edition have; null where they are the same, or not known."`
	PublishedFrom *Number     `json:"published_from" doc:"The rounded rate that was published; null where there is none."`
	PublishedTo   *Number     `json:"published_to"`
	Published     *Number     `json:"published_change" doc:"Relative change of the published rate."`
	BasisFrom     string      `json:"basis_from" doc:"Level of the sheet that the factor is from; PLNT: sums over plants. Empty where there is none."`
	BasisTo       string      `json:"basis_to"`
	Rounded       bool        `json:"rounded" doc:"It is the published rate, because no sums are at hand."`
	Statement     string      `json:"statement" doc:"The same in a sentence."`
}

// FactorChangeOf returns the JSON form of a change.
func FactorChangeOf(c *calc.FactorChange) FactorChange {
	w := FactorChange{
		Level: c.Level, Code: c.Code, Name: textOrNull(c.Name), Kind: c.Kind, Gas: c.Gas, Unit: c.Unit(), Change: c.Change,
		From: NumberOf(c.From.Value), To: NumberOf(c.To.Value), Relative: numberIf(c.Relative()),
		MassChange: numberIf(c.MassChange()), WholeChange: numberIf(c.WholeChange()), ByMasses: NumberOf(c.ByMasses), ByWhole: NumberOf(c.ByWhole), ByGWP: NumberOf(c.ByGWP),
		PublishedFrom: NumberOf(c.From.Published), PublishedTo: NumberOf(c.To.Published), Published: numberIf(c.PublishedRelative()),
		BasisFrom: string(c.From.Basis), BasisTo: string(c.To.Basis), Rounded: c.From.Rounded || c.To.Rounded, Statement: c.Statement(),
	}
	if w.From == nil {
		w.BasisFrom = ""
	}
	if w.To == nil {
		w.BasisTo = ""
	}
	if w.From != nil && w.To != nil {
		w.Difference = new(*w.To - *w.From)
	}
	if c.MovedBy != "" {
		w.MovedBy = &c.MovedBy
	}
	return w
}

func numberIf(x float64, ok bool) *Number {
	if !ok {
		return nil
	}
	return new(Number(x))
}

// Comparison says which editions an answer compares, and sums it up.
type Comparison struct {
	From     ComparedEdition `json:"from"`
	To       ComparedEdition `json:"to"`
	Factors  []FactorSummary `json:"factors,omitempty" doc:"What became of factors, by kind and gas; of every kind, whatever was asked for."`
	Levels   []LevelSummary  `json:"levels,omitempty" doc:"What became of cells, by level."`
	Plants   *PlantSummary   `json:"plants,omitempty" doc:"What became of plants."`
	Notes    []string        `json:"notes" doc:"What a reader should know."`
	Citation string          `json:"citation" doc:"A line to cite. The permanent address is in links.permanent."`
}

// ComparedEdition is one side of a comparison.
type ComparedEdition struct {
	Year      int                `json:"year"`
	Release   string             `json:"release" doc:"Empty for the unmarked one."`
	Authority string             `json:"authority" doc:"Who published the edition."`
	GWP       *string            `json:"gwp,omitempty" doc:"Of factors: the global warming potentials that CO2e follows from best; left out where none fits or CO2e is not known."`
	Snapshots []ComparedSnapshot `json:"snapshots"`
}

// ComparedSnapshot is a sheet of one side.
type ComparedSnapshot struct {
	Level  egrid.Level      `json:"level"`
	ID     egrid.SnapshotID `json:"id"`
	Status egrid.Status     `json:"status" enum:"published,held,superseded"`
}

// ComparedEditionOf returns the JSON form of one side: of the snapshots that were
// read, at least one.
func ComparedEditionOf(read []egrid.Snapshot) ComparedEdition {
	w := ComparedEdition{Snapshots: []ComparedSnapshot{}}
	for i := range read {
		s := &read[i]
		w.Year, w.Release, w.Authority = s.Year, s.Release, s.Authority
		w.Snapshots = append(w.Snapshots, ComparedSnapshot{s.Level, s.ID, s.Status})
	}
	return w
}

// FactorSummary counts what became of the factors of one kind and gas.
type FactorSummary struct {
	Kind      calc.Kind      `json:"kind"`
	Gas       calc.Gas       `json:"gas"`
	Compared  int            `json:"compared" doc:"Factors that both editions have."`
	Moved     int            `json:"moved" doc:"Of them, those that moved by more than rounding explains."`
	Published int            `json:"published" doc:"Of them, those whose published rate alone moved."`
	Added     int            `json:"added"`
	Lost      int            `json:"lost"`
	Median    *Number        `json:"median_relative_change" doc:"Of those that moved, published rates too; null of none."`
	Largest   *LargestFactor `json:"largest,omitempty" doc:"The largest move; left out where none moved."`
}

// LargestFactor is the factor that moved most.
type LargestFactor struct {
	Level     egrid.Level `json:"level"`
	Code      string      `json:"code"`
	From      *Number     `json:"from"`
	To        *Number     `json:"to"`
	Relative  *Number     `json:"relative_change"`
	Statement string      `json:"statement"`
}

// FactorSummariesOf returns the JSON form of summaries.
func FactorSummariesOf(all []calc.FactorSummary) []FactorSummary {
	var to []FactorSummary
	for _, s := range all {
		w := FactorSummary{
			Kind: s.Kind, Gas: s.Gas, Compared: s.Compared, Moved: s.Moved, Published: s.Published, Added: s.Added, Lost: s.Lost, Median: NumberOf(s.Median),
		}
		if c := s.Largest; c != nil {
			l := LargestFactor{Level: c.Level, Code: c.Code, From: NumberOf(c.From.Value), To: NumberOf(c.To.Value), Relative: numberIf(c.Relative()), Statement: c.Statement()}
			if c.Change == calc.PublishedMoved {
				l.From, l.To, l.Relative = NumberOf(c.From.Published), NumberOf(c.To.Published), numberIf(c.PublishedRelative())
			}
			w.Largest = &l
		}
		to = append(to, w)
	}
	return to
}

// FactorComparisonOf returns the JSON form of what became of factors as a whole.
func FactorComparisonOf(d *calc.FactorDifference) Comparison {
	c := Comparison{
		From: ComparedEditionOf(d.From), To: ComparedEditionOf(d.To), Factors: FactorSummariesOf(calc.SummarizeFactors(d.Changes)),
		Notes: append([]string{}, d.Notes...), Citation: calc.CitePair("Change of emission factors", d.From, d.To),
	}
	c.From.GWP, c.To.GWP = textOrNull(d.FromGWP.Name), textOrNull(d.ToGWP.Name)
	return c
}
