package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/mcp"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// files are small sheets whose figures are easy to follow.
var files = map[string]string{
	"v1_SRL18.csv": "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2EQA,SRCO2AN\n2018,CAMX,WECC California,1000,200,190\n2018,ERCT,ERCOT All,2000,900,890\n",
	"v2_SRL18.csv": "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2EQA,SRCO2AN\n2018,CAMX,WECC California,1000,220,190\n2018,ERCT,ERCOT All,2000,900,890\n",
	"SRL23.csv":    "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2EQA,SRCO2AN,SRC2ERTA,SRCH4AN,SRN2OAN\n2023,CAMX,WECC California,4000,1000,990,500,100,10\n2023,ERCT,ERCOT All,2000,900,890,900,10,1\n",
	"PLNT21.csv":   "YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,SUBRGN,PLPRMFL,PLFUELCT,NAMEPCAP,PLNGENAN,PLCO2EQA\n2021,CA,Alpha,1,First,CAMX,NG,GAS,100,400,90\n",
	"PLNT23.csv": "YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,SUBRGN,PLPRMFL,PLFUELCT,NAMEPCAP,PLNGENAN,PLCO2EQA,PLCO2AN\n2023,CA,Alpha,1,First,CAMX,NG,GAS,100,1000,250,240\n" +
		"2023,CA,Bravo,2,\"Second, Inc\",CAMX,NG,GAS,300,3000,750,750\n2023,TX,Charlie,3,First,ERCT,WND,WIND,50,2000,900,890\n",
	"zip23.csv": "zip,state,UtilName,SUBRGN,Predominant Utility\n90001,CA,City,CAMX,1\n90002,CA,A,CAMX,0\n90002,CA,B,ERCT,0\n",
}

// small is an API over files.
func small(t testing.TB, o *httpapi.Options) http.Handler {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	for name, text := range files {
		o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name, Year: yearOf(name)}}
		if _, err := store.Load(t.Context(), backend, strings.NewReader(text), o); err != nil {
			t.Fatal(name, err)
		}
	}
	return httpapi.New(store.New(backend), o)
}

// yearOf is what a crosswalk does not say itself.
func yearOf(name string) int {
	if strings.HasPrefix(name, "zip") {
		return 2023
	}
	return 0
}

// sample is an API over generated sheets of every level.
func sample(t testing.TB) http.Handler {
	t.Helper()
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	of := egridtest.NewSample(nil)
	for _, level := range egridtest.SampleLevels() {
		var b bytes.Buffer
		if err := of.Write(&b, level); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(t.Context(), backend, &b, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: of.Name(level)}}); err != nil {
			t.Fatal(err)
		}
	}
	return httpapi.New(store.New(backend), nil)
}

// connect is a client of a server in this process.
func connect(t testing.TB, server *sdk.Server) *sdk.ClientSession {
	t.Helper()
	here, there := sdk.NewInMemoryTransports()
	// The context of the test ends before its clean-up closes the session.
	ctx := context.WithoutCancel(t.Context())
	serving, err := server.Connect(ctx, there, nil)
	if err != nil {
		t.Fatal(err)
	}
	return session(t, here, func() { _ = serving.Close() })
}

func session(t testing.TB, transport sdk.Transport, after func()) *sdk.ClientSession {
	t.Helper()
	client, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(context.WithoutCancel(t.Context()), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error("closing:", err)
		}
		after()
	})
	return client
}

type arguments map[string]any

// call asks a tool, and returns its text.
func call(t testing.TB, client *sdk.ClientSession, tool string, args any) (*sdk.CallToolResult, string) {
	t.Helper()
	result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s %v: an error of the protocol: %v", tool, args, err)
	}
	if len(result.Content) != 1 {
		t.Fatalf("%s %v: %d pieces of content", tool, args, len(result.Content))
	}
	text, ok := result.Content[0].(*sdk.TextContent)
	if !ok {
		t.Fatalf("%s %v: %T", tool, args, result.Content[0])
	}
	return result, text.Text
}

// answer is the structured content of most tools.
type answer struct {
	Data     any
	Meta     map[string]any
	Links    map[string]string
	Citation string
}

