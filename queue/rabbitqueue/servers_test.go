package rabbitqueue_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/rabbitqueue"
)

func TestParseServers(t *testing.T) {
	for url, want := range map[string][]string{
		"amqp://a/":                             {"amqp://a/"},
		"amqp://u:p@a:5672,b:5673/v":            {"amqp://u:p@a:5672/v", "amqp://u:p@b:5673/v"},
		"amqps://u:p%2C@[::1]:1,b/?heartbeat=3": {"amqps://u:p%2C@[::1]:1/?heartbeat=3", "amqps://u:p%2C@b/?heartbeat=3"},
		"amqp://u:p,q@a,b":                      {"amqp://u:p,q@a", "amqp://u:p,q@b"},
	} {
		if got, err := rabbitqueue.ParseServers(url); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, error %v; want %q", url, got, err, want)
		}
	}
	for _, url := range []string{
		"", "no url", "http://u:secret@a", "amqp://u:secret@a,,b/", "amqp://u:secret@a,b:x/", "amqp://u:sec/secret@a/",
		"amqp://u:12/secret@a/", "amqp://u:sec?secret@a/", "amqp://u:%secret@a/",
	} {
		if got, err := rabbitqueue.ParseServers(url); !errors.Is(err, queue.ErrInvalid) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "12") {
			t.Errorf("%s: got %q, error %v; want ErrInvalid without what it may be", url, got, err)
		}
	}
}

// TestServersInTurn takes away the servers one after another.
func TestServersInTurn(t *testing.T) {
	f := rabbitqueue.NewFake()
	var mu sync.Mutex
	alive, dialled := "amqp://u:secret@a/", []string{}
	setAlive := func(address string) {
		mu.Lock()
		defer mu.Unlock()
		alive, dialled = address, nil
	}
	addresses := []string{"amqp://u:secret@a/", "amqp://u:secret@b/", "amqp://u:secret@c/"}
	up := func(address string) error {
		mu.Lock()
		defer mu.Unlock()
		dialled = append(dialled, address)
		if address != alive {
			return errors.New("refused")
		}
		return nil
	}
	b, err := f.OpenServers(t.Context(), addresses, up, &rabbitqueue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, i := range []int{2, 1, 0} {
		setAlive(addresses[i])
		f.Cut(false)
		for range 3 {
			if err := b.Publish(soon(t), queue.Message{Key: queue.KeyChunk}); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		if !slices.Contains(dialled, addresses[i]) {
			t.Errorf("dialled %q; want %s among them", dialled, addresses[i])
		}
		mu.Unlock()
	}
	setAlive("")
	_, err = f.OpenServers(t.Context(), addresses, up, &rabbitqueue.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "a: refused") || !strings.Contains(err.Error(), "c: refused") {
		t.Errorf("all away: got error %v; want each host and no password", err)
	}
}
