package egrid

import "fmt"

// RejectReason is why records were rejected: those with one reason in one column.
type RejectReason struct {
	Reason string `json:"reason"`
	Column Column `json:"column,omitempty"` // empty when the record as a whole is at fault
	Count  int64  `json:"count"`            // records
	Line   int64  `json:"line"`             // of the first of them
	Value  string `json:"value,omitempty"`  // that stands there, shortened
}

// String says what is wrong, how often, and where first.
func (r RejectReason) String() string {
	text := r.Reason
	if r.Column != "" {
		text = string(r.Column) + ": " + text
	}
	switch {
	case r.Count == 1:
		text += fmt.Sprintf(" (1 record, line %d", r.Line)
	default:
		text += fmt.Sprintf(" (%d records, the first in line %d", r.Count, r.Line)
	}
	if r.Value != "" {
		text += fmt.Sprintf(": %q", r.Value)
	}
	return text + ")"
}
