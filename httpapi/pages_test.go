package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

// NDJSON has the same objects as the pages of the JSON answer, in the same order.
func TestNDJSONEqualsJSON(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for _, target := range []string{
		"/levels/GEN/rows?limit=2", "/levels/GEN/rows?year=all&sort=-plant_name&limit=3", "/levels/GEN/groups?by=state,fuel&limit=2", "/levels/GEN/groups?by=state&sort=-rows&having=rows%3E2&limit=1",
		"/plants/top?limit=1", "/plants/top?year=2021&limit=2", "/plants/search?fuel=NG,SUN&limit=1", "/plants/search?year=2016&limit=2&columns=share,plant_name", "/plants/search?year=2021&fuel_category=COAL,SOLAR&limit=1",
		"/plants/search?sort=-plant_name&columns=fuel,share,generator_count&limit=3", "/plants/states", "/plants/years", "/plants/1/history", "/plants/1/generators?limit=2", "/plants/1/units", "/levels/UNT/rows",
	} {
		want := walk(t, h, target)
		export := strings.NewReplacer("?limit=2", "?", "?limit=1", "?", "&limit=1", "", "&limit=2", "", "&limit=3", "").Replace(target)
		got := get(t, h, export+separator(export)+"format=ndjson")
		lines := strings.Split(strings.TrimSuffix(got.Body.String(), "\n"), "\n")
		if got.Code != 200 || strings.Join(lines, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %d\n%s\nwant\n%s", export, got.Code, got.Body, strings.Join(want, "\n"))
		}
		if len(want) < 2 {
			continue
		}
		next, _ := linksOf(t, h, target)
		if next == "" {
			continue
		}
		// An export goes on behind a cursor, too.
		page := want[len(want)-len(walk(t, h, next)):]
		behind, err := url.Parse(next)
		if err != nil {
			t.Fatal(err)
		}
		query := behind.Query()
		query.Del("limit")
		query.Set("format", "ndjson")
		if got := get(t, h, behind.Path+"?"+query.Encode()).Body.String(); got != strings.Join(page, "\n")+"\n" {
			t.Errorf("%s behind the cursor:\n%s\nwant\n%s", target, got, strings.Join(page, "\n"))
		}
	}
}

// Walking links.next yields every row once, on every list that is paged.
func TestWalkingPages(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for target, want := range map[string]int{
		"/plants/top?limit=1": 4, "/plants/top?year=2021&limit=2": 3, "/plants/search?limit=3&sort=plant_name": 4, "/plants/search?year=2016&limit=1": 3,
		"/levels/GEN/rows?limit=1": 6, "/levels/GEN/rows?limit=4&sort=fuel,-net_generation_mwh": 6, "/plants/1/generators?limit=1": 3,
	} {
		var rows []string
		for next := target; next != ""; {
			var page struct {
				Data  []json.RawMessage
				Meta  struct{ Total int }
				Links struct{ Next string }
			}
			w := get(t, h, next)
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || page.Meta.Total != want {
				t.Fatalf("%s: %v, %s", next, err, w.Body)
			}
			for _, row := range page.Data {
				rows = append(rows, string(row))
			}
			next = page.Links.Next
		}
		seen := map[string]bool{}
		for _, row := range rows {
			seen[row] = true
		}
		if len(rows) != want || len(seen) != want {
			t.Errorf("%s: %d rows, %d of them different; want %d", target, len(rows), len(seen), want)
		}
	}
}

// walk reads the pages from an address to the last.
func walk(t *testing.T, h http.Handler, target string) (rows []string) {
	t.Helper()
	for next := target; next != ""; {
		var page struct {
			Data  []json.RawMessage
			Links struct{ Next string }
		}
		w := get(t, h, next)
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %v, %s", next, w.Code, err, w.Body)
		}
		for _, row := range page.Data {
			rows = append(rows, string(row))
		}
		next = page.Links.Next
	}
	return rows
}

// A cursor goes on in the data that it is from, whatever is published
// meanwhile, until they are pruned; one of data that are not known here, as on a
// replica that is behind, leads nowhere yet.
func TestCursorsAfterAPublish(t *testing.T) {
	for i, target := range []string{"/levels/GEN/rows?limit=1", "/plants/top?limit=1", "/plants/search?year=2023&limit=1", "/levels/GEN/groups?by=plant_name&limit=1", "/plants/1/generators?limit=1"} {
		s := sampleStore(t)
		h := newAPI(s, nil)
		before := walk(t, h, target)
		next, _ := linksOf(t, h, target)
		publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"+strings.Repeat("2023,TX,More,9,2,NG,1,1,1\n", i)))
		publish(t, s, "PLNT23.csv", strings.NewReader(placedPlants))
		if got := walk(t, h, next); fmt.Sprint(got) != fmt.Sprint(before[1:]) {
			t.Errorf("%s: behind the cursor\n%s\nwant\n%s", next, got, before[1:])
		}
		if w := get(t, newAPI(memstore.New().Driver(), nil), next); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s where nothing is known: %d %s", next, w.Code, w.Body)
		}
		if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
			t.Fatal(err)
		}
		w := get(t, h, next)
		if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "start again from the first page") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s after a prune: %d %s", next, w.Code, w.Body)
		}
	}
}
