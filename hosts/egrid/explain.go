package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// explain tells of each sheet what it is taken for, from which evidence, and what
// becomes of each column.
func (a *app) explain(v etl.Validated) error {
	p := terminal.NewPage(a.stdout)
	for _, f := range v.Files {
		if f.Error != "" {
			p.Heading(0, f.Name)
			p.Text(2, f.Error)
		}
		common := commonEvidence(f.Sheets)
		if len(common) > 0 {
			p.Heading(0, f.Name)
			explainEvidence(p, "Evidence of all its sheets", common)
		}
		for i := range f.Sheets {
			s := &f.Sheets[i]
			p.Heading(0, strings.TrimSpace(f.Name+" "+s.Member))
			if s.Error != "" {
				p.Text(2, map[bool]string{false: "not loaded: ", true: "left out: "}[s.LeftOut]+s.Error)
			}
			if s.Sheet != nil {
				explainSheet(p, s, common)
			}
		}
	}
	return p.Err()
}

// commonEvidence is what is said of every one of several sheets that can be read.
func commonEvidence(sheets []etl.CheckedSheet) (common []sheet.Evidence) {
	read := 0
	for i := range sheets {
		s := sheets[i].Sheet
		if s == nil {
			continue
		}
		if read++; read == 1 {
			common = slices.Clone(s.Evidence)
		}
		common = slices.DeleteFunc(common, func(e sheet.Evidence) bool { return !slices.Contains(s.Evidence, e) })
	}
	if read < 2 {
		return nil
	}
	return common
}

func explainEvidence(p *terminal.Page, heading string, evidence []sheet.Evidence) {
	p.Heading(2, heading)
	t := terminal.Table{Indent: 2, Header: []string{"of", "value", "from"}}
	for _, e := range evidence {
		t.Add(strings.ReplaceAll(e.Of, "_", " "), cmp.Or(e.Value, "of each row"), e.From)
	}
	p.Table(t)
}

// explainSheet leaves out the evidence that was told of all sheets.
func explainSheet(p *terminal.Page, s *etl.CheckedSheet, told []sheet.Evidence) {
	p.Text(2, fmt.Sprintf("taken for %s; its codes stand in line %d; %s", taken(s), s.Sheet.HeaderLine, count(s.Rows, "row")))
	own := slices.DeleteFunc(slices.Clone(s.Sheet.Evidence), func(e sheet.Evidence) bool { return slices.Contains(told, e) })
	if len(own) > 0 {
		explainEvidence(p, "Evidence", own)
	}
	unknown, left := 0, 0
	t := terminal.Table{Indent: 2, Header: []string{"in the file", "becomes", "unit", "changed"}}
	for _, c := range s.Sheet.Cells {
		unit, change := "", ""
		switch at := s.Sheet.Schema.Index(c.Column); {
		case c.Column == "":
			change = "left out"
			left++
		case slices.Contains(s.Sheet.Unknown, c.Column):
			change = "unknown, kept as text"
			unknown++
		case at >= 0:
			f := s.Sheet.Schema.Field(at)
			unit, change = f.Unit, changed(s, c, f)
		}
		t.Add(c.Header, string(c.Column), unit, change)
	}
	p.Heading(2, fmt.Sprintf("Columns: %d known, %d unknown and kept, %d left out", len(s.Sheet.Cells)-unknown-left, unknown, left))
	p.Table(t)
	if len(s.Rejects) > 0 {
		p.Heading(2, "Rejected")
		for _, g := range s.Rejects {
			p.Text(4, g.String()+"; "+g.Remedy)
		}
	}
	held := func(y etl.CheckedYear) bool { return y.Held != "" }
	if slices.ContainsFunc(s.Years, held) {
		p.Heading(2, "A load would hold")
		for _, y := range s.Years {
			if held(y) {
				p.Text(4, fmt.Sprintf("%s %d: %s", s.Sheet.Level, y.Year, y.Held))
			}
		}
	}
	if len(s.Audits) > 0 {
		p.Heading(2, "Audits")
		for _, audit := range s.Audits {
			p.Text(4, auditLine(audit))
		}
	}
}

// taken says what a sheet is taken for.
func taken(s *etl.CheckedSheet) string {
	years := make([]string, len(s.Years))
	for i, year := range s.Years {
		years[i] = fmt.Sprint(year.Year)
	}
	what := strings.TrimSpace(fmt.Sprint(s.Sheet.Level, " ", strings.Join(years, " and "), " ", s.Sheet.Release))
	if s.Sheet.Units == sheet.US {
		return what + ", US units"
	}
	if s.Sheet.Units != "" {
		what += ", " + s.Sheet.Units + " units"
	}
	return what
}

// changed says what is done to the values of a column, or was done before.
func changed(s *etl.CheckedSheet, c sheet.SheetColumn, f egrid.Field) string {
	var how []string
	if c.Transform != "" {
		how = append(how, c.Transform)
	}
	if c.Unit != "" {
		how = append(how, "from "+c.Unit)
	}
	if f.Unit == "fraction" && s.Sheet.ShareScale != 1 {
		how = append(how, "from percent")
	}
	for _, year := range s.Years {
		if slices.Contains(year.Lossy, c.Column) {
			how = append(how, "rounded in the file")
			break
		}
	}
	return strings.Join(how, ", ")
}
