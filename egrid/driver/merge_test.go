package driver_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// mergeByHand updates and appends as maps do; false where a staged row has no
// identifier and is not one of the published rows.
func mergeByHand(live, staged *egrid.Batch, columns, identifier []egrid.Column) ([]string, bool) {
	key := func(met map[string]int, row egrid.Row) string {
		var parts []string
		for _, c := range identifier {
			if row.Value(c).IsMissing() {
				return ""
			}
			parts = append(parts, fmt.Sprintf("%q", row.Text(c)))
		}
		k := strings.Join(parts, "/")
		met[k]++
		return fmt.Sprint(k, " ", met[k])
	}
	text := func(number int64, cell func(egrid.Column) egrid.Value) string {
		out := fmt.Sprint(number)
		for _, c := range columns {
			out += fmt.Sprintf(" %q", cell(c))
		}
		return out
	}
	added := map[string]egrid.Row{}
	var order []string
	met := map[string]int{}
	for row := range staged.Rows() {
		k := key(met, row)
		if k == "" {
			if !slices.ContainsFunc(slices.Collect(live.Rows()), func(x egrid.Row) bool { return text(0, x.Value) == text(0, row.Value) }) {
				return nil, false
			}
			continue
		}
		added[k], order = row, append(order, k)
	}
	var rows []string
	met, used := map[string]int{}, map[string]bool{}
	last := int64(0)
	for row := range live.Rows() {
		k := key(met, row)
		again, ok := added[k]
		used[k] = true
		last = max(last, row.Number())
		rows = append(rows, text(row.Number(), func(c egrid.Column) egrid.Value {
			if ok && staged.Schema().Has(c) {
				return again.Value(c)
			}
			return row.Value(c)
		}))
	}
	for _, k := range order {
		if !used[k] {
			last++
			rows = append(rows, text(last, added[k].Value))
		}
	}
	return rows, true
}

func textsOf(b *egrid.Batch) []string {
	var lines []string
	for row := range b.Rows() {
		line := fmt.Sprint(row.Number())
		for _, v := range row.Values() {
			line += fmt.Sprintf(" %q", v)
		}
		lines = append(lines, line)
	}
	return lines
}

// wholeNumbers makes the numbers of rows whole, so that no one is another one
// rounded.
func wholeNumbers(t testing.TB, b *egrid.Batch) *egrid.Batch {
	t.Helper()
	out := egrid.NewBuilder(b.Schema(), b.Year())
	for row := range b.Rows() {
		for i, v := range row.Values() {
			if x, ok := v.Float(); ok && v.Type() == egrid.Number {
				v = egrid.NumberOf(float64(int64(1000 * min(x, 1e9))))
			}
			if err := out.Value(i, v); err != nil {
				t.Fatal(err)
			}
		}
		out.EndRow(row.Number(), 0)
	}
	return out.Batch()
}

