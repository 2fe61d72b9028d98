package driver_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

func compare(t testing.TB, from, to driver.Part) driver.Difference {
	t.Helper()
	d, err := driver.Compare(driver.RowsOf(from.Snapshot, from.Batches...), driver.RowsOf(to.Snapshot, to.Batches...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDecide stages a sheet over a published one.
func TestDecide(t *testing.T) {
	t.Parallel()
	rounded := []egrid.Column{egrid.NetGeneration}
	const columns = "oris_plant_code,generator_id,state,net_generation_mwh"
	live := sheetPart(t, "live", columns, nil, "1,A,TX,5.25", "2,A,OK,100", "2,A,OK,")
	display := sheetPart(t, "display", columns, rounded, "1,A,TX,5", "2,A,OK,100", "2,A,OK,")
	hard := sheetPart(t, "hard", columns, nil, "1,A,TX,5.25", "2,A,OK,100", "2,A,OK,", "3,A,OK,1")
	hard.Audits = []egrid.Audit{{Rule: "co2e_below_co2", Severity: egrid.Hard, Count: 1, Examples: []string{"NYCW"}}}
	many := sheetPart(t, "many", columns, nil, "1,A,TX,5.25")
	many.Audits = []egrid.Audit{
		{Rule: "co2e_below_co2", Severity: egrid.Hard, Count: 52, Examples: []string{"state AK, line 3: co2_short_tons 2, co2e_short_tons 1", "state AL, line 4"}},
		{Rule: "duplicate_key", Severity: egrid.Hard, Count: 2, Examples: []string{"AK", "TX"}},
		{Rule: driver.ContradictsTotal, Severity: egrid.Hard, Count: 1, Examples: []string{"EPA's sheet: STCO2AN adds up to 9 where theirs adds up to 1"}},
	}
	misread := sheetPart(t, "misread", columns, nil, "1,A,TX,5.25")
	misread.Rejected = 1
	for name, test := range map[string]struct {
		policy driver.Policy // empty is auto
		staged driver.Part
		live   *driver.Part
		want   egrid.Status
		reason []string
	}{
		"nothing is published":     {staged: live, want: egrid.Published},
		"the same content":         {policy: driver.PublishHold, staged: live, live: &live, want: egrid.Unchanged},
		"the same, in other order": {staged: sheetPart(t, "s", columns, nil, "2,A,OK,100", "1,A,TX,5.25", "2,A,OK,"), live: &live, want: egrid.Unchanged},
		"the same, marked rounded": {staged: sheetPart(t, "s", columns, rounded, "1,A,TX,5.25", "2,A,OK,100", "2,A,OK,"), live: &live, want: egrid.Unchanged},
		"no row":                   {policy: driver.PublishReplace, staged: sheetPart(t, "s", columns, nil), live: &live, want: egrid.Held, reason: []string{"no row"}},
		"held as asked":            {policy: driver.PublishHold, staged: hard, want: egrid.Held, reason: []string{"as asked"}},
		"a row more":               {staged: sheetPart(t, "s", columns, nil, "1,A,TX,5.25", "2,A,OK,100", "2,A,OK,", "3,A,OK,1"), live: &live, want: egrid.Published},
		"a column more":            {staged: sheetPart(t, "s", columns+",fuel", nil, "1,A,TX,5.25,NG", "2,A,OK,100,", "2,A,OK,,"), live: &live, want: egrid.Published},
		"a value more":             {staged: sheetPart(t, "s", columns, nil, "1,A,TX,5.25", "2,A,OK,100", "2,A,OK,7"), live: &live, want: egrid.Published},
		"the digits of a rounded":  {staged: live, live: &display, want: egrid.Published},
		"a row lost": {
			staged: sheetPart(t, "s", columns, nil, "2,A,OK,100", "2,A,OK,", "3,A,OK,1"), live: &live, want: egrid.Held,
			reason: []string{"it lacks 1 published row of 3 (1/A)"},
		},
		"a column lost": {
			staged: sheetPart(t, "s", identified, nil, "1,A,5.25", "2,A,100", "2,A,"), live: &live, want: egrid.Held,
			reason: []string{"it lacks published columns (state)"},
		},
		"a value lost": {
			staged: sheetPart(t, "s", columns, nil, "1,A,,", "2,A,OK,100", "2,A,OK,"), live: &live, want: egrid.Held,
			reason: []string{"it lacks 2 published values (state, net_generation_mwh)"},
		},
		"rounder":             {staged: display, live: &live, want: egrid.Held, reason: []string{"1 value is rounded where the published ones are not (net_generation_mwh)"}},
		"rounder, unmarked":   {staged: sheetPart(t, "s", columns, nil, "1,A,TX,5.3", "2,A,OK,100", "2,A,OK,"), live: &live, want: egrid.Held, reason: []string{"1 value is rounded"}},
		"a text that differs": {staged: sheetPart(t, "s", columns, nil, "1,A,NM,5.25", "2,A,OK,100", "2,A,OK,"), live: &live, want: egrid.Held, reason: []string{"state of 1/A: TX to NM"}},
		"values that differ": {
			staged: sheetPart(t, "s", columns, nil, "1,A,TX,5.26", "2,A,OK,150", "2,A,OK,"), live: &live, want: egrid.Held,
			reason: []string{"2 values differ from the published ones, in 2 of 3 rows that both have", "net_generation_mwh of 2/A: 100 to 150 (+50.0 %)", "--release"},
		},
		"another value, of a rounded": {staged: sheetPart(t, "s", columns, nil, "1,A,TX,5.75", "2,A,OK,100", "2,A,OK,"), live: &display, want: egrid.Held, reason: []string{"5 to 5.75"}},
		"little where nothing was":    {staged: sheetPart(t, "s", columns, nil, "1,A,TX,0.25"), live: ptr(sheetPart(t, "l", columns, nil, "1,A,TX,0")), want: egrid.Held, reason: []string{"0 to 0.25"}},
		"no identifier in common":     {staged: sheetPart(t, "s", "state,plant_name,generator_id", nil, "TX,X,A"), live: &live, want: egrid.Held, reason: []string{"no identifier in common: published rows have oris_plant_code, generator_id, these have state, plant_name, generator_id", "it lacks 3 published rows of 3"}},
		"rows without an identifier":  {staged: sheetPart(t, "s", columns, nil, ",A,TX,1", "1,A,TX,5.25"), live: ptr(sheetPart(t, "l", columns, nil, ",A,TX,1", "1,A,TX,5.25")), want: egrid.Unchanged},
		"another one without":         {staged: sheetPart(t, "s", columns, nil, ",A,TX,2"), live: ptr(sheetPart(t, "l", columns, nil, ",A,TX,1")), want: egrid.Held, reason: []string{"it lacks 1 published row of 1 (row 1)"}},
		"a hard rule":                 {staged: hard, live: &live, want: egrid.Held, reason: []string{"1 row breaks the rule co2e_below_co2 (NYCW)"}},
		"many rows of hard rules": {staged: many, want: egrid.Held, reason: []string{
			"52 rows break the rule co2e_below_co2 (state AK, line 3: co2_short_tons 2, co2e_short_tons 1, ...)", "2 identifiers are in several rows, where a sheet has one row of each (AK, TX)",
			"1 total is more than twice what is known of the sheet, or less than half (EPA's sheet: STCO2AN adds up to 9 where theirs adds up to 1)",
		}},
		"a hard rule, first":          {staged: hard, want: egrid.Held, reason: []string{"NYCW"}},
		"a hard rule, replaced":       {policy: driver.PublishReplace, staged: hard, live: &live, want: egrid.Published},
		"records rejected":            {staged: misread, want: egrid.Held, reason: []string{"1 of 2 records were rejected, more than 1 %"}},
		"all kinds of losses at once": {staged: sheetPart(t, "s", identified, rounded, "1,A,5", "2,A,101"), live: &live, want: egrid.Held, reason: []string{"published row of", "published columns", "rounded", "differs"}},
		"a part lost, merged":         {policy: driver.PublishMerge, staged: sheetPart(t, "s", identified, nil, "1,A,6"), live: &live, want: egrid.Published},
		"a part lost, replaced":       {policy: driver.PublishReplace, staged: sheetPart(t, "s", identified, nil, "1,A,6"), live: &live, want: egrid.Published},
	} {
		policy := test.policy
		if policy == "" {
			policy = driver.PublishAuto
		}
		var published *egrid.Snapshot
		if test.live != nil {
			published = &test.live.Snapshot
		}
		status, reason, err := driver.Decide(policy, test.staged.Snapshot, published, func() (driver.Difference, error) { return compare(t, *test.live, test.staged), nil })
		if err != nil || status != test.want || (reason == "") != (len(test.reason) == 0) {
			t.Errorf("%s: %s, %q, %v; want %s", name, status, reason, err, test.want)
		}
		for _, want := range test.reason {
			if !strings.Contains(reason, want) {
				t.Errorf("%s: %q does not tell of %q", name, reason, want)
			}
		}
	}
}

func ptr[T any](x T) *T { return &x }

// compareByHand counts as maps do, of sheets of one schema with numbers that do
// not round to each other.
func compareByHand(from, to *egrid.Batch, identifier []egrid.Column) (d driver.Difference, cells []string) {
	key := func(row egrid.Row) string {
		k := ""
		for _, c := range identifier {
			if row.Value(c).IsMissing() {
				return fmt.Sprintf("all %q", row.Values())
			}
			k += fmt.Sprintf("%q", row.Text(c))
		}
		return k
	}
	olds := map[string][]egrid.Row{}
	for row := range from.Rows() {
		olds[key(row)] = append(olds[key(row)], row)
	}
	for row := range to.Rows() {
		k := key(row)
		if len(olds[k]) == 0 {
			d.Added++
			continue
		}
		old := olds[k][0]
		olds[k] = olds[k][1:]
		d.Rows++
		changed := false
		for i, c := range from.Schema().Columns() {
			a, b := old.At(i), row.At(i)
			if a == b {
				continue
			}
			changed = true
			cells = append(cells, fmt.Sprintf("%s %q %q", c, a, b))
			switch {
			case a.IsMissing():
				d.Cells.Filled++
			case b.IsMissing():
				d.Cells.Blanked++
			default:
				d.Cells.Changed++
			}
		}
		if changed {
			d.Changed++
		}
	}
	for _, left := range olds {
		d.Lost += int64(len(left))
	}
	slices.Sort(cells)
	return d, cells
}

func TestCompare(t *testing.T) {
	t.Parallel()
	columns := []egrid.Column{egrid.State, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, egrid.NameplateCapacity}
	identifier := []egrid.Column{egrid.PlantCode, egrid.GeneratorID}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		schema := generatorSchema(t, columns...)
		from := wholeNumbers(t, someRows(t, r, schema, r.IntN(60)))
		// The other sheet is the first one with rows left out, moved, changed and added.
		to := egrid.NewBuilder(schema, 2023)
		more := wholeNumbers(t, someRows(t, r, schema, 10))
		order := r.Perm(from.Len())
		if r.IntN(2) == 0 {
			slices.Sort(order)
		}
		for i, row := range order {
			switch r.IntN(12) {
			case 0:
				continue
			case 1:
				to.Copy(0, more.Column(0), i%10)
				for c := 1; c < schema.Len(); c++ {
					to.Copy(c, from.Column(c), row)
				}
			case 2:
				for c := range schema.Len() {
					to.Copy(c, more.Column(c), i%10)
				}
			default:
				for c := range schema.Len() {
					to.Copy(c, from.Column(c), row)
				}
			}
			to.EndRow(int64(i+1), 0)
		}
		other := to.Batch()
		cut := func(b *egrid.Batch) []*egrid.Batch {
			at := r.IntN(b.Len() + 1)
			return []*egrid.Batch{b.Slice(0, at), b.Slice(at, b.Len())}
		}
		var cells []string
		got, err := driver.Compare(driver.RowsOf(snapshotOf(t, from), cut(from)...), driver.RowsOf(snapshotOf(t, other), cut(other)...), func(c driver.CellChange) error {
			cells = append(cells, fmt.Sprintf("%s %q %q", c.Column, c.From, c.To))
			return nil
		})
		slices.Sort(cells)
		want, wantCells := compareByHand(from, other, identifier)
		if err != nil || got.Rows != want.Rows || got.Changed != want.Changed || got.Added != want.Added || got.Lost != want.Lost || got.Cells != want.Cells || !slices.Equal(cells, wantCells) {
			t.Fatalf("seed %d: got %+v, want %+v, %v\n%q\n%q", seed, got, want, err, cells, wantCells)
		}
	}
}

func TestCompareEnds(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	a, b := sheetPart(t, "a", identified, nil, "1,A,5", "2,A,6"), sheetPart(t, "b", identified, nil, "1,A,6", "2,A,7")
	calls := 0
	_, err := driver.Compare(driver.RowsOf(a.Snapshot, a.Batches...), driver.RowsOf(b.Snapshot, b.Batches...), func(driver.CellChange) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls; want the caller's error after 1", err, calls)
	}
	broken := driver.Rows{Snapshot: a.Snapshot, Batches: func(yield func(*egrid.Batch, error) bool) { yield(nil, stop) }}
	for _, pair := range [][2]driver.Rows{{broken, driver.RowsOf(b.Snapshot, b.Batches...)}, {driver.RowsOf(b.Snapshot, b.Batches...), broken}} {
		if _, err := driver.Compare(pair[0], pair[1], nil); !errors.Is(err, stop) {
			t.Errorf("%v; want the error of the rows", err)
		}
	}
}

func TestCompareChanges(t *testing.T) {
	t.Parallel()
	of := func(key string, from, to egrid.Value) driver.CellChange {
		return driver.CellChange{Key: key, Column: egrid.NetGeneration, From: from, To: to}
	}
	number := egrid.NumberOf
	want := []driver.CellChange{
		of("1", number(0), number(3)), of("1", number(1), number(3)), of("1", number(1), number(-1)), of("1", number(1), number(1.5)),
		of("2", number(2), number(3)), of("1", egrid.TextOf("a"), egrid.TextOf("b")), of("2", egrid.Value{}, number(3)),
	}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, driver.CompareChanges)
	if !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

// BenchmarkCompare compares a million rows with themselves, as another load has
// them, and with one value changed in every batch.
func BenchmarkCompare(b *testing.B) {
	schema := generatorSchema(b, egrid.State, egrid.PlantName, egrid.PlantCode, egrid.GeneratorID, egrid.PrimeMover, egrid.Fuel,
		egrid.NameplateCapacity, egrid.CapacityFactor, egrid.NetGeneration, "net_generation_ozone_season_mwh")
	const rows = 1_000_000
	make := func(changed bool) driver.Part {
		var p driver.Part
		p.Snapshot = egrid.Snapshot{Level: egrid.GEN, Year: 2023, Schema: schema}
		builder := egrid.NewBuilder(schema, 2023)
		for i := range rows {
			for c, text := range []string{"TX", fmt.Sprint("Plant ", i/4), fmt.Sprint(i / 4), fmt.Sprint("G", i%4), "ST", "NG"} {
				builder.Text(c, []byte(text))
			}
			for c := 6; c < schema.Len(); c++ {
				builder.Decimal(c, int64(i*c)%1_000_003, 3)
			}
			if changed && i%8192 == 0 {
				builder.Decimal(8, int64(i+1), 3)
			}
			builder.EndRow(int64(i+1), 0)
			if builder.Len() == 8192 {
				p.Batches = append(p.Batches, builder.Batch())
			}
		}
		p.Batches = append(p.Batches, builder.Batch())
		return p
	}
	old := make(false)
	for _, changed := range []bool{false, true} {
		new := make(changed)
		b.Run(fmt.Sprintf("changed=%t", changed), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := compare(b, old, new); d.Rows != rows {
					b.Fatal(d)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
