package memstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

var (
	_ driver.RunLog    = (*Store)(nil)
	_ driver.Schedules = (*Store)(nil)
)

// keptRun is a run in the form in which other stores keep it, so that nobody
// shares its memory.
type keptRun struct {
	id      string
	started time.Time
	heard   time.Time
	doc     []byte
}

// SaveRun implements [driver.RunLog].
func (s *Store) SaveRun(_ context.Context, r driver.Run) error {
	if r.ID == "" {
		return fmt.Errorf("%w: the run has no id", egrid.ErrInvalid)
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: run %s: %w", egrid.ErrInvalid, r.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return egrid.ErrClosed
	}
	kept := keptRun{r.ID, r.Started.UTC().Truncate(time.Microsecond), time.Now(), doc}
	s.runs = slices.DeleteFunc(s.runs, func(k keptRun) bool { return k.id == r.ID })
	s.runs = append(s.runs, kept)
	slices.SortFunc(s.runs, func(a, b keptRun) int { return cmp.Or(b.started.Compare(a.started), cmp.Compare(b.id, a.id)) })
	s.runs = s.runs[:min(len(s.runs), driver.KeepRuns)]
	return nil
}

func (k keptRun) run() (driver.Run, error) {
	var r driver.Run
	err := json.Unmarshal(k.doc, &r)
	return r.Heard(k.heard, time.Since(k.heard)), err
}

// SavedRun implements [driver.RunLog].
func (s *Store) SavedRun(_ context.Context, id string) (driver.Run, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return driver.Run{}, egrid.ErrClosed
	}
	for _, k := range s.runs {
		if k.id == id {
			return k.run()
		}
	}
	return driver.Run{}, fmt.Errorf("%w: no run %q, or none that is kept", egrid.ErrNotFound, id)
}

// SavedRuns implements [driver.RunLog].
func (s *Store) SavedRuns(_ context.Context, limit int) ([]driver.Run, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, egrid.ErrClosed
	}
	runs := []driver.Run{}
	for _, k := range s.runs[:min(max(limit, 0), len(s.runs))] {
		r, err := k.run()
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// Schedule implements [driver.Schedules].
func (s *Store) Schedule(_ context.Context, name string) (driver.ScheduleState, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return driver.ScheduleState{}, egrid.ErrClosed
	}
	return s.schedules[name], nil
}

// AskRun implements [driver.Schedules].
func (s *Store) AskRun(_ context.Context, name string) error {
	return s.schedule(name, func(state *driver.ScheduleState) { state.Asked++ })
}

// Attend implements [driver.Schedules].
func (s *Store) Attend(_ context.Context, name string, to driver.ScheduleState) error {
	return s.schedule(name, func(state *driver.ScheduleState) {
		if due := to.Due.UTC().Truncate(time.Microsecond); due.After(state.Due) {
			state.Due = due
		}
		state.Answered = max(state.Answered, to.Answered)
	})
}

func (s *Store) schedule(name string, change func(*driver.ScheduleState)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return egrid.ErrClosed
	}
	state := s.schedules[name]
	change(&state)
	s.schedules[name] = state
	return nil
}

// Lead implements [driver.Schedules].
func (s *Store) Lead(ctx context.Context, name string) (context.Context, func(), error) {
	s.mu.RLock()
	closed := s.closed
	s.mu.RUnlock()
	if closed {
		return nil, nil, egrid.ErrClosed
	}
	return s.leaders.Lead(ctx, name)
}
