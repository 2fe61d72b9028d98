package wire

import (
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// ColumnChange is what became of a column of a level from one edition to another.
type ColumnChange struct {
	Level   egrid.Level  `json:"level"`
	Column  egrid.Column `json:"column"`
	Code    string       `json:"code" doc:"EPA's."`
	Unit    *string      `json:"unit" doc:"Null where it has none."`
	Change  string       `json:"change" enum:"changed,same,added,lost" doc:"added, lost: one edition alone has the column."`
	Rows    int64        `json:"rows" doc:"Rows that both editions have."`
	Changed int64        `json:"changed" doc:"Cells that contradict each other."`
	Rounder int64        `json:"rounder" doc:"Cells that are the same, and rounded in the second edition."`
	Finer   int64        `json:"finer" doc:"Cells that are the same, and were rounded in the first edition."`
	Filled  int64        `json:"filled" doc:"Cells that the first edition lacks."`
	Blanked int64        `json:"blanked" doc:"Cells that the second edition lacks."`
	Median  *Number      `json:"median_relative_change" doc:"Of the numbers that contradict each other; null of none."`
	Largest *LargestCell `json:"largest,omitempty" doc:"The largest change of cells that contradict each other; left out where none do."`
}

// LargestCell is the cell of a column that changed most.
type LargestCell struct {
	Key      string      `json:"key" doc:"Identifier of the row, as 3612/1."`
	From     egrid.Value `json:"from"`
	To       egrid.Value `json:"to"`
	Relative *Number     `json:"relative_change"`
}

// ColumnChangeOf returns the JSON form of a column's change.
func ColumnChangeOf(level egrid.Level, c *calc.ColumnChange) ColumnChange {
	w := ColumnChange{
		Level: level, Column: c.Column, Code: c.Field.Code, Unit: textOrNull(c.Field.Unit), Change: string(c.Change), Rows: c.Rows,
		Changed: c.Changed, Rounder: c.Rounder, Finer: c.Finer, Filled: c.Filled, Blanked: c.Blanked, Median: NumberOf(c.Median),
	}
	if c.Change == calc.Moved {
		w.Change = "changed"
	}
	if l := c.Largest; l != nil {
		w.Largest = &LargestCell{Key: l.Key, From: l.From, To: l.To, Relative: finite(l.Relative())}
	}
	return w
}

// finite is a number of JSON, which knows no infinite ones.
func finite(x float64, ok bool) *Number {
	if !ok {
		return nil
	}
	return NumberOf(egrid.NumberOf(x))
}

// LevelSummary counts what became of the cells of a level.
type LevelSummary struct {
	Level          egrid.Level `json:"level"`
	Rows           int64       `json:"rows" doc:"Rows that both editions have."`
	Changed        int64       `json:"rows_changed" doc:"Of them, those with a cell that differs."`
	Added          int64       `json:"rows_added" doc:"Rows that only the second edition has."`
	Lost           int64       `json:"rows_lost" doc:"Rows that only the first edition has."`
	ColumnsChanged int         `json:"columns_changed"`
	ColumnsAdded   int         `json:"columns_added"`
	ColumnsLost    int         `json:"columns_lost"`
	Cells          int64       `json:"cells_changed" doc:"Cells that contradict each other."`
}

// LevelSummaryOf returns the JSON form of what became of a level.
func LevelSummaryOf(d *calc.LevelDifference) LevelSummary {
	return LevelSummary{
		Level: d.To.Level, Rows: d.Rows, Changed: d.Changed, Added: d.Added, Lost: d.Lost,
		ColumnsChanged: len(d.Difference.Columns), ColumnsAdded: len(d.ColumnsAdded), ColumnsLost: len(d.ColumnsLost), Cells: d.Cells.Changed,
	}
}

// ColumnComparisonOf returns the JSON form of what became of cells as a whole.
func ColumnComparisonOf(all []calc.LevelDifference) Comparison {
	var from, to []egrid.Snapshot
	c := Comparison{Notes: []string{}, Levels: []LevelSummary{}}
	for i := range all {
		from, to = append(from, all[i].From), append(to, all[i].To)
		c.Levels = append(c.Levels, LevelSummaryOf(&all[i]))
	}
	c.From, c.To, c.Citation = ComparedEditionOf(from), ComparedEditionOf(to), calc.CitePair("Change of cells", from, to)
	return c
}

// PlantChange is a plant that moved to another region, came or went.
type PlantChange struct {
	ID             string            `json:"id" doc:"ORIS code."`
	Name           string            `json:"name"`
	Change         calc.Change       `json:"change" enum:"moved,added,lost"`
	Column         *string           `json:"column" doc:"Of the region that it moved from and to: subregion, balancing_authority, nerc_region or state; null for a plant that came or went."`
	From           *string           `json:"from" doc:"Code of the region in the first edition."`
	To             *string           `json:"to"`
	FromGeneration *Number           `json:"net_generation_mwh_from" doc:"Of the first edition; null where it has none."`
	ToGeneration   *Number           `json:"net_generation_mwh_to"`
	Successor      *string           `json:"successor" doc:"Of a plant that went: the ORIS code under which it seems to be in the second edition; null where none is found. EPA does not say so."`
	SuccessorBy    *calc.SuccessorBy `json:"successor_by" doc:"generators: all of its generators, two or more, are that plant's with their ids, prime movers, years and capacities; name: a plant of the same name came in the same state."`
}

// PlantChangeOf returns the JSON form of a plant's change.
func PlantChangeOf(c *calc.PlantChange) PlantChange {
	w := PlantChange{
		ID: c.ID, Name: c.Name, Change: c.Change, Column: textOrNull(string(c.Column)), From: textOrNull(c.From), To: textOrNull(c.To),
		FromGeneration: NumberOf(c.FromGeneration), ToGeneration: NumberOf(c.ToGeneration), Successor: textOrNull(c.Successor),
	}
	if c.SuccessorBy != "" {
		w.SuccessorBy = &c.SuccessorBy
	}
	return w
}

// PlantMove is a plant that an edition places in another region than the one before.
type PlantMove struct {
	Column      egrid.Column `json:"column" doc:"Of the region: subregion, balancing_authority, nerc_region or state."`
	From        string       `json:"from"`
	To          string       `json:"to"`
	FromYear    int          `json:"from_year" doc:"Last data year with the one."`
	ToYear      int          `json:"to_year" doc:"First data year with the other."`
	FromRelease string       `json:"from_release" doc:"Empty for the unmarked one."`
	ToRelease   string       `json:"to_release"`
}

// PlantSummary counts what became of plants.
type PlantSummary struct {
	Basis        egrid.Level `json:"basis" enum:"PLNT,GEN" doc:"Level of the sheets; GEN: plants are summed from generators."`
	Both         int         `json:"both" doc:"Plants that both editions have."`
	Moved        int         `json:"moved" doc:"Of them, those with another region at some level."`
	Added        int         `json:"added"`
	Lost         int         `json:"lost"`
	Unidentified int         `json:"unidentified" doc:"Rows without an ORIS code, of both editions: they match nothing."`
	Repeated     int         `json:"repeated" doc:"Rows with the ORIS code of another row, which count with it."`
	Flows        []PlantFlow `json:"flows" doc:"Plants that moved from one region to another, together; the most generation first."`
}

// PlantFlow is plants that moved from a region to another one.
type PlantFlow struct {
	Column     egrid.Column `json:"column"`
	From       string       `json:"from"`
	To         string       `json:"to"`
	Plants     int          `json:"plants"`
	Generation Number       `json:"net_generation_mwh" doc:"Of the second edition."`
}

// PlantComparisonOf returns the JSON form of what became of plants as a whole.
func PlantComparisonOf(d *calc.PlantDifference) Comparison {
	s := PlantSummary{
		Basis: d.Level, Both: d.Both, Moved: d.Moved, Added: d.Added, Lost: d.Lost, Unidentified: d.Unidentified, Repeated: d.Repeated, Flows: []PlantFlow{},
	}
	for _, f := range d.Flows {
		s.Flows = append(s.Flows, PlantFlow{f.Column, f.From, f.To, f.Plants, Number(f.Generation)})
	}
	return Comparison{
		From: ComparedEditionOf(d.From), To: ComparedEditionOf(d.To), Plants: &s,
		Notes: append([]string{}, d.Notes...), Citation: calc.CitePair("Plants", d.From, d.To),
	}
}

// Report is a comparison of two editions as a whole: what the lists of /diff/factors,
// /diff/columns and /diff/plants begin with.
type Report struct {
	Comparison
	FactorChanges []FactorChange `json:"factor_changes" doc:"Output and non-baseload factors that moved, the largest change first."`
	ColumnChanges []ColumnChange `json:"column_changes" doc:"Columns of regions and plants that changed, those with the most cells first."`
	PlantChanges  []PlantChange  `json:"plant_changes" doc:"Plants that moved, came or went, those with the most generation first."`
}

// ColumnHistory is what became of a column of a level in one edition.
type ColumnHistory struct {
	Level    egrid.Level       `json:"level"`
	Name     *string           `json:"name" doc:"Our name; null for a header that the dictionary lacks."`
	Code     string            `json:"code" doc:"EPA's code; of a header that the dictionary lacks, the header."`
	Edition  string            `json:"edition" doc:"As 2018, 2018-v2; of an alias a range, as 2010-2018."`
	Event    egrid.ColumnEvent `json:"event" enum:"first,appeared,present,renamed,gone,absent,returned,alias" doc:"first: the oldest edition whose code row is known has it; alias: the dictionary reads the header, of editions whose code rows are not at hand."`
	Header   *string           `json:"header" doc:"In the sheet; null where it is not there, and of sheets in the store."`
	Evidence string            `json:"evidence" enum:"code row,part,dictionary,store" doc:"code row: the sheet's, complete; part: an excerpt, which does not tell what the sheet lacks; dictionary: an alias; store: a sheet that is published here."`
}

// ColumnHistoryOf returns the JSON form of histories, and of what sheets that are
// published have or lack.
func ColumnHistoryOf(all []egrid.ColumnHistory, published []egrid.Snapshot) []ColumnHistory {
	list := []ColumnHistory{}
	for i := range all {
		h := &all[i]
		row := ColumnHistory{Level: h.Level, Name: textOrNull(string(h.Column)), Code: h.Code}
		for _, e := range h.Entries {
			row.Edition, row.Event, row.Header, row.Evidence = e.Edition, e.Event, textOrNull(e.Header), e.Evidence
			list = append(list, row)
		}
		for j := range published {
			s := &published[j]
			if s.Level != h.Level || s.Status != egrid.Published || h.Column == "" {
				continue
			}
			row.Edition, row.Event, row.Header, row.Evidence = strings.TrimSuffix(fmt.Sprintf("%d-%s", s.Year, s.Release), "-"), egrid.ColumnAbsent, nil, "store"
			if s.Schema.Has(h.Column) {
				row.Event = egrid.ColumnPresent
			}
			list = append(list, row)
		}
	}
	return list
}
