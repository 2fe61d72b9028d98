package store

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// PairQuery names two editions to compare, or two sets of snapshots.
//
// A name is a release of the data year (v2, none for the unmarked one), a data year
// (2018: its newest release), both (2018-v1, 2018-none), [PublishedNow], or the ids
// of snapshots between commas, at most one for each level. An id may be that of a
// held load.
type PairQuery struct {
	Levels []egrid.Level // that are read; an edition is what is published of them
	Year   int           // of names that are a release alone; 0: the newest in which To is published
	From   string
	To     string // empty: the newest release, of Year where that is given
}

// PublishedNow names, in a [PairQuery], what is published where the other side is:
// of its levels, data year and release, or of the newest release where nothing is of
// that one.
const PublishedNow = "published"

// Edition is the sheets of one data year and release, or those that their ids name.
type Edition struct {
	Year      int
	Release   string           // empty for the unmarked one
	Snapshots []egrid.Snapshot // one for each level, in the order of the query's levels
	Pinned    bool             // named by ids
}

// String names the edition, as 2018 v1.
func (e *Edition) String() string { return strings.TrimSpace(strconv.Itoa(e.Year) + " " + e.Release) }

// Sheet returns the edition's sheet of a level.
func (e *Edition) Sheet(level egrid.Level) (egrid.Snapshot, bool) {
	i := slices.IndexFunc(e.Snapshots, func(s egrid.Snapshot) bool { return s.Level == level })
	if i < 0 {
		return egrid.Snapshot{}, false
	}
	return e.Snapshots[i], true
}

// Pair is two editions to compare.
type Pair struct {
	From, To Edition
	Revision int64
}

// Permanent reports whether the pair names snapshots that stay: those by id that are
// or were published, and none that is held.
func (p *Pair) Permanent() bool {
	held := func(s egrid.Snapshot) bool { return s.Status == egrid.Held }
	return p.From.Pinned && p.To.Pinned && !p.Held() && !slices.ContainsFunc(p.From.Snapshots, held)
}

// Held reports whether a held load is part of the pair.
func (p *Pair) Held() bool {
	return slices.ContainsFunc(append(slices.Clone(p.From.Snapshots), p.To.Snapshots...), func(s egrid.Snapshot) bool { return s.Status == egrid.Held })
}

// Pair finds the sheets of two editions. Errors: [egrid.ErrInvalid] for a name that
// cannot be, and for ids of several editions in one; [egrid.ErrNotFound] for what is
// not published, with what is; [egrid.ErrStale] for a snapshot that was pruned.
func (db *DB) Pair(ctx context.Context, q PairQuery) (Pair, error) {
	v, err := db.view(ctx)
	if err != nil {
		return Pair{}, err
	}
	return v.pair(q)
}

func (v view) pair(q PairQuery) (Pair, error) {
	p := Pair{Revision: v.catalog.Revision}
	from, to := strings.TrimSpace(q.From), strings.TrimSpace(q.To)
	if from == "" {
		return p, fmt.Errorf("%w: nothing says what to compare with: name a release, none for the unmarked one, a data year, both as 2018-v1, or the id of a snapshot", egrid.ErrInvalid)
	}
	if q.Year != 0 {
		if err := egrid.CheckYear(q.Year); err != nil {
			return p, err
		}
	}
	fromNow, toNow := strings.EqualFold(from, PublishedNow), strings.EqualFold(to, PublishedNow)
	var err error
	switch {
	case fromNow && toNow:
		return p, fmt.Errorf("%w: both sides are what is published; name a release, a data year or a snapshot for one of them", egrid.ErrInvalid)
	case toNow:
		if p.From, err = v.edition(q.Levels, from, q.Year); err == nil {
			p.To, err = v.now(&p.From)
		}
		return p, err
	}
	if p.To, err = v.edition(q.Levels, to, q.Year); err != nil {
		return p, err
	}
	if fromNow {
		p.From, err = v.now(&p.To)
		return p, err
	}
	year := q.Year
	if year == 0 {
		year = p.To.Year
	}
	p.From, err = v.edition(q.Levels, from, year)
	return p, err
}

var (
	snapshotID  = regexp.MustCompile(`^[0-9a-f]{24}$`)
	editionName = regexp.MustCompile(`^(\d{4})(?:[- ](.+))?$`)
)

// editionOf reads the name of an edition: a data year, a release, or both. A name
// without a year is of the given one.
func editionOf(name string, year int) (int, string, error) {
	release := name
	if m := editionName.FindStringSubmatch(name); m != nil {
		year, _ = strconv.Atoi(m[1]) // four digits
		release = m[2]
		if err := egrid.CheckYear(year); err != nil {
			return 0, "", err
		}
	}
	if _, err := egrid.ParseRelease(release); err != nil {
		return 0, "", fmt.Errorf("%w, a data year, both as 2018-v1, published, or the id of a snapshot", err)
	}
	return year, strings.TrimSpace(release), nil
}

