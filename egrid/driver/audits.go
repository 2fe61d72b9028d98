package driver

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// maxExamples bounds the offenders that an audit names.
const maxExamples = 5

// MergeAudits adds findings to audits, rule by rule.
func MergeAudits(audits, findings []egrid.Audit) []egrid.Audit {
	for _, f := range findings {
		i := slices.IndexFunc(audits, func(a egrid.Audit) bool { return a.Rule == f.Rule })
		if i < 0 {
			f.Examples = slices.Clone(f.Examples)
			audits = append(audits, f)
			continue
		}
		audits[i].Count += f.Count
		room := maxExamples - len(audits[i].Examples)
		audits[i].Examples = append(audits[i].Examples, f.Examples[:min(max(room, 0), len(f.Examples))]...)
	}
	return audits
}

// DuplicateIdentifiers is the audit of rows that share an identifier. It is a
// warning: EPA's own sheets have such rows, and both are kept. keys are the
// identifiers that occur more than once, as slash-joined text.
func DuplicateIdentifiers(count int64, keys []string) egrid.Audit {
	slices.Sort(keys)
	return egrid.Audit{Rule: "duplicate_key", Severity: egrid.Warning, Count: count, Examples: keys[:min(len(keys), 20)]}
}

// IdentifierText joins the values of an identifier for messages, e.g. 3612/1.
func IdentifierText(values ...egrid.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.String()
	}
	return strings.Join(parts, "/")
}

// rowRule is a check of a single row. It does not apply to a row in which one
// of the columns is missing.
type rowRule struct {
	name     string
	severity egrid.Severity
	needs    []egrid.Column
	holds    func(values []float64) bool // values of needs, all present
}

// atMost compares two totals with room for what display rounding does to them.
func atMost(a, b float64) bool { return a <= b+math.Max(0.01, 1e-6*math.Abs(b)) }

var rowRules = []rowRule{
	{"co2e_below_co2", egrid.Hard, []egrid.Column{egrid.CO2e, egrid.CO2},
		func(v []float64) bool { return atMost(v[1], v[0]) }},
	{"ozone_season_generation_above_annual", egrid.Info, []egrid.Column{egrid.OzoneSeasonGeneration, egrid.NetGeneration},
		func(v []float64) bool { return v[1] < 0 || atMost(v[0], v[1]) }},
	{"ozone_season_heat_input_above_annual", egrid.Warning, []egrid.Column{"heat_input_ozone_season_mmbtu", egrid.HeatInput},
		func(v []float64) bool { return atMost(v[0], v[1]) }},
	{"ozone_season_nox_above_annual", egrid.Warning, []egrid.Column{"nox_ozone_season_short_tons", egrid.NOx},
		func(v []float64) bool { return atMost(v[0], v[1]) }},
	{"negative_net_generation", egrid.Info, []egrid.Column{egrid.NetGeneration},
		func(v []float64) bool { return v[0] >= 0 }},
	{"negative_emissions", egrid.Warning, []egrid.Column{egrid.CO2},
		func(v []float64) bool { return v[0] >= 0 }},
	{"capacity_factor_above_one", egrid.Info, []egrid.Column{egrid.CapacityFactor},
		func(v []float64) bool { return v[0] <= 1 }},
	{"latitude_out_of_range", egrid.Warning, []egrid.Column{egrid.Latitude},
		func(v []float64) bool { return v[0] >= -15 && v[0] <= 72 }},
	{"longitude_east", egrid.Warning, []egrid.Column{egrid.Longitude},
		// The territories and the Aleutians reach past 180 degrees; the rest is west.
		func(v []float64) bool { return v[0] < 0 || v[0] > 144 }},
}

