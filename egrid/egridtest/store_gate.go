package egridtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// sheetFile is a staged file of generators.
type sheetFile struct {
	name    string
	columns []egrid.Column
	rounded []egrid.Column
	records [][]string
}

// stageAll stages files and returns the request that judges them together.
func (f *fixture) stageAll(policy driver.Policy, files ...sheetFile) (egrid.StageID, driver.PublishRequest) {
	f.Helper()
	r := driver.PublishRequest{Policy: policy}
	var first egrid.StageID
	for i, file := range files {
		spec := sheetOf(file.name, 2023, "", file.columns...)
		id, err := f.store.Stage(f.Context(), spec)
		f.must(err)
		rows := rowsOf(spec, file.records...)
		for _, c := range file.rounded {
			rows = withRounded(rows, c)
		}
		_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rows, Findings: driver.AuditRows(spec.Level, rows)})
		f.must(err)
		if i == 0 {
			first, r.Chunks, r.Rows = id, 1, int64(rows.Len())
		} else {
			r.With = append(r.With, driver.StagePart{ID: id, Chunks: 1, Rows: int64(rows.Len())})
		}
	}
	return first, r
}

func (f *fixture) publishAll(policy driver.Policy, files ...sheetFile) driver.PublishReport {
	f.Helper()
	id, r := f.stageAll(policy, files...)
	report, err := f.store.Publish(f.Context(), id, r)
	f.must(err)
	return report
}

// gateColumns identify generators and have a figure.
var gateColumns = []egrid.Column{egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration}

// testTogether: files that are judged together make one snapshot, in whatever
// order they come.
func testTogether(f *fixture) {
	files := []sheetFile{
		{name: "one", columns: gateColumns, records: [][]string{{"1", "A", "5.25"}, {"2", "A", "100"}}},
		{name: "two", columns: gateColumns, records: [][]string{{"3", "A", "7"}}},
		{name: "display", columns: gateColumns, rounded: []egrid.Column{egrid.NetGeneration}, records: [][]string{{"1", "A", "5"}, {"4", "A", "9"}}},
		{name: "names", columns: []egrid.Column{egrid.PlantCode, egrid.GeneratorID, egrid.State}, records: [][]string{{"3", "A", "TX"}}},
	}
	var id egrid.SnapshotID
	for seed := range uint64(6) {
		shuffled := slices.Clone(files)
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test that can be repeated
		r.Shuffle(len(files), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		report := f.publishAll(driver.PublishAuto, shuffled...)
		want := egrid.Unchanged
		if seed == 0 {
			want, id = egrid.Published, report.Snapshot.ID
		}
		if report.Status != want || report.Snapshot.ID != id {
			f.Fatalf("seed %d: %s, %q, snapshot %s; want %s %s", seed, report.Status, report.Reason, report.Snapshot.ID, want, id)
		}
	}
	q := egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.PlantCode}}}
	f.wantTexts(egrid.NetGeneration, q, "5.25", "100", "7", "9")
	f.wantTexts(egrid.State, q, "", "", "TX", "")
	c := catalogOf(f.Context(), f)
	if len(c.Snapshots) != 1 || c.Revision != 1 {
		f.Fatalf("catalogue %+v", c)
	}
	counts := map[string][2]int64{}
	for _, s := range c.Snapshots[0].Sources {
		counts[s.Object] = [2]int64{s.Rows, s.Cells}
	}
	if want := map[string][2]int64{"one.csv": {2, 0}, "two.csv": {0, 1}, "display.csv": {1, 0}, "names.csv": {1, 0}}; fmt.Sprint(counts) != fmt.Sprint(want) {
		f.Errorf("rows and cells by source %v; want %v", counts, want)
	}
	// The order that comes twice, when its stages are gone.
	id1, r := f.stageAll(driver.PublishAuto, files...)
	for range 2 {
		report, err := f.store.Publish(f.Context(), id1, r)
		f.must(err)
		if report.Status != egrid.Unchanged || report.Snapshot.ID != id {
			f.Errorf("again: %s, %q", report.Status, report.Reason)
		}
	}
	// One of them alone lacks the rows of the others.
	if r := f.publishAll(driver.PublishAuto, files[0]); r.Status != egrid.Held || !strings.Contains(r.Reason, "published row") {
		f.Errorf("a part alone: %s, %q", r.Status, r.Reason)
	}
}

