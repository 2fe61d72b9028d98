package driver

import (
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// SchemaSet has one schema of each kind: of thousands of sheets most have the same
// columns, and each that was read has a schema of its own.
type SchemaSet map[string]*egrid.Schema

// Shared returns the first schema with the same columns that it was given.
func (set SchemaSet) Shared(s *egrid.Schema) *egrid.Schema {
	var key strings.Builder
	for i := range s.Len() {
		f := s.Field(i)
		fmt.Fprintf(&key, "%s %s %s %q\n", f.Level, f.Type, f.Code, f.Column)
	}
	if same, ok := set[key.String()]; ok {
		return same
	}
	set[key.String()] = s
	return s
}
