package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Rows implements [egrid.Querier].
func (s *Store) Rows(ctx context.Context, q egrid.RowQuery) (egrid.RowPage, error) {
	var page egrid.RowPage
	err := s.view(ctx, func(tx *sql.Tx, catalog egrid.Catalog) error {
		p, err := catalog.PlanRows(q)
		if err != nil {
			return err
		}
		page = egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
		if len(p.Snapshots) == 0 {
			page.Total = total(p.Count, 0)
			return nil
		}
		if p.Count {
			b := builder{plan: p}
			if err := tx.QueryRowContext(ctx, b.countRows(), b.args...).Scan(&page.Total); err != nil {
				return err
			}
		}
		return readRows(ctx, tx, p, &page)
	})
	if err != nil {
		return egrid.RowPage{}, err
	}
	return page, nil
}

func total(wanted bool, n int64) int64 {
	if wanted {
		return n
	}
	return -1
}

func readRows(ctx context.Context, tx *sql.Tx, p *driver.Plan, page *egrid.RowPage) error {
	b := builder{plan: p}
	// Behind the answer's columns come those of the position: the sort keys,
	// the data year and the row number.
	fields := p.Output.Fields()
	for _, key := range p.Sort {
		fields = append(fields, b.field(key.Column))
	}
	fields = append(fields, egrid.Field{Type: egrid.Integer}, egrid.Field{Type: egrid.Integer})
	query := b.selectRows()
	rows, err := tx.QueryContext(ctx, query, b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var last driver.Position
	for rows.Next() {
		if len(page.Rows) == p.Limit {
			page.Next = p.NextRows(last)
			break
		}
		values, err := scanValues(rows, fields)
		if err != nil {
			return err
		}
		n := p.Output.Len()
		year, _ := values[len(values)-2].Int()
		number, _ := values[len(values)-1].Int()
		last = driver.Position{Keys: values[n : len(values)-2], Year: int(year), Number: number}
		page.Rows = append(page.Rows, egrid.Row{Schema: p.Output, Values: values[:n:n], Year: int(year), Number: number})
	}
	return rows.Err()
}

// Groups implements [egrid.Querier].
func (s *Store) Groups(ctx context.Context, q egrid.GroupQuery) (egrid.RowPage, error) {
	var page egrid.RowPage
	err := s.view(ctx, func(tx *sql.Tx, catalog egrid.Catalog) error {
		p, err := catalog.PlanGroups(q)
		if err != nil {
			return err
		}
		page = egrid.RowPage{Schema: p.Output, Total: -1, Revision: catalog.Revision, Snapshots: p.Snapshots}
		if len(p.Snapshots) == 0 {
			page.Total = total(p.Count, 0)
			return nil
		}
		if err := readGroups(ctx, tx, p, &page); err != nil || !p.Count || page.Total >= 0 {
			return err
		}
		b := builder{plan: p} // no group at all, or an offset behind the last
		return tx.QueryRowContext(ctx, b.countGroups(), b.args...).Scan(&page.Total)
	})
	if err != nil {
		return egrid.RowPage{}, err
	}
	return page, nil
}

// readGroups reads a page of groups. Each comes with the count of all: to make
// the groups once more for it would take as long again.
func readGroups(ctx context.Context, tx *sql.Tx, p *driver.Plan, page *egrid.RowPage) error {
	b := builder{plan: p}
	query := b.selectGroups()
	fields := p.Output.Fields()
	if p.Count {
		fields = append(fields, egrid.Field{Type: egrid.Integer})
	}
	rows, err := tx.QueryContext(ctx, query, b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if len(page.Rows) == p.Limit {
			page.Next = p.NextGroups(p.Limit)
			break
		}
		values, err := scanValues(rows, fields)
		if err != nil {
			return err
		}
		n := p.Output.Len()
		if p.Count {
			page.Total, _ = values[n].Int()
		}
		page.Rows = append(page.Rows, egrid.Row{Schema: p.Output, Values: values[:n:n]})
	}
	return rows.Err()
}

// scanValues reads the current row as values of the fields' types.
func scanValues(rows *sql.Rows, fields []egrid.Field) ([]egrid.Value, error) {
	cells := make([]any, len(fields))
	targets := make([]any, len(fields))
	for i := range cells {
		targets[i] = &cells[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	values := make([]egrid.Value, len(fields))
	for i, cell := range cells {
		switch x := cell.(type) {
		case nil:
		case string:
			values[i] = egrid.TextOf(x)
		case []byte:
			values[i] = egrid.TextOf(string(x))
		case float64:
			values[i] = egrid.NumberOf(x)
		case int64:
			switch fields[i].Type {
			case egrid.Flag:
				values[i] = egrid.FlagOf(x != 0)
			case egrid.Number:
				values[i] = egrid.NumberOf(float64(x))
			default:
				values[i] = egrid.IntegerOf(x)
			}
		default:
			return nil, fmt.Errorf("sqlitestore: column %s holds a %T", fields[i].Column, cell)
		}
	}
	return values, nil
}

// builder writes the SQL of a plan. Values are bound, never written; the only
// names in the text are those of our own tables and columns.
type builder struct {
	plan *driver.Plan
	args []any
}

func (b *builder) bind(v egrid.Value) string {
	b.args = append(b.args, v.Any())
	return "?"
}

// field finds a column of the input, or of the dictionary when no snapshot
// has it.
func (b *builder) field(c egrid.Column) egrid.Field {
	if i := b.plan.Input.Index(c); i >= 0 {
		return b.plan.Input.Field(i)
	}
	if i := b.plan.Output.Index(c); i >= 0 {
		return b.plan.Output.Field(i)
	}
	return egrid.Field{Column: c, Type: egrid.Number}
}

// term names an input column within the outer query.
func (b *builder) term(c egrid.Column) string {
	if i := b.plan.Input.Index(c); i >= 0 {
		return fmt.Sprintf("c%d", i)
	}
	return "NULL"
}

// input is the rows of the plan's snapshots under common names, those of the
// columns that the rest of the query needs.
func (b *builder) input(needed map[egrid.Column]bool) string {
	var parts []string
	for _, snap := range b.plan.Snapshots {
		terms := []string{fmt.Sprintf("%d AS year", snap.Year), "row_number"}
		for i, f := range b.plan.Input.Fields() {
			if !needed[f.Column] {
				continue
			}
			source := "NULL"
			switch {
			case f.Column == egrid.Year:
				source = fmt.Sprint(snap.Year)
			case f.Column == egrid.ReleaseColumn && snap.Release == "":
			case egrid.IsContext(f.Column):
				source = "'" + snap.Context(f.Column).String() + "'" // a level or a checked release
			case snap.Schema.Has(f.Column):
				source = columnFor(snap.Schema, f.Column)
			}
			terms = append(terms, fmt.Sprintf("%s AS c%d", source, i))
		}
		parts = append(parts, "SELECT "+strings.Join(terms, ", ")+" FROM "+tableOf(snap.ID))
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// needed lists the columns that filters and search look at, and others.
func (b *builder) needed(others ...egrid.Column) map[egrid.Column]bool {
	columns := map[egrid.Column]bool{}
	for _, f := range b.plan.Filters {
		columns[f.Column] = true
	}
	if len(b.plan.Words) > 0 {
		others = append(others, b.plan.Search...)
	}
	for _, c := range others {
		columns[c] = true
	}
	return columns
}

func (b *builder) where() []string {
	var conditions []string
	for _, f := range b.plan.Filters {
		conditions = append(conditions, b.filter(f, b.term(f.Column)))
	}
	for _, word := range b.plan.Words {
		alternatives := []string{"0"}
		for _, c := range b.plan.Search {
			alternatives = append(alternatives, fmt.Sprintf("instr(lower(%s), %s)", b.term(c), b.bind(egrid.TextOf(word))))
		}
		conditions = append(conditions, "("+strings.Join(alternatives, " OR ")+")")
	}
	return conditions
}

func (b *builder) filter(f egrid.Filter, term string) string {
	switch f.Op {
	case egrid.Missing:
		return term + " IS NULL"
	case egrid.Present:
		return term + " IS NOT NULL"
	case egrid.Eq, egrid.Ne:
		marks := make([]string, len(f.Values))
		for i, v := range f.Values {
			marks[i] = b.bind(v)
		}
		operator := "IN"
		if f.Op == egrid.Ne {
			operator = "NOT IN"
		}
		return fmt.Sprintf("%s %s (%s)", term, operator, strings.Join(marks, ", "))
	}
	return fmt.Sprintf("%s %s %s", term, f.Op, b.bind(f.Values[0])) // one of < <= > >=
}

func and(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

func (b *builder) countRows() string {
	return "SELECT count(*) FROM " + b.input(b.needed()) + and(b.where())
}

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
	order := ""
	for _, key := range p.Sort {
		order += orderBy(b.term(key.Column), key.Desc) + ", "
	}
	selected := fmt.Sprint("SELECT ", strings.Join(terms, ", "), ", year, row_number FROM ", b.input(b.needed(columns...)))
	order = fmt.Sprint(" ORDER BY ", order, "year, row_number")
	limit := fmt.Sprint(" LIMIT ", p.Limit+1)
	if len(p.Sort) == 0 || len(p.Snapshots) > 1 {
		return selected + and(conditions) + order + limit
	}
	// First which rows, by as little as tells: sorting whole ones takes longer.
	keys := make([]egrid.Column, len(p.Sort))
	for i, key := range p.Sort {
		keys[i] = key.Column
	}
	return fmt.Sprint(selected, " WHERE row_number IN (SELECT row_number FROM ", b.input(b.needed(keys...)), and(conditions), order, limit, ")", order)
}

// orderBy sorts missing values last; downwards SQLite does so by itself.
func orderBy(term string, desc bool) string {
	if desc {
		return term + " DESC"
	}
	return term + " NULLS LAST"
}

// after is true for rows behind the plan's position.
func (b *builder) after(keys []egrid.Sort, values []egrid.Value) string {
	if len(keys) == 0 {
		at := b.plan.After
		return fmt.Sprintf("(year > %d OR year = %d AND row_number > %d)", at.Year, at.Year, at.Number)
	}
	term, v := b.term(keys[0].Column), values[0]
	if v.IsMissing() {
		return fmt.Sprintf("(%s IS NULL AND %s)", term, b.after(keys[1:], values[1:]))
	}
	operator := ">"
	if keys[0].Desc {
		operator = "<"
	}
	return fmt.Sprintf("(%s %s %s OR %s IS NULL OR %s = %s AND %s)",
		term, operator, b.bind(v), term, term, b.bind(v), b.after(keys[1:], values[1:]))
}

// groups is the answer without having, sort and limit, its columns named g0,
// g1, ...
func (b *builder) groups() string {
	p := b.plan
	var terms, by []string
	needed := b.needed(p.By...)
	for i, c := range p.By {
		terms = append(terms, fmt.Sprintf("%s AS g%d", b.term(c), i))
		by = append(by, b.term(c))
	}
	for i, m := range p.Measures {
		term := b.term(m.Column)
		needed[m.Column] = true
		aggregate := map[egrid.Func]string{
			egrid.Count: "count(*)", egrid.Sum: "iif(count(" + term + "), CAST(printf('%.15g', sum(" + term + " + 0.0)) AS REAL), NULL)" /* as SumOf */, egrid.Min: "min(" + term + ")", egrid.Max: "max(" + term + ")",
		}[m.Func]
		terms = append(terms, fmt.Sprintf("%s AS g%d", aggregate, len(p.By)+i))
	}
	grouping := " HAVING count(*) > 0"
	if len(by) > 0 {
		grouping = " GROUP BY " + strings.Join(by, ", ")
	}
	return fmt.Sprintf("(SELECT %s FROM %s%s%s)", strings.Join(terms, ", "), b.input(needed), and(b.where()), grouping)
}

func (b *builder) having() string {
	var conditions []string
	for _, f := range b.plan.Having {
		conditions = append(conditions, b.filter(f, b.groupTerm(f.Column)))
	}
	return and(conditions)
}

func (b *builder) groupTerm(c egrid.Column) string {
	if i := b.plan.Output.Index(c); i >= 0 {
		return fmt.Sprintf("g%d", i)
	}
	return "NULL"
}

func (b *builder) countGroups() string {
	return "SELECT count(*) FROM " + b.groups() + b.having()
}

func (b *builder) selectGroups() string {
	p := b.plan
	total := ""
	if p.Count {
		total = ", count(*) OVER ()"
	}
	query := "SELECT *" + total + " FROM " + b.groups() + b.having()
	var order []string
	for _, key := range p.Sort {
		order = append(order, orderBy(b.groupTerm(key.Column), key.Desc))
	}
	if len(order) > 0 {
		query += " ORDER BY " + strings.Join(order, ", ")
	}
	return query + fmt.Sprintf(" LIMIT %d OFFSET %d", p.Limit+1, p.Offset)
}
