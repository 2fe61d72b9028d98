package calc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Exact conversions: the pound and the short ton are defined in kilograms, and
// the MMBtu is a million International Table Btu.
const (
	KilogramsPerPound  = 0.45359237
	TonnesPerShortTon  = 0.90718474
	GigajoulesPerMMBtu = 1.05505585262
	PoundsPerShortTon  = 2000
)

// rateUnit is a unit of an emission factor, with what takes lb/MWh or lb/MMBtu
// to it, as an expression.
type rateUnit struct{ name, factor string }

// The units of factors, the dictionary's first.
var (
	perEnergy = []rateUnit{ // of electricity
		{"lb/MWh", ""}, {"kg/MWh", "0.45359237"}, {"kg/kWh", "0.45359237 / 1000"}, {"g/kWh", "0.45359237"},
		{"t/MWh", "0.45359237 / 1000"}, {"lb/kWh", "1 / 1000"},
	}
	perHeat = []rateUnit{{"lb/MMBtu", ""}, {"kg/MMBtu", "0.45359237"}, {"kg/GJ", "0.45359237 / 1.05505585262"}}
)

// FactorUnits returns the units that factors of a kind come in, the default first.
func FactorUnits(k Kind) []string {
	var names []string
	for _, u := range unitsOf(k) {
		names = append(names, u.name)
	}
	return names
}

func unitsOf(k Kind) []rateUnit {
	if k == HeatInput {
		return perHeat
	}
	return perEnergy
}

// findUnit finds a unit in any letter case; the empty name is the default.
func findUnit(k Kind, name string) (rateUnit, error) {
	units := unitsOf(k)
	if name == "" {
		return units[0], nil
	}
	i := slices.IndexFunc(units, func(u rateUnit) bool { return strings.EqualFold(u.name, strings.TrimSpace(name)) })
	if i < 0 {
		return rateUnit{}, fmt.Errorf("%w: unit %q of kind %s is none of %s", egrid.ErrInvalid, name, k, strings.Join(FactorUnits(k), ", "))
	}
	return units[i], nil
}
