// Package cell reads how numbers and blanks stand in the cells of a sheet.
package cell

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Why a cell is no number. ErrNumber is for text that is simply none.
var (
	ErrNumber  = errors.New("not a number")
	errRange   = errors.New("the number is out of range")
	errNarrow  = errors.New("not a number: the column was too narrow to show it; widen the column and save the file again")
	errTruth   = errors.New("not a number but true or false: a tool took a column of zeros and ones for flags; write the file without guessing of types")
	errScript  = errors.New("not a number in the digits and signs that are read; set the language of the cells to English (USA) and save the file again")
	errOpen    = errors.New("not a number: a formula that nothing has calculated; open the workbook in a spreadsheet program and save it there")
	errFormula = errors.New("not a number: a formula of the spreadsheet failed; mend the formula or clear the cell")
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

// Missing reports whether text marks a missing number or flag: [Blank], or what R,
// pandas, SQL, statistics programs and spreadsheets write for one. A dash is one
// without blanks around it: with them it is how accounting formats show zero.
func Missing(s string) bool {
	if s == "-" {
		return true
	}
	s = strings.TrimSpace(s)
	return Blank(s) || s == "NA" || Null(s)
}

// Null reports whether trimmed text is what a tool writes for a missing cell and
// nobody for a text. NA is not among them: it is a code, too.
func Null(s string) bool {
	switch s {
	case ".", `\N`, "<NA>", "#N/A", "#NV", "NULL", "null", "NaN", "nan", "None":
		return true
	}
	return false
}

// MaxMark is how long a mark of a missing cell is at most.
const MaxMark = 4

// FailedFormula reports whether trimmed text is an error of a spreadsheet, such as
// #DIV/0!, other than #N/A.
func FailedFormula(s string) bool {
	return len(s) > 2 && s[0] == '#' && (s[len(s)-1] == '!' || s[len(s)-1] == '?')
}

// Swap exchanges points and commas: a number with a decimal comma becomes one with
// a point.
func Swap(s string) string {
	if !strings.ContainsAny(s, ".,") {
		return s
	}
	return strings.NewReplacer(".", ",", ",", ".").Replace(s)
}

// DecimalSign says what the text of a number shows about signs: the sign that stands
// for decimals, with certain, or one that could as well stand between thousands; 0
// where there is neither, and where the text is a number by neither sign, as 12.5.1.
func DecimalSign(s string) (sign byte, certain bool) {
	shown, _, _ := undress(strings.TrimSpace(s))
	text, _, exponent := strings.Cut(strings.ToLower(shown), "e")
	s = strings.Map(func(r rune) rune {
		if r != ',' && strings.ContainsRune(separators, r) {
			return -1
		}
		return r
	}, text)
	if strings.Trim(s, "0123456789.,") != "" {
		return 0, false
	}
	commas, points := strings.Count(s, ","), strings.Count(s, ".")
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return 0, false
	}
	if commas+points > 1 {
		if _, err := Parse(shown); err == nil {
			return '.', true
		}
		if _, err := Parse(Swap(shown)); err == nil {
			return ',', true
		}
		return 0, false
	}
	return s[last], exponent || len(s) < len(text) || last == 0 || last > 3 || s[0] == '0' || len(s)-last != 4
}

