package etl_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// overlapping are parts and exports of two sheets, none of which contradicts
// another: by state, as displayed, of some columns, and with others.
func overlapping() []string {
	var texas, rest, display, capacity strings.Builder
	texas.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n")
	rest.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n")
	display.WriteString("YEAR,PSTATABB,PNAME,GENID,GENNTAN\n")
	capacity.WriteString("YEAR,ORISPL,GENID,NAMEPCAP\n")
	for i := range 60 {
		state, to := "TX", &texas
		if i%3 == 0 {
			state, to = "OK", &rest
		}
		mwh := 1000*float64(i) + 0.375*float64(i%4)
		fmt.Fprintf(to, "2023,%s,Plant %d,%d,G%d,%.3f\n", state, i/2, i/2, i%2, mwh)
		fmt.Fprintf(&display, "2023,%s,Plant %d,G%d,\"%s\"\n", state, i/2, i%2, thousands(mwh))
		if i%2 == 0 {
			fmt.Fprintf(&capacity, "2023,%d,G0,%d.5\n", i/2, i)
		}
	}
	const regions = "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n"
	return []string{texas.String(), rest.String(), display.String(), capacity.String(),
		regions + "2023,CAMX,100.25,50.5\n2022,CAMX,90.5,45.5\n", regions + "2023,NYLI,5.5,\n", "YEAR,SUBRGN,SRCO2AN\n2023,NYLI,2.75\n2022,CAMX,45.5\n"}
}

