package driver

import (
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ColumnSum tells two columns apart without reading them: those of equal sums, over
// rows with equal numbers, are equal cell by cell. As [Digest], it tells apart what
// came about by itself.
type ColumnSum struct {
	Digest  uint64 `json:"digest"`  // of row numbers and cells
	Missing int64  `json:"missing"` // cells
}

// sumsOf adds up the columns of a batch.
func sumsOf(b *egrid.Batch) map[egrid.Column]ColumnSum {
	rows := make([]uint64, b.Len())
	for i := range rows {
		rows[i] = mix(uint64(b.Number(i)))
	}
	sums := map[egrid.Column]ColumnSum{}
	for at, f := range b.Schema().Fields() {
		v := b.Column(at)
		entries := make([]uint64, v.Entries())
		for code := range entries {
			entries[code] = hashText(v.Entry(code))
		}
		var s ColumnSum
		for i, row := range rows {
			cell, here := uint64(0), true
			switch {
			case v.IsMissing(i):
				s.Missing++
				here = false
			case f.Type == egrid.Text:
				cell = entries[v.Code(i)]
			case f.Type == egrid.Integer:
				x, _ := v.Int(i)
				cell = uint64(x)
			case f.Type == egrid.Flag:
				if yes, _ := v.Bool(i); yes {
					cell = 1
				}
			default:
				x, _ := v.Float(i)
				cell = math.Float64bits(x)
			}
			if here {
				s.Digest += mix(row ^ mix(cell))
			}
		}
		sums[f.Column] = s
	}
	return sums
}

// hashText is FNV-1a.
func hashText(text string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 0x100000001b3
	}
	return h
}

// mix spreads the bits of a number over all of it (the finisher of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// addSums adds those of more rows; nil where they are not known.
func addSums(sums, more map[egrid.Column]ColumnSum) map[egrid.Column]ColumnSum {
	if more == nil || sums == nil {
		return nil
	}
	for c, s := range more {
		sums[c] = ColumnSum{sums[c].Digest + s.Digest, sums[c].Missing + s.Missing}
	}
	return sums
}

// differing are the columns that have to be read to compare two sheets: those that are
// not equal, and the identifier. It is nil where all have to: rows have other numbers,
// other identifiers, or none.
func differing(level egrid.Level, o *Outline, s *egrid.Schema, p *Outline, t *egrid.Schema) []egrid.Column {
	identifier := egrid.Identifier(level, func(c egrid.Column) bool { return s.Has(c) && t.Has(c) })
	if len(identifier) == 0 || o.Sums == nil || p.Sums == nil ||
		!slices.EqualFunc(o.Blocks, p.Blocks, func(a, b Block) bool { return a.Number == b.Number && a.Rows == b.Rows }) {
		return nil
	}
	equal := func(c egrid.Column) bool {
		i, j := s.Index(c), t.Index(c)
		return i >= 0 && j >= 0 && s.Field(i).Type == t.Field(j).Type && o.Sums[c] == p.Sums[c]
	}
	for _, c := range identifier {
		if !equal(c) || o.Sums[c].Missing > 0 {
			return nil
		}
	}
	var columns []egrid.Column
	for _, c := range s.Columns() {
		if slices.Contains(identifier, c) || !equal(c) {
			columns = append(columns, c)
		}
	}
	for _, c := range t.Columns() {
		if !s.Has(c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// narrow keeps some columns of a schema.
func narrow(s *egrid.Schema, columns []egrid.Column) *egrid.Schema {
	fields := slices.DeleteFunc(s.Fields(), func(f egrid.Field) bool { return !slices.Contains(columns, f.Column) })
	out, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // they are distinct already
	}
	return out
}
