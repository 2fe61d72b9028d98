package egrid

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Plan is a query resolved against a catalogue: what a store has to do,
// checked, with every default filled in. Stores execute plans, so that all of
// them agree on what a query means.
type Plan struct {
	Snapshots []Snapshot // to read, by data year; rows of earlier ones come first among equals
	Input     *Schema    // columns that the snapshots have between them, context columns first
	Filters   []Filter   // on Input, with values of the column's type
	Words     []string   // search words in ASCII lower case; each must occur in one of Search
	Search    []Column   // columns of Input that Words are looked for in
	By        []Column   // group plans only
	Measures  []Measure  // group plans only
	Having    []Filter   // group plans only; on Output
	Output    *Schema    // columns of the answer
	Sort      []Sort     // row plans: on Input, ties by data year and row number; group plans: on Output, already complete
	Limit     int        // at least 1
	After     *Position  // row plans: start behind this position
	Offset    int64      // group plans: groups to leave out
	Count     bool       // the total is wanted

	stamp cursorStamp
}

// Position is a place between two rows of a sorted answer.
type Position struct {
	Keys   []Value `json:"k,omitempty"` // values of the sort keys
	Year   int     `json:"y"`
	Number int64   `json:"n"`
}

// cursorStamp ties a cursor to its query and to the snapshots it reads.
type cursorStamp struct {
	Query     string `json:"q"`
	Snapshots string `json:"s"`
}

type cursor struct {
	cursorStamp
	Position *Position `json:"p,omitempty"`
	Offset   int64     `json:"o,omitempty"`
}

// PlanRows resolves a row query. Errors as [Querier].Rows.
func (c Catalog) PlanRows(q RowQuery) (*Plan, error) {
	p, err := c.plan(q.Level, q.Year, q.Release, q.Filters, q.Search, q.Limit)
	if err != nil {
		return nil, err
	}
	p.Count = q.Count
	p.Output = p.Input
	if len(q.Columns) > 0 {
		fields := make([]Field, 0, len(q.Columns))
		for _, name := range q.Columns {
			f, err := p.field(q.Level, name)
			if err != nil {
				return nil, err
			}
			fields = append(fields, f)
		}
		if p.Output, err = NewSchema(fields...); err != nil {
			return nil, err
		}
	}
	if p.Sort, err = p.sortKeys(q.Level, q.Sort); err != nil {
		return nil, err
	}
	cursorText := q.Cursor
	q.Cursor, q.Limit, q.Columns, q.Count = "", 0, nil, false
	at, err := p.resume(q, cursorText)
	if err != nil {
		return nil, err
	}
	p.After = at.Position
	if p.After != nil && len(p.After.Keys) != len(p.Sort) {
		return nil, errCursor
	}
	return p, nil
}

// PlanGroups resolves a group query. Errors as [Querier].Groups.
func (c Catalog) PlanGroups(q GroupQuery) (*Plan, error) {
	p, err := c.plan(q.Level, q.Year, q.Release, q.Filters, q.Search, q.Limit)
	if err != nil {
		return nil, err
	}
	p.Count = q.Count
	var fields []Field
	for _, name := range q.By {
		f, err := p.field(q.Level, name)
		if err != nil {
			return nil, err
		}
		p.By = append(p.By, f.Column)
		fields = append(fields, f)
	}
	if len(q.Measures) == 0 {
		return nil, fmt.Errorf("%w: a group query needs a measure", ErrInvalid)
	}
	for _, m := range q.Measures {
		f, err := p.measure(q.Level, &m)
		if err != nil {
			return nil, err
		}
		p.Measures = append(p.Measures, m)
		fields = append(fields, f)
	}
	if p.Output, err = NewSchema(fields...); err != nil {
		return nil, err
	}
	if p.Having, err = typedFilters(p.Output, q.Level, q.Having); err != nil {
		return nil, err
	}
	for _, f := range p.Having {
		if _, err := p.answered(q.Level, f.Column); err != nil {
			return nil, err
		}
	}
	for _, key := range q.Sort {
		f, err := p.answered(q.Level, key.Column)
		if err != nil {
			return nil, err
		}
		p.Sort = append(p.Sort, Sort{Column: f.Column, Desc: key.Desc})
	}
	for _, name := range p.By {
		if !slices.ContainsFunc(p.Sort, func(s Sort) bool { return s.Column == name }) {
			p.Sort = append(p.Sort, Sort{Column: name})
		}
	}
	cursorText := q.Cursor
	q.Cursor, q.Limit, q.Count = "", 0, false
	at, err := p.resume(q, cursorText)
	if err != nil {
		return nil, err
	}
	if at.Offset < 0 {
		return nil, errCursor
	}
	p.Offset = at.Offset
	return p, nil
}

