package httpapi

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// data is the state of the data that a request is answered from: the catalogue
// is asked for once.
type data struct {
	db      *store.DB
	catalog egrid.Catalog
}

// identity tells states apart. The catalogue's id alone would do for the rows; a
// store that was restored may count revisions anew, and those are told, too.
func (d data) identity() string {
	return d.catalog.ID + "." + strconv.FormatInt(d.catalog.Revision, 10)
}

type dataKey struct{}

// dataOf returns the data of a request, which whoever looked for a kept answer
// has read already.
func (a *api) dataOf(r *http.Request) (data, error) {
	if d, ok := r.Context().Value(dataKey{}).(data); ok {
		return d, nil
	}
	return read(r.Context(), a.db)
}

func read(ctx context.Context, db *store.DB) (d data, err error) {
	if d.db, err = db.Now(ctx); err == nil {
		d.catalog, err = d.db.Catalog(ctx)
	}
	return d, err
}

// totals is a scanner that remembers how many rows answers have in all, so that
// who walks one page by page has it counted once. A plan names its snapshots, so a
// count stays true.
type totals struct {
	driver.Scanner

	mu     sync.Mutex
	counts map[string]*egrid.Batch
}

// maxTotals bounds the counts that are remembered.
const maxTotals = 10_000

// Scan implements [driver.Scanner].
func (t *totals) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	if !p.Count {
		return t.Scanner.Scan(ctx, p)
	}
	return func(yield func(*egrid.Batch, error) bool) {
		key := string(p.Key())
		if count := t.get(key); count != nil {
			yield(count, nil)
			return
		}
		for count, err := range t.Scanner.Scan(ctx, p) {
			if err == nil {
				t.put(key, count)
			}
			if !yield(count, err) {
				return
			}
		}
	}
}

func (t *totals) get(key string) *egrid.Batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[key]
}

func (t *totals) put(key string, count *egrid.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil || len(t.counts) >= maxTotals {
		t.counts = map[string]*egrid.Batch{}
	}
	t.counts[key] = count
}
