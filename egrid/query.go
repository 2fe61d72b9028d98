package egrid

import (
	"slices"
	"strings"
)

// Columns that every answer can have whatever the sheet: they come from the
// snapshot, not from a cell.
const (
	LevelColumn   Column = "level"
	Year          Column = "data_year"
	ReleaseColumn Column = "release"
)

// AllYears in a query reads every published data year, each in its newest
// release, where 0 reads the newest data year alone.
const AllYears = -1

// DefaultLimit is the page size of a query whose Limit is 0.
const DefaultLimit = 100

// RowQuery asks for rows of one level. The zero value of every field but
// Level means its documented default.
type RowQuery struct {
	Level   Level    `json:"level"`
	Year    int      `json:"year,omitempty"`    // data year; 0 is the newest published, AllYears every one
	Release string   `json:"release,omitempty"` // empty is the newest, NoRelease the unmarked one
	Filters []Filter `json:"filters,omitempty"` // all must hold
	Search  string   `json:"search,omitempty"`  // every word must occur in one of SearchColumns, in any ASCII letter case, or be part of the name of the row's state
	Sort    []Sort   `json:"sort,omitempty"`    // ties, and an empty Sort, fall back to data year and position in the sheet
	Columns []Column `json:"columns,omitempty"` // columns of the answer, in this order; empty is all
	Limit   int      `json:"limit,omitempty"`   // rows at most; 0 is DefaultLimit
	Cursor  string   `json:"cursor,omitempty"`  // RowPage.Next of the page before; same query otherwise
	Count   bool     `json:"count,omitempty"`   // fill RowPage.Total
}

// GroupQuery asks for aggregates of one level's rows. An answer row has the
// By columns, then the measures.
type GroupQuery struct {
	Level    Level     `json:"level"`
	Year     int       `json:"year,omitempty"`
	Release  string    `json:"release,omitempty"`
	Filters  []Filter  `json:"filters,omitempty"` // on rows, before grouping
	Search   string    `json:"search,omitempty"`  // on rows, before grouping
	By       []Column  `json:"by,omitempty"`      // empty makes one group of all rows
	Measures []Measure `json:"measures"`          // at least one
	Having   []Filter  `json:"having,omitempty"`  // on the answer's columns, after grouping
	Sort     []Sort    `json:"sort,omitempty"`    // on the answer's columns; ties fall back to By
	Limit    int       `json:"limit,omitempty"`   // groups at most; 0 is DefaultLimit
	Cursor   string    `json:"cursor,omitempty"`
	Count    bool      `json:"count,omitempty"`
}

// Measure is an aggregate of a column over the rows of a group. Missing
// values take no part; a sum, minimum or maximum of nothing is missing.
type Measure struct {
	Func   Func   `json:"func"`
	Column Column `json:"column,omitempty"` // none for Count
	As     Column `json:"as,omitempty"`     // name in the answer; empty is the Column, or "rows" for Count
}

// Name returns the measure's column in the answer.
func (m Measure) Name() Column {
	switch {
	case m.As != "":
		return m.As
	case m.Column != "":
		return m.Column
	}
	return "rows"
}

// Func is an aggregate function.
type Func string

// The aggregate functions.
const (
	Count Func = "count" // rows of the group
	Sum   Func = "sum"   // numeric columns; 15 significant digits, see SumOf
	Min   Func = "min"   // any column
	Max   Func = "max"   // any column
)

// Sort is one sort key. Missing values come last in either direction.
type Sort struct {
	Column Column `json:"column"`
	Desc   bool   `json:"desc,omitempty"`
}

// Compare orders two values of the key's column, the way every store does.
func (s Sort) Compare(a, b Value) int {
	c := a.Compare(b)
	if s.Desc && !a.IsMissing() && !b.IsMissing() {
		return -c
	}
	return c
}

// Op compares a column with values.
type Op string

// The operators. A missing value satisfies only Missing.
const (
	Eq      Op = "="  // equal to any of the values
	Ne      Op = "!=" // present and equal to none of the values
	Lt      Op = "<"
	Le      Op = "<="
	Gt      Op = ">"
	Ge      Op = ">="
	Missing Op = "missing" // takes no value
	Present Op = "present" // takes no value
)

// Filter keeps the rows whose column compares with the values. Values may be
// given as text; planning turns them into the column's type.
type Filter struct {
	Column Column  `json:"column"`
	Op     Op      `json:"op"`
	Values []Value `json:"values,omitempty"`
}

// Where is shorthand for a filter with one operator and text values, e.g.
// Where(State, Eq, "TX", "OK"). Values are those of the sheet: states, regions, fuels and
// their like are codes, and "Texas" finds no row. [RegionCode] gives the code of a name.
func Where(c Column, op Op, values ...string) Filter {
	f := Filter{Column: c, Op: op}
	for _, v := range values {
		f.Values = append(f.Values, TextOf(v))
	}
	return f
}

// CodeColumns are the columns whose values are codes of a list, which stand in capitals
// in EPA's sheets and which people write in any letter case.
func CodeColumns() []Column {
	return []Column{State, Subregion, BalancingAuthority, NERCRegion, Fuel, FuelCategoryColumn, PrimeMover, OperatingStatus, Region}
}

// AnyCase returns the filter with codes in capitals beside those that it has: state=tx
// then finds TX, too. It leaves filters of other columns, and of other operators than Eq
// and Ne, as they are.
func (f Filter) AnyCase() Filter {
	coded := func(level Level) bool {
		field, ok := Lookup(level, string(f.Column))
		return ok && slices.Contains(CodeColumns(), field.Column)
	}
	if f.Op != Eq && f.Op != Ne || !slices.ContainsFunc(Levels(), coded) {
		return f
	}
	values := slices.Clone(f.Values)
	for _, v := range f.Values {
		if upper := TextOf(strings.ToUpper(v.String())); !slices.Contains(values, upper) {
			values = append(values, upper)
		}
	}
	f.Values = values
	return f
}

// RowPage is one page of an answer: at most Limit rows, with what belongs to
// them. The batch is never nil.
type RowPage struct {
	*Batch
	Next      string     // cursor of the next page; empty on the last
	Total     int64      // rows of the whole answer when asked for with Count, else -1
	Revision  int64      // revision that answered
	Snapshots []Snapshot // what was read
}

// Match reports whether a value satisfies the filter, whose values are of the
// column's type. It is the meaning that every store implements.
func (f Filter) Match(v Value) bool {
	switch f.Op {
	case Missing:
		return v.IsMissing()
	case Present:
		return !v.IsMissing()
	}
	if v.IsMissing() || len(f.Values) == 0 {
		return false
	}
	equal := func(w Value) bool { return v.Compare(w) == 0 }
	switch f.Op {
	case Eq:
		return slices.ContainsFunc(f.Values, equal)
	case Ne:
		return !slices.ContainsFunc(f.Values, equal)
	case Lt:
		return v.Compare(f.Values[0]) < 0
	case Le:
		return v.Compare(f.Values[0]) <= 0
	case Gt:
		return v.Compare(f.Values[0]) > 0
	case Ge:
		return v.Compare(f.Values[0]) >= 0
	}
	return false
}
