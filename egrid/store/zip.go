package store

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Crosswalk says which eGRID subregions serve a ZIP code. Most ZIP codes have one,
// some have two or three.
type Crosswalk struct {
	ZIP        string         // five digits
	State      string         // postal abbreviation; empty where the rows name none, or several
	Candidates []Candidate    // at least one: the predominant one first, then by code
	Snapshot   egrid.Snapshot // that was read
	Revision   int64
}

// Candidate is a subregion that serves a ZIP code.
type Candidate struct {
	Subregion   string
	Predominant bool      // it serves most of the ZIP code; of one Candidate at most
	Utilities   []Utility // through which it does, the predominant one first; none where the table names none
}

// Utility is one that serves a ZIP code. Either of ID and Name may be empty.
type Utility struct {
	ID, Name    string // EIA's number, or what an older table has for it
	Predominant bool   // it serves most of the ZIP code
}

// String is the utility's name, or its ID where it has none.
func (u Utility) String() string { return cmp.Or(u.Name, u.ID) }

// Subregion returns the predominant subregion; false where the crosswalk does not
// tell which of several it is.
func (c *Crosswalk) Subregion() (string, bool) {
	if len(c.Candidates) == 0 || !c.Candidates[0].Predominant {
		return "", false
	}
	return c.Candidates[0].Subregion, true
}

var (
	fiveDigits  = regexp.MustCompile(`^(\d{5})(?:-\d{4})?$`)
	fewerDigits = regexp.MustCompile(`^\d{3,4}$`)
)

// ZIP answers for a ZIP code of five digits, or of nine as 97201-1234, by the
// crosswalk of a data year: 0 is the newest. What a spreadsheet has left of a ZIP
// code goes through [egrid.ParseZIP] first.
//
// The predominant subregion is the one that the crosswalk says is: by a column of
// its own, as the first of several, or as that of the predominant utility. One that
// is alone is predominant. Where a crosswalk says it of two, of none of the two.
//
// Errors: [egrid.ErrInvalid] for what is not a ZIP code, [egrid.ErrNotFound] for one
// that the crosswalk does not have, which names its neighbours, and for a data year
// or release without a crosswalk.
func (db *DB) ZIP(ctx context.Context, zip string, year int, release string) (Crosswalk, error) {
	m := fiveDigits.FindStringSubmatch(strings.TrimSpace(zip))
	if m == nil {
		hint := ""
		if code, err := egrid.ParseZIP(zip); err == nil && fewerDigits.MatchString(zip) {
			hint = "; with its zeros in front it may be " + code
		}
		return Crosswalk{}, fmt.Errorf("%w: %q is not a ZIP code, which has five digits%s", egrid.ErrInvalid, zip, hint)
	}
	v, err := db.view(ctx)
	if err != nil {
		return Crosswalk{}, err
	}
	if len(v.catalog.Years(egrid.ZIP)) == 0 {
		return Crosswalk{}, fmt.Errorf("%w: no crosswalk of ZIP codes is published; load EPA's zip.csv or the Zip-subregion sheet of its Power Profiler tool, with its data year (egrid load --year 2023 zip.csv)", egrid.ErrNotFound)
	}
	p, err := driver.PlanRows(v.catalog, egrid.RowQuery{
		Level: egrid.ZIP, Year: year, Release: release, Filters: []egrid.Filter{egrid.Where(egrid.ZIPCode, egrid.Eq, m[1])},
	})
	if err != nil {
		return Crosswalk{}, err
	}
	p.Limit = 0
	rows, err := v.collect(ctx, p)
	if err != nil {
		return Crosswalk{}, err
	}
	c := Crosswalk{ZIP: m[1], Snapshot: p.Snapshots[0], Revision: v.catalog.Revision}
	if rows.Len() == 0 {
		return c, v.noZIP(ctx, c.ZIP, c.Snapshot)
	}
	if c.take(rows); len(c.Candidates) == 0 {
		return c, fmt.Errorf("%w: the crosswalk of %d has ZIP code %s without a subregion", egrid.ErrNotFound, c.Snapshot.Year, c.ZIP)
	}
	return c, nil
}

// Columns of a crosswalk.
const (
	utilityID            egrid.Column = "utility_id"
	utilityName          egrid.Column = "utility_name"
	predominantUtility   egrid.Column = "predominant_utility"
	predominantSubregion egrid.Column = "predominant_subregion"
	firstSubregion       egrid.Column = "subregion_1"
	secondSubregion      egrid.Column = "subregion_2"
	thirdSubregion       egrid.Column = "subregion_3"
)

