package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Lag says for how long the server that answers queries, see Options.ReadURL, has
// lacked what was published since: 0 while both have the same catalogue. It is at
// most the age of the latest transaction which that server has, by the other one's
// clock, and where Lag was called before, the time since it last returned 0.
//
// Errors: those of either server, and [egrid.ErrConflict] where the one for queries
// has another catalogue and is no replica, as one that was promoted.
func (s *Store) Lag(ctx context.Context) (time.Duration, error) {
	if s.closed.Load() {
		return 0, egrid.ErrClosed
	}
	if s.read == s.write || s.options.ReadURL == "" {
		return 0, nil
	}
	first, _, err := s.stateOf(ctx, s.write, "clock_timestamp()")
	if err != nil {
		return 0, s.translate(s.write, err)
	}
	kept, replayed, err := s.stateOf(ctx, s.read, lastReplayed)
	if err != nil {
		return 0, s.translate(s.read, err)
	}
	latest, now, err := s.stateOf(ctx, s.write, "clock_timestamp()")
	if err != nil {
		return 0, s.translate(s.write, err)
	}
	if kept == first || kept == latest { // it may have changed in between
		at := time.Now()
		s.inStep.Store(&at)
		return 0, nil
	}
	if replayed == nil {
		return 0, fmt.Errorf("%w: the server for queries, %s, is no replica of %s: it has another catalogue, and replays nothing; name a replica, or none",
			egrid.ErrConflict, serverOf(s.read.Config().ConnConfig), s.server)
	}
	lag := max(now.Sub(*replayed), 0)
	if at := s.inStep.Load(); at != nil {
		lag = min(lag, time.Since(*at))
	}
	return lag, nil
}

// lastReplayed is when a replica's latest transaction was committed or, behind a
// restart, its latest checkpoint made, by the clock of the server that it follows.
const lastReplayed = "CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(), (SELECT checkpoint_time FROM pg_control_checkpoint())) END"

// stateOf reads which state of the catalogue a server has, and a time.
func (s *Store) stateOf(ctx context.Context, pool *pgxpool.Pool, at string) (token string, t *time.Time, err error) {
	err = pool.QueryRow(ctx, "SELECT token, "+at+" FROM "+s.name("state")).Scan(&token, &t)
	return token, t, err
}
