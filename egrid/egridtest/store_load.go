package egridtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

func testEmpty(f *fixture) {
	c := catalogOf(f.Context(), f)
	if c.Revision != 0 || len(c.Snapshots) != 0 {
		f.Errorf("an empty store has %+v", c)
	}
	page, err := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Count: true})
	if err != nil || page.Len() != 0 || page.Total != 0 || page.Next != "" {
		f.Errorf("got %+v, %v", page, err)
	}
	groups, err := f.db.Groups(f.Context(), egrid.GroupQuery{Level: egrid.GEN, Measures: []egrid.Measure{{Func: egrid.Count}}})
	if err != nil || groups.Len() != 0 {
		f.Errorf("got %+v, %v", groups, err)
	}
	if _, err := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Year: 2020}); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("a year that is not there: got %v; want ErrNotFound", err)
	}
}

func testStagingIsInvisible(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	again, err := f.store.Stage(f.Context(), spec)
	if err != nil || again != id {
		f.Errorf("staging again: %s, %v; want %s", again, err, id)
	}
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(spec, ten...)})
	f.must(err)
	f.wantTexts(egrid.State, egrid.RowQuery{})
	if c := catalogOf(f.Context(), f); c.Revision != 0 || len(c.Snapshots) != 0 {
		f.Errorf("staged data are in the catalogue: %+v", c)
	}
	report, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 10})
	f.must(err)
	if report.Status != egrid.Published || report.Snapshot.Rows != 10 || report.Snapshot.Revision != 1 {
		f.Errorf("published %+v", report)
	}
	if got := f.texts(egrid.State, egrid.RowQuery{}); len(got) != 10 {
		f.Errorf("readers see %d rows", len(got))
	}
	i := slices.IndexFunc(report.Snapshot.Audits, func(a egrid.Audit) bool { return a.Rule == "duplicate_key" })
	if i < 0 || report.Snapshot.Audits[i].Count != 1 || !slices.Equal(report.Snapshot.Audits[i].Examples, []string{"3612/1"}) {
		f.Errorf("audits %+v; want the duplicate 3612/1", report.Snapshot.Audits)
	}
}

func testChunkTwiceIsOnce(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	chunk := driver.Chunk{Index: 3, Rows: rowsOf(spec, ten[:4]...), Rejected: 2}
	for i := range 3 {
		change, err := f.store.Put(f.Context(), id, chunk)
		f.must(err)
		if change.Duplicate != (i > 0) {
			f.Errorf("time %d: %+v", i+1, change)
		}
	}
	report, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 4})
	f.must(err)
	if report.Snapshot.Rows != 4 || report.Snapshot.Rejected != 2 {
		f.Errorf("published %+v", report.Snapshot)
	}
	if change, err := f.store.Put(f.Context(), id, chunk); err != nil || !change.Duplicate {
		f.Errorf("after publishing: %+v, %v", change, err)
	}
}

func testChunksOutOfOrder(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	rows := rowsOf(spec, ten...)
	var group sync.WaitGroup
	for i := rows.Len() - 1; i >= 0; i-- {
		group.Go(func() {
			if _, err := f.store.Put(f.Context(), id, driver.Chunk{Index: i, Rows: rows.Slice(i, i+1)}); err != nil {
				f.Error(err)
			}
		})
	}
	group.Wait()
	_, err = f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 10, Rows: 10})
	f.must(err)
	var want []string
	for _, record := range ten {
		want = append(want, record[1])
	}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{}, want...)
}

