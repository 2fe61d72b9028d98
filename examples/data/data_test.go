package data_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/examples/data"
)

var update = flag.Bool("update", false, "write the files anew")

func sample() *egridtest.Sample {
	return egridtest.NewSample(&egridtest.SampleOptions{Seed: 730, Plants: 150, Year: 2023})
}

// maxBytes is how large the bundle may be: it is compiled into programs.
const maxBytes = 600 << 10

func TestFresh(t *testing.T) {
	total := 0
	for _, level := range egridtest.SampleLevels() {
		var want bytes.Buffer
		if err := sample().Write(&want, level); err != nil {
			t.Fatal(err)
		}
		total += want.Len()
		name := sample().Name(level)
		if *update {
			if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := fs.ReadFile(data.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not what the generator writes; run make generate", name)
		}
	}
	if total > maxBytes {
		t.Errorf("the sheets have %d bytes; at most %d", total, maxBytes)
	}
	if *update {
		return
	}
	names, err := fs.Glob(data.Files(), "*")
	if err != nil || len(names) != len(egridtest.SampleLevels()) {
		t.Errorf("got the files %q, %v", names, err)
	}
}

// TestLoads reads every sheet and wants nothing to complain about.
func TestLoads(t *testing.T) {
	for _, level := range egridtest.SampleLevels() {
		f, err := data.Files().Open(sample().Name(level))
		if err != nil {
			t.Fatal(err)
		}
		r, err := sheet.NewReader(f, &sheet.ReaderOptions{Name: sample().Name(level)})
		if err != nil {
			t.Fatal(err)
		}
		var audits []egrid.Audit
		n := 0
		for d, err := range r.Batches() {
			if err != nil || len(d.Rejects) > 0 {
				t.Fatal(d.Rejects, err)
			}
			for _, b := range d.Batches {
				audits = driver.MergeAudits(audits, driver.AuditRows(level, b))
				n += b.Len()
			}
		}
		bad := slices.ContainsFunc(audits, func(a egrid.Audit) bool { return a.Severity != egrid.Info })
		if r.Sheet().Level != level || n == 0 || len(r.Sheet().Unknown) > 0 || bad {
			t.Errorf("%s: %d rows of %s, unknown columns %v, audits %+v", level, n, r.Sheet().Level, r.Sheet().Unknown, audits)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func ExampleFiles() {
	sheets := data.Files()
	f, err := sheets.Open("PLNT23.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = f.Close() }()
	r, err := sheet.NewReader(f, &sheet.ReaderOptions{Name: "PLNT23.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	plants := 0
	for _, err := range r.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		plants++
	}
	fmt.Println(r.Sheet().Level, plants)
	// Output: PLNT 150
}
