package egrid

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Value is one cell: text, an integer, a number, a flag, or missing. Missing
// is a state of its own: blank, "--" and "N/A" are missing, 0 is not.
//
// The zero Value is missing. Values are immutable and safe to share.
type Value struct {
	typ  valueType
	bits uint64
	text string
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

// MarshalJSON writes null, a string, a number or a boolean. Values of type
// number always have a decimal point, so that an integer reads back as one.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil), nil }

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
// format: "20,961", " (2,443)" for -2443, "5.25%" for 0.0525, " -   " for 0; rounded
// is true for those, because digits may be gone. Blank, "--" and "N/A" are missing
// for every type. So is, where no text can be a value, what tools write for a
// missing cell: "NA", "NaN", "NULL", "None", "#N/A", ".", "\N". Anything else is an
// error that says what was expected; it wraps [ErrInvalid].
func ParseValue(t Type, s string) (v Value, rounded bool, err error) {
	trimmed := strings.TrimSpace(s)
	if cell.Blank(trimmed) {
		return Value{}, false, nil
	}
	if t == Text {
		return TextOf(trimmed), false, nil
	}
	if cell.Missing(s) {
		return Value{}, false, nil
	}
	switch t {
	case Integer:
		return parseInteger(s)
	case Number:
		d, err := cell.Parse(s)
		if err != nil {
			return Value{}, false, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return NumberOf(d.Nearest()), d.Rounded, nil
	default:
		v, err := parseFlag(trimmed)
		return v, false, err
	}
}

func parseFlag(s string) (Value, error) {
	switch strings.ToLower(s) {
	case "yes", "y", "1", "true", "t":
		return FlagOf(true), nil
	case "no", "n", "0", "false", "f":
		return FlagOf(false), nil
	}
	switch n, _ := cell.Whole(s); n { // 1.000
	case "1":
		return FlagOf(true), nil
	case "0":
		return FlagOf(false), nil
	}
	return Value{}, fmt.Errorf("%w: not a flag; expected Yes or No", ErrInvalid)
}

func parseInteger(s string) (v Value, rounded bool, err error) {
	if i, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
		return IntegerOf(i), false, nil
	}
	d, err := cell.Parse(s)
	switch {
	case errors.Is(err, cell.ErrNumber):
		return Value{}, false, fmt.Errorf("%w: not a whole number", ErrInvalid)
	case err != nil:
		return Value{}, false, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	f := d.Nearest()
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return Value{}, false, fmt.Errorf("%w: not a whole number", ErrInvalid)
	}
	return IntegerOf(int64(f)), d.Rounded, nil
}