func testIncompleteIsRefused(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(spec, ten...)})
	f.must(err)
	for _, r := range []driver.PublishRequest{{Chunks: 2, Rows: 10}, {Chunks: 1, Rows: 11}, {Policy: driver.PublishReplace}} {
		if _, err := f.store.Publish(f.Context(), id, r); !errors.Is(err, egrid.ErrIncomplete) {
			f.Errorf("%+v: got %v; want ErrIncomplete", r, err)
		}
	}
	if _, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 10, Policy: "maybe"}); !errors.Is(err, egrid.ErrInvalid) {
		f.Errorf("unknown policy: got %v; want ErrInvalid", err)
	}
	if _, err := f.store.Publish(f.Context(), "0123456789abcdef01234567", driver.PublishRequest{}); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("unknown stage: got %v; want ErrNotFound", err)
	}
	if _, err := f.store.Put(f.Context(), "0123456789abcdef01234567", driver.Chunk{Rows: rowsOf(spec)}); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("unknown stage: got %v; want ErrNotFound", err)
	}
	spec.Year = 1066
	if _, err := f.store.Stage(f.Context(), spec); !errors.Is(err, egrid.ErrInvalid) {
		f.Errorf("impossible year: got %v; want ErrInvalid", err)
	}
}

func testUnchangedOnReload(f *fixture) {
	first := f.loadRecords("a", 2023, "", ten...)
	again := f.loadRecords("a", 2023, "", ten...)
	if first.Status != egrid.Published || again.Status != egrid.Unchanged || again.Snapshot.Revision != 1 {
		f.Errorf("got %s, then %+v", first.Status, again)
	}
	if c := catalogOf(f.Context(), f); c.Revision != 1 || len(c.Snapshots) != 1 {
		f.Errorf("catalogue %+v", c)
	}
}

// testHeld loads what automatic publishing keeps back, each over ten rows.
func testHeld(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	narrow := sheetOf("narrow", 2023, "", egrid.State, egrid.PlantName, egrid.NetGeneration)
	round := sheetOf("round", 2023, "", generators...)
	impossible := sheetOf("impossible", 2022, "", generators...)
	short := sheetOf("short", 2023, "", generators...)
	empty := sheetOf("empty", 2021, "", generators...)
	rounded := slices.Clone(ten)
	rounded[3] = []string{"MI", "Ludington", "1713", "1", "-346001"}
	var narrowRecords [][]string
	for _, r := range ten {
		narrowRecords = append(narrowRecords, []string{r[0], r[1], r[4]})
	}
	for _, test := range []struct {
		spec   driver.SnapshotSpec
		chunk  driver.Chunk
		reason string
	}{
		{short, driver.Chunk{Rows: rowsOf(short, ten[:4]...)}, "it lacks 6 published rows of 10 ("},
		{narrow, driver.Chunk{Rows: rowsOf(narrow, narrowRecords...)}, "oris_plant_code"},
		{round, driver.Chunk{Rows: withRounded(rowsOf(round, rounded...), egrid.NetGeneration)}, "1 value is rounded where the published ones are not (net_generation_mwh)"},
		{impossible, driver.Chunk{Rows: rowsOf(impossible, ten...), Findings: []egrid.Audit{{Rule: "co2e_below_co2", Severity: egrid.Hard, Count: 1, Examples: []string{"NYCW"}}}}, "NYCW"},
		{empty, driver.Chunk{Rows: rowsOf(empty), Rejected: 3}, "no row"},
	} {
		id, err := f.store.Stage(f.Context(), test.spec)
		f.must(err)
		_, err = f.store.Put(f.Context(), id, test.chunk)
		f.must(err)
		for range 2 { // asking again changes nothing
			report, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: int64(test.chunk.Rows.Len())})
			f.must(err)
			if report.Status != egrid.Held || !strings.Contains(report.Reason, test.reason) {
				f.Errorf("%s: %s, %q; want held for %q", test.spec.Source.SHA256, report.Status, report.Reason, test.reason)
			}
		}
	}
	c := catalogOf(f.Context(), f)
	heldSnapshots := 0
	for _, s := range c.Snapshots {
		if s.Status == egrid.Held {
			heldSnapshots++
		}
	}
	if c.Revision != 1 || heldSnapshots != 5 || len(c.Snapshots) != 6 {
		f.Errorf("catalogue has revision %d and %d held of %d", c.Revision, heldSnapshots, len(c.Snapshots))
	}
	if got := f.texts(egrid.State, egrid.RowQuery{Year: 2023}); len(got) != 10 {
		f.Errorf("readers see %d rows", len(got))
	}
	for _, s := range c.Snapshots {
		if s.Status == egrid.Held {
			f.readsHeld(s)
		}
	}
}

