package sheet

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var (
	rateWords  = regexp.MustCompile(`(?i)(?:^|[^a-z])(rates?|factors?|intensity|lbs?|kg|g|t)(?:[^a-z]|$)|(?:/|per) ?[kM]Wh`)
	otherUnits = regexp.MustCompile(`(?i)(?:^|[^a-z])(kg|g|t|tons?|kwh|mmbtu|gj)(?:[^a-z]|$)`)
)

// gases are the names of gases in headers, and the code of their output rates behind
// the prefix of a level.
var gases = []struct {
	name *regexp.Regexp
	code string
}{
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(CO2[-_ ]?(e|eq|equivalent)|GHG)(?:[^a-z0-9]|$)`), "C2ERTA"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(CO2|carbon dioxide)(?:[^a-z0-9]|$)`), "CO2RTA"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(CH4|methane)(?:[^a-z0-9]|$)`), "CH4RTA"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(N2O|nitrous oxide)(?:[^a-z0-9]|$)`), "N2ORTA"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])NOx(?:[^a-z0-9]|$)`), "NOXRTA"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z0-9])SO2(?:[^a-z0-9]|$)`), "SO2RTA"},
}

// regionHeaders are headers above the codes of regions.
var regionHeaders = []struct {
	name  *regexp.Regexp
	level egrid.Level
	code  string
}{
	{regexp.MustCompile(`(?i)sub-?[_ ]?(region|rgn)`), egrid.SRL, "SUBRGN"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z])states?(?:[^a-z]|$)|^PSTATABB$`), egrid.ST, "PSTATABB"},
	{regexp.MustCompile(`(?i)balancing|^BA([_ ]?code)?$`), egrid.BA, "BACODE"},
	{regexp.MustCompile(`(?i)(?:^|[^a-z])NERC`), egrid.NRL, "NERC"},
}

// ratesTable returns a [*NotKeptError] for a table of emission rates under somebody's
// own headers, with the mapping by which its rates can be kept all the same.
func ratesTable(records [][]string, o *ReaderOptions) error {
	if o.Mapping != nil {
		return nil
	}
	for _, record := range records {
		first, columns := "", map[string]string{}
		level, region, convert := egrid.Level(""), "", false
		for _, text := range record {
			text = strings.TrimSpace(text)
			for _, r := range regionHeaders {
				if level == "" && r.name.MatchString(text) && !strings.Contains(strings.ToLower(text), "name") {
					level, region = r.level, text
					columns[text] = r.code
				}
			}
		}
		for _, text := range record {
			if text = strings.TrimSpace(text); text == region || len(text) > 100 || !rateWords.MatchString(text) {
				continue
			}
			for _, gas := range gases {
				if !gas.name.MatchString(text) {
					continue
				}
				if first == "" {
					first = text
				}
				convert = convert || otherUnits.MatchString(text)
				if f, ok := egrid.Lookup(level, level.Prefix()+gas.code); ok && !otherUnits.MatchString(text) {
					columns[text] = f.Code
				}
				break
			}
		}
		if first == "" || level == "" {
			continue
		}
		e := &NotKeptError{Kind: "a table of emission rates", From: "column " + shorten(first, 50), Remedy: fmt.Sprintf("load the sheet that has them, %s", level)}
		if !convert {
			text, err := json.Marshal(map[string]any{"inputs": []any{map[string]any{"match": path.Base(o.Name), "level": level, "columns": columns}}})
			if err != nil {
				return err
			}
			e.Remedy += fmt.Sprintf("; or, where these are output rates in lb/MWh, keep them by an etl.json (--mapping FILE): %s", text)
		} else {
			e.Remedy += "; rates in other units than lb/MWh cannot be mapped to its columns"
		}
		return e
	}
	return nil
}
