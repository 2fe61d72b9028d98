package main

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
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// TestTopAgreesWithTheAPI asks for the same plants in the shell, over HTTP and
// of memstore, by filters drawn at random from the values that the sample has,
// on plants that are rows and on plants that are sums of generators.
func TestTopAgreesWithTheAPI(t *testing.T) {
	const questions = 60
	for basis, sheets := range map[string][]egrid.Level{"PLNT": {egrid.PLNT, egrid.GEN}, "GEN": {egrid.GEN}} {
		t.Run(basis, func(t *testing.T) {
			s := newShell(t)
			sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 11, Plants: 120})
			for _, level := range sheets {
				var text bytes.Buffer
				if err := sample.Write(&text, level); err != nil {
					t.Fatal(err)
				}
				s.file(sample.Name(level), text.String())
			}
			s.report(0, s.dir)
			oracle := memstore.New()
			defer oracle.Close()
			if _, err := etl.New(etl.FS(os.DirFS(s.dir)), etl.ToLoader(oracle), nil).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			backend, err := service.OpenStore(t.Context(), "sqlite:"+filepath.Join(service.DataDir(), "egrid.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer backend.Close()
			api := httpapi.New(store.New(backend), nil)
			memory := store.New(oracle.Driver())

			draw := rand.New(rand.NewPCG(7, 7))
			answered := 0
			for range questions {
				q := drawTop(t, draw, memory, basis)
				want := q.ofStore(t, memory)
				if got := objects(t, s.run(0, append([]string{"top", "--format", "ndjson"}, q.flags()...)...)); !reflect.DeepEqual(got, want) {
					t.Errorf("egrid top %q:\n got %v\nwant %v", q.flags(), got, want)
				}
				w := httptest.NewRecorder()
				api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/plants/top?format=ndjson&"+q.query(), nil))
				if got := objects(t, w.Body.String()); w.Code != http.StatusOK || !reflect.DeepEqual(got, want) {
					t.Errorf("/plants/top?%s: %d\n got %v\nwant %v", q.query(), w.Code, got, want)
				}
				if len(want) > 0 {
					answered++
				}
			}
			if answered < questions/2 {
				t.Errorf("only %d of %d questions had an answer", answered, questions)
			}
		})
	}
}

// topQuestion is a question for plants by net generation.
type topQuestion struct {
	limit  int
	places map[string][]string // by the API's parameter
}

// topFlags are the command's names of the API's parameters.
var topFlags = map[string]string{
	"state": "--state", "fuel": "--fuel", "subregion": "--subregion", "balancing_authority": "--ba", "nerc_region": "--nerc",
	"fuel_category": "--filter", // any column is a filter in the shell
}

// drawTop picks one or two filters and values for them that occur.
func drawTop(t *testing.T, draw *rand.Rand, db *store.DB, basis string) topQuestion {
	t.Helper()
	columns := []egrid.Column{egrid.State, egrid.Fuel, egrid.FuelCategoryColumn}
	if basis == "PLNT" { // generators do not know the rest
		columns = append(columns, egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion)
	}
	question := topQuestion{limit: 1 + draw.IntN(20), places: map[string][]string{}}
	for range draw.IntN(3) {
		column := columns[draw.IntN(len(columns))]
		sums, err := db.SumPlants(t.Context(), column, store.PlantQuery{})
		if err != nil {
			t.Fatal(err)
		}
		var values []string
		for range 1 + draw.IntN(3) {
			if v := sums.Row(draw.IntN(sums.Len())).At(0); !v.IsMissing() {
				values = append(values, v.String())
			}
		}
		if len(values) > 0 {
			question.places[string(column)] = values
		}
	}
	return question
}

func (q topQuestion) flags() []string {
	flags := []string{"--limit", strconv.Itoa(q.limit)}
	for name, values := range q.places {
		list := strings.Join(values, ",")
		if topFlags[name] == "--filter" {
			list = name + "=" + list
		}
		flags = append(flags, topFlags[name]+"="+list)
	}
	return flags
}

func (q topQuestion) query() string {
	v := url.Values{"limit": {strconv.Itoa(q.limit)}}
	for name, values := range q.places {
		v.Set(name, strings.Join(values, ","))
	}
	return v.Encode()
}

func (q topQuestion) ofStore(t *testing.T, db *store.DB) []any {
	t.Helper()
	query := store.PlantQuery{Limit: q.limit, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}, {Column: egrid.PlantName}}}
	for name, values := range q.places {
		query.Filters = append(query.Filters, egrid.Where(egrid.Column(name), egrid.Eq, values...))
	}
	page, err := db.Plants(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for row := range page.Rows() {
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%s\n", b)
	}
	return objects(t, text)
}

// objects reads one JSON object a line.
func objects(t *testing.T, text string) []any {
	t.Helper()
	var list []any
	for line := range strings.Lines(text) {
		var object any
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		list = append(list, object)
	}
	return list
}
