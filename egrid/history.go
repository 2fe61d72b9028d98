package egrid

import (
	"cmp"
	_ "embed" // for the history of columns
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed history.csv
var historyCSV string

// ColumnEvent says what an edition did with a column.
type ColumnEvent string

// The events of a column.
const (
	ColumnFirst    ColumnEvent = "first"    // the oldest edition of the level whose code row is known has it
	ColumnAppeared ColumnEvent = "appeared" // it is there, and was not in the edition before
	ColumnPresent  ColumnEvent = "present"  // under the header of the edition before
	ColumnRenamed  ColumnEvent = "renamed"  // under another header
	ColumnGone     ColumnEvent = "gone"     // it was in the edition before, and is not here
	ColumnAbsent   ColumnEvent = "absent"   // it is not here, nor in the edition before
	ColumnReturned ColumnEvent = "returned" // it is there again
	ColumnAlias    ColumnEvent = "alias"    // the dictionary reads the header, of editions whose code rows are not at hand
)

// The evidence of an event.
const (
	FromCodeRow    = "code row"   // of the edition's sheet, complete
	FromPart       = "part"       // of an excerpt from the sheet, which tells of what it has and not of what it lacks
	FromDictionary = "dictionary" // an alias of the dictionary
)

// ColumnEntry is what became of a column in an edition.
type ColumnEntry struct {
	Edition  string      `json:"edition"` // as 2018, 2018-v2, or of an alias a range as 2010-2018
	Event    ColumnEvent `json:"event"`
	Header   string      `json:"header"` // in the sheet; empty where it is not there
	Evidence string      `json:"evidence"`
}

// ColumnHistory is the history of a column of one level, by the code rows of the
// editions that are known.
type ColumnHistory struct {
	Level   Level
	Column  Column        // of the dictionary; empty where it has none, and the code is EPA's alone
	Code    string        // of the dictionary, else the header
	Entries []ColumnEntry // the oldest edition first; aliases behind them
}

// sheetHeaders are the headers of each level's sheets, by edition.
type sheetHeaders map[Level]map[string][]string

// partMark stands behind an edition of which only some columns are known.
const partMark = "~"

var loadHistory = sync.OnceValue(func() sheetHeaders {
	rows, err := csv.NewReader(strings.NewReader(historyCSV)).ReadAll()
	if err != nil {
		panic("egrid: history.csv: " + err.Error())
	}
	all := sheetHeaders{}
	for _, row := range rows[1:] {
		for name := range strings.FieldsSeq(row[0]) {
			level := Level(name)
			header := row[1]
			if rest, ok := strings.CutPrefix(header, "*"); ok {
				header = level.Prefix() + rest
			}
			if all[level] == nil {
				all[level] = map[string][]string{}
			}
			for edition := range strings.FieldsSeq(row[2]) {
				all[level][edition] = append(all[level][edition], header)
			}
		}
	}
	return all
})

// editions are those of a level, the oldest first.
func (h sheetHeaders) editions(level Level) []string {
	var all []string
	for edition := range h[level] {
		all = append(all, edition)
	}
	slices.SortFunc(all, func(a, b string) int {
		year := func(s string) (int, string) {
			y, release, _ := strings.Cut(strings.TrimSuffix(s, partMark), "-")
			n, err := strconv.Atoi(y)
			if err != nil {
				panic("egrid: history.csv: edition " + s)
			}
			return n, release
		}
		y, r := year(a)
		z, q := year(b)
		return cmp.Or(cmp.Compare(y, z), CompareReleases(r, q), strings.Compare(a, b))
	})
	return all
}

// History tells in which editions a column occurs, and under which header: at one
// level, or at every level that has it where level is empty. The column is named by our
// name, EPA's code, or any header that an edition had, in any letter case. It returns
// [ErrNotFound] for a name that neither the dictionary nor a known sheet has, with the
// nearest one.
//
// What is known are the code rows of 1996-2000 (ST, SRL, NRL, US), 2016 (GEN), 2018 and
// 2019 (ST, SRL, NRL, US), 2021 and 2023 (all levels), as EPA's workbooks and the tables of
// its explorer have them. Of other editions the aliases of the dictionary tell.
func History(name string, level Level) ([]ColumnHistory, error) {
	levels := Levels()
	if level != "" {
		if _, err := ParseLevel(string(level)); err != nil {
			return nil, err
		}
		levels = []Level{level}
	}
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, fmt.Errorf("%w: which column? Name it by our name or EPA's code, e.g. SRCO2RTA", ErrInvalid)
	}
	known := loadHistory()
	var all []ColumnHistory
	for _, l := range levels {
		if f, ok := Lookup(l, name); ok {
			all = append(all, known.of(l, f, ""))
		} else if header := known.header(l, name); header != "" {
			all = append(all, known.of(l, Field{}, header))
		}
	}
	if all == nil {
		return nil, fmt.Errorf("%w: no column %q%s", ErrNotFound, name, known.nearest(levels, name))
	}
	// A code that begins as those of one level is of that level, though others know it.
	of := func(c ColumnHistory) bool {
		return c.Level.Prefix() != "" && !strings.EqualFold(string(c.Column), name) && strings.HasPrefix(strings.ToUpper(name), c.Level.Prefix())
	}
	if len(all) > 1 && slices.ContainsFunc(all, of) {
		all = slices.DeleteFunc(all, func(c ColumnHistory) bool { return !of(c) })
	}
	return all, nil
}

