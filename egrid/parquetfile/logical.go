package parquetfile

import (
	"errors"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// logicalCell is how cells are written whose type says more than how they are
// kept. It is not ok where that makes no difference.
func logicalCell(t parquet.Type, logical format.LogicalTypeValue) (appendCell func([]byte, parquet.Value) ([]byte, error), why string, ok bool) {
	const noDate = "dates or times, and no column of eGRID is; write it as text, or leave it out"
	switch l := logical.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType, *format.NullType:
		return nil, "", false
	case *format.IntType:
		if l.IsSigned {
			return nil, "", false
		}
		if t.Kind() == parquet.Int32 {
			return func(dst []byte, v parquet.Value) ([]byte, error) {
				return strconv.AppendUint(dst, uint64(v.Uint32()), 10), nil
			}, "", true
		}
		return func(dst []byte, v parquet.Value) ([]byte, error) { return strconv.AppendUint(dst, v.Uint64(), 10), nil }, "", true
	case *format.DecimalType:
		return decimalCell(t.Kind(), int(l.Scale)), "", true
	case *format.DateType, *format.TimeType, *format.TimestampType:
		return nil, noDate, true
	}
	return nil, "the type " + logical.String() + ", which is no cell; write it as text", true
}

// maxScale bounds the decimals of a decimal: that of the widest there are.
const maxScale = 76

// decimalCell writes decimals with all their digits.
func decimalCell(kind parquet.Kind, scale int) func([]byte, parquet.Value) ([]byte, error) {
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		n := new(big.Int)
		switch kind {
		case parquet.Int32:
			n.SetInt64(int64(v.Int32()))
		case parquet.Int64:
			n.SetInt64(v.Int64())
		default:
			bytes := v.ByteArray()
			if n.SetBytes(bytes); len(bytes) > 0 && bytes[0]&0x80 != 0 { // two's complement
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
			}
		}
		if scale < 0 || scale > maxScale || n.BitLen() > 256 {
			return dst, errors.New("a decimal of more than 76 digits")
		}
		if n.Sign() < 0 {
			dst = append(dst, '-')
			n.Neg(n)
		}
		digits := n.String()
		for len(digits) <= scale {
			digits = "0" + digits
		}
		dst = append(dst, digits[:len(digits)-scale]...)
		if scale > 0 {
			dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
		}
		return dst, nil
	}
}

// appendText writes a string.
func appendText(dst []byte, v parquet.Value) ([]byte, error) {
	text := v.ByteArray()
	if !utf8.Valid(text) {
		return dst, errors.New("a text that is not UTF-8")
	}
	return egrid.AppendCSVCell(dst, string(text), false), nil
}
