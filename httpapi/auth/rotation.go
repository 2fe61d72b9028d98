package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

const (
	readTimeout     = 5 * time.Second
	maxKeySetBytes  = 1 << 20
	defaultPause    = 10 * time.Second
	defaultKeyAge   = 15 * time.Minute
	loopbackKeyHost = "localhost"
)

// rotation is a key set that is read again as its keys change.
type rotation struct {
	read       func(context.Context) ([]byte, error)
	pause, age time.Duration
	now        func() time.Time
	log        *slog.Logger

	mu      sync.Mutex
	keys    keySet        // nil until it was read
	tried   time.Time     // when it was read last, or could not be
	failed  bool          // the last time
	reading chan struct{} // closed when the read is over that goes on; nil when none does
}

func newRotation(o *Options) (*rotation, error) {
	k := &rotation{pause: o.KeySetPause, age: o.KeySetAge, now: o.Now, log: o.Logger}
	if k.pause <= 0 {
		k.pause = defaultPause
	}
	if k.age <= 0 {
		k.age = defaultKeyAge
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if strings.Contains(o.KeySet, "://") {
		k.read = fromURL(o.KeySet, o.Client)
		return k, checkKeySetURL(o.KeySet)
	}
	k.read = func(context.Context) ([]byte, error) { return fromFile(o.KeySet) }
	b, err := k.read(context.Background())
	if err == nil {
		k.keys, err = parseKeySet(b)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key set %s: %w", egrid.ErrInvalid, o.KeySet, err)
	}
	k.tried = k.now()
	return k, nil
}

// checkKeySetURL refuses addresses on the way to which somebody else could
// answer with other keys.
func checkKeySetURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%w: the key set's URL is malformed", egrid.ErrInvalid)
	case u.User != nil:
		return fmt.Errorf("%w: the key set's URL has a password, which would be logged", egrid.ErrInvalid)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%w: the key set %s is not read by https", egrid.ErrInvalid, address)
}

func isLoopback(host string) bool {
	return host == loopbackKeyHost || net.ParseIP(host).IsLoopback()
}

func fromFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // G304: whoever sets the options chooses the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f)
}

func fromURL(address string, client *http.Client) func(context.Context) ([]byte, error) {
	if client == nil {
		client = &http.Client{Timeout: readTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it leads to another address")
		}}
		if shared, ok := http.DefaultTransport.(*http.Transport); ok {
			client.Transport = shared.Clone() // whoever closes the connections of the shared one breaks no request
		}
	}
	return func(ctx context.Context) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "application/jwk-set+json, application/json")
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("it answers %s", answer.Status)
		}
		return readAtMost(answer.Body)
	}
}

func readAtMost(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKeySetBytes+1))
	if err == nil && len(b) > maxKeySetBytes {
		err = fmt.Errorf("it has more than %d bytes", maxKeySetBytes)
	}
	return b, err
}

// find returns a key. One that is not known may be new: then the set is read
// again, unless that was just done.
func (k *rotation) find(ctx context.Context, kid, algorithm string) (any, error) {
	key, ok, reading := k.look(kid, algorithm)
	if ok {
		return key, nil
	}
	if reading != nil {
		select {
		case <-reading:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", errNoKeys, ctx.Err())
		}
	}
	return k.known(kid, algorithm)
}

// look finds a key, and the read that goes on. It begins one when the set is old,
// or when it lacks the key and was not read just before.
func (k *rotation) look(kid, algorithm string) (key any, ok bool, reading <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok = k.keys.find(kid, algorithm)
	since := k.now().Sub(k.tried)
	due := since >= k.pause && (!ok || since >= k.age || k.failed)
	if due && k.reading == nil {
		k.reading, k.tried = make(chan struct{}), k.now()
		go k.refresh()
	}
	return key, ok, k.reading
}

func (k *rotation) known(kid, algorithm string) (any, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.keys.find(kid, algorithm); ok {
		return key, nil
	}
	if k.keys == nil || k.failed {
		return nil, errNoKeys
	}
	return nil, errUnknownKey
}

// refresh reads the set once. What cannot be read leaves the keys as they are.
func (k *rotation) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	b, err := k.read(ctx)
	var keys keySet
	if err == nil {
		keys, err = parseKeySet(b)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed = err != nil; k.failed {
		k.log.Warn("the key set cannot be read; the keys that are known go on to count", "error", err)
	} else {
		k.keys = keys
	}
	close(k.reading)
	k.reading = nil
}
