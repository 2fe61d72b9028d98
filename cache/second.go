package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
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

// second is the way to the second level, which never holds up a plan.
type second struct {
	o             *Options
	reads, writes breaker
	writers       chan struct{}

	written, leftOut atomic.Int64
}

func newSecond(o *Options) *second {
	setDefault(&o.SharedTTL, time.Hour)
	setDefault(&o.SharedTimeout, 50*time.Millisecond)
	setDefault(&o.SharedMaxBytes, 1<<20)
	return &second{o: o, writers: make(chan struct{}, maxWriters)}
}

// formatVersion is that of the values: a checksum, and an encoded batch.
const formatVersion = 2

// key names an answer in the second level.
func (s *second) key(plan string) string {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(s.o.Namespace))))
	h.Write([]byte(s.o.Namespace))
	h.Write([]byte(plan))
	return "egrid:" + strconv.Itoa(formatVersion) + ":" + hex.EncodeToString(h.Sum(nil))
}

// seal puts a checksum of key and batch in front, so that a value that was cut,
// changed or put under another key is a miss.
func seal(key string, b *egrid.Batch) []byte {
	value := b.AppendBinary(make([]byte, sha256.Size))
	copy(value, checksum(key, value[sha256.Size:]))
	return value
}

func unseal(key string, value []byte, schema *egrid.Schema) (*egrid.Batch, bool) {
	if len(value) < sha256.Size || !bytes.Equal(value[:sha256.Size], checksum(key, value[sha256.Size:])) {
		return nil, false
	}
	b, err := egrid.ParseBatch(value[sha256.Size:], schema)
	return b, err == nil
}

func checksum(key string, encoded []byte) []byte {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write(encoded)
	return h.Sum(nil)
}

// get returns the answer that is kept. What cannot be had is a miss.
func (s *second) get(ctx context.Context, plan string, schema *egrid.Schema) (*egrid.Batch, bool) {
	turn, ok := s.reads.enter()
	if !ok {
		return nil, false
	}
	key := s.key(plan)
	bounded, cancel := context.WithTimeout(ctx, s.o.SharedTimeout)
	value, err := s.o.Shared.Get(bounded, key)
	cancel()
	s.leave(ctx, &s.reads, "reads", turn, err)
	if err != nil || len(value) > s.o.SharedMaxBytes {
		return nil, false
	}
	return unseal(key, value, schema)
}

// offer has an answer written, unless that would have to wait.
func (s *second) offer(plan string, b *egrid.Batch) {
	if b.Len() > s.o.MaxRows+1 {
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
		if s.write(s.key(plan), b) {
			s.written.Add(1)
		} else {
			s.leftOut.Add(1)
		}
	}()
}

func (s *second) write(key string, b *egrid.Batch) bool {
	turn, ok := s.writes.enter()
	if !ok {
		return false
	}
	value := seal(key, b)
	if len(value) > s.o.SharedMaxBytes {
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
