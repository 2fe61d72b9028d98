// Package memstore keeps eGRID data in memory: a test double for programs that
// use a store, and the one that other stores are tested against. It is short
// enough to be read as the definition of what a load means.
//
//	backend := memstore.New()
//	report, err := store.Load(ctx, backend, file, nil)
//	page, err := store.New(backend).Rows(ctx, egrid.RowQuery{Level: egrid.GEN})
//
// Start with [New], and with store.Load to fill it.
//
// # Guarantees
//
// A store is safe for concurrent use. Nothing outlives the process. Snapshots
// that were published before stay until they are pruned, ten for each level,
// data year and release.
//
// # Errors
//
// As [driver.Scanner], [driver.Loader] and [driver.History] say, and
// [egrid.ErrClosed] after Close.
//
// # See also
//
// Packages sqlitestore, pgstore and egridtest.
package memstore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
	"github.com/egrid-analytics/egrid-go/internal/lead"
)

const (
	keep       = 10   // superseded snapshots of an edition that stay
	tombstones = 1000 // ids of pruned snapshots that are remembered
)

// Store plays every role of [driver.Store] in memory.
type Store struct {
	mu       sync.RWMutex
	closed   bool
	revision int64
	stages   map[egrid.StageID]*stage // on their way in, or held
	kept     []*snapshot              // published and superseded
	pruned   []egrid.SnapshotID
	failures map[string]*failures // by kind

	runs      []keptRun // the newest first
	schedules map[string]driver.ScheduleState
	leaders   lead.Leaders
}

var (
	_ driver.Scanner = (*Store)(nil)
	_ driver.Loader  = (*Store)(nil)
	_ driver.History = (*Store)(nil)
)

// snapshot is published data, or was. Its rows never change.
type snapshot struct {
	egrid.Snapshot
	rows  func(context.Context) ([]*egrid.Batch, error)
	table func(context.Context) (*engine.Table, error) // of all columns, made when they are first asked for
	since time.Time                                    // when it was superseded

	outline *driver.Outline // nil when it is not known
}

func newSnapshot(s egrid.Snapshot, rows func(context.Context) ([]*egrid.Batch, error)) *snapshot {
	return &snapshot{Snapshot: s, rows: rows, table: once(func(ctx context.Context) (*engine.Table, error) {
		batches, err := rows(ctx)
		if err != nil {
			return nil, err
		}
		return engine.NewTable(batches, s.Schema.Columns()), nil
	})}
}

// once keeps what a function returned when it succeeded.
func once[T any](f func(context.Context) (T, error)) func(context.Context) (T, error) {
	var mu sync.Mutex
	var kept T
	done := false
	return func(ctx context.Context) (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return kept, nil
		}
		made, err := f(ctx)
		if err == nil {
			kept, done = made, true
		}
		return made, err
	}
}

// stage is data on its way in.
type stage struct {
	spec    driver.SnapshotSpec
	chunks  map[int]*egrid.Batch
	tallies map[int]driver.Tally
	held    *egrid.Snapshot // set once it was audited and kept back
}

func (st *stage) outline() *driver.Outline {
	return driver.OutlineOf(slices.Collect(maps.Values(st.tallies)))
}

// rows are those of all chunks, in their order.
func (st *stage) rows(context.Context) ([]*egrid.Batch, error) { return st.sorted(), nil }

func (st *stage) sorted() []*egrid.Batch {
	rows := slices.Collect(maps.Values(st.chunks))
	slices.SortFunc(rows, func(a, b *egrid.Batch) int {
		if a.Len() == 0 || b.Len() == 0 {
			return cmp.Compare(a.Len(), b.Len())
		}
		return cmp.Compare(a.Number(0), b.Number(0))
	})
	return rows
}

// New returns an empty store.
func New() *Store {
	return &Store{stages: map[egrid.StageID]*stage{}, failures: map[string]*failures{}, schedules: map[string]driver.ScheduleState{}}
}

