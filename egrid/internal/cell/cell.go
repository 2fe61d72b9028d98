// Package cell reads how numbers and blanks stand in the cells of a sheet.
package cell

import (
	"errors"
	"strconv"
	"strings"
)

var (
	errNumber = errors.New("not a number")
	errRange  = errors.New("the number is out of range")
)

// Decimal is a number as its text has it: Mantissa / 10^Places where it is
// Exact, which takes up to 15 digits, and else a Float.
type Decimal struct {
	Mantissa int64
	Places   int
	Float    float64
	Exact    bool
	Rounded  bool   // the text was in a display format
	digits   string // plain, where it is not Exact
}

// Nearest is the float nearest to the text.
func (d Decimal) Nearest() float64 {
	if d.Exact {
		return float64(d.Mantissa) / Powers[d.Places]
	}
	return d.Float
}

// Powers of ten by which a Decimal is divided; all are exact.
var Powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// MaxPlaces is the most decimal places of a Decimal, and MaxMantissa its largest
// mantissa: within both, dividing gives the float nearest to the decimal.
const (
	MaxPlaces   = len(Powers) - 1
	MaxMantissa = 1 << 53
)

// Blank reports whether trimmed text marks a missing cell: nothing, -- or N/A.
func Blank(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 2:
		return s == "--"
	case 3:
		return s == "N/A" || s == "n/a"
	}
	return false
}

// Shift moves the decimal point to the left, in the text: dividing would round
// twice.
func (d Decimal) Shift(places int) Decimal {
	if d.Exact && d.Places+places <= MaxPlaces {
		d.Places += places
		d.Float = d.Nearest()
		return d
	}
	if d.Exact {
		d.Exact, d.digits = false, strconv.FormatInt(d.Mantissa, 10)+"e-"+strconv.Itoa(d.Places)
	}
	mantissa, exponent, has := strings.Cut(strings.ToLower(d.digits), "e")
	e := 0
	if has {
		var err error
		if e, err = strconv.Atoi(exponent); err != nil {
			return d // beyond an int: it is 0 and stays so
		}
	}
	d.digits = mantissa + "e" + strconv.Itoa(e-places)
	if f, err := strconv.ParseFloat(d.digits, 64); err == nil {
		d.Float = f
	}
	return d
}

// Negate changes the sign.
func (d Decimal) Negate() Decimal {
	d.Mantissa, d.Float = -d.Mantissa, -d.Float
	if rest, was := strings.CutPrefix(d.digits, "-"); was {
		d.digits = rest
	} else if d.digits != "" {
		d.digits = "-" + strings.TrimPrefix(d.digits, "+")
	}
	return d
}

// Scan reads plain digits with an optional sign and point off the front
// of s: at most 15 digits, at most 15 of them behind the point. n is 0 when s
// does not begin so.
func Scan(s []byte) (mantissa int64, places, n int) {
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
	if digits == 0 || digits > MaxPlaces {
		return 0, 0, 0
	}
	if negative {
		mantissa = -mantissa
	}
	return mantissa, places, i
}

// Parse accepts plain decimals with an optional exponent, and the
// display formats. It refuses what strconv would also take (hexadecimal,
// underscores, "Inf", "NaN").
func Parse(s string) (Decimal, error) {
	if plainNumber(s) {
		return plainDecimal(s)
	}
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
			return Decimal{}, errNumber
		}
	}
	if !plainNumber(s) || negative && (s[0] == '-' || s[0] == '+') {
		return Decimal{}, errNumber
	}
	d, err := plainDecimal(s)
	if err != nil {
		return d, err
	}
	if negative {
		d = d.Negate()
	}
	if percent {
		d = d.Shift(2)
	}
	d.Rounded = true
	return d, nil
}

// plainDecimal reads what plainNumber accepts.
func plainDecimal(s string) (Decimal, error) {
	if m, places, n := Scan([]byte(s)); n == len(s) {
		return Decimal{Mantissa: m, Places: places, Float: float64(m) / Powers[places], Exact: true}, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Decimal{}, errRange
	case err != nil:
		return Decimal{}, errNumber
	}
	return Decimal{Float: f, digits: s}, nil
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
	groups[0] = strings.TrimLeft(groups[0], "+-")
	if len(groups[0]) == 0 || len(groups[0]) > 3 {
		return "", false
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 {
			return "", false
		}
	}
	if strings.Trim(strings.Join(groups, "")+fraction, "0123456789") != "" {
		return "", false
	}
	return strings.ReplaceAll(s, ",", ""), true
}
