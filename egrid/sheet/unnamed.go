package sheet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// mainMeasures are what a sheet is loaded for: it has them, or its author left them
// out.
var mainMeasures = []egrid.Column{egrid.NetGeneration, egrid.NameplateCapacity, egrid.HeatInput, egrid.CO2}

// places are what rows are found by.
var places = []egrid.Column{egrid.PlantCode, egrid.PlantName, egrid.State, egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion}

func isMain(c egrid.Column) bool { return slices.Contains(mainMeasures, c) }

// identifies reports whether a column is one of those that tell rows of a level apart.
func identifies(level egrid.Level, c egrid.Column) bool {
	return slices.Contains(identifiers[level], c) || plantLevel(level) && (c == egrid.PlantCode || c == egrid.PlantName)
}

// refuseUnnamed refuses a sheet whose columns are probably there under headers that
// nobody knows: kept as texts they would answer nothing. A header is taken for a code
// that differs from it in one letter. Where the rows have no identifier, or the sheet
// has no main measure, a header whose words mean one is taken for it. Where a person
// says what the sheet is and it has no measure, any column of numbers may be one.
func (s *Sheet) refuseUnnamed(rows func() [][]string, o *ReaderOptions) error {
	if len(s.Unknown) == 0 {
		return nil
	}
	identified := egrid.Identifier(s.Level, s.Schema.Has) != nil
	measured, measurable, anyMain := false, false, false
	for _, f := range egrid.Fields(s.Level) {
		measure := f.Type == egrid.Number && f.Unit != degrees
		measurable = measurable || measure
		measured = measured || measure && s.Schema.Has(f.Column)
		anyMain = anyMain || isMain(f.Column) && s.Schema.Has(f.Column)
	}
	table := headless{delim: s.Delimiter[0], headers: make([]string, len(s.Cells)), rows: rows()}
	var near, numbers []string
	probably := func(code, header string) {
		near = append(near, fmt.Sprintf("%s (probably %s)", code, shorten(header, 50)))
	}
	for i, c := range s.Cells {
		if table.headers[i] = string(c.Column); slices.Contains(s.Unknown, c.Column) {
			table.headers[i] = c.Header
			if found, others := table.numbers(i); len(found) > len(others) {
				numbers = append(numbers, c.Header)
			}
			for _, finer := range []egrid.Level{egrid.UNT, egrid.GEN} { // the rows of which would be taken for plants
				if f, _ := egrid.Lookup(finer, string(identifiers[finer][0])); grade(finer) < grade(s.Level) && misspelt(c.Header, []egrid.Field{f}, nil) == 0 {
					probably(f.Code, c.Header)
				}
			}
		}
	}
	if p, _ := table.propose(s.Level); p != nil {
		for _, c := range p.Columns {
			if c.Column == "" || s.Schema.Has(c.Column) || c.Column == egrid.Year {
				continue
			}
			if c.From == bySpelling || isMain(c.Column) && !anyMain || identifies(s.Level, c.Column) && !identified {
				probably(c.Code, c.Header)
			}
		}
	}
	decided := o.Level != "" || o.Mapping != nil && len(o.Mapping.Columns) > 0
	switch {
	case len(near) > 0:
		return fmt.Errorf("%w: line %d has no column %s; correct the header, or %s", egrid.ErrInvalid, s.HeaderLine, strings.Join(near, ", no "), mapHeaders)
	case decided && measurable && !measured && len(numbers) > 0:
		return fmt.Errorf("%w: line %d has none of the measures of %s (%s), and numbers in %s; %s", egrid.ErrInvalid, s.HeaderLine, s.Level, codesOf(s.Level, isUnit), shorten(strings.Join(numbers, ", "), 100), mapHeaders)
	}
	return nil
}

const bySpelling = "spelling"

// misspelt returns the field from whose code or name a header differs in one letter:
// another one, one too many or too few, or two that are swapped. It is -1 for none, for
// what may be several of those that the table lacks, and for a code of any level. Only
// what a sheet is loaded for and found by is looked for: EPA's early editions have
// codes of measures that are one letter from today's, as STGENASW.
func misspelt(header string, fields []egrid.Field, has map[egrid.Column]bool) (at int) {
	const short = 5 // codes that are shorter are near to many words
	if at = -1; len(header) < short-1 || knownAnywhere(header) {
		return at
	}
	header = strings.ToUpper(header)
	for i, f := range fields {
		switch near := len(f.Code) >= short && oneLetter(header, f.Code) || oneLetter(header, strings.ToUpper(string(f.Column))); {
		case !near || has[f.Column] || strings.TrimRight(header, "0123456789") == f.Code: // numbered is not misspelt
		case at >= 0:
			return -1
		default:
			at = i
		}
	}
	if at >= 0 && !isMain(fields[at].Column) && !identifies(fields[at].Level, fields[at].Column) && !slices.Contains(places, fields[at].Column) {
		return -1
	}
	return at
}

// oneLetter reports whether one letter makes the difference between two texts.
func oneLetter(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return max(len(a), len(b)) == 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
