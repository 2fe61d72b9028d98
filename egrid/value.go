package egrid

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is one cell: text, an integer, a number, a flag, or missing. Missing
// is a state of its own: blank, "--" and "N/A" are missing, 0 is not.
//
// The zero Value is missing. Values are immutable and safe to share.
type Value struct {
	typ   valueType
	lossy bool
	bits  uint64
	text  string
}

type valueType uint8

const (
	missing valueType = iota
	integer
	number
	flag
	text
)

// TextOf returns a text value; the empty text is missing.
func TextOf(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{typ: text, text: s}
}

// IntegerOf returns an integer value.
func IntegerOf(i int64) Value { return Value{typ: integer, bits: uint64(i)} }

// NumberOf returns a number value. NaN and the infinities are missing: no
// store and no JSON can hold them. Negative zero becomes zero.
func NumberOf(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{typ: number, bits: math.Float64bits(f + 0)}
}

// SumOf returns a computed total as a number value of 15 significant digits:
// as many as a 64-bit float keeps of a decimal. So figures of three decimals
// add up to one of three decimals, 30820509.999 and not 30820509.998999998.
func SumOf(f float64) Value {
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return NumberOf(f) // beyond the largest float, or none
	}
	return NumberOf(r)
}

// FlagOf returns a flag value.
func FlagOf(b bool) Value {
	v := Value{typ: flag}
	if b {
		v.bits = 1
	}
	return v
}

// IsMissing reports whether the cell holds nothing.
func (v Value) IsMissing() bool { return v.typ == missing }

// Lossy reports that the file held the value rounded for display (with
// thousands separators, in parentheses or in percent), so that digits may be
// gone. It is a mark on the way in; stores keep it per column, not per value.
func (v Value) Lossy() bool { return v.lossy }

// Type returns the value's type, empty when it is missing.
func (v Value) Type() Type {
	switch v.typ {
	case integer:
		return Integer
	case number:
		return Number
	case flag:
		return Flag
	case text:
		return Text
	}
	return ""
}

// Float returns an integer or number as a float64.
func (v Value) Float() (float64, bool) {
	switch v.typ {
	case integer:
		return float64(int64(v.bits)), true
	case number:
		return math.Float64frombits(v.bits), true
	}
	return 0, false
}

// Int returns an integer value.
func (v Value) Int() (int64, bool) { return int64(v.bits), v.typ == integer }

// Bool returns a flag value.
func (v Value) Bool() (yes, ok bool) { return v.bits != 0, v.typ == flag }

// String returns the value as CSV output writes it: the shortest decimal that
// reads back the same, true or false, the text itself, nothing when missing.
func (v Value) String() string {
	switch v.typ {
	case integer:
		return strconv.FormatInt(int64(v.bits), 10)
	case number:
		return strconv.FormatFloat(math.Float64frombits(v.bits), 'f', -1, 64)
	case flag:
		return strconv.FormatBool(v.bits != 0)
	}
	return v.text
}

// Any returns nil, string, int64, float64 or bool.
func (v Value) Any() any {
	switch v.typ {
	case integer:
		return int64(v.bits)
	case number:
		return math.Float64frombits(v.bits)
	case flag:
		return v.bits != 0
	case text:
		return v.text
	}
	return nil
}

// MarshalJSON writes null, a string, a number or a boolean.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.Any()) }

// UnmarshalJSON reads what MarshalJSON wrote. A number without fraction or
// exponent becomes an integer; comparisons do not tell it from a number.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&x); err != nil {
		return err
	}
	switch x := x.(type) {
	case nil:
		*v = Value{}
	case string:
		*v = TextOf(x)
	case bool:
		*v = FlagOf(x)
	case json.Number:
		if i, err := x.Int64(); err == nil {
			*v = IntegerOf(i)
			return nil
		}
		f, err := x.Float64()
		if err != nil {
			return err
		}
		*v = NumberOf(f)
	default:
		return fmt.Errorf("%w: a value is null, text, a number or a boolean, not %s", ErrInvalid, b)
	}
	return nil
}