func thousands(x float64) string {
	text := fmt.Sprintf("%.0f", x)
	if len(text) > 3 {
		return text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text
}

// grouped puts files under names of their own into a folder: some by themselves,
// some in archives.
func grouped(t *testing.T, r *rand.Rand, texts []string) string {
	t.Helper()
	files := map[string]string{}
	var packed []string
	for i, at := range r.Perm(len(texts)) {
		name := fmt.Sprintf("%c%d.csv", 'a'+rune(r.IntN(20)), i)
		switch r.IntN(3) {
		case 0:
			packed = append(packed, name, texts[at])
		case 1:
			files[fmt.Sprintf("folder%d/%s", r.IntN(2), name)] = texts[at]
		default:
			files[name] = texts[at]
		}
	}
	if len(packed) > 0 {
		files[fmt.Sprintf("%c.zip", 'a'+rune(r.IntN(20)))] = zipped(t, packed...)
	}
	return folder(t, files)
}

// However files are called, ordered and packed, and whichever way they go, the
// same content is published, and every row is counted once.
func TestTogether(t *testing.T) {
	t.Parallel()
	texts := overlapping()
	var want map[string]egrid.SnapshotID
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		dir := grouped(t, r, texts)
		store := memstore.New()
		sink := etl.ToLoader(store)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		if seed%2 == 1 {
			broker := memqueue.New(nil)
			sink = etl.ToQueue(broker, store)
			go func() {
				done <- queue.Consume(ctx, broker, queue.QueueDatabase, etl.DatabaseHandler(store), &queue.ConsumeOptions{Workers: 2, Retry: queue.RetryPolicy{MaxAttempts: 9, Base: time.Millisecond}})
			}()
		} else {
			done <- nil
		}
		for round := range 2 {
			report, err := etl.New(etl.Local(dir), sink, &etl.Options{Workers: 1 + r.IntN(3)}).Run(ctx)
			if err != nil {
				t.Fatal(err)
			}
			c, err := store.Catalog(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got, rows := map[string]egrid.SnapshotID{}, int64(0)
			for _, s := range c.Snapshots {
				got[fmt.Sprint(s.Level, s.Year, s.Status)] = s.ID
				rows += s.Rows
			}
			if want == nil {
				want = got
				if len(want) != 3 || rows != 63 {
					t.Fatalf("published are %v with %d rows; want 60 generators and 3 regions", got, rows)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("seed %d: published are %v; want %v\n%q", seed, got, want, sheetsOf(report))
			}
			switch {
			case round == 0 && (report.Status != etl.Published || report.RowsLoaded != rows || !report.Complete()):
				t.Errorf("seed %d: %s, %d of %d rows loaded, %q", seed, report.Status, report.RowsLoaded, rows, sheetsOf(report))
			case round == 1 && (report.Status != etl.Unchanged || report.RowsLoaded != 0 || c.Revision != 3):
				t.Errorf("seed %d, again: %s, %d rows loaded, revision %d", seed, report.Status, report.RowsLoaded, c.Revision)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		store.Close()
	}
}

// The same bytes twice in a folder are one load.
func TestSameFileTwice(t *testing.T) {
	t.Parallel()
	report, store := run(t, etl.Local(folder(t, map[string]string{"a/GEN.csv": generators, "b/GEN.csv": generators})), nil)
	if report.RowsLoaded != 4 || report.Status != etl.Published || !report.Complete() {
		t.Errorf("%d rows loaded, %q", report.RowsLoaded, sheetsOf(report))
	}
	c, err := store.Catalog(t.Context())
	if err != nil || len(c.Snapshots) != 2 {
		t.Errorf("%+v, %v", c.Snapshots, err)
	}
}

// A file without an identifier in common with the fullest is held, and keeps
// nothing else back; through a queue, too.
func TestTogetherWithoutIdentifier(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a_codes.csv": "YEAR,ORISPL,PLNGENAN\n2021,1,5\n", "names.csv": "YEAR,PSTATABB,PNAME,PLNGENAN\n2021,TX,One,7\n2021,TX,Two,8\n",
	})
	for _, queued := range []bool{false, true} {
		store := memstore.New()
		sink := etl.ToLoader(store)
		if queued {
			broker := memqueue.New(nil)
			consume(t, broker, etl.DatabaseHandler(store))
			sink = etl.ToQueue(broker, store)
		}
		for round := range 2 {
			report, err := etl.New(etl.Local(dir), sink, nil).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"a_codes.csv PLNT 2021 1/0/0 held", "names.csv PLNT 2021 2/2/0 published"}
			if round == 1 {
				want[1] = "names.csv PLNT 2021 2/0/0 unchanged"
			}
			if got := sheetsOf(report); !slices.Equal(got, want) || !strings.Contains(report.Files[0].Sheets[0].Reason, "no identifier in common") {
				t.Errorf("queued %t, round %d: got %q, %s; want %q", queued, round, got, report.Files[0].Sheets[0].Reason, want)
			}
		}
		c, err := store.Catalog(t.Context())
		if err != nil || len(c.Snapshots) != 2 {
			t.Errorf("%+v, %v", c.Snapshots, err)
		}
	}
}

// What was published before and is loaded again beside what took its place, which
// it contradicts, is held, and not waited for.
func TestContradictionWithSuperseded(t *testing.T) {
	t.Parallel()
	first, second := "YEAR,SUBRGN,SRNGENAN\n2023,CAMX,5\n", "YEAR,SUBRGN,SRNGENAN\n2023,CAMX,6\n"
	store := memstore.New()
	broker := memqueue.New(nil)
	consume(t, broker, etl.DatabaseHandler(store))
	load := func(o *etl.Options, files map[string]string) etl.Report {
		t.Helper()
		report, err := etl.New(etl.Local(folder(t, files)), etl.ToQueue(broker, store), o).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	load(nil, map[string]string{"a.csv": first})
	load(&etl.Options{Publish: driver.PublishReplace}, map[string]string{"b.csv": second})
	for range 2 {
		report := load(nil, map[string]string{"a.csv": first, "b.csv": second})
		if got, want := sheetsOf(report), []string{"a.csv SRL 2023 1/0/0 held", "b.csv SRL 2023 1/0/0 unchanged"}; !slices.Equal(got, want) {
			t.Errorf("got %q; want %q", got, want)
		}
		alone := load(nil, map[string]string{"a.csv": first})
		if alone.Status != etl.Held || !strings.Contains(alone.Files[0].Sheets[0].Reason, "CAMX: 6 to 5") {
			t.Errorf("alone: %+v", alone)
		}
	}
	back := load(&etl.Options{Publish: driver.PublishReplace}, map[string]string{"a.csv": first})
	c, err := store.Catalog(t.Context())
	if live, ok := c.Published(egrid.SRL, 2023, ""); err != nil || !ok || back.Status != etl.Published || live.Reason != "" || live.Sources[0].Object != "a.csv" {
		t.Errorf("replaced: %+v, %v", c, err)
	}
}

// TestValidateSharesColumns: of thousands of files with the same columns what is
// said of these is kept once.
func TestValidateSharesColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.csv": "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2023,CAMX,100.25,50.5\n",
		"b.csv": "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2023,NYLI,5.5,3\n",
		"c.csv": "YEAR,SUBRGN,SRCO2AN,SRNGENAN\n2023,NWPP,5.5,3\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := etl.New(etl.Local(dir), etl.ToLoader(memstore.New()), nil)
	scanned, err := p.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Validate(t.Context(), scanned)
	if err != nil {
		t.Fatal(err)
	}
	first := func(file int) *sheet.SheetColumn { return &v.Files[file].Sheets[0].Sheet.Cells[0] }
	if first(0) != first(1) {
		t.Error("two files with the same columns keep them twice")
	}
	if c := v.Files[2].Sheets[0].Sheet.Cells; first(0) == first(2) || c[2].Header != "SRCO2AN" {
		t.Errorf("a file with other columns has %+v", c)
	}
}
