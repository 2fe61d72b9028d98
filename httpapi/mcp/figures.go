package mcp

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func factor(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err != nil {
		return reply{}, err
	}
	var f wire.Factor
	if err := json.Unmarshal(e.Data, &f); err != nil {
		return reply{}, err
	}
	if f.Plants, err = q.foremost(f.Plants, f.Inputs, &f.Notes); err != nil {
		return reply{}, err
	}
	if e.Data, err = json.Marshal(&f); err != nil {
		return reply{}, err
	}
	e.Citation = f.Citation
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", figure(f.Value), f.Unit)
	if f.Published != nil {
		fmt.Fprintf(&b, "Published, rounded: %s %s\n", figure(*f.Published), f.Unit)
	}
	derivation(&b, f.Formula, f.Inputs, f.Plants, f.Notes)
	return reply{&e, sourced(b.String(), &e)}, nil
}

func explain(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err != nil {
		return reply{}, err
	}
	var x wire.Explanation
	if err := json.Unmarshal(e.Data, &x); err != nil {
		return reply{}, err
	}
	if x.Plants, err = q.foremost(x.Plants, x.Inputs, &x.Notes); err != nil {
		return reply{}, err
	}
	if e.Data, err = json.Marshal(&x); err == nil {
		err = q.cite(&e)
	}
	if err != nil {
		return reply{}, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (%s), %s: %s\n%s\n", place(x.Level, x.Code), x.Column, x.EPACode, edition(x.Year, x.Release), strings.TrimSpace(shown(x.Published)+" "+x.Unit), x.Description)
	if x.Recomputed != nil {
		agree := "agrees with it"
		if !x.Matches {
			agree = "does not agree with it"
		}
		fmt.Fprintf(&b, "Recomputed: %s %s, which %s within %s\n", figure(*x.Recomputed), x.Unit, agree, figure(x.Tolerance))
	}
	derivation(&b, x.Formula, x.Inputs, x.Plants, x.Notes)
	fmt.Fprintf(&b, "Record %d of the sheet\n", x.Row)
	return reply{&e, sourced(b.String(), &e)}, nil
}

// derivation writes what a figure follows from.
func derivation(b *strings.Builder, formula string, inputs map[string]wire.FactorInput, plants []wire.PlantShare, notes []string) {
	if formula != "" {
		fmt.Fprintf(b, "Formula: %s\n", formula)
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := inputs[name]
		of := place(in.Level, in.Code)
		if in.Of != "" {
			of = in.Of
		}
		fmt.Fprintf(b, "  %s = %s %s (%s)\n", name, figure(in.Value), in.Unit, of)
	}
	for i := range plants {
		fmt.Fprintf(b, "  plant %s %s, weight %s\n", plants[i].ID, plants[i].Name, figure(plants[i].Weight))
	}
	for _, note := range notes {
		fmt.Fprintf(b, "Note: %s\n", note)
	}
}

// foremost keeps the plants that have the largest part of any input, and notes
// how many are left out.
func (q *question) foremost(plants []wire.PlantShare, inputs map[string]wire.FactorInput, notes *[]string) ([]wire.PlantShare, error) {
	most, err := strconv.Atoi(q.text("limit"))
	if err != nil || most < 1 || most > 1000 {
		return nil, fmt.Errorf("limit: %q is no number from 1 to 1000", q.text("limit"))
	}
	if len(plants) <= most {
		return plants, nil
	}
	part := func(p *wire.PlantShare) (largest float64) {
		for name, amount := range p.Amounts {
			if whole := float64(inputs[name].Value); whole != 0 {
				largest = max(largest, math.Abs(float64(p.Weight*amount)/whole))
			}
		}
		return largest
	}
	slices.SortStableFunc(plants, func(a, b wire.PlantShare) int {
		switch x, y := part(&a), part(&b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	*notes = append(*notes, fmt.Sprintf("%d of %d plants are listed: those with the largest part of an input", most, len(plants)))
	return plants[:most], nil
}
