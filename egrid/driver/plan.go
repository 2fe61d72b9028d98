package driver

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Plan is a query resolved against a catalogue: what a [Scanner] has to do,
// checked, with every default filled in. Scanners execute plans, so that all of
// them agree on what a query means. A plan names snapshots, which never change.
type Plan struct {
	Level     egrid.Level
	Snapshots []egrid.Snapshot // to read, by data year; rows of earlier ones come first among equals
	Input     *egrid.Schema    // columns that the snapshots have between them, context columns first
	Filters   []egrid.Filter   // on Input, with values of the column's type
	Words     []string         // search words in ASCII lower case; each must occur in one of Search, see [Plan.Terms]
	Search    []egrid.Column   // columns of Input that Words are looked for in
	By        []egrid.Column   // group plans only
	Measures  []egrid.Measure  // group plans only
	Having    []egrid.Filter   // group plans only; on Output
	Output    *egrid.Schema    // columns of the answer; of row plans, those behind the first Visible make the cursor
	Visible   int              // columns of Output that were asked for
	Sort      []egrid.Sort     // row plans: on Input, ties by data year and row number; group plans: on Output, already complete
	Limit     int              // rows of the answer at most; 0 is all
	After     *Position        // row plans: start behind this position
	Offset    int64            // group plans: groups to leave out
	Count     bool             // the answer is one integer instead: how many rows or groups there are; Sort, Limit, After and Offset are zero

	query string // identifies the query in cursors
}

// SheetPlan is the plan of the rows of one snapshot or stage, for a store to read what
// is not published, too. It has some of the columns, in the order of the sheet, or all
// where they are nil. It begins behind the row with one
// number and, where last is not 0, has no more rows than there may be up to that,
// see [UpTo].
func SheetPlan(s egrid.Snapshot, columns []egrid.Column, after, last int64) *Plan {
	p := &Plan{Level: s.Level, Snapshots: []egrid.Snapshot{s}, Input: s.Schema, Output: s.Schema, Visible: s.Schema.Len()}
	if columns != nil {
		p.Output = narrow(s.Schema, columns)
		p.Visible = p.Output.Len()
	}
	if after > 0 {
		p.After = &Position{Year: s.Year, Number: after}
	}
	if last > 0 {
		p.Limit = int(last - after)
	}
	return p
}

// UpTo ends a sequence of rows, which are in the order of their numbers, behind
// the one with a number; 0 is none.
func UpTo(last int64, rows iter.Seq2[*egrid.Batch, error]) iter.Seq2[*egrid.Batch, error] {
	if last == 0 {
		return rows
	}
	return func(yield func(*egrid.Batch, error) bool) {
		for b, err := range rows {
			if err != nil {
				yield(b, err)
				return
			}
			n := sort.Search(b.Len(), func(i int) bool { return b.Number(i) > last })
			if n > 0 && !yield(b.Slice(0, n), nil) || n < b.Len() {
				return
			}
		}
	}
}

// CountSchema is the Output of a plan whose Count is set.
var CountSchema = sync.OnceValue(func() *egrid.Schema {
	s, err := egrid.NewSchema(egrid.Field{Column: "rows", Type: egrid.Integer, Description: "Number of rows."})
	if err != nil {
		panic(err) // one column
	}
	return s
})

// Counting returns the plan that counts the rows or groups of the answer. It is
// the same for all pages and orders of an answer.
func (p *Plan) Counting() *Plan {
	c := *p
	c.Sort = nil
	c.Count, c.Limit, c.After, c.Offset, c.Output, c.Visible = true, 0, nil, 0, CountSchema(), 1
	return &c
}

// Position is a place between two rows of a sorted answer.
type Position struct {
	Keys   []egrid.Value `json:"k,omitempty"` // values of the sort keys
	Year   int           `json:"y"`
	Number int64         `json:"n"`
}

// cursor is a place in an answer. It names the snapshots, so that the pages
// behind it are of the same state of the data as those before it.
type cursor struct {
	Query     string             `json:"q"`
	Snapshots []egrid.SnapshotID `json:"s"`
	Position  *Position          `json:"p,omitempty"`
	Offset    int64              `json:"o,omitempty"`
}

