package speed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// BenchmarkFactors asks the API for emission factors by EPA's files of 2018 and 2023,
// in a SQLite store behind a cache: a different question each time, so that no answer
// was kept. It prints the median, the 99th percentile and the slowest of the
// questions.
//
//	EGRID_DATA=... go test ./internal/speed -run '^$' -bench 'Factors/[^b]' -cpu 1 -benchtime 1000x
//	EGRID_DATA=... go test ./internal/speed -run '^$' -bench 'Factors/batch' -cpu 1 -benchtime 10x
func BenchmarkFactors(b *testing.B) {
	api, places := openFactors(b)
	kinds := func(names ...calc.Kind) []calc.Kind { return names }
	for _, test := range []struct {
		name    string
		kinds   []calc.Kind
		levels  []egrid.Level
		plants  bool
		explain bool
	}{
		{name: "sheet", kinds: kinds(calc.Output, calc.Combustion, calc.HeatInput)},
		{name: "nonbaseload", kinds: kinds(calc.Nonbaseload)},
		{name: "nonbaseload-us", kinds: kinds(calc.Nonbaseload), levels: []egrid.Level{egrid.US}},
		{name: "plants", kinds: calc.Kinds(), plants: true},
		{name: "explain-subregion", kinds: calc.Kinds(), levels: []egrid.Level{egrid.SRL}, explain: true},
		{name: "any", kinds: calc.Kinds()},
	} {
		b.Run(test.name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(7, 7))
			asked := map[string]bool{}
			var took []time.Duration
			for b.Loop() {
				target := ""
				for tries := 0; target == "" || asked[target] && tries < 20; tries++ { // of the US there are few
					target = "/factors?" + question(random, places, test.kinds, test.levels, test.plants, test.explain).Encode()
				}
				asked[target] = true
				took = append(took, answered(b, api, http.MethodGet, target, nil))
			}
			quantiles(b, took)
		})
	}
	b.Run("batch-of-1000", func(b *testing.B) {
		random := rand.New(rand.NewPCG(8, 8))
		var took []time.Duration
		for b.Loop() {
			var queries []map[string]any
			for range 1000 {
				q := map[string]any{}
				for name, values := range question(random, places, calc.Kinds(), nil, false, false) {
					q[name] = values[0]
					if n, err := strconv.Atoi(values[0]); err == nil {
						q[name] = n
					}
					if values[0] == "true" {
						q[name] = true
					}
				}
				queries = append(queries, q)
			}
			body, err := json.Marshal(queries)
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, answered(b, api, http.MethodPost, "/factors", body))
		}
		quantiles(b, took)
	})
	for name, levels := range map[string][]egrid.Level{"explain-figures": {egrid.ST, egrid.SRL, egrid.NRL}, "explain-plants": {egrid.PLNT}} {
		b.Run(name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(9, 9))
			var took []time.Duration
			columns := []string{"co2_output_rate_lb_per_mwh", "coal_co2_output_rate_lb_per_mwh", "nonbaseload_n2o_output_rate_lb_per_mwh", "hydro_generation_share", "net_generation_mwh"}
			if levels[0] == egrid.PLNT {
				columns = []string{"co2_output_rate_lb_per_mwh", "hydro_generation_share", "net_generation_mwh"}
			}
			for b.Loop() {
				level := levels[random.IntN(len(levels))]
				codes := places[2018][level]
				target := fmt.Sprintf("/explain/%s/%s/%s?year=2018", level, url.PathEscape(codes[random.IntN(len(codes))]), columns[random.IntN(len(columns))])
				took = append(took, answered(b, api, http.MethodGet, target, nil))
			}
			quantiles(b, took)
		})
	}
}

