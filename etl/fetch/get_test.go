package fetch_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl/fetch"
)

// workbook is the bytes of a ZIP archive, which all that is checked of a .xlsx
// without its size and SHA-256.
func workbook(t *testing.T, seed byte, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	random := rand.NewChaCha8([32]byte{seed})
	for _, name := range append([]string{"xl/workbook.xml"}, names...) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if _, err := io.CopyN(w, random, 100_000); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// server answers request after request by the handlers, and the last one again.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []http.Header
}

// requests are the headers of what was asked.
func (s *server) requests() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func serve(t *testing.T, handlers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		i := len(s.seen)
		s.seen = append(s.seen, r.Header.Clone())
		s.mu.Unlock()
		handlers[min(i, len(handlers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// content serves b as servers of files do, with ranges.
func content(b []byte, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// broken says that it sends all of b, and hangs up after n bytes.
func broken(b []byte, n int, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b[:n])
		hangUp(w)
	}
}

func hangUp(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func answer(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// waits are options that do not wait, and remember how long they should have.
func waits() (*fetch.Options, *[]time.Duration) {
	var all []time.Duration
	return &fetch.Options{Wait: func(ctx context.Context, d time.Duration) error {
		all = append(all, d)
		return ctx.Err()
	}}, &all
}

func edition(address string) fetch.Edition {
	return fetch.Edition{Year: 2023, Release: "rev2", Authority: fetch.EPA, Units: fetch.US, Address: address, Page: "https://example.org/egrid"}
}

// leftovers are the names in the folder that are neither workbook nor record.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.part*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestGet(t *testing.T) {
	t.Parallel()
	book, other := workbook(t, 1), workbook(t, 2)
	half := len(book) / 2
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		ranges   []string // Range of each request
	}{
		{"at once", []http.HandlerFunc{content(book, `"a"`)}, []string{""}},
		{"without length and ETag", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(book[:half])
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(book[half:])
		}}, []string{""}},
		{"redirects", []http.HandlerFunc{
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) },
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/over/there", http.StatusPermanentRedirect)
			},
			content(book, `"a"`),
		}, []string{"", "", ""}},
		{"broken and continued", []http.HandlerFunc{broken(book, half, `"a"`), content(book, `"a"`)}, []string{"", fmt.Sprintf("bytes=%d-", half)}},
		{"broken before the first byte", []http.HandlerFunc{broken(book, 0, `"a"`), content(book, `"a"`)}, []string{"", ""}},
		{"no answer", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, content(book, `"a"`)}, []string{"", ""}},
		{"broken, the file replaced meanwhile", []http.HandlerFunc{broken(other, half, `"a"`), content(book, `"b"`)}, []string{"", fmt.Sprintf("bytes=%d-", half)}},
		{"broken, no ranges", []http.HandlerFunc{broken(book, half, `"a"`), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(book) }}, []string{"", fmt.Sprintf("bytes=%d-", half)}},
		{"broken, weak ETag", []http.HandlerFunc{broken(book, half, `W/"a"`), content(book, `W/"a"`)}, []string{"", ""}},
		{"broken, no ETag", []http.HandlerFunc{broken(book, half, ""), content(book, "")}, []string{"", ""}},
		{"another part than asked for", []http.HandlerFunc{
			broken(book, half, `"a"`),
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(book)-1, len(book)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(book)
			},
			content(book, `"a"`),
		}, []string{"", fmt.Sprintf("bytes=%d-", half), ""}},
		{"the rest of another file", []http.HandlerFunc{ // by a server that ignores If-Range
			broken(other, half, `"a"`),
			func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("If-Range")
				content(book, `"b"`)(w, r)
			},
			content(book, `"b"`),
		}, []string{"", fmt.Sprintf("bytes=%d-", half), ""}},
		{"the rest of a longer file", []http.HandlerFunc{
			broken(book, half, `"a"`),
			answer(http.StatusPartialContent, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, len(book), len(book)+1)),
			content(book, `"a"`),
		}, []string{"", fmt.Sprintf("bytes=%d-", half), ""}},
		{"parts smaller than asked for", []http.HandlerFunc{
			broken(book, half, `"a"`),
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, half+999, len(book)))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(book[half : half+1000])
			},
			content(book, `"a"`),
		}, []string{"", fmt.Sprintf("bytes=%d-", half), fmt.Sprintf("bytes=%d-", half+1000)}},
		{"a range that cannot be", []http.HandlerFunc{
			broken(book, half, `"a"`),
			answer(http.StatusRequestedRangeNotSatisfiable, "Content-Range", "bytes */7"),
			content(book, `"a"`),
		}, []string{"", fmt.Sprintf("bytes=%d-", half), ""}},
		{"unavailable", []http.HandlerFunc{answer(503), answer(500), answer(408), content(book, `"a"`)}, []string{"", "", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := serve(t, c.handlers...), t.TempDir()
			o, _ := waits()
			var done, total int64
			o.Progress = func(d, of int64) { done, total = d, of }
			got, err := fetch.Get(t.Context(), edition(s.URL+"/data/egrid2023_data_rev2.xlsx"), dir, o)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "egrid2023_data_rev2.xlsx")
			b, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(b, book) {
				t.Fatalf("the file is not the one served: %v", err)
			}
			if got.Path != path || got.Bytes != int64(len(book)) || got.SHA256 != sumOf(book) || got.Cached || got.Verified || !slices.Equal(got.Load, []string{path}) {
				t.Errorf("%+v", got)
			}
			if record, err := os.ReadFile(path + ".sha256"); err != nil || string(record) != sumOf(book)+"  egrid2023_data_rev2.xlsx\n" {
				t.Errorf("record %q, %v", record, err)
			}
			if left := leftovers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if done != int64(len(book)) || total != 0 && total != done {
				t.Errorf("progress ended at %d of %d", done, total)
			}
			var ranges []string
			for _, h := range s.requests() {
				ranges = append(ranges, h.Get("Range"))
				if (h.Get("Range") == "") != (h.Get("If-Range") == "") {
					t.Errorf("range %q with If-Range %q", h.Get("Range"), h.Get("If-Range"))
				}
				if !strings.HasPrefix(h.Get("User-Agent"), "egrid-go") {
					t.Errorf("User-Agent %q", h.Get("User-Agent"))
				}
			}
			if !slices.Equal(ranges, c.ranges) {
				t.Errorf("ranges %q; want %q", ranges, c.ranges)
			}
		})
	}
}

