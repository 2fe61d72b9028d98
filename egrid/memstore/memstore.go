// Package memstore keeps eGRID data in memory. It is the reference
// implementation of [driver.Store]: short enough to be read as the definition
// of what a query and a load mean, the oracle that other stores are tested
// against, and a test double for programs that use one.
//
//	store := memstore.New()
//	id, err := store.Stage(ctx, spec)
//	page, err := store.Rows(ctx, egrid.RowQuery{Level: egrid.GEN})
//
// # Guarantees
//
// A store is safe for concurrent use. Every call answers from one revision.
// Rows that it returns are shared and must not be changed. Nothing outlives
// the process, and everything is scanned: for more than a few hundred
// thousand rows use sqlitestore.
//
// # Errors
//
// As the methods of [egrid.Querier] and [driver.Loader] say, and
// [egrid.ErrClosed] after Close.
//
// # See also
//
// Packages sqlitestore and egridtest.
package memstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Store is an [driver.Store] and an [driver.FailureLog] in memory.
type Store struct {
	mu        sync.RWMutex
	closed    bool
	revision  int64
	stages    map[egrid.StageID]*stage
	published map[edition]*snapshot
	failures  map[string]*failures // by kind
}

var _ driver.Store = (*Store)(nil)

// edition is what readers ask for.
type edition struct {
	level   egrid.Level
	year    int
	release string
}

// snapshot is published data. It never changes.
type snapshot struct {
	egrid.Snapshot
	rows []egrid.Row // by Number
}

// stage is data on its way in.
type stage struct {
	spec   driver.SnapshotSpec
	chunks map[int]driver.Chunk
	held   *egrid.Snapshot // set once it was audited and kept back
}

// New returns an empty store.
func New() *Store {
	return &Store{stages: map[egrid.StageID]*stage{}, published: map[edition]*snapshot{}, failures: map[string]*failures{}}
}

// Close drops everything. Later calls return [egrid.ErrClosed].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.stages, s.published, s.failures = true, nil, nil, nil
	return nil
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
	if s.stages[id] == nil && !s.isPublished(id) {
		s.stages[id] = &stage{spec: spec, chunks: map[int]driver.Chunk{}}
	}
	return id, nil
}

func (s *Store) isPublished(id egrid.StageID) bool {
	for _, snap := range s.published {
		if snap.ID == id {
			return true
		}
	}
	return false
}

// Put implements [driver.Loader].
func (s *Store) Put(_ context.Context, id egrid.StageID, c driver.Chunk) (driver.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return driver.Change{}, egrid.ErrClosed
	}
	if s.isPublished(id) {
		return driver.Change{Duplicate: true}, nil
	}
	st := s.stages[id]
	if st == nil {
		return driver.Change{}, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	if _, have := st.chunks[c.Index]; have {
		return driver.Change{Duplicate: true}, nil
	}
	st.chunks[c.Index] = c
	return driver.Change{Rows: int64(len(c.Rows))}, nil
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
	st := s.stages[id]
	if st == nil {
		for _, snap := range s.published {
			if snap.ID == id {
				return driver.PublishReport{Status: egrid.Unchanged, Snapshot: snap.Snapshot}, nil
			}
		}
		return driver.PublishReport{}, fmt.Errorf("%w: no stage %s", egrid.ErrNotFound, id)
	}
	staged := st.audit(id)
	if err := r.Check(id, st.held != nil, len(st.chunks), staged.Rows); err != nil {
		return driver.PublishReport{}, err
	}
	at := edition{st.spec.Level, st.spec.Year, st.spec.Release}
	current := s.published[at]
	var live *egrid.Snapshot
	if current != nil {
		live = &current.Snapshot
	}
	status, reason := driver.Decide(policy, staged.Snapshot, live)
	switch status {
	case egrid.Unchanged:
		delete(s.stages, id)
		return driver.PublishReport{Status: status, Snapshot: *live}, nil
	case egrid.Held:
		staged.Status, staged.Reason = status, reason
		st.held = &staged.Snapshot
		return driver.PublishReport{Status: status, Reason: reason, Snapshot: staged.Snapshot}, nil
	}
	if policy == driver.PublishMerge && current != nil {
		staged = merge(current, staged)
	}
	s.revision++
	staged.Revision = s.revision
	s.published[at] = staged
	delete(s.stages, id)
	return driver.PublishReport{Status: egrid.Published, Snapshot: staged.Snapshot}, nil
}

