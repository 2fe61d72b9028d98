package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

const forEver = "public, max-age=31536000, immutable"

func linksOf(t *testing.T, h http.Handler, target string) (next, permanent string) {
	t.Helper()
	var page struct {
		Links struct{ Next, Permanent string }
	}
	if err := json.Unmarshal(get(t, h, target).Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	return page.Links.Next, page.Links.Permanent
}

// A permanent address answers with the same bytes, whatever else is published,
// until its snapshot is replaced.
func TestPermanentAddresses(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := httpapi.New(store, nil)
	before, tags := map[string]string{}, map[string]string{}
	for _, target := range []string{
		"/plants/top?year=2023&limit=2", "/plants/search?q=alpha&year=2023&facet=state&columns=share", "/levels/GEN/rows?year=2023&columns=fuel&sort=-net_generation_mwh&limit=2",
		"/levels/GEN/groups?by=state&year=2023", "/plants/1?year=2023", "/plants/1/generators?year=2023",
	} {
		_, permanent := linksOf(t, h, target)
		w := get(t, h, permanent)
		if w.Code != 200 || w.Header().Get("Cache-Control") != forEver || !strings.Contains(w.Body.String(), `"revision":0`) {
			t.Fatalf("%s: %d %v %s", permanent, w.Code, w.Header(), w.Body)
		}
		if _, again := linksOf(t, h, permanent); again != permanent {
			t.Errorf("%s calls itself %s", permanent, again)
		}
		for _, form := range []string{"", "&format=csv", "&format=ndjson"} {
			if w := get(t, h, permanent+form); w.Code == 200 {
				if w.Header().Get("Cache-Control") != forEver {
					t.Errorf("%s: %v", permanent+form, w.Header())
				}
				before[permanent+form], tags[permanent+form] = w.Body.String(), w.Header().Get("ETag")
			}
		}
		if next, _ := linksOf(t, h, permanent); next != "" {
			before[next], tags[next] = get(t, h, next).Body.String(), get(t, h, next).Header().Get("ETag")
		}
	}
	publish(t, store, "PLNT24.csv", strings.NewReader(strings.ReplaceAll(plants21, "2021,", "2024,")))
	publish(t, store, "GEN23_rev1.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	for target, want := range before {
		if w := get(t, h, target); w.Code != 200 || w.Body.String() != want || w.Header().Get("ETag") != tags[target] {
			t.Errorf("%s: %d, another answer after other publishes:\n%s\n%s", target, w.Code, w.Body, want)
		}
		if w := get(t, h, target, "If-None-Match", tags[target]); w.Code != http.StatusNotModified || w.Header().Get("Cache-Control") != forEver {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
	publish(t, store, "GEN23.csv", strings.NewReader(generators23+"2023,TX,Corrected,9,1,NG,1,1,1\n"))
	for target := range before {
		for _, tag := range []string{"", tags[target]} {
			if w := get(t, h, target, "If-None-Match", tag); w.Code != http.StatusGone || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v; want 410", target, w.Code, w.Header())
			}
		}
	}
}

// A PLNT sheet takes the place of generators that stood in for it.
func TestPermanentAddressOfAnotherBasis(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := httpapi.New(store, nil)
	_, permanent := linksOf(t, h, "/plants/top?year=2023")
	publish(t, store, "PLNT23.csv", strings.NewReader(placedPlants))
	for _, form := range []string{"", "&format=csv"} {
		if w := get(t, h, permanent+form); w.Code != http.StatusGone {
			t.Errorf("%s: %d %s", permanent+form, w.Code, w.Body)
		}
	}
}

func TestWithoutPermanentAddress(t *testing.T) {
	t.Parallel()
	h := httpapi.New(sampleStore(t), nil)
	next, _ := linksOf(t, h, "/levels/GEN/rows?limit=1")
	for _, target := range []string{next, "/levels/GEN/rows?year=all", "/levels/UNT/rows", "/plants/states", "/plants/years", "/columns", "/snapshots", "/plants/1/history"} {
		if _, permanent := linksOf(t, h, target); permanent != "" {
			t.Errorf("%s: %s", target, permanent)
		}
	}
}

func TestWrongSnapshots(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := httpapi.New(store, nil)
	ids := map[egrid.Level]string{}
	catalog, err := store.Catalog(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range catalog.Snapshots {
		ids[s.Level] = string(s.ID)
	}
	for target, status := range map[string]int{
		"/levels/GEN/rows?snapshot=" + ids[egrid.GEN]:                   200,
		"/levels/GEN/rows?release=none&snapshot=" + ids[egrid.GEN]:      200,
		"/levels/GEN/rows?snapshot=" + ids[egrid.SRL]:                   400,
		"/levels/GEN/rows?year=2016&snapshot=" + ids[egrid.GEN]:         400,
		"/levels/GEN/rows?year=all&snapshot=" + ids[egrid.GEN]:          400,
		"/levels/GEN/rows?release=v2&snapshot=" + ids[egrid.GEN]:        400,
		"/levels/GEN/rows?format=page&snapshot=" + ids[egrid.GEN]:       400,
		"/levels/GEN/rows?snapshot=abc":                                 400,
		"/levels/GEN/rows?snapshot=" + strings.Repeat("0", 24):          410,
		"/plants/top?format=csv&snapshot=" + strings.Repeat("0", 24):    410,
		"/plants/states?snapshot=" + ids[egrid.PLNT]:                    400,
		"/plants/1/units?snapshot=" + ids[egrid.GEN]:                    400,
		"/regions/SRL/ERCT?snapshot=" + ids[egrid.SRL]:                  200,
		"/plants/99999?snapshot=" + ids[egrid.PLNT]:                     404,
		"/plants/top?format=geojson&snapshot=" + ids[egrid.PLNT]:        200,
		"/levels/GEN/rows?columns=nonsense&snapshot=" + ids[egrid.GEN]:  400,
		"/levels/GEN/groups?by=fuel&facet=x&snapshot=" + ids[egrid.GEN]: 400,
	} {
		if w := get(t, h, target); w.Code != status {
			t.Errorf("%s: %d %s; want %d", target, w.Code, w.Body, status)
		}
	}
}

// What is held was never an answer, and its id leads nowhere.
func TestHeldSnapshotHasNoAddress(t *testing.T) {
	t.Parallel()
	store := sampleStore(t)
	h := httpapi.New(store, nil)
	held := strings.Join(strings.SplitAfter(generators23, "\n")[:2], "") // most rows are gone
	if err := loadAs(store, "GEN23_less.csv", strings.NewReader(held), egrid.PublishAuto); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Data []struct{ ID, Status string }
	}
	if err := json.Unmarshal(get(t, h, "/snapshots").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range list.Data {
		if s.Status != "held" {
			continue
		}
		found++
		for _, target := range []string{"/levels/GEN/rows?snapshot=", "/plants/top?format=csv&snapshot=", "/plants/1?snapshot="} {
			if w := get(t, h, target+s.ID); w.Code != http.StatusGone || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v", target+s.ID, w.Code, w.Header())
			}
		}
	}
	if found != 1 {
		t.Errorf("%d held", found)
	}
}

// Where reading is closed, no cache that is shared keeps an answer.
func TestPermanentAddressIsPrivate(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	publish(t, store, "GEN23.csv", strings.NewReader(generators23))
	reader := func(*http.Request) (httpapi.Identity, error) {
		return httpapi.Identity{Subject: "reader", Scopes: []httpapi.Scope{httpapi.ScopeRead}}, nil
	}
	h := httpapi.New(store, &httpapi.Options{Authenticate: reader, RequireAuth: true})
	_, permanent := linksOf(t, h, "/plants/top")
	if got := get(t, h, permanent).Header().Get("Cache-Control"); got != "private, max-age=31536000, immutable" {
		t.Error(got)
	}
}