// NextRows makes the cursor behind a row of the answer. number is the row's
// number, keys the values of the sort keys, year its data year.
func (p *Plan) NextRows(at Position) string { return p.encode(cursor{Position: &at}) }

// NextGroups makes the cursor behind the n-th group of the page.
func (p *Plan) NextGroups(n int) string { return p.encode(cursor{Offset: p.Offset + int64(n)}) }

func (p *Plan) encode(c cursor) string {
	c.cursorStamp = p.stamp
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts, integers and finite numbers only
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c Catalog) plan(level Level, year int, release string, filters []Filter, search string, limit int) (*Plan, error) {
	if _, err := ParseLevel(string(level)); err != nil {
		return nil, err
	}
	p := &Plan{Limit: limit}
	switch {
	case limit == 0:
		p.Limit = DefaultLimit
	case limit < 0:
		return nil, fmt.Errorf("%w: limit %d is negative", ErrInvalid, limit)
	}
	var err error
	if p.Snapshots, err = c.selectSnapshots(level, year, release); err != nil {
		return nil, err
	}
	p.Input = inputSchema(level, p.Snapshots)
	if p.Filters, err = typedFilters(p.Input, level, filters); err != nil {
		return nil, err
	}
	if p.Words = strings.Fields(lowerASCII(search)); len(p.Words) > 0 {
		for _, name := range SearchColumns(level) {
			if p.Input.Has(name) {
				p.Search = append(p.Search, name)
			}
		}
	}
	return p, nil
}

// selectSnapshots finds what a query reads. A level without any published
// data is an empty answer, not an error.
func (c Catalog) selectSnapshots(level Level, year int, release string) ([]Snapshot, error) {
	wanted, err := ParseRelease(release)
	if err != nil {
		return nil, err
	}
	newest := map[int]Snapshot{}
	last, anyPublished := 0, false
	for _, s := range c.Snapshots {
		if s.Status != Published || s.Level != level {
			continue
		}
		anyPublished = true
		if release != "" && s.Release != wanted {
			continue
		}
		if best, ok := newest[s.Year]; !ok || CompareReleases(s.Release, best.Release) > 0 {
			newest[s.Year] = s
		}
		last = max(last, s.Year)
	}
	if !anyPublished && release == "" && year <= 0 {
		return nil, nil
	}
	switch {
	case year == AllYears:
	case year == 0:
		newest = map[int]Snapshot{last: newest[last]}
		if last == 0 {
			newest = nil
		}
	default:
		if err := CheckYear(year); err != nil {
			return nil, err
		}
		s, ok := newest[year]
		if newest = nil; ok {
			newest = map[int]Snapshot{year: s}
		}
	}
	if len(newest) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, c.describeAbsence(level, year, release))
	}
	snapshots := make([]Snapshot, 0, len(newest))
	for _, s := range newest {
		snapshots = append(snapshots, s)
	}
	slices.SortFunc(snapshots, func(a, b Snapshot) int { return a.Year - b.Year })
	return snapshots, nil
}

func (c Catalog) describeAbsence(level Level, year int, release string) string {
	what := fmt.Sprintf("no %s rows", level)
	if year > 0 {
		what += fmt.Sprintf(" of data year %d", year)
	}
	if release != "" {
		what += fmt.Sprintf(" in release %s", release)
	}
	years := c.Years(level)
	if len(years) == 0 {
		return what + " are published; nothing of this level is"
	}
	return what + fmt.Sprintf(" are published; data years with %s rows: %s", level, strings.Trim(fmt.Sprint(years), "[]"))
}

// contextFields are the columns that come from the snapshot.
func contextFields(level Level) []Field {
	return []Field{
		{Level: level, Column: LevelColumn, Type: Text, Code: "LEVEL", Description: "Level of the row: one of EPA's sheets."},
		{Level: level, Column: Year, Type: Integer, Code: "YEAR", Description: "Year that the data are for."},
		{Level: level, Column: ReleaseColumn, Type: Text, Code: "RELEASE", Description: "Release of the edition; missing for the unmarked one."},
	}
}

