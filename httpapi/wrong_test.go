package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// wrongRequests are what people get wrong. Each answer says what the mistake is, and
// what to do instead.
var wrongRequests = []struct {
	target  string
	status  int
	mistake string
	wayOut  string
}{
	// Names.
	{"/plants/top?stat=TX", 400, "stat: unknown parameter", "did you mean state?"},
	{"/plants/top?Limit=5", 400, "Limit: unknown parameter", "did you mean limit?"},
	{"/plants/top?nosuchthing=1", 400, "nosuchthing: unknown parameter", "known are state, subregion,"},
	{"/plants/years?year=2023", 400, "year: unknown parameter", "known are state,"},
	{"/plants/search?columns=plant_nam", 400, "columns: unknown column", "did you mean plant_name?"},
	{"/plants/search?columns=net_generatoin_mwh", 400, "columns: unknown column", "did you mean net_generation_mwh?"},
	{"/plants/search?sort=-capacity", 400, "sort: unknown column", "did you mean capacity_factor?"},
	{"/plants/search?filter=fuell%3DNG", 400, "filter: unknown column", "did you mean fuel?"},
	{"/plants/search?facet=colour", 400, "facet: unknown column", "/columns lists the columns"},
	{"/levels/GEN/groups?measures=sum(net_generation)", 400, "measures: unknown column", "did you mean net_generation_mwh?"},
	{"/levels/GEN/groups?measures=total(net_generation_mwh)", 400, `aggregate "total"`, "count, sum, min or max"},
	{"/levels/GEN/groups?by=state&sort=fuel", 400, `"fuel" is no column of the answer`, "which has [state rows]"},
	{"/columns/co2_output_rate", 404, `no column "co2_output_rate"`, "did you mean co2_output_rate_lb_per_mwh?"},
	{"/columns?level=PLN", 400, "level: expected value to be one of", "did you mean PLNT?"},
	{"/explain/SRL/CAMX/SRCO2RT", 400, `no column "SRCO2RT"`, "did you mean SRCO2RTA?"},
	{"/plant/top", 404, "there is no such path", "did you mean /plants/top?"},
	{"/regions/states/TX", 400, "level: expected value to be one of", "ST, BA, SRL, NRL, US"},
	{"/plants/chart/by-sate", 400, "type: expected value to be one of", "did you mean by-state?"},
	{"/nothing/like/this/at/all", 404, "there is no such path", "/openapi.json lists them"},

	// Values.
	{"/plants/top?state=Texas", 400, "state: expected string to be two letters", "the code of Texas is TX"},
	{"/plants/top?state=CAL", 400, "state: expected string to be two letters", "did you mean CA?"},
	{"/plants/top?limit=0", 400, "limit: expected number >= 1", ">= 1"},
	{"/plants/top?limit=5000", 400, "limit: expected 1 to 1000 for JSON", "links.next"},
	{"/plants/top?year=abc", 400, "year: expected a data year", "as 2023"},
	{"/plants/top?release=2", 400, "release: expected string to be", "none, v1, v2, ... or rev0"},
	{"/plants/top?format=exel", 400, "format: expected value to be one of", "xlsx"},
	{"/plants/top?fuel_category=GASS", 400, "fuel_category: expected value to be one of", "did you mean GAS?"},
	{"/plants/top?cursor=abc", 400, "the cursor is not one of this query", "leave it out"},
	{"/plants/search?min_state=TX", 400, "state is of type text and has no bounds", "min_state"},
	{"/plants/search?min_net_generation_mwh=much", 400, "min_net_generation_mwh: expected a value of type number", "number"},
	{"/plants/top?state=TX&state=CA", 400, "state: given more than once", "separate values by commas"},
	{"/factors?subregion=CAMX&gas=co2ee", 400, "gas: expected value to be one of", "did you mean co2e?"},
	{"/factors", 400, "a factor is of one place", "a subregion, a state"},
	{"/factors?subregion=CAMXX", 404, "no eGRID subregion CAMXX", "did you mean CAMX? there are AKGD,"},
	{"/factors?zip=59221", 400, "unknown parameter; ", "/crosswalk/zip/{zip}"},

	// What is not there.
	{"/plants/top?year=2010", 404, "no plants of data year 2010", "data years with plants: 2023"},
	{"/plants/top?release=v2", 404, "in release v2", "2023 none"},
	{"/levels/GEN/rows?year=1995", 404, "no GEN rows of data year 1995", "2023"},
	{"/reconciliation/2010", 404, "no region sheet of data year 2010", "2023"},
	{"/diff?level=SRL&year=2023", 400, "from: is required", "a release, a data year or ids of snapshots"},
	{"/diff?level=SRL&year=2023&from=none&to=v2", 404, "release v2", "2023 none"},
	{"/plants/1", 404, `no plant "1"`, "search by name or ORIS code"},
	{"/regions/ST/California", 404, `no state "CALIFORNIA"`, "the code of California is CA"},
	{"/regions/SRL/CAMXX", 404, `no eGRID subregion "CAMXX"`, "did you mean CAMX?"},
	{"/regions/ST/ZZ", 404, `no state "ZZ"`, "/regions/ST lists them"},
	{"/snapshots/0123", 404, `no snapshot "0123"`, "/snapshots?all=true lists them"},
	{"/crosswalk/zip/00000", 404, "no ZIP code 00000", "begins with 000"},
}

