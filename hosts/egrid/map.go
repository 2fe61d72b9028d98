package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type mapCmd struct {
	File    string `arg:"" help:"A file with a table whose headers are not EPA's codes." type:"path"`
	Level   string `short:"l" env:"-" help:"Level of its rows. Default: the one that most headers are columns of."`
	Year    int    `short:"y" env:"-" help:"Data year, where the file does not tell."`
	Release string `env:"-" help:"Release, e.g. v2, where the file's name does not tell."`
	Output  string `short:"o" env:"-" help:"File to write, e.g. etl.json. Default: standard output." type:"path" placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (c *mapCmd) Help() string {
	return `Recognises columns by the words of their headers, by units and by values, and
writes a mapping for egrid load --mapping. On stderr it says what it took each
header for, from which evidence: read that before you load. Exit status 3 where
the file cannot be loaded with it yet, with the reason.

Examples:

  egrid map generators.csv > etl.json
  egrid map generators.csv --level GEN --year 2021 --output etl.json
  egrid load --mapping etl.json generators.csv`
}

func (c *mapCmd) Run(a *app) error {
	var level egrid.Level
	if c.Level != "" {
		var err error
		if level, err = parseLevel(c.Level); err != nil {
			return err
		}
	}
	if _, err := egrid.ParseRelease(c.Release); err != nil {
		return err
	}
	if c.Year != 0 {
		if err := egrid.CheckYear(c.Year); err != nil {
			return err
		}
	}
	found, table, err := propose(c.File, level)
	if err != nil {
		return err
	}
	input := etl.Input{Match: pattern(filepath.Base(c.File)), Level: found.Level, Year: c.Year, Release: c.Release, Mapping: found.Mapping}
	if err := a.tellProposal(found, table); err != nil {
		return err
	}
	if len(found.Mapping.Columns) == 0 {
		a.tell("all headers that are known are EPA's codes or our names: egrid load %s needs no mapping for them", terminal.ShellWord(c.File))
	}
	text, err := json.MarshalIndent(etl.Config{Inputs: []etl.Input{input}}, "", "  ")
	if err != nil {
		return err
	}
	if err := a.to(c.Output, func(w io.Writer) error {
		_, err := w.Write(append(terminal.EscapeJSON(text), '\n'))
		return err
	}); err != nil {
		return err
	}
	return a.tryMapping(c.File, input, cmp.Or(c.Output, "etl.json"))
}

// pattern is a name as a pattern that matches it alone.
func pattern(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// propose finds the table of a file of which most is recognised.
func propose(name string, level egrid.Level) (best *sheet.Proposal, table string, err error) {
	f, err := os.Open(name) //nolint:gosec // the person names the file
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%w: %s is no file", egrid.ErrInvalid, name)
	}
	b, err := book.Open(f, info.Size(), &book.Options{Formats: service.Inputs()})
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	var none error
	for _, t := range b.Tables() {
		text, err := t.Open()
		if err != nil {
			return nil, "", err
		}
		found, err := sheet.Propose(text, &sheet.ReaderOptions{Name: path.Base(name), Sheet: t.Name, Grid: t.Grid, Objects: t.Objects, Level: level})
		switch err := errors.Join(err, text.Close()); {
		case err != nil:
			none = err
		case best == nil || len(found.Mapping.Columns) > len(best.Mapping.Columns):
			best, table = found, t.Name
		}
	}
	if best == nil && none == nil {
		none = fmt.Errorf("%w: %s has no table", egrid.ErrInvalid, name)
	}
	if best == nil {
		return nil, "", none
	}
	return best, table, nil
}

// tellProposal says on stderr what each header was taken for.
func (a *app) tellProposal(p *sheet.Proposal, table string) error {
	what := "taken for level " + string(p.Level) + " by " + p.From
	if table != "" {
		what = "table " + table + " " + what
	}
	a.tell("%s", what)
	c := []terminal.Column{{Name: "header", Wrap: true}, {Name: "becomes", Keep: true}, {Name: "by", Wrap: true}, {Name: "values"}}
	for _, h := range p.Columns {
		becomes := string(h.Column)
		if becomes == "" {
			becomes = "-"
		}
		for i, cell := range []string{h.Header, becomes, h.From, strings.Join(h.Examples, "; ")} {
			c[i].Cells = append(c[i].Cells, cell)
		}
	}
	s := terminal.Sheet{Columns: c, Width: terminal.Columns(a.stderr), All: true}
	_, err := s.Write(a.stderr)
	return err
}

// tryMapping validates the file with the mapping, and says what came of it.
func (a *app) tryMapping(file string, input etl.Input, name string) error {
	source, err := service.OpenSource([]string{file}, nil)
	if err != nil {
		return err
	}
	p := etl.New(source, nil, &etl.Options{Config: etl.Config{Inputs: []etl.Input{input}}, Formats: service.Inputs(), Logger: a.log})
	scanned, err := p.Scan(a.ctx)
	if err != nil {
		return err
	}
	v, err := p.Validate(a.ctx, scanned)
	if err != nil {
		return err
	}
	r := v.Report()
	for i := range r.Files {
		for j := range r.Files[i].Sheets {
			if s := &r.Files[i].Sheets[j]; s.Reason != "" {
				a.tell("it cannot be loaded so: %s", s.Reason)
			}
		}
	}
	if r.Failed() {
		return incomplete
	}
	a.tell("with it there are %s, of which %s cannot be read; load them with egrid load --mapping %s %s",
		count(r.RowsRead, "row"), terminal.Thousands(r.RowsRejected), terminal.ShellWord(name), terminal.ShellWord(file))
	if !v.OK() {
		return incomplete
	}
	return nil
}