func structured(t testing.TB, result *sdk.CallToolResult) (a answer) {
	t.Helper()
	text, err := json.Marshal(result.StructuredContent)
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get(t testing.TB, api http.Handler, target string) (a answer) {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return a
}

// TestTools asks every tool. What is whole is what the API answers at the link, and
// the permanent link answers the same.
func TestTools(t *testing.T) {
	t.Parallel()
	api := small(t, nil)
	client := connect(t, mcp.New(api, nil))
	for name, test := range map[string]struct {
		tool  string
		args  arguments
		want  []string // in the text
		cut   bool     // the data are a part of the API's
		fleet bool     // no permanent link: it is about the state of the store
	}{
		"catalogue":       {"catalogue", nil, []string{"PLNT, eGRID2023, EPA: 3 rows, units us, published, id "}, false, true},
		"of a level":      {"catalogue", arguments{"level": "srl", "year": 2018}, []string{"SRL, eGRID2018 v2", "SRL, eGRID2018 v1"}, true, true},
		"factor":          {"factor", arguments{"subregion": "CAMX"}, []string{"500 lb/MWh", "Published, rounded: 500 lb/MWh", "co2e_short_tons = 1000 short tons (SRL CAMX)", "Source: EPA, eGRID2023, eGRID subregion CAMX"}, false, false},
		"of plants":       {"factor", arguments{"plants": []any{"1", 2}, "year": 2023.0, "unit": "kg/MWh"}, []string{"226.796185 kg/MWh", "2 plants"}, false, false},
		"plants listed":   {"factor", arguments{"plants": []string{"1", "2"}, "explain": true, "limit": 1}, []string{"plant 2 Bravo, weight 1\nNote: 1 of 2 plants are listed: those with the largest part of an input"}, true, false},
		"earlier":         {"factor", arguments{"subregion": "camx", "year": "2018", "release": "v1", "gas": nil}, []string{"400 lb/MWh", "eGRID2018 v1"}, false, false},
		"explain":         {"explain", arguments{"level": "SRL", "code": "CAMX", "column": "SRC2ERTA"}, []string{"SRL CAMX co2e_output_rate_lb_per_mwh (SRC2ERTA), eGRID2023: 500", "agrees with it", "Record 1 of the sheet"}, false, false},
		"plant":           {"plant", arguments{"id": "2"}, []string{"eGRID2023, basis PLNT", "plant_name Bravo", "operator_name Second, Inc", "net_generation_mwh 3000.0 MWh"}, false, false},
		"some columns":    {"plant", arguments{"id": 2, "columns": []string{"net_generation_mwh"}}, []string{"id 2; plant_name Bravo; net_generation_mwh 3000.0 MWh\n"}, true, false},
		"history":         {"plant", arguments{"id": "1", "history": true}, []string{"data_year 2021; id 1; plant_name Alpha", "data_year 2023; id 1; plant_name Alpha", "level PLNT. From PLNT21.csv"}, true, false},
		"region":          {"region", arguments{"level": "SRL", "code": "CAMX"}, []string{"SRL CAMX (WECC California), eGRID2023\nnet_generation_mwh 4000 MWh", "co2e_output_rate_lb_per_mwh 500 lb/MWh"}, false, false},
		"search":          {"search", arguments{"q": "a", "state": []string{"CA", "TX"}, "filter": []string{"nameplate_capacity_mw>=100", "net_generation_mwh>1000"}}, []string{"1 of 1 plants, eGRID2023, basis PLNT\nid 2; plant_name Bravo"}, false, false},
		"a comma":         {"search", arguments{"filter": `operator_name="Second, Inc"`}, []string{"1 of 1 plants"}, false, false},
		"page":            {"search", arguments{"sort": "-net_generation_mwh", "columns": []string{"plant_name"}, "limit": 1}, []string{"1 of 3 plants", "Bravo", "More: the same arguments, with cursor "}, false, false},
		"compare":         {"compare", arguments{"level": "SRL", "year": 2018, "from": "v1", "to": "v2"}, []string{"2 rows are in both, of which 1 have changed", "CAMX co2e_short_tons: 200 to 220 (+10.0 %)", "From v1_SRL18.csv", "From v2_SRL18.csv"}, false, false},
		"zip":             {"zip", arguments{"zip": "90001"}, []string{"90001: CAMX, predominant; City"}, false, false},
		"undecided":       {"zip", arguments{"zip": "90002"}, []string{"does not tell which of these"}, false, false},
		"of a whole year": {"plant", arguments{"id": "1", "year": 2021}, []string{"eGRID2021", "net_generation_mwh 400.0 MWh"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, text := call(t, client, test.tool, test.args)
			if result.IsError {
				t.Fatal(text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("the text lacks %q:\n%s", want, text)
				}
			}
			got := structured(t, result)
			if whole := get(t, api, got.Links["self"]); !test.cut && !reflect.DeepEqual(whole.Data, got.Data) {
				t.Errorf("the data are\n%v\nand at %s\n%v", got.Data, got.Links["self"], whole.Data)
			}
			if test.fleet {
				return
			}
			if got.Citation == "" || !strings.Contains(got.Citation, "SHA-256") || !strings.Contains(text, "Permanent link: "+got.Links["permanent"]) {
				t.Errorf("citation %q, links %v\n%s", got.Citation, got.Links, text)
			}
			if always := get(t, api, got.Links["permanent"]); !test.cut && !reflect.DeepEqual(always.Data, got.Data) {
				t.Errorf("the data are\n%v\nand at %s\n%v", got.Data, got.Links["permanent"], always.Data)
			}
		})
	}
}

// Of columns that are asked for, the units are told, and of no others.
func TestColumns(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(small(t, nil), nil))
	result, _ := call(t, client, "plant", arguments{"id": "2", "columns": []string{"net_generation_mwh", "state"}})
	got := structured(t, result)
	if want := (map[string]any{"id": "2", "plant_name": "Bravo", "net_generation_mwh": 3000.0, "state": "CA"}); !reflect.DeepEqual(got.Data, want) {
		t.Errorf("the data are %v; want %v", got.Data, want)
	}
	if want := (map[string]any{"net_generation_mwh": "MWh"}); !reflect.DeepEqual(got.Meta["units"], want) {
		t.Errorf("the units are %v; want %v", got.Meta["units"], want)
	}
}

