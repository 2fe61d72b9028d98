package driver_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// generatorSchema has the identifier of a generator, and figures.
func generatorSchema(t testing.TB, columns ...egrid.Column) *egrid.Schema {
	t.Helper()
	fields := make([]egrid.Field, len(columns))
	for i, c := range columns {
		f, ok := egrid.Lookup(egrid.GEN, string(c))
		if !ok {
			f = egrid.Field{Level: egrid.GEN, Column: c, Type: egrid.Text}
		}
		fields[i] = f
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// someRows makes rows of a schema; identifiers come more than once.
func someRows(t testing.TB, r *rand.Rand, schema *egrid.Schema, n int) *egrid.Batch {
	t.Helper()
	b := egrid.NewBuilder(schema, 2023)
	number := int64(0)
	for range n {
		for i := range schema.Len() {
			if r.IntN(5) == 0 {
				continue
			}
			var v egrid.Value
			switch schema.Field(i).Type {
			case egrid.Number:
				v = egrid.NumberOf([]float64{0, 0.5, -12.25, 1e300, float64(r.IntN(1000)) / 1000}[r.IntN(5)])
			case egrid.Integer:
				v = egrid.IntegerOf(int64(r.IntN(9)))
			default:
				v = egrid.TextOf(fmt.Sprint(r.IntN(6)))
			}
			if err := b.Value(i, v); err != nil {
				t.Fatal(err)
			}
		}
		number += 1 + int64(r.IntN(2))
		b.EndRow(number, 0)
	}
	return b.Batch()
}

func snapshotOf(t testing.TB, b *egrid.Batch, cuts ...int) egrid.Snapshot {
	t.Helper()
	s := driver.NewSnapshot("stage", driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: b.Schema(), Source: egrid.Source{Object: "a", SHA256: "a"}})
	var tallies []driver.Tally
	from := 0
	for _, to := range append(cuts, b.Len()) {
		tallies = append(tallies, driver.TallyOf(driver.Chunk{Rows: b.Slice(from, to)}))
		from = to
	}
	slices.Reverse(tallies) // in any order
	driver.Describe(&s, tallies)
	return s
}

// rebuilt is the same rows, decimals as floats behind each other, with one cell
// changed where change is not negative.
func rebuilt(t testing.TB, b *egrid.Batch, change int) *egrid.Batch {
	t.Helper()
	out := egrid.NewBuilder(b.Schema(), b.Year())
	for i, f := range b.Schema().Fields() { // a first row, later dropped, makes floats of the columns
		if f.Type == egrid.Number {
			out.Number(i, 1.0/3)
		}
	}
	out.DropRow()
	for row := range b.Rows() {
		for i, v := range row.Values() {
			_, at := row.Batch()
			if at*b.Schema().Len()+i == change {
				switch {
				case v.IsMissing() && b.Schema().Field(i).Type == egrid.Text:
					v = egrid.TextOf("new")
				case v.IsMissing() && b.Schema().Field(i).Type == egrid.Number:
					v = egrid.NumberOf(0)
				case v.IsMissing():
					v = egrid.IntegerOf(0)
				default:
					v = egrid.Value{}
				}
			}
			if err := out.Value(i, v); err != nil {
				t.Fatal(err)
			}
		}
		out.EndRow(row.Number(), row.Line()+5)
	}
	return out.Batch()
}

// A snapshot's id is that of its rows: however they are cut, put and kept, and
// another one for every cell that changes.
func TestContentIdentity(t *testing.T) {
	schema := generatorSchema(t, egrid.State, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, egrid.NameplateCapacity, "operating_year")
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := someRows(t, r, schema, 1+r.IntN(30))
		want := snapshotOf(t, b)
		if one := r.IntN(b.Len() + 1); snapshotOf(t, b, one, one+r.IntN(b.Len()-one+1)).ID != want.ID {
			t.Fatalf("seed %d: cutting the rows makes another id", seed)
		}
		if got := snapshotOf(t, rebuilt(t, b, -1)); got.ID != want.ID {
			t.Fatalf("seed %d: other vectors of the same values make another id", seed)
		}
		parsed, err := egrid.ParseBatch(b.AppendBinary(nil), schema)
		if err != nil || snapshotOf(t, parsed).ID != want.ID {
			t.Fatalf("seed %d: encoding makes another id (%v)", seed, err)
		}
		renumbered := egrid.NewBuilder(schema, 2023)
		for row := range b.Rows() {
			for i, v := range row.Values() {
				if err := renumbered.Value(i, v); err != nil {
					t.Fatal(err)
				}
			}
			renumbered.EndRow(row.Number()+1, 0)
		}
		if snapshotOf(t, renumbered.Batch()).ID == want.ID {
			t.Fatalf("seed %d: other numbers make the same id", seed)
		}
		seen := map[egrid.SnapshotID]int{want.ID: -1}
		for change := range b.Len() * schema.Len() {
			id := snapshotOf(t, rebuilt(t, b, change)).ID
			if other, met := seen[id]; met {
				t.Fatalf("seed %d: changing cell %d makes the id of cell %d", seed, change, other)
			}
			seen[id] = change
		}
	}
}

