package sheet

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

var (
	releaseMark = regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])((?:v|rev)\d{1,3})(?:[^A-Za-z0-9]|$)`)
	byLocation  = regexp.MustCompile(`(?i)\blocation\b.*\bbased\b`)
	// locationCode heads columns that sheets by owner do not have.
	locationCode = regexp.MustCompile(`(?i)^(SEQSRP\d*|NNR[A-Z]+)$`)
	locationName = regexp.MustCompile(`(?i)(?:^|[^a-z])location(?:[^a-z]|$)`)
	publisher    = regexp.MustCompile(`(?i)\bcornerstone\b`)
)

// inferRelease reads the release off the names, and off the column that our own
// exports have.
func (s *Sheet) inferRelease(sample func() [][]string, o *ReaderOptions) error {
	asked, err := egrid.ParseRelease(o.Release)
	if err != nil {
		return err
	}
	clues, err := s.releaseColumn(sample, o.Mapping)
	if err != nil {
		return err
	}
	for _, name := range []string{o.Sheet, path.Base(o.Name)} {
		if m := releaseMark.FindStringSubmatch(name); m != nil {
			release, err := egrid.ParseRelease(m[1])
			if err != nil {
				return err
			}
			clues = append(clues, clue{value: release, from: o.from(name), name: true})
		}
	}
	if o.Release != "" && asked == "" { // the unmarked one
		if len(clues) > 0 && !clues[0].name {
			return fmt.Errorf("%w: --release %s was given, and %s says %s; leave --release out if that is right", egrid.ErrInvalid, o.Release, clues[0].from, clues[0].value)
		}
		s.found("release", "", given)
		return nil
	}
	s.Release, err = s.conclude("release", asked, "--release", clues)
	return err
}

// releaseColumn reads the release that an export of ours repeats in every row. The
// rows behind the head have to have it, too. A column of that name that holds
// something else tells nothing.
func (s *Sheet) releaseColumn(sample func() [][]string, m *Mapping) ([]clue, error) {
	at := slices.IndexFunc(s.Cells, func(c SheetColumn) bool {
		return c.Column == "" && isContext(c.Header, egrid.ReleaseColumn) && (m == nil || !mappedAway(m, c.Header))
	})
	if at < 0 {
		return nil, nil
	}
	yearAt := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Year })
	release, met := "", false
	for _, row := range sample() {
		if at >= len(row) || filledCells(row) < 2 || yearAt >= 0 && len(s.yearsOfRows([][]string{row})) == 0 {
			continue // nothing, a note or a total
		}
		other, known := releaseOf(row[at])
		switch {
		case !known:
			return nil, nil // somebody's own
		case met && other != release:
			return nil, fmt.Errorf("%w: column %s says %s in some rows and %s in others, and a file is loaded as one release; put each into a file of its own, as egrid rows --year does",
				egrid.ErrInvalid, s.Cells[at].Header, releaseName(release), releaseName(other))
		}
		release, met = other, true
	}
	if !met {
		return nil, nil
	}
	s.Cells[at].Release = &release
	if release == "" { // not marked; the name of the file may tell
		return nil, nil
	}
	return []clue{{value: release, from: "column " + s.Cells[at].Header}}, nil
}

// releaseOf reads the cell of a release column. It is not known when it names no
// release.
func releaseOf(text string) (release string, known bool) {
	if cell.Missing(text) {
		return "", true
	}
	release, err := egrid.ParseRelease(text)
	return release, err == nil
}

// releaseName is how people give a release.
func releaseName(release string) string { return cmp.Or(release, egrid.NoRelease) }

// inferBasis finds what tells that the figures are by location. Sheets whose
// marks say that they are by owner are refused before. Up to data year 2000 there
// are subregions and NERC regions of both kinds, with the same columns.
func (s *Sheet) inferBasis(h *header, o *ReaderOptions) error {
	const lastTwofold = 2000
	from := byDefault
	if o.Level != "" {
		from = given + " level"
	}
	for _, c := range s.Cells {
		if locationCode.MatchString(c.Header) {
			from = "column " + c.Header
			break
		}
	}
	for _, name := range []string{o.Name, o.Sheet} {
		if level, _, ok := levelAndYearOf(path.Base(name)); ok && level == s.Level || locationName.MatchString(name) {
			from = o.from(name)
		}
	}
	for _, line := range h.titles {
		if byLocation.MatchString(line) {
			from = fmt.Sprintf("title %q", shorten(line, 100))
		}
	}
	if twofold := s.Level == egrid.SRL || s.Level == egrid.NRL; twofold && from == byDefault && s.Year != 0 && s.Year <= lastTwofold {
		return fmt.Errorf("%w: for data year %d EPA has a %s by location and one by owner, with the same columns, and nothing tells which this is; give --level %s if it is by location", egrid.ErrInvalid, s.Year, s.Level, s.Level)
	}
	s.found("basis", "location", from)
	return nil
}

// inferAuthority finds who published the edition.
func (s *Sheet) inferAuthority(h *header, sample func() [][]string, o *ReaderOptions) error {
	var clues []clue
	for _, line := range h.titles {
		if authority := authorityIn([]string{line}); authority != "" {
			clues = append(clues, clue{value: authority, from: fmt.Sprintf("title %q", shorten(line, 100))})
		}
	}
	for _, name := range []string{o.Sheet, path.Base(o.Name)} {
		if authority := authorityIn([]string{strings.ReplaceAll(name, "_", " ")}); authority != "" {
			clues = append(clues, clue{value: authority, from: o.from(name), name: true})
		}
	}
	column, err := s.authorityColumn(sample, o.Mapping)
	if err != nil {
		return err
	}
	authority, err := s.conclude("authority", o.Authority, "--authority", append(column, clues...))
	if s.Authority = authority; authority == "" && err == nil {
		s.Authority = egrid.DefaultAuthority
		s.found("authority", s.Authority, byDefault)
	}
	return err
}

// authorityColumn reads the authority that an export of ours repeats in every row.
// The rows behind the head have to have it, too.
func (s *Sheet) authorityColumn(sample func() [][]string, m *Mapping) ([]clue, error) {
	at := slices.IndexFunc(s.Cells, func(c SheetColumn) bool {
		return c.Column == "" && isContext(c.Header, egrid.EditionAuthority) && (m == nil || !mappedAway(m, c.Header))
	})
	if at < 0 {
		return nil, nil
	}
	yearAt := slices.IndexFunc(s.Cells, func(c SheetColumn) bool { return c.Column == egrid.Year })
	authority := ""
	for _, row := range sample() {
		if at >= len(row) || filledCells(row) < 2 || yearAt >= 0 && len(s.yearsOfRows([][]string{row})) == 0 {
			continue // nothing, a note or a total
		}
		other := authorityOf(row[at])
		if authority != "" && other != authority {
			return nil, fmt.Errorf("%w: column %s says %s in some rows and %s in others, and a file is loaded as one authority's; put each into a file of its own, as egrid rows --year does",
				egrid.ErrInvalid, s.Cells[at].Header, authority, other)
		}
		authority = other
	}
	if authority == "" {
		return nil, nil
	}
	s.Cells[at].Authority = &authority
	return []clue{{value: authority, from: "column " + s.Cells[at].Header}}, nil
}

// authorityOf reads the cell of such a column.
func authorityOf(text string) string {
	if cell.Missing(text) {
		return egrid.DefaultAuthority
	}
	return strings.TrimSpace(text)
}

// namesColumns reports whether a column names columns in each row, or nothing.
func (s *Sheet) namesColumns(sample [][]string, at int) bool {
	return !slices.ContainsFunc(sample, func(row []string) bool {
		if at >= len(row) || filledCells(row) < 2 || cell.Missing(row[at]) {
			return false
		}
		_, unknown := s.columnsNamed(row[at])
		return unknown != ""
	})
}

// columnsNamed finds the columns that a text names, with blanks between them, as places in
// the schema; those that the sheet lacks are left out. unknown is a name of no
// column.
func (s *Sheet) columnsNamed(text string) (places []int, unknown string) {
	for name := range strings.FieldsSeq(text) {
		f, ok := egrid.Lookup(s.Level, name)
		if !ok {
			return nil, name
		}
		if s.Schema == nil {
			continue
		}
		if at := s.Schema.Index(f.Column); at >= 0 && s.Schema.Field(at).Type != egrid.Text {
			places = append(places, at)
		}
	}
	return places, ""
}

// authorityIn finds who else than EPA is named as publisher.
func authorityIn(texts []string) string {
	if slices.ContainsFunc(texts, publisher.MatchString) {
		return "Cornerstone Data"
	}
	return ""
}

// PublishedBy says what another sheet of the same workbook tells of the
// authority. It counts where the sheet itself and the person tell nothing.
func (s *Sheet) PublishedBy(authority, from string) {
	at := slices.IndexFunc(s.Evidence, func(e Evidence) bool { return e.Of == "authority" && e.From == byDefault })
	if at >= 0 {
		s.Authority, s.Evidence[at] = authority, Evidence{Of: "authority", Value: authority, From: from}
	}
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
	from := byDefault
	if percent > fraction {
		s.ShareScale = 0.01
	}
	if percent+fraction > 0 {
		from = fmt.Sprintf("shares of %d rows that sum to about 100, of %d to about 1", percent, fraction)
	}
	s.found("share_scale", strconv.FormatFloat(s.ShareScale, 'f', -1, 64), from)
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
