package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// regionLevels are the levels whose rows are regions with a code.
var regionLevels = []egrid.Level{egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US}

// contentsOperations list what is below /plants, /levels and /regions.
func (a *api) contentsOperations() {
	a.register(operation{
		id: "plant-paths", path: "/plants", tag: "plants", summary: "What can be asked about plants",
		details: "The paths below this one. Those in braces stand for a value of your own.",
		schema:  a.schemaOf(typeOf[[]wire.PathInfo]()),
		answer:  func(_ context.Context, in *request) (*answer, error) { return a.paths(in, "/plants/"), nil },
	})
	a.register(operation{
		id: "levels", path: "/levels", tag: "levels", summary: "The levels, and what is published of each",
		schema: a.schemaOf(typeOf[[]wire.LevelInfo]()),
		answer: func(_ context.Context, in *request) (*answer, error) { return in.levelList(), nil },
	})
	a.register(operation{
		id: "region-levels", path: "/regions", tag: "levels", summary: "The levels of regions, and what is published of each",
		schema: a.schemaOf(typeOf[[]wire.LevelInfo]()),
		answer: func(_ context.Context, in *request) (*answer, error) { return in.levelList(regionLevels...), nil },
	})
	level := parameter{name: "level", path: true, upper: true, doc: "Level of the regions."}
	for _, l := range regionLevels {
		level.schema.Enum = append(level.schema.Enum, string(l))
	}
	a.register(operation{
		id: "regions", path: "/regions/{level}", tag: "levels", summary: "The regions of a level, with code and name",
		details: "Names are those of the sheet or, where it has none, of the dictionary.",
		params:  []parameter{level, yearParam(), releaseParam()}, pins: ofLevel,
		schema: a.schemaOf(typeOf[[]wire.RegionInfo]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.regions(ctx) },
	})
}

// paths lists the operations that are declared below a path.
func (a *api) paths(in *request, below string) *answer {
	list := []wire.PathInfo{}
	t := newTable("path", "summary")
	for path, item := range a.huma.OpenAPI().Paths {
		if item.Get != nil && strings.HasPrefix(path, below) {
			list = append(list, wire.PathInfo{Path: path, Summary: item.Get.Summary})
		}
	}
	slices.SortFunc(list, func(a, b wire.PathInfo) int { return strings.Compare(a.Path, b.Path) })
	for _, p := range list {
		t.add(p.Path, p.Summary)
	}
	return t.answer(list, in.meta())
}

// levelList tells of levels, all when none is named, what is published of them.
func (in *request) levelList(levels ...egrid.Level) *answer {
	if len(levels) == 0 {
		levels = egrid.Levels()
	}
	list := []wire.LevelInfo{}
	t := newTable("level", "title", "years", "releases", "rows", "path")
	for _, level := range levels {
		info := wire.LevelInfo{Level: level, Title: level.Title(), Editions: []wire.EditionInfo{}, Path: "/levels/" + string(level) + "/rows"}
		if slices.Contains(regionLevels, level) {
			info.Regions = new("/regions/" + string(level))
		}
		var years, releases []string
		var rows int64
		for i := range in.data.catalog.Snapshots {
			if s := &in.data.catalog.Snapshots[i]; s.Level == level && s.Status == egrid.Published {
				info.Editions = append(info.Editions, wire.EditionInfo{Year: s.Year, Release: s.Release, Rows: s.Rows})
				years, releases, rows = append(years, fmt.Sprint(s.Year)), append(releases, releaseWord(s.Release)), rows+s.Rows
			}
		}
		list = append(list, info)
		t.add(string(level), info.Title, strings.Join(years, " "), strings.Join(releases, " "), fmt.Sprint(rows), info.Path)
	}
	return t.answer(list, in.meta())
}

// releaseWord is a release as parameters and lists of words name it.
func releaseWord(release string) string {
	if release == "" {
		return egrid.NoRelease
	}
	return release
}

// regions lists the regions of the level that the path names.
func (in *request) regions(ctx context.Context) (*answer, error) {
	level := egrid.Level(in.text("level"))
	if level == egrid.US {
		page, err := in.data.db.Rows(ctx, egrid.RowQuery{Level: level, Year: in.number("year"), Release: in.text("release"), Limit: 1})
		if err != nil {
			return nil, err
		}
		return regionList(&page, level, func(egrid.Row) (string, string) { return string(egrid.US), "" }), nil
	}
	page, code, name, err := in.regionCodes(ctx, egrid.RowQuery{Level: level, Year: in.number("year"), Release: in.text("release")})
	if err != nil {
		return nil, err
	}
	return regionList(&page, level, func(r egrid.Row) (string, string) { return r.Text(code), r.Text(name) }), nil
}