// TestPublished holds a factor of EPA's own sheet against its published rate.
func TestPublished(t *testing.T) {
	t.Parallel()
	file := testenv.Open(t, "2023/NRL23-rev0.csv")
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	if _, err := store.Load(t.Context(), backend, file, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "NRL23-rev0.csv"}}); err != nil {
		t.Fatal(err)
	}
	client := connect(t, mcp.New(httpapi.New(store.New(backend), nil), nil))
	for _, gas := range []string{"co2", "ch4", "n2o", "co2e", "nox", "so2"} {
		result, text := call(t, client, "factor", arguments{"nerc": "WECC", "gas": gas, "year": 2023, "release": "rev0"})
		if result.IsError {
			t.Fatal(text)
		}
		data, _ := structured(t, result).Data.(map[string]any)
		value, _ := data["value"].(float64)
		published, ok := data["published"].(float64)
		if !ok || math.Abs(value-published) > 0.000501 {
			t.Errorf("%s: %v, published %v", gas, data["value"], data["published"])
		}
	}
}

// A walk by cursors gives every row once.
func TestCursor(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(small(t, nil), nil))
	var ids []string
	args := arguments{"limit": 1, "columns": "id"}
	for range 10 {
		result, text := call(t, client, "search", args)
		for _, r := range structured(t, result).Data.([]any) {
			ids = append(ids, fmt.Sprint(r.(map[string]any)["id"]))
		}
		_, cursor, more := strings.Cut(text, "with cursor ")
		if !more {
			break
		}
		args["cursor"] = cursor
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"1", "2", "3"}) {
		t.Errorf("the pages have %v", ids)
	}
}

