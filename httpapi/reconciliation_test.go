package httpapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/certificate"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Whoever has the CSV and sha256sum can check the hash, and the hashes of the files
// that the CSV names.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	backend := memstore.New().Driver()
	t.Cleanup(func() { backend.Close() })
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: 40})
	files := map[egrid.Level]string{}
	for _, level := range append([]egrid.Level{egrid.PLNT}, calc.RegionLevels()...) {
		var text bytes.Buffer
		if err := sample.Write(&text, level); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text.Bytes())
		files[level] = hex.EncodeToString(sum[:])
		if _, err := store.Load(t.Context(), backend, &text, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: sample.Name(level)}}); err != nil {
			t.Fatal(err)
		}
	}
	h := newAPI(backend, nil)
	check := newSchemaCheck(t, h)
	ask := func(target string) (answer wire.Answer[wire.Certificate]) {
		t.Helper()
		w := get(t, h, target)
		check(t, target, w)
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
		}
		return answer
	}
	answer := ask("/reconciliation/2023")
	c := answer.Data
	if c.Checked < 10_000 || c.Matched != c.Checked || len(c.Cells) != 0 || c.GWP.Name == nil || *c.GWP.Name != "ar5" || *answer.Meta.Year != 2023 || answer.Links.Permanent == "" {
		t.Errorf("%d of %d match, GWP %v, meta %+v, links %+v", c.Matched, c.Checked, c.GWP.Name, answer.Meta, answer.Links)
	}
	if every := ask("/reconciliation/2023?cells=all").Data; len(every.Cells) != c.Checked || every.Hash != c.Hash {
		t.Errorf("cells=all has %d cells and the hash %s", len(every.Cells), every.Hash)
	}

	csv := get(t, h, "/reconciliation/2023?format=csv&cells=all")
	sum := sha256.Sum256(csv.Body.Bytes())
	if hash := hex.EncodeToString(sum[:]); hash != c.Hash {
		t.Errorf("the CSV has the hash %s; told is %s", hash, c.Hash)
	}
	lines := strings.Split(strings.TrimSpace(csv.Body.String()), "\n")
	if len(lines) != 1+c.Checked+len(files) {
		t.Errorf("the CSV has %d lines", len(lines))
	}
	last := strings.Join(lines[len(lines)-len(files):], "\n")
	for level, hash := range files {
		if !strings.Contains(last, ","+sample.Name(level)+",,"+hash+",") {
			t.Errorf("the last lines do not name the source of %s: %s", level, last)
		}
	}
	if few := get(t, h, "/reconciliation/2023", "Accept", "text/csv"); strings.Count(few.Body.String(), "\n") != 1+len(files) {
		t.Errorf("without cells=all: %s", few.Body)
	}
	page := get(t, h, "/reconciliation/2023", "Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	if h := page.Header(); h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Content-Security-Policy") != certificate.Policy() || !strings.Contains(page.Body.String(), c.Hash) {
		t.Errorf("the page: %v %s", h, page.Body)
	}
	for _, target := range []string{"/reconciliation/2023", "/reconciliation/2023?format=csv&cells=all", "/reconciliation/2023?format=html"} {
		w := get(t, h, target)
		if again := get(t, h, target, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s: %d", target, again.Code)
		}
	}

	// A permanent address answers what it did, whatever is published meanwhile.
	publish(t, backend, "US23_rev1.csv", strings.NewReader("YEAR,USNGENAN,USCO2AN,USCO2RTA\n2023,1000,50,120\n"))
	if newer := ask("/reconciliation/2023").Data; newer.Release != "rev1" || newer.Checked != 1 || newer.Matched != 0 || newer.Cells[0].Recomputed != 100 {
		t.Errorf("of the newest release: %+v", newer)
	}
	if kept := ask(answer.Links.Permanent).Data; kept.Hash != c.Hash || kept.Release != "" {
		t.Errorf("the permanent address has the hash %s, of release %q", kept.Hash, kept.Release)
	}
	if older := ask("/reconciliation/2023?release=none").Data; older.Hash != c.Hash {
		t.Errorf("the release has the hash %s", older.Hash)
	}

	// A program asks through the client, or computes by itself.
	server := httptest.NewServer(h)
	defer server.Close()
	remote, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if asked, err := remote.Reconciliation(t.Context(), 2023, "none", false); err != nil || asked.Data.Hash != c.Hash {
				t.Errorf("through the client: %s, %v", asked.Data.Hash, err)
			}
		})
	}
	all.Wait()
	own, err := calc.Reconcile(t.Context(), store.New(remote), 2023, &calc.ReconcileOptions{Release: egrid.NoRelease})
	if err != nil || own.Hash() != c.Hash {
		t.Errorf("computed over the client: %v, %v", own, err)
	}
}

// The bytes that a hash stands for, and the page.
func TestReconciliationForms(t *testing.T) {
	h := newAPI(sampleStore(t), nil)
	for _, format := range []string{"csv", "html"} {
		w := get(t, h, "/reconciliation/2023?cells=all&format="+format)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", format, w.Code, w.Body)
		}
		goldenFile(t, filepath.Join("testdata", "reconciliation."+format), w.Body.Bytes())
	}
}
