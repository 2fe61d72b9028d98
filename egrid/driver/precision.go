package driver

import (
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Precision is how many digits the numbers of some rows have. It finds what a
// spreadsheet's general format leaves of a number, ten digits, where the head of a file
// does not show it: a generator of ten million MWh is one in thousands.
type Precision struct {
	Cut    map[egrid.Column]int64 `json:"cut,omitempty"`    // sums of eight digits and more whose fraction has fewer than three
	Uncut  int64                  `json:"uncut,omitempty"`  // smaller sums whose fraction has three or more; counted up to a few
	Beyond bool                   `json:"beyond,omitempty"` // a number with a fraction has more than ten digits
}

// What tells: fewer may be so by chance.
const (
	fewCut        = 5
	generalDigits = 10 // of the general format, the zero in front of the point included
	longSum       = 1e7
)

// PrecisionOf looks at the numbers of a batch.
func PrecisionOf(b *egrid.Batch) Precision {
	var p Precision
	for i, f := range b.Schema().Fields() {
		if f.Type == egrid.Number && !p.Beyond {
			p.column(f, b.Column(i))
		}
	}
	if p.Beyond { // nothing else counts
		p.Cut, p.Uncut = nil, 0
	}
	return p
}

func (p *Precision) column(f egrid.Field, v *egrid.Vector) {
	sum := isSum(f)
	scale, decimal := v.Decimals()
	if !decimal || scale == 0 {
		p.Beyond = p.Beyond || !decimal && v.Missing() < v.Len() // it has more digits than decimals are kept with
		return
	}
	most, large := int64(math.Pow10(generalDigits)), int64(longSum*math.Pow10(scale))
	for i := range v.Len() {
		m, ok := v.Mantissa(i)
		if !ok {
			continue
		}
		size := max(m, -m)
		if size < most && size < large && (!sum || p.Uncut >= fewCut || scale < 3) {
			continue
		}
		places := scale
		for places > 0 && m%10 == 0 {
			m /= 10
			places--
		}
		switch size = max(m, -m); {
		case places == 0:
		case size >= most:
			p.Beyond = true
			return
		case !sum:
		case size >= int64(longSum*math.Pow10(places)):
			if p.Cut == nil {
				p.Cut = map[egrid.Column]int64{}
			}
			p.Cut[f.Column]++
		case places >= 3 && p.Uncut < fewCut:
			p.Uncut++
		}
	}
}

// Plus adds what was found in other rows.
func (p Precision) Plus(q Precision) Precision {
	sum := Precision{Uncut: p.Uncut + q.Uncut, Beyond: p.Beyond || q.Beyond}
	if sum.Beyond {
		return Precision{Beyond: true}
	}
	for _, part := range []Precision{p, q} {
		for c, n := range part.Cut {
			if sum.Cut == nil {
				sum.Cut = map[egrid.Column]int64{}
			}
			sum.Cut[c] += n
		}
	}
	return sum
}

// Rounded are the columns with numbers that were cut, in alphabetical order; none
// where that is not sure.
func (p Precision) Rounded() []egrid.Column {
	var columns []egrid.Column
	cut := int64(0)
	for c, n := range p.Cut {
		columns, cut = append(columns, c), cut+n
	}
	if p.Beyond || p.Uncut < fewCut || cut < fewCut {
		return nil
	}
	slices.Sort(columns)
	return columns
}

// isSum reports whether EPA gives a field's totals with three decimals.
func isSum(f egrid.Field) bool {
	return slices.Contains([]string{"MWh", "MMBtu", "short tons", "lb"}, f.Unit)
}
