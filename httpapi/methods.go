package httpapi

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// allowed lists the methods that a path answers; empty where there is no such
// path.
func (a *api) allowed(r *http.Request) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		asked := r.Clone(r.Context())
		asked.Method = method
		var match mux.RouteMatch
		if !a.router.Match(asked, &match) || match.MatchErr != nil || match.Route == nil {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	if methods == nil {
		return ""
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// answerOptions tells by which methods a path can be asked.
func (a *api) answerOptions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			if methods := a.allowed(r); methods != "" {
				w.Header().Set("Allow", methods)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) refuseMethod(w http.ResponseWriter, r *http.Request) {
	methods := a.allowed(r)
	w.Header().Set("Allow", methods)
	wire.NewProblem(r, http.StatusMethodNotAllowed, "this path answers "+methods).Write(w)
}
