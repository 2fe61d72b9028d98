package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

func Example() {
	// In place of an API, which package httpapi serves.
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := step{header: map[string]string{"Content-Type": "application/json"}, body: catalog}
		if r.URL.Path == "/scan" {
			answer = scanned(twoRows())
		}
		w.Header().Set("Content-Type", answer.header["Content-Type"])
		_, _ = io.WriteString(w, answer.body)
	}))
	defer api.Close()

	c, err := client.New(api.URL, &client.Options{UserAgent: "quarterly-report/2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	db := store.New(c)
	page, err := db.Rows(context.Background(), egrid.RowQuery{
		Level:   egrid.GEN,
		Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Ge, "0")},
		Columns: []egrid.Column{egrid.GeneratorID, egrid.Sequence, egrid.NetGeneration, "own"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row := range page.Rows() {
		mwh, known := row.Float(egrid.NetGeneration)
		fmt.Printf("%q %v %t\n", row.Text(egrid.GeneratorID), mwh, known)
	}
	// Output:
	// "0005" 0.1 true
	// "" 0 false
}
