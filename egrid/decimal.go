package egrid

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// decimal is a number as its text has it: mantissa / 10^places where it is
// exact, which takes up to 15 digits, and else a float.
type decimal struct {
	mantissa int64
	places   int
	float    float64
	exact    bool
	rounded  bool // the text was in a display format
}

// value is the float nearest to the text.
func (d decimal) value() Value {
	if d.exact {
		return NumberOf(float64(d.mantissa) / powers[d.places])
	}
	return NumberOf(d.float)
}

// shift moves the decimal point to the left, which divides by 10^places without
// rounding twice.
func (d decimal) shift(places int) decimal {
	if d.exact = d.exact && d.places+places <= maxScale; d.exact {
		d.places += places
		return d
	}
	d.float /= math.Pow10(places)
	return d
}

func (d decimal) negate() decimal {
	d.mantissa, d.float = -d.mantissa, -d.float
	return d
}

// scanDecimal reads plain digits with an optional sign and point off the front
// of s: at most 15 digits, at most 15 of them behind the point. n is 0 when s
// does not begin so.
func scanDecimal(s []byte) (mantissa int64, places, n int) {
	i := 0
	negative := false
	if i < len(s) && s[i] == '-' {
		negative = true
		i++
	}
	first := i
	point := -1
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c <= 9 {
			mantissa = 10*mantissa + int64(c)
			if i-first > 16 {
				return 0, 0, 0
			}
			continue
		}
		if s[i] != '.' || point >= 0 {
			break
		}
		point = i
	}
	digits := i - first
	if point >= 0 {
		digits--
		places = i - point - 1
	}
	if digits == 0 || digits > maxScale {
		return 0, 0, 0
	}
	if negative {
		mantissa = -mantissa
	}
	return mantissa, places, i
}

// parseDecimal accepts plain decimals with an optional exponent, and the
// display formats. It refuses what strconv would also take (hexadecimal,
// underscores, "Inf", "NaN").
func parseDecimal(s string) (decimal, error) {
	if plainNumber(s) {
		return plainDecimal(s)
	}
	bad := fmt.Errorf("%w: not a number", ErrInvalid)
	negative, percent := false, false
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		negative, s = true, strings.TrimSpace(s[1:len(s)-1])
	}
	if strings.HasSuffix(s, "%") {
		percent, s = true, strings.TrimSpace(s[:len(s)-1])
	}
	if strings.Contains(s, ",") {
		var ok bool
		if s, ok = ungroup(s); !ok {
			return decimal{}, bad
		}
	}
	if !plainNumber(s) || negative && (s[0] == '-' || s[0] == '+') {
		return decimal{}, bad
	}
	d, err := plainDecimal(s)
	if err != nil {
		return d, err
	}
	if negative {
		d = d.negate()
	}
	if percent {
		d = d.shift(2)
	}
	d.rounded = true
	return d, nil
}

// plainDecimal reads what plainNumber accepts.
func plainDecimal(s string) (decimal, error) {
	if m, places, n := scanDecimal([]byte(s)); n == len(s) {
		return decimal{mantissa: m, places: places, float: float64(m) / powers[places], exact: true}, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return decimal{}, fmt.Errorf("%w: the number is out of range", ErrInvalid)
	case err != nil:
		return decimal{}, fmt.Errorf("%w: not a number", ErrInvalid)
	}
	return decimal{float: f}, nil
}

func plainNumber(s string) bool {
	if s == "" {
		return false
	}
	digits := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '.':
		case c == '-' || c == '+':
			if i > 0 && s[i-1] != 'e' && s[i-1] != 'E' {
				return false
			}
		case c == 'e' || c == 'E':
			if !digits || i == len(s)-1 {
				return false
			}
		default:
			return false
		}
	}
	return digits
}

// ungroup removes thousands separators that stand where they should, so that
// "1,23" is an error and not 123.
func ungroup(s string) (string, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	first := strings.TrimLeft(groups[0], "+-")
	if len(first) == 0 || len(first) > 3 || strings.Contains(fraction, ",") {
		return "", false
	}
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return "", false
		}
	}
	return strings.ReplaceAll(s, ",", ""), true
}
