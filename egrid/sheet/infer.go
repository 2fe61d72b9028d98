package sheet

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var (
	sequenceYear = regexp.MustCompile(`(?i)^SEQ[A-Z]+(\d{2})$`)
	levelYear    = regexp.MustCompile(`(?i)(?:^|[^A-Za-z])(UNT|GEN|PLNT|ST|BA|SRL|NRL|US|GGL|DEMO)[_-]?(\d{2})(?:\D|$)`)
	digits       = regexp.MustCompile(`\d+`)
	releaseMark  = regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])((?:v|rev)\d{1,3})(?:[^A-Za-z0-9]|$)`)
)

// century completes a two-digit year: eGRID starts with data year 1996.
func century(yy string) int {
	n, _ := strconv.Atoi(yy) // two digits
	if n >= egrid.FirstYear%100 {
		return 1900 + n
	}
	return 2000 + n
}

func levelAndYearOf(name string) (egrid.Level, int, bool) {
	if m := levelYear.FindStringSubmatch(name); m != nil {
		return egrid.Level(strings.ToUpper(m[1])), century(m[2]), true
	}
	return "", 0, false
}

func (s *Sheet) inferEdition(yearHeader string, o *ReaderOptions) error {
	var from string
	if s.Year, from = inferYear(s.Cells, yearHeader, o); from == "" {
		return fmt.Errorf("%w: nothing tells the data year: no year column, no year in the sequence column, the file name or the folder; give --year", egrid.ErrInvalid)
	}
	year := ""
	if s.Year != 0 {
		if err := egrid.CheckYear(s.Year); err != nil {
			return err
		}
		year = strconv.Itoa(s.Year)
	}
	s.found("year", year, from)
	release, from := o.Release, "given"
	for _, name := range []string{o.Sheet, path.Base(o.Name)} {
		if m := releaseMark.FindStringSubmatch(name); m != nil && release == "" {
			release, from = m[1], "file name"
		}
	}
	if release == "" {
		return nil
	}
	var err error
	s.Release, err = egrid.ParseRelease(release)
	s.found("release", s.Release, from)
	return err
}

func inferYear(cells []SheetColumn, yearHeader string, o *ReaderOptions) (year int, from string) {
	if yearHeader != "" {
		return 0, "column " + yearHeader
	}
	for _, c := range cells {
		if m := sequenceYear.FindStringSubmatch(c.Header); m != nil {
			return century(m[1]), "column " + c.Header
		}
	}
	if _, y, ok := levelAndYearOf(o.Sheet); ok {
		return y, "sheet " + o.Sheet
	}
	if o.Year != 0 {
		return o.Year, "given"
	}
	name := strings.ReplaceAll(o.Name, "\\", "/")
	if _, y, ok := levelAndYearOf(path.Base(name)); ok {
		return y, "file name " + path.Base(name)
	}
	for dir, what := name, "file name "; ; dir, what = path.Dir(dir), "folder " {
		base := path.Base(dir)
		if base == "." || base == "/" {
			return 0, ""
		}
		if y, ok := onlyYear(base); ok {
			return y, what + base
		}
	}
}

// onlyYear finds the four-digit year in a name; two years tell nothing.
func onlyYear(name string) (year int, ok bool) {
	for _, d := range digits.FindAllString(name, -1) {
		n, err := strconv.Atoi(d)
		if err != nil || len(d) != 4 || egrid.CheckYear(n) != nil {
			continue
		}
		if year != 0 && year != n {
			return 0, false
		}
		year = n
	}
	return year, year != 0
}

// inferShareScale decides from the values whether the sheet holds shares as
// 0-1 or as percent, as EPA's workbooks did up to 2016 and its exports of 2018
// and 2019 do.
func (s *Sheet) inferShareScale(sample func() [][]string) {
	var mix, shares []int
	for i, c := range s.Cells {
		if j := s.Schema.Index(c.Column); j < 0 || !isShare(s.Schema.Field(j)) || c.Transform == "divide_by_100" {
			continue
		}
		shares = append(shares, i)
		if slices.Contains(egrid.FuelShares(), c.Column) {
			mix = append(mix, i)
		}
	}
	if len(shares) == 0 {
		return
	}
	fraction, percent := 0, 0
	for _, row := range sample() {
		sum, largest := 0.0, 0.0
		for _, i := range shares {
			if i >= len(row) || strings.Contains(row[i], "%") {
				continue
			}
			v, _, _ := egrid.ParseValue(egrid.Number, s.Dialect.numeral(row[i]))
			x, _ := v.Float()
			largest = max(largest, math.Abs(x))
			if slices.Contains(mix, i) {
				sum += x
			}
		}
		switch {
		case sum > 50 || len(mix) < 3 && largest > 1.5:
			percent++
		case sum > 0.5 || len(mix) < 3 && largest > 0:
			fraction++
		}
	}
	if percent > fraction {
		s.ShareScale = 0.01
	}
}

// isShare reports whether a field holds a part of a whole, which files give as
// a fraction or in percent.
func isShare(f egrid.Field) bool { return f.Unit == "fraction" }

// isRatio reports whether a field has a denominator that may be zero.
func isRatio(f egrid.Field) bool {
	return isShare(f) || strings.Contains(f.Unit, "/") || f.Type == egrid.Number && f.Unit == "" && f.Known()
}

// isSum reports whether EPA gives a field's totals with decimals.
func isSum(f egrid.Field) bool {
	return slices.Contains([]string{"MWh", "MMBtu", "short tons", "lb"}, f.Unit)
}
