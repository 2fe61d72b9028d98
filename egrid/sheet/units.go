package sheet

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Systems of units of a file.
const (
	US     = egrid.DefaultUnits // short tons, lb, MMBtu: those of the dictionary
	Metric = "metric"           // metric tons, kg, GJ
)

// CheckUnits returns [egrid.ErrInvalid] unless units is us, metric or empty.
func CheckUnits(units string) error {
	if units != "" && units != US && units != Metric {
		return fmt.Errorf("%w: units %q are neither us nor metric", egrid.ErrInvalid, units)
	}
	return nil
}

// conversion turns a figure in a unit of the file into one of the dictionary's.
type conversion struct {
	places int   // the decimal point moves so far to the left, which is exact
	ratio  int64 // then it is divided by so many ten-thousandths; 0: it is not
}

// rounds reports whether converted figures are not exact.
func (c conversion) rounds() bool { return c.ratio != 0 }

// conversions by the file's unit and the dictionary's. Metric editions are made
// with factors of four figures (EPA's conversion_factors.csv), so these lead
// back and the exact ones do not. A foot is 0.3048 m.
var conversions = map[[2]string]conversion{
	{"metric tons", "short tons"}: {ratio: 9072},
	{"kg", "lb"}:                  {ratio: 4536},
	{"GJ", "MMBtu"}:               {ratio: 10551},
	{"GJ", "MWh"}:                 {ratio: 36000},
	{"kg/MWh", "lb/MWh"}:          {ratio: 4536},
	{"kg/GJ", "lb/MWh"}:           {ratio: 1260},
	{"kg/GJ", "lb/MMBtu"}:         {ratio: 4299},
	{"kg/MMBtu", "lb/MMBtu"}:      {ratio: 4536},
	{"kg/GWh", "lb/MWh"}:          {places: 3, ratio: 4536},
	{"kg/TJ", "lb/MMBtu"}:         {places: 3, ratio: 4299},
	{"m", "ft"}:                   {ratio: 3048},
	{"lb/GWh", "lb/MWh"}:          {places: 3},
	{"lb/BBtu", "lb/MMBtu"}:       {places: 3},
}

// slips are units that EPA's descriptions have for others: the metric sheets of
// NERC regions and the US give nameplate capacity in MWh.
var slips = map[[2]string]bool{{"MWh", "MW"}: true}

// metricUnits are the units of a metric edition in place of the dictionary's.
var metricUnits = map[string]string{
	"short tons": "metric tons", "lb": "kg", "MMBtu": "GJ", "lb/MWh": "kg/MWh", "lb/MMBtu": "kg/GJ", "ft": "m",
}

// metricPlaces is to how many decimals metric editions are rounded.
const metricPlaces = 3

// maxShift is by how many places a decimal point moves at most.
const maxShift = 3

// apply converts a decimal. It reports false when the result is too large for one.
func (c conversion) apply(mantissa int64, places int) (int64, int, bool) {
	places += c.places
	if c.ratio == 0 {
		return mantissa, places, true
	}
	if places > cell.MaxPlaces {
		return 0, 0, false
	}
	// Digits that the file leaves out are zeros. As many decimals are kept as the
	// metric figure has, since a factor near 1 adds none.
	factor := uint64(10000)
	for ; places < metricPlaces+c.places; places++ {
		factor *= 10
	}
	size := uint64(mantissa)
	if mantissa < 0 {
		size = -size
	}
	ratio := uint64(c.ratio)
	hi, lo := bits.Mul64(size, factor)
	lo, carry := bits.Add64(lo, ratio/2, 0)
	if hi += carry; hi >= ratio {
		return 0, 0, false
	}
	quotient, _ := bits.Div64(hi, lo, ratio)
	if quotient > cell.MaxMantissa {
		return 0, 0, false
	}
	if mantissa < 0 {
		return -int64(quotient), places, true
	}
	return int64(quotient), places, true
}

