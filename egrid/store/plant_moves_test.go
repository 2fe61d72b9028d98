package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func TestPlantMoves(t *testing.T) {
	t.Parallel()
	backend := memstore.New()
	defer backend.Close()
	for year, text := range map[int]string{
		2014: "PSTATABB,PNAME,ORISPL,NERC,SUBRGN,PLNGENAN\nOK,A,1,SPP,SPSO,5\nOK,B,2,SPP,SPSO,5\n",
		2016: "PSTATABB,PNAME,ORISPL,SUBRGN,PLNGENAN\nOK,A,1,,5\nOK,B,2,SPSO,5\n",
		2018: "PSTATABB,PNAME,ORISPL,NERC,SUBRGN,PLNGENAN\nOK,A,1,MRO,SPNO,5\nOK,B,2,SPP,SPSO,5\n",
		2019: "PSTATABB,PNAME,ORISPL,NERC,SUBRGN,PLNGENAN\nOK,A,1,SPP,SPNO,5\nOK,B,2,SPP,SPSO,5\n",
	} {
		o := &store.LoadOptions{Publish: driver.PublishReplace}
		o.Name, o.Year, o.Release = "PLNT.csv", year, "v1"
		if _, err := store.Load(t.Context(), backend, strings.NewReader(text), o); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{
		"1": "[{subregion SPSO SPNO 2014 2018 v1 v1} {nerc_region SPP MRO 2014 2018 v1 v1} {nerc_region MRO SPP 2018 2019 v1 v1}]",
		"2": "[]",
	} {
		history, err := store.New(backend).PlantHistory(t.Context(), id)
		if got := fmt.Sprint(store.PlantMoves(history)); err != nil || got != want {
			t.Errorf("plant %s: %s, %v; want %s", id, got, err, want)
		}
	}
}
