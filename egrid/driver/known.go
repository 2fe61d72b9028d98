package driver

import (
	"cmp"
	_ "embed" // for the figures of EPA's sheets
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
)

//go:embed known.csv
var knownCSV string

// Figures are what is known of the numbers of some rows, by column: enough to tell
// whether they are those of a sheet that EPA published, in whatever order. See [Figures.Judge].
type Figures map[egrid.Column]Figure

// Figure is what is known of the numbers of a column.
type Figure struct {
	Values int64   `json:"values"` // that are not missing
	Places int64   `json:"places"` // decimal places of all of them, without zeros at the end
	Sum    float64 `json:"sum"`
	Digest uint64  `json:"digest"` // of the values, in any order. As [Digest], it tells apart what came about by itself

	// Placed is a digest of the values with the identifiers of their rows, in any order,
	// and Identified is how many values are in it: all, or none where rows have no
	// identifier or an earlier version looked at them.
	Placed     uint64 `json:"placed,omitempty"`
	Identified int64  `json:"identified,omitempty"`

	By [8]int64 `json:"by"` // values with no decimal place, one, two ...; the last: seven and more
}

// HasKnown reports whether figures of a level and data year may be those of a known sheet,
// so that it is worth while to look at them.
func HasKnown(level egrid.Level, year int) bool { return len(sheetsKnown()[knownKey{level, year}]) > 0 }

// figuresIn are those of a batch, where it is worth while to look at them.
func figuresIn(b *egrid.Batch) Figures {
	if b.Schema().Len() == 0 || !HasKnown(b.Schema().Field(0).Level, b.Year()) {
		return nil
	}
	return FiguresOf(b)
}

// FiguresOf looks at the numbers of a batch.
func FiguresOf(b *egrid.Batch) Figures {
	f := Figures{}
	rows := identified(b)
	for i, field := range b.Schema().Fields() {
		if field.Type == egrid.Number && field.Known() {
			f[field.Column] = figureOf(b.Column(i), rows)
		}
	}
	return f
}

// identified are hashes of the identifiers of rows; nil where they have none.
func identified(b *egrid.Batch) []uint64 {
	s := b.Schema()
	if s.Len() == 0 {
		return nil
	}
	columns := egrid.Identifier(s.Field(0).Level, s.Has)
	if columns == nil {
		return nil
	}
	rows := make([]uint64, b.Len())
	for _, c := range columns {
		v := b.Column(s.Index(c))
		if v.Type() != egrid.Text {
			return nil
		}
		entries := make([]uint64, v.Entries())
		for code := range entries {
			entries[code] = hashText(v.Entry(code))
		}
		for i, row := range rows {
			var id uint64
			if !v.IsMissing(i) {
				id = entries[v.Code(i)]
			}
			rows[i] = mix(row ^ id)
		}
	}
	return rows
}

// figureOf looks at a column. rows are hashes of the rows' identifiers; nil where they
// have none.
func figureOf(v *egrid.Vector, rows []uint64) (f Figure) {
	scale, decimal := v.Decimals()
	sum := 0.0
	for i := range v.Len() {
		x, ok := v.Float(i)
		if !ok {
			continue
		}
		places := 0
		if decimal {
			m, _ := v.Mantissa(i)
			sum += float64(m) // whole numbers: no digit is lost
			for places = scale; places > 0 && m%10 == 0; places-- {
				m /= 10
			}
		} else {
			sum += x
			places = placesOf(x)
		}
		if x == 0 {
			x = 0 // without a sign
		}
		f.Values++
		f.Places += int64(places)
		hash := mix(math.Float64bits(x))
		f.Digest += hash
		if rows != nil {
			f.Placed += mix(rows[i] ^ hash)
			f.Identified++
		}
		f.By[min(places, len(f.By)-1)]++
	}
	if decimal {
		sum /= math.Pow10(scale)
	}
	f.Sum = finite(sum)
	return f
}

// finite keeps a sum a number, which JSON can hold.
func finite(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return 0
	case math.IsInf(x, 0):
		return math.Copysign(math.MaxFloat64, x)
	}
	return x
}

// Plus adds what is known of other rows.
func (f Figures) Plus(g Figures) Figures {
	if f == nil {
		return g
	}
	sum := make(Figures, len(f))
	for _, part := range []Figures{f, g} {
		for c, x := range part {
			s := sum[c]
			s.Values, s.Places, s.Sum, s.Digest = s.Values+x.Values, s.Places+x.Places, finite(s.Sum+x.Sum), s.Digest+x.Digest
			s.Placed, s.Identified = s.Placed+x.Placed, s.Identified+x.Identified
			for i, n := range x.By {
				s.By[i] += n
			}
			sum[c] = s
		}
	}
	return sum
}