func TestWrongRequests(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	for _, test := range wrongRequests {
		t.Run(test.target, func(t *testing.T) {
			t.Parallel()
			w := get(t, h, test.target)
			problem := problemOf(t, w)
			if w.Code != test.status || w.Header().Get("Content-Type") != wire.TypeProblem || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s, %s", w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
			}
			if !strings.Contains(problem.Detail, test.mistake) || !strings.Contains(problem.Detail, test.wayOut) {
				t.Errorf("%s\nlacks %q or %q", problem.Detail, test.mistake, test.wayOut)
			}
			// Under a prefix, each path that is named has it.
			mounted := problemOf(t, get(t, http.StripPrefix("/grid", h), "/grid"+test.target))
			if want := hinted.ReplaceAllString(problem.Detail, "${1}/grid$2"); mounted.Detail != want || mounted.Instance != "/grid"+problem.Instance {
				t.Errorf("under a prefix %q, %q; want %q", mounted.Instance, mounted.Detail, want)
			}
		})
	}
}

// hinted is a path in a text.
var hinted = regexp.MustCompile(`((?:^|[ (]))(/[a-z])`)

func problemOf(t *testing.T, w *httptest.ResponseRecorder) (p wire.Problem) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Parameters without a value count as absent, whatever they are.
func TestEmptyParametersAreAbsent(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	paths := documentOf(t, h).Paths
	tried := 0
	for path, item := range paths {
		operation, ok := item["get"]
		if !ok || path == "/errors" || strings.HasPrefix(path, "/runs") || path == "/mcp" {
			continue
		}
		target := strings.NewReplacer("{level}", "SRL", "{type}", "by-fuel", "{id}", "900133", "{code}", "CAMX", "{column}", "SRCO2RTA",
			"{name}", "state", "{zip}", "59221", "{year}", "2023").Replace(path)
		if path == "/snapshots/{id}" || path == "/scan" || strings.HasPrefix(path, "/diff") || path == "/factors" || path == "/columns/history" {
			continue // their required parameters have other values
		}
		for _, p := range operation.Parameters {
			if p.In != "query" {
				continue
			}
			tried++
			name := p.Name
			plain, empty := get(t, h, target), get(t, h, target+"?"+name+"=")
			if strings.Contains(plain.Body.String(), "is required") {
				continue // another parameter than this one
			}
			if plain.Code != http.StatusOK || empty.Code != http.StatusOK {
				t.Errorf("%s?%s=: %d, without it %d: %s", target, name, empty.Code, plain.Code, empty.Body)
			}
		}
	}
	if tried < 80 {
		t.Errorf("%d parameters were tried", tried)
	}
}

// Where nobody can have credentials, the refusal says who changes that.
func TestRefusalWithoutAuthentication(t *testing.T) {
	t.Parallel()
	w := get(t, newAPI(sampleStore(t), &httpapi.Options{RequireAuth: true}), "/plants/top")
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "its operator sets API keys or an issuer of tokens") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The name of a download tells what is in it, also where several sheets make it.
func TestFileNames(t *testing.T) {
	t.Parallel()
	h := bundledAPI(t)
	for target, want := range map[string]string{
		"/plants/top?format=csv&state=TX":                                     "top-plants_PLNT_2023_state-TX.csv",
		"/plants/search?format=csv&q=solar&min_net_generation_mwh=1":          "search-plants_PLNT_2023_net_generation_mwh--1_solar.csv",
		"/levels/GEN/rows?format=csv&fuel=NG&state=TX&year=2023&release=none": "rows_GEN_2023_fuel-NG_state-TX.csv",
		"/regions/SRL?format=csv":                                             "regions_SRL_2023.csv",
		"/plants?format=csv":                                                  "plant-paths.csv",
	} {
		w := get(t, h, target)
		if got := w.Header().Get("Content-Disposition"); w.Code != http.StatusOK || got != "attachment; filename="+want {
			t.Errorf("%s: %d %q; want %q", target, w.Code, got, want)
		}
	}
}