// choose reports whether a command is one that decides on a held load.
func choose(held egrid.Snapshot, command string) bool {
	return slices.ContainsFunc(held.Choices, func(c egrid.Choice) bool { return c.Command == command })
}

// testOneRowOfAPlace: a sheet with two rows of a region, or of a plant, is held, and one
// of two data years is not.
func testOneRowOfAPlace(f *fixture) {
	for _, test := range []struct {
		level   egrid.Level
		columns []egrid.Column
		records [][]string
		reason  string // empty: published
	}{
		{egrid.ST, []egrid.Column{egrid.State, egrid.NetGeneration}, [][]string{{"OK", "9"}, {"TX", "5"}, {"TX", "7"}}, "1 identifier is in several rows, where a sheet has one row of each (TX)"},
		{egrid.GGL, []egrid.Column{egrid.Region, egrid.GridGrossLoss}, [][]string{{"U.S.", "0.04"}, {"U.S.", "0.05"}}, "(U.S.)"},
		{egrid.US, []egrid.Column{egrid.NetGeneration}, [][]string{{"5"}, {"7"}}, "(US)"},
		{egrid.PLNT, []egrid.Column{egrid.PlantCode, egrid.NetGeneration}, [][]string{{"3", "5"}, {"3", "5"}}, "(3)"},
		{egrid.PLNT, []egrid.Column{egrid.State, egrid.PlantName, egrid.NetGeneration}, [][]string{{"TX", "Alpha", "5"}, {"TX", "Alpha", "7"}}, ""},
		{egrid.GEN, gateColumns, [][]string{{"3612", "1", "5"}, {"3612", "1", "7"}}, ""},
	} {
		spec := specOf(test.level, string(test.level)+test.reason, 2023, "", test.columns...)
		r := f.load(spec, driver.PublishAuto, rowsOf(spec, test.records...))
		if want := map[bool]egrid.Status{true: egrid.Published, false: egrid.Held}[test.reason == ""]; r.Status != want || !strings.Contains(r.Reason, test.reason) {
			f.Errorf("%s: %s, %q; want %s, %q", test.level, r.Status, r.Reason, want, test.reason)
		}
	}
}

// testTogetherHeld: what is combined and held is one load, which is decided on by
// its id.
func testTogetherHeld(f *fixture) {
	a := sheetFile{name: "a", columns: gateColumns, records: [][]string{{"1", "A", "5"}, {"1", "A", "6"}}}
	b := sheetFile{name: "b", columns: gateColumns, records: [][]string{{"2", "A", "7"}}}
	var held egrid.Snapshot
	for range 2 { // asking again changes nothing
		r := f.publishAll(driver.PublishHold, a, b)
		if held = r.Snapshot; r.Status != egrid.Held || held.Rows != 3 || len(held.Sources) != 2 || len(r.Apart) != 0 || !choose(held, "egrid publish "+string(held.Stage)) {
			f.Fatalf("%+v", r)
		}
		if c := catalogOf(f.Context(), f); len(c.Snapshots) != 1 || c.Snapshots[0].Stage != held.Stage {
			f.Fatalf("catalogue %+v", c)
		}
	}
	r, err := f.store.Publish(f.Context(), held.Stage, driver.PublishRequest{Policy: driver.PublishReplace})
	f.must(err)
	if r.Status != egrid.Published || r.Snapshot.ID != held.ID || r.Snapshot.Rows != 3 || len(r.Snapshot.Audits) != 1 || r.Snapshot.Audits[0].Rule != "duplicate_key" {
		f.Errorf("decided: %+v", r)
	}
	f.wantTexts(egrid.NetGeneration, egrid.RowQuery{}, "5", "6", "7")
	// The same files are what is published.
	if r := f.publishAll(driver.PublishHold, b, a); r.Status != egrid.Unchanged {
		f.Errorf("the same again: %s, %q", r.Status, r.Reason)
	}
	// A combination that is held can be dropped.
	more := sheetFile{name: "more", columns: gateColumns, records: [][]string{{"3", "A", "8"}}}
	r = f.publishAll(driver.PublishHold, a, more)
	f.must(f.store.Discard(f.Context(), r.Snapshot.Stage))
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 1 {
		f.Errorf("catalogue %+v", c)
	}
	// Merging several files adds them all.
	if r := f.publishAll(driver.PublishMerge, more, sheetFile{name: "even", columns: gateColumns, records: [][]string{{"4", "A", "9"}, {"2", "A", "70"}}}); r.Status != egrid.Published || r.Snapshot.Rows != 5 {
		f.Errorf("merged: %+v", r)
	}
	f.wantTexts(egrid.NetGeneration, egrid.RowQuery{}, "5", "6", "70", "9", "8")
}

