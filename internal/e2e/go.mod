module github.com/egrid-analytics/egrid-go/internal/e2e

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/egrid-analytics/egrid-go v0.0.0
)

require (
	github.com/danielgtaylor/huma/v2 v2.37.2 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/gorilla/mux v1.8.1 // indirect
	github.com/richardlehane/mscfb v1.0.9 // indirect
	github.com/richardlehane/msoleps v1.0.3 // indirect
	github.com/rs/cors v1.11.1 // indirect
	github.com/sourcegraph/conc v0.3.0 // indirect
	github.com/swaggest/swgui v1.8.5 // indirect
	go.uber.org/multierr v1.10.0 // indirect
)

replace github.com/egrid-analytics/egrid-go => ../..