// The order of the columns makes no other id: an export has the dictionary's, and
// people have theirs.
func TestContentIdentityOfColumnOrder(t *testing.T) {
	fields := generatorSchema(t, egrid.State, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, egrid.NameplateCapacity).Fields()
	fields = append(fields, egrid.Field{Level: egrid.GEN, Column: "OWN", Type: egrid.Text}, egrid.Field{Column: "another", Type: egrid.Number})
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		schema, err := egrid.NewSchema(fields...)
		if err != nil {
			t.Fatal(err)
		}
		b := someRows(t, r, schema, 1+r.IntN(30))
		other := slices.Clone(fields)
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		shuffled, err := egrid.NewSchema(other...)
		if err != nil {
			t.Fatal(err)
		}
		from := make([]int, len(other))
		for i, f := range other {
			from[i] = schema.Index(f.Column)
		}
		if c := b.Project(shuffled, from); snapshotOf(t, c, b.Len()/2).ID != snapshotOf(t, b).ID || driver.DigestOf(c) != driver.DigestOf(b) || driver.Order(shuffled) != driver.Order(schema) {
			t.Fatalf("seed %d: columns in the order %v make another id", seed, shuffled.Columns())
		}
	}
}

// Chunks of an earlier version, which hashed the columns in the order of the file,
// make the id that they made there. Those of two versions make an id of their own.
func TestContentIdentityOfEarlierVersions(t *testing.T) {
	schema := generatorSchema(t, egrid.NetGeneration, egrid.PlantCode, egrid.GeneratorID)
	b, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.NumberOf(20961.5), egrid.TextOf("3"), egrid.TextOf("0290")}, []egrid.Value{{}, egrid.TextOf("55077"), egrid.TextOf("NA")})
	if err != nil {
		t.Fatal(err)
	}
	spec := driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "a", SHA256: "a"}}
	// What the version that made it kept of the two rows.
	const digest, id = `"digest":[594246079992569096,6862987942903470199,11508906904069836753,12498791264890210585]`, "e6af99ca105d2b77fb843069"
	var before driver.Tally
	if err := json.Unmarshal([]byte(`{"rows":2,"rejected":0,"lossy":null,"findings":null,`+digest+`}`), &before); err != nil {
		t.Fatal(err)
	}
	was := driver.NewSnapshot("stage", spec)
	driver.Describe(&was, []driver.Tally{before, {}})
	if was.ID != id {
		t.Errorf("chunks of an earlier version make the id %s; want %s", was.ID, id)
	}
	half := driver.TallyOf(driver.Chunk{Rows: b.Slice(0, 1)})
	mixed := driver.NewSnapshot("stage", spec)
	driver.Describe(&mixed, []driver.Tally{half, before})
	if is := snapshotOf(t, b); is.ID == was.ID || mixed.ID == was.ID || mixed.ID == is.ID {
		t.Errorf("ids: %s of before, %s now, %s of both", was.ID, is.ID, mixed.ID)
	}
}

func TestIdentityOfColumns(t *testing.T) {
	text := egrid.Field{Level: egrid.GEN, Column: "OWN", Type: egrid.Text}
	number := text
	number.Type = egrid.Number
	ids := map[egrid.SnapshotID]string{}
	add := func(what string, s egrid.Snapshot) {
		t.Helper()
		if was, met := ids[s.ID]; met {
			t.Errorf("%s has the id of %s", what, was)
		}
		ids[s.ID] = what
	}
	for what, f := range map[string]egrid.Field{"text": text, "number": number, "renamed": {Level: egrid.GEN, Column: "OWN2", Type: egrid.Text}} {
		schema, err := egrid.NewSchema(f)
		if err != nil {
			t.Fatal(err)
		}
		b := egrid.NewBuilder(schema, 2023)
		b.EndRow(1, 0)
		add(what, snapshotOf(t, b.Batch()))
		b.Lossy(0)
		b.EndRow(1, 0)
		add(what+", rounded", snapshotOf(t, b.Batch()))
	}
}