// take unfolds the rows of the ZIP code: one for each utility, or one that has the
// subregions side by side.
func (c *Crosswalk) take(rows *egrid.Batch) {
	var said [3][]string // which subregions are predominant, by each way to say so
	say := func(way int, subregion string) {
		if subregion != "" && !slices.Contains(said[way], subregion) {
			said[way] = append(said[way], subregion)
		}
	}
	c.State = rows.Row(0).Text(egrid.State)
	for row := range rows.Rows() {
		if row.Text(egrid.State) != c.State {
			c.State = ""
		}
		say(0, row.Text(predominantSubregion))
		say(1, row.Text(firstSubregion))
		for _, column := range []egrid.Column{predominantSubregion, firstSubregion, secondSubregion, thirdSubregion} {
			c.candidate(row.Text(column))
		}
		served := c.candidate(row.Text(egrid.Subregion))
		if served == nil {
			continue
		}
		most, _ := row.Bool(predominantUtility)
		if most {
			say(2, served.Subregion)
		}
		served.add(Utility{ID: row.Text(utilityID), Name: row.Text(utilityName), Predominant: most})
	}
	if len(c.Candidates) == 1 {
		c.Candidates[0].Predominant = true
		return
	}
	if way := slices.IndexFunc(said[:], func(s []string) bool { return len(s) > 0 }); way >= 0 && len(said[way]) == 1 {
		c.candidate(said[way][0]).Predominant = true
	}
	slices.SortFunc(c.Candidates, func(a, b Candidate) int {
		return cmp.Or(first(a.Predominant, b.Predominant), cmp.Compare(a.Subregion, b.Subregion))
	})
}

// candidate finds a subregion among the candidates, or makes it one; nil for none.
func (c *Crosswalk) candidate(subregion string) *Candidate {
	if subregion == "" {
		return nil
	}
	at := slices.IndexFunc(c.Candidates, func(o Candidate) bool { return o.Subregion == subregion })
	if at < 0 {
		at = len(c.Candidates)
		c.Candidates = append(c.Candidates, Candidate{Subregion: subregion})
	}
	return &c.Candidates[at]
}

func (c *Candidate) add(u Utility) {
	at := slices.IndexFunc(c.Utilities, func(o Utility) bool { return o.ID == u.ID && o.Name == u.Name })
	switch {
	case u.ID == "" && u.Name == "":
		return
	case at >= 0:
		c.Utilities[at].Predominant = c.Utilities[at].Predominant || u.Predominant
	default:
		c.Utilities = append(c.Utilities, u)
	}
	slices.SortFunc(c.Utilities, func(a, b Utility) int {
		return cmp.Or(first(a.Predominant, b.Predominant), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// first orders what has a mark before what has not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// noZIP says that a crosswalk does not have a ZIP code, and which it has beside it.
func (v view) noZIP(ctx context.Context, zip string, of egrid.Snapshot) error {
	prefix := zip[:3]
	page, err := v.at(of).groups(ctx, egrid.GroupQuery{
		Level: egrid.ZIP, Year: of.Year, By: []egrid.Column{egrid.ZIPCode}, Measures: []egrid.Measure{{Func: egrid.Count}},
		Filters: []egrid.Filter{egrid.Where(egrid.ZIPCode, egrid.Ge, prefix+"00"), egrid.Where(egrid.ZIPCode, egrid.Le, prefix+"99")},
	})
	if err != nil {
		return err
	}
	var near []string
	for row := range page.Rows() {
		near = append(near, row.Text(egrid.ZIPCode))
	}
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(apart(a, zip), apart(b, zip)) })
	const few = 5
	what := fmt.Sprintf("no ZIP code %s in the crosswalk of %d", zip, of.Year)
	if len(near) == 0 {
		return fmt.Errorf("%w: %s, which has none that begins with %s", egrid.ErrNotFound, what, prefix)
	}
	return fmt.Errorf("%w: %s; the nearest are %s", egrid.ErrNotFound, what, strings.Join(near[:min(few, len(near))], ", "))
}

// apart is how far two ZIP codes are from each other, by number.
func apart(a, b string) int {
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	if errA != nil || errB != nil {
		return 1e5
	}
	return max(x-y, y-x)
}
