package egrid

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Severity says what an audit finding does to a load.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // worth knowing
	Warning Severity = "warning" // published, and told
	Hard    Severity = "error"   // physically impossible: the load is held
)

// Audit is what one rule found.
type Audit struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Count    int64    `json:"count"`    // rows, or groups of rows, that break the rule
	Examples []string `json:"examples"` // the first offenders, by identifier and row number
}

// maxExamples bounds the offenders that an audit names.
const maxExamples = 5

// MergeAudits adds findings to audits, rule by rule.
func MergeAudits(audits, findings []Audit) []Audit {
	for _, f := range findings {
		i := slices.IndexFunc(audits, func(a Audit) bool { return a.Rule == f.Rule })
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
func DuplicateIdentifiers(count int64, keys []string) Audit {
	slices.Sort(keys)
	return Audit{Rule: "duplicate_key", Severity: Warning, Count: count, Examples: keys[:min(len(keys), 20)]}
}

// IdentifierText joins the values of an identifier for messages, e.g. 3612/1.
func IdentifierText(values ...Value) string {
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
	severity Severity
	needs    []Column
	holds    func(values []float64) bool // values of needs, all present
}

// atMost compares two totals with room for what display rounding does to them.
func atMost(a, b float64) bool { return a <= b+math.Max(0.01, 1e-6*math.Abs(b)) }

var rowRules = []rowRule{
	{"co2e_below_co2", Hard, []Column{CO2e, CO2},
		func(v []float64) bool { return atMost(v[1], v[0]) }},
	{"ozone_season_generation_above_annual", Info, []Column{OzoneSeasonGeneration, NetGeneration},
		func(v []float64) bool { return v[1] < 0 || atMost(v[0], v[1]) }},
	{"ozone_season_heat_input_above_annual", Warning, []Column{"heat_input_ozone_season_mmbtu", HeatInput},
		func(v []float64) bool { return atMost(v[0], v[1]) }},
	{"ozone_season_nox_above_annual", Warning, []Column{"nox_ozone_season_short_tons", NOx},
		func(v []float64) bool { return atMost(v[0], v[1]) }},
	{"negative_net_generation", Info, []Column{NetGeneration},
		func(v []float64) bool { return v[0] >= 0 }},
	{"negative_emissions", Warning, []Column{CO2},
		func(v []float64) bool { return v[0] >= 0 }},
	{"capacity_factor_above_one", Info, []Column{CapacityFactor},
		func(v []float64) bool { return v[0] <= 1 }},
	{"latitude_out_of_range", Warning, []Column{Latitude},
		func(v []float64) bool { return v[0] >= -15 && v[0] <= 72 }},
	{"longitude_east", Warning, []Column{Longitude},
		// The territories and the Aleutians reach past 180 degrees; the rest is west.
		func(v []float64) bool { return v[0] < 0 || v[0] > 144 }},
}

// fuelShares are the shares that make up a whole: the resource mix.
var fuelShares = []Column{
	CoalShare, OilShare, GasShare, NuclearShare, HydroShare, BiomassShare,
	WindShare, SolarShare, GeothermalShare, OtherFossil, OtherUnknown,
}

// AuditRows checks every row of a batch by itself. Rules whose columns the
// level's schema lacks are left out. Findings come in the order of the rules,
// offenders in the order of the rows.
func AuditRows(level Level, b *Batch) []Audit {
	var found []Audit
	identifier := Identifier(level, b.schema.Has)
	check := func(name string, severity Severity, holds func(row int) bool) {
		f := Audit{Rule: name, Severity: severity}
		for row := range b.n {
			if holds(row) {
				continue
			}
			f.Count++
			if len(f.Examples) < maxExamples {
				values := make([]Value, len(identifier))
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
		if columns := b.vectors(r.needs); columns != nil {
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
	if shares := b.vectors(fuelShares); shares != nil {
		check("shares_do_not_sum_to_one", Warning, func(row int) bool {
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
func (b *Batch) vectors(names []Column) []*Vector {
	vectors := make([]*Vector, len(names))
	for i, c := range names {
		at := b.schema.Index(c)
		if at < 0 {
			return nil
		}
		vectors[i] = &b.columns[at]
	}
	return vectors
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
func Decide(policy Policy, staged Snapshot, published *Snapshot) (Status, string) {
	if published != nil && policy != PublishReplace &&
		slices.ContainsFunc(published.Sources, func(s Source) bool { return s.ID == staged.ID }) {
		return Unchanged, ""
	}
	if published != nil && published.ID == staged.ID {
		return Unchanged, ""
	}
	const decide = "; decide with --publish replace, or --publish merge to update and add rows by identifier"
	if staged.Rows == 0 {
		return Held, "no row could be read"
	}
	switch policy {
	case PublishHold:
		return Held, "held as asked; publish with --publish replace or --publish merge"
	case PublishReplace, PublishMerge:
		return Published, ""
	}
	for _, a := range staged.Audits {
		if a.Severity == Hard && a.Count > 0 {
			return Held, fmt.Sprintf("%d rows break the rule %s (%s)%s", a.Count, a.Rule, strings.Join(a.Examples, ", "), decide)
		}
	}
	if published == nil {
		return Published, ""
	}
	if float64(staged.Rows) < shrinkLimit*float64(published.Rows) {
		return Held, fmt.Sprintf("it has %d rows where %d are published%s", staged.Rows, published.Rows, decide)
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
		return Held, fmt.Sprintf("it lacks published columns (%s)%s", strings.Join(lost, ", "), decide)
	}
	if len(rounder) > 0 {
		return Held, fmt.Sprintf("its values are rounded for display where the published ones are not (%s)%s", strings.Join(rounder, ", "), decide)
	}
	return Published, ""
}
