package egridgo_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// staff stands for who a program knows already: here by a header that a proxy in
// front of it sets.
func staff(r *http.Request) (middleware.Identity, error) {
	name := r.Header.Get("X-Staff")
	if name == "" {
		return middleware.Identity{Hint: "sign in at /login"}, nil // nobody
	}
	return middleware.Identity{Subject: name, Scopes: []middleware.Scope{middleware.ScopeRead}}, nil
}

// A program of one's own has the API and the page under /grid/. The figures are
// for those alone whom it knows; the page has none in it, and is open.
func Example_mount() {
	backend := memstore.New()
	_, err := store.Load(context.Background(), backend, strings.NewReader("YEAR,PSTATABB,PNAME,GENID,GENNTAN\n2023,WY,Wyodak,1,1776490\n"), nil)
	if err != nil {
		log.Fatal(err)
	}
	api := httpapi.New(store.New(backend), &httpapi.Options{Authenticate: staff, RequireAuth: true})
	page := dashboard.New(nil)

	grid := http.NewServeMux()
	grid.Handle("/", api)
	grid.Handle("/{$}", page)
	grid.Handle("/assets/", page)
	program := http.NewServeMux()
	program.Handle("/grid/", http.StripPrefix("/grid", grid))

	ask := func(path, name string) {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if name != "" {
			r.Header.Set("X-Staff", name)
		}
		w := httptest.NewRecorder()
		program.ServeHTTP(w, r)
		fmt.Println(path, w.Code, w.Header().Get("Content-Type"))
		if w.Code == http.StatusUnauthorized {
			fmt.Print(w.Body)
		}
	}
	ask("/grid/", "")
	ask("/grid/plants/top", "")
	ask("/grid/plants/top", "operator")
	// Output:
	// /grid/ 200 text/html; charset=utf-8
	// /grid/plants/top 401 application/problem+json
	// {"type":"about:blank","title":"Unauthorized","status":401,"detail":"credentials with scope read are needed; sign in at /login","instance":"/grid/plants/top"}
	// /grid/plants/top 200 application/json
}