// audit gathers the stage's chunks and checks them as a whole.
func (st *stage) audit(id egrid.StageID) *snapshot {
	snap := &snapshot{Snapshot: driver.NewSnapshot(id, st.spec)}
	for _, index := range slices.Sorted(maps.Keys(st.chunks)) {
		c := st.chunks[index]
		snap.rows = append(snap.rows, c.Rows...)
		snap.Count(int64(len(c.Rows)), c.Rejected, c.Lossy, c.Findings)
	}
	slices.SortStableFunc(snap.rows, func(a, b egrid.Row) int { return cmp.Compare(a.Number, b.Number) })
	if duplicates := duplicateKeys(snap); len(duplicates) > 0 {
		snap.Audits = append(snap.Audits, driver.DuplicateIdentifiers(int64(len(duplicates)), duplicates))
	}
	return snap
}

// duplicateKeys names the identifiers that several rows have. Two identifiers
// may look alike in messages (a/b and c, a and b/c) and still be two.
func duplicateKeys(snap *snapshot) []string {
	columns := driver.Identifier(snap.Level, snap.Schema.Has)
	if columns == nil {
		return nil
	}
	seen := map[string]int{}
	var duplicates []string
	values := make([]egrid.Value, len(columns))
	for _, row := range snap.rows {
		key := ""
		for i, c := range columns {
			values[i] = row.Value(c)
			key += values[i].String() + "\x00"
		}
		if seen[key]++; seen[key] == 2 {
			duplicates = append(duplicates, driver.IdentifierText(values...))
		}
	}
	return duplicates
}

// merge updates the rows of a published snapshot by those of a new one, the
// n-th with an identifier by the n-th, and appends the others. The new sheet's
// columns overwrite, its blanks too; columns that it lacks are kept.
func merge(old, added *snapshot) *snapshot {
	merged := &snapshot{Snapshot: old.MergedWith(added.Snapshot)}
	schema := merged.Schema

	at := map[string]int{}
	oldKey := occurrences(old, added)
	for i, row := range old.rows {
		wide := egrid.Row{Schema: schema, Values: make([]egrid.Value, schema.Len()), Year: row.Year, Number: row.Number}
		copy(wide.Values, row.Values)
		merged.rows = append(merged.rows, wide)
		at[oldKey(row)] = i
	}
	last := int64(0)
	if n := len(old.rows); n > 0 {
		last = old.rows[n-1].Number
	}
	newKey := occurrences(added, old)
	for _, row := range added.rows {
		i, known := at[newKey(row)]
		if !known {
			last++
			i = len(merged.rows)
			merged.rows = append(merged.rows, egrid.Row{Schema: schema, Values: make([]egrid.Value, schema.Len()), Year: row.Year, Number: last})
		}
		for j, f := range added.Schema.Fields() {
			merged.rows[i].Values[schema.Index(f.Column)] = row.Values[j]
		}
	}
	merged.Rows = int64(len(merged.rows))
	return merged
}

// occurrences names rows by identifier and how often it was met. Where the two
// sheets have no identifier in common, rows are named by their number.
func occurrences(snap, other *snapshot) func(egrid.Row) string {
	has := func(c egrid.Column) bool { return snap.Schema.Has(c) && other.Schema.Has(c) }
	columns := driver.Identifier(snap.Level, has)
	if columns == nil {
		return func(row egrid.Row) string { return fmt.Sprint(row.Number) }
	}
	seen := map[string]int{}
	return func(row egrid.Row) string {
		key := ""
		for _, c := range columns {
			key += row.Text(c) + "\x00"
		}
		seen[key]++
		return fmt.Sprint(key, seen[key])
	}
}
