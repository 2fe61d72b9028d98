package driver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// FailureLog keeps what went wrong on the way of data into a store, counted by
// kind. Its size is bounded: of each kind it keeps the count, the latest
// failure and the IDs of the last [RecentFailures]. Kinds are few: programs
// choose them, files and messages do not. Every store is one.
//
// Implementations are safe for concurrent use, by several processes too: the
// counts are exact.
type FailureLog interface {
	// RecordFailure counts a failure and reports whether it was new. The same
	// ID of the same kind is counted once, as long as it is among the last
	// [RecentFailures] of its kind. Errors: ErrInvalid, as [Failure.Normalize].
	RecordFailure(ctx context.Context, f Failure) (bool, error)
	// Failures lists what was recorded, the kind with the latest failure first.
	Failures(ctx context.Context) ([]FailureCount, error)
}

// RecentFailures is how many IDs of each kind a [FailureLog] knows again.
const RecentFailures = 1000

// The longest texts of a [Failure], in bytes.
const (
	MaxFailureKind    = 64
	MaxFailureID      = 200
	MaxFailureWhere   = 512
	MaxFailureMessage = 2048
)

// Failure is something that went wrong on the way of data into a store, kept
// for those who run the platform.
type Failure struct {
	ID      string    `json:"id"`      // names the occurrence, e.g. by the message's id
	Kind    string    `json:"kind"`    // what sort, in snake_case: invalid_message, store_unavailable
	Where   string    `json:"where"`   // queue and message, object, or program
	Message string    `json:"message"` // what went wrong
	Time    time.Time `json:"time"`
}

var failureKind = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Normalize returns the failure as every log keeps it. Its time is in UTC and
// whole microseconds, now when it is zero. Its texts are valid UTF-8 without
// NUL, which no PostgreSQL holds, and are cut to their limits, with an ellipsis
// at the end. An ID that would have to be changed is replaced by its SHA-256,
// so that different ones stay different. Errors: [ErrInvalid] for an empty ID,
// a kind that is not in snake_case or is too long, and a time beyond the year
// 9999.
func (f Failure) Normalize() (Failure, error) {
	switch {
	case f.ID == "":
		return f, fmt.Errorf("%w: the failure has no ID", egrid.ErrInvalid)
	case len(f.Kind) > MaxFailureKind || !failureKind.MatchString(f.Kind):
		return f, fmt.Errorf("%w: failure kind %q is not snake_case of 1 to %d bytes", egrid.ErrInvalid, cut(f.Kind, MaxFailureKind), MaxFailureKind)
	}
	if f.Time.IsZero() {
		f.Time = time.Now()
	}
	f.Time = f.Time.UTC().Truncate(time.Microsecond)
	if year := f.Time.Year(); year < 1 || year > 9999 {
		return f, fmt.Errorf("%w: the failure is of the year %d", egrid.ErrInvalid, year)
	}
	if id := cut(f.ID, MaxFailureID); id != f.ID {
		sum := sha256.Sum256([]byte(f.ID))
		f.ID = "sha256:" + hex.EncodeToString(sum[:])
	}
	f.Where = cut(f.Where, MaxFailureWhere)
	f.Message = cut(f.Message, MaxFailureMessage)
	return f, nil
}

// cut makes text that every store can hold, of at most so many bytes.
func cut(text string, limit int) string {
	const ellipsis, replacement = "…", "\uFFFD"
	text = strings.ReplaceAll(strings.ToValidUTF8(text, replacement), "\x00", replacement)
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// FailureCount is what was recorded of one kind.
type FailureCount struct {
	Kind   string    `json:"kind"`
	Count  int64     `json:"count"`
	First  time.Time `json:"first"`  // the earliest time
	Last   time.Time `json:"last"`   // the latest time
	Latest Failure   `json:"latest"` // the failure of that time; of several, that with the greatest ID
}

// With counts one more failure of the kind, a normalised one. It is for stores,
// as is [SortFailures]: the order in which failures arrive changes nothing.
func (c FailureCount) With(f Failure) FailureCount {
	if c.Count == 0 {
		return FailureCount{Kind: f.Kind, Count: 1, First: f.Time, Last: f.Time, Latest: f}
	}
	c.Count++
	if f.Time.Before(c.First) {
		c.First = f.Time
	}
	if cmp.Or(f.Time.Compare(c.Last), cmp.Compare(f.ID, c.Latest.ID)) > 0 {
		c.Last, c.Latest = f.Time, f
	}
	return c
}

// SortFailures puts the kind with the latest failure first, and kinds of equal
// times in the order of the alphabet.
func SortFailures(counts []FailureCount) {
	slices.SortFunc(counts, func(a, b FailureCount) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Kind, b.Kind))
	})
}
