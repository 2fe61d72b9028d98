package cell_test

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

var (
	plain   = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)
	grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$`)
)

// numberIn reads a number by what the formats are, not by how Parse goes about
// it: the plain digits of the text and by how many places its point moves.
func numberIn(text string) (digits string, shift int, rounded, ok bool) {
	if plain.MatchString(text) {
		return text, 0, false, true
	}
	negative := false
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		negative, text = true, strings.TrimSpace(text[1:len(text)-1])
	}
	if strings.HasSuffix(text, "%") {
		shift, text = 2, strings.TrimSpace(strings.TrimSuffix(text, "%"))
	}
	if !plain.MatchString(text) && !grouped.MatchString(text) || negative && strings.ContainsAny(text[:1], "+-") {
		return "", 0, false, false
	}
	text = strings.ReplaceAll(text, ",", "")
	if negative {
		text = "-" + text
	}
	return text, shift, true, true
}

// nearest is the float nearest to digits / 10^shift; false when it is beyond
// the floats, or so long that it is not worth the time.
func nearest(digits string, shift int) (float64, bool) {
	mantissa, exponent, has := strings.Cut(strings.ToLower(digits), "e")
	if has {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > 400 || e < -400 {
			return 0, false
		}
		shift -= e
	}
	r, ok := new(big.Rat).SetString(strings.TrimPrefix(mantissa, "+"))
	if !ok {
		return 0, false
	}
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil))
	if shift >= 0 {
		r.Quo(r, ten)
	} else {
		r.Mul(r, ten)
	}
	f, _ := r.Float64()
	return f, true
}

func checkDecimal(t *testing.T, text string) {
	t.Helper()
	d, err := cell.Parse(text)
	digits, shift, rounded, ok := numberIn(text)
	if (err == nil) != ok && (err == nil || !strings.Contains(err.Error(), "range")) {
		t.Fatalf("%q: got %+v, %v; a number: %v", text, d, err, ok)
	}
	if err != nil {
		return
	}
	if d.Rounded != rounded {
		t.Errorf("%q: rounded %v; want %v", text, d.Rounded, rounded)
	}
	want, ok := nearest(digits, shift)
	if !ok {
		return
	}
	check := func(what string, d cell.Decimal, want float64) {
		t.Helper()
		if got := d.Nearest(); got != want || d.Float != want {
			t.Errorf("%q, %s: got %v and %v; want %v (%+v)", text, what, got, d.Float, want, d)
		}
		if d.Exact && (d.Places < 0 || d.Places > cell.MaxPlaces || d.Mantissa > cell.MaxMantissa || d.Mantissa < -cell.MaxMantissa) {
			t.Errorf("%q, %s: %d of %d places is not exact", text, what, d.Mantissa, d.Places)
		}
	}
	check("parsed", d, want)
	check("negated", d.Negate(), -want)
	if shifted, ok := nearest(digits, shift+2); ok {
		check("shifted", d.Shift(2), shifted)
		check("negated and shifted", d.Negate().Shift(2), -shifted)
		check("shifted and negated", d.Shift(2).Negate(), -shifted)
	}
}

func TestDecimals(t *testing.T) {
	for _, text := range []string{
		"0", "-0", "0.1", "5.", ".5", "+.5", "1e3", "1.79E-03", "0.123456789012345", "999999999999999", "1234567890123456", "9007199254740993", "0.1234567890123456789",
		"20,961", "(2,443)", "(1.5%)", "5.25%", "0.123456789012345%", "1234567890123.456789%", "1e22%", "-1,234", "4.35", "100.5",
		// These are none.
		"", "-", ".", "1,23", "1,2e3", "1,234e5", "1,234.5e2", "1,e23", "3e,213", "1,-23", "12,3456", "--1", "(-5)", "()", "%", "1e", "1e+", "e5", "1.2.3", "1 2", "0x1", "1_0", "Inf", "NaN",
	} {
		checkDecimal(t, text)
	}
}

// A number is read as the float nearest to its text, however it is written.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0.1", "-346000.5", "1.79E-03", "(2,443)", "5.25%", "0.123456789012345%", "(1,234.5 %)", "123456789012345678%", "1,2e3", "1e308%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 {
			return
		}
		checkDecimal(t, strings.TrimSpace(text))
		m, places, n := cell.Scan([]byte(text))
		if n == 0 {
			return
		}
		want, ok := nearest(text[:n], 0)
		if !ok || !plain.MatchString(text[:n]) || float64(m)/cell.Powers[places] != want {
			t.Errorf("%q: scanned %q as %d of %d places; want %v", text, text[:n], m, places, want)
		}
		if n < len(text) && strings.ContainsRune("0123456789", rune(text[n])) {
			t.Errorf("%q: scanning ends between digits, at %d", text, n)
		}
	})
}