// same reports whether the values are equal, one by one.
func (f Figure) same(g Figure) bool { return f.Values == g.Values && f.Digest == g.Digest }

// moved reports whether equal values stand with other identifiers.
func (f Figure) moved(exact Figure) bool {
	return f.Identified == f.Values && exact.Identified == exact.Values && f.Placed != exact.Placed
}

// rounds reports whether the values may be others with fewer digits. Each value that was
// rounded has fewer decimal places than it had: so many of them there are at most, and
// none is further away than a unit of the last place that it has kept.
func (f Figure) rounds(exact Figure, marked bool) bool {
	apart, noise := math.Abs(f.Sum-exact.Sum), 1e-12*math.Abs(exact.Sum)
	switch lost := exact.Places - f.Places; {
	case f.Values != exact.Values:
		return false
	case marked: // a display format, or another unit
		return apart <= max(float64(f.Values)/2, 1e-3*math.Abs(exact.Sum))
	case lost <= 0: // digits behind the last one, as of 10244180.9309999999
		return lost < 0 && apart <= noise
	default:
		most := noise
		for places, n := range f.By {
			most += float64(min(n, lost)) * math.Pow10(-places)
		}
		return apart <= most
	}
}

// Judge compares the figures of all rows of a snapshot with the sheets that are known. It
// marks columns that were rounded, where the sheet is known but for its last digits, and
// takes the mark from those that have its values, whatever their format looked like. It
// says in the audits whose figures they are, and where that contradicts what the snapshot
// is called. Rows, level, edition, units and the columns known to be rounded are set
// before.
func (f Figures) Judge(s *egrid.Snapshot) {
	k, ok := recognise(s.Level, s.Year, s.Rows, f, s.Lossy)
	if !ok {
		return
	}
	s.Audits = MergeAudits(s.Audits, k.audits(s))
	if k.is() {
		s.Lossy = slices.DeleteFunc(union(s.Lossy, k.Rounded), func(c egrid.Column) bool { return slices.Contains(k.Equal, c) })
	}
}

// knownSheet is how figures compare with those of a sheet that EPA published.
type knownSheet struct {
	Level     egrid.Level
	Year      int
	Release   string
	Authority string
	Rows      int64
	Equal     []egrid.Column // that have its values
	Moved     []egrid.Column // that have its values, with other identifiers
	Rounded   []egrid.Column // that have its values with fewer digits
	Other     []egrid.Column // that have others

	totals  [2]int // columns of totals and capacities, without those of nothing but zeros: that agree, that do not
	figures Figures
	exact   Figures
}

// recognise finds the sheet of EPA whose figures so many rows have: of several the one
// of which the fewest columns differ. lossy are columns that are known to be rounded. It
// is false where none has as many rows or a column in common.
func recognise(level egrid.Level, year int, rows int64, f Figures, lossy []egrid.Column) (best knownSheet, ok bool) {
	for _, sheet := range sheetsKnown()[knownKey{level, year}] {
		if sheet.Rows != rows {
			continue
		}
		k := sheet.compare(f, lossy)
		if k.columns() > 0 && (!ok || len(k.Other) < len(best.Other)) {
			best, ok = k, true
		}
	}
	return best, ok
}

// columns counts those that were compared.
func (k knownSheet) columns() int {
	return len(k.Equal) + len(k.Moved) + len(k.Rounded) + len(k.Other)
}

func (k knownSheet) compare(f Figures, lossy []egrid.Column) knownSheet {
	k.figures = f
	for c, exact := range k.exact {
		have, ok := f[c]
		if !ok {
			continue
		}
		differs := 0
		switch {
		case have.same(exact) && have.moved(exact):
			k.Moved = append(k.Moved, c)
		case have.same(exact):
			k.Equal = append(k.Equal, c)
		case have.rounds(exact, slices.Contains(lossy, c)):
			k.Rounded = append(k.Rounded, c)
		default:
			k.Other = append(k.Other, c)
			differs = 1
		}
		if field, known := egrid.Lookup(k.Level, string(c)); known && (isSum(field) || field.Unit == "MW") && exact.Sum != 0 {
			k.totals[differs]++
		}
	}
	for _, columns := range [][]egrid.Column{k.Equal, k.Moved, k.Rounded, k.Other} {
		slices.Sort(columns)
	}
	return k
}

// is reports whether the figures are those of the sheet, but for digits that are gone and
// columns that somebody changed. Rates and shares do not count: many are alike in all
// sheets, or so small that little is left of a difference.
func (k knownSheet) is() bool { return k.totals[0] > 0 && k.totals[1] <= k.totals[0] }

