package sheet

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

var (
	sequenceYear = regexp.MustCompile(`(?i)^SEQ[A-Z]+(\d{2})$`)
	levelYear    = regexp.MustCompile(`(?i)(?:^|[^A-Za-z]|EGRD)(UNT|GEN|PLNT|ST|BA|SRL|NRL|US|GGL|DEMO|ZIP)[_-]?(\d{2})(?:\D|$)`)
	yearWord     = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:year|yr)[ _-]?(\d{4}|\d{2})(?:\D|$)`)
	titleYear    = regexp.MustCompile(`(?i)\byear (\d{4})\b|\b(\d{4}) data\b`)
	issue        = regexp.MustCompile(`(?i)eGRID[ _-]?(\d{4}|\d{2})(?:\D|$)`)
	fourDigits   = regexp.MustCompile(`\b(?:19|20)\d\d\b`)
	digits       = regexp.MustCompile(`\d+`)
)

// issues are the editions that EPA named by the year in which they came out, and
// the data years that went by the name.
var issues = map[int][]int{
	2000: {1998},
	2002: {1996, 1997, 1998, 1999, 2000},
	2006: {2004},
	2007: {2005},
	2010: {2007},
	2012: {2009, 2012},
}

// checkYear returns [egrid.ErrInvalid] unless EPA may have published the data
// year.
func checkYear(year int) error {
	switch year {
	case 2001, 2002, 2003, 2006, 2008:
		return fmt.Errorf("%w: there is no eGRID of data year %d: EPA went from 2000 to 2004 and 2005, 2007 and 2009; editions up to eGRID2007 are named by the year of their issue", egrid.ErrInvalid, year)
	}
	return egrid.CheckYear(year)
}

// century completes a two-digit year: eGRID starts with data year 1996.
func century(yy string) int {
	n, _ := strconv.Atoi(yy) // digits
	switch {
	case len(yy) == 4:
		return n
	case n >= egrid.FirstYear%100:
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

// issuedFor returns the data year of the edition that a text names, if it is one
// edition.
func issuedFor(text string) (int, bool) {
	year := 0
	for _, m := range issue.FindAllStringSubmatch(text, -1) {
		if year != 0 && century(m[1]) != year {
			return 0, false
		}
		year = century(m[1])
	}
	if years, ok := issues[year]; ok {
		return years[0], len(years) == 1
	}
	return year, egrid.CheckYear(year) == nil
}

// inferYear finds the data year. Where a column gives it row by row, Year is 0,
// and what else there is must not contradict the rows at the head of the file.
func (s *Sheet) inferYear(h *header, yearHeader string, sample func() [][]string, o *ReaderOptions) error {
	asked := ""
	if o.Year != 0 {
		asked = strconv.Itoa(o.Year)
	}
	clues := s.yearsInside(h, o)
	if yearHeader != "" {
		from := "column " + yearHeader
		var years []string
		if asked != "" || len(clues) > 0 {
			years = s.yearsOfRows(sample())
		}
		if asked != "" && len(years) > 0 && !slices.Equal(years, []string{asked}) {
			return fmt.Errorf("%w: --year %s was given, and %s says %s; leave --year out if that is right", egrid.ErrInvalid, asked, from, shorten(strings.Join(years, ", "), 60))
		}
		for _, c := range clues {
			if len(years) == 1 && c.value != years[0] {
				return fmt.Errorf(`%w: %s says year %s, and %s says %s; leave one out with an etl.json ("columns": {"header": ""})`, egrid.ErrInvalid, from, years[0], c.from, c.value)
			}
		}
		s.found("year", "", from)
		return nil
	}
	text, err := s.conclude("year", asked, "--year", append(clues, yearsInNames(o)...))
	if err != nil {
		return err
	}
	if text == "" {
		why := "no year column, no year in the sequence column, a title, the descriptions, the file name or the folder"
		if m := issue.FindStringSubmatch(o.Name); m != nil && len(issues[century(m[1])]) > 1 {
			why = fmt.Sprintf("eGRID%d is the name of editions of several data years (%s)", century(m[1]), strings.Trim(fmt.Sprint(issues[century(m[1])]), "[]"))
		}
		return fmt.Errorf("%w: nothing tells the data year: %s; give --year", egrid.ErrInvalid, why)
	}
	s.Year, _ = strconv.Atoi(text) // made of a number
	if err := checkYear(s.Year); err != nil {
		return fmt.Errorf("%w; %s says %d: give --year", err, s.from("year"), s.Year)
	}
	return nil
}

// yearsOfRows are the data years of the rows at the head of the file.
func (s *Sheet) yearsOfRows(sample [][]string) []string {
	at := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Year })
	var years []string
	for _, row := range sample {
		if at >= len(row) {
			continue
		}
		v, _, err := egrid.ParseValue(egrid.Integer, row[at])
		if year, ok := v.Int(); err == nil && ok {
			if text := strconv.FormatInt(year, 10); !slices.Contains(years, text) {
				years = append(years, text)
			}
		}
	}
	return years
}

// yearsInside are the clues in the file: a sequence column, titles, the
// descriptions of measures, the name of the sheet.
func (s *Sheet) yearsInside(h *header, o *ReaderOptions) []clue {
	var clues []clue
	add := func(year int, from string) {
		if egrid.CheckYear(year) == nil {
			clues = append(clues, clue{value: strconv.Itoa(year), from: from})
		}
	}
	add(s.yearOfSequence(h, o))
	for _, line := range h.titles {
		from := fmt.Sprintf("title %q", shorten(line, 100))
		if m := titleYear.FindStringSubmatch(line); m != nil {
			add(century(m[1]+m[2]), from)
		} else if year, ok := issuedFor(line); ok {
			add(year, from)
		}
	}
	add(s.yearOfDescriptions(h))
	if _, year, ok := levelAndYearOf(o.Sheet); ok && strings.HasPrefix(nameOf(o), "sheet ") {
		add(year, nameOf(o))
	}
	return clues
}

// yearOfSequence is the year in the name of the sequence column. Sheets of 1996 to
// 2000 have the sequence numbers of all of these editions, so they tell nothing.
func (s *Sheet) yearOfSequence(h *header, o *ReaderOptions) (year int, from string) {
	for i, c := range s.Cells {
		m := sequenceYear.FindStringSubmatch(c.Header)
		if m == nil || o.Mapping != nil && mappedAway(o.Mapping, h.cells[i].raw) {
			continue
		}
		if y := century(m[1]); y <= 2000 || year != 0 && y != year {
			return 0, ""
		}
		year, from = century(m[1]), "column "+c.Header
	}
	return year, from
}

// yearOfDescriptions is the year that most descriptions of measures have, as in
// "State 2000 annual net generation (MWh)", where none has another.
func (s *Sheet) yearOfDescriptions(h *header) (year int, from string) {
	described, dated := 0, 0
	for i, c := range s.Cells {
		at := s.Schema.Index(c.Column)
		if at < 0 || s.Schema.Field(at).Type != egrid.Number || h.cells[i].text == "" {
			continue
		}
		described++
		years := fourDigits.FindAllString(h.cells[i].text, -1)
		for _, y := range years {
			if year != 0 && year != century(y) {
				return 0, ""
			}
			year, from = century(y), fmt.Sprintf("description %q", shorten(h.cells[i].text, 100))
		}
		if len(years) > 0 {
			dated++
		}
	}
	if 2*dated <= described {
		return 0, ""
	}
	return year, from
}

// yearsInNames are the clues in the names of the table, the file and its
// folders, the nearest first.
func yearsInNames(o *ReaderOptions) []clue {
	var clues []clue
	names := []string{strings.ReplaceAll(o.Name, "\\", "/")}
	if o.Sheet != "" {
		names = []string{strings.ReplaceAll(o.Sheet, "\\", "/"), names[0]}
	}
	for _, name := range names {
		for dir, what := name, "file name "; ; dir, what = path.Dir(dir), "folder " {
			base := path.Base(dir)
			if base == "." || base == "/" {
				break
			}
			if year, ok := yearInName(base); ok {
				clues = append(clues, clue{value: strconv.Itoa(year), from: what + base, name: true})
				break
			}
		}
	}
	return clues
}

// yearInName reads PLNT16, yr98, eGRID2016 or a bare year.
func yearInName(name string) (int, bool) {
	if _, year, ok := levelAndYearOf(name); ok {
		return year, true
	}
	if m := yearWord.FindStringSubmatch(name); m != nil {
		return century(m[1]), true
	}
	if year, ok := issuedFor(name); ok {
		return year, true
	}
	return onlyYear(issue.ReplaceAllString(name, " "))
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
