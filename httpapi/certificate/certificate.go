// Package certificate writes the certificate of an edition as a page to read, print
// and keep: one HTML file that needs nothing else.
//
//	w.Header().Set("Content-Security-Policy", certificate.Policy())
//	err := certificate.Write(w, &c)
//
// Start with [Write]. The certificate is the JSON that the API answers, so a page can
// be made of it anywhere.
//
// # Guarantees
//
// The page has no script, loads nothing, and stands under [Policy]. What comes from
// files is escaped. Equal certificates give equal bytes.
//
// # Errors
//
// Those of the writer.
//
// # See also
//
// Function calc.Reconcile makes certificates; wire.CertificateOf makes their JSON.
package certificate

import (
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// mostCells is how many cells a page shows.
const mostCells = 1000

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("certificate").Funcs(template.FuncMap{
		"style": Style,
		"whole": whole, "figure": figure, "basis": basis, "stands": stands,
	}).Parse(pageHTML))
})

// Write writes the page. It shows the first thousand cells of the certificate.
func Write(w io.Writer, c *wire.Certificate) error {
	shown := c.Cells[:min(mostCells, len(c.Cells))]
	return page().Execute(w, struct {
		*wire.Certificate
		Edition        string
		Differ, Hidden int
		Shown          []wire.CertificateCell
	}{c, strings.TrimSpace("eGRID" + strconv.Itoa(c.Year) + " " + c.Release), c.Checked - c.Matched, len(c.Cells) - len(shown), shown})
}

// Policy is the Content-Security-Policy under which the page is shown as it is meant:
// nothing but its own style.
func Policy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'"
}

// Style is the style of the page, for pages that look like it and stand under [Policy].
func Style() template.CSS { return template.CSS(pageCSS) } //nolint:gosec // our own file

// whole writes a count with separators.
func whole(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// figure writes a number with every digit that it has.
func figure(x wire.Number) string { return strconv.FormatFloat(float64(x), 'f', -1, 64) }

// basis says in words what figures were held against.
func basis(level, from egrid.Level, relation calc.Relation) string {
	switch {
	case from == egrid.PLNT:
		return "its plants"
	case from != level:
		return fmt.Sprint("the sums of ", from)
	case relation == calc.AtMost:
		return "what its masses allow"
	}
	return "its own sums"
}

// stands says how a published figure stands to the computed one.
func stands(c wire.CertificateCell) string {
	d, t := c.Difference, c.Tolerance
	switch {
	case c.Relation == calc.AtMost && d > t:
		return ">"
	case c.Relation == calc.AtLeast && d < -t:
		return "<"
	case c.Relation == calc.AtMost:
		return "≤"
	case c.Relation == calc.AtLeast:
		return "≥"
	case d > t || d < -t:
		return "≠"
	}
	return "="
}
