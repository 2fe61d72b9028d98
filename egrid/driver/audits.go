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

// rowRule is a check of a single row by one or two of its columns. broken gets
// their values, and NaN for missing ones, of which every comparison is false: a
// rule is not broken by what is missing.
type rowRule struct {
	name     string
	severity egrid.Severity
	x, y     egrid.Column // y may be empty
	broken   func(x, y float64) bool
}

// above compares two totals with room for what display rounding does to them.
func above(x, y float64) bool { return x > y+math.Max(0.01, 1e-6*math.Abs(y)) }

func negative(x, _ float64) bool { return x < 0 }

var rowRules = []rowRule{
	{"co2e_below_co2", egrid.Hard, egrid.CO2, egrid.CO2e, above},
	{"ozone_season_generation_above_annual", egrid.Info, egrid.OzoneSeasonGeneration, egrid.NetGeneration,
		func(x, y float64) bool { return y >= 0 && above(x, y) }},
	{"ozone_season_heat_input_above_annual", egrid.Warning, "heat_input_ozone_season_mmbtu", egrid.HeatInput, above},
	{"ozone_season_nox_above_annual", egrid.Warning, "nox_ozone_season_short_tons", egrid.NOx, above},
	{"negative_net_generation", egrid.Info, egrid.NetGeneration, "", negative},
	{"negative_emissions", egrid.Warning, egrid.CO2, "", negative},
	{"capacity_factor_above_one", egrid.Info, egrid.CapacityFactor, "", func(x, _ float64) bool { return x > 1 }},
	{"latitude_out_of_range", egrid.Warning, egrid.Latitude, "", func(x, _ float64) bool { return x < -15 || x > 72 }},
	{"longitude_east", egrid.Warning, egrid.Longitude, "",
		// The territories and the Aleutians reach past 180 degrees; the rest is west.
		func(x, _ float64) bool { return x >= 0 && x <= 144 }},
}

// AuditRows checks every row of a batch by itself. Rules whose columns the batch
// lacks are left out. Findings come in the order of the rules, offenders in the
// order of the rows.
func AuditRows(level egrid.Level, b *egrid.Batch) []egrid.Audit {
	a := auditor{batch: b, identifier: Identifier(level, b.Schema().Has), columns: map[egrid.Column][]float64{}}
	for _, r := range rowRules {
		x, y := a.column(r.x), a.column(r.y)
		if x == nil || y == nil && r.y != "" {
			continue
		}
		if r.y == "" {
			y = x
		}
		a.check(r.name, r.severity, func(row int) bool { return r.broken(x[row], y[row]) })
	}
	if sums := a.shareSums(); sums != nil {
		// EPA publishes a negative share as 0, which lets the rest exceed 1 by a little.
		a.check("shares_do_not_sum_to_one", egrid.Warning, func(row int) bool { return sums[row] != 0 && math.Abs(sums[row]-1) > 0.02 })
	}
	return a.found
}

// auditor checks the rows of one batch.
type auditor struct {
	batch      *egrid.Batch
	identifier []egrid.Column
	columns    map[egrid.Column][]float64 // that rules have asked for
	found      []egrid.Audit
}

// column returns the values of a numeric column, NaN for missing ones; nil when
// the batch has no rows or no such column.
func (a *auditor) column(c egrid.Column) []float64 {
	at := a.batch.Schema().Index(c)
	if at < 0 {
		return nil
	}
	if values, ok := a.columns[c]; ok {
		return values
	}
	a.columns[c] = a.batch.Column(at).Floats(nil)
	return a.columns[c]
}

// shareSums returns the sum of each row's resource mix; nil unless the batch has
// all of it.
func (a *auditor) shareSums() []float64 {
	for _, c := range egrid.FuelShares() {
		if !a.batch.Schema().Has(c) {
			return nil
		}
	}
	sums := make([]float64, a.batch.Len())
	for _, c := range egrid.FuelShares() {
		for row, x := range a.column(c) {
			if !math.IsNaN(x) {
				sums[row] += x
			}
		}
	}
	return sums
}

func (a *auditor) check(rule string, severity egrid.Severity, broken func(row int) bool) {
	f := egrid.Audit{Rule: rule, Severity: severity}
	for row := range a.batch.Len() {
		if !broken(row) {
			continue
		}
		f.Count++
		if len(f.Examples) < maxExamples {
			values := make([]egrid.Value, len(a.identifier))
			for j, c := range a.identifier {
				values[j] = a.batch.Row(row).Value(c)
			}
			f.Examples = append(f.Examples, fmt.Sprintf("%s (row %d)", IdentifierText(values...), a.batch.Number(row)))
		}
	}
	if f.Count > 0 {
		a.found = append(a.found, f)
	}
}