func TestInventory(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(small(t, nil), nil))
	sites := []arguments{
		{"site": "Office, west", "subregion": "CAMX", "kwh": 1000},
		{"site": "Store", "zip": "90001", "kwh": "500"},
		{"site": "Nowhere", "state": "ZZ", "kwh": 5},
		{"site": "Nothing", "subregion": "ERCT"},
	}
	result, text := call(t, client, "inventory", arguments{"sites": sites, "year": 2023})
	for _, want := range []string{"2 of 4 sites answered\nelectricity 1.5 MWh\nco2e 340.1942775 kg", "site 1 Office, west: 226.796 kg CO2e by CAMX", "site 3 Nowhere: no answer", "Source: EPA, eGRID2023, eGRID subregion CAMX"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	content, _ := result.StructuredContent.(map[string]any)
	if list, _ := content["sites"].([]any); len(list) != len(sites) {
		t.Errorf("%d sites come back: %v", len(list), content)
	}
	most := make([]arguments, 1000)
	for i := range most {
		most[i] = sites[0]
	}
	if result, text := call(t, client, "inventory", arguments{"sites": most}); result.IsError || !strings.Contains(text, "1000 of 1000 sites answered") || !strings.Contains(text, "and 950 more sites") {
		t.Errorf("a thousand sites: %s", text)
	}
	if result, text := call(t, client, "inventory", arguments{"sites": append(most, sites[0])}); !result.IsError || !strings.Contains(text, "1 to 1000 are taken at once") {
		t.Errorf("a thousand and one: %s", text)
	}
}

// TestRefusals: what cannot be answered is an answer that says why, and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(small(t, nil), nil))
	for name, test := range map[string]struct {
		tool string
		args any
		want []string
	}{
		"no such region":      {"factor", arguments{"subregion": "CAMY"}, []string{"no eGRID subregion CAMY", "CAMX", "ERCT"}},
		"no place":            {"factor", nil, []string{"a factor is of one place"}},
		"no such gas":         {"factor", arguments{"us": true, "gas": "sf6"}, []string{"gas", "co2e"}},
		"no such year":        {"region", arguments{"level": "SRL", "code": "CAMX", "year": 1999}, []string{"1999", "2018", "2023"}},
		"no such release":     {"compare", arguments{"level": "SRL", "year": 2018, "from": "v9"}, []string{"v9", "v1"}},
		"no such plant":       {"plant", arguments{"id": "999"}, []string{`no plant "999"`}},
		"a path for a plant":  {"plant", arguments{"id": "../snapshots"}, []string{"not found"}},
		"no such column":      {"search", arguments{"columns": []string{"net_generation"}}, []string{"net_generation_mwh"}},
		"no column of a row":  {"plant", arguments{"id": "1", "columns": "colour"}, []string{`no "colour"`, "plant_name"}},
		"a broken filter":     {"search", arguments{"filter": []string{"wind"}}, []string{"filter"}},
		"too many":            {"search", arguments{"limit": 5000}, []string{"1 to 1000"}},
		"too few plants":      {"factor", arguments{"us": true, "limit": 0}, []string{"limit"}},
		"no ZIP code":         {"zip", arguments{"zip": "9000"}, []string{"five digits"}},
		"an unknown one":      {"zip", arguments{"zip": "12345"}, []string{"12345"}},
		"unknown argument":    {"factor", arguments{"subregio": "CAMX"}, []string{`no argument "subregio"`, "subregion"}},
		"a lacking one":       {"explain", arguments{"level": "SRL", "code": "CAMX"}, []string{"column is required", "SRCO2RTA"}},
		"an object":           {"factor", arguments{"subregion": arguments{"code": "CAMX"}}, []string{"subregion: expected a text or a number"}},
		"a list of arguments": {"factor", []string{"CAMX"}, []string{"one JSON object"}},
		"history of a year":   {"plant", arguments{"id": "1", "history": true, "year": 2023}, []string{"leave year and release out"}},
		"nothing of it":       {"catalogue", arguments{"level": "GEN"}, []string{"there are PLNT 2021"}},
		"no sites":            {"inventory", arguments{"sites": []any{}}, []string{"1 to 1000"}},
		"two units":           {"inventory", arguments{"sites": []arguments{{"state": "CA", "kwh": 1}, {"state": "CA", "mwh": 1}}}, []string{"one of them for all"}},
		"sites nowhere":       {"inventory", arguments{"sites": []arguments{{"kwh": 1}}}, []string{"subregion, zip, ba or state"}},
		"sites of texts":      {"inventory", arguments{"sites": []string{"CA"}}, []string{"list of objects"}},
		"an unknown cell":     {"inventory", arguments{"sites": []arguments{{"kwh": 1, "latitude": 30}}}, []string{`entry 1: there is no argument "latitude"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, text := call(t, client, test.tool, test.args)
			if !result.IsError || result.StructuredContent != nil {
				t.Fatalf("no error: %s", text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("it lacks %q: %s", want, text)
				}
			}
		})
	}
	if _, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "load"}); err == nil {
		t.Error("a tool that there is not answers")
	}
}

// TestEmpty: an empty store says so.
func TestEmpty(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(httpapi.New(store.New(memstore.New()), nil), nil))
	if result, text := call(t, client, "catalogue", nil); !result.IsError || !strings.Contains(text, "egrid load") {
		t.Errorf("%s", text)
	}
	if result, text := call(t, client, "factor", arguments{"us": true}); !result.IsError || text == "" {
		t.Errorf("%s", text)
	}
}

// TestBrokenAPI: whatever the API does, the client has an answer.
func TestBrokenAPI(t *testing.T) {
	t.Parallel()
	for name, api := range map[string]http.HandlerFunc{
		"panics":          func(http.ResponseWriter, *http.Request) { panic("secret") },
		"breaks off":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answers no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"answers nothing": func(http.ResponseWriter, *http.Request) {},
		"answers null":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") },
		"answers others":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":7,"meta":[],"links":{}}`) },
		"fails":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"refuses":         func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client := connect(t, mcp.New(api, &mcp.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
			for tool, args := range map[string]arguments{
				"catalogue": nil, "factor": {"us": true}, "explain": {"level": "US", "code": "US", "column": "x"}, "plant": {"id": "1"}, "region": {"level": "US", "code": "US"},
				"search": nil, "compare": {"level": "SRL", "from": "v1"}, "zip": {"zip": "90001"}, "inventory": {"sites": []arguments{{"us": 1}}},
			} {
				result, text := call(t, client, tool, args)
				if !result.IsError || text == "" || strings.Contains(text, "secret") {
					t.Errorf("%s: %v %q", tool, result.IsError, text)
				}
			}
		})
	}
}

