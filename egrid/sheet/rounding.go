package sheet

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// inferRounded finds the columns of a data year that were rounded before they were
// written, though none of their numbers alone shows it:
//
//   - columns whose fractions all have the same number of digits, some ending in zero,
//     for nobody who writes values writes 0.250;
//   - where other numbers of the year are in a display format, sums that are whole
//     numbers throughout, which EPA's are not;
//   - where a spreadsheet's general format has cut numbers to ten digits, the columns
//     that have such;
//   - where a tool has kept so many significant digits of each column's smallest number,
//     as R's format does, the columns that have lost some;
//   - where the regions of grid gross loss do not add up to the total, but nearly, and
//     nothing in the table has a fraction, all of its sums.
func (s *Sheet) inferRounded(rows [][]string) {
	years := map[int]*written{}
	yearAt := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Year })
	for _, row := range rows {
		year := s.Year
		if yearAt >= 0 {
			if yearAt >= len(row) {
				continue
			}
			v, _, _ := egrid.ParseValue(egrid.Integer, s.Dialect.numeral(row[yearAt]))
			y, _ := v.Int()
			year = int(y)
		}
		if years[year] == nil {
			years[year] = &written{columns: make([]decimals, len(s.Cells))}
		}
		for i, c := range s.Cells {
			if i < len(row) && s.number(c) >= 0 && !cell.Missing(row[i]) {
				years[year].add(i, s.Dialect.numeral(row[i]))
			}
		}
	}
	sums := make([]bool, len(s.Cells))
	for i, c := range s.Cells {
		at := s.number(c)
		sums[i] = at >= 0 && isSum(s.Schema.Field(at))
	}
	ofLoss := s.nearlyAddUp(rows, sums)
	for year, w := range years {
		significant := w.significant(sums)
		for i := range s.Cells {
			if w.rounded(i, sums) || significant > 0 && w.columns[i].lost(significant, sums[i]) || sums[i] && slices.Contains(ofLoss, year) {
				s.Cells[i].Fixed = append(s.Cells[i].Fixed, year)
			}
		}
	}
	for _, c := range s.Cells {
		slices.Sort(c.Fixed)
	}
}

// written is how the numbers of a data year are written.
type written struct {
	columns []decimals
	display bool // a number is in a display format
}

// decimals is how the plain numbers of a column are written.
type decimals struct {
	places      int     // digits of the first fraction; 0 when there is none
	mixed       bool    // other fractions have more or fewer, or a number has an exponent
	zero, digit bool    // a fraction ends in zero; in another digit
	whole       int     // numbers without a fraction, other than 0
	long        bool    // a number of eight digits or more in front of its point
	cut, uncut  int     // fractions of such numbers; of others, of three digits or more
	ten, beyond bool    // a fraction in a number of ten digits, the zero in front of the point included; of more
	most        int     // digits of the longest fraction
	least       float64 // smallest number that is not 0, without its sign
	values      int     // numbers other than 0
	width       int     // of the first text
	ragged      bool    // other texts are wider or narrower
	blanks      bool    // a text begins with a blank
}

// What tells: fewer may be so by chance.
const (
	fewWhole  = 20 // sums of a column that are whole numbers
	fewInAll  = 10 // sums of all columns, where all are
	fewCut    = 5  // long numbers of which none has three decimals
	fewPadded = 5  // whole sums of a column that is brought to one width
	fewLost   = 20 // decimals that sums of three decimals would have
	longest   = 10 // digits that a spreadsheet's general format shows
)

func (w *written) add(column int, text string) {
	x, err := cell.Parse(text)
	if err != nil {
		return
	}
	p := &w.columns[column]
	p.align(text)
	if x.Mantissa != 0 && x.Exact {
		size := math.Abs(float64(x.Mantissa)) / math.Pow10(x.Places)
		if p.values++; p.values == 1 || size < p.least {
			p.least = size
		}
	}
	p.most = max(p.most, x.Places)
	switch {
	case x.Rounded:
		w.display = true
	case !x.Exact:
		p.mixed = true
	case x.Places == 0:
		if x.Mantissa != 0 {
			p.whole++
		}
		p.long = p.long || x.Mantissa >= 1e7 || x.Mantissa <= -1e7
	default:
		p.fraction(x, strings.Trim(text, " -+"))
	}
}