// IsContext reports whether a column comes from the snapshot and not from a
// cell: the level, the data year and the release.
func IsContext(c Column) bool { return c == LevelColumn || c == Year || c == ReleaseColumn }

// Context returns the value of a context column for rows of the snapshot.
func (s Snapshot) Context(c Column) Value {
	switch c {
	case LevelColumn:
		return TextOf(string(s.Level))
	case Year:
		return IntegerOf(int64(s.Year))
	case ReleaseColumn:
		return TextOf(s.Release)
	}
	return Value{}
}

// inputSchema joins the columns of the snapshots: context, dictionary order,
// then unknown columns as they were met.
func inputSchema(level Level, snapshots []Snapshot) *Schema {
	if len(snapshots) != 1 {
		return joinSchemas(level, snapshots)
	}
	s := snapshots[0].Schema
	if made := s.input.Load(); made != nil && made.level == level {
		return made.schema
	}
	made := &inputOf{level, joinSchemas(level, snapshots)}
	s.input.Store(made)
	return made.schema
}

// inputOf is the input of plans that read sheets of one schema alone. It is
// made once: most queries are such, and kept answers share it.
type inputOf struct {
	level  Level
	schema *Schema
}

func joinSchemas(level Level, snapshots []Snapshot) *Schema {
	present := map[Column]Field{}
	var unknown []Field
	known := map[Column]bool{}
	for _, f := range Fields(level) {
		known[f.Column] = true
	}
	for _, s := range snapshots {
		for _, f := range s.Schema.fields {
			if _, met := present[f.Column]; met || IsContext(f.Column) {
				continue
			}
			present[f.Column] = f
			if !known[f.Column] {
				unknown = append(unknown, f)
			}
		}
	}
	fields := contextFields(level)
	for _, f := range Fields(level) {
		if _, ok := present[f.Column]; ok {
			fields = append(fields, f)
		}
	}
	s, err := NewSchema(append(fields, unknown...)...)
	if err != nil {
		panic(err) // names were made distinct above
	}
	return s
}

// field finds a column that a query names. A column of the dictionary that no
// snapshot has is there, but missing in every row.
func (p *Plan) field(level Level, name Column) (Field, error) {
	return outputField(p.Input, level, name)
}

func outputField(s *Schema, level Level, name Column) (Field, error) {
	if i := s.Index(name); i >= 0 {
		return s.fields[i], nil
	}
	if f, ok := Lookup(level, string(name)); ok {
		if i := s.Index(f.Column); i >= 0 {
			return s.fields[i], nil
		}
		return f, nil
	}
	return Field{}, fmt.Errorf("%w: %s has no column %q; the dictionary lists them", ErrInvalid, level, name)
}

// answered finds a column of the answer of a group query.
func (p *Plan) answered(level Level, name Column) (Field, error) {
	f, err := outputField(p.Output, level, name)
	if err == nil && !p.Output.Has(f.Column) {
		err = fmt.Errorf("%w: %q is no column of the answer, which has %v", ErrInvalid, name, p.Output.Columns())
	}
	return f, err
}

func (p *Plan) sortKeys(level Level, keys []Sort) ([]Sort, error) {
	var sorted []Sort
	for _, key := range keys {
		f, err := p.field(level, key.Column)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(sorted, func(s Sort) bool { return s.Column == f.Column }) {
			continue
		}
		sorted = append(sorted, Sort{Column: f.Column, Desc: key.Desc})
	}
	return sorted, nil
}

func (p *Plan) measure(level Level, m *Measure) (Field, error) {
	if m.Func == Count {
		if m.Column != "" {
			return Field{}, fmt.Errorf("%w: count takes no column", ErrInvalid)
		}
		return Field{Level: level, Column: m.Name(), Type: Integer, Description: "Number of rows."}, nil
	}
	f, err := p.field(level, m.Column)
	if err != nil {
		return Field{}, err
	}
	name := m.Name()
	if m.As == "" {
		name = f.Column
	}
	m.Column, m.As = f.Column, name
	f.Column = name
	switch m.Func {
	case Sum:
		if f.Type != Number && f.Type != Integer {
			return Field{}, fmt.Errorf("%w: %s is %s and cannot be summed", ErrInvalid, m.Column, f.Type)
		}
		f.Type = Number
	case Min, Max:
	default:
		return Field{}, fmt.Errorf("%w: aggregate %q is not count, sum, min or max", ErrInvalid, m.Func)
	}
	return f, nil
}

