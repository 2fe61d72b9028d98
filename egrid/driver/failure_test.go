package driver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

func TestNormalizeFailure(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)
	plain := driver.Failure{ID: "m-1", Kind: "invalid_message", Where: "egrid.database", Message: "no such level", Time: at}
	changed := func(change func(*driver.Failure)) driver.Failure {
		f := plain
		change(&f)
		return f
	}
	tests := []struct {
		name     string
		in, want driver.Failure
	}{
		{"plain", plain, plain},
		{"another zone", changed(func(f *driver.Failure) { f.Time = at.In(time.FixedZone("", 9*3600)) }), plain},
		{"nanoseconds", changed(func(f *driver.Failure) { f.Time = at.Add(999) }), plain},
		{"not ASCII", changed(func(f *driver.Failure) { f.ID, f.Message = "№ 1", "Größe: 漢字 🙂" }), changed(func(f *driver.Failure) { f.ID, f.Message = "№ 1", "Größe: 漢字 🙂" })},
		{"NUL", changed(func(f *driver.Failure) { f.Where, f.Message = "a\x00b", "\x00" }), changed(func(f *driver.Failure) { f.Where, f.Message = "a\uFFFDb", "\uFFFD" })},
		{"not UTF-8", changed(func(f *driver.Failure) { f.Message = "a\xff\xfeb" }), changed(func(f *driver.Failure) { f.Message = "a\uFFFDb" })},
		{"at the limit", changed(func(f *driver.Failure) { f.Message = strings.Repeat("x", 2048) }), changed(func(f *driver.Failure) { f.Message = strings.Repeat("x", 2048) })},
		{"above it", changed(func(f *driver.Failure) { f.Message = strings.Repeat("x", 2049) }), changed(func(f *driver.Failure) { f.Message = strings.Repeat("x", 2045) + "…" })},
		{"within a rune", changed(func(f *driver.Failure) { f.Message = strings.Repeat("漢", 1000) }), changed(func(f *driver.Failure) { f.Message = strings.Repeat("漢", 681) + "…" })},
		{"long place", changed(func(f *driver.Failure) { f.Where = strings.Repeat("x", 600) }), changed(func(f *driver.Failure) { f.Where = strings.Repeat("x", 509) + "…" })},
		{"ID with NUL", changed(func(f *driver.Failure) { f.ID = "a\x00" }), changed(func(f *driver.Failure) {
			f.ID = "sha256:ffe9aaeaa2a2d5048174df0b80599ef0197ec024c4b051bc9860cff58ef7f9f3"
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.in.Normalize()
			if err != nil || got != test.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, test.want)
			}
			if again, err := got.Normalize(); err != nil || again != got {
				t.Errorf("normalising again gives %+v, %v", again, err)
			}
			for _, text := range []string{got.ID, got.Where, got.Message} {
				if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
					t.Errorf("%q cannot be stored", text)
				}
			}
		})
	}
}

func TestNormalizeFailureNow(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Microsecond)
	f, err := driver.Failure{ID: "1", Kind: "x"}.Normalize()
	if err != nil || f.Time.Before(before) || f.Time.After(time.Now()) || f.Time.Location() != time.UTC {
		t.Errorf("got %v, %v; want now", f.Time, err)
	}
}

func TestLongFailureIDsStayDifferent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	a, err := driver.Failure{ID: long + "a", Kind: "x"}.Normalize()
	b, err2 := driver.Failure{ID: long + "b", Kind: "x"}.Normalize()
	if err := errors.Join(err, err2); err != nil || a.ID == b.ID || len(a.ID) > driver.MaxFailureID {
		t.Errorf("got %q and %q, %v", a.ID, b.ID, err)
	}
}

func TestInvalidFailures(t *testing.T) {
	tests := map[string]driver.Failure{
		"no ID":         {Kind: "x"},
		"no kind":       {ID: "1"},
		"capitals":      {ID: "1", Kind: "Invalid"},
		"space":         {ID: "1", Kind: "invalid message"},
		"line":          {ID: "1", Kind: "invalid\n"},
		"digit first":   {ID: "1", Kind: "1x"},
		"long kind":     {ID: "1", Kind: strings.Repeat("x", driver.MaxFailureKind+1)},
		"year 10000":    {ID: "1", Kind: "x", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"before year 1": {ID: "1", Kind: "x", Time: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := f.Normalize(); !errors.Is(err, egrid.ErrInvalid) {
				t.Errorf("got %v; want ErrInvalid", err)
			}
		})
	}
}

func ExampleFailureLog() {
	ctx := context.Background()
	var log driver.FailureLog = memstore.New()
	for _, id := range []string{"m-1", "m-2", "m-2"} { // the queue may deliver a message twice
		_, err := log.RecordFailure(ctx, driver.Failure{ID: id, Kind: "invalid_message", Where: "egrid.database " + id, Message: "the chunk cannot be read"})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	counts, err := log.Failures(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range counts {
		fmt.Println(c.Kind, c.Count, c.Latest.Where)
	}
	// Output: invalid_message 2 egrid.database m-2
}
