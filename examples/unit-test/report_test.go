package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	report "github.com/egrid-analytics/egrid-go/examples/unit-test"
)

// loaded is a store in memory that holds one sheet.
func loaded(t *testing.T, name, text string) driver.Scanner {
	t.Helper()
	backend := memstore.New()
	if _, err := store.Load(t.Context(), backend, strings.NewReader(text), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}}); err != nil {
		t.Fatal(err)
	}
	return backend
}

// A few rows, typed out, for what a test is about.
func TestLargest(t *testing.T) {
	t.Parallel()
	data := loaded(t, "PLNT23.csv", "YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN\n2023,TX,Alpha,1,400\n2023,TX,Bravo,2,500.5\n2023,OK,Charlie,3,900\n")
	if got, err := report.Largest(t.Context(), data, "TX"); err != nil || got != "Bravo, 500.5 MWh in 2023" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := report.Largest(t.Context(), data, "ZZ"); err == nil {
		t.Errorf("%q; want an error", got)
	}
}

// A whole sheet of generated plants, for how it behaves on many.
func TestLargestOfManyPlants(t *testing.T) {
	t.Parallel()
	sample := egridtest.NewSample(&egridtest.SampleOptions{Plants: 2000})
	var file bytes.Buffer
	if err := sample.Write(&file, egrid.PLNT); err != nil {
		t.Fatal(err)
	}
	data := loaded(t, sample.Name(egrid.PLNT), file.String())
	if got, err := report.Largest(t.Context(), data, "CA"); err != nil || !strings.HasSuffix(got, "MWh in 2023") {
		t.Errorf("%q, %v", got, err)
	}
}
