package engine

import (
	"github.com/egrid-analytics/egrid-go/egrid"
)

// Sums have 15 significant digits, see [egrid.SumOf].
const sumLimit = 1e15

var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimalFloat returns the float nearest to m / 10^scale, which has at most 15
// significant digits or is below 2^53.
func decimalFloat(m int64, scale int) float64 {
	for m >= 1<<53 || m <= -1<<53 {
		if m%10 != 0 || scale == 0 {
			break
		}
		m /= 10
		scale--
	}
	return float64(m) / tens[scale]
}

// roundSum rounds to 15 significant digits, halves to even.
func roundSum(m int64) int64 {
	if -sumLimit < m && m < sumLimit || m == absent {
		return m
	}
	unit := int64(10)
	for m/unit >= sumLimit || m/unit <= -sumLimit {
		unit *= 10
	}
	whole, rest := m/unit, m%unit
	if rest < 0 {
		rest = -rest
	}
	if rest > unit/2 || rest == unit/2 && whole%2 != 0 {
		if m < 0 {
			whole--
		} else {
			whole++
		}
	}
	return whole * unit
}

// rounded turns sums into what the answer says of them.
func rounded(c *Column) *Column {
	if c.least > c.most {
		return c
	}
	out := *c
	switch c.form {
	case formInteger, formDecimal:
		out.form = formDecimal
		if -sumLimit < c.least && c.most < sumLimit {
			return &out
		}
		for i, m := range c.wide {
			out.wide[i] = roundSum(m)
		}
	default:
		for i, k := range c.wide {
			if k != absent {
				out.wide[i] = sumKey(egrid.SumOf(c.float(k)))
			}
		}
	}
	out.measure()
	return &out
}

func sumKey(v egrid.Value) int64 {
	x, ok := v.Float()
	if !ok {
		return absent
	}
	return floatKey(x)
}
