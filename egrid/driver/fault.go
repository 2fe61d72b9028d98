package driver

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Fault is why records of a chunk were rejected: those with one reason in one column.
type Fault struct {
	Reason string       `json:"reason"`
	Column egrid.Column `json:"column,omitempty"` // empty when the record as a whole is at fault
	Count  int64        `json:"count"`            // records
	Line   int64        `json:"line"`             // of the first of them
	Value  string       `json:"value,omitempty"`  // that stands there, shortened
}

// String says what is wrong, how often, and where first.
func (f Fault) String() string {
	text := f.Reason
	if f.Column != "" {
		text = string(f.Column) + ": " + text
	}
	switch {
	case f.Count == 1:
		text += fmt.Sprintf(" (1 record, line %d", f.Line)
	default:
		text += fmt.Sprintf(" (%d records, the first in line %d", f.Count, f.Line)
	}
	if f.Value != "" {
		text += fmt.Sprintf(": %q", f.Value)
	}
	return text + ")"
}

// mostFaults is how many a chunk keeps apart.
const mostFaults = 20

// mergeFaults adds up those of two chunks.
func mergeFaults(faults, more []Fault) []Fault {
	for _, f := range more {
		i := slices.IndexFunc(faults, func(g Fault) bool { return g.Reason == f.Reason && g.Column == f.Column })
		switch {
		case i >= 0:
			faults[i].Count += f.Count
			if f.Line < faults[i].Line {
				faults[i].Line, faults[i].Value = f.Line, f.Value
			}
		case len(faults) < mostFaults:
			faults = append(faults, f)
		}
	}
	return faults
}

// commonFault is the one with the most records, the first of equals.
func commonFault(faults []Fault) string {
	if len(faults) == 0 {
		return ""
	}
	return slices.MinFunc(faults, func(a, b Fault) int { return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Line, b.Line)) }).String()
}