// readsHeld reads a held load by its id, as who decides on it does, and drops it.
func (f *fixture) readsHeld(s egrid.Snapshot) {
	read := func() (rows int64, first string, err error) {
		for b, err := range driver.ReadSnapshot(f.Context(), f.store, s) {
			if err != nil {
				return rows, first, err
			}
			if rows == 0 && b.Len() > 0 {
				first = b.Row(0).Text(egrid.PlantName)
			}
			rows += int64(b.Len())
		}
		return rows, first, nil
	}
	want := ten[0][1]
	if s.Rows == 0 {
		want = ""
	}
	if rows, first, err := read(); err != nil || rows != s.Rows || first != want {
		f.Errorf("the held load of %s has %d rows, the first %q: %v; want %d, %q", s.Sources[0].Object, rows, first, err, s.Rows, want)
	}
	f.must(f.store.Discard(f.Context(), s.Stage))
	if _, _, err := read(); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("reading a load that was discarded: %v; want ErrNotFound", err)
	}
}

func testReplace(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	spec := sheetOf("b", 2023, "", generators...)
	if r := f.load(spec, driver.PublishAuto, rowsOf(spec, ten[:4]...)); r.Status != egrid.Held {
		f.Fatalf("got %s; want held", r.Status)
	}
	if r := f.load(spec, driver.PublishReplace, rowsOf(spec, ten[:4]...)); r.Status != egrid.Published || r.Snapshot.Revision != 2 {
		f.Fatalf("got %+v", r)
	}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{}, "Palo Verde", "Palo Verde", "Browns Ferry", "Ludington")
	c := catalogOf(f.Context(), f)
	if stands := standing(c); len(stands) != 1 || stands[0].Sources[0].Object != "b.csv" {
		f.Errorf("catalogue %+v", c)
	}
	// The replaced sheet can come back.
	if r := f.loadRecords("a", 2023, "", ten...); r.Status != egrid.Published || r.Snapshot.Revision != 3 {
		f.Errorf("got %+v", r)
	}
	// Holding back is an order too.
	held := sheetOf("c", 2023, "", generators...)
	if r := f.load(held, driver.PublishHold, rowsOf(held, other("8")...)); r.Status != egrid.Held || r.Reason == "" {
		f.Errorf("got %+v", r)
	}
	// Deciding on it needs no more than its id.
	if _, err := f.store.Publish(f.Context(), held.ID(), driver.PublishRequest{Policy: driver.PublishReplace, Chunks: 2, Rows: 10}); !errors.Is(err, egrid.ErrIncomplete) {
		f.Errorf("got %v; want ErrIncomplete", err)
	}
	r, err := f.store.Publish(f.Context(), held.ID(), driver.PublishRequest{Policy: driver.PublishReplace})
	if f.must(err); r.Status != egrid.Published || r.Snapshot.Revision != 4 || r.Snapshot.Rows != int64(len(ten)) {
		f.Errorf("got %+v", r)
	}
}

func testMerge(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	columns := []egrid.Column{egrid.State, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, "NEW"}
	spec := sheetOf("b", 2023, "", columns...)
	rows := rowsOf(spec,
		[]string{"FL", "3612", "1", "50", "first"},
		[]string{"FL", "3612", "1", "", "second"},
		[]string{"FL", "3612", "1", "90", "third"},
		[]string{"NV", "99", "A", "1", "added"},
	)
	if r := f.load(spec, driver.PublishMerge, rows); r.Status != egrid.Published || r.Snapshot.Rows != 12 || len(r.Snapshot.Sources) != 2 {
		f.Fatalf("got %+v", r)
	}
	q := egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "FL", "NV")}}
	f.wantTexts(egrid.NetGeneration, q, "50", "", "90", "1")
	f.wantTexts("NEW", q, "first", "second", "third", "added")
	f.wantTexts(egrid.PlantName, q, "Crist", "Crist", "", "")
	f.wantTexts("NEW", egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, "WY")}}, "")
	if r := f.load(spec, driver.PublishMerge, rows); r.Status != egrid.Unchanged {
		f.Errorf("merging again: %s; want unchanged", r.Status)
	}
	// A part of what is published is not what is published.
	if r := f.loadRecords("a", 2023, "", ten...); r.Status != egrid.Held {
		f.Errorf("loading a part again: %s; want held", r.Status)
	}
}