// TestDeclared holds the arguments of tools against the parameters of the API.
func TestDeclared(t *testing.T) {
	t.Parallel()
	api := small(t, nil)
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name   string
				Schema struct {
					Enum  []any
					Items struct{ Enum []any }
				}
			}
		}
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	paths := map[string][2]string{
		"catalogue": {"get", "/snapshots"}, "factor": {"get", "/factors"}, "explain": {"get", "/explain/{level}/{code}/{column}"}, "plant": {"get", "/plants/{id}"},
		"region": {"get", "/regions/{level}/{code}"}, "search": {"get", "/plants/search"}, "compare": {"get", "/diff"}, "inventory": {"post", "/inventory"}, "zip": {"get", "/crosswalk/zip/{zip}"},
	}
	// What the tools do themselves.
	own := map[string][]string{"catalogue": {"level", "year"}, "factor": {"limit"}, "explain": {"limit"}, "plant": {"history", "columns"}, "inventory": {"sites"}}
	client := connect(t, mcp.New(api, &mcp.Options{Version: "1.2.3"}))
	if about := client.InitializeResult(); about.ServerInfo.Version != "1.2.3" || about.Instructions == "" {
		t.Errorf("the server tells %+v", about)
	}
	list, err := client.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) != len(paths) {
		t.Fatalf("%d tools, %v", len(list.Tools), err)
	}
	for _, tool := range list.Tools {
		if tool.Annotations == nil || !tool.Annotations.ReadOnlyHint || tool.Description == "" || tool.Title == "" {
			t.Errorf("%s is declared as %+v", tool.Name, tool)
		}
		known := map[string][]any{}
		for _, p := range document.Paths[paths[tool.Name][1]][paths[tool.Name][0]].Parameters {
			known[p.Name] = p.Schema.Enum
		}
		if len(known) == 0 {
			t.Errorf("%s: the API has no %v", tool.Name, paths[tool.Name])
		}
		properties, _ := tool.InputSchema.(map[string]any)["properties"].(map[string]any)
		for name, property := range properties {
			schema, _ := property.(map[string]any)
			if schema["type"] == "" || schema["description"] == "" {
				t.Errorf("%s.%s is declared as %v", tool.Name, name, schema)
			}
			enum, ok := known[name]
			switch declared, _ := schema["enum"].([]any); {
			case slices.Contains(own[tool.Name], name):
			case !ok:
				t.Errorf("%s.%s is no parameter of the API", tool.Name, name)
			case declared != nil && !sameSet(declared, enum):
				t.Errorf("%s.%s is one of %v; of the API %v", tool.Name, name, declared, enum)
			}
		}
	}
}