// AuditRows checks every row of a batch by itself. Rules whose columns the
// level's schema lacks are left out. Findings come in the order of the rules,
// offenders in the order of the rows.
func AuditRows(level egrid.Level, b *egrid.Batch) []egrid.Audit {
	var found []egrid.Audit
	identifier := Identifier(level, b.Schema().Has)
	check := func(name string, severity egrid.Severity, holds func(row int) bool) {
		f := egrid.Audit{Rule: name, Severity: severity}
		for row := range b.Len() {
			if holds(row) {
				continue
			}
			f.Count++
			if len(f.Examples) < maxExamples {
				values := make([]egrid.Value, len(identifier))
				for j, c := range identifier {
					values[j] = b.Row(row).Value(c)
				}
				f.Examples = append(f.Examples, fmt.Sprintf("%s (row %d)", IdentifierText(values...), b.Number(row)))
			}
		}
		if f.Count > 0 {
			found = append(found, f)
		}
	}
	for _, r := range rowRules {
		if columns := vectors(b, r.needs); columns != nil {
			values := make([]float64, len(columns))
			check(r.name, r.severity, func(row int) bool {
				for j, v := range columns {
					x, ok := v.Float(row)
					if !ok {
						return true
					}
					values[j] = x
				}
				return r.holds(values)
			})
		}
	}
	if shares := vectors(b, egrid.FuelShares()); shares != nil {
		check("shares_do_not_sum_to_one", egrid.Warning, func(row int) bool {
			sum := 0.0
			for _, v := range shares {
				x, _ := v.Float(row)
				sum += x
			}
			// EPA publishes a negative share as 0, which lets the rest exceed 1 by a little.
			return sum == 0 || math.Abs(sum-1) <= 0.02
		})
	}
	return found
}

// vectors returns the columns of those names, nil unless the batch has all.
func vectors(b *egrid.Batch, names []egrid.Column) []*egrid.Vector {
	found := make([]*egrid.Vector, len(names))
	for i, c := range names {
		at := b.Schema().Index(c)
		if at < 0 {
			return nil
		}
		found[i] = b.Column(at)
	}
	return found
}

// shrinkLimit is the part of the published rows that a new load must reach.
const shrinkLimit = 0.9

// Decide says what publishing a complete, audited stage does. published is
// the snapshot that readers see now, nil when there is none. The reason is
// set when the answer is [Held]. Merging is the caller's work when the policy
// is [PublishMerge] and the answer is [Published].
//
// Automatic publishing replaces only when nothing published would be lost, so
// the outcome for a set of overlapping exports does not depend on their order.
// What has the same content as the published snapshot is [Unchanged].
func Decide(policy Policy, staged egrid.Snapshot, published *egrid.Snapshot) (egrid.Status, string) {
	if published != nil && published.ID == staged.ID {
		return egrid.Unchanged, ""
	}
	const decide = "; decide with --publish replace, or --publish merge to update and add rows by identifier"
	if staged.Rows == 0 {
		return egrid.Held, "no row could be read"
	}
	switch policy {
	case PublishHold:
		return egrid.Held, "held as asked; publish with --publish replace or --publish merge"
	case PublishReplace, PublishMerge:
		return egrid.Published, ""
	}
	for _, a := range staged.Audits {
		if a.Severity == egrid.Hard && a.Count > 0 {
			return egrid.Held, fmt.Sprintf("%d rows break the rule %s (%s)%s", a.Count, a.Rule, strings.Join(a.Examples, ", "), decide)
		}
	}
	if published == nil {
		return egrid.Published, ""
	}
	if float64(staged.Rows) < shrinkLimit*float64(published.Rows) {
		return egrid.Held, fmt.Sprintf("it has %d rows where %d are published%s", staged.Rows, published.Rows, decide)
	}
	var lost, rounder []string
	for _, c := range published.Schema.Columns() {
		if !staged.Schema.Has(c) {
			lost = append(lost, string(c))
		} else if slices.Contains(staged.Lossy, c) && !slices.Contains(published.Lossy, c) {
			rounder = append(rounder, string(c))
		}
	}
	if len(lost) > 0 {
		return egrid.Held, fmt.Sprintf("it lacks published columns (%s)%s", strings.Join(lost, ", "), decide)
	}
	if len(rounder) > 0 {
		return egrid.Held, fmt.Sprintf("its values are rounded for display where the published ones are not (%s)%s", strings.Join(rounder, ", "), decide)
	}
	return egrid.Published, ""
}
