package driver

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

const duplicateKey = "duplicate_key"

// maxExamples bounds the offenders that an audit names.
const maxExamples = 5

// MergeAudits adds findings to audits, by rule and severity.
func MergeAudits(audits, findings []egrid.Audit) []egrid.Audit {
	for _, f := range findings {
		i := slices.IndexFunc(audits, func(a egrid.Audit) bool { return a.Rule == f.Rule && a.Severity == f.Severity })
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

// DuplicateIdentifiers is the audit of rows of a sheet with these columns that share an
// identifier. Both are kept. It is hard for regions and for plants with ORIS codes: a
// sheet has one row of each, and two contradict each other. Else it is a warning: EPA's
// own generators and units have such rows, and so have plants known by name alone. keys
// are the identifiers that occur more than once, as slash-joined text.
func DuplicateIdentifiers(level egrid.Level, has func(egrid.Column) bool, count int64, keys []string) egrid.Audit {
	slices.Sort(keys)
	a := egrid.Audit{Rule: duplicateKey, Severity: egrid.Warning, Count: count, Examples: keys[:min(len(keys), 20)]}
	switch level {
	case egrid.PLNT:
		if has(egrid.PlantCode) {
			a.Severity = egrid.Hard
		}
	case egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US, egrid.GGL:
		a.Severity = egrid.Hard
	}
	return a
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

// above compares two figures with room for what rounding has done to them.
func above(x, y float64) bool {
	const whole = 0.5
	return x > y+math.Max(0.01, 1e-6*math.Abs(y)) && x-y > math.Min(rounding(x), whole)+math.Min(rounding(y), whole)
}

// rounding is the most by which rounding to the digits of a figure may have
// changed it. Zeros at the end of a whole number may not have been digits.
func rounding(x float64) float64 {
	if x == 0 {
		return 0.5
	}
	var text [32]byte
	digits, exponent, _ := bytes.Cut(strconv.AppendFloat(text[:0], math.Abs(x), 'e', -1, 64), []byte("e"))
	places, err := strconv.Atoi(string(exponent))
	if err != nil {
		return 0
	}
	if n := len(digits); n > 1 { // with a point
		places -= n - 2
	}
	return 0.5 * math.Pow10(places)
}

func negative(x, _ float64) bool { return x < 0 }

// mostGeneration is by how many times net generation may exceed what the nameplate
// capacity makes in a leap year: EPA's plants have up to 3.3, a generator of 2014 has 9.3.
const mostGeneration = 100

var rowRules = []rowRule{
	{"co2e_below_co2", egrid.Hard, egrid.CO2, egrid.CO2e, above},
	{"ozone_season_generation_above_annual", egrid.Info, egrid.OzoneSeasonGeneration, egrid.NetGeneration,
		func(x, y float64) bool { return y >= 0 && above(x, y) }},
	{"ozone_season_heat_input_above_annual", egrid.Warning, "heat_input_ozone_season_mmbtu", egrid.HeatInput, above},
	{"ozone_season_nox_above_annual", egrid.Warning, "nox_ozone_season_short_tons", egrid.NOx, above},
	{"negative_net_generation", egrid.Info, egrid.NetGeneration, "", negative},
	{"negative_emissions", egrid.Warning, egrid.CO2, "", negative},
	{"generation_above_capacity", egrid.Hard, egrid.NetGeneration, egrid.NameplateCapacity, // a slip of units
		func(x, y float64) bool { return y > 0 && x > mostGeneration*y*8784 }},
	{"capacity_factor_above_ten", egrid.Hard, egrid.CapacityFactor, "", func(x, _ float64) bool { return x > 10 }}, // a decimal comma misread
	{"capacity_factor_above_one", egrid.Info, egrid.CapacityFactor, "", func(x, _ float64) bool { return x > 1 }},
	{"impossible_latitude", egrid.Hard, egrid.Latitude, "", func(x, _ float64) bool { return math.Abs(x) > 90 }},
	{"impossible_longitude", egrid.Hard, egrid.Longitude, "", // EPA writes the Aleutians as -188
		func(x, _ float64) bool { return math.Abs(x) > 360 }},
	{"latitude_out_of_range", egrid.Warning, egrid.Latitude, "",
		func(x, _ float64) bool { return math.Abs(x) <= 90 && (x < -15 || x > 72) }},
	{"longitude_out_of_range", egrid.Warning, egrid.Longitude, "",
		func(x, _ float64) bool { return math.Abs(x) <= 360 && (x < -190 || x > 190) }},
	{"longitude_east", egrid.Warning, egrid.Longitude, "",
		// The territories and the Aleutians reach past 180 degrees; the rest is west.
		func(x, _ float64) bool { return x >= 0 && x <= 144 }},
}

// AuditRows checks every row of a batch by itself. Rules whose columns the batch
// lacks are left out. Findings come in the order of the rules, offenders in the
// order of the rows.
func AuditRows(level egrid.Level, b *egrid.Batch) []egrid.Audit {
	a := auditor{level: level, batch: b, columns: map[egrid.Column][]float64{}}
	if id := egrid.Identifier(level, b.Schema().Has); id != nil {
		a.identifier = newKeys(b.Schema(), id).columns
	}
	for _, r := range rowRules {
		x, y := b.Schema().Index(r.x), b.Schema().Index(cmp.Or(r.y, r.x))
		if x >= 0 && y >= 0 {
			a.check(r.name, r.severity, func(row int) bool { return r.broken(floatAt(b.Column(x), row), floatAt(b.Column(y), row)) },
				func(row int) string { return a.cells(row, x, y) })
		}
	}
	a.rates()
	a.fuels()
	if sums := a.shareSums(); sums != nil {
		// EPA publishes a negative share as 0, which lets the rest exceed 1 by a little.
		a.check("shares_do_not_sum_to_one", egrid.Warning, func(row int) bool { return sums[row] != 0 && math.Abs(sums[row]-1) > 0.02 },
			func(row int) string { return fmt.Sprint("they add up to ", egrid.NumberOf(roundTo(sums[row], 6))) })
	}
	a.damaged()
	return a.found
}

// floatAt is a cell of a numeric column, NaN when it is missing.
func floatAt(v *egrid.Vector, row int) float64 {
	if x, ok := v.Float(row); ok {
		return x
	}
	return math.NaN()
}

// auditor checks the rows of one batch.
type auditor struct {
	level      egrid.Level
	batch      *egrid.Batch
	identifier []int                      // places of its columns
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

// rates holds every rate of all plants against the figures of its own row.
func (a *auditor) rates() {
	var all []rate
	for at, f := range a.batch.Schema().Fields() {
		if !strings.Contains(f.Unit, "/") || len(f.Rule.Denominator) == 0 || f.Rule.Weight != "" || len(f.Rule.Categories) > 0 {
			continue
		}
		r := rate{column: f.Column, factor: f.Rule.Factor}
		whole := true
		for i, c := range append(slices.Clone(f.Rule.Numerator), f.Rule.Denominator...) {
			if a.level == egrid.PLNT && strings.HasPrefix(string(c), "heat_input") {
				c = "total_" + c // which EPA divides a plant's emissions by
			}
			x := a.column(c)
			whole = whole && x != nil
			if i < len(f.Rule.Numerator) {
				r.above = append(r.above, x)
			} else {
				r.below = append(r.below, x)
			}
		}
		if whole {
			r.published = a.column(a.batch.Schema().Field(at).Column)
			if r.slack = 1; a.batch.Column(at).Lossy() {
				r.slack = 4 // converted from another unit, it was rounded before and behind
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return
	}
	first := func(row int) int {
		return slices.IndexFunc(all, func(r rate) bool {
			_, wrong := r.wrong(row)
			return wrong
		})
	}
	a.check("rate_contradicts_its_sums", egrid.Warning, func(row int) bool { return first(row) >= 0 }, func(row int) string {
		r := &all[first(row)]
		of, _ := r.wrong(row)
		return fmt.Sprintf("%s is %s, its sums make it %s", r.column, egrid.NumberOf(r.published[row]), egrid.NumberOf(roundTo(of, 6)))
	})
}

// rate is a rate of a batch, with the figures that it follows from.
type rate struct {
	column       egrid.Column
	published    []float64
	factor       float64
	slack        float64 // by how many half units of its last place the rate may be off
	above, below [][]float64
}

// wrong computes a rate anew. It is wrong when it differs by more than rounding
// has done to it and to its figures.
func (r *rate) wrong(row int) (float64, bool) {
	got, want := r.published[row], r.factor
	for _, x := range r.above {
		want *= x[row]
	}
	for _, x := range r.below {
		if x[row] <= 0 {
			return 0, false // EPA gives no rate there, or 0
		}
		want /= x[row]
	}
	const published = 0.0006 // to which EPA's own rates can be computed
	apart := math.Abs(got - want)
	if math.IsNaN(apart) || apart <= published+1e-6*math.Abs(want) {
		return want, false
	}
	room := published + r.slack*rounding(got)
	for _, x := range slices.Concat(r.above, r.below) {
		room += math.Abs(want) * rounding(x[row]) / math.Max(math.Abs(x[row]), 1e-9)
	}
	return want, apart > room
}

func roundTo(x float64, places int) float64 {
	return math.Round(x*math.Pow10(places)) / math.Pow10(places)
}

// fuels holds the net generation against the sum of that of the fuels.
func (a *auditor) fuels() {
	total := a.column(egrid.NetGeneration)
	var parts [][]float64
	for _, share := range egrid.FuelShares() {
		fuel, _ := strings.CutSuffix(string(share), "_generation_share")
		x := a.column(egrid.Column(fuel + "_net_generation_mwh"))
		if x == nil {
			return
		}
		parts = append(parts, x)
	}
	if total == nil {
		return
	}
	const replaced = 2 // MWh, up to which EPA lets them differ
	fuels := func(row int) (sum, room float64) {
		room = replaced + rounding(total[row])
		for _, x := range parts {
			if !math.IsNaN(x[row]) {
				sum += x[row]
				room += rounding(x[row])
			}
		}
		return sum, room
	}
	a.check("generation_differs_from_its_fuels", egrid.Warning, func(row int) bool {
		sum, room := fuels(row)
		return math.Abs(total[row]-sum) > room
	}, func(row int) string {
		sum, _ := fuels(row)
		return fmt.Sprintf("%s is %s, its fuels add up to %s", egrid.NetGeneration, egrid.NumberOf(total[row]), egrid.NumberOf(roundTo(sum, 3)))
	})
}

// cells names the values of one column or two.
func (a *auditor) cells(row int, columns ...int) string {
	var text []string
	for _, at := range slices.Compact(columns) {
		text = append(text, fmt.Sprint(a.batch.Schema().Field(at).Column, " ", a.batch.Column(at).Value(row)))
	}
	return strings.Join(text, ", ")
}

// place names a row by its level, its identifier and where it stands: plant 3, line 9.
// A row that comes from a store has no line.
func (a *auditor) place(row int) string {
	key, number := keyText(a.level, a.batch, row, a.identifier), fmt.Sprint("row ", a.batch.Number(row))
	switch {
	case a.level == egrid.US:
		key = a.level.Title()
	case key != number:
		key = strings.TrimPrefix(a.level.Title(), "eGRID ") + " " + key
	}
	if line := a.batch.Line(row); line > 0 {
		return fmt.Sprint(key, ", line ", line)
	}
	if key == number {
		return key
	}
	return key + ", " + number
}

// check asks of every row whether it breaks a rule, and how.
func (a *auditor) check(rule string, severity egrid.Severity, broken func(row int) bool, how func(row int) string) {
	f := egrid.Audit{Rule: rule, Severity: severity}
	for row := range a.batch.Len() {
		if !broken(row) {
			continue
		}
		f.Count++
		if len(f.Examples) < maxExamples {
			f.Examples = append(f.Examples, a.place(row)+": "+how(row))
		}
	}
	if f.Count > 0 {
		a.found = append(a.found, f)
	}
}
