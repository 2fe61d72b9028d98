package sheet

import "strconv"

// Evidence is one thing that was found out about a sheet, and what told it.
type Evidence struct {
	Of    string `json:"of"`    // level, basis, year, release, authority, units, share_scale or decimal_sign
	Value string `json:"value"` // empty where every row tells its own
	From  string `json:"from"`  // e.g. "given", "column SEQGEN23", "sheet ST16"
}

// found keeps a piece of evidence.
func (s *Sheet) found(of, value, from string) {
	s.Evidence = append(s.Evidence, Evidence{Of: of, Value: value, From: from})
}

// EvidenceOf returns the evidence about the rows of one data year.
func (s *Sheet) EvidenceOf(year int) []Evidence {
	out := make([]Evidence, len(s.Evidence))
	copy(out, s.Evidence)
	for i, e := range out {
		if e.Of == "year" && e.Value == "" && year != 0 {
			out[i].Value = strconv.Itoa(year)
		}
	}
	return out
}
