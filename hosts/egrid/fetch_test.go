package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/etl/fetch"
)

func TestFetch(t *testing.T) {
	s := newShell(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "gone") {
			http.Error(w, "gone", http.StatusGone)
			return
		}
		_, _ = w.Write([]byte(generators))
	}))
	t.Cleanup(server.Close)
	own := s.file("own.csv", "year,release,address,authority\n2023,rev3,"+server.URL+"/it's/GEN23_rev3.csv,\n2022,v9,"+server.URL+"/gone/GEN22.csv,\n2021,v9,,\n2025,,"+server.URL+"/PLNT25.csv,Some Body\n")
	t.Setenv("EGRID_CATALOGUE", own)
	path := filepath.Join(os.Getenv("XDG_DATA_HOME"), "egrid", "workbooks", "GEN23_rev3.csv")

	out := s.run(0, "fetch", "2023")
	for _, want := range []string{"eGRID2023 rev3", path + "\n", "SHA-256 recorded", "next: egrid load " + path} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if out := s.run(0, "fetch", "2023"); !strings.Contains(out, "there already") {
		t.Errorf("fetched again:\n%s", out)
	}
	dir := filepath.Join(s.dir, "two words'")
	if out := s.run(0, "fetch", "2023", "--release", "rev3", "--dir", dir); !strings.Contains(out, `next: egrid load '`+s.dir+`/two words'\''/GEN23_rev3.csv'`) {
		t.Errorf("a path is not quoted:\n%s", out)
	}
	var file struct {
		Edition fetch.Edition `json:"edition"`
		fetch.File
	}
	if err := json.Unmarshal([]byte(s.run(0, "fetch", "2023", "--json")), &file); err != nil || file.Edition.Release != "rev3" || !file.Cached || file.Path != path || len(file.SHA256) != 64 {
		t.Errorf("%+v, %v", file, err)
	}

	store := "sqlite:" + filepath.Join(s.dir, "egrid.db")
	if out := s.run(0, "--store", store, "fetch", "2023", "--load"); !strings.Contains(out, "4 rows read, 4 loaded") {
		t.Errorf("not loaded:\n%s", out)
	}
	if out := s.run(0, "--store", store, "snapshots"); !strings.Contains(out, "rev3") {
		t.Errorf("the release is not kept:\n%s", out)
	}

	if out := s.run(0, "fetch", "2025"); !strings.Contains(out, "PLNT25.csv --authority 'Some Body'") {
		t.Errorf("the authority is lost:\n%s", out)
	}
	other := "sqlite:" + filepath.Join(s.dir, "other.db")
	s.run(0, "--store", other, "fetch", "2025", "--load")
	if out := s.run(0, "--store", other, "snapshots"); !strings.Contains(out, "Some Body") {
		t.Errorf("the authority is not kept:\n%s", out)
	}
	for _, c := range []struct {
		name string
		exit int
		args []string
		want string
	}{
		{"gone", 1, []string{"2022"}, "410 Gone"},
		{"no address", 1, []string{"2021"}, "egrid load FILE --year 2021"},
		{"no such year", 1, []string{"2017"}, "nearest: 2016 and 2018"},
		{"no such release", 1, []string{"2023", "--release", "rev8"}, "it has none, rev1, rev2, rev3"},
		{"no year", 2, nil, "egrid fetch --list"},
		{"no number", 2, []string{"eGRID2023"}, "eGRID2023"},
		{"no catalogue", 1, []string{"2023", "--catalogue", filepath.Join(s.dir, "none.csv")}, "none.csv"},
		{"another file", 2, []string{"2023", "--catalogue", path}, "the first line must name"},
	} {
		if out := s.run(c.exit, append([]string{"fetch"}, c.args...)...); !strings.Contains(out, c.want) {
			t.Errorf("%s: %q is not in\n%s", c.name, c.want, out)
		}
	}
}

func TestFetchList(t *testing.T) {
	s := newShell(t)
	lines := strings.Split(s.run(0, "fetch", "--list"), "\n")
	for _, line := range lines[:len(lines)-2] {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if n := len(fetch.Editions()); len(lines) < n || !strings.HasPrefix(lines[1], "2024") || !strings.HasPrefix(lines[n], "1996") {
		t.Errorf("not in order:\n%s", strings.Join(lines, "\n"))
	}
	var all, one fetch.Catalogue
	if err := json.Unmarshal([]byte(s.run(0, "fetch", "--list", "--json")), &all); err != nil || len(all) != len(fetch.Editions()) {
		t.Errorf("%d editions, %v", len(all), err)
	}
	if err := json.Unmarshal([]byte(s.run(0, "fetch", "2018", "--list", "--json")), &one); err != nil || len(one) != 2 {
		t.Errorf("%d editions of 2018, %v", len(one), err)
	}
	if out := s.run(1, "fetch", "2017", "--list"); !strings.Contains(out, "nearest: 2016 and 2018") {
		t.Errorf("%s", out)
	}
}
