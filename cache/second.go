package cache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// SharedLevel keeps values for several processes. Package rediscache is one.
//
// Implementations are safe for concurrent use, and return when ctx ends. They
// may forget a value at any time. The Cache keeps away for a while from one
// that returns errors.
type SharedLevel interface {
	// Get returns the value of a key, nil when there is none. The caller does
	// not change it.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set keeps a value for a time, in place of what the key had. The value
	// does not change afterwards. A ttl that is not positive keeps nothing.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

const (
	// maxWriters is how many answers are on their way to the second level at
	// once; more are left out.
	maxWriters   = 32
	writeTimeout = time.Second
)

// second is the way to the second level, which never holds up a query.
type second struct {
	o             *Options
	reads, writes breaker
	writers       chan struct{}

	written, leftOut atomic.Int64

	mu   sync.Mutex
	last *catalog // that was identified
}

func newSecond(o *Options) *second {
	setDefault(&o.SharedTTL, time.Hour)
	setDefault(&o.SharedTimeout, 50*time.Millisecond)
	setDefault(&o.SharedMaxBytes, 1<<20)
	return &second{o: o, writers: make(chan struct{}, maxWriters)}
}

// catalog is a catalogue and what identifies the content of its store.
type catalog struct {
	egrid.Catalog
	published []egrid.Snapshot
	identity  [sha256.Size]byte // of all that published says
}

// identify finds out what is published. It costs something only when that has
// changed.
func (s *second) identify(c egrid.Catalog) *catalog {
	known := &catalog{Catalog: c}
	for i := range c.Snapshots {
		if c.Snapshots[i].Status == egrid.Published {
			known.published = append(known.published, c.Snapshots[i])
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.last; last != nil && last.Revision == known.Revision && sameSnapshots(last.published, known.published) {
		known.published, known.identity = last.published, last.identity
	} else if text, err := json.Marshal(known.published); err == nil {
		known.identity = sha256.Sum256(text)
	} else {
		known.published = nil
	}
	s.last = known
	return known
}

// sameSnapshots compares what tells published snapshots of one store apart.
func sameSnapshots(a, b []egrid.Snapshot) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := &a[i], &b[i]
		if x.ID != y.ID || x.Revision != y.Revision || x.Rows != y.Rows || !x.LoadedAt.Equal(y.LoadedAt) {
			return false
		}
	}
	return true
}

// key names an answer by all that it depends on. It is empty where nothing is
// published: such stores cannot be told apart.
func (s *second) key(known *catalog, query string) string {
	if len(known.published) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(s.o.Namespace))))
	h.Write([]byte(s.o.Namespace))
	h.Write(known.identity[:])
	h.Write([]byte(query))
	revision := strconv.FormatInt(known.Revision, 10)
	return "egrid:" + strconv.Itoa(formatVersion) + ":" + revision + ":" + hex.EncodeToString(h.Sum(nil))
}

// get returns the answer that is kept. What cannot be had is a miss, and so is
// an empty key.
func (s *second) get(ctx context.Context, key string, known *catalog) (egrid.RowPage, bool) {
	if key == "" {
		return egrid.RowPage{}, false
	}
	turn, ok := s.reads.enter()
	if !ok {
		return egrid.RowPage{}, false
	}
	bounded, cancel := context.WithTimeout(ctx, s.o.SharedTimeout)
	value, err := s.o.Shared.Get(bounded, key)
	cancel()
	s.leave(ctx, &s.reads, "reads", turn, err)
	if err != nil || len(value) > s.o.SharedMaxBytes {
		return egrid.RowPage{}, false
	}
	page, ok := decodePage(key, value, known.published)
	return page, ok && page.Revision == known.Revision
}

// offer has an answer written, unless that would have to wait or the key is
// empty.
func (s *second) offer(key string, page egrid.RowPage, known *catalog) {
	if key == "" || page.Revision != known.Revision || len(page.Rows) > s.o.MaxPageRows || cells(&page) > s.o.MaxCells {
		s.leftOut.Add(1)
		return
	}
	select {
	case s.writers <- struct{}{}:
	default:
		s.leftOut.Add(1)
		return
	}
	go func() {
		defer func() { <-s.writers }()
		if s.write(key, &page, known) {
			s.written.Add(1)
		} else {
			s.leftOut.Add(1)
		}
	}()
}

func (s *second) write(key string, page *egrid.RowPage, known *catalog) bool {
	turn, ok := s.writes.enter()
	if !ok {
		return false
	}
	value, ok := encodePage(key, page, known.published)
	if !ok || len(value) > s.o.SharedMaxBytes {
		s.writes.leave(turn, unknown)
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := s.o.Shared.Set(ctx, key, value, s.o.SharedTTL)
	s.leave(context.Background(), &s.writes, "writes", turn, err)
	return err == nil
}

// leave ends a call, and tells when the second level went away or came back.
func (s *second) leave(caller context.Context, b *breaker, what string, turn int, err error) {
	outcome := worked
	if err != nil {
		outcome = failed
		if caller.Err() != nil {
			outcome = unknown
		}
	}
	if !b.leave(turn, outcome) || s.o.Logger == nil {
		return
	}
	if err != nil {
		s.o.Logger.Warn("the shared cache is away; answers come from the local one and the store", "call", what, "error", err)
		return
	}
	s.o.Logger.Info("the shared cache is back", "call", what)
}
