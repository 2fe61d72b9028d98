package rediscache_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/cache/cachetest"
	"github.com/egrid-analytics/egrid-go/cache/rediscache"
	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func open(t testing.TB, url string) *rediscache.Level {
	t.Helper()
	level, err := rediscache.Open(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = level.Close() })
	return level
}

func TestShared(t *testing.T) {
	url := testenv.Server(t, "EGRID_TEST_REDIS")
	cachetest.RunShared(t, func(t *testing.T) cache.SharedLevel { return open(t, url) })
}

func TestBorrowedClient(t *testing.T) {
	config, err := redis.ParseURL(testenv.Server(t, "EGRID_TEST_REDIS"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(config)
	defer client.Close()
	level := rediscache.New(client)
	if err := level.Close(); err != nil {
		t.Fatal(err)
	}
	if err := level.Ping(t.Context()); err != nil {
		t.Errorf("closing the level has closed the client: %v", err)
	}
}

func TestInvalidURLs(t *testing.T) {
	for _, url := range []string{
		"", "localhost:6379", "http://:secret@localhost", "redis://:se/cret@localhost", "redis://user:secret@localhost/zero",
		"redis://:secret@localhost?no_such_option=1", "redis://:secret@[::1", "redis://:%secret@localhost",
	} {
		_, err := rediscache.Open(url, nil)
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %v; want ErrInvalid", url, err)
		} else if strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: the error tells the password: %v", url, err)
		}
	}
}
