package egridtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// testContentIdentity: a snapshot's id is made of what it holds, and of nothing
// else.
func testContentIdentity(f *fixture) {
	first := f.loadRecords("a", 2023, "", ten...)
	spec := sheetOf("another file", 2023, "", generators...)
	same := f.loadBy(3, spec, driver.PublishAuto, rowsOf(spec, ten...))
	if same.Status != egrid.Unchanged || same.Snapshot.ID != first.Snapshot.ID {
		f.Errorf("the same rows from another file, in other chunks: %s as %s; want unchanged as %s", same.Status, same.Snapshot.ID, first.Snapshot.ID)
	}
	live, _ := catalogOf(f.Context(), f).Published(egrid.GEN, 2023, "")
	if !live.Is(spec.ID()) || len(live.Confirmed) != 1 || live.Confirmed[0].Object != "another file.csv" {
		f.Errorf("the catalogue does not tell of the file that had the same content: %+v", live)
	}
	ids := map[egrid.SnapshotID]string{first.Snapshot.ID: "ten rows"}
	for name, load := range map[string]func() driver.PublishReport{
		"a changed cell": func() driver.PublishReport { return f.replace("cell", generators, other("7.5")) },
		"a missing cell": func() driver.PublishReport { return f.replace("missing", generators, other("")) },
		"rows in another order": func() driver.PublishReport {
			swapped := slices.Clone(ten)
			swapped[0], swapped[1] = swapped[1], swapped[0]
			return f.replace("order", generators, swapped)
		},
		"a gap in the numbers": func() driver.PublishReport {
			spec := sheetOf("gap", 2023, "", generators...)
			return f.load(spec, driver.PublishReplace, renumbered(rowsOf(spec, ten...)))
		},
		"a column less": func() driver.PublishReport {
			var narrow [][]string
			for _, r := range ten {
				narrow = append(narrow, r[:4])
			}
			return f.replace("narrow", generators[:4], narrow)
		},
		"rounded": func() driver.PublishReport {
			spec := sheetOf("rounded", 2023, "", generators...)
			return f.load(spec, driver.PublishReplace, withRounded(rowsOf(spec, ten...), egrid.NetGeneration))
		},
		"another release": func() driver.PublishReport { return f.loadRecords("release", 2023, "v2", ten...) },
		"another year":    func() driver.PublishReport { return f.loadRecords("year", 2022, "", ten...) },
	} {
		id := load().Snapshot.ID
		if was, taken := ids[id]; taken {
			f.Errorf("%s has the id of %s", name, was)
		}
		ids[id] = name
	}
}

