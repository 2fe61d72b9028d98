package egridtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// RunDifferential loads random sheets into a store and into memstore, asks
// both random queries, page by page to the end, and puts both through random
// sequences of loads. Every answer, error and report must be the same; sums
// may differ by a billionth. open makes an empty store, which the test closes.
//
// The subtests are named by their seeds, and equal seeds make equal tests.
func RunDifferential(t *testing.T, open func(t *testing.T) driver.Store) {
	const queries, worlds, sequences = 30, 8, 12
	for seed := range worlds {
		t.Run(fmt.Sprintf("Queries/seed=%d", seed), func(t *testing.T) {
			s := seeded(uint64(seed))
			p := newPair(t, open(t), newWorld(s))
			p.fillWorld()
			for i := range queries {
				if i%2 == 0 {
					p.compareRows(p.world.rowQuery())
				} else {
					p.compareGroups(p.world.groupQuery())
				}
			}
		})
	}
	t.Run("Integers", func(t *testing.T) { newPair(t, open(t), newWorld(seeded(0))).integers() })
	for seed := range sequences {
		t.Run(fmt.Sprintf("Loads/seed=%d", seed), func(t *testing.T) {
			s := seeded(uint64(seed) + 1e6)
			newPair(t, open(t), newWorld(s)).loads()
		})
	}
}

// FuzzQueries compares a store with memstore over queries that the fuzzer
// finds. open makes an empty store, which the test closes.
func FuzzQueries(f *testing.F, open func(t testing.TB) driver.Store) {
	p := newPair(f, open(f), newWorld(seeded(4)))
	p.fillWorld()
	for seed := range uint64(16) {
		r := random{state: seed}
		b := make([]byte, 64)
		for i := range b {
			b[i] = byte(r.next())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		w := *p.world
		w.source = &source{bytes: choices, fuzzed: true}
		q := *p
		q.TB, q.ctx, q.world = t, t.Context(), &w
		if w.oneIn(2) {
			q.compareGroups(w.groupQuery())
		} else {
			q.compareRows(w.rowQuery())
		}
	})
}

// pair is a store beside the oracle.
type pair struct {
	testing.TB
	ctx    context.Context
	world  *world
	oracle driver.Store
	tested driver.Store
}

func newPair(t testing.TB, tested driver.Store, w *world) *pair {
	p := &pair{TB: t, ctx: t.Context(), world: w, oracle: memstore.New().Driver(), tested: tested}
	t.Cleanup(func() { _ = errors.Join(p.oracle.Close(), p.tested.Close()) })
	return p
}

// fillWorld loads a few sheets, and merges now and then.
func (p *pair) fillWorld() {
	p.Helper()
	for i := range 1 + p.world.intn(5) {
		s := p.world.sheet(fmt.Sprint("sheet ", i))
		policy := pick(p.world.source, []driver.Policy{driver.PublishReplace, driver.PublishReplace, driver.PublishMerge})
		p.stage(&s)
		for j := range s.chunks {
			p.put(&s, j)
		}
		p.publish(&s, driver.PublishRequest{Policy: policy, Chunks: len(s.chunks), Rows: s.rows})
	}
	p.compareCatalogs()
}

// integers compares large integers with numbers next to them, which a 64-bit
// float cannot tell apart.
func (p *pair) integers() {
	p.Helper()
	field, _ := egrid.Lookup(egrid.GEN, string(egrid.Sequence))
	schema, err := egrid.NewSchema(field)
	if err != nil {
		p.Fatal(err)
	}
	s := sheet{rows: int64(len(integers)), chunks: []driver.Chunk{{}}, spec: driver.SnapshotSpec{
		Level: egrid.GEN, Year: 2023, Schema: schema, Source: egrid.Source{Object: "integers.csv", SHA256: "integers"},
	}}
	builder := egrid.NewBuilder(schema, 2023)
	for i, x := range integers {
		builder.Int(0, x)
		builder.EndRow(int64(i+1), 0)
	}
	s.chunks[0].Rows = builder.Batch()
	p.stage(&s)
	p.put(&s, 0)
	p.publish(&s, driver.PublishRequest{Chunks: 1, Rows: s.rows})
	for _, op := range []egrid.Op{egrid.Eq, egrid.Ne, egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge} {
		for _, x := range integerBounds {
			p.compareRows(egrid.RowQuery{Level: egrid.GEN, Filters: []egrid.Filter{{Column: field.Column, Op: op, Values: []egrid.Value{egrid.NumberOf(x)}}}})
		}
	}
}

