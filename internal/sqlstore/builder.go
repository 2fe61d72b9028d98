package sqlstore

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Query is the SQL of a plan. Values are bound, never written; the only names in
// the text are those of a store's own tables and columns.
type Query struct {
	Text string
	Args []any

	plan   *driver.Plan
	schema *egrid.Schema // of the result: the plan's Output and what else a position is made of
	rows   bool          // the last column is the row number
}

// Build writes the SQL of a plan that names at least one snapshot. It returns
// [egrid.ErrInvalid] for a value that its column cannot have, which only a
// forged cursor holds.
func (d *Dialect) Build(p *driver.Plan, table func(*egrid.Snapshot) Table) (*Query, error) {
	b := &builder{dialect: d, plan: p, table: table}
	q := &Query{plan: p, schema: p.Output, rows: len(p.Measures) == 0 && !p.Count}
	switch {
	case p.Count && len(p.Measures) > 0:
		q.Text = b.countGroups()
	case p.Count:
		q.Text = b.countRows()
	case len(p.Measures) > 0:
		q.Text = b.selectGroups()
	default:
		schema, err := positioned(p)
		if err != nil {
			return nil, err
		}
		q.schema = schema
		q.Text = b.selectRows(schema)
	}
	q.Args = b.args
	return q, b.err
}

// positioned is the plan's Output and, behind it, what a position in the answer
// is made of and the Output lacks.
func positioned(p *driver.Plan) (*egrid.Schema, error) {
	var more []egrid.Field
	for _, key := range p.Sort {
		if !p.Output.Has(key.Column) {
			more = append(more, fieldOf(p, key.Column))
		}
	}
	if len(p.Snapshots) > 1 && !p.Output.Has(egrid.Year) && !slices.ContainsFunc(more, func(f egrid.Field) bool { return f.Column == egrid.Year }) {
		more = append(more, fieldOf(p, egrid.Year))
	}
	if more == nil {
		return p.Output, nil
	}
	return egrid.NewSchema(append(p.Output.Fields(), more...)...)
}

// fieldOf finds a column of the input, or of the dictionary when no snapshot has
// it.
func fieldOf(p *driver.Plan, c egrid.Column) egrid.Field {
	if i := p.Input.Index(c); i >= 0 {
		return p.Input.Field(i)
	}
	if c == egrid.Year {
		return egrid.Field{Level: p.Level, Column: c, Type: egrid.Integer}
	}
	if f, ok := egrid.Lookup(p.Level, string(c)); ok {
		return f
	}
	return egrid.Field{Level: p.Level, Column: c, Type: egrid.Number}
}

// builder writes the SQL of a plan.
type builder struct {
	dialect *Dialect
	plan    *driver.Plan
	table   func(*egrid.Snapshot) Table
	args    []any
	columns []egrid.Field // what a SELECT needs of the snapshots, named c0, c1, ...
	err     error
}

func (b *builder) bind(x any, t egrid.Type) string {
	b.args = append(b.args, x)
	return b.dialect.Mark(len(b.args), t)
}

func (b *builder) bindText(s string) string { return b.bind(s, egrid.Text) }

// value binds a value of a type.
func (b *builder) value(v egrid.Value, t egrid.Type) string {
	switch x, ok := v.Float(); {
	case t == egrid.Number && ok:
		return b.bind(x, t)
	case v.Type() != t, t == egrid.Text && !b.dialect.Storable(v.String()):
		b.err = fmt.Errorf("%w: %q is not a value of type %s", egrid.ErrInvalid, v.String(), t)
		return "NULL"
	}
	return b.bind(v.Any(), t)
}

// term names a column of the snapshots within a query around them.
func (b *builder) term(c egrid.Column) string {
	i := slices.IndexFunc(b.columns, func(f egrid.Field) bool { return f.Column == c })
	if i < 0 {
		i = len(b.columns)
		b.columns = append(b.columns, fieldOf(b.plan, c))
	}
	return fmt.Sprint("c", i)
}

