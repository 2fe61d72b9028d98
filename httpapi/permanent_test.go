package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
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
// until one of its snapshots is pruned.
func TestPermanentAddresses(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	before, tags := map[string]string{}, map[string]string{}
	for _, target := range []string{
		"/plants/top?limit=2", "/plants/search?q=alpha&year=2023&facet=state&columns=share", "/levels/GEN/rows?year=2023&columns=fuel&sort=-net_generation_mwh&limit=2",
		"/levels/GEN/groups?by=state", "/plants/1?year=2023", "/plants/1/generators", "/plants/1/units", "/levels/GEN/rows?year=all&columns=plant_name&limit=9",
		"/plants/states", "/plants/years", "/plants/1/history", "/plants/chart/by-year", "/plants/chart/by-subregion", "/plants/chart/by-fuel?year=2023", "/regions/SRL/ERCT",
	} {
		_, permanent := linksOf(t, h, target)
		w := get(t, h, permanent)
		if w.Code != 200 || w.Header().Get("Cache-Control") != forEver || !strings.Contains(w.Body.String(), `"revision":0`) {
			t.Fatalf("%s: %s: %d %v %s", target, permanent, w.Code, w.Header(), w.Body)
		}
		if !sameData(t, w, get(t, h, target)) {
			t.Errorf("%s: another answer than %s", permanent, target)
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
	same := func() {
		t.Helper()
		for target, want := range before {
			if w := get(t, h, target); w.Code != 200 || w.Body.String() != want || w.Header().Get("ETag") != tags[target] {
				t.Errorf("%s: %d, another answer after other publishes:\n%s\n%s", target, w.Code, w.Body, want)
			}
			if w := get(t, h, target, "If-None-Match", tags[target]); w.Code != http.StatusNotModified || w.Header().Get("Cache-Control") != forEver {
				t.Errorf("%s: %d %v", target, w.Code, w.Header())
			}
		}
	}
	publish(t, s, "PLNT24.csv", strings.NewReader(strings.ReplaceAll(plants21, "2021,", "2024,")))
	publish(t, s, "PLNT23.csv", strings.NewReader(placedPlants)) // in place of generators that stood in for it
	publish(t, s, "GEN23_rev1.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	same()
	publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,Corrected,9,1,NG,1,1,1\n"))
	publish(t, s, "SRL23.csv", strings.NewReader(strings.ReplaceAll(subregions23, "1001", "1002")))
	same()
	if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	for target := range before {
		for _, tag := range []string{"", tags[target]} {
			if w := get(t, h, target, "If-None-Match", tag); w.Code != http.StatusGone || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v; want 410", target, w.Code, w.Header())
			}
		}
	}
}

// sameData compares the data of two answers.
func sameData(t *testing.T, a, b *httptest.ResponseRecorder) bool {
	t.Helper()
	var of [2]struct {
		Data json.RawMessage
		Meta struct {
			Count  int
			Total  *int
			Year   *int
			Facets json.RawMessage
		}
	}
	for i, w := range []*httptest.ResponseRecorder{a, b} {
		if err := json.Unmarshal(w.Body.Bytes(), &of[i]); err != nil {
			t.Fatal(err)
		}
	}
	return reflect.DeepEqual(of[0], of[1])
}

// A snapshot that is not known here, as on a replica that is behind, is not
// gone: nobody may keep that answer.
func TestPermanentAddressOnAReplicaThatIsBehind(t *testing.T) {
	primary, replica := sampleStore(t), sampleStore(t)
	publish(t, primary, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	_, permanent := linksOf(t, newAPI(primary, nil), "/levels/GEN/rows?state=TX")
	h := newAPI(replica, nil)
	for _, form := range []string{"", "&format=csv"} {
		if w := get(t, h, permanent+form); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", permanent+form, w.Code, w.Header())
		}
	}
	publish(t, replica, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	if w := get(t, h, permanent); w.Code != http.StatusOK {
		t.Errorf("%s once it is there: %d %s", permanent, w.Code, w.Body)
	}
}

func TestWithoutPermanentAddress(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for _, target := range []string{"/levels/UNT/rows", "/columns", "/snapshots", "/catalog", "/plants/statistics"} {
		if _, permanent := linksOf(t, h, target); permanent != "" {
			t.Errorf("%s: %s", target, permanent)
		}
	}
}

func TestWrongSnapshots(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	gen, gen16, plnt, srl := idOf(t, s, egrid.GEN, 2023), idOf(t, s, egrid.GEN, 2016), idOf(t, s, egrid.PLNT, 2021), idOf(t, s, egrid.SRL, 2023)
	publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	now := idOf(t, s, egrid.GEN, 2023)
	unknown := strings.Repeat("0", 24)
	for target, status := range map[string]int{
		"/levels/GEN/rows?snapshot=" + gen:                         200,
		"/levels/GEN/rows?snapshot=" + gen + "," + gen:             200,
		"/levels/GEN/rows?release=none&snapshot=" + gen:            200,
		"/levels/GEN/rows?year=all&snapshot=" + gen:                200,
		"/levels/GEN/rows?year=all&snapshot=" + gen + "," + gen16:  200,
		"/levels/GEN/rows?year=2016&snapshot=" + gen + "," + gen16: 200,
		"/levels/GEN/rows?year=all&snapshot=" + gen + "," + now:    400, // both are of 2023
		"/levels/GEN/rows?snapshot=" + srl:                         400,
		"/levels/GEN/rows?snapshot=" + gen + "," + srl:             400,
		"/levels/GEN/rows?year=2016&snapshot=" + gen:               404,
		"/levels/GEN/rows?release=v2&snapshot=" + gen:              404,
		"/levels/GEN/rows?snapshot=abc":                            400,
		"/levels/GEN/rows?snapshot=" + unknown:                     404,
		"/levels/GEN/rows?snapshot=" + gen + "," + unknown:         404,
		"/plants/top?format=csv&snapshot=" + unknown:               404,
		"/plants/states?snapshot=" + plnt:                          200,
		"/plants/1/units?snapshot=" + srl:                          400,
		"/regions/SRL/ERCT?snapshot=" + srl:                        200,
		"/plants/99999?snapshot=" + plnt:                           404,
		"/plants/top?format=geojson&snapshot=" + plnt:              200,
		"/levels/GEN/rows?columns=nonsense&snapshot=" + gen:        400,
		"/levels/GEN/groups?by=fuel&facet=x&snapshot=" + gen:       400,
		"/columns?snapshot=" + gen:                                 400,
	} {
		if w := get(t, h, target); w.Code != status {
			t.Errorf("%s: %d %s; want %d", target, w.Code, w.Body, status)
		}
	}
}

// What is held was never an answer: it can be looked at, and not read.
func TestHeldSnapshotHasNoAddress(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	held := strings.Join(strings.SplitAfter(generators23, "\n")[:2], "") // most rows are gone
	if err := loadAs(s, "GEN23_less.csv", strings.NewReader(held), driver.PublishHold); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, info := range snapshotsOf(t, h, "") {
		if info.Status != egrid.Held {
			continue
		}
		found++
		if w := get(t, h, "/snapshots/"+string(info.Stage)); w.Code != 200 || !strings.Contains(w.Body.String(), `"status":"held"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		for _, target := range []string{"/levels/GEN/rows?snapshot=", "/plants/top?format=csv&snapshot=", "/plants/1?snapshot="} {
			if w := get(t, h, target+string(info.ID)); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v", target+string(info.ID), w.Code, w.Header())
			}
		}
	}
	if found != 1 {
		t.Errorf("%d held", found)
	}
}

func snapshotsOf(t *testing.T, h http.Handler, query string) []wire.SnapshotInfo {
	t.Helper()
	var list wire.Answer[[]wire.SnapshotInfo]
	if err := json.Unmarshal(get(t, h, "/snapshots"+query).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	return list.Data
}

// Superseded snapshots are listed on demand, and each can be looked at by its id
// and by that of its load.
func TestSnapshots(t *testing.T) {
	s := sampleStore(t)
	h := newAPI(s, nil)
	before := idOf(t, s, egrid.GEN, 2023)
	publish(t, s, "GEN23.csv", strings.NewReader(generators23+"2023,TX,More,9,1,NG,1,1,1\n"))
	if now, all := snapshotsOf(t, h, ""), snapshotsOf(t, h, "?all=true"); len(now) != 4 || len(all) != 5 {
		t.Errorf("%d published of %d; want 4 of 5", len(now), len(all))
	}
	for _, info := range snapshotsOf(t, h, "?all=true") {
		if (info.Status == egrid.Superseded) != (string(info.ID) == before) {
			t.Errorf("%+v; %s was superseded", info, before)
		}
		for _, id := range []string{string(info.ID), string(info.Stage)} {
			var one wire.Answer[wire.SnapshotInfo]
			w := get(t, h, "/snapshots/"+id)
			if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil || !reflect.DeepEqual(one.Data, info) {
				t.Errorf("%s: %v %s", id, err, w.Body)
			}
		}
	}
}

// Where reading is closed, no cache that is shared keeps an answer.
func TestPermanentAddressIsPrivate(t *testing.T) {
	s := memstore.New().Driver()
	publish(t, s, "GEN23.csv", strings.NewReader(generators23))
	reader := func(*http.Request) (middleware.Identity, error) {
		return middleware.Identity{Subject: "reader", Scopes: []middleware.Scope{middleware.ScopeRead}}, nil
	}
	h := newAPI(s, &httpapi.Options{Authenticate: reader, RequireAuth: true})
	_, permanent := linksOf(t, h, "/plants/top")
	if got := get(t, h, permanent).Header().Get("Cache-Control"); got != "private, max-age=31536000, immutable" {
		t.Error(got)
	}
}
