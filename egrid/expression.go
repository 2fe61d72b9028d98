package egrid

import (
	"fmt"
	"strings"
	"unicode"
)

// Queries have a text form, on the command line and in URLs. Names and values
// in it stand in double quotes, doubled inside as in CSV, where they hold what
// would end them, or begin or end with a space.

// ParseFilter reads an expression such as "nameplate_capacity_mw>=100",
// "state=TX,OK", "fuel!=NG", "co2_short_tons missing" or "latitude present".
// Quotes are as in CSV: plant_name="Smith, Inc",Other. The error wraps
// [ErrInvalid].
func ParseFilter(s string) (Filter, error) {
	fail := func(reason string) (Filter, error) {
		return Filter{}, fmt.Errorf("%w: filter %q %s", ErrInvalid, s, reason)
	}
	at := scanner{s}
	name, ok := at.text("<>=!")
	if !ok {
		return fail("has quotes that do not match")
	}
	if at.rest == "" { // COLUMN missing, COLUMN present
		for _, op := range []Op{Missing, Present} {
			if column, ok := strings.CutSuffix(name, " "+string(op)); ok {
				return Where(Column(strings.TrimSpace(column)), op), nil
			}
		}
	}
	for _, op := range []Op{Ne, Le, Ge, Eq, Lt, Gt, Missing, Present} {
		if name == "" || !at.accept(string(op)) {
			continue
		}
		f := Filter{Column: Column(name), Op: op}
		switch op {
		case Missing, Present:
		case Eq, Ne:
			values, err := SplitList(at.rest)
			if err != nil {
				return fail(quotesFault)
			}
			for _, v := range values {
				f.Values = append(f.Values, TextOf(v))
			}
			return f, nil
		default:
			value, ok := at.text("")
			if !ok {
				return fail(quotesFault)
			}
			f.Values = []Value{TextOf(value)}
		}
		if at.rest != "" {
			return fail("goes on behind its end")
		}
		return f, nil
	}
	return fail("is not COLUMN OPERATOR VALUE with one of = != < <= > >=, nor COLUMN missing or COLUMN present")
}

const quotesFault = "has quotes that do not match; a value with commas is quoted, as in CSV"

// String returns the text form, which [ParseFilter] reads: of a filter that
// has as many values as its operator takes.
func (f Filter) String() string {
	name := quoteFor(string(f.Column), "<>=!")
	if f.Op == Missing || f.Op == Present {
		return name + " " + string(f.Op)
	}
	values := make([]string, len(f.Values))
	for i, v := range f.Values {
		values[i] = v.String()
	}
	list := JoinList(values)
	if strings.HasPrefix(list, "=") { // which would make <= of <
		list = quote(values[0]) + list[len(values[0]):]
	}
	return name + string(f.Op) + list
}

// ParseSort reads "-net_generation_mwh,plant_name": a minus sorts downwards.
// The error wraps [ErrInvalid].
func ParseSort(s string) ([]Sort, error) {
	var keys []Sort
	at := scanner{s}
	for {
		at.spaces()
		before := at.rest
		desc := at.accept("-")
		name, ok := at.text(",")
		switch {
		case !ok || at.rest != "" && at.rest[0] != ',':
			return nil, fmt.Errorf("%w: sort key %q %s", ErrInvalid, before, quotesFault)
		case name != "":
			keys = append(keys, Sort{Column: Column(name), Desc: desc})
		case desc || strings.HasPrefix(before, `"`):
			return nil, fmt.Errorf("%w: sort key %q has no column", ErrInvalid, before)
		}
		if !at.accept(",") {
			return keys, nil
		}
	}
}

// String returns the text form of a sort key, as [ParseSort] reads it.
func (s Sort) String() string {
	name := quoteFor(string(s.Column), ",")
	if strings.HasPrefix(name, "-") {
		name = quote(name)
	}
	if s.Desc {
		return "-" + name
	}
	return name
}