// testMergeWithoutIdentifier: rows are matched by an identifier that both have,
// or not at all.
func testMergeWithoutIdentifier(f *fixture) {
	a := sheetOf("a", 2023, "", egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration)
	f.load(a, driver.PublishAuto, rowsOf(a, []string{"1", "A", "1"}, []string{"2", "A", "2"}))
	b := sheetOf("b", 2023, "", egrid.State, egrid.PlantName, egrid.GeneratorID, egrid.NetGeneration)
	c := sheetOf("c", 2023, "", egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration)
	for _, test := range []struct {
		spec   driver.SnapshotSpec
		rows   *egrid.Batch
		reason string
	}{
		{b, rowsOf(b, []string{"AL", "X", "A", "10"}), "no identifier in common: published rows have oris_plant_code, generator_id, these have state, plant_name, generator_id"},
		{c, rowsOf(c, []string{"1", "A", "10"}, []string{"", "B", "3"}), "1 of these without a whole identifier (oris_plant_code, generator_id)"},
	} {
		r := f.load(test.spec, driver.PublishMerge, test.rows)
		if r.Status != egrid.Held || !strings.Contains(r.Reason, test.reason) {
			f.Errorf("%s, %q; want held: %s", r.Status, r.Reason, test.reason)
		}
		auto, err := f.store.Publish(f.Context(), test.spec.ID(), driver.PublishRequest{})
		f.must(err)
		merges := func(c egrid.Choice) bool { return strings.Contains(c.Command, "--merge") }
		if choices := auto.Snapshot.Choices; auto.Status != egrid.Held || len(choices) != 2 || slices.ContainsFunc(choices, merges) {
			f.Errorf("%s, %q names a command that cannot work, or none", auto.Status, choices)
		}
	}
	f.wantTexts(egrid.NetGeneration, egrid.RowQuery{}, "1", "2")
}

func testDiscard(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	spec := sheetOf("b", 2023, "", generators...)
	f.load(spec, driver.PublishHold, rowsOf(spec, other("8")...))
	f.must(f.store.Discard(f.Context(), spec.ID()))
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 1 {
		f.Errorf("catalogue %+v", c)
	}
	for _, id := range []egrid.StageID{spec.ID(), sheetOf("a", 2023, "", generators...).ID()} {
		if err := f.store.Discard(f.Context(), id); !errors.Is(err, egrid.ErrNotFound) {
			f.Errorf("got %v; want ErrNotFound", err)
		}
	}
	if got := f.texts(egrid.State, egrid.RowQuery{}); len(got) != 10 {
		f.Errorf("readers see %d rows", len(got))
	}
}

func testReleases(f *fixture) {
	for i, release := range []string{"v1", "", "v10", "v2"} {
		f.loadRecords("r"+release, 2018, release, []string{"TX", release, fmt.Sprint(i), "1", "1"})
	}
	f.loadRecords("old", 2016, "", []string{"TX", "2016", "1", "1", "1"})
	for release, want := range map[string]string{"": "v10", egrid.NoRelease: "", "v1": "v1", "V2": "v2"} {
		f.wantTexts(egrid.PlantName, egrid.RowQuery{Release: release}, want)
		f.wantTexts(egrid.ReleaseColumn, egrid.RowQuery{Release: release}, want)
	}
	if _, err := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Release: "v3"}); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("got %v; want ErrNotFound", err)
	}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Year: egrid.AllYears}, "2016", "v10")
}