// foreignCode reports whether a code begins as those of another level of regions.
func foreignCode(level Level, code string) bool {
	return level.Prefix() != "" && !strings.HasPrefix(code, level.Prefix()) &&
		slices.ContainsFunc([]Level{ST, BA, SRL, NRL, US}, func(other Level) bool { return strings.HasPrefix(code, other.Prefix()) })
}

// header finds a header that the dictionary does not know.
func (h sheetHeaders) header(level Level, name string) string {
	for _, headers := range h[level] {
		for _, header := range headers {
			if strings.EqualFold(header, name) {
				return header
			}
		}
	}
	return ""
}

func (h sheetHeaders) nearest(levels []Level, name string) string {
	var names, codes []string
	for _, l := range levels {
		for _, f := range Fields(l) {
			names, codes = append(names, string(f.Column)), append(codes, f.Code)
		}
		for _, headers := range h[l] {
			codes = append(codes, headers...)
		}
	}
	slices.Sort(codes)
	if best := Nearest(name, append(names, codes...)); best != "" {
		return ", did you mean " + best + "?"
	}
	return "; the dictionary lists them"
}

// of makes the history of a column of the dictionary, or of a header that it lacks.
func (h sheetHeaders) of(level Level, f Field, header string) ColumnHistory {
	c := ColumnHistory{Level: level, Column: f.Column, Code: f.Code}
	if header != "" {
		c.Code = header
	}
	is := func(candidate string) bool {
		if header != "" {
			return strings.EqualFold(candidate, header)
		}
		found, ok := Lookup(level, candidate)
		return ok && found.Column == f.Column
	}
	met, before := false, ""
	for _, edition := range h.editions(level) {
		entry := ColumnEntry{Edition: strings.TrimSuffix(edition, partMark), Evidence: FromCodeRow}
		if at := slices.IndexFunc(h[level][edition], is); at >= 0 {
			entry.Header = h[level][edition][at]
		}
		if strings.HasSuffix(edition, partMark) {
			if entry.Evidence = FromPart; entry.Header == "" {
				continue // the excerpt may have left it out
			}
		}
		switch {
		case entry.Header == "" && before != "":
			entry.Event = ColumnGone
		case entry.Header == "":
			entry.Event = ColumnAbsent
		case !met && len(c.Entries) == 0:
			entry.Event = ColumnFirst
		case !met:
			entry.Event = ColumnAppeared
		case before == "":
			entry.Event = ColumnReturned
		case plainHeader(before) == plainHeader(entry.Header):
			entry.Event = ColumnPresent
		default:
			entry.Event = ColumnRenamed
		}
		met, before = met || entry.Header != "", entry.Header
		c.Entries = append(c.Entries, entry)
	}
	for _, a := range f.Aliases {
		if !foreignCode(level, a.Header) && !slices.ContainsFunc(c.Entries, func(e ColumnEntry) bool { return strings.EqualFold(e.Header, a.Header) }) {
			c.Entries = append(c.Entries, ColumnEntry{Edition: a.Editions, Event: ColumnAlias, Header: a.Header, Evidence: FromDictionary})
		}
	}
	return c
}

// plainHeader is a header in capitals, without the year that sequence numbers carry.
func plainHeader(header string) string {
	upper := strings.ToUpper(header)
	if m := sequenceCode.FindStringSubmatch(upper); m != nil {
		return m[1]
	}
	return upper
}