// fraction takes a number with a fraction and the digits that it is written in.
func (p *decimals) fraction(x cell.Decimal, digits string) {
	if p.places == 0 {
		p.places = x.Places
	}
	p.mixed = p.mixed || p.places != x.Places
	p.zero = p.zero || x.Mantissa%10 == 0
	p.digit = p.digit || x.Mantissa%10 != 0
	n := len(digits) - 1
	p.ten = p.ten || n == longest
	p.beyond = p.beyond || n > longest
	const long = 8
	switch {
	case n-x.Places >= long:
		p.long = true
		p.cut++
	case x.Places >= 3:
		p.uncut++
	}
}

// align looks at blanks in front of a number, which bring a column to one width.
func (p *decimals) align(text string) {
	if p.width == 0 {
		p.width = len(text)
	}
	p.ragged = p.ragged || p.width != len(text)
	p.blanks = p.blanks || text[0] == ' '
}

// rounded reports whether a column was rounded; sums says which columns are sums.
func (w *written) rounded(column int, sums []bool) bool {
	p := &w.columns[column]
	if p.places > 0 && !p.mixed && p.zero && (w.shown() || p.digit && p.places > 1) {
		return true
	}
	if w.cut(sums) && (sums[column] && p.long || p.ten) {
		return true
	}
	if !w.shown() || !sums[column] || p.places > 0 || p.mixed || p.whole == 0 {
		return false
	}
	if p.blanks && !p.ragged && p.whole >= fewPadded {
		return true
	}
	return p.whole >= fewWhole || w.whole(sums) >= fewInAll
}

// shown reports whether the numbers of some column are in a display format.
func (w *written) shown() bool {
	const few = 5
	return w.display || slices.ContainsFunc(w.columns, func(p decimals) bool { return p.blanks && !p.ragged && p.whole >= few })
}

// whole counts the sums that are whole numbers; none count where one is not.
func (w *written) whole(sums []bool) (n int) {
	for i, p := range w.columns {
		switch {
		case !sums[i]:
		case p.places > 0 || p.mixed:
			return 0
		default:
			n += p.whole
		}
	}
	return n
}

// cut reports whether a spreadsheet's general format has cut numbers to ten digits:
// sums of eight digits before the point have fewer than three behind it, smaller ones
// have three, as EPA's have.
func (w *written) cut(sums []bool) bool {
	cut, uncut := 0, 0
	for i, p := range w.columns {
		if p.beyond {
			return false
		}
		if sums[i] {
			cut += p.cut
			uncut += p.uncut
		}
	}
	return cut >= fewCut && uncut >= fewCut
}

// significant finds how many significant digits a tool has kept of the smallest number
// of each column, as R's format does; 0 where nothing tells. EPA's sums have three
// decimals, whatever their size. It tells that columns of large sums have fewer: some
// up to so many digits, and most of the others so many in front of the point. (A
// smallest number that is whole needs no fraction.)
func (w *written) significant(sums []bool) int {
	const (
		large = 1e4 // smaller sums of three decimals have seven digits at most
		most  = 9
	)
	digits, lost := 0, 0
	var whole []int // digits of the smallest number of columns without a fraction
	for i, p := range w.columns {
		if !sums[i] || p.values == 0 || p.least < large {
			continue
		}
		if p.most == 0 {
			whole = append(whole, wholeDigits(p.least))
		} else {
			digits = max(digits, wholeDigits(p.least)+p.most)
		}
		lost += p.values * max(0, 3-p.most)
	}
	long := 0
	for _, n := range whole {
		if n >= digits {
			long++
		}
	}
	if digits == 0 || digits > most || 3*long < 2*len(whole) || long == 0 || lost < fewLost {
		return 0
	}
	return digits
}