func TestGetRefuses(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	xls := append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), book...)
	serves := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
	}
	page := serves([]byte("<!DOCTYPE html>\n<html><title>Page not found</title></html>"))
	for _, c := range []struct {
		name     string
		file     string
		change   func(*fetch.Edition)
		handler  http.HandlerFunc
		want     string
		is       error
		requests int
	}{
		{"not found", "a.xlsx", nil, answer(404), "404 Not Found", egrid.ErrNotFound, 1},
		{"gone", "a.xlsx", nil, answer(410), "https://example.org/egrid", egrid.ErrNotFound, 1},
		{"forbidden", "a.xlsx", nil, answer(403), "403 Forbidden", nil, 1},
		{"never available", "a.xlsx", nil, answer(503), "503", nil, 8},
		{"too many requests, for too long", "a.xlsx", nil, answer(429, "Retry-After", "86400"), "wait for 24h", nil, 1},
		{"a web page", "a.xlsx", nil, page, "the address answers a web page", egrid.ErrNotFound, 1},
		{"a web page for a CSV", "a.csv", nil, page, "the address answers a web page", egrid.ErrNotFound, 1},
		{"a web page of the wrong size", "a.xlsx", func(e *fetch.Edition) { e.Bytes = 5 }, page, "the address answers a web page", egrid.ErrNotFound, 1},
		{"text", "a.xlsx", nil, serves([]byte("YEAR,PSTATABB\n")), "no whole .xlsx", nil, 1},
		{"nothing", "a.xlsx", nil, serves(nil), "no whole .xlsx", nil, 1},
		{"text for an old workbook", "a.xls", nil, serves([]byte("YEAR,PSTATABB\n")), "no .xls workbook", nil, 1},
		{"cut short, and nobody says so", "a.xlsx", nil, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(book[:len(book)-500])
			_ = http.NewResponseController(w).Flush()
		}, "no whole .xlsx", nil, 1},
		{"another size", "a.xls", func(e *fetch.Edition) { e.Bytes = 5 }, serves(xls), "number of bytes", nil, 1},
		{"another SHA-256", "a.xlsx", func(e *fetch.Edition) { e.SHA256 = sumOf(nil) }, serves(book), sumOf(book), nil, 1},
		{"endless, and says so", "a.xlsx", nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000000000")
			_, _ = w.Write(book)
			hangUp(w)
		}, "1000000000000 bytes", nil, 1},
		{"endless", "a.xlsx", nil, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(book)
			}
		}, "more than 1000000 bytes", nil, 1},
		{"redirects in a circle", "a.xlsx", nil, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/a.xlsx", http.StatusFound)
		}, "redirects more than 5 times", nil, 6},
		{"compressed unasked", "a.xlsx", nil, answer(200, "Content-Encoding", "br"), `compressed by "br"`, nil, 1},
		{"no address", "", func(e *fetch.Edition) { e.Address = "" }, answer(500), "download it by hand", egrid.ErrNotFound, 0},
		{"an address of another kind", "", func(e *fetch.Edition) { e.Address = "file:///etc/passwd" }, answer(500), "no http or https URL", egrid.ErrInvalid, 0},
		{"an address of a folder", "", nil, answer(500), "no file name", egrid.ErrInvalid, 0},
		{"a name that leaves the folder", "..%5c..%5ca.xlsx", nil, answer(500), "no file name", egrid.ErrInvalid, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := serve(t, c.handler), t.TempDir()
			e := edition(s.URL + "/" + c.file)
			if c.change != nil {
				c.change(&e)
			}
			o, _ := waits()
			o.MaxBytes = 1_000_000
			_, err := fetch.Get(t.Context(), e, dir, o)
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("error %v; want one with %q", err, c.want)
			}
			if len(s.requests()) != c.requests {
				t.Errorf("%d requests; want %d", len(s.requests()), c.requests)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

func TestMismatch(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	s, dir := serve(t, content(book, `"a"`)), t.TempDir()
	e := edition(s.URL + "/a.xlsx")
	e.SHA256 = sumOf(nil)
	_, err := fetch.Get(t.Context(), e, dir, nil)
	var mismatch *fetch.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Got != sumOf(book) || mismatch.Want != e.SHA256 {
		t.Fatalf("error %v", err)
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("what is not the file is kept: %v", left)
	}
	e.SHA256, e.Bytes = mismatch.Got, int64(len(book))
	if f, err := fetch.Get(t.Context(), e, dir, nil); err != nil || !f.Verified {
		t.Errorf("%+v, %v", f, err)
	}
}

// A second call, of another process too, continues what the first left.
func TestGetLater(t *testing.T) {
	t.Parallel()
	book, other := workbook(t, 1), workbook(t, 2)
	half := len(book) / 2
	for _, c := range []struct {
		name      string
		first     http.HandlerFunc
		between   func(t *testing.T, path string)
		second    http.HandlerFunc
		wantRange string
	}{
		{"the same file", broken(book, half, `"a"`), nil, content(book, `"a"`), fmt.Sprintf("bytes=%d-", half)},
		{"another file", broken(other, half, `"b"`), nil, content(book, `"a"`), fmt.Sprintf("bytes=%d-", half)},
		{"whole but not renamed", broken(book, half, `"a"`), func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path+".part", book, 0o600); err != nil {
				t.Fatal(err)
			}
		}, content(book, `"a"`), fmt.Sprintf("bytes=%d-", len(book))},
		{"too long", broken(book, half, `"a"`), func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path+".part", append(other, other...), 0o600); err != nil {
				t.Fatal(err)
			}
		}, content(book, `"a"`), fmt.Sprintf("bytes=%d-", 2*len(other))},
		{"without state", broken(book, half, `"a"`), func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(path + ".part.state"); err != nil {
				t.Fatal(err)
			}
		}, content(book, `"a"`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := serve(t, c.first, c.second), t.TempDir()
			e := edition(s.URL + "/a.xlsx")
			o, _ := waits()
			o.Attempts = 1
			if _, err := fetch.Get(t.Context(), e, dir, o); err == nil {
				t.Fatal("no error")
			}
			path := filepath.Join(dir, "a.xlsx")
			if c.between != nil {
				c.between(t, path)
			}
			o.Attempts = 2
			f, err := fetch.Get(t.Context(), e, dir, o)
			if err != nil || f.SHA256 != sumOf(book) {
				t.Fatalf("%+v, %v", f, err)
			}
			if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, book) {
				t.Errorf("the file is not the one served: %v", err)
			}
			if got := s.requests()[1].Get("Range"); got != c.wantRange {
				t.Errorf("range %q; want %q", got, c.wantRange)
			}
		})
	}
}