// ParseMeasures reads "count,sum(net_generation_mwh),max(plant_name) as last".
// The error wraps [ErrInvalid].
func ParseMeasures(s string) ([]Measure, error) {
	fail := func(reason string) ([]Measure, error) {
		return nil, fmt.Errorf("%w: measures %q: %s; expected count, or sum, min or max of a column, as sum(net_generation_mwh) as total", ErrInvalid, s, reason)
	}
	var measures []Measure
	at := scanner{s}
	for {
		at.spaces()
		end := strings.IndexFunc(at.rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(at.rest)
		}
		m := Measure{Func: Func(at.rest[:end])}
		if at.rest = at.rest[end:]; m.Func == "" {
			return fail("an aggregate has no name")
		}
		at.spaces()
		if at.accept("(") {
			name, ok := at.text(")")
			if m.Column = Column(name); !ok || !at.accept(")") || name == "" {
				return fail("the parentheses of " + string(m.Func) + " hold no column")
			}
			at.spaces()
		}
		if at.accept("as ") {
			name, ok := at.text(",")
			if m.As = Column(name); !ok || name == "" {
				return fail("as is followed by no name")
			}
		}
		measures = append(measures, m)
		if at.rest == "" {
			return measures, nil
		}
		if !at.accept(",") {
			return fail(fmt.Sprintf("%q stands where a comma should", at.rest))
		}
	}
}

// String returns the text form of a measure, as [ParseMeasures] reads it.
func (m Measure) String() string {
	s := string(m.Func)
	if m.Column != "" {
		s += "(" + quoteFor(string(m.Column), ")") + ")"
	}
	if m.As != "" {
		s += " as " + quoteFor(string(m.As), ",")
	}
	return s
}

// SplitList splits values at commas, without the spaces around them. A value
// that holds a comma is quoted as in CSV: "Smith, Inc". The error wraps
// [ErrInvalid].
func SplitList(s string) ([]string, error) {
	var values []string
	at := scanner{s}
	for {
		value, ok := at.text(",")
		if !ok || at.rest != "" && at.rest[0] != ',' {
			return nil, fmt.Errorf("%w: list %q %s", ErrInvalid, s, quotesFault)
		}
		values = append(values, value)
		if !at.accept(",") {
			return values, nil
		}
	}
}

// JoinList writes values as [SplitList] reads them.
func JoinList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quoteFor(v, ",")
	}
	return strings.Join(quoted, ",")
}

// quoteFor quotes a text that would not come back as it is from scanner.text.
func quoteFor(s, stop string) string {
	if s == "" || s[0] == '"' || strings.ContainsAny(s, stop) || s != strings.TrimSpace(s) {
		return quote(s)
	}
	return s
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// scanner reads the text form of queries from left to right.
type scanner struct{ rest string }

func (s *scanner) spaces() { s.rest = strings.TrimLeftFunc(s.rest, unicode.IsSpace) }

// accept goes behind a prefix, and reports whether it was there.
func (s *scanner) accept(prefix string) (ok bool) {
	s.rest, ok = strings.CutPrefix(s.rest, prefix)
	return ok
}

// text reads a quoted text and the spaces around it or, without quotes, up to
// one of the stops, which are ASCII, or the end. It is false where quotes are
// not closed.
func (s *scanner) text(stops string) (string, bool) {
	s.spaces()
	if !s.accept(`"`) {
		end := strings.IndexAny(s.rest, stops)
		if end < 0 {
			end = len(s.rest)
		}
		text := s.rest[:end]
		s.rest = s.rest[end:]
		return strings.TrimSpace(text), true
	}
	var text strings.Builder
	for {
		part, behind, closed := strings.Cut(s.rest, `"`)
		text.WriteString(part)
		if s.rest = behind; !closed {
			return "", false
		}
		if !s.accept(`"`) {
			s.spaces()
			return text.String(), true
		}
		text.WriteByte('"')
	}
}
