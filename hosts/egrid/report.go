package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// The most that a report for people lists; --json lists all.
const (
	fewNames   = 4  // in a line
	fewReasons = 5  // of the rejected records of a sheet
	fewSheets  = 12 // in each paragraph
)

// part is a sheet of a report and the object that it is of.
type part struct {
	object string
	*etl.SheetReport
}

func (s part) place() string { return strings.TrimSpace(s.object + " " + s.Sheet) }

func (s part) year() string {
	if s.Year == 0 {
		return ""
	}
	return fmt.Sprint(s.Year)
}

func (s part) edition() string {
	return strings.Join(strings.Fields(fmt.Sprint(s.Level, " ", s.year(), " ", s.Release)), " ")
}

// name says what the sheet holds, as far as that is known, and where it came from.
func (s part) name() string {
	if s.Level == "" {
		return s.place()
	}
	return s.edition() + " from " + s.place()
}

// evidence says what told what the sheet is, and what was overruled or left aside.
func (s part) evidence() (by string, aside []string) {
	var told []string
	for i, e := range s.Evidence {
		first := slices.IndexFunc(s.Evidence, func(other sheet.Evidence) bool { return other.Of == e.Of })
		what := strings.ReplaceAll(e.Of, "_", " ")
		switch {
		case e.Of == "sheet":
			aside = append(aside, fmt.Sprintf("%s in %s", e.Value, e.From))
		case e.Of == "figures":
			told = append(told, "figures of "+e.Value)
		case e.Of == "encoding":
			told = append(told, what+" "+e.Value+" by "+e.From)
		case e.Of == "column", e.Of == "texts", i > first:
			aside = append(aside, fmt.Sprintf("%s %s: %s", what, e.Value, e.From))
		case e.From != "default" && (e.Of != "decimal_sign" || e.Value != "."):
			from := strings.TrimSuffix(e.From, " "+path.Base(s.object)) // it stands in front of the line
			told = append(told, what+" by "+from)
		}
	}
	return strings.Join(told, ", "), aside
}

// some names a few of the names, and says how many more there are.
func some(names []string) string { return someOf(names, ", ") }

// someOf is some of what is separated otherwise.
func someOf(names []string, separator string) string {
	if more := len(names) - fewNames; more > 0 {
		return fmt.Sprintf("%s and %d more (--json lists them)", strings.Join(names[:fewNames], separator), more)
	}
	return strings.Join(names, separator)
}

// count says how many of something there are.
func count[N int | int64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return terminal.Thousands(int64(n)) + " " + what
}

// description is a report on its way to people.
type description struct {
	*etl.Report
	*terminal.Page
	parts map[etl.Status][]part
	store string // flag that names the store in commands; empty where they need none
}

// describe writes a report for people: what was loaded, what is held, what was
// rejected, what failed and what is left out, and in words what the store has now.
func (a *app) describe(r *etl.Report) error {
	d := a.describing(r)
	d.body()
	d.sum()
	return d.Err()
}

// describing begins a description.
func (a *app) describing(r *etl.Report) *description {
	d := &description{r, terminal.NewPage(a.stdout), map[etl.Status][]part{}, a.storeFlag()}
	for i := range r.Files {
		f := &r.Files[i]
		for j := range f.Sheets {
			s := &f.Sheets[j]
			d.parts[s.Status] = append(d.parts[s.Status], part{f.Object, s})
		}
	}
	return d
}

// body is what became of each sheet.
func (d *description) body() {
	d.table()
	d.told()
	d.held()
	d.rejected()
	d.notLoaded("Not loaded:", d.parts[etl.Failed], d.Text)
	d.remarks()
	d.notLoaded("Left out:", d.parts[etl.LeftOut], d.Short) // in one line each
}

// storeFlag is what commands that are printed need to find the store. An address
// that may hold credentials is not printed.
func (a *app) storeFlag() string {
	switch {
	case a.cli.Store == service.DefaultStore() || a.cli.Store == os.Getenv("EGRID_STORE"):
		return ""
	case strings.ContainsAny(a.cli.Store, "@?"):
		return " --store URL"
	}
	return " --store " + terminal.ShellWord(a.cli.Store)
}

// all are the sheets of these outcomes.
func (d *description) all(of ...etl.Status) (parts []part) {
	for _, status := range of {
		parts = append(parts, d.parts[status]...)
	}
	return parts
}

// recognized are the sheets that could be read, those that the store has first.
func (d *description) recognized() []part {
	return d.all(etl.Published, etl.Unchanged, etl.DryRun, etl.Held, etl.Status(driver.RunDiscarded))
}

