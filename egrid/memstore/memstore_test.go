package memstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

func TestStore(t *testing.T) {
	t.Parallel()
	egridtest.RunStore(t, func(*testing.T) egrid.Store { return memstore.New() })
}

func TestFailureLog(t *testing.T) {
	t.Parallel()
	egridtest.RunFailureLog(t, func(*testing.T) egrid.FailureLog { return memstore.New() })
}

func Example() {
	ctx := context.Background()
	store := memstore.New()
	plant, _ := egrid.Lookup(egrid.GEN, "PNAME")
	generation, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	schema, _ := egrid.NewSchema(plant, generation)
	id, err := store.Stage(ctx, egrid.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "typed in", SHA256: "none"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := []egrid.Row{
		{Schema: schema, Values: []egrid.Value{egrid.TextOf("Wyodak"), egrid.NumberOf(1776490)}, Year: 2023, Number: 1},
		{Schema: schema, Values: []egrid.Value{egrid.TextOf("Wygen III"), egrid.NumberOf(794708)}, Year: 2023, Number: 2},
	}
	_, _ = store.Put(ctx, id, egrid.Chunk{Rows: rows})
	report, _ := store.Publish(ctx, id, egrid.PublishRequest{Chunks: 1, Rows: 2})
	page, _ := store.Rows(ctx, egrid.RowQuery{Level: egrid.GEN, Sort: []egrid.Sort{{Column: egrid.NetGeneration}}})
	fmt.Println(report.Status, page.Rows[0].Text(egrid.PlantName))
	// Output: published Wygen III
}
