package engine

import (
	"math"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// join puts the i-th columns of groupings, n groups in all, below each other.
// For a sum the numbers count and not the values: whole numbers stay exact at
// any size.
func join(parts []grouping, i, n int, sum bool) *Column {
	out := &Column{}
	keys := make([]int64, 0, n)
	switch {
	case joinNumbers(out, &keys, parts, i, sum):
	case sum:
		out.form = formFloat
		each(parts, i, func(c *Column, k int64) {
			if k != absent {
				k = floatKey(c.float(k))
			}
			keys = append(keys, k)
		})
	default:
		codes := map[egrid.Value]int64{}
		each(parts, i, func(c *Column, k int64) {
			if k != absent {
				k = code(codes, c.value(k))
			}
			keys = append(keys, k)
		})
		out.sortValues(keys, codes)
	}
	out.hold(keys)
	return out
}

// each calls f for the keys of the i-th columns.
func each(parts []grouping, i int, f func(c *Column, k int64)) {
	for _, p := range parts {
		c := p.columns[i]
		for _, row := range p.live.rows {
			f(c, c.key(int(row)))
		}
	}
}

// joinNumbers joins columns of one type of number, decimals at the scale of the
// finest. It fails, and adds no key, when there are others or they do not fit.
func joinNumbers(out *Column, keys *[]int64, parts []grouping, i int, sum bool) bool {
	out.form = formText
	for _, p := range parts {
		c := p.columns[i]
		if p.live.n == 0 || c.least > c.most {
			continue
		}
		if c.form < formFlag || out.form != formText && c.form != out.form {
			return false
		}
		out.form, out.scale = c.form, max(out.scale, c.scale)
	}
	if out.form == formText {
		out.dict = &dictionary{}
	}
	limit := int64(math.MaxInt64)
	if out.form == formDecimal && !sum {
		limit = maxMantissa
	}
	fits := true
	each(parts, i, func(c *Column, k int64) {
		if k != absent {
			var ok bool
			k, ok = rescaled(k, out.scale-c.scale)
			fits = fits && ok && -limit < k && k < limit
		}
		*keys = append(*keys, k)
	})
	if !fits {
		*keys, out.scale = (*keys)[:0], 0
	}
	return fits
}