// from is the rows of all snapshots under common names, those of the columns
// that were named so far.
func (b *builder) from() string {
	parts := make([]string, len(b.plan.Snapshots))
	for i := range parts {
		parts[i] = b.part(&b.plan.Snapshots[i])
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ") t"
}

// part is the rows of one snapshot.
func (b *builder) part(snap *egrid.Snapshot) string {
	table := b.table(snap)
	terms := []string{"row_number"}
	for i := range b.columns {
		terms = append(terms, fmt.Sprint(b.source(snap, table, &b.columns[i]), " AS c", i))
	}
	return fmt.Sprint("SELECT ", strings.Join(terms, ", "), " FROM ", table.From())
}

func (b *builder) source(snap *egrid.Snapshot, table Table, f *egrid.Field) string {
	switch v := snap.Context(f.Column); {
	case f.Column == egrid.Year:
		return fmt.Sprintf("CAST(%d AS bigint)", snap.Year)
	case !v.IsMissing():
		return "(" + b.bindText(v.String()) + b.dialect.Text + ")"
	}
	return table.Value(f.Column, f.Type, b.bindText)
}

func (b *builder) where() []string {
	var conditions []string
	for _, f := range b.plan.Filters {
		conditions = append(conditions, b.filter(f, b.term(f.Column), fieldOf(b.plan, f.Column).Type))
	}
	for _, term := range b.plan.Terms() {
		var words []string
		for _, word := range term.Words {
			alternatives := []string{"false"}
			for _, c := range b.plan.Search {
				alternatives = append(alternatives, b.dialect.Contains(b.term(c), fieldOf(b.plan, c).Type, word, b.searched))
			}
			words = append(words, "("+strings.Join(alternatives, " OR ")+")")
		}
		if term.State == "" {
			conditions = append(conditions, words...)
			continue
		}
		lies := b.filter(egrid.Where(egrid.State, egrid.Eq, term.State), b.term(egrid.State), egrid.Text)
		conditions = append(conditions, "("+lies+" OR "+strings.Join(words, " AND ")+")")
	}
	return conditions
}

// searched binds a text that a user looks for. What cannot be stored is refused.
func (b *builder) searched(s string) string { return b.value(egrid.TextOf(s), egrid.Text) }

func (b *builder) filter(f egrid.Filter, term string, t egrid.Type) string {
	switch f.Op {
	case egrid.Missing:
		return term + " IS NULL"
	case egrid.Present:
		return term + " IS NOT NULL"
	case egrid.Eq:
		alternatives := make([]string, len(f.Values))
		for i, v := range f.Values {
			alternatives[i] = b.compare(term, egrid.Eq, v, t)
		}
		return balanced(" OR ", alternatives)
	case egrid.Ne:
		conditions := []string{term + " IS NOT NULL"}
		for _, v := range f.Values {
			conditions = append(conditions, "NOT "+b.compare(term, egrid.Eq, v, t))
		}
		return balanced(" AND ", conditions)
	}
	return b.compare(term, f.Op, f.Values[0], t)
}

// balanced joins conditions to a tree of little depth: SQLite takes a thousand.
func balanced(op string, conditions []string) string {
	if len(conditions) < 3 {
		return "(" + strings.Join(conditions, op) + ")"
	}
	half := len(conditions) / 2
	return "(" + balanced(op, conditions[:half]) + op + balanced(op, conditions[half:]) + ")"
}

// compare is a comparison with one value, whose operator is one of = < <= > >=.
// Databases may compare an integer with a float as floats, which are the same
// for many integers; so the float becomes an integer.
func (b *builder) compare(term string, op egrid.Op, v egrid.Value, t egrid.Type) string {
	if t != egrid.Integer || v.Type() != egrid.Number {
		return fmt.Sprintf("(%s %s %s)", term, op, b.value(v, t))
	}
	x, _ := v.Float()
	whole := math.Floor(x)
	less := op == egrid.Lt || op == egrid.Le
	switch {
	case x >= 1<<63:
		return always(term, less)
	case x < -(1 << 63):
		return always(term, op == egrid.Gt || op == egrid.Ge)
	case whole == x:
	case op == egrid.Eq:
		return always(term, false)
	case less:
		op = egrid.Le
	default:
		op = egrid.Gt
	}
	return fmt.Sprintf("(%s %s %s)", term, op, b.value(egrid.IntegerOf(int64(whole)), t))
}

// always is true for every value that is present, or false.
func always(term string, yes bool) string {
	if yes {
		return "(" + term + " IS NOT NULL)"
	}
	return "(false)"
}

func and(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

func (b *builder) countRows() string {
	where := and(b.where())
	return "SELECT count(*) FROM " + b.from() + where
}

// selectRows takes the first rows of every snapshot, by its own indexes, and
// then the first of all.
func (b *builder) selectRows(schema *egrid.Schema) string {
	p := b.plan
	var outer strings.Builder
	for _, key := range p.Sort {
		outer.WriteString(orderBy(fmt.Sprint(schema.Index(key.Column)+1), key.Desc) + ", ")
	}
	var parts []string
	for i := range p.Snapshots {
		parts = append(parts, b.firstRows(&p.Snapshots[i], schema))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	for i, part := range parts {
		parts[i] = "SELECT * FROM (" + part + ") s"
	}
	return fmt.Sprint(strings.Join(parts, " UNION ALL "), " ORDER BY ", outer.String(), schema.Index(egrid.Year)+1, ", ", schema.Len()+1, b.limit())
}

// firstRows is the first rows of one snapshot behind the plan's position: the
// columns of the schema and the row number.
func (b *builder) firstRows(snap *egrid.Snapshot, schema *egrid.Schema) string {
	p := b.plan
	b.columns = nil
	var order strings.Builder
	for _, key := range p.Sort {
		order.WriteString(orderBy(b.term(key.Column), key.Desc) + ", ")
	}
	conditions := b.where()
	if p.After != nil {
		conditions = append(conditions, b.after(snap, p.Sort, p.After.Keys))
	}
	first := fmt.Sprint(and(conditions), " ORDER BY ", order.String(), "row_number", b.limit())
	if b.dialect.KeysFirst && len(p.Sort) > 0 && p.Limit > 0 {
		first = fmt.Sprint(" WHERE row_number IN (SELECT row_number FROM (", b.part(snap), ") k", first, ") ORDER BY ", order.String(), "row_number", b.limit())
	}
	terms := make([]string, schema.Len())
	for i := range terms {
		terms[i] = b.term(schema.Field(i).Column)
	}
	return fmt.Sprint("SELECT ", strings.Join(append(terms, "row_number"), ", "), " FROM (", b.part(snap), ") t", first)
}

// limit is always there: without one, a query around this one need not keep the
// order.
func (b *builder) limit() string {
	if b.plan.Limit == 0 {
		return " LIMIT " + b.dialect.NoLimit
	}
	return fmt.Sprint(" LIMIT ", b.plan.Limit)
}

// orderBy sorts missing values last.
func orderBy(term string, desc bool) string {
	if desc {
		return term + " DESC NULLS LAST"
	}
	return term + " ASC NULLS LAST"
}

// after is true for rows of a snapshot behind the plan's position.
func (b *builder) after(snap *egrid.Snapshot, keys []egrid.Sort, values []egrid.Value) string {
	if len(keys) == 0 {
		if at := b.plan.After; snap.Year != at.Year {
			return fmt.Sprint("(", snap.Year > at.Year, ")")
		}
		return fmt.Sprintf("(row_number > %d)", b.plan.After.Number)
	}
	term, v := b.term(keys[0].Column), values[0]
	if v.IsMissing() {
		return fmt.Sprintf("(%s IS NULL AND %s)", term, b.after(snap, keys[1:], values[1:]))
	}
	operator := ">"
	if keys[0].Desc {
		operator = "<"
	}
	bound := b.value(v, fieldOf(b.plan, keys[0].Column).Type)
	return fmt.Sprintf("(%s %s %s OR %s IS NULL OR %s = %s AND %s)", term, operator, bound, term, term, bound, b.after(snap, keys[1:], values[1:]))
}

// groups is the answer without having, sort and limit, its columns named g0,
// g1, ...
func (b *builder) groups() string {
	p := b.plan
	var terms, by []string
	for i, c := range p.By {
		terms = append(terms, fmt.Sprint(b.term(c), " AS g", i))
		by = append(by, b.term(c))
	}
	for i, m := range p.Measures {
		terms = append(terms, fmt.Sprint(b.aggregate(m), " AS g", len(p.By)+i))
	}
	grouping := " HAVING count(*) > 0"
	if len(by) > 0 {
		grouping = " GROUP BY " + strings.Join(by, ", ")
	}
	where := and(b.where())
	return fmt.Sprint("(SELECT ", strings.Join(terms, ", "), " FROM ", b.from(), where, grouping, ") g")
}

func (b *builder) aggregate(m egrid.Measure) string {
	if m.Func == egrid.Count {
		return "count(*)"
	}
	term, flag := b.term(m.Column), fieldOf(b.plan, m.Column).Type == egrid.Flag
	switch {
	case m.Func == egrid.Sum:
		return b.dialect.Sum(term)
	case m.Func == egrid.Min && flag:
		return b.dialect.FlagMin + "(" + term + ")"
	case m.Func == egrid.Max && flag:
		return b.dialect.FlagMax + "(" + term + ")"
	}
	return string(m.Func) + "(" + term + ")" // min or max
}

// having filters groups. Planning has checked that the answer has the columns
// which it names; a counting plan has no answer to look at, but the query's.
func (b *builder) having() string {
	var conditions []string
	for _, f := range b.plan.Having {
		i, t := b.group(f.Column)
		if i < 0 { // a column of the dictionary that the answer lacks
			conditions = append(conditions, fmt.Sprint(f.Op == egrid.Missing))
			continue
		}
		conditions = append(conditions, b.filter(f, fmt.Sprint("g", i), t))
	}
	return and(conditions)
}

// group finds a column of the groups and its type; -1 when there is none.
func (b *builder) group(c egrid.Column) (int, egrid.Type) {
	p := b.plan
	if i := slices.Index(p.By, c); i >= 0 {
		return i, fieldOf(p, c).Type
	}
	i := slices.IndexFunc(p.Measures, func(m egrid.Measure) bool { return m.Name() == c })
	if i < 0 {
		return -1, ""
	}
	switch m := p.Measures[i]; m.Func {
	case egrid.Count:
		return len(p.By) + i, egrid.Integer
	case egrid.Sum:
		return len(p.By) + i, egrid.Number
	default:
		return len(p.By) + i, fieldOf(p, m.Column).Type
	}
}

func (b *builder) countGroups() string {
	groups := b.groups()
	return "SELECT count(*) FROM " + groups + b.having()
}

func (b *builder) selectGroups() string {
	p := b.plan
	groups := b.groups()
	query := fmt.Sprint("SELECT * FROM ", groups, b.having())
	var order []string
	for _, key := range p.Sort {
		if i, _ := b.group(key.Column); i >= 0 {
			order = append(order, orderBy(fmt.Sprint("g", i), key.Desc))
		}
	}
	if len(order) > 0 {
		query += " ORDER BY " + strings.Join(order, ", ")
	}
	return fmt.Sprint(query, b.limit(), " OFFSET ", p.Offset)
}