// question is one of tens of thousands.
func question(random *rand.Rand, places map[int]map[egrid.Level][]string, kinds []calc.Kind, levels []egrid.Level, plants, explain bool) url.Values {
	q, year := url.Values{}, []int{2018, 2023}[random.IntN(2)]
	if levels == nil {
		levels = calc.RegionLevels()
	}
	level := levels[random.IntN(len(levels))]
	if plants {
		level, year = egrid.PLNT, 2018
	}
	if explain {
		year = 2018 // of 2023 there are no plants
		q.Set("explain", "true")
	}
	q.Set("year", strconv.Itoa(year))
	codes := places[year][level]
	switch {
	case level == egrid.PLNT:
		var ids []string
		for range 1 + random.IntN(30) {
			ids = append(ids, codes[random.IntN(len(codes))])
		}
		q.Set("plants", strings.Join(ids, ","))
	case level == egrid.US || len(codes) == 0:
		q.Set("us", "true")
	default:
		q.Set(map[egrid.Level]string{egrid.ST: "state", egrid.BA: "ba", egrid.SRL: "subregion", egrid.NRL: "nerc"}[level], codes[random.IntN(len(codes))])
	}
	kind := kinds[random.IntN(len(kinds))]
	gas := calc.Gases()[random.IntN(len(calc.Gases()))]
	q.Set("kind", string(kind))
	q.Set("gas", string(gas))
	if gas == calc.CO2e {
		q.Set("gwp", []string{"published", "ar4", "ar5", "ar6"}[random.IntN(4)])
	}
	units := calc.FactorUnits(kind)
	q.Set("unit", units[random.IntN(len(units))])
	if kind != calc.HeatInput && random.IntN(3) == 0 {
		q.Set("delivered", "true")
	}
	return q
}

// answered asks three times, and returns how long the quickest took: what else the
// machine does should not count. No answer is kept, so each is made anew. It is 0 for
// one that is refused.
func answered(b *testing.B, api http.Handler, method, target string, body []byte) time.Duration {
	b.Helper()
	return min(once(b, api, method, target, body), once(b, api, method, target, body), once(b, api, method, target, body))
}

func once(b *testing.B, api http.Handler, method, target string, body []byte) time.Duration {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	began := time.Now()
	api.ServeHTTP(w, r)
	took := time.Since(began)
	// 404 is an answer, too: of plants without CO2e, of a factor over nothing.
	if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
		b.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	if w.Code == http.StatusNotFound {
		return 0
	}
	return took
}

// quantiles reports them in milliseconds, of the questions that have an answer, and
// how many percent have none.
func quantiles(b *testing.B, all []time.Duration) {
	b.Helper()
	took := slices.DeleteFunc(slices.Sorted(slices.Values(all)), func(d time.Duration) bool { return d == 0 })
	b.ReportMetric(100*float64(len(all)-len(took))/float64(len(all)), "refused-%")
	if len(took) == 0 {
		b.Fatal("no question has an answer")
	}
	for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
		at := min(int(share*float64(len(took))), len(took)-1)
		b.ReportMetric(float64(took[at].Microseconds())/1000, name)
	}
	b.ReportMetric(0, "ns/op")
}

// openFactors loads the files, and finds the places that there are.
func openFactors(b *testing.B) (api http.Handler, places map[int]map[egrid.Level][]string) {
	b.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		b.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	backend, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "factors.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := backend.Close(); err != nil {
			b.Error(err)
		}
	})
	for _, name := range []string{
		"2023/SRL23-rev0.csv", "2023/ST23-rev0.csv", "2023/BA23-rev0.csv", "2023/NRL23-rev0.csv", "2023/US23-rev0.csv", "2023/GGL23-rev0.csv",
		"2018/v2_subregion.csv", "2018/v2_state.csv", "2018/v2_NERC.csv", "2018/v2_US.csv", "2018/GGL.csv", "2018/v2_PLNT-assembled.csv",
	} {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			b.Fatal(err)
		}
		o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}}
		if name == "2018/GGL.csv" {
			o.Release = "v2" // which the file does not say
		}
		if _, err := store.Load(b.Context(), backend, f, o); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	db := store.New(cache.New(backend, &cache.Options{MaxBytes: -1}))
	places = map[int]map[egrid.Level][]string{}
	for _, year := range []int{2018, 2023} {
		places[year] = map[egrid.Level][]string{}
		for level, c := range map[egrid.Level]egrid.Column{
			egrid.ST: egrid.State, egrid.BA: egrid.BalancingAuthority, egrid.SRL: egrid.Subregion, egrid.NRL: egrid.NERCRegion, egrid.PLNT: egrid.PlantCode,
		} {
			for row, err := range db.All(b.Context(), egrid.RowQuery{Level: level, Year: year, Columns: []egrid.Column{c}}) {
				if err != nil {
					break // no such sheet of the year
				}
				places[year][level] = append(places[year][level], row.Text(c))
			}
		}
	}
	return httpapi.New(db, &httpapi.Options{MaxCachedBytes: -1}), places
}
