package egrid

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

var (
	writtenZIP = regexp.MustCompile(`^(\d{1,5})(?:-\d{4})?$`)
	longZIP    = regexp.MustCompile(`^(\d{4,5})\d{4}$`)
)

// ParseZIP brings a ZIP code to its normal form of five digits. It reads what
// tables have: zeros that a spreadsheet took away come back (3850 and 3850.0 are
// 03850), and the last four digits of a ZIP+4 code are left out (03850-1234,
// 038501234). The error wraps [ErrInvalid].
func ParseZIP(s string) (string, error) {
	text, _ := cell.Whole(strings.TrimSpace(s))
	m := writtenZIP.FindStringSubmatch(text)
	if m == nil {
		m = longZIP.FindStringSubmatch(text)
	}
	if m == nil {
		return "", fmt.Errorf("%w: %q is not a ZIP code, which has five digits, or nine as 03850-1234", ErrInvalid, s)
	}
	return strings.Repeat("0", 5-len(m[1])) + m[1], nil
}
