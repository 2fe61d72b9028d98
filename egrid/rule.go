package egrid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule says how a region's figure follows from the region's plants: a sum, or
// a ratio of products of sums, over all plants or those of some fuel
// categories, each plant counted in full or by a weight. The formulas are
// EPA's, from its production code of eGRID2023 (github.com/USEPA/egrid).
//
// Its text form is what the dictionary holds:
//
//	sum
//	sum net_generation_mwh by nonbaseload_factor where COAL
//	2000*co2_short_tons/net_generation_mwh where COAL OIL GAS
type Rule struct {
	Factor      float64  // in front of a ratio; 1 where there is none
	Numerator   []Column // sums to multiply; for a sum without a column of its own, empty
	Denominator []Column // sums to divide by; empty for a sum
	Weight      Column   // plants count by this column; empty: in full
	Categories  []string // fuel categories of the plants; empty: all
}

// IsZero reports whether there is no rule.
func (r Rule) IsZero() bool { return r.Factor == 0 }

// ParseRule reads a rule's text form. The empty text is the zero Rule. The
// error wraps [ErrInvalid].
func ParseRule(s string) (Rule, error) {
	var r Rule
	words := strings.Fields(s)
	if len(words) == 0 {
		return r, nil
	}
	r.Factor = 1
	if i := slices.Index(words, "where"); i >= 0 {
		if r.Categories = words[i+1:]; len(r.Categories) == 0 {
			return Rule{}, fmt.Errorf("%w: rule %q: nothing behind where", ErrInvalid, s)
		}
		words = words[:i]
	}
	if i := slices.Index(words, "by"); i >= 0 {
		if i != len(words)-2 {
			return Rule{}, fmt.Errorf("%w: rule %q: one column goes behind by", ErrInvalid, s)
		}
		r.Weight, words = Column(words[i+1]), words[:i]
	}
	switch {
	case len(words) == 1 && words[0] == "sum":
		return r, nil
	case len(words) == 2 && words[0] == "sum":
		r.Numerator = []Column{Column(words[1])}
		return r, nil
	case len(words) == 1:
		return r.parseRatio(s, words[0])
	}
	return Rule{}, fmt.Errorf("%w: rule %q is neither a sum nor a ratio", ErrInvalid, s)
}

func (r Rule) parseRatio(s, ratio string) (Rule, error) {
	above, below, ok := strings.Cut(ratio, "/")
	if factor, rest, found := strings.Cut(above, "*"); found {
		if f, err := strconv.ParseFloat(factor, 64); err == nil {
			r.Factor, above = f, rest
		}
	}
	for name := range strings.SplitSeq(above, "*") {
		r.Numerator = append(r.Numerator, Column(name))
	}
	for name := range strings.SplitSeq(below, "*") {
		r.Denominator = append(r.Denominator, Column(name))
	}
	if !ok || r.Factor <= 0 || slices.Contains(r.Numerator, "") || slices.Contains(r.Denominator, "") {
		return Rule{}, fmt.Errorf("%w: rule %q is not FACTOR*COLUMN/COLUMN", ErrInvalid, s)
	}
	return r, nil
}

// String returns the text form.
func (r Rule) String() string {
	if r.IsZero() {
		return ""
	}
	var b strings.Builder
	if len(r.Denominator) == 0 {
		b.WriteString("sum")
		if len(r.Numerator) > 0 {
			b.WriteString(" " + joinColumns(r.Numerator))
		}
	} else {
		if r.Factor != 1 {
			b.WriteString(strconv.FormatFloat(r.Factor, 'f', -1, 64) + "*")
		}
		b.WriteString(joinColumns(r.Numerator) + "/" + joinColumns(r.Denominator))
	}
	if r.Weight != "" {
		b.WriteString(" by " + string(r.Weight))
	}
	if len(r.Categories) > 0 {
		b.WriteString(" where " + strings.Join(r.Categories, " "))
	}
	return b.String()
}

// MarshalText writes the text form.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text form.
func (r *Rule) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRule(string(b))
	return err
}

func joinColumns(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = string(c)
	}
	return strings.Join(names, "*")
}
