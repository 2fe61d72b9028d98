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
	ID      string             // ORIS code
	Name    string             //
	Weight  float64            // by which it counts: its non-baseload factor, else 1
	Amounts map[string]float64 // by input, before the weight
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
	names := make([]string, len(terms))
	for i, at := range terms {
		names[i] = of.terms[at].name()
	}
	type ranked struct {
		size  float64
		share PlantShare
	}
	var all []ranked
	amounts := make([]float64, len(terms))
	for i := range p.n {
		n, weight := 0, 1.0
		category := uint16(1) << min(p.fuels[i], perRegion-2)
		for k, at := range terms {
			t := &of.terms[at]
			amounts[k] = 0
			if t.only == 0 || t.only&category != 0 {
				amounts[k] = p.amount(of, at, i)
			}
			if amounts[k] == 0 {
				continue
			}
			n++
			if t.weighted {
				weight = weights[i]
			}
		}
		if n == 0 || weight == 0 {
			continue
		}
		s := PlantShare{Weight: weight, Amounts: make(map[string]float64, n)}
		for k, x := range amounts {
			if x != 0 {
				s.Amounts[names[k]] = x
			}
		}
		if p.ids != nil {
			s.ID = p.ids[i]
		}
		if p.names != nil {
			s.Name = p.names[i]
		}
		all = append(all, ranked{math.Abs(amounts[len(terms)-1] * weight), s})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.size, a.size) })
	shares := make([]PlantShare, len(all))
	for i := range all {
		shares[i] = all[i].share
	}
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
