package fetch

import (
	"cmp"
	_ "embed" // for the catalogue
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// The units that a workbook is in, and the publisher of nearly all of them.
const (
	US     = "us"     // short tons, lb, MMBtu
	Metric = "metric" // metric tons, kg, GJ
	EPA    = "EPA"
)

// Edition is one release of a data year, as somebody published it. What is not
// known is empty or 0.
type Edition struct {
	Year      int    `json:"year"`
	Release   string `json:"release"`   // "" is the one without a mark
	Released  string `json:"released"`  // day, month or year: 2025-06-12, 2003-05
	Authority string `json:"authority"` // who published it
	Units     string `json:"units"`     // US or Metric
	GWP       string `json:"gwp"`       // vintage of CO2e: SAR, AR4, AR5
	Address   string `json:"address"`   // of a workbook, or of a ZIP archive that has it
	Files     string `json:"files"`     // in an archive: the pattern of the edition's files, as of path.Match, in lower case
	Page      string `json:"page"`      // where a person finds it
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
	Source    string `json:"source"` // where this row is from
}

// String names the edition: eGRID2023 rev2.
func (e Edition) String() string {
	name := strings.TrimSpace(fmt.Sprintf("eGRID%d %s", e.Year, e.Release))
	if e.Units == Metric {
		name += " in metric units"
	}
	if e.Authority != EPA {
		name += " of " + e.Authority
	}
	return name
}

func (e Edition) page() string { return cmp.Or(e.Page, "the publisher's page") }

// Catalogue is editions, the newest data year and release first.
type Catalogue []Edition

//go:embed editions.csv
var editionsCSV string

var loadEditions = sync.OnceValue(func() Catalogue {
	c, err := ReadCatalogue(strings.NewReader(editionsCSV))
	if err != nil {
		panic("fetch: editions.csv: " + err.Error())
	}
	return c
})

// Editions returns the editions that this package knows.
func Editions() Catalogue { return slices.Clone(loadEditions()) }

// columns are the columns of a catalogue, and how an edition gets them.
var columns = map[string]func(e *Edition, cell string) error{
	"year": func(e *Edition, cell string) (err error) {
		if e.Year, err = strconv.Atoi(cell); err != nil {
			return errors.New("is no year")
		}
		return egrid.CheckYear(e.Year)
	},
	"release":   func(e *Edition, cell string) (err error) { e.Release, err = egrid.ParseRelease(cell); return err },
	"released":  func(e *Edition, cell string) error { e.Released = cell; return nil },
	"authority": func(e *Edition, cell string) error { e.Authority = cmp.Or(cell, EPA); return nil },
	"units": func(e *Edition, cell string) error {
		if e.Units = cmp.Or(strings.ToLower(cell), US); e.Units != US && e.Units != Metric {
			return errors.New("is neither us nor metric")
		}
		return nil
	},
	"gwp": func(e *Edition, cell string) error { e.GWP = cell; return nil },
	"address": func(e *Edition, cell string) error {
		e.Address = cell
		if cell == "" {
			return nil
		}
		_, _, err := e.locate()
		return err
	},
	"files": func(e *Edition, cell string) error {
		e.Files = strings.ToLower(cell)
		if _, err := path.Match(e.Files, ""); err != nil {
			return errors.New("is no pattern")
		}
		return nil
	},
	"page": func(e *Edition, cell string) error { e.Page = cell; return nil },
	"bytes": func(e *Edition, cell string) (err error) {
		if cell == "" {
			return nil
		}
		if e.Bytes, err = strconv.ParseInt(cell, 10, 64); err != nil || e.Bytes <= 0 {
			return errors.New("is no number of bytes")
		}
		return nil
	},
	"sha256": func(e *Edition, cell string) error {
		e.SHA256 = strings.ToLower(cell)
		if b, err := hex.DecodeString(e.SHA256); err != nil || len(b) != 0 && len(b) != 32 {
			return errors.New("is no SHA-256, which has 64 hexadecimal digits")
		}
		return nil
	},
	"source": func(e *Edition, cell string) error { e.Source = cell; return nil },
}

// ReadCatalogue reads a catalogue from CSV. The first line names the columns: year,
// and any of release, released, authority (default EPA), units (default us), gwp,
// address, files, page, bytes, sha256 and source, in any order. The error wraps
// [egrid.ErrInvalid] and names line and column.
func ReadCatalogue(r io.Reader) (Catalogue, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%w: catalogue: %w", egrid.ErrInvalid, err)
	}
	if len(rows) == 0 || !slices.Contains(rows[0], "year") {
		return nil, fmt.Errorf("%w: catalogue: the first line must name the columns, year among them", egrid.ErrInvalid)
	}
	for _, name := range rows[0] {
		if columns[name] == nil {
			return nil, fmt.Errorf("%w: catalogue: no column is called %q", egrid.ErrInvalid, name)
		}
	}
	var c Catalogue
	for i, row := range rows[1:] {
		e := Edition{Authority: EPA, Units: US}
		for j, cell := range row {
			name := rows[0][j]
			if err := columns[name](&e, strings.TrimSpace(cell)); err != nil {
				return nil, fmt.Errorf("%w: catalogue, row %d, %s %w", egrid.ErrInvalid, i+1, name, err)
			}
		}
		c = append(c, e)
	}
	return Catalogue{}.With(c), nil
}