// Over returns a store that has what another one has published, and keeps for
// itself what is loaded into it: so a load can be tried that changes nothing. It
// reads rows of the other store when they are asked for; failures it does not copy.
// Errors: those of the other store's Catalog.
func Over(ctx context.Context, base driver.Scanner) (*Store, error) {
	c, err := base.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	s := New()
	s.revision, s.pruned = c.Revision, c.Pruned
	for _, snap := range c.Snapshots {
		if snap.Status == egrid.Held {
			continue
		}
		s.kept = append(s.kept, newSnapshot(snap, once(func(ctx context.Context) ([]*egrid.Batch, error) {
			var rows []*egrid.Batch
			for b, err := range driver.ReadSnapshot(ctx, base, snap) {
				if err != nil {
					return nil, err
				}
				rows = append(rows, b)
			}
			return rows, nil
		})))
	}
	return s, nil
}

// Driver returns the store in all of its roles.
func (s *Store) Driver() driver.Store {
	return driver.Store{Scanner: s, Loader: s, History: s, FailureLog: s, RunLog: s, Schedules: s, Closer: s}
}

// Close drops everything. Later calls return [egrid.ErrClosed].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.stages, s.kept, s.failures = true, nil, nil, nil
	return nil
}

// Catalog implements [driver.Scanner].
func (s *Store) Catalog(context.Context) (egrid.Catalog, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return egrid.Catalog{}, egrid.ErrClosed
	}
	return s.catalog(), nil
}

func (s *Store) catalog() egrid.Catalog {
	c := egrid.Catalog{Revision: s.revision, Pruned: slices.Clone(s.pruned)}
	for _, snap := range s.kept {
		c.Snapshots = append(c.Snapshots, snap.Snapshot)
	}
	for _, st := range s.stages {
		if st.held != nil {
			c.Snapshots = append(c.Snapshots, *st.held)
		}
	}
	driver.Seal(&c)
	return c
}

// Scan implements [driver.Scanner].
func (s *Store) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		tables, err := s.tables(ctx, p)
		if err != nil {
			yield(nil, err)
			return
		}
		engine.Scan(ctx, p, func(snap egrid.Snapshot) *engine.Table { return tables[snap.ID] })(yield)
	}
}

