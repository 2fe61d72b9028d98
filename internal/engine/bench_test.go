package engine_test

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
)

// generators reads EPA's generators of 2023: 26,601 rows of 17 columns.
func generators(b *testing.B) (egrid.Catalog, []*egrid.Batch) {
	b.Helper()
	f, err := os.Open(filepath.Join(cmp.Or(os.Getenv("EGRID_DATA"), filepath.Join("..", "..", "..", "..", "shared", "data")), "2023", "GEN23.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		b.Skipf("no real eGRID files: set EGRID_DATA to their folder (%v)", err)
	}
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	var fields []egrid.Field
	for _, code := range records[1] {
		field, ok := egrid.Lookup(egrid.GEN, code)
		if !ok {
			field = egrid.Field{Level: egrid.GEN, Column: egrid.Column(code), Type: egrid.Integer}
		}
		if egrid.IsContext(field.Column) {
			field = egrid.Field{Level: egrid.GEN, Column: "year of the file", Type: egrid.Integer}
		}
		fields = append(fields, field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		b.Fatal(err)
	}
	builder := egrid.NewBuilder(schema, 2023)
	var batches []*egrid.Batch
	for i, record := range records[2:] {
		for j, cell := range record {
			v, _, err := egrid.ParseValue(fields[j].Type, cell)
			if err == nil {
				err = builder.Value(j, v)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		builder.EndRow(int64(i+1), 0)
		if builder.Len() == 4096 {
			batches = append(batches, builder.Batch())
		}
	}
	batches = append(batches, builder.Batch())
	return egrid.Catalog{Snapshots: []egrid.Snapshot{{
		ID: "generators", Level: egrid.GEN, Year: 2023, Status: egrid.Published, Rows: int64(len(records) - 2), Schema: schema,
	}}}, batches
}

func rowPlan(b *testing.B, c egrid.Catalog, q egrid.RowQuery) *driver.Plan {
	b.Helper()
	q.Level = egrid.GEN
	p, err := driver.PlanRows(c, q)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func groupPlan(b *testing.B, c egrid.Catalog, q egrid.GroupQuery) *driver.Plan {
	b.Helper()
	q.Level = egrid.GEN
	p, err := driver.PlanGroups(c, q)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkScan(b *testing.B) {
	c, batches := generators(b)
	all := c.Snapshots[0].Schema.Columns()
	sums := []egrid.Measure{
		{Func: egrid.Count}, {Func: egrid.Sum, Column: egrid.NetGeneration, As: "mwh"}, {Func: egrid.Sum, Column: "GENNTOZ", As: "ozone"},
		{Func: egrid.Sum, Column: "NAMEPCAP", As: "mw"}, {Func: egrid.Min, Column: egrid.State, As: "in"}, {Func: egrid.Min, Column: egrid.PlantName, As: "name"},
	}
	for _, bench := range []struct {
		name string
		plan *driver.Plan
	}{
		{"groups by plant", groupPlan(b, c, egrid.GroupQuery{
			By: []egrid.Column{"ORISPL"}, Measures: sums, Having: []egrid.Filter{egrid.Where("mwh", egrid.Ge, "100000")},
			Sort: []egrid.Sort{{Column: "mwh", Desc: true}}, Limit: 20,
		})},
		{"groups by state", groupPlan(b, c, egrid.GroupQuery{By: []egrid.Column{egrid.State}, Measures: sums[1:2]})},
		{"groups by state and fuel", groupPlan(b, c, egrid.GroupQuery{By: []egrid.Column{egrid.State, "FUELG1"}, Measures: sums[:2]})},
		{"top 10 of a state", rowPlan(b, c, egrid.RowQuery{
			Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "TX")}, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Limit: 10,
		})},
		{"top 10 of all", rowPlan(b, c, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Limit: 10})},
		{"top 10 by name", rowPlan(b, c, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.PlantName}, {Column: "GENID"}}, Limit: 10})},
		{"sort all", rowPlan(b, c, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Columns: []egrid.Column{egrid.State}, Limit: 1 << 20})},
		{"search", rowPlan(b, c, egrid.RowQuery{Search: "solar ca", Limit: 10})},
		{"all rows stored", rowPlan(b, c, egrid.RowQuery{Columns: all, Limit: 1 << 20})},
		{"all rows copied", rowPlan(b, c, egrid.RowQuery{Limit: 1 << 20})},
		{"first page", rowPlan(b, c, egrid.RowQuery{})},
		{"count of a range", rowPlan(b, c, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Ge, "1000")}}).Counting()},
	} {
		b.Run(bench.name, func(b *testing.B) {
			t := engine.NewTable(batches, engine.Needed(bench.plan))
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				for batch, err := range engine.Scan(b.Context(), bench.plan, func(egrid.Snapshot) *engine.Table { return t }) {
					if err != nil {
						b.Fatal(err)
					}
					rows += batch.Len()
				}
			}
			if rows == 0 {
				b.Fatal("no rows")
			}
		})
	}
}

func BenchmarkNewTable(b *testing.B) {
	c, batches := generators(b)
	all := c.Snapshots[0].Schema.Columns()
	b.ReportAllocs()
	bytes := int64(0)
	for b.Loop() {
		t := engine.NewTable(batches, all)
		bytes = 0
		for _, name := range all {
			bytes += t.Column(name).Bytes()
		}
	}
	b.ReportMetric(float64(bytes), "table-bytes")
}