// lost reports whether a column has lost digits where so many were kept.
func (p *decimals) lost(digits int, sum bool) bool {
	if p.values == 0 || wholeDigits(p.least)+p.most < digits {
		return false
	}
	return p.most == 0 || sum && p.most < 3
}

// wholeDigits counts the digits in front of the point.
func wholeDigits(x float64) int { return int(math.Floor(math.Log10(x))) + 1 }

// nearlyAddUp finds the data years in which the regions of grid gross loss add up to
// the total but for what rounding to whole numbers makes of it. None does where a sum
// has a fraction, or all add up.
func (s *Sheet) nearlyAddUp(rows [][]string, sums []bool) (years []int) {
	regionAt := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Region })
	yearAt := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Year })
	if s.Level != egrid.GGL || regionAt < 0 {
		return nil
	}
	type column struct{ parts, total float64 }
	type table struct {
		regions, totals int
		columns         []column
		fraction        bool
	}
	tables := map[int]*table{}
	for _, row := range rows {
		if len(row) < len(s.Cells) || cell.Missing(row[regionAt]) {
			continue
		}
		year := s.Year
		if yearAt >= 0 {
			v, _, _ := egrid.ParseValue(egrid.Integer, s.Dialect.numeral(row[yearAt]))
			y, _ := v.Int()
			year = int(y)
		}
		t := tables[year]
		if t == nil {
			t = &table{columns: make([]column, len(s.Cells))}
			tables[year] = t
		}
		total := slices.Contains([]string{"US", "U.S.", "USA", "UNITED STATES"}, strings.ToUpper(strings.TrimSpace(row[regionAt])))
		if total {
			t.totals++
		} else {
			t.regions++
		}
		for i := range s.Cells {
			x, err := cell.Parse(s.Dialect.numeral(row[i]))
			switch {
			case !sums[i] || err != nil:
			case x.Places > 0 || !x.Exact:
				t.fraction = true
			case total:
				t.columns[i].total += float64(x.Mantissa)
			default:
				t.columns[i].parts += float64(x.Mantissa)
			}
		}
	}
	for year, t := range tables {
		apart := 0.0
		for _, c := range t.columns {
			apart = max(apart, math.Abs(c.parts-c.total))
		}
		if t.totals == 1 && t.regions > 1 && !t.fraction && apart > 0 && apart <= float64(t.regions+1)/2 {
			years = append(years, year)
		}
	}
	return years
}

// refuseCutZeros refuses a sheet in which a tool has cut the zeros at the end of whole
// numbers, as xlsx2csv does with a format of significant digits: 31522590 is 3152259
// then, and nothing gives it back. It tells that no number ends in zero, where many
// different ones are whole.
func (s *Sheet) refuseCutZeros(rows [][]string) error {
	const few = 80 // that none of them ends in zero by chance: 0.9^80, once in 4,600 sheets
	whole := 0
	for i, c := range s.Cells {
		at := s.Schema.Index(c.Column)
		if at < 0 || c.Column == egrid.Year || !slices.Contains([]egrid.Type{egrid.Number, egrid.Integer}, s.Schema.Field(at).Type) {
			continue
		}
		different := map[string]bool{}
		for _, row := range rows {
			if i >= len(row) || cell.Missing(row[i]) {
				continue
			}
			text := strings.TrimSpace(s.Dialect.numeral(row[i]))
			if strings.HasSuffix(text, "0") {
				return nil
			}
			if digits := strings.TrimPrefix(text, "-"); len(digits) > 1 && strings.Trim(digits, "0123456789") == "" {
				different[text] = true
			}
		}
		whole += len(different)
	}
	if whole < few {
		return nil
	}
	return fmt.Errorf("%w: %d different whole numbers, and no number that ends in 0: a tool has cut the zeros at the end, so that 1200 became 12; load the workbook itself, or give xlsx2csv --ignore-formats float percentage behind the names of the files, and no --floatformat", egrid.ErrInvalid, whole)
}
