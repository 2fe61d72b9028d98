package repocheck_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// TestSeed puts a file, and a folder, into a bucket.
func TestSeed(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		testenv.Missing(t, "there is no curl")
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"GEN 23.csv": "a", "b/ST23.csv": "b", "notes.md": "c"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for what, want := range map[string][]string{
		"":           {"/egrid/GEN%2023.csv", "/egrid/b/ST23.csv"},
		"GEN 23.csv": {"/egrid/GEN%2023.csv"},
		"b":          {"/egrid/ST23.csv"},
		"notes.md":   nil, // which cannot be loaded
		"none.csv":   nil,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var put []string
			bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case r.Method == http.MethodPut:
					put = append(put, r.URL.EscapedPath())
				case r.URL.Path != "/egrid": // it has no objects yet
					w.WriteHeader(http.StatusNotFound)
				}
			}))
			defer bucket.Close()
			c := exec.CommandContext(t.Context(), "../../examples/reference/seed.sh", filepath.Join(folder, what))
			c.Env = append(os.Environ(), "EGRID_S3_ENDPOINT="+bucket.URL, "EGRID_S3_ACCESS_KEY=a-key", "EGRID_S3_SECRET_KEY=a-secret", "EGRID_BUCKET=egrid")
			out, err := c.CombinedOutput()
			slices.Sort(put)
			if (err == nil) != (want != nil) || !slices.Equal(put, want) || err != nil && !strings.Contains(string(out), what) {
				t.Errorf("%v, put %q; want %q\n%s", err, put, want, out)
			}
		})
	}
}
