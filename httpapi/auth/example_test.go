package auth_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

// A service that only those may read who have a key.
func Example() {
	data := memstore.New()
	defer data.Close()
	who, err := auth.New(&auth.Options{APIKeys: []auth.APIKey{
		{Name: "nightly-report", Scopes: []middleware.Scope{middleware.ScopeRead}, SHA256: sha256.Sum256([]byte("a long and random text, please"))},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := httpapi.New(store.New(data), &httpapi.Options{Authenticate: who.Authenticate, RequireAuth: true})
	for _, key := range []string{"", "a guess", "a long and random text, please"} {
		r := httptest.NewRequest(http.MethodGet, "/snapshots", nil)
		if key != "" {
			r.Header.Set(middleware.APIKeyHeader, key)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
		if w.Code == http.StatusUnauthorized {
			fmt.Print(w.Body)
		}
	}
	// Output:
	// 401 Bearer realm="egrid", scope="read"
	// {"type":"about:blank","title":"Unauthorized","status":401,"detail":"credentials with scope read are needed; send a token or an API key as Authorization: Bearer TOKEN or as X-API-Key: KEY. The operator of this service issues them","instance":"/snapshots"}
	// 401 Bearer realm="egrid", error="invalid_token", error_description="the key is not known"
	// {"type":"about:blank","title":"Unauthorized","status":401,"detail":"the key is not known; send a token or an API key as Authorization: Bearer TOKEN or as X-API-Key: KEY. The operator of this service issues them","instance":"/snapshots"}
	// 200
}
