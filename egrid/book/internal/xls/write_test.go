package xls_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf16"
)

// entry is a stream of a compound file.
type entry struct {
	name string
	data []byte
}

const (
	sector     = 512
	endOfChain = 0xFFFFFFFE
	noStream   = 0xFFFFFFFF
	smallest   = 4096 // shorter streams stand in 64-byte parts of the root's stream
)

// compound makes a compound file of streams.
func compound(entries ...entry) []byte {
	var body bytes.Buffer
	var fat []uint32
	chain := func(data []byte) (first uint32) {
		if len(data) == 0 {
			return endOfChain
		}
		first = uint32(len(fat))
		for i := 0; i < len(data); i += sector {
			part := make([]byte, sector)
			copy(part, data[i:])
			body.Write(part)
			fat = append(fat, uint32(len(fat)+1))
		}
		fat[len(fat)-1] = endOfChain
		return first
	}
	var small, smallFAT []byte
	directory := func(name string, kind byte, right, child, start uint32, size int) []byte {
		b := make([]byte, 128)
		units := utf16.Encode([]rune(name))
		for i, u := range units {
			binary.LittleEndian.PutUint16(b[2*i:], u)
		}
		binary.LittleEndian.PutUint16(b[64:], uint16(2*len(units)+2))
		b[66], b[67] = kind, 1
		for i, v := range []uint32{noStream, right, child} {
			binary.LittleEndian.PutUint32(b[68+4*i:], v)
		}
		binary.LittleEndian.PutUint32(b[116:], start)
		binary.LittleEndian.PutUint32(b[120:], uint32(size))
		return b
	}
	var list []byte
	for i, e := range entries {
		var start uint32
		if len(e.data) >= smallest {
			start = chain(e.data)
		} else {
			start = uint32(len(small) / 64)
			for at := 0; at < len(e.data); at += 64 {
				part := make([]byte, 64)
				copy(part, e.data[at:])
				small = append(small, part...)
				next := uint32(len(small) / 64)
				if at+64 >= len(e.data) {
					next = endOfChain
				}
				smallFAT = binary.LittleEndian.AppendUint32(smallFAT, next)
			}
		}
		right := uint32(i + 2)
		if i == len(entries)-1 {
			right = noStream
		}
		list = append(list, directory(e.name, 2, right, noStream, start, len(e.data))...)
	}
	list = append(directory("Root Entry", 5, noStream, 1, chain(small), len(small)), list...)
	for len(smallFAT)%sector != 0 {
		smallFAT = binary.LittleEndian.AppendUint32(smallFAT, noStream)
	}
	head := make([]byte, sector)
	copy(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	put := binary.LittleEndian.PutUint32
	binary.LittleEndian.PutUint16(head[24:], 0x3E)
	binary.LittleEndian.PutUint16(head[26:], 3)
	binary.LittleEndian.PutUint16(head[28:], 0xFFFE)
	binary.LittleEndian.PutUint16(head[30:], 9)
	binary.LittleEndian.PutUint16(head[32:], 6)
	put(head[48:], chain(list))
	put(head[56:], smallest)
	put(head[60:], chain(smallFAT))
	put(head[64:], uint32(len(smallFAT)/sector))
	put(head[68:], endOfChain)
	count := 1
	for count*sector/4 < len(fat)+count {
		count++
	}
	put(head[44:], uint32(count))
	for i := range 109 {
		put(head[76+4*i:], noStream)
	}
	for i := range count {
		put(head[76+4*i:], uint32(len(fat)))
		fat = append(fat, 0xFFFFFFFD)
	}
	for len(fat)%(sector/4) != 0 {
		fat = append(fat, noStream)
	}
	for _, v := range fat {
		_ = binary.Write(&body, binary.LittleEndian, v)
	}
	return append(head, body.Bytes()...)
}

// pack writes numbers in little-endian order, and bytes as they are.
func pack(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		default:
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				panic(err)
			}
		}
	}
	return b.Bytes()
}

// record writes a record.
func record(kind uint16, values ...any) []byte {
	body := pack(values...)
	return append(pack(kind, uint16(len(body))), body...)
}

const (
	globals   = 0x0005
	worksheet = 0x0010
	chart     = 0x0020
)

func begin(kind uint16) []byte {
	return record(0x0809, uint16(0x0600), kind, uint32(0), uint32(0), uint32(6))
}

var end = record(0x000A)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// at is what begins every record of a cell.
func at(row, column uint16) []byte { return pack(row, column, uint16(15)) }

func number(row, column uint16, f float64) []byte { return record(0x0203, at(row, column), f) }

// narrow and broad are texts of a letter in one byte and in two.
func narrow(s string) []byte { return pack(uint16(len(s)), byte(0), s) }

func broad(s string) []byte {
	units := utf16.Encode([]rune(s))
	return pack(uint16(len(units)), byte(1), units)
}

func label(row, column uint16, text []byte) []byte { return record(0x0204, at(row, column), text) }

func shared(row, column uint16, i uint32) []byte { return record(0x00FD, at(row, column), i) }

func formula(row, column uint16, result uint64) []byte {
	return record(0x0006, at(row, column), result, uint16(0), uint32(0), uint16(0))
}

func float(f float64) uint64 { return math.Float64bits(f) }

// part is a sheet of a workbook.
type part struct {
	name   string
	hidden byte
	kind   byte // 0 is a worksheet
	cells  []byte
}

// stream writes the stream of a workbook; common are records about all of it.
func stream(common []byte, parts ...part) []byte {
	var list, bodies []byte
	size := len(begin(globals)) + len(common) + len(end)
	for _, p := range parts {
		size += 12 + len(p.name)
	}
	for _, p := range parts {
		list = append(list, record(0x0085, uint32(size+len(bodies)), p.hidden, p.kind, byte(len(p.name)), byte(0), p.name)...)
		bodies = append(bodies, join(begin(worksheet), p.cells, end)...)
	}
	return join(begin(globals), list, common, end, bodies)
}

// workbook makes a file of one sheet.
func workbook(common, cells []byte) []byte {
	return compound(entry{"Workbook", stream(common, part{name: "S", cells: cells})})
}
