package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// maxJSONLimit is the largest page of a JSON answer.
const maxJSONLimit = 1000

// parameter declares a path or query parameter: for the OpenAPI document, for
// the check of a request, and for what becomes of the value.
type parameter struct {
	name     string
	doc      string
	schema   huma.Schema
	path     bool
	list     bool                    // values separated by commas
	many     bool                    // may be given more than once
	check    func(text string) error // of a text that is kept whole, in place of the schema
	upper    bool                    // codes are written in capitals, and asked for in either case
	required bool
	filter   egrid.Column // keep the rows whose column has one of the values
	region   egrid.Level  // it takes codes of regions of this level, whose names may be meant
	expected string       // what an integer has to be, in words; "an integer" when empty
}

func (p *parameter) document() *huma.Param {
	schema := p.schema
	if schema.Type == "" {
		schema.Type = huma.TypeString
	}
	needed := p.path || p.required || p.list // any other may be empty, which counts as absent
	if schema.Type == huma.TypeString && schema.Pattern == "" && schema.Enum == nil && needed {
		schema.MinLength = new(1)
	}
	if schema.Pattern != "" && !needed {
		schema.Pattern = "^$|" + schema.Pattern
	}
	schema.PrecomputeMessages()
	d := &huma.Param{Name: p.name, In: "query", Description: p.doc, Schema: &schema}
	switch {
	case p.path:
		d.In, d.Required = "path", true
	case p.required:
		d.Required = true
	case p.list, p.many:
		explode := p.many
		d.Style, d.Explode = "form", &explode
		d.Schema = &huma.Schema{Type: huma.TypeArray, Items: &schema, MinItems: new(1)}
		d.Schema.PrecomputeMessages()
	}
	return d
}

// request is one call of an operation, its parameters checked.
type request struct {
	http    *http.Request
	values  map[string][]string
	filters []egrid.Filter
	format  format
	known   []format // that answers come in, if only others than this one
	gzip    bool

	data         data        // that it is answered from; none where the operation is unkept
	pinned       string      // snapshots that a permanent address names
	pair         *store.Pair // that the answer compares, once they are found
	unacceptable bool        // Accept names no representation of this answer
}

// parse checks the parameters of a call. Every fault is reported, not only the
// first.
func (a *api) parse(op *operation, r *http.Request) (*request, *wire.Problem) {
	in := &request{http: r, values: map[string][]string{}, known: a.formats}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wire.Faulty(r, fault("query", r.URL.RawQuery, "the query string is malformed; percent-encode special characters"))
	}
	if faults := in.takeDeclared(op, query); len(faults) > 0 {
		return nil, wire.Faulty(r, faults...)
	}
	faults := in.negotiate(op)
	if in.unacceptable {
		return nil, in.notAcceptable(op)
	}
	if !op.unkept {
		if in.data, err = a.dataOf(r); err == nil && op.pins != nil {
			err = in.pin(op)
		}
		if err == nil && op.pair {
			in.pinPair()
		}
		if err != nil {
			return nil, a.problemOf(r, err)
		}
	}
	faults = append(in.takeColumns(op, query), faults...)
	if len(faults) > 0 {
		return nil, wire.Faulty(r, faults...)
	}
	return in, nil
}

// takeDeclared takes the parameters that the operation declares.
func (in *request) takeDeclared(op *operation, query url.Values) []wire.Fault {
	var faults []wire.Fault
	for i := range op.params {
		p := &op.params[i]
		given := slices.DeleteFunc(slices.Clone(query[p.name]), isBlank)
		if p.path {
			// Routes are matched on the encoded path, so that an id may hold a slash.
			text, err := url.PathUnescape(mux.Vars(in.http)[p.name])
			if err != nil {
				faults = append(faults, fault("path."+p.name, mux.Vars(in.http)[p.name], "the percent-encoding is malformed"))
				continue
			}
			given = []string{text}
		} else if len(given) > 1 && !p.many {
			faults = append(faults, fault("query."+p.name, given, "given more than once"+manyHint(p.list)))
			continue
		}
		if p.required && len(given) == 0 {
			faults = append(faults, fault("query."+p.name, nil, "is required: "+p.doc))
		}
		for _, text := range given {
			faults = append(faults, in.take(p, op.documented[i], text)...)
		}
	}
	return faults
}

