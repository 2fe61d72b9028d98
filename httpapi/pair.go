package httpapi

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// pairDetails says how editions are named.
const pairDetails = "from and to name editions: a release of the data year (v1, rev2, none for the unmarked one), a data year (2018: its newest release), both (2018-v1), " +
	"published (what is published where the other side is, for a held load), or ids of snapshots between commas, at most one for each level, as /snapshots?all=true lists them. " +
	"links.permanent names the snapshots, and its answer never changes; there is none for a held load."

// pairParams name two editions.
func pairParams() []parameter {
	release := `[Nn][Oo][Nn][Ee]|[Vv]\d{1,3}|[Rr][Ee][Vv]\d{1,3}`
	edition := huma.Schema{
		Pattern:            `^(` + release + `|\d{4}([- ](` + release + `))?|[Pp][Uu][Bb][Ll][Ii][Ss][Hh][Ee][Dd]|[0-9a-f]{24}(,[0-9a-f]{24}){0,` + strconv.Itoa(len(egrid.Levels())-1) + `})$`,
		PatternDescription: "none, v1, rev2, ..., a data year, both as 2018-v1, published, or ids of snapshots", Examples: []any{"v1", "2018-v1", "2018"},
	}
	return []parameter{
		{name: "from", doc: "The first edition: a release, a data year or ids of snapshots.", required: true, schema: edition},
		{name: "to", doc: "The second edition, likewise; the newest release when left out.", schema: edition},
		{name: "year", doc: "Data year of releases that are named alone; the newest in which the second edition is published when left out.", schema: yearParam().schema},
	}
}

var snapshotIDs = regexp.MustCompile(`^[0-9a-f]{24}(,[0-9a-f]{24})*$`)

// pinPair makes an answer permanent that names nothing but snapshots which are or were
// published.
func (in *request) pinPair() {
	from, to := in.text("from"), in.text("to")
	if !snapshotIDs.MatchString(from) || !snapshotIDs.MatchString(to) {
		return
	}
	for id := range strings.SplitSeq(from+","+to, ",") {
		if s, ok := in.data.catalog.Find(id); !ok || s.Status == egrid.Held || string(s.ID) != id {
			return
		}
	}
	in.pinned = from + " " + to
}

// findPair finds the sheets that a request compares, and the place in their list from
// which it goes on. A cursor names the snapshots that its page is of.
func (in *request) findPair(ctx context.Context, levels ...[]egrid.Level) (at int, err error) {
	q := store.PairQuery{Year: in.number("year"), From: in.text("from"), To: in.text("to")}
	if cursor := in.text("cursor"); cursor != "" {
		parts := strings.Split(cursor, ".")
		if len(parts) != 3 {
			return 0, driver.ErrCursor
		}
		q.From, q.To = strings.ReplaceAll(parts[0], "-", ","), strings.ReplaceAll(parts[1], "-", ",")
		at, err = strconv.Atoi(parts[2])
		if err != nil || at < 0 || !snapshotIDs.MatchString(q.From) || !snapshotIDs.MatchString(q.To) {
			return 0, driver.ErrCursor
		}
	}
	var pair store.Pair
	for i, l := range levels {
		q.Levels = l
		var problem error
		if pair, problem = in.data.db.Pair(ctx, q); problem == nil {
			in.pair = &pair
			return at, nil
		}
		if i == 0 {
			err = problem
		}
	}
	return 0, err
}

// ids names the snapshots of a side, a held one by its load.
func ids(e *store.Edition) []string {
	var names []string
	for i := range e.Snapshots {
		s := &e.Snapshots[i]
		if s.Status == egrid.Held {
			names = append(names, string(s.Stage))
			continue
		}
		names = append(names, string(s.ID))
	}
	return names
}

// pairAddress is the address at which the comparison stays as it is; empty for that
// with a held load.
func (in *request) pairAddress() string {
	if in.pair == nil || in.pair.Held() {
		return ""
	}
	query := in.http.URL.Query()
	query.Set("from", strings.Join(ids(&in.pair.From), ","))
	query.Set("to", strings.Join(ids(&in.pair.To), ","))
	query.Del("year")
	query.Del("cursor")
	path, _, _ := strings.Cut(wire.RequestURI(in.http), "?")
	return path + "?" + encodePair(query)
}

// encodePair leaves commas as they are.
func encodePair(query url.Values) string { return strings.ReplaceAll(query.Encode(), "%2C", ",") }

// pairKey tells comparisons apart.
func (in *request) pairKey() string {
	return strings.Join(ids(&in.pair.From), ",") + " " + strings.Join(ids(&in.pair.To), ",")
}

// pairCursor names the comparison, and a place in its list.
func (in *request) pairCursor(at int) string {
	return fmt.Sprintf("%s.%s.%d", strings.Join(ids(&in.pair.From), "-"), strings.Join(ids(&in.pair.To), "-"), at)
}

// pageOf is the part of a comparison's list that a request asks for.
func pageOf[T any](in *request, all []T, at int, c *wire.Comparison, units map[string]string) *answer {
	list := all[min(at, len(all)):]
	limit := in.number("limit")
	if limit == 0 && !in.format.exports() {
		limit = egrid.DefaultLimit
	}
	next := ""
	if limit > 0 && limit < len(list) {
		list = list[:limit]
		next = in.pairCursor(at + limit)
	}
	m := in.meta()
	m.Comparison = c
	if in.pair.From.Year == in.pair.To.Year {
		m.Year = &in.pair.To.Year
	}
	m.snapshots = append(append([]egrid.Snapshot{}, in.pair.From.Snapshots...), in.pair.To.Snapshots...)
	rows := wire.RowsOf(list)
	ans := &answer{value: append([]T{}, list...), next: next, list: whole(egrid.RowPage{Batch: rows, Revision: m.Revision, Total: int64(len(list))}, m)}
	ans.meta = m.of(len(list), units)
	ans.meta.Total = new(int64(len(all)))
	return ans
}
