package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	backend := memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	publish(t, backend, "SRL18_v1.csv", strings.NewReader("SUBRGN,SRNAME,SRNGENAN,SRCO2AN\nCAMX,Cal,200,0\nNYLI,Long Island,10,5\nERCT,Texas,7,5\n"))
	publish(t, backend, "SRL18_v2.csv", strings.NewReader("SUBRGN,SRNAME,SRNGENAN,SRCO2AN\nCAMX,California,300,4\nNYLI,Long Island,10,5\nRFCW,West,7,5\n"))
	h := newAPI(backend, nil)
	check := newSchemaCheck(t, h)
	const target = "/diff?level=srl&year=2018&from=v1&to=v2"
	const first = `{"key":"CAMX","column":"co2_short_tons","from":0.0,"to":4.0,"relative_change":null}`
	const second = `{"key":"CAMX","column":"net_generation_mwh","from":200.0,"to":300.0,"relative_change":0.5}`
	const third = `{"key":"CAMX","column":"subregion_name","from":"Cal","to":"California","relative_change":null}`
	w := get(t, h, target)
	check(t, target, w)
	var answer wire.Answer[json.RawMessage]
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || string(answer.Data) != "["+first+","+second+","+third+"]" {
		t.Fatalf("%v, %s", err, w.Body)
	}
	if d := answer.Meta.Difference; d == nil || d.Rows != 2 || d.Changed != 1 || d.Added != 1 || d.Lost != 1 || d.Cells != 3 || d.Digits != 0 || *answer.Meta.Total != 3 || *answer.Meta.Year != 2018 {
		t.Errorf("meta %+v", answer.Meta)
	}
	// Page by page, also when another release is published meanwhile.
	var pages []string
	next := target + "&limit=2"
	for next != "" {
		w := get(t, h, next)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", next, w.Code, w.Body)
		}
		var page wire.Answer[[]json.RawMessage]
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Meta.Count != len(page.Data) || *page.Meta.Total != 3 {
			t.Fatalf("%v, %s", err, w.Body)
		}
		for _, change := range page.Data {
			pages = append(pages, string(change))
		}
		next = page.Links.Next
		publish(t, backend, "SRL18_v3.csv", strings.NewReader("SUBRGN,SRNGENAN\nCAMX,1\n"))
	}
	if strings.Join(pages, "") != first+second+third {
		t.Errorf("the pages have %s", pages)
	}
	for format, want := range map[string]string{
		"csv":    "key,column,from,to,relative_change\r\nCAMX,co2_short_tons,0,4,\r\nCAMX,net_generation_mwh,200,300,0.5\r\nCAMX,subregion_name,Cal,California,\r\n",
		"ndjson": first + "\n" + second + "\n" + third + "\n",
	} {
		if w := get(t, h, target+"&format="+format); w.Body.String() != want || w.Result().Trailer.Get("X-Row-Count") != "3" {
			t.Errorf("%s: %s; want %s", format, w.Body, want)
		}
	}
	for query, want := range map[string]int{
		"level=SRL": 400, "from=v1": 400, "level=SRL&from=x": 400, "level=X&from=v1": 400, "level=SRL&from=v1&cursor=abc": 400,
		"level=SRL&from=v1&cursor=0123456789abcdef01234567.0123456789abcdef01234567.-1": 400,
		"level=SRL&from=v1&limit=0": 400, "level=SRL&from=v9": 404, "level=SRL&from=0123456789abcdef01234567": 404, "level=PLNT&from=v1": 404,
		"level=SRL&from=v1&to=": 200,
	} {
		if w := get(t, h, "/diff?"+query); w.Code != want {
			t.Errorf("%s: %d %s; want %d", query, w.Code, w.Body, want)
		}
	}
	// A program asks through the client.
	server := httptest.NewServer(h)
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.New(c).Diff(t.Context(), store.DiffQuery{Level: egrid.SRL, From: "v1", To: "v2"})
	if err != nil || len(d.Changes) != 3 || d.Changes[0].Key != "CAMX" || d.Lost != 1 {
		t.Errorf("through the client: %+v, %v", d, err)
	}
}