// edition names the edition of the sheet, as eGRID2023 rev1.
func (k knownSheet) edition() string {
	return strings.TrimSpace(fmt.Sprintf("eGRID%d %s", k.Year, k.Release))
}

// name names the sheet.
func (k knownSheet) name() string {
	return fmt.Sprintf("%s's %s %s sheet", k.Authority, k.edition(), k.Level)
}

// findings say how the figures compare.
func (k knownSheet) findings() []string {
	told := []string{fmt.Sprintf("%d rows and %s compared", k.Rows, counted(int64(k.columns()), "column"))}
	if len(k.Rounded) > 0 && k.is() {
		told = append(told, "rounded: "+k.apart(k.Rounded))
	}
	if len(k.Other) > 0 {
		told = append(told, "other values: "+k.apart(k.Other))
	}
	if len(k.Moved) > 0 {
		told = append(told, "their values, but in other rows, or with identifiers that were changed: "+k.named(k.Moved))
	}
	return told
}

// named names columns by their codes.
func (k knownSheet) named(columns []egrid.Column) string {
	var codes []string
	for _, c := range columns[:min(len(columns), maxExamples)] {
		codes = append(codes, k.code(c))
	}
	if more := len(columns) - len(codes); more > 0 {
		codes = append(codes, counted(int64(more), "more column"))
	}
	return strings.Join(codes, ", ")
}

// code is EPA's code of a column.
func (k knownSheet) code(c egrid.Column) string {
	if f, ok := egrid.Lookup(k.Level, string(c)); ok {
		return f.Code
	}
	return string(c)
}

// apart names columns, and what they add up to.
func (k knownSheet) apart(columns []egrid.Column) string {
	var parts []string
	for _, c := range columns[:min(len(columns), maxExamples)] {
		code := k.code(c)
		have, exact := k.figures[c], k.exact[c]
		switch sum, other := forSum(have.Sum), forSum(exact.Sum); {
		case have.Values != exact.Values:
			parts = append(parts, fmt.Sprintf("%s has %s where theirs has %d", code, counted(have.Values, "value"), exact.Values))
		case sum == other:
			parts = append(parts, fmt.Sprintf("%s adds up to %s as theirs does, but not value by value", code, sum))
		default:
			parts = append(parts, fmt.Sprintf("%s adds up to %s where theirs adds up to %s", code, sum, other))
		}
	}
	if more := len(columns) - len(parts); more > 0 {
		parts = append(parts, counted(int64(more), "more column"))
	}
	return strings.Join(parts, ", ")
}

