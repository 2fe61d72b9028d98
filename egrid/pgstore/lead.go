package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// How a leader is known to live. Its connection is asked every leadBeat, with
// leadTimeout for the answer: so a leader that is cut off notices within their
// sum. The server ends a session of which it hears nothing for leadSilence, and
// gives its lock to the next who asks: later than that, so that no two lead.
// Only a process that was stopped (SIGSTOP, a virtual machine that is suspended)
// finds out when it goes on.
const (
	leadPause   = time.Second // between two attempts at the lock
	leadBeat    = 2 * time.Second
	leadTimeout = 5 * time.Second
	leadSilence = 12 * time.Second
)

// Lead implements [driver.Schedules] by an advisory lock of the session, on a
// connection of its own. It needs a connection to the server itself, or a pooler
// that pools sessions.
func (s *Store) Lead(ctx context.Context, name string) (context.Context, func(), error) {
	if s.closed.Load() {
		return nil, nil, egrid.ErrClosed
	}
	conn, err := s.dialLeader(ctx)
	if err != nil {
		return nil, nil, s.translate(s.write, err)
	}
	for {
		led, err := s.tryLead(ctx, conn, name)
		if err == nil && !led {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(leadPause):
			}
		}
		if err != nil {
			closeLeader(conn)
			return nil, nil, s.translate(s.write, err)
		}
		if led {
			break
		}
	}
	leading, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer closeLeader(conn) // which gives up the lock
		ticker := time.NewTicker(leadBeat)
		defer ticker.Stop()
		for {
			select {
			case <-leading.Done():
				return
			case <-ticker.C:
			}
			if err := askLeader(leading, conn); err != nil && leading.Err() == nil {
				lose(fmt.Errorf("the connection to %s that holds the leadership is lost: %w", s.server, err))
				return
			}
		}
	}()
	return leading, sync.OnceFunc(func() { lose(nil); <-ended }), nil
}

func askLeader(ctx context.Context, conn *pgx.Conn) error {
	ctx, stop := context.WithTimeout(ctx, leadTimeout)
	defer stop()
	_, err := conn.Exec(ctx, "SELECT 1")
	return err
}

// dialLeader connects with the settings of the pool.
func (s *Store) dialLeader(ctx context.Context) (*pgx.Conn, error) {
	pool := s.write.Config()
	config := pool.ConnConfig.Copy()
	if pool.BeforeConnect != nil {
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, leadTimeout)
	defer stop()
	// An idle session is ended by the server, one whose host is gone by its kernel.
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_session_timeout = '%ds'; SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2;
		SET tcp_keepalives_count = 3; SET statement_timeout = '%ds'`, int(leadSilence.Seconds()), int(leadTimeout.Seconds()))); err != nil {
		closeLeader(conn)
		return nil, err
	}
	return conn, nil
}

// tryLead takes the lock if it is free. A standby has locks of its own, which
// mean nothing.
func (s *Store) tryLead(ctx context.Context, conn *pgx.Conn, name string) (led bool, err error) {
	ctx, stop := context.WithTimeout(ctx, leadTimeout)
	defer stop()
	var standby bool
	err = conn.QueryRow(ctx, `SELECT r, NOT r AND pg_try_advisory_lock(hashtextextended($1, 0)) FROM pg_is_in_recovery() r`,
		"egrid schedule "+s.options.Schema+" "+name).Scan(&standby, &led)
	if err == nil && standby {
		err = errors.New("the server is a standby, where nobody can lead; add target_session_attrs=read-write to the address")
	}
	return led, err
}

func closeLeader(conn *pgx.Conn) {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	_ = conn.Close(ctx)
}
