package sheet

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var (
	rateWords  = regexp.MustCompile(`(?i)(?:^|[^a-z])(rates?|factors?|intensity|lbs?|kg|g|t)(?:[^a-z]|$)|(?:/|per) ?[kM]Wh`)
	otherUnits = regexp.MustCompile(`(?i)(?:^|[^a-z])(kg|g|t|tons?|kwh|mmbtu|gj)(?:[^a-z]|$)`)
)

// gasNames are the names of gases in headers.
var gasNames = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(CO2([-_ ]?(e|eq|equivalent))?|GHG|carbon dioxide|CH4|methane|N2O|nitrous oxide|NOx|SO2)(?:[^a-z0-9]|$)`)

// regionHeaders are headers above the codes of regions.
var regionHeaders = []struct {
	name  *regexp.Regexp
	level egrid.Level
}{
	{regexp.MustCompile(`(?i)sub-?[_ ]?(region|rgn)`), egrid.SRL},
	{regexp.MustCompile(`(?i)(?:^|[^a-z])states?(?:[^a-z]|$)|^PSTATABB$`), egrid.ST},
	{regexp.MustCompile(`(?i)balancing|^BA([_ ]?code)?$`), egrid.BA},
	{regexp.MustCompile(`(?i)(?:^|[^a-z])NERC`), egrid.NRL},
}

// ratesTable returns a [*NotKeptError] for a table of emission rates of regions under
// somebody's own headers. A table whose headers are rather those of plants or their
// parts is none: rates are among what they have.
func ratesTable(records [][]string, delim byte, o *ReaderOptions) error {
	if o.Mapping != nil {
		return nil
	}
	for i, record := range records {
		level, region := egrid.Level(""), ""
		for _, text := range record {
			for _, r := range regionHeaders {
				if level == "" && r.name.MatchString(text) && !strings.Contains(strings.ToLower(text), "name") {
					level, region = r.level, text
				}
			}
		}
		first, convert := "", false
		for _, text := range record {
			if text != region && len(text) <= 100 && rateWords.MatchString(text) && gasNames.MatchString(text) {
				first = cmp.Or(first, strings.TrimSpace(text))
				convert = convert || otherUnits.MatchString(text)
			}
		}
		if first == "" || level == "" {
			continue
		}
		table := headless{delim: delim, headers: record, rows: records[i+1:]}
		if p := table.best(""); p != nil && grade(p.Level) != regions {
			return nil
		}
		e := &NotKeptError{Kind: "a table of emission rates", From: "column " + shorten(first, 50), Remedy: fmt.Sprintf("load the sheet that has them, %s", level)}
		if convert {
			e.Remedy += "; rates in other units than lb/MWh cannot be mapped to its columns"
		} else {
			e.Remedy += "; or, where these are output rates in lb/MWh, " + mapHeaders
		}
		return e
	}
	return nil
}
