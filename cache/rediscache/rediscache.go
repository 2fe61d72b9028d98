// Package rediscache is a second level of package cache on Redis, or on what
// speaks its protocol, for many replicas of one service.
//
//	level, err := rediscache.Open("redis://cache:6379/0", nil)
//	defer level.Close()
//	q := cache.New(store, &cache.Options{Shared: level, Namespace: version})
//
// # Guarantees
//
// A call ends with its context, is made once, and is never repeated here: the
// cache decides when to try again. Keys begin with "egrid:" and have a time to
// live, so that a server of their own needs a limit of memory and the policy
// allkeys-lru, and nothing else; with noeviction it works, and takes no more
// answers while it is full. Nothing is ever deleted. A Level is safe for
// concurrent use and writes no log; the client library writes a line to
// standard error for a connection that Close ends in the middle of a call.
//
// Whoever can write to the server can make answers: it is trusted like the
// store.
//
// # Errors
//
// [egrid.ErrInvalid] for a URL that cannot be, without its text, which may hold
// a password. Otherwise those of the server and of the way to it.
//
// # See also
//
// The options of package cache: how long a query waits, how large a value is.
package rediscache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
)

// Options are those of a level. The zero value of every field means its
// default.
type Options struct {
	// Connections is how many there are at most; default 16.
	Connections int
	// DialTimeout is how long a new connection may take; default 1 second.
	DialTimeout time.Duration
}

// Level is a [cache.SharedLevel] on a Redis server.
type Level struct {
	client redis.UniversalClient
	owned  bool
}

var _ cache.SharedLevel = (*Level)(nil)

// Open returns a level on the server of a URL: redis://, rediss:// for TLS, or
// unix://, with user, password and database. It does not wait for the server,
// which may come later, and go and come back.
func Open(url string, o *Options) (*Level, error) {
	config, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL of the shared cache is none of redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss://... and unix://SOCKET", egrid.ErrInvalid)
	}
	if o == nil {
		o = &Options{}
	}
	config.PoolSize, config.DialTimeout = 16, time.Second
	if o.Connections > 0 {
		config.PoolSize = o.Connections
	}
	if o.DialTimeout > 0 {
		config.DialTimeout = o.DialTimeout
	}
	config.MaxActiveConns = config.PoolSize
	config.ContextTimeoutEnabled = true
	config.MaxRetries, config.DialerRetries = -1, 1
	config.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	config.Dialer = quietly(redis.NewDialer(config))
	return &Level{client: redis.NewClient(config), owned: true}, nil
}

// New returns a level on a client that the caller made and closes, e.g. of a
// cluster. Its options should have ContextTimeoutEnabled, and few retries.
func New(client redis.UniversalClient) *Level { return &Level{client: client} }

// Get implements [cache.SharedLevel].
func (l *Level) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := l.client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return value, err
}

// Set implements [cache.SharedLevel].
func (l *Level) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl < time.Millisecond { // Redis counts no less, and would keep it for ever
		return nil
	}
	return l.client.Set(ctx, key, value, ttl).Err()
}

// Ping asks the server for a sign of life. Errors: those of [Level.Get].
func (l *Level) Ping(ctx context.Context) error { return l.client.Ping(ctx).Err() }

// Close closes the connections of a level that Open made. Calls that come
// later fail.
func (l *Level) Close() error {
	if !l.owned {
		return nil
	}
	return l.client.Close()
}