func typedFilters(s *Schema, level Level, filters []Filter) ([]Filter, error) {
	var typed []Filter
	for _, f := range filters {
		field, err := outputField(s, level, f.Column)
		if err != nil {
			return nil, err
		}
		t := Filter{Column: field.Column, Op: f.Op}
		switch f.Op {
		case Missing, Present:
			if len(f.Values) > 0 {
				return nil, fmt.Errorf("%w: filter %s %s takes no value", ErrInvalid, f.Column, f.Op)
			}
		case Lt, Le, Gt, Ge:
			if len(f.Values) != 1 {
				return nil, fmt.Errorf("%w: filter %s %s takes one value", ErrInvalid, f.Column, f.Op)
			}
		case Eq, Ne:
			if len(f.Values) == 0 {
				return nil, fmt.Errorf("%w: filter %s %s takes a value", ErrInvalid, f.Column, f.Op)
			}
		default:
			return nil, fmt.Errorf("%w: filter operator %q is not one of = != < <= > >= missing present", ErrInvalid, f.Op)
		}
		for _, v := range f.Values {
			w, err := coerce(v, field)
			if err != nil {
				return nil, err
			}
			t.Values = append(t.Values, w)
		}
		typed = append(typed, t)
	}
	return typed, nil
}

// coerce turns a filter's value into the column's type.
func coerce(v Value, f Field) (Value, error) {
	fail := func() (Value, error) {
		return Value{}, fmt.Errorf("%w: %q is not a value of %s, which is of type %s", ErrInvalid, v.String(), f.Column, f.Type)
	}
	if v.IsMissing() {
		return Value{}, fmt.Errorf("%w: a filter on %s has an empty value; use the operator missing", ErrInvalid, f.Column)
	}
	if f.Type == Text {
		return TextOf(v.String()), nil
	}
	if v.Type() == f.Type {
		return v, nil
	}
	if x, ok := v.Float(); ok && (f.Type == Number || f.Type == Integer) {
		return NumberOf(x), nil
	}
	w, _, err := ParseValue(f.Type, v.String())
	if err != nil && f.Type == Integer {
		w, _, err = ParseValue(Number, v.String()) // a bound such as 0.5 on an integer column is a fair question
	}
	if err != nil || w.IsMissing() {
		return fail()
	}
	return w, nil
}

var errCursor = fmt.Errorf("%w: the cursor is not one of this query; leave it out to start from the first page", ErrInvalid)

// resume stamps the plan and reads a cursor against the stamp.
func (p *Plan) resume(query any, text string) (cursor, error) {
	q, err := json.Marshal(query)
	if err != nil {
		return cursor{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	ids := sha256.New()
	for _, s := range p.Snapshots {
		fmt.Fprintln(ids, s.ID)
	}
	short := func(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:9]) }
	sum := sha256.Sum256(q)
	p.stamp = cursorStamp{Query: short(sum[:]), Snapshots: short(ids.Sum(nil))}
	if text == "" {
		return cursor{}, nil
	}
	var at cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return cursor{}, errCursor
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&at); err != nil || at.Query != p.stamp.Query {
		return cursor{}, errCursor
	}
	if at.Snapshots != p.stamp.Snapshots {
		return cursor{}, fmt.Errorf("%w: the data behind the cursor have been replaced since; start again from the first page", ErrStale)
	}
	return at, nil
}

// lowerASCII folds the letters A-Z alone: the one folding that every store
// does alike.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// Matches reports whether a row, given by its values of Input's columns,
// satisfies the plan's filters and search words.
func (p *Plan) Matches(value func(Column) Value) bool {
	for _, f := range p.Filters {
		if !f.Match(value(f.Column)) {
			return false
		}
	}
	for _, word := range p.Words {
		if !slices.ContainsFunc(p.Search, func(c Column) bool {
			return strings.Contains(lowerASCII(value(c).String()), word)
		}) {
			return false
		}
	}
	return true
}