// loads puts both stores through a random sequence of calls.
func (p *pair) loads() {
	p.Helper()
	w := p.world
	sheets := make([]sheet, 4)
	for i := range sheets {
		sheets[i] = w.sheet(fmt.Sprint("sheet ", i))
		if i > 0 && w.oneIn(2) { // of the same snapshot as the one before
			sheets[i].spec.Year, sheets[i].spec.Release = sheets[i-1].spec.Year, sheets[i-1].spec.Release //nolint:gosec // G602: i is above 0
			for j := range sheets[i].chunks {
				c := &sheets[i].chunks[j]
				c.Rows = ofYear(c.Rows, sheets[i].spec.Year)
			}
		}
	}
	for range 25 {
		s := &sheets[w.intn(len(sheets))]
		switch w.intn(11) {
		case 0:
			p.stage(s)
		case 1, 2:
			p.put(s, w.intn(len(s.chunks)))
		case 3:
			p.stage(s)
			for j := range s.chunks {
				p.put(s, len(s.chunks)-1-j)
			}
		case 4, 5, 6:
			r := driver.PublishRequest{Chunks: len(s.chunks), Rows: s.rows, Policy: pick(w.source, []driver.Policy{
				"", driver.PublishAuto, driver.PublishReplace, driver.PublishMerge, driver.PublishMerge, driver.PublishHold, "maybe",
			})}
			if w.oneIn(3) { // together with another one, which may be of another data year
				other := &sheets[w.intn(len(sheets))]
				for _, x := range []*sheet{s, other} {
					p.stage(x)
					for j := range x.chunks {
						p.put(x, j)
					}
				}
				r.With = []driver.StagePart{{ID: other.spec.ID(), Chunks: len(other.chunks), Rows: other.rows}}
			}
			if w.oneIn(6) {
				r.Rows++
			}
			p.publish(s, r)
		case 7:
			id := s.spec.ID()
			p.sameError("Discard "+string(id), p.oracle.Discard(p.ctx, id), p.tested.Discard(p.ctx, id))
		case 8, 9:
			p.restore()
		case 10:
			p.prune(driver.PruneRequest{Keep: w.intn(3)})
		}
		p.compareCatalogs()
	}
	for range 5 {
		p.compareRows(w.rowQuery())
		p.compareGroups(w.groupQuery())
	}
}

// ofYear is a batch with another data year.
func ofYear(b *egrid.Batch, year int) *egrid.Batch {
	builder := egrid.NewBuilder(b.Schema(), year)
	for row := range b.Len() {
		for _, c := range b.Lossy() {
			builder.Lossy(b.Schema().Index(c))
		}
		builder.Append(b, row)
	}
	return builder.Batch()
}

func (p *pair) stage(s *sheet) {
	p.Helper()
	want, wantError := p.oracle.Stage(p.ctx, s.spec)
	got, err := p.tested.Stage(p.ctx, s.spec)
	if p.sameError("Stage "+s.spec.Source.SHA256, wantError, err) && got != want {
		p.Fatalf("Stage %s: got %s; want %s", s.spec.Source.SHA256, got, want)
	}
}

func (p *pair) put(s *sheet, chunk int) {
	p.Helper()
	what := fmt.Sprintf("Put %s, chunk %d", s.spec.Source.SHA256, chunk)
	want, wantError := p.oracle.Put(p.ctx, s.spec.ID(), s.chunks[chunk])
	got, err := p.tested.Put(p.ctx, s.spec.ID(), s.chunks[chunk])
	if p.sameError(what, wantError, err) && got != want {
		p.Fatalf("%s: got %+v; want %+v", what, got, want)
	}
}

