package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

func Example() {
	// In place of an API, which package httpapi serves.
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", pageType)
		_, _ = io.WriteString(w, onePage)
	}))
	defer api.Close()

	c, err := client.New(api.URL, &client.Options{UserAgent: "quarterly-report/2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := c.Rows(context.Background(), egrid.RowQuery{
		Level:   egrid.GEN,
		Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX", "OK")},
		Sort:    []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range page.Rows {
		mwh, known := row.Float(egrid.NetGeneration)
		fmt.Printf("%q %v %t\n", row.Text(egrid.Generator), mwh, known)
	}
	// Output:
	// "0005" 0.1 true
	// "" 0 false
}