func (s *Store) tables(ctx context.Context, p *driver.Plan) (map[egrid.SnapshotID]*engine.Table, error) {
	tables := make(map[egrid.SnapshotID]*engine.Table, len(p.Snapshots))
	for i := range p.Snapshots {
		id := p.Snapshots[i].ID
		table, err := s.table(id)
		if err == nil {
			tables[id], err = table(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return tables, nil
}

func (s *Store) table(id egrid.SnapshotID) (func(context.Context) (*engine.Table, error), error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, egrid.ErrClosed
	}
	snap := s.find(id)
	switch {
	case snap != nil:
		return snap.table, nil
	case slices.Contains(s.pruned, id):
		return nil, fmt.Errorf("%w: snapshot %s was pruned; ask for what is published now", egrid.ErrStale, id)
	}
	for _, st := range s.stages {
		if st.held != nil && st.held.ID == id {
			rows := st.sorted()
			return newSnapshot(*st.held, func(context.Context) ([]*egrid.Batch, error) { return rows, nil }).table, nil
		}
	}
	return nil, fmt.Errorf("%w: no snapshot %s is here", egrid.ErrNotFound, id)
}

func (s *Store) find(id egrid.SnapshotID) *snapshot {
	i := slices.IndexFunc(s.kept, func(snap *snapshot) bool { return snap.ID == id })
	if i < 0 {
		return nil
	}
	return s.kept[i]
}

// settled finds the kept snapshot that a stage became.
func (s *Store) settled(id egrid.StageID) *snapshot {
	i := slices.IndexFunc(s.kept, func(snap *snapshot) bool { return snap.Stage == id })
	if i < 0 {
		return nil
	}
	return s.kept[i]
}

// Stage implements [driver.Loader].
func (s *Store) Stage(_ context.Context, spec driver.SnapshotSpec) (egrid.StageID, error) {
	if err := spec.Check(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", egrid.ErrClosed
	}
	id := spec.ID()
	if s.stages[id] == nil && s.settled(id) == nil && !driver.NeedsNoStage(s.catalog(), id) {
		s.stages[id] = &stage{spec: spec, chunks: map[int]*egrid.Batch{}, tallies: map[int]driver.Tally{}}
	}
	return id, nil
}

// Put implements [driver.Loader].
func (s *Store) Put(_ context.Context, id egrid.StageID, c driver.Chunk) (driver.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return driver.Change{}, egrid.ErrClosed
	}
	if s.settled(id) != nil {
		return driver.Change{Duplicate: true}, nil
	}
	st := s.stages[id]
	if st == nil && driver.NeedsNoStage(s.catalog(), id) {
		return driver.Change{Duplicate: true}, nil
	}
	if st == nil {
		return driver.Change{}, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	if err := c.Check(&st.spec); err != nil {
		return driver.Change{}, err
	}
	if _, have := st.tallies[c.Index]; have {
		return driver.Change{Duplicate: true}, nil
	}
	st.chunks[c.Index], st.tallies[c.Index] = c.Rows, driver.TallyOf(c)
	return driver.Change{Rows: int64(c.Rows.Len())}, nil
}

// Discard implements [driver.Loader].
func (s *Store) Discard(_ context.Context, id egrid.StageID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return egrid.ErrClosed
	}
	if s.stages[id] == nil {
		return fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	delete(s.stages, id)
	return nil
}

// Publish implements [driver.Loader].
func (s *Store) Publish(ctx context.Context, id egrid.StageID, r driver.PublishRequest) (driver.PublishReport, error) {
	policy, err := driver.ParsePolicy(string(r.Policy))
	if err != nil {
		return driver.PublishReport{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return driver.PublishReport{}, egrid.ErrClosed
	}
	var staged []egrid.Snapshot
	for _, part := range r.Stages(id) {
		snap, err := s.describe(ctx, part, r)
		if err != nil {
			return driver.Settled(s.catalog(), id, r, err)
		}
		staged = append(staged, snap)
	}
	report, err := driver.Settle(ctx, (*shelf)(s), s.catalog(), staged, policy)
	if err != nil || report.Status != egrid.Published {
		return report, err
	}
	to := s.settled(report.Snapshot.Stage)
	if to == nil {
		st := s.stages[report.Snapshot.Stage]
		delete(s.stages, report.Snapshot.Stage)
		to = newSnapshot(report.Snapshot, st.rows)
		to.outline = st.outline()
		s.kept = append(s.kept, to)
	}
	s.point(to)
	s.prune(driver.PruneRequest{Keep: keep})
	report.Snapshot = to.Snapshot
	return report, nil
}

// describe is what a stage would be as a snapshot. One that was published is a
// snapshot already, and so is one that is held.
func (s *Store) describe(ctx context.Context, part driver.StagePart, r driver.PublishRequest) (egrid.Snapshot, error) {
	st := s.stages[part.ID]
	if st == nil {
		if snap := s.settled(part.ID); snap != nil {
			return snap.Snapshot, nil
		}
		if snap, ok := driver.Stand(s.catalog(), part.ID, r); ok {
			return snap, nil
		}
		return egrid.Snapshot{}, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, part.ID)
	}
	var tallies []driver.Tally
	for _, index := range slices.Sorted(maps.Keys(st.chunks)) {
		tallies = append(tallies, st.tallies[index])
	}
	snap := driver.NewSnapshot(part.ID, st.spec)
	driver.Describe(&snap, tallies)
	if err := part.Check(st.held != nil, len(tallies), snap.Rows); err != nil {
		return snap, err
	}
	if st.held != nil {
		return driver.Again(*st.held), nil
	}
	rows, err := st.rows(ctx)
	snap.Audits = append(snap.Audits, driver.Duplicates(driver.Part{Snapshot: snap, Batches: rows})...)
	return snap, err
}

// shelf is the store, for whoever settles stages while it is locked.
type shelf Store

// Open implements [driver.Shelf].
func (s *shelf) Open(ctx context.Context, snap *egrid.Snapshot) (driver.Sheet, error) {
	id := snap.Stage
	if known, ok := driver.Known((*Store)(s).catalog(), id); ok && s.stages[id] == nil {
		id = known.Stage
	}
	st, kept := s.stages[id], (*Store)(s).settled(id)
	var rows []*egrid.Batch
	var outline *driver.Outline
	var err error
	switch {
	case st != nil:
		rows, err = st.rows(ctx)
		outline = st.outline()
	case kept != nil:
		rows, err = kept.rows(ctx)
		outline = kept.outline
	default:
		err = fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, snap.Stage)
	}
	return driver.Sheet{
		Outline: outline,
		Rows: func(after, last int64) iter.Seq2[*egrid.Batch, error] {
			return driver.UpTo(last, behind(after, rows))
		},
		Some: func(numbers []int64) iter.Seq2[*egrid.Batch, error] { return some(numbers, rows) },
	}, err
}

// some yields the rows that have one of the numbers.
func some(numbers []int64, rows []*egrid.Batch) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		for _, b := range rows {
			var places []int
			for i := range b.Len() {
				if _, found := slices.BinarySearch(numbers, b.Number(i)); found {
					places = append(places, i)
				}
			}
			if len(places) > 0 && !yield(b.Select(places), nil) {
				return
			}
		}
	}
}

