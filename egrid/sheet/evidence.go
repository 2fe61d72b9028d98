package sheet

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Evidence is one thing that was found out about a sheet, and what told it.
type Evidence struct {
	Of    string `json:"of"`    // level, basis, year, release, authority, units, share_scale, decimal_sign, column where two claim one field; by [Sheet.Learn] also sheet, encoding and figures
	Value string `json:"value"` // empty where every row tells its own
	From  string `json:"from"`  // e.g. "given", "column SEQGEN23", "sheet ST16", "default"
}

// What evidence comes from when it is not in the file.
const (
	given     = "given"
	byDefault = "default"
)

// found keeps a piece of evidence.
func (s *Sheet) found(of, value, from string) {
	s.Evidence = append(s.Evidence, Evidence{Of: of, Value: value, From: from})
}

// Learn adds what is known of the sheet from outside its text, such as the encoding of
// the file, unless it is there.
func (s *Sheet) Learn(e Evidence) {
	if !slices.Contains(s.Evidence, e) {
		s.Evidence = append(s.Evidence, e)
	}
}

// from says what told a thing.
func (s *Sheet) from(of string) string {
	at := slices.IndexFunc(s.Evidence, func(e Evidence) bool { return e.Of == of })
	return s.Evidence[at].From
}

// EvidenceOf returns the evidence about the rows of one data year.
func (s *Sheet) EvidenceOf(year int) []Evidence {
	out := slices.Clone(s.Evidence)
	for i, e := range out {
		if e.Of == "year" && e.Value == "" && year != 0 {
			out[i].Value = strconv.Itoa(year)
		}
	}
	return out
}

// clue is what one place says of a sheet.
type clue struct {
	value string
	from  string
	name  bool // it is the name of a file or folder, which people change: what stands in the file comes before it
}

// conclude finds the value that clues agree on, the most trusted first, and
// keeps it as evidence beside what it overrules. What a person gave decides
// where clues contradict each other or there are none, but does not overrule
// what all of them say. The empty value without an error means that nothing told.
func (s *Sheet) conclude(of, asked, flag string, clues []clue) (string, error) {
	var in, names []clue
	for _, c := range clues {
		if c.name {
			names = append(names, c)
		} else {
			in = append(in, c)
		}
	}
	other := slices.IndexFunc(in, func(c clue) bool { return c.value != in[0].value })
	var best clue
	switch {
	case other > 0 && !slices.ContainsFunc(in, func(c clue) bool { return c.value == asked }):
		return "", fmt.Errorf("%w: %s says %s %s, and %s says %s; give %s", egrid.ErrInvalid, in[0].from, of, in[0].value, in[other].from, in[other].value, flag)
	case other < 0 && len(in) > 0 && asked != "" && asked != in[0].value:
		return "", fmt.Errorf("%w: %s %s was given, and %s says %s; leave %s out if that is right", egrid.ErrInvalid, flag, asked, in[0].from, in[0].value, flag)
	case asked != "":
		best = clue{value: asked, from: given}
	case len(in) > 0:
		best = in[0]
	case len(names) > 0:
		best = names[0]
	default:
		return "", nil
	}
	s.found(of, best.value, best.from)
	for _, c := range append(in, names...) {
		if c.value != best.value {
			s.found(of, c.value, c.from+", overruled")
		}
	}
	return best.value, nil
}
