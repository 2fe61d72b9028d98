// Package memstore keeps eGRID data in memory: a test double for programs that
// use a store, and the one that other stores are tested against. It is short
// enough to be read as the definition of what a load means.
//
//	backend := memstore.New()
//	report, err := store.Load(ctx, backend, file, nil)
//	page, err := store.New(backend).Rows(ctx, egrid.RowQuery{Level: egrid.GEN})
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
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
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
}

var (
	_ driver.Scanner = (*Store)(nil)
	_ driver.Loader  = (*Store)(nil)
	_ driver.History = (*Store)(nil)
)

// snapshot is published data, or was. Its rows never change.
type snapshot struct {
	egrid.Snapshot
	rows  []*egrid.Batch
	table func() *engine.Table // of all columns, made when they are first asked for
	since time.Time            // when it was superseded
}

func newSnapshot(s egrid.Snapshot, rows []*egrid.Batch) *snapshot {
	return &snapshot{Snapshot: s, rows: rows, table: sync.OnceValue(func() *engine.Table {
		return engine.NewTable(rows, s.Schema.Columns())
	})}
}

// stage is data on its way in.
type stage struct {
	spec    driver.SnapshotSpec
	chunks  map[int]*egrid.Batch
	tallies map[int]driver.Tally
	held    *egrid.Snapshot // set once it was audited and kept back
}

// New returns an empty store.
func New() *Store {
	return &Store{stages: map[egrid.StageID]*stage{}, failures: map[string]*failures{}}
}

// Driver returns the store in all of its roles.
func (s *Store) Driver() driver.Store {
	return driver.Store{Scanner: s, Loader: s, History: s, FailureLog: s, Closer: s}
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
		tables, err := s.tables(p)
		if err != nil {
			yield(nil, err)
			return
		}
		engine.Scan(ctx, p, func(snap egrid.Snapshot) *engine.Table { return tables[snap.ID] })(yield)
	}
}

func (s *Store) tables(p *driver.Plan) (map[egrid.SnapshotID]*engine.Table, error) {
	tables := make(map[egrid.SnapshotID]*engine.Table, len(p.Snapshots))
	for i := range p.Snapshots {
		table, err := s.table(p.Snapshots[i].ID)
		if err != nil {
			return nil, err
		}
		tables[p.Snapshots[i].ID] = table()
	}
	return tables, nil
}

func (s *Store) table(id egrid.SnapshotID) (func() *engine.Table, error) {
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
	return nil, fmt.Errorf("%w: no snapshot %s was published here", egrid.ErrNotFound, id)
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
	if s.stages[id] == nil && s.settled(id) == nil {
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
func (s *Store) Publish(_ context.Context, id egrid.StageID, r driver.PublishRequest) (driver.PublishReport, error) {
	policy, err := driver.ParsePolicy(string(r.Policy))
	if err != nil {
		return driver.PublishReport{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return driver.PublishReport{}, egrid.ErrClosed
	}
	staged := s.settled(id)
	st := s.stages[id]
	switch {
	case st != nil:
		if staged, err = st.audit(id, r); err != nil {
			return driver.PublishReport{}, err
		}
	case staged == nil:
		return driver.PublishReport{}, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	live := s.live(&staged.Snapshot)
	status, reason := driver.Decide(policy, staged.Snapshot, liveSnapshot(live))
	switch {
	case status == egrid.Held:
		held := staged.Snapshot
		held.Status, held.Reason = status, reason
		if st != nil {
			st.held = &held
		}
		return driver.PublishReport{Status: status, Reason: reason, Snapshot: held}, nil
	case status == egrid.Published && policy == driver.PublishMerge && live != nil:
		if staged, err = merge(live, staged); err != nil {
			return driver.PublishReport{}, err
		}
	}
	delete(s.stages, id)
	merged := staged.Stage != id
	if same := s.find(staged.ID); same != nil {
		if same != staged {
			same.tell(staged, merged)
		}
		staged = same
	} else {
		s.kept = append(s.kept, staged)
	}
	if staged == live {
		return driver.PublishReport{Status: egrid.Unchanged, Snapshot: live.Snapshot}, nil
	}
	s.point(staged)
	s.prune(driver.PruneRequest{Keep: keep})
	return driver.PublishReport{Status: egrid.Published, Snapshot: staged.Snapshot}, nil
}

// tell says of a snapshot where the same content came from again. What was
// merged into it is one of its sources; what equals it has confirmed it.
func (snap *snapshot) tell(again *snapshot, merged bool) {
	if !merged {
		driver.Confirm(&snap.Snapshot, again.Sources[0])
		return
	}
	snap.Sources = slices.Clone(snap.Sources)
	for _, from := range again.Sources {
		if !slices.ContainsFunc(snap.Sources, func(have egrid.Source) bool { return have.ID == from.ID }) {
			snap.Sources = append(snap.Sources, from)
		}
	}
}

func liveSnapshot(live *snapshot) *egrid.Snapshot {
	if live == nil {
		return nil
	}
	return &live.Snapshot
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
	to.Status, to.Revision = egrid.Published, s.revision
	s.pruned = slices.DeleteFunc(s.pruned, func(id egrid.SnapshotID) bool { return id == to.ID })
}

// audit gathers the stage's chunks and checks them as a whole.
func (st *stage) audit(id egrid.StageID, r driver.PublishRequest) (*snapshot, error) {
	var rows []*egrid.Batch
	var tallies []driver.Tally
	var count int64
	for _, index := range slices.Sorted(maps.Keys(st.chunks)) {
		rows = append(rows, st.chunks[index])
		tallies = append(tallies, st.tallies[index])
		count += st.tallies[index].Rows
	}
	if err := r.Check(id, st.held != nil, len(st.chunks), count); err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b *egrid.Batch) int {
		if a.Len() == 0 || b.Len() == 0 {
			return cmp.Compare(a.Len(), b.Len())
		}
		return cmp.Compare(a.Number(0), b.Number(0))
	})
	snap := driver.NewSnapshot(id, st.spec)
	driver.Describe(&snap, tallies)
	if duplicates := duplicateKeys(&snap, rows); len(duplicates) > 0 {
		snap.Audits = append(snap.Audits, driver.DuplicateIdentifiers(int64(len(duplicates)), duplicates))
	}
	return newSnapshot(snap, rows), nil
}

// duplicateKeys names the identifiers that several rows have. Two identifiers
// may look alike in messages (a/b and c, a and b/c) and still be two.
func duplicateKeys(snap *egrid.Snapshot, rows []*egrid.Batch) []string {
	columns := driver.Identifier(snap.Level, snap.Schema.Has)
	if columns == nil {
		return nil
	}
	seen := map[string]int{}
	var duplicates []string
	values := make([]egrid.Value, len(columns))
	for _, b := range rows {
		for row := range b.Rows() {
			key := ""
			for i, c := range columns {
				values[i] = row.Value(c)
				key += values[i].String() + "\x00"
			}
			if seen[key]++; seen[key] == 2 {
				duplicates = append(duplicates, driver.IdentifierText(values...))
			}
		}
	}
	return duplicates
}

func merge(live, staged *snapshot) (*snapshot, error) {
	merged, rows, err := driver.Merge(live.Snapshot, staged.Snapshot, live.rows, staged.rows)
	if err != nil {
		return nil, err
	}
	return newSnapshot(merged, rows), nil
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