// testConfirmedNeedsNoStage: a load that was found to have the content of what is
// published needs no stage any more. Chunks of it that come late, or again, are
// duplicates, and a request that names it is answered from what is published.
func testConfirmedNeedsNoStage(f *fixture) {
	first := f.loadRecords("a", 2023, "", ten...)
	spec := sheetOf("same", 2023, "", generators...)
	rows := rowsOf(spec, ten...)
	f.loadBy(3, spec, driver.PublishAuto, rows)
	before := catalogOf(f.Context(), f)
	late := driver.Chunk{Index: 1, Rows: rows.Slice(3, 6)}
	for _, opened := range []bool{false, true} {
		if opened {
			_, err := f.store.Stage(f.Context(), spec)
			f.must(err)
		}
		if change, err := f.store.Put(f.Context(), spec.ID(), late); err != nil || !change.Duplicate || change.Rows != 0 {
			f.Errorf("a late chunk, with its stage opened again %t: %+v, %v; want a duplicate", opened, change, err)
		}
	}
	if err := f.store.Discard(f.Context(), spec.ID()); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("there was a stage to discard: %v", err)
	}
	again := driver.PublishRequest{Chunks: 4, Rows: 10}
	report, err := f.store.Publish(f.Context(), spec.ID(), again)
	f.must(err)
	if after := catalogOf(f.Context(), f); report.Status != egrid.Unchanged || report.Snapshot.ID != first.Snapshot.ID || after.ID != before.ID {
		f.Errorf("publishing it again: %s as %s; want unchanged as %s", report.Status, report.Snapshot.ID, first.Snapshot.ID)
	}

	// Judged together with another file, its rows are those that are published.
	more := sheetOf("more", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), more)
	f.must(err)
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(more, []string{"NV", "Added", "99", "A", "1"})})
	f.must(err)
	report, err = f.store.Publish(f.Context(), spec.ID(), driver.PublishRequest{Chunks: 4, Rows: 10, With: []driver.StagePart{{ID: id, Chunks: 1, Rows: 1}}})
	f.must(err)
	named := slices.ContainsFunc(report.Snapshot.Sources, func(s egrid.Source) bool { return s.ID == spec.ID() && s.Object == "same.csv" })
	if report.Status != egrid.Published || report.Snapshot.Rows != 11 || !named {
		f.Errorf("with one more: %s with %d rows of %+v", report.Status, report.Snapshot.Rows, report.Snapshot.Sources)
	}

	// It is held like the superseded snapshot that it is, and comes back with it.
	report, err = f.store.Publish(f.Context(), spec.ID(), again)
	f.must(err)
	if report.Status != egrid.Held || report.Snapshot.ID != first.Snapshot.ID || report.Snapshot.Status != egrid.Superseded {
		f.Errorf("publishing what lacks a row: %s, %+v; want held, and still superseded", report.Status, report.Snapshot)
	}
	apart := sheetOf("apart", 2023, "", generators...)
	contradicting := slices.Clone(ten)
	contradicting[3] = []string{"MI", "Ludington", "1713", "1", "12345"}
	id, err = f.store.Stage(f.Context(), apart)
	f.must(err)
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(apart, contradicting...)})
	f.must(err)
	report, err = f.store.Publish(f.Context(), spec.ID(), driver.PublishRequest{Chunks: 4, Rows: 10, With: []driver.StagePart{{ID: id, Chunks: 1, Rows: 10}}})
	f.must(err)
	if report.Status != egrid.Held || len(report.Apart) != 2 {
		f.Errorf("with one that contradicts it: %s, %d apart", report.Status, len(report.Apart))
	}
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 3 {
		f.Errorf("%d snapshots; want the first, the one with a row more, and the contradicting one held", len(c.Snapshots))
	}
	again.Policy = driver.PublishReplace
	report, err = f.store.Publish(f.Context(), spec.ID(), again)
	f.must(err)
	if report.Status != egrid.Published || report.Snapshot.ID != first.Snapshot.ID || len(f.texts(egrid.PlantName, egrid.RowQuery{})) != 10 {
		f.Errorf("publishing it in place of what is there: %s as %s", report.Status, report.Snapshot.ID)
	}
}

// renumbered is a batch whose last row comes later.
func renumbered(b *egrid.Batch) *egrid.Batch {
	builder := egrid.NewBuilder(b.Schema(), b.Year())
	for row := range b.Len() {
		for i := range b.Schema().Len() {
			builder.Copy(i, b.Column(i), row)
		}
		number := b.Number(row)
		if row == b.Len()-1 {
			number++
		}
		builder.EndRow(number, 0)
	}
	return builder.Batch()
}

// replace publishes records whatever is there.
func (f *fixture) replace(content string, columns []egrid.Column, records [][]string) driver.PublishReport {
	f.Helper()
	spec := sheetOf(content, 2023, "", columns...)
	return f.load(spec, driver.PublishReplace, rowsOf(spec, records...))
}