func testYears(f *fixture) {
	f.loadRecords("a", 2018, "", []string{"TX", "A", "1", "1", "1"})
	f.loadRecords("b", 2019, "", []string{"TX", "B", "1", "1", "2"})
	f.wantTexts(egrid.PlantName, egrid.RowQuery{}, "B")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Year: 2018}, "A")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Year: egrid.AllYears}, "A", "B")
	f.wantTexts(egrid.Year, egrid.RowQuery{Year: egrid.AllYears, Sort: []egrid.Sort{{Column: egrid.Year, Desc: true}}}, "2019", "2018")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Year: egrid.AllYears, Filters: []egrid.Filter{egrid.Where(egrid.Year, egrid.Lt, "2019")}}, "A")
	f.wantTexts(egrid.LevelColumn, egrid.RowQuery{Columns: []egrid.Column{egrid.LevelColumn}}, "GEN")
}

// testAuthority keeps who published a sheet, and in which units.
func testAuthority(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	other := sheetOf("b", 2024, "", generators...)
	other.Authority, other.Units = "Somebody", "metric"
	f.load(other, driver.PublishAuto, rowsOf(other, ten...))
	// The same rows, put right by somebody who knows who published them.
	again := sheetOf("b", 2024, "", generators...)
	again.Authority, again.Units = "Somebody else", "metric"
	if r := f.load(again, driver.PublishReplace, rowsOf(again, ten...)); r.Status != egrid.Published || r.Snapshot.Authority != again.Authority {
		f.Errorf("got %+v", r)
	}
	for year, want := range map[int][2]string{2023: {egrid.DefaultAuthority, egrid.DefaultUnits}, 2024: {"Somebody else", "metric"}} {
		s, ok := catalogOf(f.Context(), f).Published(egrid.GEN, year, "")
		if !ok || s.Authority != want[0] || s.Units != want[1] {
			f.Errorf("%d: authority %q, units %q; want %q", year, s.Authority, s.Units, want)
		}
	}
}

// testReadersDuringPublish replaces a sheet again and again while readers add
// up a column whose sum tells whether they saw one sheet whole.
func testReadersDuringPublish(f *fixture) {
	load := func(round int) {
		var records [][]string
		for i := range 50 {
			records = append(records, []string{"TX", "P", fmt.Sprint(i), "1", fmt.Sprint(round)})
		}
		spec := sheetOf(fmt.Sprint(round), 2023, "", generators...)
		f.load(spec, driver.PublishReplace, rowsOf(spec, records...))
	}
	load(1)
	ctx, stop := context.WithCancel(f.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				page, err := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN})
				if err != nil {
					f.Error(err)
					return
				}
				sum := 0.0
				for row := range page.Rows() {
					x, _ := row.Float(egrid.NetGeneration)
					sum += x
				}
				if page.Len() != 50 || sum != 50*float64(page.Revision) {
					f.Errorf("revision %d gave %d rows with the sum %v", page.Revision, page.Len(), sum)
					return
				}
			}
		})
	}
	for round := 2; round <= 10; round++ { // stores keep ten: no reader is at one that was pruned
		load(round)
	}
	stop()
	readers.Wait()
}

func testClosed(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	f.must(f.store.Close())
	_, catalogError := f.store.Catalog(f.Context())
	_, rowsError := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN})
	_, stageError := f.store.Stage(f.Context(), spec)
	if !errors.Is(stageError, egrid.ErrClosed) {
		f.Errorf("Stage: %v; want ErrClosed", stageError)
	}
	for _, err := range []error{catalogError, rowsError} {
		if !errors.Is(err, egrid.ErrClosed) && !errors.Is(err, egrid.ErrUnavailable) { // the latter of a service in between
			f.Errorf("got %v; want ErrClosed", err)
		}
	}
}