func (p *pair) publish(s *sheet, r driver.PublishRequest) {
	p.Helper()
	what := fmt.Sprintf("Publish %s %+v", s.spec.Source.SHA256, r)
	want, wantError := p.oracle.Publish(p.ctx, s.spec.ID(), r)
	got, err := p.tested.Publish(p.ctx, s.spec.ID(), r)
	if !p.sameError(what, wantError, err) {
		return
	}
	for _, r := range []*driver.PublishReport{&want, &got} {
		r.Snapshot = timeless(r.Snapshot)
		for i := range r.Apart {
			r.Apart[i].Snapshot = timeless(r.Apart[i].Snapshot)
		}
	}
	p.same(what, want, got)
}

// restore points back to a snapshot of the catalogue, or to one that was pruned.
func (p *pair) restore() {
	p.Helper()
	c, err := p.oracle.Catalog(p.ctx)
	if err != nil {
		p.Fatal(err)
	}
	ids := append(slices.Clone(c.Pruned), "0123456789abcdef01234567")
	for i := range c.Snapshots {
		ids = append(ids, c.Snapshots[i].ID, c.Snapshots[i].ID)
	}
	id := pick(p.world.source, ids)
	want, wantError := p.oracle.Restore(p.ctx, id)
	got, err := p.tested.Restore(p.ctx, id)
	if p.sameError("Restore "+string(id), wantError, err) {
		p.same("Restore "+string(id), timeless(want), timeless(got))
	}
}

func (p *pair) prune(r driver.PruneRequest) {
	p.Helper()
	want, wantError := p.oracle.Prune(p.ctx, r)
	got, err := p.tested.Prune(p.ctx, r)
	if !p.sameError(fmt.Sprintf("Prune %+v", r), wantError, err) {
		return
	}
	p.same(fmt.Sprintf("Prune %+v", r), idsOf(want), idsOf(got))
}

// timeless removes what two stores cannot agree on.
func timeless(s egrid.Snapshot) egrid.Snapshot {
	s.LoadedAt, s.DecidedAt = time.Time{}, time.Time{}
	return s
}

func (p *pair) compareCatalogs() {
	p.Helper()
	want, wantError := p.oracle.Catalog(p.ctx)
	got, err := p.tested.Catalog(p.ctx)
	if !p.sameError("Catalog", wantError, err) {
		return
	}
	for _, c := range []*egrid.Catalog{&want, &got} {
		c.Snapshots = slices.Clone(c.Snapshots)
		for i := range c.Snapshots {
			c.Snapshots[i] = timeless(c.Snapshots[i])
		}
	}
	p.same("Catalog", want, got)
}

// same compares as JSON, in which an empty list is as good as none.
func (p *pair) same(what string, want, got any) {
	p.Helper()
	if d := difference("", plain(want), plain(got)); d != "" {
		p.Fatalf("%s: %s", what, d)
	}
}

// difference finds the first place where two JSON trees differ.
func difference(path string, want, got any) string {
	switch a := want.(type) {
	case map[string]any:
		if b, ok := got.(map[string]any); ok && len(a) == len(b) {
			for k := range a {
				if d := difference(path+"."+k, a[k], b[k]); d != "" {
					return d
				}
			}
			return ""
		}
	case []any:
		if b, ok := got.([]any); ok && len(a) == len(b) {
			for i := range a {
				if d := difference(fmt.Sprintf("%s[%d]", path, i), a[i], b[i]); d != "" {
					return d
				}
			}
			return ""
		}
	}
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("%s\n got %s\nwant %s", path, asJSON(got), asJSON(want))
}

func plain(x any) any {
	var tree any
	if err := json.Unmarshal(asJSON(x), &tree); err != nil {
		panic(err) // it was written just now
	}
	return withoutEmpty(tree)
}

func withoutEmpty(x any) any {
	switch x := x.(type) {
	case map[string]any:
		for k, v := range x {
			if v = withoutEmpty(v); v == nil {
				delete(x, k)
			} else {
				x[k] = v
			}
		}
	case []any:
		if len(x) == 0 {
			return nil
		}
		for i := range x {
			x[i] = withoutEmpty(x[i])
		}
	}
	return x
}

func asJSON(x any) []byte {
	b, err := json.Marshal(x)
	if err != nil {
		panic(err) // plain data
	}
	return b
}