// forSum writes a sum without the noise behind its last digit.
func forSum(x float64) string {
	text := strconv.FormatFloat(x, 'f', 6, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// The rules of the audits that tell what [Figures.Judge] found. Their first example names the
// sheet, and the others say how the figures compare with it.
const (
	KnownFigures     = "known_figures"      // they are those of the sheet
	ChangedFigures   = "changed_figures"    // they are, but for columns that have other values, or have them in other rows
	UnlikeItsEdition = "unlike_its_edition" // what is said of release or authority is not what they tell
	ContradictsTotal = "contradicts_total"  // a total is more than twice that of the sheet, or less than half
)

// audits say of a snapshot what its figures tell: whose they are, and where that
// contradicts its release or authority.
func (k knownSheet) audits(s *egrid.Snapshot) []egrid.Audit {
	a := egrid.Audit{Rule: KnownFigures, Severity: egrid.Info, Count: 1, Examples: []string{k.name()}}
	as := "loaded as " + strings.TrimSpace(fmt.Sprintf("%s's eGRID%d %s", authorityOf(s), s.Year, s.Release))
	named := s.Release == k.Release && s.Release != "" && authorityOf(s) == k.Authority
	converted := cmp.Or(s.Units, egrid.DefaultUnits) != egrid.DefaultUnits
	switch {
	case !k.is() && named && !converted:
		a.Rule, a.Examples[0] = UnlikeItsEdition, as+", but the figures are not those of "+k.name()
	case !k.is():
		return nil
	case s.Release != "" && s.Release != k.Release, authorityOf(s) != k.Authority:
		a.Rule, a.Examples[0] = UnlikeItsEdition, as+", but the figures are those of "+k.name()
	case len(k.Other)+len(k.Moved) > 0:
		a.Rule = ChangedFigures
	}
	if a.Rule != KnownFigures {
		a.Severity = egrid.Warning
	}
	a.Examples = append(a.Examples, k.findings()...)
	audits := []egrid.Audit{a}
	if gross := k.gross(); len(gross) > 0 {
		audits = append(audits, egrid.Audit{Rule: ContradictsTotal, Severity: egrid.Hard, Count: int64(len(gross)), Examples: []string{k.name() + ": " + k.apart(gross)}})
	}
	return audits
}

// gross are the columns of other values whose total cannot be a correction of a few rows.
// Only such columns count as all plants add to.
func (k knownSheet) gross() []egrid.Column {
	whole := []egrid.Column{egrid.NameplateCapacity, egrid.NetGeneration, egrid.HeatInput, egrid.CO2, egrid.CO2e, egrid.CH4, egrid.N2O, egrid.NOx, egrid.SO2}
	return slices.DeleteFunc(slices.Clone(k.Other), func(c egrid.Column) bool {
		return !slices.Contains(whole, c) || !k.figures[c].contradicts(k.exact[c])
	})
}

// contradicts reports whether a total is more than twice another, or less than half of it
// though as many values add to it.
func (f Figure) contradicts(exact Figure) bool {
	ratio := f.Sum / exact.Sum
	return exact.Sum != 0 && (ratio > 2 || ratio < 0.5 && f.Values == exact.Values)
}

type knownKey struct {
	level egrid.Level
	year  int
}

// sheetsKnown are those of known.csv.
var sheetsKnown = sync.OnceValue(func() map[knownKey][]knownSheet {
	sheets, err := parseKnown(knownCSV)
	if err != nil {
		panic("driver: known.csv: " + err.Error())
	}
	return sheets
})

// parseKnown reads what [FormatKnown] writes: a row for each sheet, and below it one for
// each of its columns.
func parseKnown(text string) (map[knownKey][]knownSheet, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.ReuseRecord = true
	sheets := map[knownKey][]knownSheet{}
	var of *knownSheet
	for {
		row, err := r.Read()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return sheets, nil
			}
			return nil, err
		}
		var x Figure
		if x.Values, err = strconv.ParseInt(row[1], 10, 64); err != nil {
			return nil, err
		}
		if row[4] == "" { // a sheet
			name := strings.Fields(row[0])
			level, err := egrid.ParseLevel(name[0])
			if err != nil {
				return nil, err
			}
			year, err := strconv.Atoi(name[1])
			if err != nil {
				return nil, err
			}
			k := knownSheet{Level: level, Year: year, Release: strings.Join(name[2:], ""), Authority: egrid.DefaultAuthority, Rows: x.Values, exact: Figures{}}
			key := knownKey{level, year}
			sheets[key] = append(sheets[key], k)
			of = &sheets[key][len(sheets[key])-1]
			continue
		}
		f, ok := egrid.Lookup(of.Level, row[0])
		if !ok {
			return nil, fmt.Errorf("%w: %s has no column %s", egrid.ErrInvalid, of.Level, row[0])
		}
		var failed [3]error
		x.Places, failed[0] = strconv.ParseInt(row[2], 10, 64)
		x.Sum, failed[1] = strconv.ParseFloat(row[3], 64)
		digests, err := base64.RawURLEncoding.DecodeString(row[4])
		if failed[2] = err; err == nil && len(digests) >= 8 {
			x.Digest = binary.BigEndian.Uint64(digests)
		}
		if len(digests) == 16 {
			x.Placed, x.Identified = binary.BigEndian.Uint64(digests[8:]), x.Values
		}
		for _, err := range failed {
			if err != nil {
				return nil, err
			}
		}
		of.exact[f.Column] = x
	}
}

// FormatKnown writes the figures of a sheet as known.csv has them: its level, data year
// and release with the number of its rows, and below that of each column the code, how
// many values it has, their decimal places, their sum and both digests. Columns that are
// rounded are left out.
func FormatKnown(s egrid.Snapshot, f Figures) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{strings.TrimSpace(fmt.Sprint(s.Level, " ", s.Year, " ", s.Release)), strconv.FormatInt(s.Rows, 10), "", "", ""}}
	for _, field := range s.Schema.Fields() {
		x := f[field.Column]
		if x.Values == 0 || slices.Contains(s.Lossy, field.Column) {
			continue
		}
		sum := strconv.FormatFloat(x.Sum, 'f', -1, 64)
		if i := strings.IndexByte(sum, '.'); i >= 0 && len(sum)-i > 7 {
			sum = forSum(x.Sum)
		}
		digests := binary.BigEndian.AppendUint64(nil, x.Digest)
		if x.Identified == x.Values {
			digests = binary.BigEndian.AppendUint64(digests, x.Placed)
		}
		rows = append(rows, []string{field.Code, strconv.FormatInt(x.Values, 10), strconv.FormatInt(x.Places, 10), sum, base64.RawURLEncoding.EncodeToString(digests)})
	}
	if err := w.WriteAll(rows); err != nil { // a strings.Builder takes all
		return ""
	}
	return b.String()
}
