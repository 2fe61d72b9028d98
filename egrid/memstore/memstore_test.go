package memstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func TestStore(t *testing.T) {
	egridtest.RunStore(t, func(*testing.T) driver.Store { return memstore.New().Driver() })
}

func TestFailureLog(t *testing.T) {
	egridtest.RunFailureLog(t, func(*testing.T) driver.FailureLog { return memstore.New() })
}

func Example() {
	ctx := context.Background()
	backend := memstore.New()
	plant, _ := egrid.Lookup(egrid.GEN, "PNAME")
	generation, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	schema, _ := egrid.NewSchema(plant, generation)
	id, err := backend.Stage(ctx, driver.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "typed in", SHA256: "none"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.TextOf("Wyodak"), egrid.NumberOf(1776490)},
		[]egrid.Value{egrid.TextOf("Wygen III"), egrid.NumberOf(794708)},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = backend.Put(ctx, id, driver.Chunk{Rows: rows})
	report, _ := backend.Publish(ctx, id, driver.PublishRequest{Chunks: 1, Rows: 2})
	page, _ := store.New(backend).Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Sort: []egrid.Sort{{Column: egrid.NetGeneration}}})
	fmt.Println(report.Status, page.Row(0).Text(egrid.PlantName))
	// Output: published Wygen III
}