// testContradiction: files that contradict each other are held apart, by every
// policy, and a person decides.
func testContradiction(f *fixture) {
	a := sheetFile{name: "a", columns: gateColumns, records: [][]string{{"1", "A", "5"}, {"2", "A", "7"}}}
	b := sheetFile{name: "b", columns: gateColumns, records: [][]string{{"1", "A", "6"}}}
	for _, policy := range []driver.Policy{driver.PublishAuto, driver.PublishMerge, driver.PublishReplace} {
		r := f.publishAll(policy, a, b)
		if r.Status != egrid.Held || len(r.Apart) != 2 {
			f.Fatalf("%s: %+v", policy, r)
		}
		for i := range r.Apart {
			part := &r.Apart[i]
			if want := "egrid publish " + string(part.Snapshot.Stage); !choose(part.Snapshot, want) {
				f.Errorf("%s, part %d: %v has no %q", policy, i, part.Snapshot.Choices, want)
			}
			for _, want := range []string{"a.csv and b.csv contradict each other", "net_generation_mwh of 1/A is 5 in the one and 6 in the other"} {
				if part.Status != egrid.Held || !strings.Contains(part.Reason, want) {
					f.Errorf("%s, part %d: %s, %q does not tell %q", policy, i, part.Status, part.Reason, want)
				}
			}
		}
	}
	c := catalogOf(f.Context(), f)
	if len(c.Snapshots) != 2 || c.Revision != 0 {
		f.Fatalf("catalogue %+v", c)
	}
	spec := sheetOf("a", 2023, "", gateColumns...)
	r, err := f.store.Publish(f.Context(), spec.ID(), driver.PublishRequest{Policy: driver.PublishReplace})
	f.must(err)
	if r.Status != egrid.Published {
		f.Errorf("decided: %+v", r)
	}
	// The one that is published now is what the store holds; the other waits.
	r = f.publishAll(driver.PublishAuto, b, a)
	if len(r.Apart) != 2 || r.Apart[0].Status != egrid.Held || r.Apart[1].Status != egrid.Unchanged {
		f.Errorf("again: %+v", r)
	}
	f.wantTexts(egrid.NetGeneration, egrid.RowQuery{}, "5", "7")
}

// testApart: what cannot be combined with the fullest is held for itself, and keeps
// nothing else back.
func testApart(f *fixture) {
	full := sheetFile{name: "full", columns: []egrid.Column{egrid.State, egrid.PlantName, egrid.GeneratorID, egrid.NetGeneration}, records: [][]string{{"TX", "X", "A", "5"}, {"TX", "Y", "A", "6"}}}
	codes := sheetFile{name: "codes", columns: gateColumns, records: [][]string{{"1", "A", "5"}}}
	for round := range 3 { // the same again changes nothing
		files := []sheetFile{full, codes}
		if round == 1 {
			slices.Reverse(files)
		}
		r := f.publishAll(driver.PublishAuto, files...)
		want := egrid.Unchanged
		if round == 0 {
			want = egrid.Published
		}
		if r.Status != want || r.Snapshot.Rows != 2 || len(r.Apart) != 1 || r.Apart[0].Status != egrid.Held || r.Apart[0].Snapshot.Rows != 1 ||
			!strings.Contains(r.Apart[0].Reason, "no identifier in common: the rows of full.csv have state, plant_name, generator_id, the rows of codes.csv have oris_plant_code, generator_id") {
			f.Fatalf("round %d: %+v", round, r)
		}
	}
	if c := catalogOf(f.Context(), f); len(c.Snapshots) != 2 || c.Revision != 1 {
		f.Errorf("catalogue %+v", c)
	}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{}, "X", "Y")
}

