package httpapi

import (
	_ "embed" // the answers
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// The examples of the OpenAPI document are requests and what the API answers to
// them over the bundled sample (examples/data), whose figures are generated. The
// tests write the answers, and fail when they are not those of the API.

// exampleTargets is one request for every operation, by its id.
var exampleTargets = map[string]string{
	"plant-paths":      "/plants",
	"levels":           "/levels",
	"region-levels":    "/regions",
	"regions":          "/regions/SRL",
	"top-plants":       "/plants/top?state=CA&limit=2",
	"search-plants":    "/plants/search?q=solar&columns=plant_name,state,latitude,longitude,net_generation_mwh&sort=-net_generation_mwh&limit=2",
	"plants-by-state":  "/plants/states?state=CA,TX",
	"plants-by-year":   "/plants/years?state=CA",
	"plant-chart":      "/plants/chart/by-fuel?state=CA",
	"statistics":       "/plants/statistics?year=2023",
	"plant":            "/plants/900133?year=2023",
	"plant-history":    "/plants/900133/history",
	"plant-generators": "/plants/900133/generators?limit=2",
	"plant-units":      "/plants/900133/units?limit=2",
	"rows":             "/levels/SRL/rows?columns=subregion,net_generation_mwh,co2e_output_rate_lb_per_mwh&sort=-co2e_output_rate_lb_per_mwh&limit=2",
	"groups":           "/levels/GEN/groups?by=fuel&measures=count+as+generators,sum(net_generation_mwh)&sort=-generators&limit=2",
	"diff":             "/diff?level=SRL&year=2023&from=none&to=none", // the sample has one release
	"diff-factors":     "/diff/factors?year=2023&from=none&to=none&all=true&code=CAMX&kind=output&limit=2",
	"diff-columns":     "/diff/columns?year=2023&from=none&to=none&level=GGL&all=true&limit=2",
	"diff-plants":      "/diff/plants?year=2023&from=none&to=none&change=moved&limit=2",
	"diff-report":      "/diff/report?from=none&to=none&year=2023",
	"region":           "/regions/SRL/CAMX?year=2023",
	"factor":           "/factors?subregion=CAMX&year=2023&delivered=true",
	"factors":          "/factors",
	"inventory":        "/inventory",
	"explain":          "/explain/SRL/CAMX/co2_output_rate_lb_per_mwh?year=2023",
	"zip":              "/crosswalk/zip/59221?year=2023",
	"reconciliation":   "/reconciliation/2023",
	"columns":          "/columns?level=GGL",
	"column-history":   "/columns/history?code=PSTATEABB&level=GEN",
	"column":           "/columns/co2_output_rate_lb_per_mwh",
	"snapshots":        "/snapshots",
	"snapshot":         "/snapshots/@", // for the first of /snapshots
	"catalog":          "/catalog",
	"scan":             "/scan?plan=" + base64.RawURLEncoding.EncodeToString([]byte(`{"level":"US","snapshots":[],"count":true}`)),
	"errors":           "/errors",
	"runs":             "/runs",
	"run":              "/runs/20250702T120000Z-m5c2vb",
	"run-events":       "/runs/20250701T120000Z-k3x9qa/events",
	"start-run":        "/runs",
	"publish-run":      "/runs/20250702T120000Z-m5c2vb/publish",
	"discard-run":      "/runs/20250702T120000Z-m5c2vb/discard",
	"restore-snapshot": "/snapshots/@/restore", // which is published
	"liveness":         "/healthz",
	"readiness":        "/readyz",
}

//go:embed examples.json
var exampleAnswers []byte

// examples are answers by operation and content type.
var examples = sync.OnceValue(func() map[string]map[string]json.RawMessage {
	var all map[string]map[string]json.RawMessage
	if err := json.Unmarshal(exampleAnswers, &all); err != nil {
		panic(err) // written by the tests
	}
	return all
})

// exampleSnapshot is the id of a snapshot of the sample.
func exampleSnapshot() string {
	var list struct{ Data []wire.SnapshotInfo }
	if err := json.Unmarshal(examples()["snapshots"][wire.TypeJSON], &list); err != nil || len(list.Data) == 0 {
		return "0f3a5c7e9b1d2f4a6c8e0b2d" // before the tests have written them
	}
	return string(list.Data[0].ID)
}

// addExamples puts the examples of an operation into its documentation.
func addExamples(d *huma.Operation) {
	for code, response := range d.Responses {
		for contentType, media := range response.Content {
			if answer, ok := examples()[d.OperationID][contentType]; ok && code < "300" {
				media.Example = answer
			}
		}
	}
	target, err := url.Parse(strings.ReplaceAll(exampleTargets[d.OperationID], "@", exampleSnapshot()))
	if err != nil {
		panic(err) // the targets above are addresses
	}
	given := target.Query()
	parts := strings.Split(target.Path, "/")
	for i, part := range strings.Split(d.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok && i < len(parts) {
			given.Set(strings.TrimSuffix(name, "}"), parts[i])
		}
	}
	for _, p := range d.Parameters {
		if values := given[p.Name]; len(values) > 0 {
			p.Example = exampleOf(p.Schema, values[0])
		}
	}
}

// exampleOf is a parameter's value as its schema has it.
func exampleOf(s *huma.Schema, text string) any {
	switch s.Type {
	case huma.TypeArray:
		return strings.Split(text, ",")
	case huma.TypeInteger:
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return text
}