// testSupersededStays: what was replaced is read by its id, and comes back.
func testSupersededStays(f *fixture) {
	first := f.replace("a", generators, ten)
	before := catalogOf(f.Context(), f)
	second := f.replace("b", generators, other("8"))
	after := catalogOf(f.Context(), f)
	if before.ID == after.ID {
		f.Error("the catalogue has the same identity after a publish")
	}
	i := slices.IndexFunc(after.Snapshots, func(s egrid.Snapshot) bool { return s.ID == first.Snapshot.ID })
	if i < 0 || after.Snapshots[i].Status != egrid.Superseded || len(after.Snapshots) != 2 {
		f.Fatalf("catalogue %+v", after.Snapshots)
	}
	last := func(db *store.DB) string {
		f.Helper()
		page, err := db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN})
		f.must(err)
		return page.Row(page.Len() - 1).Text(egrid.NetGeneration)
	}
	if got := last(f.db.At(first.Snapshot.ID)); got != "7" {
		f.Errorf("the superseded snapshot has %s; want 7", got)
	}
	if got := last(f.db); got != "8" {
		f.Errorf("readers see %s; want 8", got)
	}
	// Restoring what is published changes nothing.
	_, err := f.store.Restore(f.Context(), second.Snapshot.ID)
	f.must(err)
	if c := catalogOf(f.Context(), f); c.ID != after.ID || c.Revision != after.Revision {
		f.Errorf("restoring the published snapshot made revision %d", c.Revision)
	}
	back, err := f.store.Restore(f.Context(), first.Snapshot.ID)
	f.must(err)
	if back.Status != egrid.Published || back.Revision != 3 || last(f.db) != "7" || last(f.db.At(second.Snapshot.ID)) != "8" {
		f.Errorf("restored %+v; readers see %s", back, last(f.db))
	}
	// The same content in the same states is the same catalogue, however it came
	// about.
	_, err = f.store.Restore(f.Context(), second.Snapshot.ID)
	f.must(err)
	if c := catalogOf(f.Context(), f); c.ID != after.ID || c.Revision != 4 {
		f.Errorf("there and back: catalogue %s at revision %d; want %s at 4", c.ID, c.Revision, after.ID)
	}
	_, err = f.store.Restore(f.Context(), first.Snapshot.ID)
	f.must(err)
	for _, id := range []egrid.SnapshotID{"0123456789abcdef01234567", ""} {
		if _, err := f.store.Restore(f.Context(), id); !errors.Is(err, egrid.ErrNotFound) {
			f.Errorf("restoring %q: got %v; want ErrNotFound", id, err)
		}
	}
	// The same file again, after another one replaced it, and by its stage alone.
	if r := f.replace("b", generators, other("8")); r.Status != egrid.Published || r.Snapshot.ID != second.Snapshot.ID || last(f.db) != "8" {
		f.Errorf("loading again what was superseded: %+v", r)
	}
	r, err := f.store.Publish(f.Context(), first.Snapshot.Stage, driver.PublishRequest{Policy: driver.PublishReplace})
	f.must(err)
	if r.Status != egrid.Published || r.Snapshot.ID != first.Snapshot.ID || last(f.db) != "7" {
		f.Errorf("publishing a superseded load by its stage: %+v", r)
	}
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 2 {
		f.Errorf("%d snapshots; want 2", len(c.Snapshots))
	}
}

// testMergedIsNotUnchanged loads two sheets, and after a merge each again.
func testMergedIsNotUnchanged(f *fixture) {
	f.replace("a", generators, ten)
	spec := sheetOf("b", 2023, "", generators...)
	two := rowsOf(spec, []string{"FL", "Crist", "3612", "1", "50"}, []string{"NV", "Added", "99", "A", "1"})
	if r := f.load(spec, driver.PublishMerge, two); r.Snapshot.Rows != 11 {
		f.Fatalf("merged %+v", r)
	}
	if r := f.load(spec, driver.PublishReplace, two); r.Status != egrid.Published || r.Snapshot.Rows != 2 {
		f.Errorf("replacing by a part: %s with %d rows; want its 2", r.Status, r.Snapshot.Rows)
	}
	if got := f.texts(egrid.PlantName, egrid.RowQuery{}); len(got) != 2 {
		f.Errorf("readers see %q", got)
	}
	if r := f.loadRecords("a", 2023, "", ten...); r.Status != egrid.Published && r.Status != egrid.Held {
		f.Errorf("loading the first again: %s", r.Status)
	}
}

