package httpapi_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
)

const typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// counting is a format of our own: the number of rows.
func counting() export.Format {
	return export.Format{Name: "count", Extension: ".count.txt", MediaType: "application/x-count", New: func(w io.Writer, _ *egrid.Schema, about *export.About) export.Writer {
		return &counter{w: w, about: about}
	}}
}

type counter struct {
	w     io.Writer
	about *export.About
	n     int
}

func (c *counter) Write(b *egrid.Batch) error { c.n += b.Len(); return nil }
func (c *counter) Close() error {
	_, err := fmt.Fprintf(c.w, "%d %s %s %d", c.n, c.about.Level, c.about.Name, len(c.about.Snapshots))
	return err
}

// Files come with a name that tells what is in them, and with their rows counted.
func TestFiles(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newAPI(placedStore(t), &httpapi.Options{Exports: []export.Format{counting()}}))
	defer server.Close()
	for _, test := range []struct {
		target, accept, mediaType, file, rows string
		begins                                string
	}{
		{"/levels/PLNT/rows?format=xlsx", "", typeXLSX, "rows_PLNT_2023.xlsx", "6", "PK\x03\x04"},
		{"/levels/PLNT/rows?format=xlsx&state=TX&filter=net_generation_mwh%3E=100&q=a%20/b", "", typeXLSX, "rows_PLNT_2023_net_generation_mwh--100_state-TX_a--b.xlsx", "0", "PK\x03\x04"},
		{"/levels/PLNT/rows", typeXLSX, typeXLSX, "", "6", "PK\x03\x04"},
		{"/levels/PLNT/groups?by=state&format=xlsx", "", typeXLSX, "groups_PLNT_2023.xlsx", "2", "PK\x03\x04"},
		{"/plants/top?format=xlsx&limit=2", "", typeXLSX, "top-plants_PLNT_2023.xlsx", "2", "PK\x03\x04"},
		{"/columns?format=xlsx&level=US", "", typeXLSX, "columns_US.xlsx", "", "PK\x03\x04"},
		{"/levels/PLNT/rows?format=count", "", "application/x-count", "rows_PLNT_2023.count.txt", "6", "6 PLNT rows_PLNT_2023 1"},
		{"/levels/GEN/rows?format=count&year=all", "", "application/x-count", "rows_GEN_2021.count.txt", "6", "6 GEN rows_GEN_2021 1"},
		{"/levels/PLNT/groups?format=count&by=state", "", "application/x-count", "groups_PLNT_2023.count.txt", "2", "2  groups_PLNT_2023 1"},
		{"/levels/PLNT/rows", "application/x-count", "application/x-count", "", "6", "6 PLNT rows_PLNT_2023 1"},
		{"/levels/PLNT/rows?format=datapackage&limit=1", "", "application/vnd.datapackage+json", "rows_PLNT_2023.datapackage.json", "", `{`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+test.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", test.accept)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != test.mediaType || !strings.HasPrefix(string(body), test.begins) {
			t.Errorf("%s: %v, %d, %s, %.80q", test.target, err, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		want := ""
		if test.file != "" {
			want = "attachment; filename=" + test.file
		}
		if got := resp.Header.Get("Content-Disposition"); got != want {
			t.Errorf("%s: %q; want %q", test.target, got, want)
		}
		if got := resp.Trailer.Get("X-Row-Count"); got != test.rows && test.file != "columns_US.xlsx" {
			t.Errorf("%s: %q rows; want %q", test.target, got, test.rows)
		}
	}
}

// A file that is compressed is not compressed again; another one is.
func TestFilesPackedOnce(t *testing.T) {
	t.Parallel()
	h := newAPI(placedStore(t), &httpapi.Options{Exports: []export.Format{counting()}})
	for form, want := range map[string]string{"xlsx": "", "count": "gzip", "datapackage": "gzip"} {
		w := get(t, h, "/levels/PLNT/rows?format="+form, "Accept-Encoding", "gzip")
		if w.Header().Get("Content-Encoding") != want || !variesBy(w.Header(), "Accept-Encoding") {
			t.Errorf("%s: %v", form, w.Header())
		}
	}
}

// The first cells of a workbook, and what it says of itself.
func TestXLSX(t *testing.T) {
	t.Parallel()
	h := newAPI(placedStore(t), nil)
	w := get(t, h, "/levels/PLNT/rows?format=xlsx&codes=epa&columns=plant_name,oris_plant_code,net_generation_mwh,CHPFLAG&limit=2")
	var file struct{ rows, about string }
	z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]*string{"xl/worksheets/sheet1.xml": &file.rows, "xl/worksheets/sheet2.xml": &file.about} {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		*to = string(text)
	}
	const cells = `<c r="A2" t="inlineStr"><is><t>Alpha &quot;A&quot;</t></is></c><c r="B2" t="inlineStr"><is><t>1</t></is></c><c r="C2"><v>300</v></c>`
	if !strings.Contains(file.rows, cells) || !strings.Contains(file.rows, "<t>PLNGENAN</t>") {
		t.Errorf("rows: %s", file.rows)
	}
	var answer struct{ Links struct{ Permanent string } }
	if err := json.Unmarshal(get(t, h, "/levels/PLNT/rows?limit=1").Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(answer.Links.Permanent, "snapshot=")
	if id == "" || !strings.Contains(file.about, "snapshot="+id) || !strings.Contains(file.about, "<t>"+id+"</t>") {
		t.Errorf("about: %s", file.about)
	}
}

// The description has the columns of the CSV of the same query.
func TestDataPackage(t *testing.T) {
	t.Parallel()
	h := newAPI(placedStore(t), nil)
	for _, target := range []string{
		"/plants/top?", "/plants/search?columns=plant_name,ODD&codes=epa&", "/levels/PLNT/rows?state=TX&", "/levels/PLNT/groups?by=state&measures=count,sum(net_generation_mwh)&",
		"/plants/states?", "/columns?", "/snapshots?",
	} {
		header, _, _ := strings.Cut(get(t, h, target+"format=csv").Body.String(), "\r\n")
		var described struct {
			Resources []struct {
				Path   string
				Schema struct {
					Fields        []struct{ Name, Type string }
					MissingValues []string
				}
			}
		}
		w := get(t, h, target+"format=datapackage")
		if err := json.Unmarshal(w.Body.Bytes(), &described); err != nil {
			t.Fatalf("%s: %v in %s", target, err, w.Body)
		}
		if len(described.Resources) != 1 {
			t.Fatalf("%s: %s", target, w.Body)
		}
		resource := described.Resources[0]
		var names []string
		for _, f := range resource.Schema.Fields {
			names = append(names, f.Name)
		}
		disposition := get(t, h, target+"format=csv").Header().Get("Content-Disposition")
		if strings.Join(names, ",") != header || !slices.Equal(resource.Schema.MissingValues, []string{""}) || disposition != "attachment; filename="+resource.Path {
			t.Errorf("%s: %s is %q; want %q as %s", target, resource.Path, names, header, disposition)
		}
	}
}

// A file that cannot go on breaks the connection, or is an error where nothing of
// it was sent.
func TestFilesBreakOff(t *testing.T) {
	t.Parallel()
	store := memstore.New().Driver()
	publish(t, store, "PLNT23.csv", strings.NewReader(manyPlaces(12000)))
	for after, sent := range map[int64]bool{0: false, 9000: true} {
		q := &troubled{Scanner: store, fail: errors.New("disk on fire")}
		q.rows.Store(after)
		server := httptest.NewServer(newAPI(q, nil))
		resp, err := server.Client().Get(server.URL + "/levels/PLNT/rows?format=xlsx")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		server.Close()
		if sent != (err != nil) || sent != (resp.StatusCode == 200) || resp.Trailer.Get("X-Row-Count") != "" {
			t.Errorf("after %d rows: %v, status %d, trailer %q", after, err, resp.StatusCode, resp.Trailer)
		}
	}
}

func TestCodesOfFiles(t *testing.T) {
	t.Parallel()
	h := newAPI(placedStore(t), &httpapi.Options{Exports: []export.Format{counting()}})
	for target, want := range map[string]string{
		"/levels/PLNT/rows?codes=epa&format=xlsx": "", "/levels/PLNT/rows?codes=epa&format=datapackage": "",
		"/levels/PLNT/rows?codes=epa&format=count": "ask for format=csv or format=xlsx or format=datapackage",
	} {
		if w := get(t, h, target); (w.Code == 200) != (want == "") || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.200s", target, w.Code, w.Body)
		}
	}
}