// decimal converts a number of any form.
func (c conversion) decimal(x cell.Decimal) cell.Decimal {
	switch {
	case c == conversion{}:
		return x
	case c.ratio == 0:
		return x.Shift(c.places)
	case !x.Exact: // it has an exponent, or more digits than a decimal
		text := strconv.AppendFloat(nil, x.Float, 'f', -1, 64)
		if m, places, n := cell.Scan(text); n == len(text) {
			x.Mantissa, x.Places, x.Exact = m, places, true
		}
	}
	if x.Exact {
		if m, places, ok := c.apply(x.Mantissa, x.Places); ok {
			x.Mantissa, x.Places = m, places
			return x
		}
		x.Float = x.Nearest()
	}
	x.Exact, x.Float = false, x.Float/cell.Powers[c.places]*10000/float64(c.ratio)
	return x
}

// unitWords are the ways to write the parts of a unit.
var unitWords = map[string]string{
	"ton": "short tons", "tons": "short tons", "short ton": "short tons", "short tons": "short tons",
	"metric ton": "metric tons", "metric tons": "metric tons", "tonne": "metric tons", "tonnes": "metric tons", "metric tonnes": "metric tons",
	"lb": "lb", "lbs": "lb", "pound": "lb", "pounds": "lb", "kg": "kg", "kilogram": "kg", "kilograms": "kg",
	"mmbtu": "MMBtu", "bbtu": "BBtu", "btu": "Btu", "gj": "GJ", "tj": "TJ", "mwh": "MWh", "gwh": "GWh", "kwh": "kWh", "mw": "MW",
	"ft": "ft", "feet": "ft", "m": "m", "meters": "m", "metres": "m", "mile": "miles", "miles": "miles",
	"hour": "hours", "hours": "hours", "hr": "hours", "hrs": "hours", "degrees": degrees,
}

// parseUnit reads a unit as it stands in a description.
func parseUnit(text string) (string, bool) {
	parts := strings.Split(strings.ReplaceAll(strings.ToLower(text), " per ", "/"), "/")
	for i, p := range parts {
		word, ok := unitWords[strings.TrimSpace(p)]
		if !ok {
			return "", false
		}
		parts[i] = word
	}
	return strings.Join(parts, "/"), true
}

// systemOf says of which system a unit is; empty: of both.
func systemOf(unit string) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(strings.Split(unit, "/"), func(p string) bool { return slices.Contains(words, p) })
	}
	switch {
	case has("metric tons", "kg", "GJ", "TJ", "m"):
		return Metric
	case has("short tons", "lb", "MMBtu", "BBtu", "ft"):
		return US
	}
	return ""
}

var unitText = regexp.MustCompile(`[(\[]([^()\[\]]+)[)\]]\s*$`)