func (d *description) table() {
	var t terminal.Table
	parts := d.recognized()
	rows := make([][]string, len(parts))
	for _, c := range []struct {
		name string
		of   func(part) string
	}{
		{"file", func(s part) string { return s.object }},
		{"sheet", func(s part) string { return s.Sheet }},
		{"level", func(s part) string { return string(s.Level) }},
		{"year", part.year},
		{"release", func(s part) string { return s.Release }},
		{"units", func(s part) string { return strings.TrimPrefix(s.Units, sheet.US) }},
		{"rows", func(s part) string { return terminal.Thousands(s.Read - s.Rejected) }},
		{"status", func(s part) string { return s.Status.Words() }},
	} {
		if !slices.ContainsFunc(parts, func(s part) bool { return c.of(s) != "" }) {
			continue // a column of nothing
		}
		t.Header, t.Right = append(t.Header, c.name), append(t.Right, c.name == "rows")
		for i, s := range parts {
			rows[i] = append(rows[i], c.of(s))
		}
	}
	for _, row := range rows {
		t.Add(row...)
	}
	if len(rows) > 0 {
		d.Table(t)
	}
}

func (d *description) told() {
	told := map[string]bool{} // of the data years of a sheet it is mostly the same
	line := func(s part) string {
		by, _ := s.evidence()
		return s.place() + ": " + by
	}
	parts := slices.DeleteFunc(d.recognized(), func(s part) bool {
		again := len(s.Evidence) == 0 || told[line(s)]
		told[line(s)] = true
		return again
	})
	if len(parts) == 0 {
		return
	}
	d.Heading(0, "Evidence:")
	d.few(parts, func(part) bool { return true }, func(s part) { d.Text(2, line(s)) })
}

// few writes of a few of the sheets that are meant, and says how many more there are.
func (d *description) few(parts []part, meant func(part) bool, write func(part)) {
	more := -fewSheets
	for _, s := range parts {
		if !meant(s) {
			continue
		}
		if more++; more <= 0 {
			write(s)
		}
	}
	if more > 0 {
		d.Text(2, "and "+count(more, "more sheet")+" (--json lists them)")
	}
}

func (d *description) held() {
	parts := d.parts[etl.Held]
	if len(parts) == 0 {
		return
	}
	heading := "Held for you to decide; readers keep what they had:"
	if d.Status == etl.DryRun {
		heading = "A load would hold, and readers keep what they have:"
	}
	d.Heading(0, heading)
	for _, s := range parts {
		d.Text(2, s.name()+": "+brief(s.Reason))
		for _, c := range s.Choices {
			d.Line(4, c.Command+d.store)
			d.Text(6, c.Does)
		}
	}
}

func (d *description) rejected() {
	if d.RowsRejected == 0 {
		return
	}
	d.Heading(0, fmt.Sprintf("Rejected, %s of %s:", terminal.Thousands(d.RowsRejected), count(d.RowsRead, "record")))
	remedy := ""
	d.few(append(d.recognized(), d.parts[etl.Failed]...), func(s part) bool { return len(s.Rejects) > 0 }, func(s part) {
		d.Text(2, s.name())
		for i, g := range s.Rejects {
			if i == fewReasons {
				d.Text(4, fmt.Sprintf("and %s (--json lists them)", count(len(s.Rejects)-i, "more reason")))
				break
			}
			if transform, ok := g.Transform(s.Level); ok && remedy == "" {
				remedy = mapping(s.object, transform)
			}
			if f, ok := egrid.Lookup(s.Level, string(g.Column)); ok && f.Code != "" {
				g.Column += egrid.Column(" (" + f.Code + ")")
			}
			d.Text(4, g.String())
		}
	})
	d.Text(2, "Mend them in the file, and load it again.")
	if remedy != "" {
		d.Text(2, "If a value stands for a missing one, say so in an etl.json (--mapping FILE):")
		d.Line(4, remedy)
	}
	if d.RejectsFile != nil {
		d.Text(2, "The records are kept in")
		d.Line(4, *d.RejectsFile)
	}
}

// mapping is an etl.json with a transformation for a file.
func mapping(object string, transform map[string]string) string {
	in := etl.Input{Match: object[strings.LastIndexByte(object, '/')+1:]}
	in.Transform = transform
	b, err := json.Marshal(etl.Config{Inputs: []etl.Input{in}})
	if err != nil {
		return ""
	}
	return string(b)
}

