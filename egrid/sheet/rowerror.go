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
	Line   int64        // line of the file where the record starts, from 1
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

// Unwrap makes a RowError an [ErrInvalid].
func (e *RowError) Unwrap() error { return egrid.ErrInvalid }