// With returns the editions of both. One of other replaces that of the same data
// year, release, units and authority.
func (c Catalogue) With(other Catalogue) Catalogue {
	all := slices.Clone(c)
	for _, e := range other {
		same := func(x Edition) bool { return rank(x, e) == 0 }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i] = e
		} else {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, rank)
	return all
}

// rank orders editions by how likely they are meant: the newest first, those of
// EPA before others, those in US units before metric ones.
func rank(a, b Edition) int {
	authority := func(e Edition) string {
		if strings.EqualFold(e.Authority, EPA) {
			return "" // before all others
		}
		return strings.ToLower(e.Authority)
	}
	return cmp.Or(
		cmp.Compare(b.Year, a.Year),
		cmp.Compare(authority(a), authority(b)),
		egrid.CompareReleases(b.Release, a.Release),
		cmp.Compare(b.Units, a.Units),
	)
}

// Want says which edition is meant. Only Year must be given.
type Want struct {
	Year      int
	Release   string // default the newest; none for the one without a mark
	Authority string // default EPA, if it has published the year
	Units     string // default US, if the release is to be had in these
}

// Find returns the edition that is meant. The error wraps [egrid.ErrNotFound] and
// names those that there are.
func (c Catalogue) Find(w Want) (Edition, error) {
	found := slices.DeleteFunc(slices.Clone(c), func(e Edition) bool { return e.Year != w.Year })
	if len(found) == 0 {
		return Edition{}, c.noYear(w.Year)
	}
	release := w.Release
	if r, err := egrid.ParseRelease(w.Release); err == nil && w.Release != "" {
		release = cmp.Or(r, egrid.NoRelease)
	}
	for _, by := range []struct {
		name, want string
		of         func(Edition) string
	}{
		{"authority", w.Authority, func(e Edition) string { return e.Authority }},
		{"release", release, func(e Edition) string { return cmp.Or(e.Release, egrid.NoRelease) }},
		{"units", w.Units, func(e Edition) string { return e.Units }},
	} {
		if by.want == "" {
			continue
		}
		var there []string
		for _, e := range found {
			there = append(there, by.of(e))
		}
		found = slices.DeleteFunc(found, func(e Edition) bool { return !strings.EqualFold(by.of(e), by.want) })
		if len(found) == 0 {
			slices.Sort(there)
			return Edition{}, fmt.Errorf("%w: the catalogue has no %s %q of eGRID%d; it has %s",
				egrid.ErrNotFound, by.name, by.want, w.Year, strings.Join(slices.Compact(there), ", "))
		}
	}
	return slices.MinFunc(found, rank), nil
}

func (c Catalogue) noYear(year int) error {
	var before, after int
	for _, e := range c {
		if e.Year < year {
			before = max(before, e.Year)
		} else if after == 0 || e.Year < after {
			after = e.Year
		}
	}
	nearest := strconv.Itoa(before)
	switch {
	case before == 0 && after == 0:
		return fmt.Errorf("%w: the catalogue is empty", egrid.ErrNotFound)
	case before == 0:
		nearest = strconv.Itoa(after)
	case after != 0:
		nearest += " and " + strconv.Itoa(after)
	}
	return fmt.Errorf("%w: there is no eGRID of data year %d in the catalogue; nearest: %s", egrid.ErrNotFound, year, nearest)
}

// locate returns the parts of the address, and the name that its file gets.
func (e Edition) locate() (*url.URL, string, error) {
	u, err := url.Parse(e.Address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, "", fmt.Errorf("%w: the address is no http or https URL", egrid.ErrInvalid)
	}
	name := path.Base(u.Path)
	if !usable(name) {
		return nil, "", fmt.Errorf("%w: the address ends with no file name", egrid.ErrInvalid)
	}
	return u, name, nil
}

// usable says whether a name from elsewhere may be one of a file in a folder,
// and be printed.
func usable(name string) bool {
	return name != "." && filepath.IsLocal(name) && !strings.ContainsAny(name, `/\:`) &&
		strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// shown is an address without what may be secret.
func shown(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }
