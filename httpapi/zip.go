package httpapi

import (
	"context"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) zipOperation() {
	a.register(operation{
		id: "zip", path: "/crosswalk/zip/{zip}", tag: "levels", summary: "Subregions that serve a ZIP code",
		details: "All that the crosswalk names, the predominant one first. Where it does not tell which of several that is, none is marked. CSV has the names of the utilities in one column.",
		params: []parameter{{name: "zip", path: true, doc: "ZIP code.", schema: huma.Schema{
			Pattern: `^[0-9]{5}(-[0-9]{4})?$`, PatternDescription: "five digits, or nine as 97201-1234", Examples: []any{"97201"},
		}}, yearParam(), releaseParam()},
		schema: a.schemaOf(typeOf[[]wire.ZIPSubregion]()), pins: func(*request) []egrid.Level { return []egrid.Level{egrid.ZIP} },
		answer: func(ctx context.Context, in *request) (*answer, error) { return in.zip(ctx) },
	})
}

func (in *request) zip(ctx context.Context) (*answer, error) {
	c, err := in.data.db.ZIP(ctx, in.text("zip"), in.number("year"), in.text("release"))
	if err != nil {
		return nil, err
	}
	list := make([]wire.ZIPSubregion, len(c.Candidates))
	t := newTable("zip", "state", "subregion", "predominant", "utilities")
	for i, candidate := range c.Candidates {
		list[i] = wire.ZIPSubregion{ZIP: c.ZIP, State: textOrNull(c.State), Subregion: candidate.Subregion, Predominant: candidate.Predominant, Utilities: []wire.ZIPUtility{}}
		for _, u := range candidate.Utilities {
			list[i].Utilities = append(list[i].Utilities, wire.ZIPUtility{ID: textOrNull(u.ID), Name: textOrNull(u.Name), Predominant: u.Predominant})
		}
		t.add(c.ZIP, c.State, candidate.Subregion, strconv.FormatBool(candidate.Predominant), namesOf(candidate.Utilities))
	}
	return t.answer(list, metaOf(&egrid.RowPage{Revision: c.Revision, Snapshots: []egrid.Snapshot{c.Snapshot}})), nil
}

func namesOf(utilities []store.Utility) string {
	names := make([]string, len(utilities))
	for i, u := range utilities {
		names[i] = u.String()
	}
	return strings.Join(names, "; ")
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
