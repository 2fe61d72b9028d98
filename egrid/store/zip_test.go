package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// crosswalk is a store with one crosswalk.
func crosswalk(t *testing.T, name, text string) *store.DB {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { backend.Close() })
	loadZIPs(t, backend, name, text)
	return store.New(backend)
}

func loadZIPs(t *testing.T, backend *memstore.Store, name, text string) {
	t.Helper()
	o := &store.LoadOptions{}
	o.Name = name
	loaded, err := store.Load(t.Context(), backend, strings.NewReader(text), o)
	if err != nil || loaded.Sheet.Level != egrid.ZIP || loaded.Reports[0].Status != egrid.Published {
		t.Fatalf("%s: %+v, %v", name, loaded, err)
	}
}

// textOf is a crosswalk on one line: candidates with their utilities in brackets, a
// star for the predominant ones.
func textOf(c *store.Crosswalk) string {
	star := map[bool]string{true: "*"}
	text := strings.TrimSpace(c.ZIP + " " + c.State)
	for _, s := range c.Candidates {
		text += " " + s.Subregion + star[s.Predominant]
		for _, u := range s.Utilities {
			text += fmt.Sprintf("[%s %s%s]", u.ID, u.Name, star[u.Predominant])
		}
	}
	return text
}

func TestZIP(t *testing.T) {
	t.Parallel()
	const byUtility = "zip,state,eiaid,UtilName,SUBRGN,Predominant Utility\n"
	const inARow = "zip,state,subregion_1,subregion_2,subregion_3\n"
	for name, test := range map[string]struct{ text, zip, want string }{
		"one utility":              {byUtility + "97201,OR,15248,B,NWPP,1\n", "97201", "97201 OR NWPP*[15248 B*]"},
		"ZIP+4 is asked for":       {byUtility + "97201,OR,15248,B,NWPP,1\n", " 97201-1234", "97201 OR NWPP*[15248 B*]"},
		"utilities of a subregion": {byUtility + "00015,AZ,3,C,AZNM,0\n00015,AZ,2,B,AZNM,0\n00015,AZ,1,D,AZNM,1\n", "00015", "00015 AZ AZNM*[1 D*][2 B][3 C]"},
		"two subregions":           {byUtility + "59221,MT,1,A,MROW,0\n59221,ND,2,B,NWPP,1\n", "59221", "59221 NWPP*[2 B*] MROW[1 A]"},
		"no utility":               {byUtility + "00601,PR,,,PRMS,0\n00601,PR,,,PRMS,0\n00602,PR,,,PRMS,0\n", "00601", "00601 PR PRMS*"},
		"nothing tells which":      {byUtility + "59221,MT,1,A,MROW,0\n59221,MT,2,B,NWPP,0\n", "59221", "59221 MT MROW[1 A] NWPP[2 B]"},
		"two of them, it says":     {byUtility + "59221,MT,1,A,MROW,1\n59221,MT,2,B,NWPP,1\n", "59221", "59221 MT MROW[1 A*] NWPP[2 B*]"},
		"a subregion without":      {byUtility + "59221,MT,1,A,,1\n59221,MT,2,B,NWPP,0\n", "59221", "59221 MT NWPP*[2 B]"},
		"in a row":                 {inARow + "30525,GA,SRTV,SRSO,SRVC\n", "30525", "30525 GA SRTV* SRSO SRVC"},
		"in a row, alone":          {inARow + "3850,NH,NEWE,,\n", "03850", "03850 NH NEWE*"},
		"in two rows":              {inARow + "30525,GA,SRTV,SRSO,\n30525,GA,SRTV,SRVC,\n", "30525", "30525 GA SRTV* SRSO SRVC"},
		"in two rows that differ":  {inARow + "30525,GA,SRTV,SRSO,\n30525,GA,SRSO,SRTV,\n", "30525", "30525 GA SRSO SRTV"},
		"said apart":               {"zip,predominant subregion,subregion_1,subregion_2\n59221,NWPP,MROW,NWPP\n", "59221", "59221 NWPP* MROW"},
		"subregion and no more":    {"zip,egrid_subregion\n03850,NEWE\n", "03850", "03850 NEWE*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := crosswalk(t, "ZIP23.csv", test.text).ZIP(t.Context(), test.zip, 0, "")
			if got := textOf(&c); err != nil || got != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
			code, ok := c.Subregion()
			if ok != strings.Contains(test.want, "* ") && ok != strings.Contains(strings.Split(test.want, "[")[0], "*") || ok && !strings.Contains(test.want, " "+code+"*") {
				t.Errorf("the predominant one is %q, %t; want that of %s", code, ok, test.want)
			}
		})
	}
}