// PlanRows resolves a row query. Errors: ErrInvalid for a query that cannot be
// (an unknown column, a value of the wrong type), ErrNotFound for a year or
// release that is not published, ErrStale for a cursor whose snapshots were
// pruned.
func PlanRows(c egrid.Catalog, q egrid.RowQuery) (*Plan, error) {
	query, at, err := resume(rowQueryOf(q), q.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(c, at, q.Level, q.Year, q.Release, q.Filters, q.Search, q.Limit)
	if err != nil {
		return nil, err
	}
	p.query = query
	p.Output = p.Input
	if len(q.Columns) > 0 {
		fields := make([]egrid.Field, 0, len(q.Columns))
		for _, name := range q.Columns {
			f, err := p.field(q.Level, name)
			if err != nil {
				return nil, err
			}
			fields = append(fields, f)
		}
		if p.Output, err = egrid.NewSchema(fields...); err != nil {
			return nil, err
		}
	}
	if p.Sort, err = p.sortKeys(q.Level, q.Sort); err != nil {
		return nil, err
	}
	p.Visible = p.Output.Len()
	if p.Output, err = withCursorColumns(p); err != nil {
		return nil, err
	}
	if p.After = at.Position; p.After != nil && len(p.After.Keys) != len(p.Sort) {
		return nil, ErrCursor
	}
	return p, nil
}

func rowQueryOf(q egrid.RowQuery) any {
	q.Cursor, q.Limit, q.Columns, q.Count = "", 0, nil, false
	return q
}

// withCursorColumns adds to the answer's columns what a cursor is made of: the
// sort keys, and the data year where there are several.
func withCursorColumns(p *Plan) (*egrid.Schema, error) {
	var more []egrid.Field
	add := func(c egrid.Column) error {
		if p.Output.Has(c) || slices.ContainsFunc(more, func(f egrid.Field) bool { return f.Column == c }) {
			return nil
		}
		f, err := p.field(p.Level, c)
		more = append(more, f)
		return err
	}
	for _, key := range p.Sort {
		if err := add(key.Column); err != nil {
			return nil, err
		}
	}
	if len(p.Snapshots) > 1 {
		if err := add(egrid.Year); err != nil {
			return nil, err
		}
	}
	if len(more) == 0 {
		return p.Output, nil
	}
	return egrid.NewSchema(append(p.Output.Fields(), more...)...)
}

// PlanGroups resolves a group query. Errors as [PlanRows].
func PlanGroups(c egrid.Catalog, q egrid.GroupQuery) (*Plan, error) {
	query, at, err := resume(groupQueryOf(q), q.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(c, at, q.Level, q.Year, q.Release, q.Filters, q.Search, q.Limit)
	if err != nil {
		return nil, err
	}
	p.query = query
	var fields []egrid.Field
	for _, name := range q.By {
		f, err := p.field(q.Level, name)
		if err != nil {
			return nil, err
		}
		p.By = append(p.By, f.Column)
		fields = append(fields, f)
	}
	if len(q.Measures) == 0 {
		return nil, fmt.Errorf("%w: a group query needs a measure", egrid.ErrInvalid)
	}
	for _, m := range q.Measures {
		f, err := p.measure(q.Level, &m)
		if err != nil {
			return nil, err
		}
		p.Measures = append(p.Measures, m)
		fields = append(fields, f)
	}
	if p.Output, err = egrid.NewSchema(fields...); err != nil {
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
		p.Sort = append(p.Sort, egrid.Sort{Column: f.Column, Desc: key.Desc})
	}
	for _, name := range p.By {
		if !slices.ContainsFunc(p.Sort, func(s egrid.Sort) bool { return s.Column == name }) {
			p.Sort = append(p.Sort, egrid.Sort{Column: name})
		}
	}
	p.Visible = p.Output.Len()
	if p.Offset = at.Offset; p.Offset < 0 {
		return nil, ErrCursor
	}
	return p, nil
}

func groupQueryOf(q egrid.GroupQuery) any {
	q.Cursor, q.Limit, q.Count = "", 0, false
	return q
}

// NextRows makes the cursor behind a row of the answer.
func (p *Plan) NextRows(b *egrid.Batch, row int) string {
	at := Position{Year: b.Year(), Number: b.Number(row)}
	if year, ok := b.Row(row).Int(egrid.Year); ok {
		at.Year = int(year)
	}
	for _, key := range p.Sort {
		at.Keys = append(at.Keys, b.Row(row).Value(key.Column))
	}
	return p.encode(cursor{Position: &at})
}

// NextGroups makes the cursor behind the n-th group of the page.
func (p *Plan) NextGroups(n int) string { return p.encode(cursor{Offset: p.Offset + int64(n)}) }

func (p *Plan) encode(c cursor) string {
	c.Query = p.query
	for _, s := range p.Snapshots {
		c.Snapshots = append(c.Snapshots, s.ID)
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts, integers and finite numbers only
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Pin returns the catalogue in which the named snapshots are published, and no
// others: what is planned against it reads those. Errors: ErrNotFound for an id
// that the store does not know, ErrStale for one that was pruned.
func Pin(c egrid.Catalog, ids ...egrid.SnapshotID) (egrid.Catalog, error) { return pin(c, false, ids) }

// pin makes a catalogue of the named snapshots alone; of held loads, too, where they
// are wanted.
func pin(c egrid.Catalog, held bool, ids []egrid.SnapshotID) (egrid.Catalog, error) {
	pinned := egrid.Catalog{Revision: c.Revision}
	for _, id := range ids {
		s, ok := c.Find(string(id))
		switch {
		case ok && (held || s.Status != egrid.Held):
			s.Status = egrid.Published
			pinned.Snapshots = append(pinned.Snapshots, s)
		case slices.Contains(c.Pruned, id):
			return pinned, fmt.Errorf("%w: snapshot %s was published once and is kept no more", egrid.ErrStale, id)
		default:
			return pinned, fmt.Errorf("%w: no snapshot %s was published here, or not yet", egrid.ErrNotFound, id)
		}
	}
	Seal(&pinned)
	return pinned, nil
}

func newPlan(c egrid.Catalog, at cursor, level egrid.Level, year int, release string, filters []egrid.Filter, search string, limit int) (*Plan, error) {
	if _, err := egrid.ParseLevel(string(level)); err != nil {
		return nil, err
	}
	p := &Plan{Level: level, Limit: limit}
	switch {
	case limit == 0:
		p.Limit = egrid.DefaultLimit
	case limit < 0:
		return nil, fmt.Errorf("%w: limit %d is negative", egrid.ErrInvalid, limit)
	}
	var err error
	if at.Snapshots != nil {
		if c, err = Pin(c, at.Snapshots...); err != nil {
			return nil, fmt.Errorf("%w; the cursor reads it: start again from the first page", err)
		}
	}
	if p.Snapshots, err = SelectSnapshots(c, level, year, release); err != nil {
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

// SelectSnapshots finds what a query reads: one snapshot for each data year. A level without any published
// data is an empty answer, not an error.
func SelectSnapshots(c egrid.Catalog, level egrid.Level, year int, release string) ([]egrid.Snapshot, error) {
	wanted, err := egrid.ParseRelease(release)
	if err != nil {
		return nil, err
	}
	newest := map[int]*egrid.Snapshot{}
	last, anyPublished := 0, false
	for i := range c.Snapshots {
		s := &c.Snapshots[i]
		if s.Status != egrid.Published || s.Level != level {
			continue
		}
		anyPublished = true
		if release != "" && s.Release != wanted {
			continue
		}
		if best, ok := newest[s.Year]; !ok || egrid.CompareReleases(s.Release, best.Release) > 0 {
			newest[s.Year] = s
		}
		last = max(last, s.Year)
	}
	if !anyPublished && release == "" && year <= 0 {
		return nil, nil
	}
	switch {
	case year == egrid.AllYears:
	case year == 0:
		newest = map[int]*egrid.Snapshot{last: newest[last]}
		if last == 0 {
			newest = nil
		}
	default:
		if err := egrid.CheckYear(year); err != nil {
			return nil, err
		}
		s, ok := newest[year]
		if newest = nil; ok {
			newest = map[int]*egrid.Snapshot{year: s}
		}
	}
	if len(newest) == 0 {
		return nil, fmt.Errorf("%w: %s", egrid.ErrNotFound, describeAbsence(c, level, year, release))
	}
	snapshots := make([]egrid.Snapshot, 0, len(newest))
	for _, year := range slices.Sorted(maps.Keys(newest)) {
		snapshots = append(snapshots, *newest[year])
	}
	return snapshots, nil
}

func describeAbsence(c egrid.Catalog, level egrid.Level, year int, release string) string {
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
	if release != "" && (year == 0 || slices.Contains(years, year)) {
		var releases []string
		for _, s := range c.Snapshots {
			if s.Status == egrid.Published && s.Level == level && (year == 0 || s.Year == year) {
				releases = append(releases, fmt.Sprint(s.Year, " ", cmp.Or(s.Release, egrid.NoRelease)))
			}
		}
		return what + " are published; releases with such rows: " + strings.Join(releases, ", ")
	}
	return what + fmt.Sprintf(" are published; data years with %s rows: %s", level, strings.Trim(fmt.Sprint(years), "[]"))
}

// inputSchema joins the columns of the snapshots: context, dictionary order,
// then unknown columns as they were met. Most queries read sheets of one schema
// alone: its input is made once, and kept answers share it.
func inputSchema(level egrid.Level, snapshots []egrid.Snapshot) *egrid.Schema {
	if len(snapshots) != 1 {
		return joinSchemas(level, snapshots)
	}
	return snapshots[0].Schema.Derived(string(level), func() *egrid.Schema { return joinSchemas(level, snapshots) })
}

func joinSchemas(level egrid.Level, snapshots []egrid.Snapshot) *egrid.Schema {
	present := map[egrid.Column]egrid.Field{}
	var unknown []egrid.Field
	known := map[egrid.Column]bool{}
	for _, f := range egrid.Fields(level) {
		known[f.Column] = true
	}
	for _, s := range snapshots {
		for _, f := range s.Schema.Fields() {
			if _, met := present[f.Column]; met || egrid.IsContext(f.Column) {
				continue
			}
			present[f.Column] = f
			if !known[f.Column] {
				unknown = append(unknown, f)
			}
		}
	}
	fields := egrid.ContextFields(level)
	for _, f := range egrid.Fields(level) {
		if _, ok := present[f.Column]; ok {
			fields = append(fields, f)
		}
	}
	s, err := egrid.NewSchema(append(fields, unknown...)...)
	if err != nil {
		panic(err) // names were made distinct above
	}
	return s
}

// field finds a column that a query names. A column of the dictionary that no
// snapshot has is there, but missing in every row.
func (p *Plan) field(level egrid.Level, name egrid.Column) (egrid.Field, error) {
	return outputField(p.Input, level, name)
}

func outputField(s *egrid.Schema, level egrid.Level, name egrid.Column) (egrid.Field, error) {
	if i := s.Index(name); i >= 0 {
		return s.Field(i), nil
	}
	if f, ok := egrid.Lookup(level, string(name)); ok {
		if i := s.Index(f.Column); i >= 0 {
			return s.Field(i), nil
		}
		return f, nil
	}
	return egrid.Field{}, fmt.Errorf("%w: %s has no column %q%s", egrid.ErrInvalid, level, name, columnHint(s, level, string(name)))
}

// columnHint names the column that was probably meant: of the sheet, else of the
// dictionary, by our names or by EPA's codes.
func columnHint(s *egrid.Schema, level egrid.Level, name string) string {
	var names, codes []string
	for _, f := range append(s.Fields(), egrid.Fields(level)...) {
		names = append(names, string(f.Column))
		if f.Code != "" {
			codes = append(codes, f.Code)
		}
	}
	if meant := cmp.Or(egrid.Nearest(name, names), egrid.Nearest(name, codes)); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return "; the dictionary lists them"
}

// answered finds a column of the answer of a group query.
func (p *Plan) answered(level egrid.Level, name egrid.Column) (egrid.Field, error) {
	f, err := outputField(p.Output, level, name)
	if err == nil && !p.Output.Has(f.Column) {
		err = fmt.Errorf("%w: %q is no column of the answer, which has %v", egrid.ErrInvalid, name, p.Output.Columns())
	}
	return f, err
}

func (p *Plan) sortKeys(level egrid.Level, keys []egrid.Sort) ([]egrid.Sort, error) {
	var sorted []egrid.Sort
	for _, key := range keys {
		f, err := p.field(level, key.Column)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(sorted, func(s egrid.Sort) bool { return s.Column == f.Column }) {
			continue
		}
		sorted = append(sorted, egrid.Sort{Column: f.Column, Desc: key.Desc})
	}
	return sorted, nil
}

func (p *Plan) measure(level egrid.Level, m *egrid.Measure) (egrid.Field, error) {
	if m.Func == egrid.Count {
		if m.Column != "" {
			return egrid.Field{}, fmt.Errorf("%w: count takes no column", egrid.ErrInvalid)
		}
		m.As = egrid.Column(validText(string(m.As)))
		return egrid.Field{Level: level, Column: m.Name(), Type: egrid.Integer, Description: "Number of rows."}, nil
	}
	f, err := p.field(level, m.Column)
	if err != nil {
		return egrid.Field{}, err
	}
	name := m.Name()
	if m.As == "" {
		name = f.Column
	}
	name = egrid.Column(validText(string(name)))
	m.Column, m.As = f.Column, name
	f.Column = name
	switch m.Func {
	case egrid.Sum:
		if f.Type != egrid.Number && f.Type != egrid.Integer {
			return egrid.Field{}, fmt.Errorf("%w: %s is %s and cannot be summed", egrid.ErrInvalid, m.Column, f.Type)
		}
		f.Type = egrid.Number
	case egrid.Min, egrid.Max:
	default:
		return egrid.Field{}, fmt.Errorf("%w: aggregate %q is not count, sum, min or max", egrid.ErrInvalid, m.Func)
	}
	return f, nil
}

func typedFilters(s *egrid.Schema, level egrid.Level, filters []egrid.Filter) ([]egrid.Filter, error) {
	var typed []egrid.Filter
	for _, f := range filters {
		field, err := outputField(s, level, f.Column)
		if err != nil {
			return nil, err
		}
		t := egrid.Filter{Column: field.Column, Op: f.Op}
		switch f.Op {
		case egrid.Missing, egrid.Present:
			if len(f.Values) > 0 {
				return nil, fmt.Errorf("%w: filter %s %s takes no value", egrid.ErrInvalid, f.Column, f.Op)
			}
		case egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge:
			if len(f.Values) != 1 {
				return nil, fmt.Errorf("%w: filter %s %s takes one value", egrid.ErrInvalid, f.Column, f.Op)
			}
		case egrid.Eq, egrid.Ne:
			if len(f.Values) == 0 {
				return nil, fmt.Errorf("%w: filter %s %s takes a value", egrid.ErrInvalid, f.Column, f.Op)
			}
		default:
			return nil, fmt.Errorf("%w: filter operator %q is not one of = != < <= > >= missing present", egrid.ErrInvalid, f.Op)
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
func coerce(v egrid.Value, f egrid.Field) (egrid.Value, error) {
	fail := func() (egrid.Value, error) {
		return egrid.Value{}, fmt.Errorf("%w: %q is not a value of %s, which is of type %s", egrid.ErrInvalid, v.String(), f.Column, f.Type)
	}
	if v.IsMissing() {
		return egrid.Value{}, fmt.Errorf("%w: a filter on %s has an empty value; use the operator missing", egrid.ErrInvalid, f.Column)
	}
	if f.Type == egrid.Text {
		return egrid.TextOf(validText(v.String())), nil
	}
	if v.Type() == f.Type {
		return v, nil
	}
	if x, ok := v.Float(); ok && (f.Type == egrid.Number || f.Type == egrid.Integer) {
		return egrid.NumberOf(x), nil
	}
	w, _, err := egrid.ParseValue(f.Type, v.String())
	if err != nil && f.Type == egrid.Integer {
		w, _, err = egrid.ParseValue(egrid.Number, v.String()) // a bound such as 0.5 on an integer column is a fair question
	}
	if err != nil || w.IsMissing() {
		return fail()
	}
	return w, nil
}

// ErrCursor is the error of a cursor that does not belong to its query. It wraps
// [egrid.ErrInvalid].
var ErrCursor = fmt.Errorf("%w: the cursor is not one of this query; leave it out to start from the first page", egrid.ErrInvalid)

// resume identifies a query, and reads the text of a cursor of it.
func resume(query any, text string) (string, cursor, error) {
	q, err := json.Marshal(query)
	if err != nil {
		return "", cursor{}, fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
	}
	sum := sha256.Sum256(q)
	id := base64.RawURLEncoding.EncodeToString(sum[:9])
	if text == "" {
		return id, cursor{}, nil
	}
	var at cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", at, ErrCursor
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&at); err != nil || at.Query != id || len(at.Snapshots) == 0 {
		return "", at, ErrCursor
	}
	return id, at, nil
}

// validText is text as a key can hold it. No cell has any other.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

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
func (p *Plan) Matches(value func(egrid.Column) egrid.Value) bool {
	for _, f := range p.Filters {
		if !f.Match(value(f.Column)) {
			return false
		}
	}
	has := func(word string) bool {
		return slices.ContainsFunc(p.Search, func(c egrid.Column) bool {
			return strings.Contains(lowerASCII(value(c).String()), word)
		})
	}
	for _, t := range p.Terms() {
		if t.State != "" && value(egrid.State).String() == t.State {
			continue
		}
		if slices.ContainsFunc(t.Words, func(word string) bool { return !has(word) }) {
			return false
		}
	}
	return true
}
