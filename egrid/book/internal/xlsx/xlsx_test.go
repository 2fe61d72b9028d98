package xlsx_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xlsx"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func TestRealWorkbook(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(testenv.Data(t), "2021", "UNT21.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := xlsx.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range w.Sheets() {
		r, err := w.Open(i)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitN(string(text), "\n", 6)
		t.Logf("%q %d bytes %d lines: %s", s.Name, len(text), strings.Count(string(text), "\n"), strings.Join(lines[:min(4, len(lines))], "\n"))
	}
}