func regionList(page *egrid.RowPage, level egrid.Level, of func(egrid.Row) (code, name string)) *answer {
	list := []wire.RegionInfo{}
	t := newTable("level", "code", "name", "path")
	for row := range page.Rows() {
		code, name := of(row)
		if code == "" {
			continue // it has a name alone, and so no address
		}
		info := wire.RegionInfo{Level: level, Code: code, Path: "/regions/" + string(level) + "/" + url.PathEscape(code)}
		if name == "" {
			name, _ = egrid.RegionName(level, code)
		}
		if name != "" {
			info.Name = &name
		}
		list = append(list, info)
		t.add(string(level), code, name, info.Path)
	}
	return t.answer(list, metaOf(page))
}

// maxRegions bounds the regions of a level that are read at once; EPA's have some 80.
const maxRegions = 10_000

// regionCodes reads the codes and names of a level's regions.
func (in *request) regionCodes(ctx context.Context, query egrid.RowQuery) (page egrid.RowPage, code, name egrid.Column, err error) {
	identifier := egrid.Identifier(query.Level, func(egrid.Column) bool { return true })
	code, name = identifier[0], identifier[0]+"_name"
	query.Columns, query.Limit, query.Sort, query.Filters = []egrid.Column{code}, maxRegions, []egrid.Sort{{Column: code}}, nil
	if _, ok := egrid.Lookup(query.Level, string(name)); ok {
		query.Columns = append(query.Columns, name)
	}
	page, err = in.data.db.Rows(ctx, query)
	return page, code, name, err
}

// nearestRegion says which region was probably meant by a code that none has.
func (in *request) nearestRegion(ctx context.Context, query egrid.RowQuery, text string) string {
	if query.Level == egrid.US {
		return ""
	}
	page, code, name, err := in.regionCodes(ctx, query)
	if err != nil || page.Len() == 0 {
		return ""
	}
	var codes, known []string
	for row := range page.Rows() {
		c := row.Text(code)
		title := row.Text(name)
		if title == "" {
			title, _ = egrid.RegionName(query.Level, c)
		}
		if strings.EqualFold(title, text) {
			return fmt.Sprintf("; the code of %s is %s", title, c)
		}
		codes, known = append(codes, c, c), append(known, c, title)
	}
	if best := egrid.Nearest(text, known); best != "" {
		return fmt.Sprintf("; did you mean %s?", codes[slices.Index(known, best)])
	}
	return "; " + wire.Prefix(in.http) + "/regions/" + string(query.Level) + " lists them"
}

// noSuchPath answers what no operation is declared for.
func (a *api) noSuchPath(w http.ResponseWriter, r *http.Request) {
	prefix := wire.Prefix(r)
	meant := "; "
	if best := a.nearestPath(r.URL.Path); best != "" {
		meant = ", did you mean " + prefix + best + "? "
	}
	detail := "there is no such path" + meant + prefix + "/openapi.json lists them"
	wire.NewProblem(r, http.StatusNotFound, detail).Write(w)
}

// nearestPath is the declared path that was probably meant: one with as many parts, of
// which the fixed ones are those of the address or near them.
func (a *api) nearestPath(path string) string {
	asked := strings.Split(strings.Trim(path, "/"), "/")
	best, least := "", len(asked)+1
	for _, declared := range a.sortedPaths() {
		parts := strings.Split(strings.Trim(declared, "/"), "/")
		if len(parts) != len(asked) {
			continue
		}
		wrong := 0
		for i, part := range parts {
			switch {
			case strings.HasPrefix(part, "{"):
				parts[i] = asked[i]
			case part == asked[i]:
			case egrid.Nearest(asked[i], []string{part}) != "":
				wrong++
			default:
				wrong = least
			}
		}
		if wrong < least {
			best, least = "/"+strings.Join(parts, "/"), wrong
		}
	}
	return best
}

func (a *api) sortedPaths() []string {
	var paths []string
	for path := range a.huma.OpenAPI().Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
