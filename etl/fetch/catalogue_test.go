package fetch_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl/fetch"
)

// Each data year that EPA published is there, and each row says where it is from.
func TestEditions(t *testing.T) {
	t.Parallel()
	var years []int
	for _, e := range fetch.Editions() {
		years = append(years, e.Year)
		if e.Source == "" || e.Page == "" {
			t.Errorf("%s: no source or no page", e)
		}
		if u, err := url.Parse(e.Address); err != nil || e.Address != "" && u.Scheme != "https" {
			t.Errorf("%s: address %q", e, e.Address)
		}
		if strings.HasSuffix(e.Address, ".zip") != (e.Files != "") {
			t.Errorf("%s: an archive and the pattern of its files belong together", e)
		}
	}
	slices.Sort(years)
	want := []int{1996, 1997, 1998, 1999, 2000, 2004, 2005, 2007, 2009, 2010, 2012, 2014, 2016, 2018, 2019, 2020, 2021, 2022, 2023, 2024}
	if got := slices.Compact(years); !slices.Equal(got, want) {
		t.Errorf("data years %v; want %v", got, want)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	own, err := fetch.ReadCatalogue(strings.NewReader("year,release,address,authority\n2024,,https://example.org/us.xlsx,EPA\n2022,v2,https://example.org/egrid2022_data_v2.xlsx,\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		catalogue fetch.Catalogue
		want      fetch.Want
		edition   string
		err       string
	}{
		{"newest release", fetch.Editions(), fetch.Want{Year: 2023}, "eGRID2023 rev2", ""},
		{"another letter case", fetch.Editions(), fetch.Want{Year: 2023, Release: "REV1"}, "eGRID2023 rev1", ""},
		{"without a mark", fetch.Editions(), fetch.Want{Year: 2023, Release: "none"}, "eGRID2023", ""},
		{"metric", fetch.Editions(), fetch.Want{Year: 2023, Units: "metric"}, "eGRID2023 rev2 in metric units", ""},
		{"what there is", fetch.Editions(), fetch.Want{Year: 2024}, "eGRID2024 in metric units of Cornerstone", ""},
		{"EPA's before others'", fetch.Editions().With(own), fetch.Want{Year: 2024}, "eGRID2024", ""},
		{"others' by name", fetch.Editions().With(own), fetch.Want{Year: 2024, Authority: "cornerstone"}, "eGRID2024 in metric units of Cornerstone", ""},
		{"one's own newer release", fetch.Editions().With(own), fetch.Want{Year: 2022}, "eGRID2022 v2", ""},
		{"a gap", fetch.Editions(), fetch.Want{Year: 2017}, "", "nearest: 2016 and 2018"},
		{"too early", fetch.Editions(), fetch.Want{Year: 1990}, "", "nearest: 1996"},
		{"too late", fetch.Editions(), fetch.Want{Year: 2203}, "", "nearest: 2024"},
		{"no such release", fetch.Editions(), fetch.Want{Year: 2023, Release: "rev9"}, "", `no release "rev9" of eGRID2023; it has none, rev1, rev2`},
		{"no release at all", fetch.Editions(), fetch.Want{Year: 2023, Release: "rve2"}, "", "it has none, rev1, rev2"},
		{"no such units", fetch.Editions(), fetch.Want{Year: 2024, Units: "us"}, "", "it has metric"},
		{"no such authority", fetch.Editions(), fetch.Want{Year: 2024, Authority: "EPA"}, "", "it has Cornerstone"},
		{"nothing", nil, fetch.Want{Year: 2024}, "", "empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, err := c.catalogue.Find(c.want)
			if c.err == "" {
				if err != nil || e.String() != c.edition {
					t.Errorf("%v, %v; want %s", e, err, c.edition)
				}
			} else if !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v; want one with %q", err, c.err)
			}
		})
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	own, err := fetch.ReadCatalogue(strings.NewReader("sha256,year,units,release,address\n" + strings.Repeat("AB", 32) + ",2023,US,rev2,http://localhost/mirror/egrid2023_data_rev2.xlsx\n"))
	if err != nil {
		t.Fatal(err)
	}
	all := fetch.Editions().With(own)
	if len(all) != len(fetch.Editions()) {
		t.Errorf("%d editions; want as many as before", len(all))
	}
	e, err := all.Find(fetch.Want{Year: 2023})
	if err != nil || e.SHA256 != strings.Repeat("ab", 32) || e.Address != own[0].Address || e.Bytes != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if e, _ := fetch.Editions().Find(fetch.Want{Year: 2023}); e.Address == own[0].Address {
		t.Error("With changed the catalogue of the package")
	}
}

func TestReadCatalogueErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "first line"},
		{"no year", "release,address\nv2,\n", "year among them"},
		{"unknown column", "year,url\n2023,\n", `"url"`},
		{"a year of text", "year\ntwenty\n", "row 1, year is no year"},
		{"a year to come", "year\n2023\n2999\n", "row 2, year"},
		{"release", "year,release\n2023,final\n", "release"},
		{"units", "year,units\n2023,SI\n", "units is neither us nor metric"},
		{"scheme", "year,address\n2023,ftp://example.org/a.xlsx\n", "no http or https URL"},
		{"folder", "year,address\n2023,https://example.org/\n", "no file name"},
		{"pattern", "year,files\n2023,[\n", "no pattern"},
		{"size", "year,bytes\n2023,-5\n", "no number of bytes"},
		{"short sum", "year,sha256\n2023,abcd\n", "64 hexadecimal digits"},
		{"sum", "year,sha256\n2023," + strings.Repeat("xy", 32) + "\n", "64 hexadecimal digits"},
		{"quote", "year\n\"2023\n", "catalogue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := fetch.ReadCatalogue(strings.NewReader(c.text))
			if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want one with %q", err, c.want)
			}
		})
	}
	_, err := fetch.ReadCatalogue(strings.NewReader("year,address\n2023,ftp://me:hunter2@example.org/a.xlsx?key=hunter2\n"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

// What is read can be asked for.
func FuzzReadCatalogue(f *testing.F) {
	f.Add("year,release,address\n2023,rev2,https://example.org/a.xlsx\n")
	f.Add("year,units,authority,files\n1996,metric,X,egrid*.xls\n1996,us,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := fetch.ReadCatalogue(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, e := range c {
			release := e.Release
			if release == "" {
				release = egrid.NoRelease
			}
			got, err := c.Find(fetch.Want{Year: e.Year, Release: release, Authority: e.Authority, Units: e.Units})
			if err != nil || got != e {
				t.Fatalf("%+v is found as %+v, %v", e, got, err)
			}
		}
	})
}