// testDiff: what is published and what was are compared as the gate compares.
func testDiff(f *fixture) {
	first := f.publishAll(driver.PublishAuto, sheetFile{name: "first", columns: gateColumns, records: [][]string{{"1", "A", "5.25"}, {"2", "A", "100"}, {"3", "A", ""}, {"3", "A", "7"}}})
	second := f.publishAll(driver.PublishReplace, sheetFile{name: "second", columns: append(slices.Clone(gateColumns), egrid.State),
		records: [][]string{{"4", "A", "1", "TX"}, {"3", "A", "6", ""}, {"3", "A", "7", ""}, {"1", "A", "10.5", ""}}})
	d, err := f.db.Diff(f.Context(), store.DiffQuery{Level: egrid.GEN, From: string(first.Snapshot.ID), To: string(second.Snapshot.ID)})
	f.must(err)
	got := fmt.Sprint(d.Rows, d.Changed, d.Added, d.AddedKeys, d.Lost, d.LostKeys, d.ColumnsAdded, d.ColumnsLost, d.Cells)
	if want := "3 2 1 [4/A] 1 [2/A] [state] [] { 1 0 0 1 0}"; got != want {
		f.Errorf("got %s; want %s", got, want)
	}
	if len(d.Changes) != 2 || d.Changes[0].Key != "1/A" || d.Changes[0].To.String() != "10.5" || d.Changes[1].Key != "3/A" || !d.Changes[1].From.IsMissing() {
		f.Errorf("changes %v", d.Changes)
	}
}

// testGate: what the gate lets through over a published sheet, and what it holds.
func testGate(f *fixture) {
	f.publishAll(driver.PublishAuto, sheetFile{name: "live", columns: gateColumns, records: [][]string{{"1", "A", "5.25"}, {"2", "A", "100"}, {"", "", "3"}}})
	rounded := []egrid.Column{egrid.NetGeneration}
	for _, test := range []struct {
		file   sheetFile
		policy driver.Policy
		want   egrid.Status
		reason string
		live   []string // what readers see then
	}{
		{
			sheetFile{name: "changed", columns: gateColumns, records: [][]string{{"1", "A", "5.25"}, {"2", "A", "150"}, {"", "", "3"}}}, driver.PublishAuto,
			egrid.Held, "1 value differs from the published ones, in 1 of 3 rows that both have (net_generation_mwh); the largest change is net_generation_mwh of 2/A: 100 to 150 (+50.0 %)", []string{"5.25", "100", "3"},
		},
		{
			sheetFile{name: "rounder", columns: gateColumns, rounded: rounded, records: [][]string{{"1", "A", "5"}, {"2", "A", "100"}, {"", "", "3"}}}, driver.PublishAuto,
			egrid.Held, "1 value is rounded where the published ones are not (net_generation_mwh)", []string{"5.25", "100", "3"},
		},
		{
			sheetFile{name: "swapped", columns: gateColumns, records: [][]string{{"1", "A", "5.25"}, {"3", "A", "100"}, {"", "", "3"}}}, driver.PublishAuto,
			egrid.Held, "it lacks 1 published row of 3 (2/A)", []string{"5.25", "100", "3"},
		},
		{
			sheetFile{name: "blank", columns: gateColumns, records: [][]string{{"1", "A", ""}, {"2", "A", "100"}, {"", "", "3"}}}, driver.PublishAuto,
			egrid.Held, "it lacks 1 published value (net_generation_mwh)", []string{"5.25", "100", "3"},
		},
		{
			sheetFile{name: "reordered", columns: gateColumns, records: [][]string{{"", "", "3"}, {"2", "A", "100"}, {"1", "A", "5.25"}}}, driver.PublishAuto,
			egrid.Unchanged, "", []string{"5.25", "100", "3"},
		},
		{
			sheetFile{name: "larger", columns: gateColumns, records: [][]string{{"0", "A", "1"}, {"1", "A", "5.25"}, {"2", "A", "100"}, {"", "", "3"}}}, driver.PublishAuto,
			egrid.Published, "", []string{"1", "5.25", "100", "3"},
		},
		{ // an exact value stays against a rounded one that agrees with it
			sheetFile{name: "display", columns: gateColumns, rounded: rounded, records: [][]string{{"1", "A", "5"}, {"0", "A", "8"}}}, driver.PublishMerge,
			egrid.Published, "", []string{"8", "5.25", "100", "3"},
		},
	} {
		r := f.publishAll(test.policy, test.file)
		if r.Status != test.want || !strings.Contains(r.Reason, test.reason) || (r.Reason == "") != (test.reason == "") {
			f.Errorf("%s: %s, %q; want %s, %q", test.file.name, r.Status, r.Reason, test.want, test.reason)
		}
		f.wantTexts(egrid.NetGeneration, egrid.RowQuery{}, test.live...)
	}
	misread := sheetOf("misread", 2022, "", gateColumns...)
	id, err := f.store.Stage(f.Context(), misread)
	f.must(err)
	_, err = f.store.Put(f.Context(), id, driver.Chunk{Rows: rowsOf(misread, []string{"1", "A", "5"}, []string{"2", "A", "5"}), Rejected: 98})
	f.must(err)
	r, err := f.store.Publish(f.Context(), id, driver.PublishRequest{Chunks: 1, Rows: 2})
	if f.must(err); r.Status != egrid.Held || !strings.Contains(r.Reason, "98 of 100 records were rejected") {
		f.Errorf("misread: %s, %q", r.Status, r.Reason)
	}
}

