package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
)

// TestWorkbook writes sheets of the sample, each as a file and all of them as a
// workbook, and how many rows they have: where the row workbook says, a large one,
// since only tests may use the sample.
func TestWorkbook(t *testing.T) {
	t.Parallel()
	folder, plants := os.Getenv("EGRID_BENCH_WORKBOOK"), 13_000
	if folder == "" {
		folder, plants = t.TempDir(), 50
	}
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: plants})
	var sheets []egridtest.Sheet
	rows := 0
	for _, level := range []egrid.Level{egrid.UNT, egrid.GEN, egrid.PLNT} {
		var text bytes.Buffer
		if err := sample.Write(&text, level); err != nil {
			t.Fatal(err)
		}
		write(sample.Name(level), text.Bytes())
		rows += bytes.Count(text.Bytes(), []byte("\n")) - 2 // descriptions and codes
		sheets = append(sheets, egridtest.Sheet{Name: strings.TrimSuffix(sample.Name(level), ".csv"), CSV: text.String()})
	}
	var book bytes.Buffer
	if err := egridtest.WriteWorkbook(&book, sheets...); err != nil {
		t.Fatal(err)
	}
	write("egrid2023_data.xlsx", book.Bytes())
	write("rows", fmt.Append(nil, rows))
	if rows < 3*plants {
		t.Errorf("%d rows of %d plants", rows, plants)
	}
}
