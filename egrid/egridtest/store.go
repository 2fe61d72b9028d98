// Package egridtest holds what tests of eGRID software share: the conformance
// suite that every [driver.Store] passes, a differential test that holds one
// store against another, and a generator of sample files in EPA's layout.
//
//	func TestStore(t *testing.T) {
//		egridtest.RunStore(t, func(t *testing.T) driver.Store { return memstore.New().Driver() })
//	}
//
// Start with [NewSample] for files, and with [RunStore] for a store of your own.
//
// # Guarantees
//
// Equal seeds make equal samples and equal tests, on every machine. The
// package needs the standard library only.
//
// # Errors
//
// Suites report through testing.T. The generator returns those of its writer.
//
// # See also
//
// Package memstore, which is the oracle of the differential test.
package egridtest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// RunStore runs the conformance suite. open makes an empty store, which the
// suite closes.
func RunStore(t *testing.T, open func(t *testing.T) driver.Store) {
	tests := []struct {
		name string
		run  func(*fixture)
	}{
		{"Empty", testEmpty},
		{"StagingIsInvisible", testStagingIsInvisible},
		{"ChunkTwiceIsOnce", testChunkTwiceIsOnce},
		{"ChunksOutOfOrder", testChunksOutOfOrder},
		{"IncompleteIsRefused", testIncompleteIsRefused},
		{"UnchangedOnReload", testUnchangedOnReload},
		{"Held", testHeld},
		{"Replace", testReplace},
		{"Merge", testMerge},
		{"MergeWithoutIdentifier", testMergeWithoutIdentifier},
		{"Gate", testGate},
		{"GateOfMany", testGateOfMany},
		{"Completes", testCompletes},
		{"Together", testTogether},
		{"TogetherHeld", testTogetherHeld},
		{"OneRowOfAPlace", testOneRowOfAPlace},
		{"Contradiction", testContradiction},
		{"Apart", testApart},
		{"Diff", testDiff},
		{"Discard", testDiscard},
		{"Releases", testReleases},
		{"Years", testYears},
		{"Authority", testAuthority},
		{"Values", testValues},
		{"UnknownColumns", testUnknownColumns},
		{"TextOrder", testTextOrder},
		{"Search", testSearch},
		{"SearchByState", testSearchByState},
		{"MissingValues", testMissingValues},
		{"InvalidQueries", testInvalidQueries},
		{"Pages", testPages},
		{"Cursors", testCursors},
		{"Groups", testGroups},
		{"ReadersDuringPublish", testReadersDuringPublish},
		{"ContentIdentity", testContentIdentity},
		{"ConfirmedNeedsNoStage", testConfirmedNeedsNoStage},
		{"SupersededStays", testSupersededStays},
		{"MergedIsNotUnchanged", testMergedIsNotUnchanged},
		{"Prune", testPrune},
		{"Retention", testRetention},
		{"OtherSchema", testOtherSchema},
		{"WalkDuringPublish", testWalkDuringPublish},
		{"Closed", testClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fixture{T: t, store: open(t)}
			f.db = store.New(f.store)
			t.Cleanup(func() { _ = f.store.Close() })
			test.run(f)
		})
	}
}

