package parquetfile

import (
	"encoding/binary"
	"fmt"
)

// The library makes room for what a length says before it reads it. So the lengths
// of everything that is described in Thrift's compact protocol are walked through
// first: none may go beyond the bytes that there are.

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// thriftWalk goes through a description.
type thriftWalk struct {
	rest  []byte
	depth int
}

// maxThriftDepth is above the depth of every description of Parquet.
const maxThriftDepth = 32

var errThrift = fmt.Errorf("%w: a description goes beyond its end", errDamaged)

// checkThrift checks a description that begins text.
func checkThrift(text []byte) error {
	w := thriftWalk{rest: text}
	return w.value(thriftStruct)
}

func (w *thriftWalk) skip(n uint64) error {
	if n > uint64(len(w.rest)) {
		return errThrift
	}
	w.rest = w.rest[n:]
	return nil
}

func (w *thriftWalk) number() (uint64, error) {
	n, used := binary.Uvarint(w.rest)
	if used <= 0 {
		return 0, errThrift
	}
	w.rest = w.rest[used:]
	return n, nil
}

func (w *thriftWalk) byte() (byte, error) {
	if len(w.rest) == 0 {
		return 0, errThrift
	}
	b := w.rest[0]
	w.rest = w.rest[1:]
	return b, nil
}

// value goes through a value of a type.
func (w *thriftWalk) value(kind byte) error {
	if w.depth++; w.depth > maxThriftDepth {
		return errThrift
	}
	defer func() { w.depth-- }()
	switch {
	case kind == thriftTrue, kind == thriftFalse:
		return nil // the type is the value
	case kind == thriftByte:
		return w.skip(1)
	case kind > thriftByte && kind <= thriftI64:
		_, err := w.number()
		return err
	case kind == thriftDouble:
		return w.skip(8)
	case kind == thriftBinary:
		n, err := w.number()
		if err != nil {
			return err
		}
		return w.skip(n)
	case kind == thriftList, kind == thriftSet:
		return w.list()
	case kind == thriftMap:
		return w.pairs()
	case kind == thriftStruct:
		return w.fields()
	}
	return errThrift
}

func (w *thriftWalk) fields() error {
	for {
		head, err := w.byte()
		if err != nil || head == 0 {
			return err
		}
		if head>>4 == 0 { // the number of the field stands by itself
			if _, err := w.number(); err != nil {
				return err
			}
		}
		if err := w.value(head & 15); err != nil {
			return err
		}
	}
}

func (w *thriftWalk) list() error {
	head, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = w.number(); err != nil {
			return err
		}
	}
	return w.elements(n, head&15)
}

func (w *thriftWalk) pairs() error {
	n, err := w.number()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	return w.elements(n, kinds>>4, kinds&15)
}

// elements goes through n times values of some types, each of at least a byte.
func (w *thriftWalk) elements(n uint64, kinds ...byte) error {
	if n > uint64(len(w.rest)) {
		return errThrift
	}
	for range n {
		for _, kind := range kinds {
			if kind == thriftTrue || kind == thriftFalse {
				kind = thriftByte
			}
			if err := w.value(kind); err != nil {
				return err
			}
		}
	}
	return nil
}