// Another address is another file, though the ETag is the same.
func TestGetElsewhere(t *testing.T) {
	t.Parallel()
	book, other := workbook(t, 1), workbook(t, 2)
	s, dir := serve(t, broken(other, 1000, `"1"`), content(book, `"1"`)), t.TempDir()
	o, _ := waits()
	o.Attempts = 1
	if _, err := fetch.Get(t.Context(), edition(s.URL+"/old/a.xlsx"), dir, o); err == nil {
		t.Fatal("no error")
	}
	f, err := fetch.Get(t.Context(), edition(s.URL+"/new/a.xlsx"), dir, o)
	if err != nil || f.SHA256 != sumOf(book) {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestGetCached(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	s, dir := serve(t, content(book, `"a"`)), t.TempDir()
	e := edition(s.URL + "/a.xlsx")
	path := filepath.Join(dir, "a.xlsx")
	get := func() (fetch.File, error) { return fetch.Get(t.Context(), e, dir, nil) }
	if f, err := get(); err != nil || f.Cached {
		t.Fatalf("%+v, %v", f, err)
	}
	if f, err := get(); err != nil || !f.Cached || f.Verified || f.Bytes != int64(len(book)) || len(f.Load) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	e.SHA256 = sumOf(book)
	if f, err := get(); err != nil || !f.Cached || !f.Verified {
		t.Errorf("%+v, %v", f, err)
	}
	if len(s.requests()) != 1 {
		t.Errorf("%d requests; want 1", len(s.requests()))
	}
	if err := os.WriteFile(path, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{"", e.SHA256} {
		e.SHA256 = sum
		if _, err := get(); !errors.Is(err, egrid.ErrConflict) {
			t.Errorf("error %v; want a conflict", err)
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "changed" {
		t.Error("somebody's file was replaced")
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	s := serve(t, answer(503), answer(503), answer(429, "Retry-After", "100"),
		answer(503, "Date", "Sun, 29 Nov 2026 01:00:00 GMT", "Retry-After", "Sun, 29 Nov 2026 01:01:30 GMT"), // a clock that is not ours
		answer(503, "Retry-After", "soon"), content(book, `"a"`))
	o, waited := waits()
	if _, err := fetch.Get(t.Context(), edition(s.URL+"/a.xlsx"), t.TempDir(), o); err != nil {
		t.Fatal(err)
	}
	bounds := [][2]time.Duration{{500 * time.Millisecond, time.Second}, {time.Second, 2 * time.Second}, {100 * time.Second, 100 * time.Second}, {90 * time.Second, 90 * time.Second}, {8 * time.Second, 16 * time.Second}}
	if len(*waited) != len(bounds) {
		t.Fatalf("waited %v", *waited)
	}
	for i, b := range bounds {
		if got := (*waited)[i]; got < b[0] || got > b[1] {
			t.Errorf("pause %d is %s; want %s to %s", i+1, got, b[0], b[1])
		}
	}
}

// The context ends the pause and the transfer, and what has arrived is kept.
func TestGetEnds(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	half := len(book) / 2
	stalled := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(book)))
		_, _ = w.Write(book[:half])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	t.Run("in a transfer", func(t *testing.T) {
		t.Parallel()
		s, dir := serve(t, stalled, content(book, `"a"`)), t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o, _ := waits()
		o.Progress = func(done, _ int64) {
			if done == int64(half) {
				cancel()
			}
		}
		if _, err := fetch.Get(ctx, edition(s.URL+"/a.xlsx"), dir, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
		if _, err := fetch.Get(t.Context(), edition(s.URL+"/a.xlsx"), dir, nil); err != nil || s.requests()[1].Get("Range") != fmt.Sprintf("bytes=%d-", half) {
			t.Errorf("error %v, range %q", err, s.requests()[1].Get("Range"))
		}
	})
	t.Run("in a pause", func(t *testing.T) {
		t.Parallel()
		s := serve(t, answer(503))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := &fetch.Options{Backoff: time.Hour, MaxWait: time.Hour, Idle: time.Hour}
		o.Client = &http.Client{Transport: after(cancel)}
		if _, err := fetch.Get(ctx, edition(s.URL+"/a.xlsx"), t.TempDir(), o); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a transfer that stands still", func(t *testing.T) {
		t.Parallel()
		s := serve(t, stalled, content(book, `"a"`))
		o, _ := waits()
		o.Idle = 200 * time.Millisecond
		if _, err := fetch.Get(t.Context(), edition(s.URL+"/a.xlsx"), t.TempDir(), o); err != nil {
			t.Fatal(err)
		}
	})
}

// after calls f behind each answer.
type after func()

func (f after) RoundTrip(r *http.Request) (*http.Response, error) {
	defer f()
	return http.DefaultTransport.RoundTrip(r)
}

func TestRedirectToHTTP(t *testing.T) {
	t.Parallel()
	plain := serve(t, content(workbook(t, 1), `"a"`))
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/a.xlsx", http.StatusFound))
	t.Cleanup(secure.Close)
	o, _ := waits()
	o.Client = secure.Client()
	_, err := fetch.Get(t.Context(), edition(secure.URL+"/a.xlsx"), t.TempDir(), o)
	if err == nil || !strings.Contains(err.Error(), "from https to http") || len(plain.requests()) != 0 {
		t.Errorf("error %v, %d requests", err, len(plain.requests()))
	}
}

func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(content(workbook(t, 1), `"a"`))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	o, waited := waits()
	if _, err := fetch.Get(t.Context(), edition(secure.URL+"/a.xlsx"), t.TempDir(), o); err == nil || len(*waited) != 0 {
		t.Errorf("error %v after %d pauses; want one at once", err, len(*waited))
	}
}

// No error and no file tells what is secret in an address.
func TestSecrets(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"refused", answer(403)},
		{"broken", broken(book, 1000, `"a"`)},
		{"circle", answer(302, "Location", "/a.xlsx?token=hunter2")},
		{"no answer", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := serve(t, c.handler), t.TempDir()
			o, _ := waits()
			_, err := fetch.Get(t.Context(), edition(strings.Replace(s.URL, "//", "//me:hunter2@", 1)+"/a.xlsx?token=hunter2"), dir, o)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
			for _, h := range s.requests() {
				if user, ok := h["Authorization"]; !ok || len(user) != 1 {
					t.Errorf("authorization %v", user)
				}
				if strings.Contains(h.Get("Referer"), "hunter2") {
					t.Errorf("referer %q", h.Get("Referer"))
				}
			}
			for _, name := range leftovers(t, dir) {
				if b, _ := os.ReadFile(name); bytes.Contains(b, []byte("hunter2")) {
					t.Errorf("%s has the secret", name)
				}
			}
		})
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	archive := workbook(t, 1, "1996-2016/eGRID2014_Data_v2.xlsx", "1996-2016/eGRID2014_data_metric_v2.xlsx", "1996-2016/egrid2016_data.xlsx", "eGRID2004_plant.xls", "eGRID2004_location.xls", "../../eGRID2005_plant.xls", "eGRID2007_plant.xls/", "eGRID1996_plant.xls", "old/eGRID1996_plant.xls")
	s, dir := serve(t, content(archive, `"a"`)), t.TempDir()
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"egrid2014_data_v2.xlsx", []string{"eGRID2014_Data_v2.xlsx"}},
		{"egrid2016_data.xlsx", []string{"egrid2016_data.xlsx"}},
		{"egrid2004_*.xls", []string{"eGRID2004_location.xls", "eGRID2004_plant.xls"}},
		{"egrid2005_*.xls", []string{"eGRID2005_plant.xls"}}, // and nowhere else
	} {
		e := edition(s.URL + "/all.zip")
		e.Files = c.pattern
		f, err := fetch.Get(t.Context(), e, dir, nil)
		var want []string
		for _, name := range c.want {
			want = append(want, filepath.Join(dir, name))
		}
		if err != nil || !slices.Equal(f.Load, want) {
			t.Fatalf("%s: %+v, %v", c.pattern, f, err)
		}
		for _, path := range f.Load {
			if info, err := os.Stat(path); err != nil || info.Size() != 100_000 {
				t.Errorf("%s: %v, %v", path, info, err)
			}
		}
	}
	if len(s.requests()) != 1 {
		t.Errorf("%d requests; want 1", len(s.requests()))
	}
	for _, c := range []struct {
		pattern string
		limit   int64
		want    string
	}{
		{"egrid2012_data.xlsx", 0, "eGRID2014_Data_v2.xlsx"},
		{"egrid2007_*.xls", 0, "has no file"},
		{"egrid2016_data.xlsx", 99_999, "more than the 99999 bytes"},
		{"egrid2004_*.xls", 199_999, "more than the 99999 bytes"},
		{"egrid1996_*.xls", 0, "several files eGRID1996_plant.xls"},
	} {
		e := edition(s.URL + "/all.zip")
		e.Files = c.pattern
		if _, err := fetch.Get(t.Context(), e, dir, &fetch.Options{MaxBytes: c.limit}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", c.pattern, err, c.want)
		}
	}
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Of calls at the same time one downloads. The others say so, or find its file;
// none spoils it.
func TestGetTogether(t *testing.T) {
	t.Parallel()
	book := workbook(t, 1)
	s, dir := serve(t, broken(book, 1000, `"a"`), broken(book, len(book)/2, `"a"`), broken(book, len(book)/3, `"b"`), content(book, `"a"`)), t.TempDir()
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			o, _ := waits()
			o.Wait = nil
			o.Backoff = time.Millisecond
			f, err := fetch.Get(t.Context(), edition(s.URL+"/a.xlsx"), dir, o)
			if err != nil && !errors.Is(err, egrid.ErrConflict) || err == nil && f.SHA256 != sumOf(book) {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
	calls.Wait()
	if f, err := fetch.Get(t.Context(), edition(s.URL+"/a.xlsx"), dir, nil); err != nil || f.SHA256 != sumOf(book) {
		t.Errorf("%+v, %v", f, err)
	}
}