// testPrune: superseded snapshots are dropped, readers of them are told, and
// nothing else is touched.
func testPrune(f *fixture) {
	var ids []egrid.SnapshotID
	for i := range 5 {
		ids = append(ids, f.replace(fmt.Sprint(i), generators, other(fmt.Sprint(100+i))).Snapshot.ID)
	}
	held := sheetOf("held", 2023, "", generators...)
	f.load(held, driver.PublishHold, rowsOf(held, other("9")...))
	page, err := f.db.At(ids[0]).Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 3})
	f.must(err)
	plan, err := driver.PlanRows(must(driver.Pin(catalogOf(f.Context(), f), ids[0])), egrid.RowQuery{Level: egrid.GEN})
	f.must(err)
	dropped, err := f.store.Prune(f.Context(), driver.PruneRequest{Keep: 2})
	f.must(err)
	if got := idsOf(dropped); !slices.Equal(got, []egrid.SnapshotID{ids[1], ids[0]}) {
		f.Errorf("dropped %v; want the oldest two of %v", got, ids)
	}
	none, err := f.store.Prune(f.Context(), driver.PruneRequest{OlderThan: 1 << 50})
	f.must(err)
	if len(none) != 0 {
		f.Errorf("dropped %v, which are not so old", idsOf(none))
	}
	_, err = f.db.At(ids[0]).Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN})
	if !errors.Is(err, egrid.ErrStale) {
		f.Errorf("reading what was pruned: got %v; want ErrStale", err)
	}
	_, err = f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 3, Cursor: page.Next})
	if !errors.Is(err, egrid.ErrStale) {
		f.Errorf("a cursor of what was pruned: got %v; want ErrStale", err)
	}
	if err := scanError(f, plan); !errors.Is(err, egrid.ErrStale) {
		f.Errorf("a plan of what was pruned: got %v; want ErrStale", err)
	}
	plan.Snapshots[0].ID = "0123456789abcdef01234567"
	if err := scanError(f, plan); !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("a plan of what never was: got %v; want ErrNotFound", err)
	}
	_, err = f.db.At("0123456789abcdef01234567").Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN})
	if !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("reading what never was: got %v; want ErrNotFound", err)
	}
	_, err = f.store.Restore(f.Context(), ids[0])
	if !errors.Is(err, egrid.ErrNotFound) {
		f.Errorf("restoring what was pruned: got %v; want ErrNotFound", err)
	}
	for i, want := range []string{"102", "103", "104"} {
		page, err := f.db.At(ids[2+i]).Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Limit: 20})
		f.must(err)
		if got := page.Row(9).Text(egrid.NetGeneration); got != want {
			f.Errorf("what was kept has %s; want %s", got, want)
		}
	}
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 4 || len(c.Pruned) != 2 {
		f.Errorf("%d snapshots, %d pruned; want 4 and 2", len(c.Snapshots), len(c.Pruned))
	}
	// What was pruned can be loaded again.
	if r := f.replace("0", generators, other("100")); r.Status != egrid.Published || r.Snapshot.ID != ids[0] {
		f.Errorf("loading again what was pruned: %+v", r)
	}
	if _, err := f.db.At(ids[0]).Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN}); err != nil {
		f.Errorf("reading what was pruned and is loaded again: %v", err)
	}
	if c := catalogOf(f.Context(), f); !slices.Equal(c.Pruned, ids[1:2]) {
		f.Errorf("pruned %v; want %v", c.Pruned, ids[1:2])
	}
	all, err := f.store.Prune(f.Context(), driver.PruneRequest{})
	f.must(err)
	if c := catalogOf(f.Context(), f); len(all) != 3 || len(c.Snapshots) != 2 {
		f.Errorf("dropped %v of all superseded ones; %d snapshots stay", idsOf(all), len(c.Snapshots))
	}
	// A held load stays through all of it.
	r, err := f.store.Publish(f.Context(), held.ID(), driver.PublishRequest{Policy: driver.PublishReplace})
	if f.must(err); r.Status != egrid.Published || f.texts(egrid.NetGeneration, egrid.RowQuery{Limit: 20})[9] != "9" {
		f.Errorf("publishing what was held: %+v", r)
	}
}