// sameError reports whether both calls succeeded; they must fail alike.
func (p *pair) sameError(what string, want, got error) bool {
	p.Helper()
	for _, sentinel := range []error{egrid.ErrNotFound, egrid.ErrInvalid, egrid.ErrStale, egrid.ErrIncomplete, egrid.ErrClosed} {
		if errors.Is(want, sentinel) != errors.Is(got, sentinel) {
			p.Fatalf("%s:\n got error %v\nwant error %v", what, got, want)
		}
	}
	if (want == nil) != (got == nil) {
		p.Fatalf("%s:\n got error %v\nwant error %v", what, got, want)
	}
	return want == nil
}

// smallPages is how many pages of the query's own size a walk takes before it
// asks for the rest in larger ones, as cursors allow.
const (
	smallPages = 4
	restPage   = 400
)

func (p *pair) compareRows(q egrid.RowQuery) {
	p.Helper()
	what := fmt.Sprintf("Rows %s", asJSON(q))
	wantQuery, gotQuery := q, q
	for page := 1; ; page++ {
		want, wantError := store.New(p.oracle).Rows(p.ctx, wantQuery)
		got, err := store.New(p.tested).Rows(p.ctx, gotQuery)
		if !p.sameError(what, wantError, err) {
			return
		}
		p.comparePages(what, want, got, nil)
		for i := range want.Len() {
			if a, b := want.Row(i), got.Row(i); a.Year() != b.Year() || a.Number() != b.Number() {
				p.Fatalf("%s:\n got row %d of %d\nwant row %d of %d", what, b.Number(), b.Year(), a.Number(), a.Year())
			}
		}
		if want.Next == "" {
			return
		}
		wantQuery.Cursor, gotQuery.Cursor = want.Next, got.Next
		if page == smallPages {
			wantQuery.Limit, gotQuery.Limit = restPage, restPage
		}
	}
}

func (p *pair) compareGroups(q egrid.GroupQuery) {
	p.Helper()
	what := fmt.Sprintf("Groups %s", asJSON(q))
	sums := map[int]bool{}
	for i, m := range q.Measures {
		sums[len(q.By)+i] = m.Func == egrid.Sum
	}
	wantQuery, gotQuery := q, q
	for page := 1; ; page++ {
		want, wantError := store.New(p.oracle).Groups(p.ctx, wantQuery)
		got, err := store.New(p.tested).Groups(p.ctx, gotQuery)
		if !p.sameError(what, wantError, err) {
			return
		}
		p.comparePages(what, want, got, sums)
		if want.Next == "" {
			return
		}
		wantQuery.Cursor, gotQuery.Cursor = want.Next, got.Next
		if page == smallPages {
			wantQuery.Limit, gotQuery.Limit = restPage, restPage
		}
	}
}

func (p *pair) comparePages(what string, want, got egrid.RowPage, sums map[int]bool) {
	p.Helper()
	if !slices.Equal(want.Schema().Columns(), got.Schema().Columns()) {
		p.Fatalf("%s:\n got columns %v\nwant columns %v", what, got.Schema().Columns(), want.Schema().Columns())
	}
	if want.Total != got.Total || want.Revision != got.Revision || want.Len() != got.Len() || (want.Next == "") != (got.Next == "") {
		p.Fatalf("%s:\n got %d rows of %d at revision %d, next %q\nwant %d rows of %d at revision %d, next %q", what,
			got.Len(), got.Total, got.Revision, got.Next, want.Len(), want.Total, want.Revision, want.Next)
	}
	for i := range want.Len() {
		for j := range want.Schema().Len() {
			a, b := want.Row(i).At(j), got.Row(i).At(j)
			if a.Type() == b.Type() && a.Compare(b) == 0 || sums[j] && p.near(a, b) {
				continue
			}
			p.Fatalf("%s:\nrow %d, %s: got %s %s; want %s %s", what, i, want.Schema().Field(j).Column, b.Type(), asJSON(b), a.Type(), asJSON(a))
		}
	}
}

// near allows for what the order of adding does to a sum.
func (p *pair) near(a, b egrid.Value) bool {
	x, xok := a.Float()
	y, yok := b.Float()
	return xok && yok && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))+1e-24*p.world.largest
}