func TestMerge(t *testing.T) {
	t.Parallel()
	whole := []egrid.Column{egrid.State, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration}
	merges, refused := 0, 0
	for _, columns := range [][2][]egrid.Column{
		{whole, whole},
		{whole, {egrid.PlantCode, egrid.GeneratorID, "NEW", egrid.NetGeneration}},
		{whole, {egrid.State, egrid.NetGeneration}}, // no identifier in common
		{{egrid.GeneratorID, egrid.PlantCode}, whole},
	} {
		for seed := range uint64(60) {
			r := rand.New(rand.NewPCG(seed, 1))
			old := wholeNumbers(t, someRows(t, r, generatorSchema(t, columns[0]...), r.IntN(40)))
			added := wholeNumbers(t, someRows(t, r, generatorSchema(t, columns[1]...), 1+r.IntN(6)))
			live, staged := snapshotOf(t, old), snapshotOf(t, added)
			staged.Stage = "other"
			cut := func(b *egrid.Batch) []*egrid.Batch {
				at := r.IntN(b.Len() + 1)
				return []*egrid.Batch{b.Slice(0, at), b.Slice(at, b.Len())}
			}
			identifier := egrid.Identifier(egrid.GEN, func(c egrid.Column) bool { return old.Schema().Has(c) && added.Schema().Has(c) })
			merged, err := driver.Merge(driver.Part{Snapshot: live, Batches: cut(old)}, driver.Part{Snapshot: staged, Batches: cut(added)})
			var want []string
			ok := identifier != nil
			if ok {
				all := slices.Clone(columns[0])
				for _, c := range columns[1] {
					if !slices.Contains(all, c) {
						all = append(all, c)
					}
				}
				want, ok = mergeByHand(old, added, all, identifier)
			}
			if !ok {
				refused++
				if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "identifier") {
					t.Fatalf("%v, seed %d: %v; want ErrInvalid that tells of the identifier", columns, seed, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%v, seed %d: %v", columns, seed, err)
			}
			merges++
			if got := textsOf(egrid.Concat(merged.Schema, merged.Batches...)); !slices.Equal(got, want) || merged.Rows != int64(len(want)) {
				t.Fatalf("%v, seed %d:\n got %q\nwant %q", columns, seed, got, want)
			}
			// Merging the same again changes nothing.
			again, err := driver.Merge(merged, driver.Part{Snapshot: staged, Batches: cut(added)})
			if err != nil || again.ID != merged.ID {
				t.Fatalf("%v, seed %d: merging again makes %s of %s, %v", columns, seed, again.ID, merged.ID, err)
			}
		}
	}
	if merges < 20 || refused < 20 {
		t.Errorf("%d merges and %d refusals were tried", merges, refused)
	}
}

func TestMergeOfOtherTypes(t *testing.T) {
	t.Parallel()
	own := egrid.Field{Level: egrid.GEN, Column: "OWN", Type: egrid.Number}
	schema, err := egrid.NewSchema(own)
	if err != nil {
		t.Fatal(err)
	}
	live, staged := snapshotOf(t, egrid.NewBuilder(generatorSchema(t, "OWN"), 2023).Batch()), snapshotOf(t, egrid.NewBuilder(schema, 2023).Batch())
	if _, err := driver.Merge(driver.Part{Snapshot: live}, driver.Part{Snapshot: staged}); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "OWN") {
		t.Errorf("got %v; want ErrInvalid that names the column", err)
	}
}

// sheetPart makes a part of texts, one for each row and comma between cells.
func sheetPart(t testing.TB, name, columns string, lossy []egrid.Column, records ...string) driver.Part {
	t.Helper()
	var names []egrid.Column
	for c := range strings.SplitSeq(columns, ",") {
		names = append(names, egrid.Column(c))
	}
	schema := generatorSchema(t, names...)
	b := egrid.NewBuilder(schema, 2023)
	for i, record := range records {
		for j, text := range strings.Split(record, ",") {
			v, _, err := egrid.ParseValue(schema.Field(j).Type, text)
			if err == nil {
				err = b.Value(j, v)
			}
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(lossy, names[j]) {
				b.Lossy(j)
			}
		}
		b.EndRow(int64(i+1), 0)
	}
	batch := b.Batch()
	s := driver.NewSnapshot(egrid.StageID(name), driver.SnapshotSpec{Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: name + ".csv", SHA256: name}})
	driver.Describe(&s, []driver.Tally{driver.TallyOf(driver.Chunk{Rows: batch})})
	return driver.Part{Snapshot: s, Batches: []*egrid.Batch{batch}}
}

const identified = "oris_plant_code,generator_id,net_generation_mwh"