func TestZIPAbsent(t *testing.T) {
	t.Parallel()
	const rows = "zip,subregion_1\n97201,NWPP\n97205,NWPP\n97202,NWPP\n97210,NWPP\n97299,NWPP\n97200,NWPP\n97300,NWPP\n99999,\n"
	db := crosswalk(t, "ZIP22.csv", rows)
	empty := memstore.New()
	defer empty.Close()
	for _, test := range []struct {
		db   *store.DB
		zip  string
		year int
		want error
		says string
	}{
		{db, "97203", 0, egrid.ErrNotFound, "no ZIP code 97203 in the crosswalk of 2022; the nearest are 97202, 97201, 97205, 97200, 97210"},
		{db, "10001", 0, egrid.ErrNotFound, "none that begins with 100"},
		{db, "97201", 2023, egrid.ErrNotFound, "data years with ZIP rows: 2022"},
		{db, "99999", 0, egrid.ErrNotFound, "without a subregion"},
		{db, "3850", 0, egrid.ErrInvalid, "it may be 03850"},
		{db, "12", 0, egrid.ErrInvalid, "five digits"},
		{db, "97201-12", 0, egrid.ErrInvalid, "five digits"},
		{db, "972011", 0, egrid.ErrInvalid, "five digits"},
		{db, "9720x", 0, egrid.ErrInvalid, "five digits"},
		{db, "", 0, egrid.ErrInvalid, "five digits"},
		{store.New(empty), "97201", 0, egrid.ErrNotFound, "egrid load --year"},
		{store.New(empty), "97201", 2023, egrid.ErrNotFound, "egrid load --year"},
		{store.New(empty), "x", 2023, egrid.ErrInvalid, "five digits"},
	} {
		if c, err := test.db.ZIP(t.Context(), test.zip, test.year, ""); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q of %d: %s, %v; want %v that tells of %q", test.zip, test.year, textOf(&c), err, test.want, test.says)
		}
	}
}

// Each data year and release has its own crosswalk.
func TestZIPYears(t *testing.T) {
	t.Parallel()
	backend := memstore.New()
	defer backend.Close()
	loadZIPs(t, backend, "ZIP22.csv", "zip,subregion_1\n97201,NWPP\n")
	loadZIPs(t, backend, "ZIP23_v1.csv", "zip,subregion_1\n97201,CAMX\n")
	loadZIPs(t, backend, "ZIP23_v2.csv", "zip,subregion_1\n97201,AZNM\n")
	db := store.New(backend)
	for _, test := range []struct {
		year          int
		release, want string
	}{{0, "", "97201 AZNM*"}, {2023, "v1", "97201 CAMX*"}, {2022, "", "97201 NWPP*"}, {2022, "none", "97201 NWPP*"}} {
		c, err := db.ZIP(t.Context(), "97201", test.year, test.release)
		if got := textOf(&c); err != nil || got != test.want || test.year != 0 && c.Snapshot.Year != test.year || c.Revision != 3 {
			t.Errorf("%d %s: %s of %d, revision %d, %v; want %s", test.year, test.release, got, c.Snapshot.Year, c.Revision, err, test.want)
		}
	}
	older, err := db.ZIP(t.Context(), "97201", 2022, "")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := db.At(older.Snapshot.ID).ZIP(t.Context(), "97201", 0, ""); err != nil || textOf(&c) != "97201 NWPP*" {
		t.Errorf("at %s: %s, %v", older.Snapshot.ID, textOf(&c), err)
	}
}
