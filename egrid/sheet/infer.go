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
	releaseMark = regexp.MustCompile(`(?i)(?:^|[^A-Za-z0-9])((?:v|rev)\d{1,3})(?:[^A-Za-z0-9]|$)`)
	byLocation  = regexp.MustCompile(`(?i)\blocation\b.*\bbased\b`)
	// locationCode heads columns that sheets by owner do not have.
	locationCode = regexp.MustCompile(`(?i)^(SEQSRP\d*|NNR[A-Z]+)$`)
	locationName = regexp.MustCompile(`(?i)(?:^|[^a-z])location(?:[^a-z]|$)`)
	publisher    = regexp.MustCompile(`(?i)\bcornerstone\b`)
)

// inferRelease reads the release off the names.
func (s *Sheet) inferRelease(o *ReaderOptions) error {
	asked, err := egrid.ParseRelease(o.Release)
	if err != nil {
		return err
	}
	var clues []clue
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
		s.found("release", "", given)
		return nil
	}
	s.Release, err = s.conclude("release", asked, "--release", clues)
	return err
}

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
func (s *Sheet) inferAuthority(h *header, o *ReaderOptions) error {
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
	authority, err := s.conclude("authority", o.Authority, "--authority", clues)
	if s.Authority = authority; authority == "" && err == nil {
		s.Authority = egrid.DefaultAuthority
		s.found("authority", s.Authority, byDefault)
	}
	return err
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
