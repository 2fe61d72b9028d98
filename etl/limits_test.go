package etl_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

// A run that would take on more than it may publishes nothing, and says what to do.
func TestLimits(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"a/GEN23.csv": {Data: []byte(generators)}, "b/GEN21.csv": {Data: []byte(strings.ReplaceAll(generators, "2023", "2021"))}, "LICENSE": {Data: []byte("left out, and no file of the run")}}
	size := int64(2 * len(generators))
	for name, test := range map[string]struct {
		limits etl.Limits
		of     string // empty where the run is within them
	}{
		"none":           {etl.Limits{}, ""},
		"just so":        {etl.Limits{Files: 2, Bytes: size, Sheets: 2, Time: time.Hour}, ""},
		"files":          {etl.Limits{Files: 1}, "files"},
		"bytes":          {etl.Limits{Bytes: size - 1}, "bytes"},
		"sheets":         {etl.Limits{Sheets: 1}, "sheets"},
		"time":           {etl.Limits{Time: time.Nanosecond}, "time"},
		"the first wins": {etl.Limits{Files: 1, Sheets: 1}, "files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := memstore.New()
			defer store.Close()
			_, err := etl.New(etl.FS(files), etl.ToLoader(store.Driver()), &etl.Options{Limits: test.limits}).Run(t.Context())
			catalog, catalogErr := store.Driver().Catalog(t.Context())
			if catalogErr != nil {
				t.Fatal(catalogErr)
			}
			var limit *etl.LimitError
			switch {
			case test.of == "":
				if err != nil || len(catalog.Snapshots) == 0 {
					t.Errorf("%v, %d snapshots; want them published", err, len(catalog.Snapshots))
				}
			case !errors.As(err, &limit) || limit.Of != test.of || !strings.Contains(err.Error(), "allow more "+test.of):
				t.Errorf("%v; want that it has too many %s", err, test.of)
			case len(catalog.Snapshots) > 0:
				t.Errorf("%d snapshots were published all the same", len(catalog.Snapshots))
			}
		})
	}
}

// What is outside of the folder is listed and not read: by a link to a file, by one to a
// folder, by a path, by a plan of another process, and when a link is made meanwhile.
func TestLocalIn(t *testing.T) {
	t.Parallel()
	within, outside := t.TempDir(), t.TempDir()
	write := func(dir, name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(generators), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(within, name)); err != nil {
			t.Skipf("links cannot be made here: %v", err)
		}
	}
	write(within, "in/GEN23.csv")
	secret := write(outside, "GEN22.csv")
	write(outside, "more/GEN21.csv")
	link(secret, "file.csv")
	link(filepath.Join(outside, "more"), "folder")
	link(filepath.Join(within, "in"), "inside") // is the same folder again
	link("nowhere.csv", "broken.csv")

	source, err := etl.LocalIn(within, within, secret)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[o.Name] = o.LeftOut
		if r, err := source.Open(t.Context(), o, 0, -1); err == nil {
			r.Close()
			if o.Name != "in/GEN23.csv" && o.Name != "inside" {
				t.Errorf("%s was opened", o.Name)
			}
		} else if o.Name == "in/GEN23.csv" {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{"in/GEN23.csv": "", "file.csv": "outside of", "folder/GEN21.csv": "outside of", "GEN22.csv": "outside of", "broken.csv": "cannot be followed"} {
		reason, listed := got[name]
		if !listed || want == "" && reason != "" || !strings.Contains(reason, want) {
			t.Errorf("%s: %q, %t; want %q", name, reason, listed, want)
		}
	}

	// The file becomes a link behind the listing.
	var listed etl.Object
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Name == "in/GEN23.csv" {
			listed = o
		}
	}
	if err := os.Remove(listed.Location); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, listed.Location); err != nil {
		t.Fatal(err)
	}
	r, err := source.Open(t.Context(), listed, 0, -1)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
		r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "outside of") {
		t.Errorf("a link that was made meanwhile: %v", err)
	}
	if _, err := etl.LocalIn(filepath.Join(within, "none")); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("no such folder: %v", err)
	}
}