// scanError executes a plan and returns the error behind which it ends.
func scanError(f *fixture, p *driver.Plan) error {
	for _, err := range f.store.Scan(f.Context(), p) {
		if err != nil {
			return err
		}
	}
	return nil
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func idsOf(snapshots []egrid.Snapshot) []egrid.SnapshotID {
	ids := make([]egrid.SnapshotID, len(snapshots))
	for i := range snapshots {
		ids[i] = snapshots[i].ID
	}
	return ids
}

// testRetention: without being asked, a store keeps the latest ten.
func testRetention(f *fixture) {
	for i := range 13 {
		f.replace(fmt.Sprint(i), generators, other(fmt.Sprint(100+i)))
	}
	superseded := 0
	for _, s := range catalogOf(f.Context(), f).Snapshots {
		if s.Status == egrid.Superseded {
			superseded++
		}
	}
	if superseded != 10 {
		f.Errorf("%d superseded snapshots stay; want 10", superseded)
	}
}

// ofText is a batch with a column of text.
func ofText(b *egrid.Batch, c egrid.Column) *egrid.Batch {
	fields := b.Schema().Fields()
	fields[b.Schema().Index(c)].Type = egrid.Text
	builder := egrid.NewBuilder(must(egrid.NewSchema(fields...)), b.Year())
	for row := range b.Len() {
		for i := range fields {
			if fields[i].Column == c {
				builder.Text(i, []byte(b.Column(i).Text(row)))
			} else {
				builder.Copy(i, b.Column(i), row)
			}
		}
		builder.EndRow(b.Number(row), 0)
	}
	return builder.Batch()
}

// testOtherSchema: rows of another schema are refused whole.
func testOtherSchema(f *fixture) {
	spec := sheetOf("a", 2023, "", generators...)
	id, err := f.store.Stage(f.Context(), spec)
	f.must(err)
	wider := sheetOf("a", 2023, "", append(slices.Clone(generators), "NEW")...)
	swapped := slices.Clone(generators)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	for name, rows := range map[string]*egrid.Batch{
		"a column more":            rowsOf(wider, append(slices.Clone(ten[0]), "x")),
		"columns in other places":  rowsOf(sheetOf("a", 2023, "", swapped...), ten[0]),
		"a column of another type": ofText(rowsOf(spec, ten[0]), egrid.NetGeneration),
	} {
		if _, err := f.store.Put(f.Context(), id, driver.Chunk{Rows: rows}); !errors.Is(err, egrid.ErrInvalid) {
			f.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(spec, ten...)})
	f.must(err)
	r, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 10})
	if f.must(err); r.Snapshot.Rows != 10 {
		f.Errorf("got %+v", r)
	}
}

// testWalkDuringPublish pages, follows cursors and streams while the same
// edition is published over and over: each walk sees each row once, from one
// snapshot.
func testWalkDuringPublish(f *fixture) {
	load := func(round int) {
		var records [][]string
		for i := range 60 {
			records = append(records, []string{"TX", "P", fmt.Sprint(i), "1", fmt.Sprint(round)})
		}
		f.replace(fmt.Sprint(round), generators, records)
	}
	load(1)
	ctx, stop := context.WithCancel(f.Context())
	check := func(how string, rows []egrid.Row) {
		seen := map[string]bool{}
		for _, row := range rows {
			seen[row.Text(egrid.PlantCode)] = true
			if row.Text(egrid.NetGeneration) != rows[0].Text(egrid.NetGeneration) {
				f.Errorf("%s: rows of two publishes", how)
				return
			}
		}
		if len(rows) != 60 || len(seen) != 60 {
			f.Errorf("%s: %d rows, %d of them different; want 60", how, len(rows), len(seen))
		}
	}
	var walkers sync.WaitGroup
	walkers.Go(func() {
		for ctx.Err() == nil {
			q := egrid.RowQuery{Level: egrid.GEN, Limit: 7, Sort: []egrid.Sort{{Column: egrid.PlantCode}}}
			var rows []egrid.Row
			for {
				page, err := f.db.Rows(f.Context(), q)
				if err != nil {
					f.Error(err)
					return
				}
				rows = append(rows, slices.Collect(page.Rows())...)
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			check("cursors", rows)
		}
	})
	walkers.Go(func() {
		for ctx.Err() == nil {
			var rows []egrid.Row
			for row, err := range f.db.All(f.Context(), egrid.RowQuery{Level: egrid.GEN}) {
				if err != nil {
					f.Error(err)
					return
				}
				rows = append(rows, row)
			}
			check("stream", rows)
		}
	})
	for round := 2; round <= 9; round++ {
		load(round)
	}
	stop()
	walkers.Wait()
}
