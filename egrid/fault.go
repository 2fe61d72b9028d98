package egrid

import "fmt"

// Fault is why records were rejected: those with one reason in one column.
type Fault struct {
	Reason string `json:"reason"`
	Column Column `json:"column,omitempty"` // empty when the record as a whole is at fault
	Count  int64  `json:"count"`            // records
	Line   int64  `json:"line"`             // of the first of them
	Value  string `json:"value,omitempty"`  // that stands there, shortened
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