// isBlank tells a parameter that was left empty: it counts as absent.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// takeColumns takes the parameters that name columns, and checks the columns that
// others name.
func (in *request) takeColumns(op *operation, query url.Values) []wire.Fault {
	var fields fieldSet
	if op.fields != nil {
		fields = op.fields(in.data, in)
	}
	fields.prefix = wire.Prefix(in.http)
	in.filters = append(in.filters, in.conditions("filter")...)
	names := op.names()
	var faults []wire.Fault
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(names, name) {
			faults = append(faults, in.takeColumn(names, fields, name, query[name])...)
		}
	}
	return append(faults, in.checkNames(op, fields)...)
}

func manyHint(list bool) string {
	if list {
		return "; separate values by commas"
	}
	return ""
}

// take checks one declared parameter and keeps it.
func (in *request) take(p *parameter, documented *huma.Param, text string) []wire.Fault {
	location := documented.In + "." + p.name
	if isBlank(text) {
		return []wire.Fault{fault(location, text, "is empty")}
	}
	if p.check != nil {
		if err := p.check(text); err != nil {
			return []wire.Fault{fault(location, text, strings.TrimPrefix(err.Error(), egrid.ErrInvalid.Error()+": "))}
		}
		in.values[p.name] = append(in.values[p.name], text)
		return nil
	}
	values := []string{text}
	if p.list {
		var err error
		if values, err = splitList(text); err != nil {
			return []wire.Fault{fault(location, text, err.Error())}
		}
	}
	schema := documented.Schema
	if p.list {
		schema = schema.Items
	}
	var faults []wire.Fault
	for i, v := range values {
		if p.upper {
			values[i] = strings.ToUpper(v)
		}
		var typed any = values[i]
		if schema.Type == huma.TypeInteger {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				faults = append(faults, fault(location, v, "expected "+cmp.Or(p.expected, "an integer")))
				continue
			}
			typed = n
		}
		var result huma.ValidateResult
		at := huma.NewPathBuffer([]byte{}, 0)
		huma.Validate(nil, schema, at, huma.ModeReadFromServer, typed, &result)
		for _, err := range result.Errors {
			message := err.Error()
			var d *huma.ErrorDetail
			if errors.As(err, &d) {
				message = d.Message
			}
			faults = append(faults, fault(location, v, message+p.meant(v)))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	in.values[p.name] = values
	if p.filter != "" {
		in.filters = append(in.filters, egrid.Where(p.filter, egrid.Eq, values...))
	}
	return nil
}

// meant names the value that was probably meant by one that is refused.
func (p *parameter) meant(value string) string {
	if p.region != "" {
		if code, ok := egrid.RegionCode(p.region, value); ok {
			return fmt.Sprintf("; the code of %s is %s", value, code)
		}
	}
	var known []string
	for _, v := range p.schema.Enum {
		known = append(known, fmt.Sprint(v))
	}
	for _, r := range egrid.NamedRegions(p.region) {
		known = append(known, r.Code)
	}
	if best := egrid.Nearest(value, known); best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return ""
}

// takeColumn reads a parameter that names a column: column=value,
// min_column=value or max_column=value.
func (in *request) takeColumn(names []string, fields fieldSet, name string, given []string) []wire.Fault {
	location := "query." + name
	f, op, ok := fields.parse(name)
	if !ok {
		return []wire.Fault{fault(location, strings.Join(given, ","), "unknown parameter"+suggest(name, names, fields))}
	}
	given = slices.DeleteFunc(slices.Clone(given), isBlank)
	switch {
	case len(given) == 0:
		return nil
	case len(given) > 1:
		return []wire.Fault{fault(location, given, "given more than once"+manyHint(op == egrid.Eq))}
	}
	values := given
	if op == egrid.Eq {
		var err error
		if values, err = splitList(given[0]); err != nil {
			return []wire.Fault{fault(location, given[0], err.Error())}
		}
	}
	filter := egrid.Filter{Column: f.Column, Op: op}
	for _, text := range values {
		typ := f.Type
		if typ == egrid.Integer {
			typ = egrid.Number // a bound may lie between two integers
		}
		v, _, err := egrid.ParseValue(typ, text)
		switch {
		case err == nil && v.IsMissing():
			return []wire.Fault{fault(location, text, "stands for a missing value; filter="+string(f.Column)+" missing asks for those")}
		case err != nil:
			return []wire.Fault{fault(location, text, fmt.Sprintf("expected a value of type %s", f.Type))}
		case op != egrid.Eq && (typ == egrid.Text || typ == egrid.Flag):
			return []wire.Fault{fault(location, text, fmt.Sprintf("%s is of type %s and has no bounds", f.Column, f.Type))}
		}
		filter.Values = append(filter.Values, v)
	}
	in.filters = append(in.filters, filter.AnyCase())
	return nil
}

// splitList splits values at commas. A value that holds one is quoted, as in
// CSV: "Smith, Inc".
func splitList(text string) ([]string, error) {
	values, err := egrid.SplitList(text)
	if err != nil {
		return nil, fmt.Errorf("quotes do not match; a value with commas is quoted, as in CSV")
	}
	if slices.Contains(values, "") {
		return nil, fmt.Errorf("has an empty value between commas")
	}
	return values, nil
}

// text returns the only value of a parameter; empty when it was not given.
func (in *request) text(name string) string {
	if v := in.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number returns the value of an integer parameter; 0 when it was not given.
func (in *request) number(name string) int {
	n, _ := strconv.Atoi(in.text(name)) // checked by take
	return n
}

func (in *request) columns() []egrid.Column { return in.columnList("columns") }

func (in *request) columnList(name string) []egrid.Column {
	var columns []egrid.Column
	for _, c := range in.values[name] {
		columns = append(columns, egrid.Column(c))
	}
	return columns
}

// Parameters that several operations share.

func yearParam() parameter {
	return parameter{name: "year", expected: "a data year, as 2023", doc: "Data year; the newest when left out.", schema: huma.Schema{Type: huma.TypeInteger, Minimum: new(float64(egrid.FirstYear)), Examples: []any{2023}}}
}

func releaseParam() parameter {
	return parameter{name: "release", doc: "Release of the edition: none, v1, v2, ... or rev0, rev1, ...; the newest when left out.",
		schema: huma.Schema{Pattern: `^([Nn][Oo][Nn][Ee]|[Vv]\d{1,3}|[Rr][Ee][Vv]\d{1,3})$`, PatternDescription: "none, v1, v2, ... or rev0, rev1, ...", Examples: []any{"none", "rev2"}}}
}

func codeParam(name string, doc string, pattern, meaning string) parameter {
	return parameter{name: name, doc: doc, list: true, upper: true, filter: egrid.Column(name),
		schema: huma.Schema{Pattern: pattern, PatternDescription: meaning}}
}

// placeParams choose plants and rows by where and what they are.
func placeParams() []parameter {
	category := codeParam("fuel_category", "EPA's category of the primary fuel.", "", "")
	of := func(level egrid.Level, p parameter) parameter {
		p.region = level
		return p
	}
	for _, c := range egrid.FuelCategories() {
		category.schema.Enum = append(category.schema.Enum, c)
	}
	return []parameter{
		of(egrid.ST, codeParam("state", "Postal abbreviation of the state, as TX.", `^[A-Z]{2}$`, "two letters, as TX")),
		of(egrid.SRL, codeParam("subregion", "eGRID subregion, as CAMX.", `^[A-Z0-9]{2,8}$`, "an acronym, as CAMX")),
		codeParam("balancing_authority", "Code of the balancing authority, as CISO.", `^[A-Z0-9-]([A-Z0-9 -]{0,10}[A-Z0-9-])?$`, "a code, as CISO"),
		of(egrid.NRL, codeParam("nerc_region", "NERC region, as WECC.", `^[A-Z0-9-]([A-Z0-9 -]{0,10}[A-Z0-9-])?$`, "an acronym, as WECC")),
		codeParam("fuel", "EIA energy source code, as NG. Plants that are summed from generators are sums of those with the fuel.", `^[A-Z0-9]{1,4}$`, "an EIA energy source code, as NG"),
		category,
	}
}

func searchParam() parameter {
	return parameter{name: "q", doc: "Words that must all occur, each in the name, the operator, the county, the ORIS code or the name of the state, in any letter case.", schema: huma.Schema{MaxLength: new(200)}}
}

func limitParam(fallback string) parameter {
	return parameter{name: "limit", doc: "Rows at most. JSON: 1 to 1,000, " + fallback + " when left out. Exports: all when left out.",
		schema: huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(1 << 31))}}
}

func cursorParam() parameter {
	return parameter{name: "cursor", doc: "Where to go on; take it from links.next. It goes on in the data that it is from, whatever is published meanwhile, until those are pruned: then the answer is 410, and the list begins again without a cursor.", schema: huma.Schema{MaxLength: new(8192), Pattern: `^[A-Za-z0-9._-]+$`, PatternDescription: "what links.next has"}}
}

func columnsParam() parameter {
	return parameter{name: "columns", doc: "Columns of the answer, in this order.", list: true}
}
