package pgstore

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectionSilence is for how long a server, or the network to it, may be silent
// before a connection counts as lost. Otherwise the operating system decides, which
// takes a quarter of an hour on Linux, and whoever waits for an answer waits with it.
const connectionSilence = 20 * time.Second

// How long a server may be silent that lets a connection in, that is asked whether an
// idle one still holds, and behind the time when it should have ended a query.
const (
	connectTimeout = 10 * time.Second
	pingTimeout    = 2 * time.Second
	queryGrace     = 5 * time.Second
)

// dialer connects as pgx does, and notices a silent connection.
func dialer() pgconn.DialFunc {
	d := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: connectionSilence / 2, Interval: connectionSilence / 8, Count: 4},
		Control:         limitSilence,
	}
	return d.DialContext
}
