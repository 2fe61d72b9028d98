package httpapi

import (
	"context"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// totals remembers how many rows lists have in all, so that who walks one page
// by page has it counted once. Counts are of one revision; a newer one begins
// anew.
type totals struct {
	mu       sync.Mutex
	revision int64
	counts   map[string]int64
}

// maxTotals bounds the counts that are remembered.
const maxTotals = 10_000

func (t *totals) get(revision int64, list string) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.counts[list]
	return n, ok && revision == t.revision
}

func (t *totals) put(revision int64, list string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if revision < t.revision {
		return
	}
	if revision > t.revision || len(t.counts) >= maxTotals {
		t.counts = nil
	}
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.revision = revision
	t.counts[list] = n
}

// page reads the page of a list that a JSON answer shows, its total and its
// facets.
func (in *request) page(ctx context.Context, ans *answer) (egrid.RowPage, Meta, error) {
	limit := in.number("limit")
	if limit == 0 {
		limit = ans.fallback
	}
	cursor, list := in.text("cursor"), in.list()
	total, known := int64(0), false
	if cursor != "" { // the first page of a list that is asked for again is kept whole
		total, known = in.totals.get(in.revision, list)
	}
	page, meta, err := ans.rows(ctx, limit, cursor, in.wantsCount() && !known)
	if err != nil {
		return page, meta, err
	}
	switch {
	case known && in.wantsCount():
		page.Total = total
	case page.Total >= 0:
		in.totals.put(page.Revision, list, page.Total)
	}
	err = in.addFacets(ctx, ans, &meta)
	return page, meta, err
}

// list names the list that a page is of: what was asked, without what chooses
// the page and what is shown of it.
func (in *request) list() string {
	query := in.http.URL.Query()
	for _, name := range []string{"cursor", "limit", "sort", "columns", "format", "count", facetName} {
		query.Del(name)
	}
	return in.http.URL.Path + "?" + query.Encode()
}
