package mcp

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

const (
	maxSites = 1000 // of one call
	maxTold  = 50   // of them, in the text
)

func siteFields() []argument {
	return []argument{
		{name: "site", kind: text, doc: "Name of the site, which comes back."},
		{name: "subregion", kind: text, doc: "eGRID subregion, as CAMX."}, {name: "zip", kind: text, doc: "ZIP code, where a crosswalk is loaded."},
		{name: "ba", kind: text, doc: "Code of a balancing authority."}, {name: "state", kind: text, doc: "Postal abbreviation."},
		{name: "year", kind: integer, doc: "Data year, where sites differ in it."},
		{name: "kwh", kind: number, doc: "Electricity used, in kWh; or mwh, alike for all sites."}, {name: "mwh", kind: number, doc: "Electricity used, in MWh."},
	}
}

func inventory(q *question) (reply, error) {
	table, err := tableOf(q.sites)
	if err != nil {
		return reply{}, err
	}
	query := url.Values{"format": {"json"}}
	for name, values := range q.values {
		query.Set(name, joined(values))
	}
	body, err := q.send(http.MethodPost, &url.URL{Path: q.tool.path, RawQuery: query.Encode()}, "text/csv", bytes.NewReader(table))
	if err != nil {
		return reply{}, err
	}
	var inv wire.Inventory
	if err := json.Unmarshal(body, &inv); err != nil {
		return reply{}, err
	}
	return reply{json.RawMessage(body), inventoryText(&inv)}, nil
}

// tableOf makes the CSV of sites, of the columns that any of them has.
func tableOf(sites []map[string]string) ([]byte, error) {
	var header []string
	fields := siteFields()
	for i := range fields {
		if slices.ContainsFunc(sites, func(site map[string]string) bool { return site[fields[i].name] != "" }) {
			header = append(header, fields[i].name)
		}
	}
	if slices.Contains(header, "kwh") && slices.Contains(header, "mwh") {
		return nil, errors.New("sites: some are in kwh and some in mwh; give one of them for all")
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, site := range append([]map[string]string{nil}, sites...) {
		record := slices.Clone(header)
		for i, name := range header {
			if site != nil {
				record[i] = site[name]
			}
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func inventoryText(inv *wire.Inventory) string {
	var b strings.Builder
	t := &inv.Totals
	fmt.Fprintf(&b, "%d of %d sites answered", t.Answered, t.Sites)
	for _, of := range []struct {
		what, unit string
		sum        *wire.Number
	}{{"electricity", "MWh", t.MWh}, {"co2e", "kg", t.CO2e}, {"co2", "kg", t.CO2}, {"ch4", "kg", t.CH4}, {"n2o", "kg", t.N2O}, {"co2e of losses", "kg", t.Losses}} {
		told(&b, of.what, of.sum, of.unit)
	}
	for _, reason := range slices.Sorted(maps.Keys(t.Reasons)) {
		fmt.Fprintf(&b, "\nNot answered, %d: %s", t.Reasons[reason], reason)
	}
	for i := range inv.Sites[:min(len(inv.Sites), maxTold)] {
		site, a := &inv.Sites[i], &inv.Sites[i].Answer
		fmt.Fprintf(&b, "\nsite %d %s: ", i+1, site.Site["site"])
		if a.CO2e == nil || a.Region == nil {
			b.WriteString("no answer")
			continue
		}
		fmt.Fprintf(&b, "%s kg CO2e by %s", figure(*a.CO2e), *a.Region)
	}
	if more := len(inv.Sites) - maxTold; more > 0 {
		fmt.Fprintf(&b, "\nand %d more sites in the structured content", more)
	}
	for i := range inv.Methods {
		fmt.Fprintf(&b, "\nSource: %s", inv.Methods[i].Citation)
	}
	return b.String()
}
