package cell_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

var (
	plain    = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)
	grouped  = regexp.MustCompile(`^[1-9]\d{0,2}(?:(?:,\d{3})+|(?:'\d{3})+|(?:’\d{3})+|(?: \d{3})+|(?:\x{a0}\d{3})+|(?:\x{202f}\d{3})+|(?:\x{2009}\d{3})+)(?:\.\d*)?$`)
	indian   = regexp.MustCompile(`^[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d*)?$`)
	padded   = regexp.MustCompile(`^[+-]?\d*\.\d+0[eE]`)
	unsigned = regexp.MustCompile(`^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)
	dressed  = []struct {
		form     *regexp.Regexp
		negative bool
		shift    int
	}{
		{regexp.MustCompile(`(?s)^\((.*)\)$`), true, 0},
		{regexp.MustCompile(`(?s)^-(.*)$`), true, 0},
		{regexp.MustCompile(`(?s)^(.*)-$`), true, 0},
		{regexp.MustCompile(`(?s)^\+(.*)$`), false, 0},
		{regexp.MustCompile(`(?s)^(.*)%$`), false, 2},
		{regexp.MustCompile(`(?s)^%(.*)$`), false, 2},
	}
)

// undressed finds the digits below signs and percent signs, in any order, each
// at most once.
func undressed(text string, signs, percents int) (digits string, negative bool, shift int, ok bool) {
	text = strings.TrimSpace(text)
	if unsigned.MatchString(text) || grouped.MatchString(text) || indian.MatchString(text) {
		return text, false, 0, true
	}
	for _, d := range dressed {
		m := d.form.FindStringSubmatch(text)
		s, p := signs, percents
		if d.shift > 0 {
			p--
		} else {
			s--
		}
		if m == nil || s < 0 || p < 0 {
			continue
		}
		if digits, negative, shift, ok = undressed(m[1], s, p); ok {
			return digits, negative || d.negative, shift + d.shift, true
		}
	}
	return "", false, 0, false
}

// numberIn reads a number by what the formats are, not by how Parse goes about
// it: the plain digits of the text and by how many places its point moves.
func numberIn(text string) (digits string, shift int, rounded, ok bool) {
	if trimmed := strings.TrimSpace(text); plain.MatchString(trimmed) {
		return trimmed, 0, padded.MatchString(trimmed), true
	}
	if text != "-" && strings.TrimSpace(text) == "-" {
		return "0", 0, true, true
	}
	digits, negative, shift, ok := undressed(strings.ReplaceAll(text, "\u2212", "-"), 1, 1)
	if !ok {
		return "", 0, false, false
	}
	if grouped.MatchString(digits) || indian.MatchString(digits) {
		digits = regexp.MustCompile(`[^0-9.]`).ReplaceAllString(digits, "")
	}
	if negative {
		digits = "-" + digits
	}
	return digits, shift, true, true
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

// scientific is what a spreadsheet's format of that name shows of any number.
var scientific = regexp.MustCompile(`^-?[0-9]\.[0-9]{2}E[+-][0-9]{2}$`)

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
	rounded = rounded || scientific.MatchString(strings.TrimSpace(text))
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
		" -   ", "- ", "450-", "−450", "1.23E−05", "20'961", "20’961.5", "20\u202f961", "20\u00a0961", "1 234 567", "1.0244180931E7", "4.5E+02", "(5)%", "%5", "5 %", "-5.25 %", "−5%-", "-  1,234 ", "( 12 )", "+1,234", " 12 ",
		"1.500E+02", "2.44e+03", "1.0E7", "-9.995000e+02", " 1.50e-05", "1,02,44,181", "(45,12,345.5)", "1,00,000",
		// These are none.
		"", "-", ".", "1,23", "0,368", "-0,368", "012,345", "1'234,567", "1,234 567", "-5-", "(5-)", "%5%", "####", "#DIV/0!", "False", "−", "5−-", "1,2e3", "1,234e5", "1,234.5e2", "1,e23", "3e,213", "1,-23", "12,3456", "--1", "(-5)", "()", "%", "1e", "1e+", "e5", "1.2.3", "1 2", "123,45,678", "1,02,44,18", "1,02,4,181", "1,234,56,789", "1,02,443,181", "1'02'44'181", "0x1", "1_0", "Inf", "NaN",
	} {
		checkDecimal(t, text)
	}
}

// Short reads what Scan reads, all of it, or leaves the text to it.
func checkShort(t *testing.T, text string) {
	t.Helper()
	if len(text) == 0 || len(text) > 8 || strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		return
	}
	for _, behind := range []string{"\x00\x00\x00\x00\x00\x00\x00\x00", "12345678", ",-.,\n-\xff\xfe"} {
		word := binary.LittleEndian.Uint64([]byte(text + behind))
		got, places, ok := cell.Short(word, uint32(len(text)))
		m, want, n := cell.Scan([]byte(text))
		whole := n == len(text)
		leaves := strings.HasSuffix(text, ".")
		if ok != (whole && !leaves) || ok && (got != m || places != want) {
			t.Fatalf("%q: %d of %d places, %v; want %d of %d, %v", text, got, places, ok, m, want, whole)
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	const alphabet = "0159.-,e +/:\x00\x7f"
	for size := 1; size <= 5; size++ { // all texts
		text := make([]byte, size)
		for n := range int(math.Pow(float64(len(alphabet)), float64(size))) {
			for i := range text {
				text[i] = alphabet[n%len(alphabet)]
				n /= len(alphabet)
			}
			checkShort(t, string(text))
		}
	}
	for _, text := range []string{"12345678", "99999999", "-1234567", "1234.567", "-123.456", ".1234567", "1234567.", "12.34.56", "0000.000", "1-234567", "1234567-"} {
		checkShort(t, text)
	}
}

// A number is read as the float nearest to its text, however it is written.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0.1", "-346000.5", "1.79E-03", "(2,443)", "5.25%", "0.123456789012345%", "(1,234.5 %)", "123456789012345678%", "1,2e3", "1e308%", "1,02,44,181", "1.50E+03"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 {
			return
		}
		checkDecimal(t, text)
		checkShort(t, text)
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
