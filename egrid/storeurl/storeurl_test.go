package storeurl_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"sqlite:egrid.db": "egrid.db", "sqlite:/data/egrid.db": "/data/egrid.db", "egrid.db": "egrid.db", "./a:b.db": "./a:b.db", `C:\\data\\egrid.db`: `C:\\data\\egrid.db`,
		"../my data/egrid.db": "../my data/egrid.db",
		"mem:":                "", "postgres://h/d": "", "postgresql://h/d": "",
	} {
		if got, ok := storeurl.Path(address); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", address, got, ok, want)
		}
	}
}

// An address that cannot be read is told without any part of it.
func TestCheck(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	for _, address := range []string{
		"postgres://u:s3cret#1@127.0.0.1/x", "postgres://u:s3cret/1@127.0.0.1/x", "postgres://u:12/s3cret@127.0.0.1/x", "postgres://u:1,2/s3cret@127.0.0.1/x", "postgres://u:p@127.0.0.1:1,127.0.0.1:s3cret/x", "postgres://u:s3cret%@127.0.0.1/x",
		"postgresql+psycopg2://u:s3cret@127.0.0.1/x", "Postgres://u:s3cret@127.0.0.1/x", "pg://u:s3cret@h/x", "host=127.0.0.1 password=s3cret",
		"password=s3cret dbname=x", "amqp://u:s3cret@h/", "u:s3cret@127.0.0.1/x", "mysql://u:s3cret@h/x", "sqlite:", "s3cret:", "",
	} {
		err := storeurl.Check(address)
		if address == "" {
			if path, ok := storeurl.Path(address); !ok || path != "" || !errors.Is(err, egrid.ErrInvalid) {
				t.Errorf("empty: %q, %v, %v", path, ok, err)
			}
			continue
		}
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: tells %q", address, err)
		}
		if _, opened := storeurl.Open(t.Context(), address, nil); !errors.Is(opened, egrid.ErrInvalid) || strings.Contains(opened.Error(), secret) {
			t.Errorf("%s: opening says %v", address, opened)
		}
	}
	for _, address := range []string{"mem:", "sqlite:x", "x.db", "postgres://u:p@h1:1,h2:2/d?sslmode=disable", "postgres://u:p@h1:1,h2/d", "postgres://u:p,q@[::1]:1,[::2]:2/d", "postgres://h1,h2:2", "postgres://h/d", "postgres:///d?host=/run", "postgres://u%40x:p%23@h/d"} {
		if err := storeurl.Check(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOpenPath(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, address := range []string{"plain.db", "sqlite:named.db"} {
		s, err := storeurl.Open(t.Context(), address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Base(strings.TrimPrefix(address, "sqlite:"))); err != nil {
			t.Error(err)
		}
	}
}