func sameSet(a, b []any) bool {
	texts := func(of []any) []string {
		var all []string
		for _, v := range of {
			all = append(all, fmt.Sprint(v))
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(texts(a), texts(b))
}

// TestSample asks about every level at once, of generated sheets that have what EPA's
// have.
func TestSample(t *testing.T) {
	t.Parallel()
	client := connect(t, mcp.New(sample(t), nil))
	var wg sync.WaitGroup
	for _, ask := range []struct {
		tool string
		args arguments
	}{
		{"factor", arguments{"us": true, "kind": "nonbaseload", "explain": true}}, {"factor", arguments{"state": "TX", "delivered": true}}, {"explain", arguments{"level": "US", "code": "US", "column": "USNGENAN"}},
		{"explain", arguments{"level": "GGL", "code": "Western", "column": "grid_gross_loss"}}, {"region", arguments{"level": "US", "code": "US"}}, {"search", arguments{"limit": 1000}}, {"plant", arguments{"id": "900001"}},
	} {
		for range 3 {
			wg.Go(func() {
				result, text := call(t, client, ask.tool, ask.args)
				if result.IsError {
					t.Errorf("%s %v: %s", ask.tool, ask.args, text)
				}
				if len(text) > 8<<10 && ask.tool != "search" {
					t.Errorf("%s %v: a text of %d bytes", ask.tool, ask.args, len(text))
				}
			})
		}
	}
	wg.Wait()
}

// FuzzArguments: whatever the arguments are, a tool answers, and says something.
func FuzzArguments(f *testing.F) {
	for _, seed := range [][2]string{
		{"factor", `{"subregion":"CAMX","year":2023.0,"us":null}`}, {"search", `{"filter":["net_generation_mwh>1"],"columns":"id","limit":1}`},
		{"explain", `{"level":"SRL","code":"CAMX","column":"SRCO2AN"}`}, {"plant", `{"id":"%2e%2e/","columns":["state",7]}`},
		{"inventory", `{"sites":[{"zip":90001,"kwh":1e3},{}]}`}, {"compare", `{"level":"SRL","year":2018,"from":"v1"}`}, {"zip", `[]`}, {"catalogue", `{"year":-1}`},
	} {
		f.Add(seed[0], seed[1])
	}
	client := connect(f, mcp.New(small(f, nil), nil))
	list, err := client.ListTools(f.Context(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, tool, args string) {
		if !json.Valid([]byte(args)) || !slices.ContainsFunc(list.Tools, func(known *sdk.Tool) bool { return known.Name == tool }) {
			t.Skip("no call of a tool")
		}
		result, text := call(t, client, tool, json.RawMessage(args))
		if text == "" || result.IsError == (result.StructuredContent != nil) {
			t.Errorf("%s %s: error %v, %q", tool, args, result.IsError, text)
		}
		if strings.Contains(text, "could not be finished") {
			t.Errorf("%s %s: it panics", tool, args)
		}
	})
}