// inferUnits finds out the unit of every measure: as its description has it, or
// as the sheet's system of units does where there is none. It sets Unit where
// the unit is not the dictionary's.
func (s *Sheet) inferUnits(h *header, sample func() [][]string, o *ReaderOptions) error {
	if err := CheckUnits(o.Units); err != nil {
		return err
	}
	var clues []clue
	told := make([]string, len(s.Cells))
	for i, c := range s.Cells {
		f, ok := s.measure(c)
		if !ok {
			continue
		}
		m := unitText.FindStringSubmatch(h.cells[i].text)
		if m == nil {
			m = unitText.FindStringSubmatch(h.cells[i].code) // a header that is a description
		}
		if m == nil {
			continue
		}
		unit, known := parseUnit(m[1])
		_, converts := conversions[[2]string{unit, f.Unit}]
		switch {
		case slips[[2]string{unit, f.Unit}]:
			s.found("column", c.Header, fmt.Sprintf("described in %s, which EPA writes for %s", unit, f.Unit))
			continue
		case (!known || unit != f.Unit && !converts) && o.Units == "":
			return fmt.Errorf("%w: line %d: column %s is in %q, where %s are wanted, and how to convert that is not known; give --units us or metric if the description is wrong",
				egrid.ErrInvalid, s.HeaderLine, c.Header, m[1], f.Unit)
		case !known || unit != f.Unit && !converts:
			continue
		}
		told[i] = unit
		if system := systemOf(unit); system != "" && !slices.ContainsFunc(clues, func(c clue) bool { return c.value == system }) {
			clues = append(clues, clue{value: system, from: fmt.Sprintf("description (%s) of %s", unit, c.Header)})
		}
	}
	for i, c := range s.Cells {
		if system, is := s.twin(i, sample); is && c.Column == "" && !slices.ContainsFunc(clues, func(c clue) bool { return c.value == system }) {
			clues = append(clues, clue{value: system, from: "column " + c.Header})
		}
	}
	for _, line := range h.titles {
		if metricName.MatchString(line) {
			clues = append(clues, clue{value: Metric, from: fmt.Sprintf("title %q", shorten(line, 100))})
		}
	}
	for _, name := range []string{o.Sheet, path.Base(o.Name)} {
		if metricName.MatchString(name) {
			clues = append(clues, clue{value: Metric, from: o.from(name), name: true})
		}
	}
	units, err := s.conclude("units", o.Units, "--units", clues)
	if err != nil {
		return err
	}
	if s.Units = units; units == "" {
		if folder := path.Dir(o.Name); metricName.MatchString(folder) && slices.ContainsFunc(s.Cells, s.hasMetric) {
			return fmt.Errorf("%w: the folder %s says that units are metric, and nothing in the file tells; give --units", egrid.ErrInvalid, folder)
		}
		s.Units = US
		s.found("units", US, byDefault)
	}
	converted := map[string]int{} // columns by unit
	mixed := slices.ContainsFunc(clues, func(c clue) bool { return c.value != s.Units })
	for i, c := range s.Cells {
		f, ok := s.measure(c)
		if !ok {
			continue
		}
		unit := told[i]
		if unit == "" || mixed && systemOf(unit) != "" && systemOf(unit) != s.Units {
			if unit = f.Unit; s.Units == Metric && metricUnits[unit] != "" {
				unit = metricUnits[unit]
			}
		}
		if unit != f.Unit {
			s.Cells[i].Unit = unit
			converted[unit]++
		}
	}
	if len(converted) > 0 {
		from := slices.Sorted(maps.Keys(converted))
		for i, unit := range from {
			from[i] = fmt.Sprintf("%s (columns: %d)", unit, converted[unit])
		}
		s.found("units", s.Units, "converted to the documented units, from "+strings.Join(from, ", "))
	}
	return nil
}

var metricName = regexp.MustCompile(`(?i)(?:^|[^a-z])metric(?:[^a-z]|$)`)

// measure returns the field of a column whose figures have a unit.
func (s *Sheet) measure(c SheetColumn) (egrid.Field, bool) {
	at := s.Schema.Index(c.Column)
	if at < 0 {
		return egrid.Field{}, false
	}
	f := s.Schema.Field(at)
	return f, f.Type == egrid.Number && isUnit(f) && !isShare(f)
}

// hasMetric reports whether metric editions have a column in another unit.
func (s *Sheet) hasMetric(c SheetColumn) bool {
	f, ok := s.measure(c)
	return ok && metricUnits[f.Unit] != ""
}

// twin reports whether a column is one that metric editions have beside another,
// under its code and a 2: generation in GJ beside MWh, a rate per GJ beside one
// per MWh. The figures must say so, since people use such names too. Those of a
// rate tell which system of units the other column is in.
func (s *Sheet) twin(i int, sample func() [][]string) (system string, is bool) {
	code, ok := strings.CutSuffix(s.Cells[i].Header, "2")
	if _, known := egrid.Lookup(s.Level, s.Cells[i].Header); !ok || known {
		return "", false
	}
	f, ok := egrid.Lookup(s.Level, strings.TrimSpace(code))
	of := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column != "" && c.Column == f.Column })
	if !ok || of < 0 || !isUnit(f) {
		return "", false
	}
	ratios := map[float64]string{3.6: Metric}
	if f.Unit == "lb/MWh" {
		ratios = map[float64]string{1 / 3.6: Metric, 0.126: US}
	}
	votes, others := map[string]int{}, 0
	for _, row := range sample() {
		if max(i, of) >= len(row) {
			continue
		}
		a, _, _ := egrid.ParseValue(egrid.Number, row[i])
		b, _, _ := egrid.ParseValue(egrid.Number, row[of])
		x, _ := a.Float()
		y, _ := b.Float()
		if math.Abs(x) < 0.05 || y == 0 {
			continue // too few digits to tell
		}
		others++
		for ratio, system := range ratios {
			if math.Abs(x/y/ratio-1) < 0.02 {
				votes[system]++
				others--
			}
		}
	}
	if system = Metric; votes[US] > votes[Metric] {
		system = US
	}
	return system, votes[system] >= others
}