// Unprotect takes off what keeps a spreadsheet from reading a text as a number:
// ="0290" is 0290.
func Unprotect(s string) string {
	if rest, ok := strings.CutPrefix(s, `="`); ok {
		if inner, ok := strings.CutSuffix(rest, `"`); ok {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

// Whole brings a whole number to its plain digits, as identifiers need it: 3.0,
// 55,077 and 5.7053E+04 are 3, 55077 and 57053. Digits stay as they are, with zeros
// in front. It returns false for text that is no whole number.
func Whole(s string) (string, bool) {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return s, true
	}
	d, err := Parse(s)
	if f := d.Nearest(); err == nil && f >= 0 && f == math.Trunc(f) && f <= MaxMantissa {
		return strconv.FormatInt(int64(f), 10), true
	}
	return s, false
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

const ones, highs = 0x0101010101010101, 0x8080808080808080

// noDigits has the highest bit of each byte that is more than 9, and no byte of x
// is beyond ASCII.
func noDigits(x uint64) uint64 { return (x + (0x7f-9)*ones) & highs }

// Digits reports whether a text of one to eight bytes of ASCII has nothing but
// digits: the first n bytes of word, the lowest first.
func Digits(word uint64, n uint32) bool { return noDigits((word^'0'*ones)<<((64-8*n)&63)) == 0 }

// Short reads what [Scan] does, where the whole text is one to eight bytes, all of
// them ASCII: the first n bytes of word, the lowest first. It reports false for a
// text that Scan has to decide on, and for one that is no such number.
func Short(word uint64, n uint32) (mantissa int64, places int, ok bool) {
	const minus, point = '-' ^ '0', '.' ^ '0'
	first := (64 - 8*n) & 63 // where the first byte will be, behind zeros
	x := (word ^ '0'*ones) << first
	negative := byte(x>>first) == minus
	if negative {
		x &^= 0xff << first
	}
	if others := noDigits(x); others != 0 {
		at := uint32(bits.TrailingZeros64(others)) &^ 7
		if byte(x>>at) != point || others&(others-1) != 0 || at == 56 {
			return 0, 0, false
		}
		places = int(7 - at/8)
		before := x & (1<<at - 1)
		x = x>>(at+8)<<(at+8) | before<<8
	} else if negative && n == 1 {
		return 0, 0, false
	}
	// Two digits, then four, then eight become one number, side by side.
	x = x*10 + x>>8
	const pairs = 0x000000ff000000ff
	x = (x&pairs*(100+1000000<<32) + x>>16&pairs*(1+10000<<32)) >> 32
	if mantissa = int64(x); negative {
		mantissa = -mantissa
	}
	return mantissa, places, true
}

// Parse accepts plain decimals with an optional exponent, and the display formats
// of spreadsheets and other tools: thousands separators (commas, apostrophes, blanks;
// in India 1,02,44,181), a sign behind the number or as U+2212, parentheses around
// negative numbers, percent, a dash between blanks for zero, and exponents behind a
// fixed number of digits (1.500E+02). It refuses what strconv would also take (hexadecimal,
// underscores, "Inf", "NaN").
func Parse(s string) (Decimal, error) {
	trimmed := strings.TrimSpace(s)
	switch {
	case plainNumber(trimmed):
		d, err := plainDecimal(trimmed)
		d.Rounded = err == nil && (scientific(trimmed) || padded(trimmed))
		return d, err
	case trimmed == "-" && trimmed != s:
		return Decimal{Exact: true, Rounded: true}, nil
	}
	digits, negative, percent := undress(trimmed)
	digits, grouped := ungroup(digits)
	if !grouped || !plainNumber(digits) || digits[0] == '-' || digits[0] == '+' {
		return Decimal{}, whyNot(trimmed)
	}
	d, err := plainDecimal(digits)
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

// scientific reports whether text is what the scientific format of spreadsheets
// shows, of any number: three digits, as 4.17E+05.
func scientific(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) == len("4.17E+05") && s[1] == '.' && s[4] == 'E' && (s[5] == '+' || s[5] == '-')
}

// padded reports whether a plain number with an exponent was written with a fixed
// number of digits, as 1.500E+02. 1.0E7 is how Java
// writes ten million.
func padded(s string) bool {
	e := strings.IndexAny(s, "eE")
	if e < 0 {
		return false
	}
	_, fraction, _ := strings.Cut(s[:e], ".")
	return len(fraction) > 1 && fraction[len(fraction)-1] == '0'
}

// minus is U+2212, which some formats have for the sign.
const minus = "\u2212"

// undress takes off what stands around the digits: one sign in any form, and one
// percent sign.
func undress(s string) (digits string, negative, percent bool) {
	s = strings.ReplaceAll(s, minus, "-")
	signed := false
	for s != "" {
		last := len(s) - 1
		switch {
		case !percent && s[last] == '%':
			percent, s = true, s[:last]
		case !percent && s[0] == '%':
			percent, s = true, s[1:]
		case signed:
			return s, negative, percent
		case last > 0 && s[0] == '(' && s[last] == ')':
			signed, negative, s = true, true, s[1:last]
		case s[0] == '-':
			signed, negative, s = true, true, s[1:]
		case s[last] == '-':
			signed, negative, s = true, true, s[:last]
		case s[0] == '+':
			signed, s = true, s[1:]
		default:
			return s, negative, percent
		}
		s = strings.TrimSpace(s)
	}
	return s, negative, percent
}

// whyNot says why trimmed text is no number.
func whyNot(s string) error {
	switch {
	case strings.Trim(s, "#") == "":
		return errNarrow
	case strings.EqualFold(s, "true"), strings.EqualFold(s, "false"):
		return errTruth
	case FailedFormula(s):
		return errFormula
	case strings.HasPrefix(s, "="):
		return errOpen
	case strings.ContainsFunc(s, func(r rune) bool { return r == '\u066b' || r == '\u066c' || r > unicode.MaxASCII && unicode.IsDigit(r) }):
		return errScript
	}
	return ErrNumber
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
		return Decimal{}, ErrNumber
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

// separators stand between thousands, in one locale or another.
const separators = ",'\u2019 \u00a0\u202f\u2009"

// ungroup removes thousands separators that stand where they should, so that
// "1,23" is an error and not 123; nor is "0,368" 368.
func ungroup(s string) (string, bool) {
	i := strings.IndexAny(s, separators)
	if i < 0 {
		return s, true
	}
	separator, _ := utf8.DecodeRuneInString(s[i:])
	whole, fraction, point := strings.Cut(s, ".")
	groups := strings.Split(whole, string(separator))
	if len(groups[0]) == 0 || len(groups[0]) > 3 || groups[0][0] == '0' {
		return "", false
	}
	last := len(groups) - 1
	indian := separator == ',' && last > 1 && len(groups[1]) == 2 && len(groups[0]) <= 2
	for i, g := range groups[1:] {
		if want := 3; len(g) != want && !(indian && len(g) == 2 && i+1 < last) || indian && len(g) == want && i+1 < last {
			return "", false
		}
	}
	s = strings.Join(groups, "")
	if strings.Trim(s+fraction, "0123456789") != "" {
		return "", false
	}
	if point {
		s += "." + fraction
	}
	return s, true
}
