package egrid

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// FirstYear is the first data year that a sheet may belong to. The last one is
// next year.
const FirstYear = 1990

// CheckYear returns [ErrInvalid] unless year is a data year.
func CheckYear(year int) error {
	if last := time.Now().Year() + 1; year < FirstYear || year > last {
		return fmt.Errorf("%w: data year %d is not in %d-%d", ErrInvalid, year, FirstYear, last)
	}
	return nil
}

// NoRelease names the release that has no mark of its own, in queries where
// the empty release means the newest one.
const NoRelease = "none"

var releasePattern = regexp.MustCompile(`^(v|rev)(\d{1,3})$`)

// ParseRelease reads a release: "" or "none", v1, v2, ..., rev0, rev1, ... in
// either letter case. The error wraps [ErrInvalid].
func ParseRelease(s string) (string, error) {
	r := strings.ToLower(strings.TrimSpace(s))
	if r == "" || r == NoRelease {
		return "", nil
	}
	m := releasePattern.FindStringSubmatch(r)
	if m == nil {
		return "", fmt.Errorf("%w: release %q is none of none, v1, v2 and so on, rev0, rev1 and so on", ErrInvalid, s)
	}
	n, _ := strconv.Atoi(m[2]) // three digits at most
	return m[1] + strconv.Itoa(n), nil
}

// CompareReleases orders the releases of one data year, the newest last:
// none < v1 < v2 and none < rev0 < rev1.
func CompareReleases(a, b string) int {
	rank := func(r string) (int, string) {
		m := releasePattern.FindStringSubmatch(r)
		if m == nil {
			return -1, r
		}
		n, _ := strconv.Atoi(m[2])
		return n, m[1]
	}
	na, ka := rank(a)
	nb, kb := rank(b)
	return cmp.Or(cmp.Compare(na, nb), strings.Compare(ka, kb))
}
