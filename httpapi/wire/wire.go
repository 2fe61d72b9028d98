// Package wire holds the JSON of the HTTP API: package httpapi writes these
// types, package client reads them, and so can any program that imports neither
// a server's libraries nor a client's.
//
// Every answer is an [Answer]; what it is of depends on the path. Errors are a
// [Problem]. [Batches] is the binary form in which programs scan.
//
// Start with [Answer] for what every JSON answer has, and [Problem] for refusals.
package wire

import (
	"github.com/egrid-analytics/egrid-go/egrid"
)

// Media types.
const (
	TypeJSON    = "application/json"
	TypeProblem = "application/problem+json"
	TypeEvents  = "text/event-stream"
	TypeBatches = "application/vnd.egrid.batches"
)

// Answer is the envelope of an answer.
type Answer[T any] struct {
	Data  T     `json:"data"`
	Meta  Meta  `json:"meta"`
	Links Links `json:"links"`
}

// Meta describes the data of an answer.
type Meta struct {
	Count      int               `json:"count" doc:"Rows of this answer."`
	Total      *int64            `json:"total" doc:"Rows of all pages together."`
	Year       *int              `json:"year" doc:"Data year; null when the answer is of several."`
	Release    *string           `json:"release" doc:"Release of the edition, empty for the unmarked one; null when the answer is of several."`
	Revision   int64             `json:"revision" doc:"Grows with every publish; 0 at a permanent address, whose answer belongs to none."`
	Units      map[string]string `json:"units" doc:"Unit of each column that has one."`
	Lossy      []egrid.Column    `json:"lossy,omitempty" doc:"Columns of which a file behind the answer held figures that were rounded for display; absent where there is none."`
	Basis      string            `json:"basis,omitempty" enum:"PLNT,GEN,US,ST,SRL,NRL,BA" doc:"Level of the sheet that the figures are read from, in the release above; GEN where plants are summed from generators. Absent where rows are of several sheets."`
	Difference *Difference       `json:"difference,omitempty" doc:"Of /diff: how the two snapshots differ as a whole."`
	Moves      []PlantMove       `json:"moves,omitempty" doc:"Of /plants/{id}/history: editions that place the plant in another region than the one before, the oldest first."`
	Comparison *Comparison       `json:"comparison,omitempty" doc:"Of /diff/factors, /diff/columns and /diff/plants: the editions that are compared, and the sum of it."`
	Facets     Facets            `json:"facets,omitempty" doc:"By column: its most frequent values, and how many rows of all pages together have them."`

	ShareBasis   string            `json:"share_basis,omitempty" enum:"PLNT,GEN,ST" doc:"Level of the sheet with the net generation of the states, of which share is a part: ST of the release of the plants where it is loaded."`
	ShareRelease *string           `json:"share_release,omitempty" doc:"Release of that sheet, empty for the unmarked one."`
	Filled       *Filled           `json:"filled,omitempty" doc:"Columns that the sheet of plants lacks, and where they are from."`
	Differences  []TotalDifference `json:"differences,omitempty" doc:"Loaded sheets that add up to another net generation than the one that answered: those of another release, say. They are not to be mixed."`
}

// Filled says which columns of plants are from another sheet than their figures.
type Filled struct {
	Columns []egrid.Column `json:"columns"`
	Basis   string         `json:"basis" enum:"GEN" doc:"Level of the sheet that they are from, found by ORIS code."`
	Release string         `json:"release" doc:"Its release, empty for the unmarked one."`
}

// TotalDifference is how the total of a loaded sheet differs from that of the sheet
// that answered, over the same data year and filters. Figures are in MWh.
type TotalDifference struct {
	Year            int         `json:"year"`
	Basis           egrid.Level `json:"basis" doc:"Level of the sheet that answered."`
	Release         string      `json:"release" doc:"Its release, empty for the unmarked one."`
	Total           Number      `json:"net_generation_mwh" doc:"What it adds up to."`
	OtherBasis      egrid.Level `json:"other_basis" doc:"Level of the other sheet."`
	OtherRelease    string      `json:"other_release"`
	OtherTotal      Number      `json:"other_net_generation_mwh"`
	DifferenceTotal Number      `json:"difference_mwh" doc:"The other total less the one that answered."`
	Largest         *LargestGap `json:"largest,omitempty" doc:"The row that differs most; absent where there are no rows to compare."`
}

// LargestGap is the row of an answer that differs most from what another sheet says.
type LargestGap struct {
	Of         egrid.Value `json:"of" doc:"What the row is of, as the state AZ."`
	Difference Number      `json:"difference_mwh" doc:"The other figure less the one that answered."`
}

// Difference counts what two snapshots have otherwise.
type Difference struct {
	From         egrid.SnapshotID `json:"from" doc:"Id of the snapshot."`
	To           egrid.SnapshotID `json:"to"`
	Rows         int64            `json:"rows" doc:"Rows that both have."`
	Changed      int64            `json:"rows_changed" doc:"Of them, those with a cell that differs."`
	Cells        int64            `json:"cells_changed" doc:"Cells that contradict each other."`
	Digits       int64            `json:"cells_rounded" doc:"Cells that are the same, and rounded in one of the two."`
	Added        int64            `json:"rows_added" doc:"Rows that only the second has."`
	Lost         int64            `json:"rows_lost" doc:"Rows that only the first has."`
	ColumnsAdded []egrid.Column   `json:"columns_added"`
	ColumnsLost  []egrid.Column   `json:"columns_lost"`
}

// CellChange is a cell that differs between two snapshots.
type CellChange struct {
	Key            string       `json:"key" doc:"Identifier of the row, as 3612/1."`
	Column         egrid.Column `json:"column"`
	From           egrid.Value  `json:"from"`
	To             egrid.Value  `json:"to"`
	RelativeChange *Number      `json:"relative_change" doc:"The change over what was there; null for texts, missing values and where nothing was."`
}

// Links lead on from an answer. They are relative to the server.
type Links struct {
	Self      string `json:"self" format:"uri-reference"`
	Next      string `json:"next,omitempty" format:"uri-reference" doc:"The next page; absent on the last."`
	Permanent string `json:"permanent,omitempty" format:"uri-reference" doc:"The same answer at an address where it never changes; absent where there is none."`
}

// Facets counts values by column.
type Facets map[egrid.Column][]FacetValue

// FacetValue is a value of a column and how many rows have it.
type FacetValue struct {
	Value egrid.Value `json:"value" doc:"null for rows in which it is missing."`
	Count int64       `json:"count"`
}

// Number is a number in the sense of the dictionary: in JSON it always has a
// decimal point (21.0), as the cells of rows have, so that a reader that guesses
// types does not take it for a whole number.
type Number float64

// MarshalJSON writes the shortest decimal that reads back the same, and null for
// what is no finite number.
func (n Number) MarshalJSON() ([]byte, error) { return egrid.NumberOf(float64(n)).MarshalJSON() }

// NumberOf returns a value as a number; nil when it is missing or none.
func NumberOf(v egrid.Value) *Number {
	x, ok := v.Float()
	if !ok {
		return nil
	}
	n := Number(x)
	return &n
}
