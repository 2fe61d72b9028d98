package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// planKey is the text form of a plan: all that its answer depends on. What
// follows from it and from the catalogue is left out.
type planKey struct {
	Level     egrid.Level        `json:"level"`
	Snapshots []egrid.SnapshotID `json:"snapshots"`
	Filters   []egrid.Filter     `json:"filters,omitempty"`
	Words     []string           `json:"words,omitempty"`
	By        []egrid.Column     `json:"by,omitempty"`
	Measures  []egrid.Measure    `json:"measures,omitempty"`
	Having    []egrid.Filter     `json:"having,omitempty"`
	Columns   []egrid.Column     `json:"columns,omitempty"` // of row plans
	Sort      []egrid.Sort       `json:"sort,omitempty"`
	Limit     int                `json:"limit,omitempty"`
	After     *Position          `json:"after,omitempty"`
	Offset    int64              `json:"offset,omitempty"`
	Count     bool               `json:"count,omitempty"`
}

// Key returns the plan as JSON. It names snapshots, whose rows never change, so
// equal keys have equal answers for ever: caches keep answers by it, and
// [ParsePlan] makes a plan of it in another process.
func (p *Plan) Key() []byte {
	k := planKey{
		Level: p.Level, Snapshots: make([]egrid.SnapshotID, len(p.Snapshots)), Filters: p.Filters, Words: p.Words,
		By: p.By, Measures: p.Measures, Having: p.Having, Sort: p.Sort,
		Limit: p.Limit, After: p.After, Offset: p.Offset, Count: p.Count,
	}
	for i := range p.Snapshots {
		k.Snapshots[i] = p.Snapshots[i].ID
	}
	if len(p.Measures) == 0 && !p.Count {
		k.Columns = p.Output.Columns()
	}
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // texts, integers and finite numbers only
	}
	return b
}

// ParsePlan makes a plan of its key, and checks it against a catalogue as if it
// came from a query. Errors: [egrid.ErrInvalid] for what is no key of a plan,
// and those of [Pin], which here finds held loads, too.
func ParsePlan(key []byte, c egrid.Catalog) (*Plan, error) {
	var k planKey
	dec := json.NewDecoder(bytes.NewReader(key))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		return nil, fmt.Errorf("%w: not the key of a plan: %w", egrid.ErrInvalid, err)
	}
	pinned, err := pin(c, true, k.Snapshots)
	if err != nil {
		return nil, err
	}
	p, err := k.plan(pinned)
	if err != nil {
		return nil, err
	}
	if k.Count {
		p = p.Counting()
	} else {
		p.Limit, p.After, p.Offset = k.Limit, k.After, k.Offset
	}
	groups := len(k.Measures) > 0
	begins := !groups && k.Offset == 0 && (k.After == nil || len(k.After.Keys) == len(p.Sort)) || groups && k.After == nil && k.Offset >= 0
	if k.Limit < 0 || !begins || !bytes.Equal(p.Key(), key) {
		return nil, fmt.Errorf("%w: the key of the plan is not as Plan.Key writes it", egrid.ErrInvalid)
	}
	return p, nil
}

func (k *planKey) plan(c egrid.Catalog) (*Plan, error) {
	search := strings.Join(k.Words, " ")
	if len(k.Measures) > 0 {
		return PlanGroups(c, egrid.GroupQuery{
			Level: k.Level, Year: egrid.AllYears, Filters: k.Filters, Search: search,
			By: k.By, Measures: k.Measures, Having: k.Having, Sort: k.Sort,
		})
	}
	p, err := PlanRows(c, egrid.RowQuery{
		Level: k.Level, Year: egrid.AllYears, Filters: k.Filters, Search: search, Sort: k.Sort, Columns: k.Columns,
	})
	if err == nil {
		p.Visible = p.Output.Len()
	}
	return p, err
}
