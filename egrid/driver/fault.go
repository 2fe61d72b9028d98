package driver

import (
	"cmp"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// mostFaults is how many a chunk keeps apart.
const mostFaults = 20

// mergeFaults adds up those of two chunks.
func mergeFaults(faults, more []egrid.RejectReason) []egrid.RejectReason {
	for _, f := range more {
		i := slices.IndexFunc(faults, func(g egrid.RejectReason) bool { return g.Reason == f.Reason && g.Column == f.Column })
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

// commonFault is the one with the most records, the first of equals; nil of none.
func commonFault(faults []egrid.RejectReason) *egrid.RejectReason {
	if len(faults) == 0 {
		return nil
	}
	worst := slices.MinFunc(faults, func(a, b egrid.RejectReason) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Line, b.Line))
	})
	return &worst
}
