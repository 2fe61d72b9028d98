package service

import (
	"net/http"

	"github.com/egrid-analytics/egrid-go/httpapi/swaggerui"
)

// Explorer is the flag of the page on which the API can be read and tried.
type Explorer struct {
	Swagger bool `help:"Swagger UI at /api." default:"true" negatable:""`
}

// Mount puts the page in front of what mux serves.
func (e Explorer) Mount(mux *http.ServeMux) {
	if e.Swagger {
		page := swaggerui.New(nil)
		mux.Handle("/api", page)
		mux.Handle("/api/", page)
	}
}
