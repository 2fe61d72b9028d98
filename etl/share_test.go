package etl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sourcegraph/conc/pool"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// shared are files whose shares are hard to put together: of several data years,
// with runs of records that cannot be read at the beginning, in the middle and at
// the end, packed, twice the same, and refused.
func shared(t *testing.T) string {
	t.Helper()
	const header = "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n"
	rows := func(year, from, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d,TX,Plant %d,%d,G%d,%d.5\n", year, from+i, from+i, i, 100+i)
		}
		return b.String()
	}
	bad := func(n int) string { return strings.Repeat("2023,OK,Broken,1,1,much\n", n) }
	years := bad(30) + rows(2023, 1, 40) + bad(30) + rows(2022, 1, 40) + rows(2023, 100, 20) + bad(30) + rows(2022, 200, 5) + bad(40)
	return folder(t, map[string]string{
		"a/years.csv":   header + years,
		"b/packed.zip":  zipped(t, "ST23.csv", "PSTATABB,FIPSST,STNGENAN\nTX,48,5\nOK,40,6\n", "notes.csv", "Dear reader,\nno sheet\n"),
		"c/first.csv":   strings.Replace(header, "GENNTAN", "GENNTOZ", 1) + rows(2021, 1, 30),
		"c/same.csv":    strings.Replace(header, "GENNTAN", "GENNTOZ", 1) + rows(2021, 1, 30),
		"d/allbad.csv":  header + strings.Repeat("2020,TX,A,1,1,x\n", 60),
		"e/SRL23.csv":   "SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\nNYCW,5,10,8\n", // held
		"f/header.csv":  header,
		"g/unknown.txt": "x",
	})
}

// planOf goes through the stages ahead of stream.
func planOf(t *testing.T, p *etl.Pipeline) etl.Divided {
	t.Helper()
	scanned, err := p.Scan(t.Context())
	validated, err := p.Validate(t.Context(), through(t, scanned, err))
	for i := range validated.Files {
		for j := range validated.Files[i].Sheets {
			if s := &validated.Files[i].Sheets[j]; len(s.Rejects) > 0 {
				s.Error, s.Rejects = "", nil // found by stream, as where only the head was inspected
			}
		}
	}
	divided, err := p.Divide(t.Context(), through(t, validated, err))
	return through(t, divided, err)
}

