package calc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// PlantShare is what a plant has of the inputs of a figure.
type PlantShare struct {
	ID      string             `json:"id"`             // ORIS code
	Name    string             `json:"name,omitempty"` //
	Weight  float64            `json:"weight"`         // by which it counts: its non-baseload factor, else 1
	Amounts map[string]float64 `json:"amounts"`        // by input, before the weight
}

// name is how formulas call a term.
func (t term) name() string {
	name := string(t.column)
	if t.weighted {
		name = "nonbaseload_" + name
	}
	switch categories := t.categories(); {
	case t.only == 0 || t.only == everybody:
	case t.only == nobody:
		name = "no_plants_" + name
	case t.only == everybody&^bit(otherFuels):
		name = "known_fuel_plants_" + name
	default:
		name = strings.ToLower(strings.Join(categories, "_")) + "_plants_" + name
	}
	return name
}

// describe says which plants a term sums up.
func (t term) describe() string {
	of := "sum over plants"
	if names := t.categories(); t.only != 0 && t.only != everybody {
		of = "sum over plants of " + strings.Join(names, ", ")
		if t.only == nobody {
			of = "sum over no plants"
		}
	}
	if t.weighted {
		of += ", each by its non-baseload factor"
	}
	return of
}

// columns are those that a program reads of plants.
func (p *program) columns() []egrid.Column {
	var columns []egrid.Column
	for _, t := range p.terms {
		columns = append(columns, t.column)
	}
	return columns
}

// total returns the complete sums over all of the plants.
func (p *Plants) total(of *program) []float64 {
	all := &partition{codes: []string{""}, of: make([]int32, p.n)}
	return p.add(all, of).region(of, 0)
}

// input makes an input of a sum over plants.
func (p *Plants) input(of *program, term int, sums []float64) Input {
	t := of.terms[term]
	field, _ := egrid.Lookup(egrid.PLNT, string(t.column))
	sum, _ := egrid.SumOf(sums[term]).Float()
	in := Input{Value: sum, Unit: field.Unit, Level: egrid.PLNT, Column: t.column, Of: t.describe()}
	if n := p.blank[t.column]; n > 0 {
		in.Of += fmt.Sprintf("; %d of %d plants have no figure and count as 0", n, p.n)
	}
	return in
}

// shares lists what each plant has of some terms, the largest first by the last.
func (p *Plants) shares(of *program, terms []int) []PlantShare {
	weights := p.weights(of.method)
	var shares []PlantShare
	for i := range p.n {
		s := PlantShare{Weight: 1, Amounts: map[string]float64{}}
		if p.ids != nil {
			s.ID = p.ids[i]
		}
		if p.names != nil {
			s.Name = p.names[i]
		}
		for _, at := range terms {
			t := of.terms[at]
			x := p.amount(of, at, i)
			if category := uint16(1) << min(p.fuels[i], perRegion-2); x == 0 || t.only != 0 && t.only&category == 0 {
				continue
			}
			if t.weighted {
				s.Weight = weights[i]
			}
			s.Amounts[t.name()] = x
		}
		if len(s.Amounts) > 0 && s.Weight != 0 {
			shares = append(shares, s)
		}
	}
	by := of.terms[terms[len(terms)-1]].name()
	slices.SortStableFunc(shares, func(a, b PlantShare) int {
		return cmp.Compare(math.Abs(b.Amounts[by]*b.Weight), math.Abs(a.Amounts[by]*a.Weight))
	})
	return shares
}

// amount is what a plant has of a term, before its weight.
func (p *Plants) amount(of *program, term, plant int) float64 {
	if x := p.columns[of.terms[term].column]; x != nil {
		return x[plant]
	}
	sum := 0.0
	for _, part := range of.parts[term] {
		if x := p.columns[of.terms[part].column]; x != nil {
			sum += x[plant]
		}
	}
	return sum
}
