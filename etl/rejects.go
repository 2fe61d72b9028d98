package etl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// RejectGroup is the rejected records of a sheet that have the same fault in the
// same column.
type RejectGroup struct {
	Reason string       `json:"reason"`
	Column egrid.Column `json:"column"` // empty when the record as a whole is at fault
	Count  int64        `json:"count"`
	Line   int64        `json:"line"`   // of the first of them
	Value  string       `json:"value"`  // that stands there, shortened
	Remedy string       `json:"remedy"` // what a person can do
}

// maxRejectGroups is how many groups a sheet has; what fits none of them is
// counted in one more.
const maxRejectGroups = 50

const otherReasons = "other reasons"

// groupRejects counts rejected records into groups, the first of which came first.
func groupRejects(groups []RejectGroup, level egrid.Level, rejects []*sheet.RowError) []RejectGroup {
	for _, r := range rejects {
		n := len(groups)
		groups = countReject(groups, RejectGroup{Reason: withoutValue(r), Column: r.Column, Count: 1, Line: r.Line, Value: r.Value})
		if len(groups) > n {
			groups[n].Remedy = groups[n].remedy(level)
		}
	}
	return groups
}

// withoutValue is the reason in a form that records with other values share.
func withoutValue(r *sheet.RowError) string {
	value := strings.TrimSpace(r.Value)
	words := strings.Split(r.Reason, " ")
	for i, word := range words {
		if bare := strings.TrimRight(word, ",;:."); bare == value && bare != "" {
			words[i] = "..." + word[len(bare):]
		}
	}
	return strings.Join(words, " ")
}

func countReject(groups []RejectGroup, more RejectGroup) []RejectGroup {
	same := func(g RejectGroup) bool { return g.Reason == more.Reason && g.Column == more.Column }
	at := slices.IndexFunc(groups, same)
	if at < 0 && len(groups) >= maxRejectGroups {
		more.Reason, more.Column = otherReasons, ""
		at = slices.IndexFunc(groups, same)
	}
	if at < 0 {
		return append(groups, more)
	}
	groups[at].Count += more.Count
	return groups
}

// rejectedBy is how many records the groups count.
func rejectedBy(groups []RejectGroup) (n int64) {
	for _, g := range groups {
		n += g.Count
	}
	return n
}

// remedy says what a person can do.
func (g RejectGroup) remedy(level egrid.Level) string {
	transform, ok := g.Transform(level)
	if !ok {
		return "mend the file"
	}
	text, err := json.Marshal(transform)
	if err != nil {
		return "mend the file"
	}
	return fmt.Sprintf(`mend the file; where the value stands for a missing one, say so in an etl.json: "transform": %s`, text)
}

// Transform is the transformation of an etl.json that takes the value for a missing
// one. There is none where the record as a whole is at fault, for the data year, for
// a value that was shortened, and for digits without letters and formulas: those stand
// for numbers.
func (g RejectGroup) Transform(level egrid.Level) (map[string]string, bool) {
	f, ok := egrid.Lookup(level, string(g.Column))
	value := strings.TrimSpace(g.Value)
	if !ok || f.Code == "" || g.Column == egrid.Year || value == "" || strings.HasSuffix(value, "...") || value[0] == '=' || strings.ContainsFunc(value, unicode.IsDigit) && !strings.ContainsFunc(value, unicode.IsLetter) {
		return nil, false
	}
	return map[string]string{f.Code: "null_if:" + value}, true
}

// String says what is wrong, how often, and where first.
func (g RejectGroup) String() string { return g.fault().String() }

func (g RejectGroup) fault() egrid.RejectReason {
	return egrid.RejectReason{Reason: g.Reason, Column: g.Column, Count: g.Count, Line: g.Line, Value: g.Value}
}

// mostCommon is the first of the groups with the most records.
func mostCommon(groups []RejectGroup) RejectGroup {
	return slices.MaxFunc(groups, func(a, b RejectGroup) int { return cmp.Compare(a.Count, b.Count) })
}

// noRows says why a sheet has no rows.
func noRows(rejects []RejectGroup) error {
	if len(rejects) == 0 { // but notes and totals
		return errNoRows
	}
	return &allRejectedError{rejects}
}

// allRejectedError says that no record of a sheet could be read.
type allRejectedError struct{ groups []RejectGroup }

// Error names the most common reason.
func (e *allRejectedError) Error() string {
	most := mostCommon(e.groups)
	return fmt.Sprintf("none of the %d records could be read: %s; %s", rejectedBy(e.groups), most, most.Remedy)
}

func (e *allRejectedError) Unwrap() error { return egrid.ErrInvalid }
