package memstore

import (
	"context"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var _ driver.FailureLog = (*Store)(nil)

// failures is what was recorded of one kind.
type failures struct {
	driver.FailureCount
	recent []string // IDs, the oldest first
	known  map[string]bool
}

// RecordFailure implements [driver.FailureLog].
func (s *Store) RecordFailure(_ context.Context, f driver.Failure) (bool, error) {
	f, err := f.Normalize()
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, egrid.ErrClosed
	}
	kind := s.failures[f.Kind]
	if kind == nil {
		kind = &failures{known: map[string]bool{}}
		s.failures[f.Kind] = kind
	}
	if kind.known[f.ID] {
		return false, nil
	}
	kind.FailureCount = kind.With(f)
	kind.remember(f.ID)
	return true, nil
}

// remember keeps an ID in the place of the oldest.
func (k *failures) remember(id string) {
	k.known[id] = true
	k.recent = append(k.recent, id)
	if len(k.recent) > driver.RecentFailures {
		delete(k.known, k.recent[0])
		k.recent = k.recent[1:]
	}
}

// Failures implements [driver.FailureLog].
func (s *Store) Failures(context.Context) ([]driver.FailureCount, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, egrid.ErrClosed
	}
	var counts []driver.FailureCount
	for _, kind := range s.failures {
		counts = append(counts, kind.FailureCount)
	}
	driver.SortFailures(counts)
	return counts, nil
}
