package service_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// What is beside the API tells its methods like the API.
func TestMethodsBesideTheAPI(t *testing.T) {
	mux := service.API(t.Context(), memstore.New().Driver(), telemetry.New(), httpapi.Options{})
	service.Explorer{Swagger: true}.Mount(mux)
	service.Page(mux, nil)
	for path, allow := range map[string]string{"/metrics": "GET, HEAD", "/api": "GET, HEAD", "/": "GET, HEAD", "/plants/top": "GET, HEAD, OPTIONS"} {
		for method, want := range map[string]int{http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			if w.Code != want || want == 405 && w.Header().Get("Allow") != allow {
				t.Errorf("%s %s: %d, Allow %q; want %d, %q", method, path, w.Code, w.Header().Get("Allow"), want, allow)
			}
		}
	}
}

// The page is there unless it is switched off.
func TestExplorer(t *testing.T) {
	for on, want := range map[bool]int{true: http.StatusOK, false: http.StatusNotFound} {
		mux := http.NewServeMux()
		service.Explorer{Swagger: on}.Mount(mux)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api", nil))
		if w.Code != want {
			t.Errorf("swagger %t: %d; want %d", on, w.Code, want)
		}
	}
}
