package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl/fetch"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type fetchCmd struct {
	Year      int    `arg:"" optional:"" help:"Data year, as 2023."`
	List      bool   `help:"Print the catalogue of editions, of all data years or of one." env:"-"`
	Release   string `help:"Release, e.g. v2 or rev1; none for the unmarked one. Default: the newest." env:"-"`
	Units     string `help:"us or metric. Default: us, if the release is to be had in these." env:"-"`
	Authority string `help:"Who published it. Default: EPA, if it published the year." env:"-"`
	Catalogue string `help:"Your own editions, as CSV: they replace and add to those of the program." type:"path" placeholder:"FILE"`
	Dir       string `help:"Where the files are put. Default: ${data_dir}/workbooks." type:"path" placeholder:"FOLDER" env:"-"`
	Load      bool   `help:"Load what was downloaded." env:"-"`
	JSON      bool   `help:"Print JSON."`
	publishing
}

// Help is printed below the flags.
func (*fetchCmd) Help() string {
	return `Examples:
  egrid fetch --list
  egrid fetch 2023
  egrid fetch 2023 --release rev1 --dir data/2023
  egrid fetch 2014 --load`
}

func (c *fetchCmd) Run(a *app) error {
	catalogue, err := c.editions()
	if err != nil {
		return err
	}
	if c.List {
		return c.list(a, catalogue)
	}
	if c.Year == 0 {
		return fmt.Errorf("%w: which data year? egrid fetch 2023, or egrid fetch --list", egrid.ErrInvalid)
	}
	edition, err := catalogue.Find(fetch.Want{Year: c.Year, Release: c.Release, Units: c.Units, Authority: c.Authority})
	if err != nil {
		return err
	}
	bar := terminal.NewBar(a.stderr)
	bar.Unit = "bytes"
	o := fetch.Options{Logger: a.log, Progress: func(done, total int64) { bar.Draw(edition.String(), done, total) }}
	file, err := fetch.Get(a.ctx, edition, cmp.Or(c.Dir, filepath.Join(service.DataDir(), "workbooks")), &o)
	bar.Clear()
	switch {
	case errors.Is(err, egrid.ErrNotFound) && edition.Address == "":
		return fmt.Errorf("%w; then egrid load FILE --year %d", err, edition.Year)
	case err != nil:
		return err
	case c.Load:
		return (&loadCmd{Source: file.Load, JSON: c.JSON, reading: reading{Authority: edition.Authority}, publishing: c.publishing}).Run(a)
	case c.JSON:
		return printJSON(a, struct {
			Edition fetch.Edition `json:"edition"`
			fetch.File
		}{edition, file})
	}
	return describeFile(a, edition, file)
}

func (c *fetchCmd) editions() (fetch.Catalogue, error) {
	if c.Catalogue == "" {
		return fetch.Editions(), nil
	}
	f, err := os.Open(c.Catalogue)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	own, err := fetch.ReadCatalogue(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Catalogue, err)
	}
	return fetch.Editions().With(own), nil
}

func (c *fetchCmd) list(a *app, catalogue fetch.Catalogue) error {
	shown := fetch.Catalogue{}
	for _, e := range catalogue {
		if c.Year == 0 || e.Year == c.Year {
			shown = append(shown, e)
		}
	}
	if len(shown) == 0 {
		_, err := catalogue.Find(fetch.Want{Year: c.Year})
		return err
	}
	if c.JSON {
		return printJSON(a, shown)
	}
	t := terminal.Table{Header: []string{"year", "release", "released", "authority", "units", "gwp", "bytes", "sha256", "from"}, Right: []bool{false, false, false, false, false, false, true}}
	for _, e := range shown {
		size, from := "", "page"
		if e.Bytes > 0 {
			size = terminal.Thousands(e.Bytes)
		}
		if u, err := url.Parse(e.Address); err == nil && e.Address != "" {
			from = strings.TrimPrefix(path.Ext(u.Path), ".")
		}
		t.Add(fmt.Sprint(e.Year), cmp.Or(e.Release, egrid.NoRelease), e.Released, e.Authority, e.Units, e.GWP, size, e.SHA256[:min(8, len(e.SHA256))], from)
	}
	if err := t.Write(a.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, "\nfrom: the kind of file at the address; page: no address is known, see --json")
	return err
}

func describeFile(a *app, e fetch.Edition, f fetch.File) error {
	state := "SHA-256 recorded beside it; the catalogue has none to compare"
	if f.Verified {
		state = "SHA-256 as in the catalogue"
	}
	if f.Cached {
		state += "; it was there already"
	}
	command := "egrid load"
	for _, name := range f.Load {
		command += " " + quote(name)
	}
	if e.Authority != fetch.EPA { // what nothing says is taken for EPA's
		command += " --authority " + quote(e.Authority)
	}
	_, err := fmt.Fprintf(a.stdout, "%s, %s bytes\n%s\n%s  %s\n\nnext: %s\n", e, terminal.Thousands(f.Bytes), f.Path, f.SHA256, state, command)
	return err
}

var plain = regexp.MustCompile(`^[\w./:@%+,=-]+$`)

// quote writes an argument as a shell reads it.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
