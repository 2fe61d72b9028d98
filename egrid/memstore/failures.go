package memstore

import (
	"context"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var _ egrid.FailureLog = (*Store)(nil)

// failures is what was recorded of one kind.
type failures struct {
	egrid.FailureCount
	recent []string // IDs, the oldest first
	known  map[string]bool
}

// RecordFailure implements [egrid.FailureLog].
func (s *Store) RecordFailure(_ context.Context, f egrid.Failure) (bool, error) {
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
	if len(k.recent) > egrid.RecentFailures {
		delete(k.known, k.recent[0])
		k.recent = k.recent[1:]
	}
}

// Failures implements [egrid.FailureLog].
func (s *Store) Failures(context.Context) ([]egrid.FailureCount, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, egrid.ErrClosed
	}
	var counts []egrid.FailureCount
	for _, kind := range s.failures {
		counts = append(counts, kind.FailureCount)
	}
	egrid.SortFailures(counts)
	return counts, nil
}
