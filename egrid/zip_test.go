package egrid_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func ExampleParseZIP() {
	for _, text := range []string{"97201", "3850", "03850-1234"} {
		zip, err := egrid.ParseZIP(text)
		fmt.Println(zip, err)
	}
	// Output:
	// 97201 <nil>
	// 03850 <nil>
	// 03850 <nil>
}

func TestParseZIP(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"97201": "97201", " 03850 ": "03850", "3850": "03850", "3850.0": "03850", "3,850": "03850", "501": "00501", "2": "00002", "9.7201E+04": "97201",
		"03850-1234": "03850", "3850-1234": "03850", "038501234": "03850", "38501234": "03850", "00501": "00501",
	} {
		if got, err := egrid.ParseZIP(text); got != want || err != nil {
			t.Errorf("ParseZIP(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", "-", "H3Z 2Y7", "3850.5", "-3850", "385012", "3850123", "1234567890", "97201-12", "97201-12345", "97201 OR", "٣٨٥٠", "ZIP", "97201/97202"} {
		if got, err := egrid.ParseZIP(text); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("ParseZIP(%q) = %q, %v; want ErrInvalid", text, got, err)
		}
	}
}
