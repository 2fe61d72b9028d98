package pgstore

import (
	"fmt"
	"math"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// builder writes the SQL of a plan.
type builder struct {
	binder
	plan    *driver.Plan
	places  map[egrid.SnapshotID]layout
	columns []egrid.Field // what the query needs of the snapshots, named c0, c1, ...
	err     error
}

func newBuilder(p *driver.Plan, places map[egrid.SnapshotID]layout) *builder {
	return &builder{plan: p, places: places}
}

// statement is the query that executes the plan.
func (b *builder) statement() string {
	group := len(b.plan.Measures) > 0
	switch {
	case b.plan.Count && group:
		return b.countGroups()
	case b.plan.Count:
		return b.countRows()
	case group:
		return b.selectGroups()
	}
	return b.selectRows()
}

// field finds a column of the input, or of the dictionary when no snapshot
// has it.
func (b *builder) field(c egrid.Column) egrid.Field { return fieldOf(b.plan, c) }

func fieldOf(p *driver.Plan, c egrid.Column) egrid.Field {
	if i := p.Input.Index(c); i >= 0 {
		return p.Input.Field(i)
	}
	if f, ok := egrid.Lookup(p.Level, string(c)); ok {
		return f
	}
	return egrid.Field{Column: c, Type: egrid.Number}
}

// term names an input column within the outer query.
func (b *builder) term(c egrid.Column) string {
	for i := range b.columns {
		if b.columns[i].Column == c {
			return fmt.Sprintf("c%d", i)
		}
	}
	b.columns = append(b.columns, b.field(c))
	return fmt.Sprintf("c%d", len(b.columns)-1)
}

// value binds a value of a type. Only a forged cursor holds one of another.
func (b *builder) value(v egrid.Value, t egrid.Type) string {
	x := v.Any()
	switch t {
	case egrid.Number:
		if f, ok := v.Float(); ok {
			return b.bind(f, castType(t))
		}
	case egrid.Text:
		if text, ok := x.(string); ok && storable(text) {
			return b.bind(text, castType(t))
		}
	default:
		if v.Type() == t {
			return b.bind(x, castType(t))
		}
	}
	b.err = fmt.Errorf("%w: %q is not a value of type %s", egrid.ErrInvalid, v.String(), t)
	return "NULL"
}

// from is the rows of the plan's snapshots under common names, those of the
// columns that the rest of the query needs: it is written last.
func (b *builder) from() string {
	parts := make([]string, len(b.plan.Snapshots))
	for i := range parts {
		parts[i] = b.part(&b.plan.Snapshots[i])
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ") t"
}

// part is the rows of one snapshot.
func (b *builder) part(snap *egrid.Snapshot) string {
	place := b.places[snap.ID]
	terms := []string{fmt.Sprintf("%d::bigint AS year", snap.Year), "row_number"}
	for j := range b.columns {
		f := &b.columns[j]
		var source string
		switch {
		case f.Column == egrid.Year:
			source = fmt.Sprintf("%d::bigint", snap.Year)
		case egrid.IsContext(f.Column) && !snap.Context(f.Column).IsMissing():
			source = "(" + b.bind(snap.Context(f.Column).String(), "text") + ` COLLATE "C")`
		default:
			source = place.value("", f.Column, f.Type, &b.binder)
		}
		terms = append(terms, fmt.Sprintf("%s AS c%d", source, j))
	}
	// The year lets the index of states serve its order.
	return fmt.Sprint("SELECT ", strings.Join(terms, ", "), " FROM ", place.table, " WHERE data_year = ", snap.Year)
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (b *builder) where() []string {
	var conditions []string
	for _, f := range b.plan.Filters {
		conditions = append(conditions, b.filter(f, b.term(f.Column), b.field(f.Column).Type))
	}
	for _, word := range b.plan.Words {
		alternatives := []string{"false"}
		for _, c := range b.plan.Search {
			term := b.term(c)
			if b.field(c).Type != egrid.Text {
				term = "(" + term + `::text COLLATE "C")`
			}
			// In the collation C, lower folds A-Z alone, and an index serves it.
			pattern := b.value(egrid.TextOf("%"+likeEscapes.Replace(word)+"%"), egrid.Text)
			alternatives = append(alternatives, fmt.Sprintf("lower(%s) LIKE %s", term, pattern))
		}
		conditions = append(conditions, "("+strings.Join(alternatives, " OR ")+")")
	}
	return conditions
}

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
		return "(" + strings.Join(alternatives, " OR ") + ")"
	case egrid.Ne:
		conditions := []string{term + " IS NOT NULL"}
		for _, v := range f.Values {
			conditions = append(conditions, "NOT "+b.compare(term, egrid.Eq, v, t))
		}
		return "(" + strings.Join(conditions, " AND ") + ")"
	}
	return b.compare(term, f.Op, f.Values[0], t)
}

// compare is a comparison with one value, whose operator is one of = < <= > >=.
// PostgreSQL would compare an integer with a float as floats, which are the
// same for many integers; so the float becomes an integer.
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
func (b *builder) selectRows() string {
	p := b.plan
	columns := p.Output.Columns()
	for _, key := range p.Sort {
		columns = append(columns, key.Column)
	}
	terms := make([]string, len(columns))
	for i, c := range columns {
		terms[i] = b.term(c)
	}
	conditions := b.where()
	if p.After != nil {
		conditions = append(conditions, b.after(p.Sort, p.After.Keys))
	}
	var inner, outer strings.Builder
	for i, key := range p.Sort {
		inner.WriteString(orderBy(b.term(key.Column), key.Desc) + ", ")
		outer.WriteString(orderBy(fmt.Sprint(p.Output.Len()+i+1), key.Desc) + ", ")
	}
	selected := strings.Join(append(terms, "year", "row_number"), ", ")
	first := fmt.Sprint(and(conditions), " ORDER BY ", inner.String(), "year, row_number", limit(p))
	parts := make([]string, len(p.Snapshots))
	for i := range parts {
		parts[i] = fmt.Sprint("(SELECT ", selected, " FROM (", b.part(&p.Snapshots[i]), ") t", first, ")")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return fmt.Sprint("SELECT * FROM (", strings.Join(parts, " UNION ALL "), ") u ORDER BY ", outer.String(), len(columns)+1, ", ", len(columns)+2, limit(p))
}

func limit(p *driver.Plan) string {
	if p.Limit == 0 {
		return ""
	}
	return fmt.Sprint(" LIMIT ", p.Limit)
}

// orderBy sorts missing values last; upwards PostgreSQL does so by itself.
func orderBy(term string, desc bool) string {
	if desc {
		return term + " DESC NULLS LAST"
	}
	return term
}

// after is true for rows behind the plan's position.
func (b *builder) after(keys []egrid.Sort, values []egrid.Value) string {
	if len(keys) == 0 {
		year, number := b.bind(int64(b.plan.After.Year), "bigint"), b.bind(b.plan.After.Number, "bigint")
		return fmt.Sprintf("(year > %s OR year = %s AND row_number > %s)", year, year, number)
	}
	term, v, t := b.term(keys[0].Column), values[0], b.field(keys[0].Column).Type
	if v.IsMissing() {
		return fmt.Sprintf("(%s IS NULL AND %s)", term, b.after(keys[1:], values[1:]))
	}
	operator := ">"
	if keys[0].Desc {
		operator = "<"
	}
	bound := b.value(v, t)
	return fmt.Sprintf("(%s %s %s OR %s IS NULL OR %s = %s AND %s)", term, operator, bound, term, term, bound, b.after(keys[1:], values[1:]))
}

// groups is the answer without having, sort and limit, its columns named g0,
// g1, ...
func (b *builder) groups() string {
	p := b.plan
	var terms, by []string
	for i, c := range p.By {
		terms = append(terms, fmt.Sprintf("%s AS g%d", b.term(c), i))
		by = append(by, b.term(c))
	}
	for i, m := range p.Measures {
		terms = append(terms, fmt.Sprintf("%s AS g%d", b.aggregate(m), len(p.By)+i))
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
	term, flag := b.term(m.Column), b.field(m.Column).Type == egrid.Flag
	switch {
	case m.Func == egrid.Sum:
		// PostgreSQL adds integers exactly. Then as SumOf: a float becomes a
		// numeric of 15 significant digits.
		return "sum(" + term + ")::double precision::numeric::double precision"
	case m.Func == egrid.Min && flag:
		return "bool_and(" + term + ")"
	case m.Func == egrid.Max && flag:
		return "bool_or(" + term + ")"
	case m.Func == egrid.Min:
		return "min(" + term + ")"
	}
	return "max(" + term + ")"
}

func (b *builder) having() string {
	var conditions []string
	for _, f := range b.plan.Having {
		i := b.plan.Output.Index(f.Column)
		if i < 0 { // a column of the dictionary that the answer lacks
			conditions = append(conditions, fmt.Sprint(f.Op == egrid.Missing))
			continue
		}
		conditions = append(conditions, b.filter(f, fmt.Sprintf("g%d", i), b.plan.Output.Field(i).Type))
	}
	return and(conditions)
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
		if i := p.Output.Index(key.Column); i >= 0 {
			order = append(order, orderBy(fmt.Sprintf("g%d", i), key.Desc))
		}
	}
	if len(order) > 0 {
		query += " ORDER BY " + strings.Join(order, ", ")
	}
	return fmt.Sprint(query, limit(p), " OFFSET ", b.bind(p.Offset, "bigint"))
}