// Of many parts with the same columns each row is matched with those of all others,
// also when one in their midst is told by names alone.
func TestCombineManyParts(t *testing.T) {
	t.Parallel()
	const parts = 200
	var many []driver.Part
	for i := range parts {
		// Each row stands in two parts, in one of them without its value.
		many = append(many, sheetPart(t, fmt.Sprintf("p%03d", i), "state,plant_name,oris_plant_code,generator_id,net_generation_mwh", nil,
			fmt.Sprintf("TX,P%d,%d,A,", i, i+1), fmt.Sprintf("TX,P%d,%d,A,%d", (i+1)%parts, (i+1)%parts+1, i)))
	}
	many = append(many, sheetPart(t, "names", "plant_name,state,generator_id,fuel", nil, "P7,TX,A,NG", "P199,TX,A,SUN"))
	got, apart, err := driver.Combine(many...)
	if err != nil || len(apart) > 0 {
		t.Fatal(apart, err)
	}
	rows := egrid.Concat(got.Schema, got.Batches...)
	if rows.Len() != parts {
		t.Fatalf("%d rows of %d plants", rows.Len(), parts)
	}
	fuels := map[string]string{}
	for row := range rows.Rows() {
		plant, _ := strings.CutPrefix(row.Text(egrid.PlantName), "P")
		n, err := strconv.Atoi(plant)
		if mwh, ok := row.Float(egrid.NetGeneration); err != nil || !ok || int(mwh) != (n+parts-1)%parts {
			t.Errorf("plant %s has %v MWh, %v; want %d", plant, mwh, err, (n+parts-1)%parts)
		}
		if fuel := row.Text(egrid.Fuel); fuel != "" {
			fuels[plant] = fuel
		}
	}
	if want := map[string]string{"7": "NG", "199": "SUN"}; !maps.Equal(fuels, want) {
		t.Errorf("fuels %v; want %v", fuels, want)
	}
}

