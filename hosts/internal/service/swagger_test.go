package service_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
)

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
