package sheet

import (
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ErrNotSheet says that a table is no eGRID sheet; [*NotKeptError] wraps it and
// says what it is. A table that has more than one code of a level, or a name such as
// GEN23, is not meant: it may be a sheet that needs a mapping, or is damaged. It
// wraps [egrid.ErrInvalid].
var ErrNotSheet = fmt.Errorf("%w: not an eGRID sheet", egrid.ErrInvalid)

// RowError is one record that could not be read. It does not end the
// iteration: the next record follows.
type RowError struct {
	Line   int64        // line of the file where the record starts, or its row in a spreadsheet, from 1
	Number int64        // position among the sheet's records, from 1
	Column egrid.Column // the offending column; empty when the record as a whole is at fault
	Value  string       // the offending text, shortened
	Reason string       // what is wrong and what is expected
	Record string       // the raw record as it stands in the file
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d, column %s, value %q: %s", e.Line, e.Column, e.Value, e.Reason)
}

// Aside is the audit of records that were left out because they are no rows of the
// sheet. It is false when there are none.
func (d Decoded) Aside() (egrid.Audit, bool) {
	a := egrid.Audit{Rule: "not_a_row", Severity: egrid.Info, Count: int64(len(d.LeftOut))}
	for _, e := range d.LeftOut[:min(len(d.LeftOut), 5)] {
		a.Examples = append(a.Examples, fmt.Sprintf("line %d: %s: %s", e.Line, e.Reason, e.Value))
	}
	return a, a.Count > 0
}

// Unwrap makes a RowError an [ErrInvalid].
func (e *RowError) Unwrap() error { return egrid.ErrInvalid }
