package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// A plant that the data year lacks is told with the years that have it.
func TestPlantElsewhere(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	defer m.Close()
	const header = "YEAR,ORISPL,PNAME,PSTATABB,NAMEPCAP,PLNGENAN\n"
	for _, text := range []string{header + "2014,7512,Old,TX,10,100\n", header + "2016,7512,Old,TX,10,100\n", header + "2023,3612,New,TX,20,300\n"} {
		if _, err := store.Load(t.Context(), m, strings.NewReader(text), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "plants.csv"}}); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{"7512": "in data year 2023; it is in 2014, 2016", "99": "search by name or ORIS code"} {
		if _, err := store.New(m).Plant(t.Context(), id, 0, ""); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", id, err, want)
		}
	}
}