func TestSchemaSet(t *testing.T) {
	t.Parallel()
	set := driver.SchemaSet{}
	a, b := generatorSchema(t, egrid.PlantCode, egrid.Fuel), generatorSchema(t, egrid.PlantCode, egrid.Fuel)
	other := generatorSchema(t, egrid.Fuel, egrid.PlantCode)
	if a == b || set.Shared(a) != a || set.Shared(b) != a || set.Shared(a) != a {
		t.Error("the same columns are two schemas")
	}
	if set.Shared(other) != other || set.Shared(b) != a {
		t.Error("another order of columns is the same schema")
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	rounded := []egrid.Column{egrid.NetGeneration}
	for name, test := range map[string]struct {
		parts    []driver.Part
		want     []string // rows, without their numbers
		lossy    []egrid.Column
		conflict []string // parts of the error
	}{
		"parts with other rows": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", "2,A,6"), sheetPart(t, "b", identified, nil, "3,A,7"),
			},
			want: []string{`"1" "A" "5"`, `"2" "A" "6"`, `"3" "A" "7"`},
		},
		"other columns of the same rows": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", "2,A,"),
				sheetPart(t, "b", "oris_plant_code,generator_id,state,net_generation_mwh", nil, "2,A,TX,6", "1,A,OK,5"),
			},
			want: []string{`"2" "A" "TX" "6"`, `"1" "A" "OK" "5"`},
		},
		"a number before the same one rounded": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, rounded, "1,A,5", "2,A,7"), sheetPart(t, "b", identified, nil, "1,A,5.4", "2,A,6.5"),
			},
			want: []string{`"1" "A" "5.4"`, `"2" "A" "6.5"`},
		},
		"what only the rounded sheet has": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, rounded, "1,A,5", "3,A,7"), sheetPart(t, "b", identified, nil, "1,A,5.4", "2,A,6.5"),
			},
			want: []string{`"1" "A" "5.4"`, `"2" "A" "6.5"`, `"3" "A" "7"`}, lossy: rounded,
		},
		"rows that share an identifier": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", "1,A,6"), sheetPart(t, "b", "oris_plant_code,generator_id,state", nil, "1,A,TX", "1,A,OK"),
			},
			want: []string{`"1" "A" "5" "TX"`, `"1" "A" "6" "OK"`},
		},
		"by names and by codes": {
			parts: []driver.Part{
				sheetPart(t, "a", "state,plant_name,oris_plant_code,generator_id", nil, "TX,X,1,A", "OK,Y,2,A"),
				sheetPart(t, "b", identified, nil, "2,A,6"), sheetPart(t, "c", "plant_name,state,generator_id,net_generation_mwh", nil, "X,TX,A,5"),
			},
			want: []string{`"TX" "X" "1" "A" "5"`, `"OK" "Y" "2" "A" "6"`},
		},
		"the same row without an identifier": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", ",,6"), sheetPart(t, "b", identified, nil, ",,6"),
			},
			want: []string{`"1" "A" "5"`, `"" "" "6"`},
		},
		"another value": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", "2,A,100"), sheetPart(t, "b", identified, nil, "1,A,6", "2,A,101"),
			},
			conflict: []string{"a.csv", "b.csv", "net_generation_mwh of 1/A", "5", "6", "2 cells"},
		},
		"too far for rounding": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, rounded, "1,A,5"), sheetPart(t, "b", identified, nil, "1,A,5.6"),
			},
			conflict: []string{"5", "5.6"},
		},
		"nothing is not little": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,0"), sheetPart(t, "b", identified, nil, "1,A,0.4"),
			},
			conflict: []string{"0.4"},
		},
		"another text": {
			parts: []driver.Part{
				sheetPart(t, "a", "oris_plant_code,generator_id,fuel", nil, "1,A,NG"), sheetPart(t, "b", "oris_plant_code,generator_id,fuel", nil, "1,A,BIT"),
			},
			conflict: []string{"fuel of 1/A", "NG", "BIT"},
		},
		"no identifier in common": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5"), sheetPart(t, "b", "state,plant_name,generator_id,net_generation_mwh", nil, "TX,X,A,5"),
			},
			conflict: []string{"no identifier in common", "rows of a.csv have oris_plant_code, generator_id", "rows of b.csv have state, plant_name, generator_id"},
		},
		"another row without an identifier": {
			parts: []driver.Part{
				sheetPart(t, "a", identified, nil, "1,A,5", "2,A,5"), sheetPart(t, "b", identified, nil, ",,7"),
			},
			conflict: []string{"1 of the rows of b.csv without a whole identifier"},
		},
	} {
		var id egrid.SnapshotID
		for round := range 4 {
			parts := slices.Clone(test.parts)
			rand.New(rand.NewPCG(uint64(round), 2)).Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			if round%2 == 1 { // other names of the same bytes
				for i := range parts {
					parts[i].Stage = egrid.StageID(fmt.Sprint("z", 9-i))
				}
			}
			got, apart, err := driver.Combine(parts...)
			if len(test.conflict) > 0 {
				if len(apart) == 1 && err == nil && len(got.Sources) == 1 {
					err = fmt.Errorf("%w: %w", egrid.ErrConflict, apart[0].Reason)
				}
				if !errors.Is(err, egrid.ErrConflict) {
					t.Errorf("%s: %v; want ErrConflict, or a part apart", name, err)
					break
				}
				for _, want := range test.conflict {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %q does not tell of %q", name, err, want)
					}
				}
				continue
			}
			if err != nil || len(apart) > 0 {
				t.Errorf("%s: %v, %v", name, apart, err)
				break
			}
			var rows []string
			for _, line := range textsOf(egrid.Concat(got.Schema, got.Batches...)) {
				_, line, _ = strings.Cut(line, " ")
				rows = append(rows, line)
			}
			if !slices.Equal(rows, test.want) || !slices.Equal(got.Lossy, test.lossy) {
				t.Errorf("%s: got %q, rounded %v; want %q, %v", name, rows, got.Lossy, test.want, test.lossy)
			}
			var of int64
			for _, s := range got.Sources {
				of += s.Rows
			}
			if of != got.Rows || len(got.Sources) != len(test.parts) {
				t.Errorf("%s: the sources have %d of %d rows", name, of, got.Rows)
			}
			if round > 0 && got.ID != id {
				t.Errorf("%s: %s in another order, or under other names, where it was %s", name, got.ID, id)
			}
			id = got.ID
		}
	}
}