// Compare orders values as every store sorts them: numbers by size, flags no
// before yes, texts byte by byte, and missing after everything else. Of
// different types, numbers come first, then flags, then texts.
func (v Value) Compare(w Value) int {
	if a, b := v.rank(), w.rank(); a != b {
		return cmp.Compare(a, b)
	}
	switch v.typ {
	case integer, number:
		return v.compareNumeric(w)
	case flag:
		return cmp.Compare(v.bits, w.bits)
	case text:
		return strings.Compare(v.text, w.text)
	}
	return 0
}

// compareNumeric compares exactly: an integer beyond 2^53 differs from the
// floats next to it.
func (v Value) compareNumeric(w Value) int {
	switch {
	case v.typ == number && w.typ == number:
		return cmp.Compare(math.Float64frombits(v.bits), math.Float64frombits(w.bits))
	case v.typ == number:
		return -w.compareNumeric(v)
	case w.typ == integer:
		return cmp.Compare(int64(v.bits), int64(w.bits))
	}
	switch f := math.Float64frombits(w.bits); {
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	default:
		whole, fraction := math.Modf(f)
		return cmp.Or(cmp.Compare(int64(v.bits), int64(whole)), cmp.Compare(0, fraction))
	}
}

func (v Value) rank() int {
	switch v.typ {
	case integer, number:
		return 0
	case flag:
		return 1
	case text:
		return 2
	}
	return 3
}

// ParseValue reads text as a value of type t. Numbers may stand in a display
// format: "20,961", " (2,443)" for -2443, "5.25%" for 0.0525; they come back
// marked lossy. Blank, "--" and "N/A" are missing for every type; "NA" is a
// code and stays text. Anything else is an error that says what was expected.
func ParseValue(t Type, s string) (Value, error) {
	s = strings.TrimSpace(s)
	if isBlankMark(s) {
		return Value{}, nil
	}
	switch t {
	case Integer:
		return parseInteger(s)
	case Number:
		return parseNumber(s)
	case Flag:
		return parseFlag(s)
	default:
		return TextOf(s), nil
	}
}

func isBlankMark(s string) bool {
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

func parseFlag(s string) (Value, error) {
	switch strings.ToLower(s) {
	case "yes", "y", "1", "1.0", "true", "t":
		return FlagOf(true), nil
	case "no", "n", "0", "0.0", "false", "f":
		return FlagOf(false), nil
	}
	return Value{}, fmt.Errorf("%w: not a flag; expected Yes or No", ErrInvalid)
}

func parseInteger(s string) (Value, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return IntegerOf(i), nil
	}
	v, err := parseNumber(s)
	if err != nil {
		return Value{}, fmt.Errorf("%w: not a whole number", ErrInvalid)
	}
	f, _ := v.Float()
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return Value{}, fmt.Errorf("%w: not a whole number", ErrInvalid)
	}
	w := IntegerOf(int64(f))
	w.lossy = v.lossy
	return w, nil
}

// parseNumber accepts plain decimals with an optional exponent, and the
// display formats. It refuses what strconv would also take (hexadecimal,
// underscores, "Inf", "NaN").
func parseNumber(s string) (Value, error) {
	if plainNumber(s) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return Value{}, fmt.Errorf("%w: the number is out of range", ErrInvalid)
		}
		return NumberOf(f), nil
	}
	return parseDisplayNumber(s)
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

func parseDisplayNumber(s string) (Value, error) {
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
			return Value{}, bad
		}
	}
	if !plainNumber(s) || negative && (s[0] == '-' || s[0] == '+') {
		return Value{}, bad
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Value{}, fmt.Errorf("%w: the number is out of range", ErrInvalid)
	}
	if negative {
		f = -f
	}
	if percent {
		f /= 100
	}
	v := NumberOf(f)
	v.lossy = true
	return v, nil
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
