package pgstore_test

import (
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// TestColumnBecomesKnown reads, and merges into, a sheet that was loaded when
// the dictionary did not know two of its columns.
func TestColumnBecomesKnown(t *testing.T) {
	schema := newSchema(t)
	store := openIn(t, schema)
	if _, err := load(t.Context(), store, "a", 7, io.Discard); err != nil {
		t.Fatal(err)
	}
	execute(t, serverURL(t), fmt.Sprintf(`
		UPDATE %[1]s.gen SET extra = jsonb_build_object('net_generation_mwh', net_generation_mwh, 'generator_id', generator_id), net_generation_mwh = NULL, generator_id = NULL;
		UPDATE %[1]s.sheets SET typed = array_remove(array_remove(typed, 'net_generation_mwh'), 'generator_id');
		UPDATE %[1]s.state SET token = 'another'`, schema))
	checkWhole(t, store)

	spec, chunks := round("b", 9)
	spec.Schema, _ = egrid.NewSchema(append(spec.Schema.Fields(), egrid.Field{Level: egrid.GEN, Column: "NEW", Type: egrid.Text})...)
	rows, err := egrid.BatchOf(spec.Schema, 2023, append(chunks[0].Rows.Row(0).Values(), egrid.TextOf("new")))
	if err != nil {
		t.Fatal(err)
	}
	id, err := store.Stage(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), id, driver.Chunk{Rows: rows}); err != nil {
		t.Fatal(err)
	}
	report, err := store.Publish(t.Context(), id, driver.PublishRequest{Policy: driver.PublishMerge, Chunks: 1, Rows: 1})
	if err != nil || report.Snapshot.Rows != roundRows {
		t.Fatalf("got %+v, %v; want %d rows", report.Status, err, roundRows)
	}
	groups, err := ask(store).Groups(t.Context(), egrid.GroupQuery{
		Level: egrid.GEN, By: []egrid.Column{egrid.NetGeneration, "NEW"}, Measures: []egrid.Measure{{Func: egrid.Count}, {Func: egrid.Max, Column: egrid.GeneratorID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for row := range groups.Rows() {
		got = append(got, fmt.Sprint(row.At(0), row.At(1), row.At(2), row.At(3)))
	}
	if want := []string{"7 " + fmt.Sprint(roundRows-1) + " 1", "9 new 1 0"}; len(got) != 2 || groups.Row(0).Text(egrid.NetGeneration) != "7" || groups.Row(1).Text("NEW") != "new" || groups.Row(1).Text(egrid.GeneratorID) != "0" {
		t.Errorf("got %q; want %q", got, want)
	}
	if n, _ := groups.Row(0).Int("rows"); n != roundRows-1 {
		t.Errorf("%d rows stay as they were; want %d", n, roundRows-1)
	}
}

// TestLargeSums adds integers that cancel out: their sum is exact whatever the
// order of adding.
func TestLargeSums(t *testing.T) {
	store := open(t)
	field, _ := egrid.Lookup(egrid.GEN, string(egrid.Sequence))
	schema, err := egrid.NewSchema(field)
	if err != nil {
		t.Fatal(err)
	}
	id, err := store.Stage(t.Context(), driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "a.csv", SHA256: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := egrid.BatchOf(schema, 2023, []egrid.Value{egrid.IntegerOf(math.MaxInt64)}, []egrid.Value{egrid.IntegerOf(3)}, []egrid.Value{egrid.IntegerOf(-math.MaxInt64)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), id, driver.Chunk{Rows: rows}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Publish(t.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 3}); err != nil {
		t.Fatal(err)
	}
	page, err := ask(store).Groups(t.Context(), egrid.GroupQuery{Level: egrid.GEN, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.Sequence}}})
	if err != nil || page.Row(0).Text(egrid.Sequence) != "3" {
		t.Errorf("got %v, %v; want 3", page.Batch, err)
	}
}