// testCompletes: exports of one sheet that have the same rows, contradict each other nowhere
// and lack other columns and digits end in the same snapshot, in whatever order and in
// whatever runs they come.
func testCompletes(f *fixture) {
	identified := []egrid.Column{egrid.PlantCode, egrid.GeneratorID}
	exact := sheetFile{name: "exact", columns: append(slices.Clone(identified), egrid.NetGeneration, egrid.State), records: [][]string{{"1", "A", "5.25", "TX"}, {"2", "A", "100.5", ""}, {"2", "A", "7.125", "OK"}}}
	display := sheetFile{name: "display", columns: append(slices.Clone(identified), egrid.NetGeneration, egrid.NameplateCapacity), rounded: []egrid.Column{egrid.NetGeneration},
		records: [][]string{{"2", "A", "101", ""}, {"1", "A", "5", "20.5"}, {"2", "A", "7", "3"}}}
	states := sheetFile{name: "states", columns: append(slices.Clone(identified), egrid.State), records: [][]string{{"1", "A", ""}, {"2", "A", "LA"}, {"2", "A", "OK"}}}
	discard := func(reports ...driver.PublishReport) {
		for i := range reports {
			if r := &reports[i]; r.Status == egrid.Held {
				f.must(f.store.Discard(f.Context(), r.Snapshot.Stage))
			}
		}
	}
	whole := f.publishAll(driver.PublishAuto, exact, display, states)
	if whole.Status != egrid.Published || whole.Snapshot.Rows != 3 {
		f.Fatalf("together: %s, %q", whole.Status, whole.Reason)
	}
	files := []sheetFile{exact, display, states}
	for _, runs := range [][][]int{{{0}, {1}, {2}}, {{2}, {1}, {0}}, {{1}, {2}, {0}}, {{0, 2}, {1}}, {{1}, {0, 2}}, {{2}, {0, 1}, {2}}, {{0, 1}, {2}, {0}, {1}}} {
		for i, run := range runs {
			var parts []sheetFile
			for _, at := range run {
				parts = append(parts, files[at])
			}
			policy := driver.PublishAuto
			if i == 0 {
				policy = driver.PublishReplace // what was there before
			}
			r := f.publishAll(policy, parts...)
			if i > 0 && r.Status != egrid.Published && r.Status != egrid.Unchanged {
				f.Errorf("runs %v, the %d.: %s, %q", runs, i+1, r.Status, r.Reason)
			}
			discard(append(r.Apart, r)...)
		}
		f.wantTexts(egrid.NetGeneration, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration}}}, "5.25", "7.125", "100.5")
		byGeneration := egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.NetGeneration}}}
		f.wantTexts(egrid.State, byGeneration, "TX", "OK", "LA")
		f.wantTexts(egrid.NameplateCapacity, byGeneration, "20.5", "3", "")
		// The order of the rows is that of the fuller file of each run, and part of the id.
		if live, _ := catalogOf(f.Context(), f).Published(egrid.GEN, 2023, ""); live.Rows != 3 || live.Schema.Len() != whole.Snapshot.Schema.Len() || !slices.Equal(live.Lossy, whole.Snapshot.Lossy) {
			f.Errorf("runs %v end in %d rows of %v, rounded %v; want those of %v, rounded %v", runs, live.Rows, live.Schema.Columns(), live.Lossy, whole.Snapshot.Schema.Columns(), whole.Snapshot.Lossy)
		}
	}
	for _, test := range []struct {
		file   sheetFile
		reason string
	}{
		{sheetFile{name: "other", columns: append(slices.Clone(identified), egrid.NetGeneration, egrid.Subregion), records: [][]string{{"1", "A", "5.25", "ERCT"}, {"2", "A", "100.5", ""}, {"2", "A", "9.125", ""}}}, "1 value differs"},
		{sheetFile{name: "fewer", columns: append(slices.Clone(identified), egrid.Subregion), records: [][]string{{"1", "A", "ERCT"}, {"2", "A", ""}}}, "it lacks 1 published row"},
		{sheetFile{name: "more", columns: append(slices.Clone(identified), egrid.Subregion), records: [][]string{{"1", "A", "ERCT"}, {"2", "A", ""}, {"2", "A", ""}, {"9", "A", ""}}}, "it lacks published columns"},
		{sheetFile{name: "nothing new", columns: append(slices.Clone(identified), egrid.State), records: [][]string{{"1", "A", "TX"}, {"2", "A", "LA"}, {"2", "A", "OK"}}}, "it lacks published columns"},
	} {
		r := f.publishAll(driver.PublishAuto, test.file)
		if r.Status != egrid.Held || !strings.Contains(r.Reason, test.reason) {
			f.Errorf("%s: %s, %q; want it held: %s", test.file.name, r.Status, r.Reason, test.reason)
		}
		discard(r)
	}
}