// fixture is a store under test.
type fixture struct {
	*testing.T
	store driver.Store
	db    *store.DB
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// sheetOf describes a sheet with a few generator columns. Different content
// names stand for different bytes.
func sheetOf(content string, year int, release string, columns ...egrid.Column) driver.SnapshotSpec {
	return specOf(egrid.GEN, content, year, release, columns...)
}

// specOf describes a sheet of any level.
func specOf(level egrid.Level, content string, year int, release string, columns ...egrid.Column) driver.SnapshotSpec {
	fields := make([]egrid.Field, 0, len(columns))
	for _, c := range columns {
		field, ok := egrid.Lookup(level, string(c))
		if !ok {
			field = egrid.Field{Level: level, Column: c, Type: egrid.Text}
		}
		fields = append(fields, field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err)
	}
	return driver.SnapshotSpec{Level: level, Year: year, Release: release, Schema: schema,
		Source: egrid.Source{Object: content + ".csv", SHA256: content, Bytes: 1}}
}

// generators is the sheet that most tests load.
var generators = []egrid.Column{egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration}

// rowsOf makes rows of a spec, from texts in its columns' order.
func rowsOf(spec driver.SnapshotSpec, records ...[]string) *egrid.Batch {
	rows := make([][]egrid.Value, len(records))
	for i, record := range records {
		rows[i] = make([]egrid.Value, len(record))
		for j, text := range record {
			v, _, err := egrid.ParseValue(spec.Schema.Field(j).Type, text)
			if err != nil {
				panic(fmt.Sprintf("record %d, %s: %v", i, text, err))
			}
			rows[i][j] = v
		}
	}
	b, err := egrid.BatchOf(spec.Schema, spec.Year, rows...)
	if err != nil {
		panic(err)
	}
	return b
}

// withRounded marks a column of a batch as rounded for display.
func withRounded(b *egrid.Batch, c egrid.Column) *egrid.Batch {
	builder := egrid.NewBuilder(b.Schema(), b.Year())
	for row := range b.Len() {
		builder.Lossy(b.Schema().Index(c))
		builder.Append(b, row)
	}
	return builder.Batch()
}

// load stages rows in chunks of two and publishes them.
func (f *fixture) load(spec driver.SnapshotSpec, policy driver.Policy, rows *egrid.Batch) driver.PublishReport {
	f.Helper()
	return f.loadBy(2, spec, policy, rows)
}

// loadBy stages rows in chunks of a size and publishes them.
func (f *fixture) loadBy(size int, spec driver.SnapshotSpec, policy driver.Policy, rows *egrid.Batch) driver.PublishReport {
	f.Helper()
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	chunks := 0
	for from := 0; from < rows.Len(); from += size {
		_, err := f.store.Put(f.Context(), id, driver.Chunk{Index: chunks, Rows: rows.Slice(from, min(from+size, rows.Len()))})
		f.must(err)
		chunks++
	}
	report, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Policy: policy, Chunks: chunks, Rows: int64(rows.Len())})
	f.must(err)
	return report
}

// loadRecords loads records of the usual generator columns.
func (f *fixture) loadRecords(content string, year int, release string, records ...[]string) driver.PublishReport {
	f.Helper()
	spec := sheetOf(content, year, release, generators...)
	return f.load(spec, driver.PublishAuto, rowsOf(spec, records...))
}

// texts runs a query and returns its rows as texts of the given column.
func (f *fixture) texts(c egrid.Column, q egrid.RowQuery) []string {
	f.Helper()
	q.Level = egrid.GEN
	page, err := f.db.Rows(f.Context(), q)
	f.must(err)
	texts := []string{}
	for row := range page.Rows() {
		texts = append(texts, row.Text(c))
	}
	return texts
}

func (f *fixture) wantTexts(c egrid.Column, q egrid.RowQuery, want ...string) {
	f.Helper()
	if got := f.texts(c, q); !slices.Equal(got, want) {
		f.Errorf("%s of %+v: got %q; want %q", c, q, got, want)
	}
}

func catalogOf(ctx context.Context, f *fixture) egrid.Catalog {
	f.Helper()
	c, err := f.store.Catalog(ctx)
	f.must(err)
	return c
}

// standing is what is published or held.
func standing(c egrid.Catalog) []egrid.Snapshot {
	return slices.DeleteFunc(slices.Clone(c.Snapshots), func(s egrid.Snapshot) bool { return s.Status == egrid.Superseded })
}

// other is ten with another figure in its last row.
func other(figure string) [][]string {
	records := slices.Clone(ten)
	last := slices.Clone(records[len(records)-1])
	last[len(last)-1] = figure
	records[len(records)-1] = last
	return records
}

// ten is a small sheet with ties, missing values and a duplicate.
var ten = [][]string{
	{"AZ", "Palo Verde", "6008", "1", "10394000"},
	{"AZ", "Palo Verde", "6008", "2", "10560000"},
	{"AL", "Browns Ferry", "46", "1", "10394000"},
	{"MI", "Ludington", "1713", "1", "-346000.5"},
	{"TX", "Comanche Peak", "6145", "1", "0"},
	{"TX", "Roscoe", "57095", "WT1", ""},
	{"WY", "Wygen III", "56596", "0005", "794708"},
	{"PA", "Seneca", "8225", "7E600", "-2443"},
	{"FL", "Crist", "3612", "1", "5"},
	{"FL", "Crist", "3612", "1", "7"},
}
