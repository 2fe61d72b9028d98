package driver

import (
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// damagedIdentifier matches what spreadsheets and other tools make of identifiers
// that they take for numbers and dates: 2 becomes 2.0, 7E600 7.00E+600 or inf, 1-02
// 2-Jan or 2023-01-02 00:00:00. None occurs in EPA's own sheets.
var damagedIdentifier = regexp.MustCompile(`^(?:\d+\.0+|` +
	`\d+(?:\.\d+)?[eE][+-]\d+|[+-]?[iI]nf(?:inity)?|` +
	`\d{1,2}-` + months + `(?:-\d{2,4})?|` + months + `-\d{2,4}|` +
	`\d{4}[-/]\d{2}[-/]\d{2}(?:[ T].*)?|\d{1,2}/\d{1,2}/\d{2,4}(?: .*)?)$`)

const months = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`

// damaged finds identifiers of generators and units that a tool seems to have
// changed. They are kept as they are: nothing tells what they were.
func (a *auditor) damaged() {
	for _, c := range []egrid.Column{egrid.GeneratorID, egrid.UnitID} {
		at := a.batch.Schema().Index(c)
		if at < 0 {
			continue
		}
		v := a.batch.Column(at)
		hit := make([]bool, v.Entries())
		some := false
		for i := range hit {
			id := v.Entry(i)
			hit[i] = strings.ContainsAny(id, "+-/f.") && damagedIdentifier.MatchString(id) // matching all takes time
			some = some || hit[i]
		}
		if some {
			a.check("identifier_changed_by_a_tool", egrid.Warning, func(row int) bool { return v.Code(row) >= 0 && hit[v.Code(row)] },
				func(row int) string { return a.cells(row, at) })
		}
	}
}