// testGateOfMany: rows that differ are found among many that do not, be they far
// apart or one behind the other. That a figure has fewer decimal places than the
// others does not make its column a rounded one.
func testGateOfMany(f *fixture) {
	const rows = 9000
	records := func(differs func(i int) bool) [][]string {
		all := make([][]string, rows)
		for i := range all {
			all[i] = []string{fmt.Sprint(i + 1), "A", fmt.Sprintf("%d.25", i)}
			if differs(i) {
				all[i][2] = fmt.Sprintf("%d.3", i)
			}
		}
		return all
	}
	same := func(int) bool { return false }
	f.publishAll(driver.PublishAuto, sheetFile{name: "live", columns: gateColumns, records: records(same)})
	for _, test := range []struct {
		name    string
		differs func(i int) bool
		want    int
	}{
		{"one", func(i int) bool { return i == 4242 }, 1},
		{"apart", func(i int) bool { return i%16 == 7 }, 563},
		{"some together", func(i int) bool { return i%16 == 7 || i >= 2000 && i < 7000 }, 5250},
		{"all", func(int) bool { return true }, rows},
	} {
		r := f.publishAll(driver.PublishAuto, sheetFile{name: test.name, columns: gateColumns, records: records(test.differs)})
		want := fmt.Sprintf("differ from the published ones, in %d of %d rows", test.want, rows)
		switch {
		case test.want == 1:
			want = "1 value differs from the published ones, in 1 of 9000 rows"
		case test.want == rows: // then it does
			want = fmt.Sprintf("%d values are rounded", rows)
		}
		if r.Status != egrid.Held || !strings.Contains(r.Reason, want) {
			f.Errorf("%s: %s, %q; want held, %q", test.name, r.Status, r.Reason, want)
		}
	}
	longer := append(records(same), []string{"10000", "A", "1"})
	if r := f.publishAll(driver.PublishAuto, sheetFile{name: "longer", columns: gateColumns, records: longer}); r.Status != egrid.Published || r.Snapshot.Rows != rows+1 {
		f.Errorf("one row more: %s, %q, %d rows", r.Status, r.Reason, r.Snapshot.Rows)
	}
}