// told is what a report says, without what differs between two runs.
func told(t *testing.T, r etl.Report) string {
	t.Helper()
	r.RunID, r.TraceID, r.Seconds, r.RejectsFile = "", "", 0, nil
	for i := range r.Files {
		for j := range r.Files[i].Sheets {
			for k := range r.Files[i].Sheets[j].Choices {
				r.Files[i].Sheets[j].Choices[k].Command = ""
			}
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// content names every snapshot by its content, with what was rejected of it.
func content(t *testing.T, s driver.Scanner) string {
	t.Helper()
	catalog, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range catalog.Snapshots {
		lines = append(lines, fmt.Sprint(s.Level, s.Year, s.Status, s.ID, s.Stage, s.Rows, s.Rejected, s.Audits, s.RejectedFor))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// The shares of a plan, streamed in any order, at once, some of them twice, and each
// by a pipeline of its own, make the same report and the same content as the whole.
func TestSharesAreTheWhole(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	o := &etl.Options{ChunkBytes: 120, Publish: driver.PublishReplace, RejectsFile: filepath.Join(t.TempDir(), "{run}.csv")}
	wantStore := memstore.New()
	p := etl.New(etl.Local(dir), etl.ToLoader(wantStore), o)
	whole, err := p.Stream(t.Context(), planOf(t, p))
	wantReport, err := p.Report(t.Context(), through(t, whole, err))
	if err != nil {
		t.Fatal(err)
	}
	want, wantContent := told(t, wantReport), content(t, wantStore)
	if report, store := run(t, etl.Local(dir), o); content(t, store) != wantContent || report.RowsRejected != wantReport.RowsRejected {
		t.Fatalf("the stages do not what Run does: %s", content(t, store))
	}
	for _, of := range []int{1, 2, 3, 7, 64, 1000} {
		t.Run(fmt.Sprint(of), func(t *testing.T) {
			t.Parallel()
			store := memstore.New()
			plan := planOf(t, etl.New(etl.Local(dir), nil, o))
			numbers := append(rand.Perm(of), rand.IntN(of), rand.IntN(of))
			work := pool.NewWithResults[etl.Streamed]().WithErrors().WithMaxGoroutines(4)
			for _, i := range numbers {
				work.Go(func() (etl.Streamed, error) {
					share, err := plan.Share(i+1, of)
					if err != nil {
						return etl.Streamed{}, err
					}
					p := etl.New(etl.Local(), etl.ToLoader(store), &etl.Options{RejectsFile: o.RejectsFile})
					return p.Stream(t.Context(), share)
				})
			}
			answers, err := work.Wait()
			rand.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
			streamed, err := etl.Join(through(t, answers, err)...)
			report, err := etl.New(nil, etl.ToLoader(store), o).Report(t.Context(), through(t, streamed, err))
			if err != nil {
				t.Fatal(err)
			}
			if got := told(t, report); got != want {
				t.Errorf("the report differs: %s", firstDifference(got, want))
			}
			if got := content(t, store); got != wantContent {
				t.Errorf("got\n%s\nwant\n%s", got, wantContent)
			}
			lines := 0
			files, err := filepath.Glob(*report.RejectsFile)
			for _, name := range files {
				text, readErr := os.ReadFile(name)
				err = errors.Join(err, readErr)
				lines += strings.Count(string(text), "\n") - 1
			}
			if err != nil || int64(lines) != report.RowsRejected {
				t.Errorf("%s: %d records are kept, %d were rejected; %v", *report.RejectsFile, lines, report.RowsRejected, err)
			}
		})
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %s; want %s\n%s", i, a[i], b[i], got)
		}
	}
	return got
}

// A load that was begun in shares goes on as a whole, or in another number of
// shares: each chunk is the same, however the plan was shared.
func TestSharesMixed(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	o := &etl.Options{ChunkBytes: 120, Publish: driver.PublishReplace}
	_, wantStore := run(t, etl.Local(dir), o)
	want := content(t, wantStore)
	for name, of := range map[string][]int{"then whole": {3}, "then others": {5, 2}, "whole first": {1, 9}} {
		store := memstore.New()
		p := etl.New(etl.Local(dir), etl.ToLoader(store), o)
		plan := planOf(t, p)
		for _, of := range of {
			for i := range of {
				share, err := plan.Share(i+1, of)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := p.Stream(t.Context(), share); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := p.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := content(t, store); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// breaking is a source one of whose objects cannot be read from a place on, until it
// is mended.
type breaking struct {
	etl.Source
	name   string
	from   int64
	err    error
	mended atomic.Bool
}

func (b *breaking) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	if o.Name == b.name && offset >= b.from && !b.mended.Load() {
		return nil, b.err
	}
	return b.Source.Open(ctx, o, offset, length)
}

// streamShares streams all shares but some.
func streamShares(t *testing.T, p *etl.Pipeline, plan etl.Divided, of int, but ...int) ([]etl.Streamed, error) {
	t.Helper()
	var answers []etl.Streamed
	var errs []error
	for number := 1; number <= of; number++ {
		if slices.Contains(but, number) {
			continue
		}
		share, err := plan.Share(number, of)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Stream(t.Context(), share)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		answers = append(answers, s)
	}
	return answers, errors.Join(errs...)
}

// Nothing is published while a share is missing. A share that failed is streamed
// again, by itself.
func TestAShareFails(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 300)})
	store := memstore.New()
	source := &breaking{Source: etl.Local(dir), name: "GEN.csv", from: 4000, err: errors.New("the network is away")}
	p := etl.New(source, etl.ToLoader(store), &etl.Options{ChunkBytes: 500})
	source.mended.Store(true)
	plan := planOf(t, p)
	source.mended.Store(false)
	const of = 4
	answers, err := streamShares(t, p, plan, of)
	if err == nil || !strings.Contains(err.Error(), "the network is away") || len(answers) == 0 || len(answers) == of {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	if _, err := etl.Join(answers...); !errors.Is(err, egrid.ErrIncomplete) || !strings.Contains(err.Error(), "these are missing: 3, 4;") {
		t.Errorf("got %v", err)
	}
	if c, err := store.Catalog(t.Context()); err != nil || len(c.Snapshots) > 0 {
		t.Errorf("%d snapshots, %v", len(c.Snapshots), err)
	}
	source.mended.Store(true)
	for number := len(answers) + 1; number <= of; number++ {
		more, err := streamShares(t, p, plan, of, others(number, of)...)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, more...)
	}
	streamed, err := etl.Join(answers...)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []etl.Status{etl.Published, etl.Unchanged} { // a report is made again
		report, err := p.Report(t.Context(), streamed)
		if err != nil || report.Status != want || report.RowsRead != 304 {
			t.Errorf("got %s of %d rows, %v; want %s", report.Status, report.RowsRead, err, want)
		}
	}
}

func others(number, of int) (all []int) {
	for i := 1; i <= of; i++ {
		if i != number {
			all = append(all, i)
		}
	}
	return all
}

// An object that changed for one share only is refused as a whole, and the others
// are published. When it can be read again, the share that was streamed again counts.
func TestAShareRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"GEN.csv":  generators + strings.Repeat("2023,TX,Alpha,1,2,500.5\n", 300),
		"ST23.csv": "PSTATABB,FIPSST,STNGENAN\nTX,48,5\nOK,40,6\n",
	})
	store := memstore.New()
	source := &breaking{Source: etl.Local(dir), name: "GEN.csv", from: 4000, err: etl.ErrChanged}
	p := etl.New(source, etl.ToLoader(store), &etl.Options{ChunkBytes: 500})
	source.mended.Store(true)
	plan := planOf(t, p)
	source.mended.Store(false)
	answers, err := streamShares(t, p, plan, 4)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := etl.Join(answers...)
	if err != nil {
		t.Fatal(err)
	}
	report, err := p.Report(t.Context(), streamed)
	if err != nil || report.Failed() || report.Complete() || report.RowsLoaded != 2 {
		t.Errorf("got %q, %v", sheetsOf(report), err)
	}
	source.mended.Store(true)
	more, err := streamShares(t, p, plan, 4, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err = etl.Join(append(answers, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	if report, err = p.Report(t.Context(), streamed); err != nil || !report.Complete() || report.RowsLoaded != 304 {
		t.Errorf("got %q, %v", sheetsOf(report), err)
	}
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"GEN.csv": generators})
	p := etl.New(etl.Local(dir), etl.ToLoader(memstore.New()), &etl.Options{ChunkBytes: 30})
	plan, another := planOf(t, p), planOf(t, p)
	whole, err := p.Stream(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	of := func(plan etl.Divided, number, of int) etl.Streamed {
		share, err := plan.Share(number, of)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Stream(t.Context(), share)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		answers []etl.Streamed
		is      error
		says    string
	}{
		"none":          {nil, egrid.ErrIncomplete, "no answer"},
		"other run":     {[]etl.Streamed{of(plan, 1, 2), of(another, 2, 2)}, egrid.ErrInvalid, "not of one plan"},
		"other number":  {[]etl.Streamed{of(plan, 1, 2), of(plan, 2, 3)}, egrid.ErrInvalid, "share 1/2 of run " + plan.ID},
		"beside whole":  {[]etl.Streamed{of(plan, 1, 2), whole}, egrid.ErrInvalid, "whole plan"},
		"twice the one": {[]etl.Streamed{of(plan, 2, 3), of(plan, 2, 3)}, egrid.ErrIncomplete, "these are missing: 1, 3;"},
	} {
		if _, err := etl.Join(c.answers...); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := p.Report(t.Context(), of(plan, 1, 1)); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("reporting a share: %v", err)
	}
	if _, err := p.Report(t.Context(), whole); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "1", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3", " 1/2"} {
		if _, _, err := etl.ParseShare(text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	share, err := plan.Share(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := share.Share(1, 2); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("sharing a share: %v", err)
	}
}

// Shares are about equal, and cover each chunk once.
func TestShareSizes(t *testing.T) {
	t.Parallel()
	plan := planOf(t, etl.New(etl.Local(shared(t)), nil, &etl.Options{ChunkBytes: 120}))
	for of := 1; of <= plan.Chunks()+2; of++ {
		seen := map[string]int{}
		least, most := plan.Chunks(), 0
		for number := 1; number <= of; number++ {
			share, err := plan.Share(number, of)
			if err != nil {
				t.Fatal(err)
			}
			least, most = min(least, share.Chunks()), max(most, share.Chunks())
			if told := len(share.Refused) > 0; told != (number == 1) {
				t.Fatalf("share %s tells what the plan refuses: %t", share.Shared, told)
			}
			for i, part := range share.Parts {
				for _, span := range part.Spans {
					seen[fmt.Sprint(share.Shared.Parts[i], " ", span.Index)]++
				}
			}
		}
		if len(seen) != plan.Chunks() || slices.ContainsFunc(slices.Collect(maps.Values(seen)), func(n int) bool { return n != 1 }) || most-least > 1 {
			t.Fatalf("of %d: %d to %d chunks, %v", of, least, most, seen)
		}
	}
}

// Shares that several processes send through a queue, whose consumers come late.
func TestSharesThroughAQueue(t *testing.T) {
	t.Parallel()
	dir := shared(t)
	o := &etl.Options{ChunkBytes: 120, Publish: driver.PublishReplace}
	_, wantStore := run(t, etl.Local(dir), o)
	store, broker := memstore.New(), memqueue.New(nil)
	plan := planOf(t, etl.New(etl.Local(dir), nil, o))
	var answers []etl.Streamed
	for i := range 5 {
		share, err := plan.Share(5-i, 5)
		if err != nil {
			t.Fatal(err)
		}
		s, err := etl.New(etl.Local(), etl.ToQueue(broker, store), nil).Stream(t.Context(), share)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, s)
	}
	consume(t, broker, etl.DatabaseHandler(store))
	streamed, err := etl.Join(answers...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := etl.New(nil, etl.ToQueue(broker, store), o).Report(t.Context(), streamed); err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, store), content(t, wantStore); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
