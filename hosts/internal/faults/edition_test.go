package faults_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sqlitestore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

const year = 2023

// edition is the files of a data year, and what a store answers when it has
// loaded them.
type edition struct {
	dir    string
	sheets map[domain.Level]string // every row of a level, sorted
	asks   map[domain.Level]domain.GroupQuery
	facts  map[domain.Level]count // what they answer
}

// newEdition writes the files, and loads them into an embedded store.
func newEdition(name string, seed uint64, plants int) (edition, error) {
	ctx := context.Background()
	e := edition{dir: filepath.Join(folder, name), sheets: map[domain.Level]string{}, asks: map[domain.Level]domain.GroupQuery{}, facts: map[domain.Level]count{}}
	if err := build(); err != nil {
		return e, err
	}
	if _, err := egridtest.NewSample(&egridtest.SampleOptions{Seed: seed, Plants: plants, Year: year}).WriteFolder(e.dir); err != nil {
		return e, err
	}
	file := filepath.Join(folder, name+".db")
	if _, err := egrid(ctx, "load", "--store", "sqlite:"+file, e.dir); err != nil {
		return e, err
	}
	backend, err := sqlitestore.Open(ctx, file, nil)
	if err != nil {
		return e, err
	}
	defer backend.Close()
	db := store.New(backend)
	for _, level := range levels() {
		if e.sheets[level], err = printedRows(ctx, "sqlite:"+file, level); err != nil {
			return e, err
		}
		if e.asks[level], err = question(ctx, db, level); err != nil {
			return e, err
		}
		if e.facts[level], err = ask(ctx, db, e.asks[level]); err != nil {
			return e, err
		}
	}
	return e, nil
}

// pair is two editions of the same year and release: the one that is published
// before a load, and the one that is loaded.
type pair struct{ old, new edition }

func newPair(name string, plants int) func() (pair, error) {
	return sync.OnceValues(func() (p pair, err error) {
		if p.old, err = newEdition(name+"-old", 1, plants); err == nil {
			p.new, err = newEdition(name+"-new", 2, plants)
		}
		return p, err
	})
}

// Loads of these take seconds and about one second.
var (
	large = newPair("large", 700)
	small = newPair("small", 30)
)

// printedRows is every row of a level, by the command line.
func printedRows(ctx context.Context, store string, level domain.Level) (string, error) {
	out, err := egrid(ctx, "rows", "--store", store, "--level", string(level), "--year", strconv.Itoa(year), "--limit", "0", "--format", "csv")
	return sorted(out), err
}

// rows is the same without a process of its own.
func rows(ctx context.Context, db *store.DB, level domain.Level) (string, error) {
	answer, err := db.Stream(ctx, domain.RowQuery{Level: level, Year: year})
	if err != nil {
		return "", err
	}
	text := answer.Schema.AppendCSVHeader(nil, false)
	for b, err := range answer.Batches {
		if err != nil {
			return "", err
		}
		for i := range b.Len() {
			text = b.AppendCSV(text, i)
		}
	}
	// The command ends its records as a terminal does. No text of a sample has a line end.
	return sorted(strings.ReplaceAll(string(text), "\r\n", "\n")), nil
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// count is how many rows a level has, and the sums of some columns.
type count []float64

// same allows for the order in which a database adds.
func (c count) same(d count) bool {
	return slices.EqualFunc(c, d, func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Abs(x) })
}

// question asks for the number of a level's rows and the sums of some columns,
// in one answer.
func question(ctx context.Context, q *store.DB, level domain.Level) (domain.GroupQuery, error) {
	query := domain.GroupQuery{Level: level, Year: year, Measures: []domain.Measure{{Func: domain.Count}}}
	page, err := q.Rows(ctx, domain.RowQuery{Level: level, Year: year, Limit: 1})
	if err != nil {
		return query, err
	}
	for _, f := range page.Schema().Fields() {
		if f.Type == domain.Number && len(query.Measures) < 4 {
			query.Measures = append(query.Measures, domain.Measure{Func: domain.Sum, Column: f.Column})
		}
	}
	return query, nil
}

func ask(ctx context.Context, q *store.DB, query domain.GroupQuery) (count, error) {
	page, err := q.Groups(ctx, query)
	if err != nil {
		return nil, err
	}
	var c count
	for _, v := range page.Row(0).Values() {
		x, _ := v.Float() // 0 for a sum of nothing
		c = append(c, x)
	}
	return c, nil
}

// reader asks for facts again and again while something else goes on.
type reader struct {
	stop     context.CancelFunc
	done     sync.WaitGroup
	harmless atomic.Bool // errors are no wonder
	seen     [2]int      // answers that were old and new
	failed   int
	wrong    []string
}

// watch starts a reader. forward is whether nothing old may come behind
// something new.
func watch(ctx context.Context, q *store.DB, p pair, forward bool, pause time.Duration) *reader {
	ctx, stop := context.WithCancel(ctx)
	r := &reader{stop: stop}
	r.done.Go(func() {
		isNew := map[domain.Level]bool{}
		for {
			for _, level := range levels() {
				got, err := ask(ctx, q, p.old.asks[level])
				switch {
				case ctx.Err() != nil:
					return
				case err != nil && r.harmless.Load():
					r.failed++
				case err != nil:
					r.wrong = append(r.wrong, fmt.Sprint(level, ": ", err))
				case got.same(p.new.facts[level]):
					r.seen[1]++
					isNew[level] = true
				case got.same(p.old.facts[level]) && !(forward && isNew[level]):
					r.seen[0]++
				default:
					r.wrong = append(r.wrong, fmt.Sprintf("%s: %v is neither %v nor %v, or comes late", level, got, p.old.facts[level], p.new.facts[level]))
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
	return r
}

// halt stops the reader.
func (r *reader) halt() {
	r.stop()
	r.done.Wait()
}

// end stops the reader and says what it saw.
func (r *reader) end(t *testing.T) {
	t.Helper()
	r.halt()
	t.Logf("readers saw %d answers of the old edition and %d of the new one; %d failed", r.seen[0], r.seen[1], r.failed)
	if len(r.wrong) > 0 {
		t.Errorf("%d answers were wrong, the first: %s", len(r.wrong), r.wrong[0])
	}
	if r.seen[0] == 0 {
		t.Error("nobody saw the old edition")
	}
}

// levels are those of which two editions have other rows: a crosswalk of ZIP codes
// has the same in all.
func levels() []domain.Level {
	return slices.DeleteFunc(egridtest.SampleLevels(), func(l domain.Level) bool { return l == domain.ZIP })
}

// TestFaultComparison shows that the comparison sees what it should: two
// editions differ at every level.
func TestFaultComparison(t *testing.T) {
	testenv.Server(t, "EGRID_TEST_POSTGRES")
	p, err := large()
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range levels() {
		if p.old.sheets[level] == p.new.sheets[level] || p.old.facts[level].same(p.new.facts[level]) {
			t.Errorf("%s is the same in both editions", level)
		}
	}
}
