// Package comparison writes the comparison of two editions as a page to read, print and
// keep: one HTML file that needs nothing else.
//
//	w.Header().Set("Content-Security-Policy", comparison.Policy())
//	err := comparison.Write(w, &report)
//
// Start with [Write]. The comparison is the JSON that the API answers at /diff/report, so
// a page can be made of it anywhere.
//
// # Guarantees
//
// The page has no script, loads nothing, and stands under [Policy]. What comes from
// files is escaped. Equal comparisons give equal bytes.
//
// # Errors
//
// Those of the writer.
//
// # See also
//
// Package calc compares editions; package wire makes their JSON.
package comparison

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/certificate"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

//go:embed page.html
var pageHTML string

// mostFlows is how many pairs of regions a page shows.
const mostFlows = 50

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("comparison").Funcs(template.FuncMap{
		"style": certificate.Style, "whole": whole[int], "whole64": whole[int64], "figure": figure, "cell": cell, "mwh": mwh, "percent": percent, "edition": edition, "held": held,
		"by": by, "region": region, "change": change, "words": words[string], "level": words[egrid.Column], "of": of,
	}).Parse(pageHTML))
})

// Write writes the page.
func Write(w io.Writer, r *wire.Report) error {
	data := struct {
		*wire.Report
		Verdict string
		Alone   string
		Same    bool
		Flows   []wire.PlantFlow
		Hidden  int
	}{Report: r}
	data.Verdict, data.Same = verdict(r)
	data.Alone = alone(r)
	if p := r.Plants; p != nil {
		data.Flows = p.Flows[:min(mostFlows, len(p.Flows))]
		data.Hidden = len(p.Flows) - len(data.Flows)
	}
	return page().Execute(w, data)
}

// Policy is the Content-Security-Policy under which the page is shown as it is meant:
// nothing but its own style.
func Policy() string { return certificate.Policy() }

// verdict says in a sentence what became of the factor that most inventories use.
func verdict(r *wire.Report) (text string, same bool) {
	at := slices.IndexFunc(r.Factors, func(s wire.FactorSummary) bool { return s.Kind == calc.Output && s.Gas == calc.CO2e })
	if at < 0 {
		at = slices.IndexFunc(r.Factors, func(s wire.FactorSummary) bool { return s.Kind == calc.Output && s.Gas == calc.CO2 })
	}
	if at < 0 {
		return "Output factors are not compared.", false
	}
	s := &r.Factors[at]
	gas := "CO2"
	if s.Gas == calc.CO2e {
		gas = "CO2e"
	}
	if s.Moved+s.Published+s.Added+s.Lost == 0 {
		return fmt.Sprintf("No %s output factor moved, of %s.", gas, whole(s.Compared)), true
	}
	text = fmt.Sprintf("%s of %s %s output factors moved", whole(s.Moved+s.Published), whole(s.Compared), gas)
	if s.Median != nil {
		text += "; the median change is " + percent(s.Median)
	}
	return text + ".", false
}

// whole writes a count with separators.
func whole[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// figure writes a number with six digits; nothing for one that is missing.
func figure(x *wire.Number) string {
	if x == nil {
		return ""
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(float64(*x), 'g', 6, 64), 64)
	if err != nil {
		short = float64(*x)
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// cell writes a cell: a number with six digits.
func cell(v egrid.Value) string {
	if x, ok := v.Float(); ok && v.Type() == egrid.Number {
		return figure(new(wire.Number(x)))
	}
	return v.String()
}

// mwh writes generation without decimals.
func mwh(x any) string {
	switch x := x.(type) {
	case wire.Number:
		return whole(int64(x))
	case *wire.Number:
		if x != nil {
			return whole(int64(*x))
		}
	}
	return ""
}

func percent(x *wire.Number) string {
	if x == nil {
		return ""
	}
	return egrid.Percent(float64(*x))
}

func edition(e wire.ComparedEdition) string {
	return strings.TrimSpace(fmt.Sprintf("eGRID%d %s", e.Year, e.Release))
}

func held(e wire.ComparedEdition) bool {
	return slices.ContainsFunc(e.Snapshots, func(s wire.ComparedSnapshot) bool { return s.Status == egrid.Held })
}

// by says what moved a factor.
func by(c wire.FactorChange) string {
	switch {
	case c.MovedBy == nil && c.Change == calc.Moved:
		return "not known"
	case c.MovedBy == nil:
		return string(c.Change)
	case *c.MovedBy == calc.ByBoth && c.Kind == calc.HeatInput:
		return "masses and heat input"
	case *c.MovedBy == calc.ByBoth:
		return "masses and generation"
	case *c.MovedBy == calc.ByPublished:
		return "the published rate alone"
	}
	return words(*c.MovedBy)
}

func region(level egrid.Level, code string) string {
	return strings.TrimSpace(string(level) + " " + code)
}

// change is that of the published rate where it alone moved.
func change(c wire.FactorChange) wire.LargestFactor {
	if c.Change == calc.PublishedMoved {
		return wire.LargestFactor{From: c.PublishedFrom, To: c.PublishedTo, Relative: c.Published}
	}
	return wire.LargestFactor{From: c.From, To: c.To, Relative: c.Relative}
}

func words[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }

// alone says which published rates moved without the factor.
func alone(r *wire.Report) string {
	var parts []string
	for _, s := range r.Factors {
		if s.Published > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s (%s)", whole(s.Published), s.Gas, s.Kind))
		}
	}
	if parts == nil {
		return ""
	}
	return "Published rates that moved while the sums that they follow from give the same factor: " + strings.Join(parts, ", ") + "."
}

func of(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