// edition finds the sheets that a name stands for: of one release, the newest where
// the name leaves it open.
func (v view) edition(levels []egrid.Level, name string, year int) (Edition, error) {
	if ids := strings.Split(name, ","); snapshotID.MatchString(ids[0]) {
		return v.named(levels, ids)
	}
	year, release, err := editionOf(name, year)
	if err != nil {
		return Edition{}, err
	}
	var newest egrid.Snapshot
	var problem error
	for _, level := range levels {
		found, err := driver.SelectSnapshots(v.catalog, level, year, release)
		switch {
		case err != nil && problem == nil:
			problem = err
		case err == nil && len(found) > 0:
			s := found[0]
			if newest.Year < s.Year || newest.Year == s.Year && egrid.CompareReleases(newest.Release, s.Release) < 0 {
				newest = s
			}
		}
	}
	if newest.Year == 0 {
		return Edition{}, v.absent(levels, year, release, problem)
	}
	e := Edition{Year: newest.Year, Release: newest.Release}
	for _, level := range levels {
		if s, ok := v.catalog.Published(level, e.Year, e.Release); ok {
			e.Snapshots = append(e.Snapshots, s)
		}
	}
	return e, nil
}

// absent is the error of an edition of which nothing is published.
func (v view) absent(levels []egrid.Level, year int, release string, problem error) error {
	if len(levels) == 1 && problem != nil {
		return problem
	}
	var have []string
	for i := range v.catalog.Snapshots {
		s := &v.catalog.Snapshots[i]
		if name := (&Edition{Year: s.Year, Release: s.Release}).String(); s.Status == egrid.Published && slices.Contains(levels, s.Level) && !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	slices.Sort(have)
	if len(have) == 0 {
		return fmt.Errorf("%w: no %s sheet is published", egrid.ErrNotFound, levelNames(levels))
	}
	what := "no edition"
	if year != 0 {
		what = "nothing of data year " + strconv.Itoa(year)
	}
	if release != "" {
		what += ", release " + release + ","
	}
	return fmt.Errorf("%w: %s is published at level %s; there are %s", egrid.ErrNotFound, what, levelNames(levels), strings.Join(have, ", "))
}

func levelNames(levels []egrid.Level) string {
	names := make([]string, len(levels))
	for i, l := range levels {
		names[i] = string(l)
	}
	return strings.Join(names, ", ")
}

// named finds the snapshots of ids: published, superseded or held.
func (v view) named(levels []egrid.Level, ids []string) (Edition, error) {
	e := Edition{Pinned: true}
	for _, id := range ids {
		s, err := v.find(strings.TrimSpace(id))
		if err != nil {
			return e, err
		}
		if !slices.Contains(levels, s.Level) {
			return e, fmt.Errorf("%w: snapshot %s is of level %s, not %s", egrid.ErrInvalid, id, s.Level, levelNames(levels))
		}
		if len(e.Snapshots) > 0 && (s.Year != e.Year || s.Release != e.Release) {
			return e, fmt.Errorf("%w: snapshots %s and %s are of different editions, which are never mixed: one is of %s, the other of %s",
				egrid.ErrInvalid, e.Snapshots[0].ID, id, &e, &Edition{Year: s.Year, Release: s.Release})
		}
		e.Year, e.Release = s.Year, s.Release
		if other, ok := e.Sheet(s.Level); ok && other.ID != s.ID {
			return e, fmt.Errorf("%w: snapshots %s and %s are both of level %s; name one of them", egrid.ErrInvalid, other.ID, id, s.Level)
		} else if !ok {
			e.Snapshots = append(e.Snapshots, s)
		}
	}
	slices.SortFunc(e.Snapshots, func(a, b egrid.Snapshot) int { return slices.Index(levels, a.Level) - slices.Index(levels, b.Level) })
	return e, nil
}

// find finds a snapshot by its id, or a load by that.
func (v view) find(id string) (egrid.Snapshot, error) {
	if s, ok := v.catalog.Find(id); ok {
		return s, nil
	}
	if slices.Contains(v.catalog.Pruned, egrid.SnapshotID(id)) {
		return egrid.Snapshot{}, fmt.Errorf("%w: snapshot %s was published once and is kept no more", egrid.ErrStale, id)
	}
	return egrid.Snapshot{}, fmt.Errorf("%w: no snapshot and no held load %s; egrid snapshots --all lists them, and so does snapshots?all=true of the API", egrid.ErrNotFound, id)
}

// now finds what is published where another edition is.
func (v view) now(other *Edition) (Edition, error) {
	var e Edition
	for i := range other.Snapshots {
		s := &other.Snapshots[i]
		live, ok := v.catalog.Published(s.Level, s.Year, s.Release)
		if !ok {
			found, err := driver.SelectSnapshots(v.catalog, s.Level, s.Year, "")
			if err != nil {
				return e, err
			}
			live = found[0]
		}
		if len(e.Snapshots) > 0 && live.Release != e.Release {
			return e, fmt.Errorf("%w: what is published of %d is of several releases, which are never mixed; name one in place of published", egrid.ErrInvalid, s.Year)
		}
		e.Year, e.Release = live.Year, live.Release
		e.Snapshots = append(e.Snapshots, live)
	}
	return e, nil
}

// Read yields the rows of one snapshot in their order, whether it is published, was
// or is held: all columns, or those of the named ones that it has. Errors: those of
// Scan, [egrid.ErrStale] for a snapshot that was pruned.
func (db *DB) Read(ctx context.Context, s egrid.Snapshot, columns ...egrid.Column) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		have := s.Schema.Columns()
		if columns != nil {
			have = slices.DeleteFunc(have, func(c egrid.Column) bool { return !slices.Contains(columns, c) })
		}
		s := s
		s.Status = egrid.Published
		p, err := driver.PlanRows(egrid.Catalog{Snapshots: []egrid.Snapshot{s}}, egrid.RowQuery{Level: s.Level, Year: egrid.AllYears, Columns: have})
		if err != nil {
			yield(nil, err)
			return
		}
		p.Limit = 0
		db.scanner.Scan(ctx, p)(yield)
	}
}