// behind yields the rows whose numbers are above one.
func behind(after int64, rows []*egrid.Batch) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		for _, b := range rows {
			n := sort.Search(b.Len(), func(i int) bool { return b.Number(i) > after })
			if n < b.Len() && !yield(b.Slice(n, b.Len()), nil) {
				return
			}
		}
	}
}

// Write implements [driver.Shelf].
func (s *shelf) Write(_ context.Context, p *driver.Part) error {
	st := &stage{
		spec:   driver.SnapshotSpec{Level: p.Level, Year: p.Year, Release: p.Release, Schema: p.Schema},
		chunks: map[int]*egrid.Batch{}, tallies: map[int]driver.Tally{},
	}
	for i, b := range p.Batches {
		st.chunks[i], st.tallies[i] = b, driver.TallyOf(driver.Chunk{Rows: b})
	}
	s.stages[p.Stage] = st
	return nil
}

// Record implements [driver.Shelf].
func (s *shelf) Record(_ context.Context, snap *egrid.Snapshot) error {
	if snap.Status == egrid.Held {
		s.stages[snap.Stage].held = snap
	} else if kept := (*Store)(s).settled(snap.Stage); kept != nil {
		kept.Snapshot = *snap
	}
	return nil
}

// Drop implements [driver.Shelf].
func (s *shelf) Drop(_ context.Context, id egrid.StageID) error {
	delete(s.stages, id)
	return nil
}

// live is what is published in the place of a snapshot; nil for nothing.
func (s *Store) live(of *egrid.Snapshot) *snapshot {
	i := slices.IndexFunc(s.kept, func(x *snapshot) bool {
		return x.Status == egrid.Published && x.Level == of.Level && x.Year == of.Year && x.Release == of.Release
	})
	if i < 0 {
		return nil
	}
	return s.kept[i]
}

// point makes a kept snapshot the published one.
func (s *Store) point(to *snapshot) {
	if was := s.live(&to.Snapshot); was != nil {
		was.Status, was.since = egrid.Superseded, time.Now()
	}
	s.revision++
	to.Status, to.Reason, to.Choices, to.Revision = egrid.Published, "", nil, s.revision
	s.pruned = slices.DeleteFunc(s.pruned, func(id egrid.SnapshotID) bool { return id == to.ID })
}

// Restore implements [driver.History].
func (s *Store) Restore(_ context.Context, id egrid.SnapshotID) (egrid.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return egrid.Snapshot{}, egrid.ErrClosed
	}
	snap := s.find(id)
	if snap == nil {
		return egrid.Snapshot{}, fmt.Errorf("%w: no snapshot %s was published here, or it was pruned", egrid.ErrNotFound, id)
	}
	if snap.Status != egrid.Published {
		s.point(snap)
	}
	return snap.Snapshot, nil
}

// Prune implements [driver.History].
func (s *Store) Prune(_ context.Context, r driver.PruneRequest) ([]egrid.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, egrid.ErrClosed
	}
	return s.prune(r), nil
}

func (s *Store) prune(r driver.PruneRequest) []egrid.Snapshot {
	expired := driver.Expired(s.catalog(), r, time.Now(), func(x egrid.Snapshot) time.Time { return s.find(x.ID).since })
	for _, x := range expired {
		s.kept = slices.DeleteFunc(s.kept, func(snap *snapshot) bool { return snap.ID == x.ID })
		s.pruned = append(s.pruned, x.ID)
	}
	s.pruned = slices.Clone(s.pruned[max(len(s.pruned)-tombstones, 0):])
	return expired
}
