package httpapi

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// The query language: parameters that every list of rows, plants or groups
// takes, so that what an egrid.RowQuery or an egrid.GroupQuery can ask can be
// asked over HTTP.

// languageDetails says what column parameters there are, for the document.
const languageDetails = "Every column is a parameter: column=value[,value...], and min_column and max_column where it is numeric. " +
	"A value that holds a comma is quoted as in CSV. " +
	"filter= takes every other condition, and may be repeated. All conditions must hold."

// allYears is the year parameter's word for every data year.
const allYears = "all"

// yearsParam is for lists that may be of every data year.
func yearsParam() parameter {
	return parameter{name: "year", doc: "Data year; the newest when left out. all: every data year, each in its newest release unless one is named.",
		schema: huma.Schema{Pattern: `^(-?\d{1,9}|all)$`, PatternDescription: "a data year, or all", Examples: []any{"2023"}}}
}

// years returns the data year of a query, egrid.AllYears among them.
func (in *request) years() int {
	if in.text("year") == allYears {
		return egrid.AllYears
	}
	return in.number("year")
}

func filterParam(name, of string) parameter {
	return parameter{name: name, many: true, doc: "Condition on " + of + ": COLUMN OPERATOR VALUE with one of = != < <= > >=, or COLUMN missing, or COLUMN present. = and != take several values between commas. May be repeated; all must hold.",
		schema: huma.Schema{Examples: []any{"nameplate_capacity_mw>=100", "state!=TX,OK", "latitude missing"}},
		check:  func(text string) error { _, err := egrid.ParseFilter(text); return err }}
}

// conditions reads conditions, which were checked when they were taken.
func (in *request) conditions(name string) []egrid.Filter {
	var filters []egrid.Filter
	for _, text := range in.values[name] {
		f, err := egrid.ParseFilter(text)
		if err != nil {
			panic(err) // checked by take
		}
		filters = append(filters, f.AnyCase())
	}
	return filters
}

func sortParam() parameter {
	return parameter{name: "sort", list: true, doc: "Columns to sort by; a minus in front sorts downwards. Missing values come last.",
		schema: huma.Schema{Examples: []any{"-net_generation_mwh"}},
		check:  func(text string) error { _, err := egrid.ParseSort(text); return err }}
}

func (in *request) sort() ([]egrid.Sort, error) { return egrid.ParseSort(in.text("sort")) }

func countParam() parameter {
	return parameter{name: "count", doc: "false leaves meta.total out, which saves counting.", schema: huma.Schema{Enum: []any{"true", "false"}, Default: "true"}}
}

func (in *request) wantsCount() bool { return in.text("count") != "false" }

// checkNames finds the columns that do not exist among those that parameters
// name. The sort keys and the conditions of groups are on the answer's columns,
// which planning knows.
func (in *request) checkNames(op *operation, fields fieldSet) []wire.Fault {
	var faults []wire.Fault
	for _, param := range []string{"columns", "by", facetName} {
		for _, name := range in.values[param] {
			faults = append(faults, fields.checkName(param, name, egrid.Column(name))...)
		}
	}
	if keys, err := in.sort(); err == nil && !op.groups {
		for _, key := range keys {
			faults = append(faults, fields.checkName("sort", key.String(), key.Column)...)
		}
	}
	for _, f := range in.conditions("filter") {
		faults = append(faults, fields.checkName("filter", f.String(), f.Column)...)
	}
	if measures, err := in.measures(); err == nil {
		for _, m := range measures {
			if m.Column != "" {
				faults = append(faults, fields.checkName("measures", string(m.Column), m.Column)...)
			}
		}
	}
	return faults
}

// measuresParam asks for aggregates; groups are counted when it is left out.
func measuresParam() parameter {
	return parameter{name: "measures", list: true, doc: "Aggregates of each group: count, sum(COLUMN), min(COLUMN), max(COLUMN), each with a name of its own behind as. Rows are counted when it is left out.",
		schema: huma.Schema{Examples: []any{"count", "sum(net_generation_mwh) as total"}},
		check:  func(text string) error { _, err := egrid.ParseMeasures(text); return err }}
}

func (in *request) measures() ([]egrid.Measure, error) {
	if text := in.text("measures"); text != "" {
		return egrid.ParseMeasures(text)
	}
	return []egrid.Measure{{Func: egrid.Count}}, nil
}

// maxFacetValues bounds the values that a facet lists.
const maxFacetValues = 1000

const facetName = "facet"

func facetParam(of string) parameter {
	return parameter{name: facetName, list: true, doc: fmt.Sprintf("Columns whose values are counted over %s, all pages together: meta.facets has the %d most frequent values of each. JSON only.", of, maxFacetValues)}
}