// notLoaded lists tables under a heading, those with the same reason together.
func (d *description) notLoaded(heading string, parts []part, write func(indent int, text string)) {
	if len(parts) == 0 {
		return
	}
	d.Heading(0, heading)
	var reasons []string
	names := map[string][]string{}
	for _, s := range parts {
		reason := s.Reason
		if len(s.Rejects) > 0 {
			reason = "none of its records could be read, as said above"
		}
		if names[reason] == nil {
			reasons = append(reasons, reason)
		}
		names[reason] = append(names[reason], s.name())
	}
	for _, reason := range reasons {
		of := names[reason]
		if len(of) == 1 {
			write(2, of[0]+": "+brief(reason))
			continue
		}
		write(2, count(len(of), "table")+": "+brief(reason))
		d.Text(4, some(of))
	}
}

// brief cuts a reason that names every column in the middle; --json has it whole.
func brief(reason string) string {
	const head, tail = 200, 250 // the end says what to do
	if letters := []rune(reason); len(letters) > head+tail {
		return string(letters[:head]) + " ... (--json has all) ... " + string(letters[len(letters)-tail:])
	}
	return reason
}

// remarks are what a person should know of the sheets.
func (d *description) remarks() {
	remarked := func(s part) bool { return len(remarksOn(s)) > 0 }
	parts := d.recognized()
	if !slices.ContainsFunc(parts, remarked) {
		return
	}
	d.Heading(0, "To know:")
	d.few(parts, remarked, func(s part) {
		d.Text(2, s.name())
		for _, line := range remarksOn(s) {
			d.Text(4, line)
		}
	})
}

func remarksOn(s part) (lines []string) {
	_, lines = s.evidence()
	if len(s.Unknown) > 0 {
		lines = append(lines, "unknown columns, kept as text: "+some(s.Unknown))
	}
	if len(s.Lossy) > 0 {
		lines = append(lines, "rounded in the file: "+some(s.Lossy))
	}
	for _, a := range s.Audits {
		if a.Severity != egrid.Info && a.Count > 0 {
			lines = append(lines, auditLine(a))
		}
	}
	return lines
}

func auditLine(a egrid.Audit) string {
	line := fmt.Sprintf("%s: %s", a.Severity, strings.ReplaceAll(a.Rule, "_", " "))
	if a.Count > 1 {
		line += ", " + terminal.Thousands(a.Count) + " times"
	}
	return line + ": " + someOf(a.Examples, "; ")
}

// sum says in words what is in the store now and what is not.
func (d *description) sum() {
	line := fmt.Sprintf("%s read, %s loaded, ", count(d.RowsRead, "row"), terminal.Thousands(d.RowsLoaded))
	there := int64(0)
	for _, s := range d.parts[etl.Unchanged] {
		there += s.Read - s.Rejected
	}
	if there > 0 {
		line += terminal.Thousands(there) + " there already, "
	}
	d.Heading(0, fmt.Sprintf("%s%s rejected in %.1f s", line, terminal.Thousands(d.RowsRejected), d.Seconds))
	in, out := "In the store now: ", "Not in the store: "
	if d.Status == etl.DryRun {
		d.Text(0, "Nothing was loaded: this was a dry run.")
		in, out = "A load would publish, or find there: ", "It would leave out: "
	}
	if now := editions(d.all(etl.Published, etl.Unchanged)); now != "" {
		d.Text(0, in+now+".")
	}
	var not []string
	if held := d.parts[etl.Held]; len(held) > 0 {
		why := make([]string, len(held))
		for i, s := range held {
			first, _, _ := strings.Cut(s.Reason, "; ")
			why[i] = s.edition() + ": " + brief(first)
		}
		not = append(not, fmt.Sprintf("%s (%s)", count(len(held), "held table"), someOf(why, "; ")))
	}
	if d.RowsRejected > 0 {
		not = append(not, count(d.RowsRejected, "rejected record"))
	}
	if n := len(d.parts[etl.Failed]); n > 0 {
		not = append(not, count(n, "table")+" not loaded")
	}
	if n := len(d.parts[etl.LeftOut]); n > 0 {
		not = append(not, count(n, "table")+" left out")
	}
	if len(not) > 0 {
		d.Text(0, out+strings.Join(not, "; ")+".")
	} else if d.Status != etl.DryRun {
		d.Text(0, "Nothing was rejected, held or left out.")
	}
}

// editions names what sheets hold: the levels of each data year and release.
func editions(parts []part) string {
	var order []string
	levels := map[string][]string{}
	for _, s := range parts {
		edition := strings.TrimSpace(s.year() + " " + s.Release)
		if levels[edition] == nil {
			order = append(order, edition)
		}
		if !slices.Contains(levels[edition], string(s.Level)) {
			levels[edition] = append(levels[edition], string(s.Level))
		}
	}
	for i, edition := range order {
		order[i] = strings.Join(levels[edition], ", ") + " " + edition
	}
	return strings.Join(order, "; ")
}
