package httpapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// fieldsOf is the columns of levels: those of the dictionary and those that
// published sheets have besides.
func fieldsOf(d data, derived []egrid.Column, levels ...egrid.Level) fieldSet {
	set := fieldSet{levels: levels, derived: derived}
	for i := range d.catalog.Snapshots {
		if s := &d.catalog.Snapshots[i]; s.Status == egrid.Published && slices.Contains(levels, s.Level) {
			set.schemas = append(set.schemas, s.Schema)
		}
	}
	return set
}

// fieldSet is the columns that an operation's parameters may name.
type fieldSet struct {
	levels  []egrid.Level
	schemas []*egrid.Schema // of published sheets, for columns that the dictionary lacks
	derived []egrid.Column  // columns that answers have and sheets do not
	prefix  string          // of the API's paths
}

func (s fieldSet) lookup(name string) (egrid.Field, bool) {
	for _, level := range s.levels {
		if f, ok := egrid.Lookup(level, name); ok {
			return f, true
		}
	}
	for _, schema := range s.schemas {
		if i := schema.Index(egrid.Column(name)); i >= 0 {
			return schema.Field(i), true
		}
	}
	return egrid.Field{}, false
}

// checkName finds out whether a column exists that a parameter names.
func (s fieldSet) checkName(param, value string, column egrid.Column) []wire.Fault {
	if _, ok := s.lookup(string(column)); ok || slices.Contains(s.derived, column) {
		return nil
	}
	return []wire.Fault{fault("query."+param, value, "unknown column"+suggest(string(column), nil, s))}
}

// parse reads the name of a column parameter.
func (s fieldSet) parse(name string) (egrid.Field, egrid.Op, bool) {
	if f, ok := s.lookup(name); ok {
		return f, egrid.Eq, true
	}
	if rest, ok := strings.CutPrefix(name, "min_"); ok {
		f, ok := s.lookup(rest)
		return f, egrid.Ge, ok
	}
	rest, ok := strings.CutPrefix(name, "max_")
	if !ok {
		return egrid.Field{}, "", false
	}
	f, ok := s.lookup(rest)
	return f, egrid.Le, ok
}

func (s fieldSet) names() []string {
	var names []string
	for _, level := range s.levels {
		for _, f := range egrid.Fields(level) {
			names = append(names, string(f.Column))
			if f.Type == egrid.Number || f.Type == egrid.Integer {
				names = append(names, "min_"+string(f.Column), "max_"+string(f.Column))
			}
		}
	}
	return names
}

// suggest names the parameter or column that was probably meant.
func suggest(name string, names []string, fields fieldSet) string {
	columns := fields.names()
	if strings.HasPrefix(name, "zip") && !slices.Contains(columns, string(egrid.ZIPCode)) {
		return "; " + fields.prefix + "/crosswalk/zip/{zip} tells the subregion of a ZIP code"
	}
	if best := egrid.Nearest(name, append(slices.Clone(names), columns...)); best != "" {
		return fmt.Sprintf(", did you mean %s?", best)
	}
	var b strings.Builder
	if len(names) > 0 {
		b.WriteString(", known are " + strings.Join(names, ", "))
	}
	if len(columns) > 0 {
		b.WriteString("; " + fields.prefix + "/columns lists the columns")
	}
	return b.String()
}

// names lists the query parameters that an operation declares.
func (op *operation) names() []string {
	var names []string
	for i := range op.params {
		if p := &op.params[i]; !p.path {
			names = append(names, p.name)
		}
	}
	return names
}
