package calc

import (
	_ "embed" // for the variants
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Choice is one way in which editions have applied a rule.
type Choice string

// The rules that editions differ in, each with its choices. What a choice means,
// which editions are known to follow it and from what: see [Variants].
const (
	OtherUnknown        = "other_unknown"        // generation of other unknown and purchased fuels
	FossilRates         = "fossil_rates"         // plants of other fossil fuels
	NonbaseloadFactor   = "nonbaseload_factor"   // how a plant's weight follows from its capacity factor
	NonbaseloadNegative = "nonbaseload_negative" // plants without positive net generation among non-baseload ones
	Shares              = "shares"               // negative fuels, and the whole that shares are of
	NonbaseloadOther    = "nonbaseload_other"    // plants of other unknown fuels among non-baseload generation
	FuelRateDigits      = "fuel_rate_digits"     // decimals of CH4 and N2O rates by fuel
)

// Variant is a choice of a rule, as the table of variants has it.
type Variant struct {
	Rule        string
	Choice      Choice
	From, To    string // first and last edition that follow it, as 2018, or 2023 rev0; empty: open
	Description string // what is computed
	Evidence    string // what was verified, on which published values
}

//go:embed variants.csv
var variantsCSV string

var loadVariants = sync.OnceValue(func() []Variant {
	rows, err := csv.NewReader(strings.NewReader(variantsCSV)).ReadAll()
	if err != nil {
		panic("calc: variants.csv: " + err.Error())
	}
	var all []Variant
	for _, r := range rows[1:] {
		all = append(all, Variant{Rule: r[0], Choice: Choice(r[1]), From: r[2], To: r[3], Description: r[4], Evidence: r[5]})
	}
	return all
})

// Variants lists every choice of every rule, the choices of a rule together and
// the older ones first.
func Variants() []Variant { return slices.Clone(loadVariants()) }

// VariantRules returns the rules that editions differ in, in the order of
// [Variants].
func VariantRules() []string {
	var rules []string
	for _, v := range loadVariants() {
		if !slices.Contains(rules, v.Rule) {
			rules = append(rules, v.Rule)
		}
	}
	return rules
}

// Method is a choice for each rule that editions differ in. The zero Method has
// the choices of the newest edition.
type Method struct{ choices map[string]Choice }

// MethodOf returns how an edition is known to compute its regions. For editions
// that no evidence tells of, the choices are those of their neighbours.
func MethodOf(year int, release string) Method {
	m := Method{choices: map[string]Choice{}}
	for _, v := range loadVariants() {
		if _, done := m.choices[v.Rule]; !done && v.covers(year, release) {
			m.choices[v.Rule] = v.Choice
		}
	}
	return m
}

// covers reports whether an edition lies in the variant's range.
func (v *Variant) covers(year int, release string) bool {
	return compareEdition(v.From, year, release) <= 0 && compareEdition(v.To, year, release) >= 0
}

// compareEdition compares the edition that a bound names with another one. An
// empty bound is equal to all, and one without a release to all of its year.
func compareEdition(bound string, year int, release string) int {
	if bound == "" {
		return 0
	}
	y, r, marked := strings.Cut(bound, " ")
	n, err := strconv.Atoi(y)
	if err != nil {
		panic("calc: variants.csv: edition " + bound)
	}
	if n != year || !marked {
		return n - year
	}
	return egrid.CompareReleases(r, release)
}

// Choice returns what the method does in a rule; empty for an unknown rule.
func (m Method) Choice(rule string) Choice {
	if c, ok := m.choices[rule]; ok {
		return c
	}
	var last Choice
	for _, v := range loadVariants() {
		if v.Rule == rule {
			last = v.Choice
		}
	}
	return last
}

// With returns the method with another choice for one rule. It returns
// [egrid.ErrInvalid] for a choice that [Variants] does not list.
func (m Method) With(rule string, choice Choice) (Method, error) {
	for _, v := range loadVariants() {
		if v.Rule == rule && v.Choice == choice {
			other := Method{choices: map[string]Choice{}}
			for _, r := range VariantRules() {
				other.choices[r] = m.Choice(r)
			}
			other.choices[rule] = choice
			return other, nil
		}
	}
	return m, fmt.Errorf("%w: no variant %q of rule %q", egrid.ErrInvalid, choice, rule)
}

func (m Method) is(rule string, choice Choice) bool { return m.Choice(rule) == choice }

// String names the choices, as fossil_rates=with_other_fossil.
func (m Method) String() string {
	var words []string
	for _, r := range VariantRules() {
		words = append(words, r+"="+string(m.Choice(r)))
	}
	return strings.Join(words, " ")
}