func TestConfirm(t *testing.T) {
	s := egrid.Snapshot{Stage: "first", Sources: []egrid.Source{{ID: "first"}}}
	before := s
	for i := range 12 {
		driver.Confirm(&s, egrid.Source{ID: egrid.StageID(fmt.Sprint(i))})
		driver.Confirm(&s, egrid.Source{ID: egrid.StageID(fmt.Sprint(i))}) // once
	}
	driver.Confirm(&s, egrid.Source{ID: "first"})
	if len(s.Confirmed) != 10 || s.Confirmed[0].ID != "2" || s.Confirmed[9].ID != "11" || len(before.Confirmed) != 0 {
		t.Errorf("confirmed by %v", s.Confirmed)
	}
	if !s.Is("11") || !s.Is("first") || s.Is("0") || !s.Has("first") {
		t.Error("a snapshot does not know its loads")
	}
}

func TestExpired(t *testing.T) {
	now := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
	var c egrid.Catalog
	since := map[egrid.SnapshotID]time.Time{}
	add := func(year int, status egrid.Status, revision int64, days int) {
		id := egrid.SnapshotID(fmt.Sprintf("%d-%d", year, revision))
		c.Snapshots = append(c.Snapshots, egrid.Snapshot{ID: id, Level: egrid.GEN, Year: year, Status: status, Revision: revision})
		since[id] = now.AddDate(0, 0, -days)
	}
	add(2022, egrid.Superseded, 1, 30)
	add(2022, egrid.Superseded, 2, 20)
	add(2022, egrid.Superseded, 3, 10)
	add(2022, egrid.Published, 4, 0)
	add(2022, egrid.Held, 0, 100)
	add(2023, egrid.Superseded, 5, 30)
	add(2023, egrid.Published, 6, 0)
	driver.Seal(&c)
	const day = 24 * time.Hour
	for _, test := range []struct {
		request driver.PruneRequest
		want    string
	}{
		{driver.PruneRequest{}, "2022-3 2022-2 2022-1 2023-5"},
		{driver.PruneRequest{Keep: 1}, "2022-2 2022-1"},
		{driver.PruneRequest{Keep: 3}, ""},
		{driver.PruneRequest{OlderThan: 15 * day}, "2022-2 2022-1 2023-5"},
		{driver.PruneRequest{OlderThan: 20 * day, Keep: 1}, "2022-2 2022-1"},
		{driver.PruneRequest{OlderThan: 31 * day}, ""},
	} {
		var got []string
		for _, s := range driver.Expired(c, test.request, now, func(s egrid.Snapshot) time.Time { return since[s.ID] }) {
			got = append(got, string(s.ID))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%+v drops %v; want %s", test.request, got, test.want)
		}
	}
}

// The identity of a catalogue is that of its content and states.
func TestSeal(t *testing.T) {
	snapshots := []egrid.Snapshot{
		{ID: "a", Stage: "1", Level: egrid.US, Year: 2023, Status: egrid.Published, Revision: 1},
		{ID: "b", Stage: "2", Level: egrid.GEN, Year: 2023, Release: "v2", Status: egrid.Published, Revision: 2},
		{ID: "c", Stage: "3", Level: egrid.GEN, Year: 2023, Status: egrid.Held},
		{ID: "d", Stage: "4", Level: egrid.GEN, Year: 2023, Status: egrid.Superseded, Revision: 3},
		{ID: "e", Stage: "5", Level: egrid.GEN, Year: 2021, Status: egrid.Published, Revision: 4},
	}
	seal := func(change func(*egrid.Catalog)) egrid.Catalog {
		c := egrid.Catalog{Revision: 9, Snapshots: slices.Clone(snapshots), Pruned: []egrid.SnapshotID{"y", "x"}}
		change(&c)
		driver.Seal(&c)
		return c
	}
	first := seal(func(*egrid.Catalog) {})
	var order []string
	for _, s := range first.Snapshots {
		order = append(order, string(s.ID))
	}
	if got := strings.Join(order, ""); got != "edcba" {
		t.Errorf("the order is %s; want edcba", got)
	}
	same := seal(func(c *egrid.Catalog) {
		slices.Reverse(c.Snapshots)
		slices.Reverse(c.Pruned)
		c.Revision = 2
	})
	if same.ID != first.ID {
		t.Error("the order of the lists, or the revision, makes another id")
	}
	for what, change := range map[string]func(*egrid.Catalog){
		"a state":     func(c *egrid.Catalog) { c.Snapshots[2].Status = egrid.Superseded },
		"a snapshot":  func(c *egrid.Catalog) { c.Snapshots[0].ID = "z" },
		"one less":    func(c *egrid.Catalog) { c.Snapshots = c.Snapshots[1:] },
		"pruned":      func(c *egrid.Catalog) { c.Pruned = c.Pruned[1:] },
		"a confirmer": func(c *egrid.Catalog) { c.Snapshots[0].Confirmed = []egrid.Source{{ID: "9"}} },
	} {
		if seal(change).ID == first.ID {
			t.Errorf("%s makes no other id", what)
		}
	}
}
