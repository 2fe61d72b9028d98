package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/swaggerui"
)

// Invented plants: their figures are nobody's. Sixty of them fill pages; the
// rest is what pages stumble over.
func generators23() string {
	var b strings.Builder
	b.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN,GENNTOZ\n")
	states, fuels := []string{"TX", "CA", "WA"}, []string{"NG", "SUN", "WAT", "BIT", "NUC", "WND"}
	for i := range 60 {
		fmt.Fprintf(&b, "2023,%s,Invented %02d,%d,1,%s,%d,%d,\n", states[i%3], i, 9000+i, fuels[i%6], 10+i, 1000*(i+1))
	}
	b.WriteString(`2023,OK,Largest of all,9100,1,NUC,1200.5,9000000.25,4000000
2023,OK,Largest of all,9100,2,NUC,1200.5,1234567.125,
2023,OK,Pumped & Co,0917,1,WAT,200,-2443.5,-5
2023,OK,Silent,9103,1,WND,10,,
2023,VT,"<img src=x onerror=""document.title='hacked'"">",9104,1,WND,3,0.004,
`)
	return b.String()
}

// A sheet without ORIS codes: its plants go by state and name.
const generators16 = `YEAR,PSTATABB,PNAME,GENID,GENNTAN
2016,TX,Invented Alpha,1,7
2016,OK,"Beta ~ 1/2, East",1,9
2016,OK,"Beta ~ 1/2, East",2,10
`

const plants21 = `YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,SUBRGN,BACODE,NERC,PLPRMFL,PLFUELCT,NAMEPCAP,CAPFAC,PLNGENAN,PLCO2EQA
2021,TX,Invented 00,9000,Big Power,ERCT,ERCO,TRE,BIT,COAL,550,0.1,900000,40.5
2021,TX,Invented 03,9003,Small Power,ERCT,ERCO,TRE,SUN,SOLAR,50,0.2,100000,0
2021,OK,Pumped & Co,0917,Big Power,SPSO,NA,SPP,WAT,HYDRO,200,,-2443.5,0
`

// platform is a store with the API and the page over it.
type platform struct {
	store driver.Store
	url   string
	down  atomic.Bool // breaks every connection to the API
	page  atomic.Bool // answers with a page instead, as proxies do

	mu    sync.Mutex
	polls map[int]int // looks for a new revision by status
}

// serve starts a platform, put together as in the documentation of package
// dashboard.
func serve(t *testing.T, prefix string, o *dashboard.Options) *platform {
	t.Helper()
	return serveAPI(t, prefix, o, func(driver.Store) httpapi.Options { return httpapi.Options{} })
}

// serveAPI starts a platform whose API has options of its own.
func serveAPI(t *testing.T, prefix string, o *dashboard.Options, options func(driver.Store) httpapi.Options) *platform {
	t.Helper()
	p := &platform{store: memstore.New().Driver(), polls: map[int]int{}}
	t.Cleanup(func() { p.store.Close() })
	of := options(p.store)
	of.Observe = func(o middleware.Observation) {
		if o.Route == "/snapshots" {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.polls[o.Status]++
		}
	}
	api := httpapi.New(store.New(p.store), &of)
	page := dashboard.New(o)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			panic(http.ErrAbortHandler)
		}
		if p.page.Load() {
			fmt.Fprint(w, "<!doctype html><title>Please sign in</title>")
			return
		}
		api.ServeHTTP(w, r)
	})
	mux.Handle("/{$}", page)
	mux.Handle("/assets/", page)
	explorer := swaggerui.New(nil)
	mux.Handle("/api", explorer)
	mux.Handle("/api/", explorer)
	server := httptest.NewServer(http.StripPrefix(prefix, mux))
	t.Cleanup(server.Close)
	p.url = server.URL + prefix + "/"
	return p
}

// publish loads a sheet, in place of what is there.
func (p *platform) publish(t *testing.T, name string, text io.Reader) {
	t.Helper()
	content, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{name: {Data: content}}
	if _, err := etl.New(etl.FS(files), etl.ToLoader(p.store), &etl.Options{Publish: driver.PublishReplace}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (p *platform) asked(status int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.polls[status]
}

// sample is a platform with the invented plants.
func sample(t *testing.T) *platform {
	t.Helper()
	p := serve(t, "", &dashboard.Options{Refresh: time.Second})
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	p.publish(t, "GEN16.csv", strings.NewReader(generators16))
	p.publish(t, "PLNT21.csv", strings.NewReader(plants21))
	return p
}
