package service_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/telemetry"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

// Parquet and XLSX have what the CSV has, in every cell, and come with the count of
// the rows.
func TestFilesHaveTheCellsOfCSV(t *testing.T) {
	t.Parallel()
	backend := memstore.New().Driver()
	sheet{year: 2023, content: "awkward", rows: 60_000, row: awkward}.publish(t, backend, driver.PublishAuto)
	h := service.API(backend, telemetry.New(), httpapi.Options{})
	get := func(target, accept string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	for _, target := range []string{"/levels/GEN/rows", "/levels/GEN/rows?state=TX&sort=-net_generation_mwh&columns=generator_id,net_generation_mwh", "/plants/search?sort=plant_name&limit=3000", "/levels/GEN/groups?by=state&measures=count,sum(net_generation_mwh)"} {
		plain := get(target, "text/csv")
		want, err := csv.NewReader(plain.Body).ReadAll()
		plain.Body.Close()
		if err != nil || len(want) < 4 {
			t.Fatalf("%s: %v, %d records", target, err, len(want))
		}
		for _, mediaType := range []string{"application/vnd.apache.parquet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"} {
			resp := get(target, mediaType)
			got, err := tableIn(resp)
			if err != nil || resp.Header.Get("Content-Type") != mediaType {
				t.Fatalf("%s as %s: %v, %s", target, mediaType, err, resp.Header.Get("Content-Type"))
			}
			if count := resp.Trailer.Get("X-Row-Count"); count != fmt.Sprint(len(want)-1) || count != plain.Trailer.Get("X-Row-Count") || len(got) != len(want) {
				t.Errorf("%s as %s: %d records, trailer %s; want %d", target, mediaType, len(got), count, len(want))
				continue
			}
			for i := range want {
				for j := range want[i] {
					if !sameCell(got[i][j], want[i][j]) {
						t.Fatalf("%s as %s: row %d, column %d: %q; want %q", target, mediaType, i, j, got[i][j], want[i][j])
					}
				}
			}
		}
	}
}

// sameCell takes 1e-07 for 0.0000001.
func sameCell(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 64)
	if err != nil || !strings.Contains(a, "e-") {
		return false
	}
	y, err := strconv.ParseFloat(b, 64)
	return err == nil && x == y
}

// tableIn is the first table of a file.
func tableIn(resp *http.Response) ([][]string, error) {
	var file bytes.Buffer
	if _, err := file.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	b, err := book.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), &book.Options{Formats: service.Inputs()})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	text, err := b.Tables()[0].Open()
	if err != nil {
		return nil, err
	}
	defer text.Close()
	return csv.NewReader(text).ReadAll()
}
