package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func catalogue(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err != nil {
		return reply{}, err
	}
	var all []wire.SnapshotInfo
	if err := json.Unmarshal(e.Data, &all); err != nil {
		return reply{}, err
	}
	level, year := q.text("level"), q.text("year")
	var b strings.Builder
	chosen := []wire.SnapshotInfo{}
	for i := range all {
		s := &all[i]
		if level != "" && !strings.EqualFold(level, string(s.Level)) || year != "" && year != strconv.Itoa(s.Year) {
			continue
		}
		chosen = append(chosen, *s)
		fmt.Fprintf(&b, "%s, %s, %s: %d rows, units %s, %s, id %s\n", s.Level, edition(s.Year, s.Release), s.Authority, s.Rows, s.Units, s.Status, s.ID)
	}
	if len(chosen) == 0 {
		return reply{}, errors.New(nothing(all))
	}
	if e.Data, err = json.Marshal(chosen); err != nil {
		return reply{}, err
	}
	return reply{&e, strings.TrimRight(b.String(), "\n")}, nil
}

// nothing says what there is where nothing was chosen.
func nothing(all []wire.SnapshotInfo) string {
	if len(all) == 0 {
		return "nothing is loaded in this store; egrid load FILE does that"
	}
	there := map[string]bool{}
	for i := range all {
		there[fmt.Sprint(all[i].Level, " ", all[i].Year)] = true
	}
	return "nothing of that is loaded; there are " + strings.Join(slices.Sorted(maps.Keys(there)), ", ")
}

func region(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err == nil {
		err = q.cite(&e)
	}
	if err != nil {
		return reply{}, err
	}
	var r wire.Region
	var meta wire.Meta
	if err := errors.Join(json.Unmarshal(e.Data, &r), json.Unmarshal(e.Meta, &meta)); err != nil {
		return reply{}, err
	}
	var b strings.Builder
	b.WriteString(place(r.Level, r.Code))
	if r.Name != nil {
		fmt.Fprintf(&b, " (%s)", *r.Name)
	}
	if meta.Year != nil && meta.Release != nil {
		b.WriteString(", " + edition(*meta.Year, *meta.Release))
	}
	for _, c := range []string{"nameplate_capacity_mw", "net_generation_mwh", "co2_short_tons", "co2e_short_tons", "nox_short_tons", "so2_short_tons"} {
		told(&b, c, r.Totals[c], meta.Units[c])
	}
	for _, c := range slices.Sorted(maps.Keys(r.Rates)) {
		if gas, _, _ := strings.Cut(c, "_"); slices.Contains(names(calc.Gases()), gas) && strings.HasSuffix(c, "output_rate_lb_per_mwh") {
			told(&b, c, r.Rates[c], meta.Units[c])
		}
	}
	for _, fuel := range slices.Sorted(maps.Keys(r.ResourceMix)) {
		if x := r.ResourceMix[fuel]; x != nil && *x != 0 {
			told(&b, fuel, x, "of net generation")
		}
	}
	return reply{&e, sourced(b.String(), &e)}, nil
}

// place names a row of a level; the US has no code.
func place(level egrid.Level, code string) string {
	if code == "" || code == string(level) {
		return string(level)
	}
	return string(level) + " " + code
}

func told(b *strings.Builder, name string, x *wire.Number, unit string) {
	if x != nil {
		fmt.Fprintf(b, "\n%s %s %s", name, figure(*x), unit)
	}
}

func compare(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err != nil {
		return reply{}, err
	}
	var changes []wire.CellChange
	var meta wire.Meta
	if err := errors.Join(json.Unmarshal(e.Data, &changes), json.Unmarshal(e.Meta, &meta)); err != nil {
		return reply{}, err
	}
	d := meta.Difference
	if d == nil {
		return reply{}, errors.New("the API does not tell which snapshots it compared")
	}
	if err := q.citeSnapshots(&e, string(d.From), string(d.To)); err != nil {
		return reply{}, err
	}
	// Named by their ids, the two stay what they are.
	e.Links.Permanent = "/diff?" + url.Values{"level": {q.text("level")}, "from": {string(d.From)}, "to": {string(d.To)}}.Encode()
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows are in both, of which %d have changed; %d were added, %d are gone", d.Rows, d.Changed, d.Added, d.Lost)
	for _, of := range []struct {
		what    string
		columns []egrid.Column
	}{{"added", d.ColumnsAdded}, {"gone", d.ColumnsLost}} {
		if len(of.columns) > 0 {
			fmt.Fprintf(&b, "; columns %s: %s", of.what, strings.Join(names(of.columns), ", "))
		}
	}
	if meta.Total != nil {
		fmt.Fprintf(&b, "\n%d of %d cells that differ:", len(changes), *meta.Total)
	}
	for i := range changes {
		c := &changes[i]
		fmt.Fprintf(&b, "\n%s %s: %s to %s", c.Key, c.Column, shown(c.From), shown(c.To))
		if c.RelativeChange != nil {
			fmt.Fprintf(&b, " (%s)", egrid.Percent(float64(*c.RelativeChange)))
		}
	}
	return reply{&e, sourced(b.String(), &e)}, nil
}

func zip(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err == nil {
		err = q.cite(&e)
	}
	if err != nil {
		return reply{}, err
	}
	var candidates []wire.ZIPSubregion
	if err := json.Unmarshal(e.Data, &candidates); err != nil {
		return reply{}, err
	}
	var b strings.Builder
	for _, c := range candidates {
		fmt.Fprintf(&b, "%s: %s", c.ZIP, c.Subregion)
		if c.Predominant {
			b.WriteString(", predominant")
		}
		for _, u := range c.Utilities {
			if u.Name != nil {
				fmt.Fprintf(&b, "; %s", *u.Name)
			}
		}
		b.WriteString("\n")
	}
	if !slices.ContainsFunc(candidates, func(c wire.ZIPSubregion) bool { return c.Predominant }) {
		b.WriteString("The crosswalk does not tell which of these serves most of the ZIP code.\n")
	}
	return reply{&e, sourced(b.String(), &e)}, nil
}

// figure writes a number so that it reads back the same.
func figure(n wire.Number) string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }

// shown writes a value of any type.
func shown(v egrid.Value) string {
	if v.IsMissing() {
		return "missing"
	}
	return v.String()
}
