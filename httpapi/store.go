package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func (a *api) storeOperations() {
	a.columnOperations()
	a.register(operation{
		id: "snapshots", path: "/snapshots", tag: "store", summary: "What is published, and what is held",
		params: []parameter{{name: "all", doc: "true: what was published before, too.", schema: huma.Schema{Enum: []any{"true", "false"}, Default: "false"}}},
		schema: a.schemaOf(typeOf[[]wire.SnapshotInfo]()),
		answer: func(ctx context.Context, in *request) (*answer, error) { return a.snapshots(ctx, in) },
	})
	a.register(operation{
		id: "snapshot", path: "/snapshots/{id}", tag: "store", summary: "One snapshot",
		params: []parameter{{name: "id", path: true, doc: "Id of the snapshot, or of the load that made it.", schema: huma.Schema{MaxLength: new(100)}}},
		schema: a.schemaOf(typeOf[wire.SnapshotInfo]()),
		answer: func(ctx context.Context, in *request) (*answer, error) {
			return a.snapshot(ctx, in, in.text("id"))
		},
	})
	a.register(operation{
		id: "catalog", path: "/catalog", tag: "store", summary: "What is published and held, as programs that plan queries want it",
		details: "With the audits. all=true adds what was published before, and schemas=true the columns of each snapshot, where one that the dictionary has is told as LEVEL/name; without it columns is null. /snapshots has less of it.",
		params: []parameter{
			{name: "all", doc: "true: what was published before, too.", schema: huma.Schema{Enum: []any{"true", "false"}, Default: "false"}},
			{name: "schemas", doc: "true: with the columns of each snapshot.", schema: huma.Schema{Enum: []any{"true", "false"}, Default: "false"}},
		},
		schema: a.schemaOf(typeOf[egrid.Catalog]()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			c := in.catalog(in.text("all") == "true", in.text("schemas") == "true")
			return &answer{value: c, meta: in.meta().of(len(c.Snapshots), nil)}, nil
		},
	})
	a.scanOperation()
	a.restoreOperation()
}

// restoreOperation takes the order to publish an earlier snapshot again, where there
// is a history to restore it from.
func (a *api) restoreOperation() {
	if a.o.History == nil {
		return
	}
	a.registerOrder(&order{
		operation: operation{id: "restore-snapshot", path: "/snapshots/{id}/restore", tag: "store", summary: "Publish an earlier snapshot again",
			params:  []parameter{{name: "id", path: true, doc: "Id of a superseded snapshot, as /snapshots?all=true lists them.", schema: huma.Schema{Pattern: `^[0-9a-f]{24}$`, PatternDescription: "24 hexadecimal digits"}}},
			details: "What is published in its level, data year and release becomes superseded, and can be restored likewise. Nothing changes where the snapshot is the published one. 404 for a held load, which /runs/{id}/publish is for, and for one that was pruned."},
		status: http.StatusOK, result: typeOf[wire.SnapshotInfo](),
		do: func(ctx context.Context, in *request, _ []byte) (done, error) {
			s, err := a.o.History.Restore(ctx, egrid.SnapshotID(in.text("id")))
			if err != nil {
				return done{}, err
			}
			now, err := read(ctx, a.db)
			if err != nil {
				return done{}, err
			}
			gwp, err := a.gwps.of(ctx, now, s.Year, s.Release)
			return done{snapshotInfo(&s, gwp), "/snapshots/" + string(s.ID)}, err
		},
	})
}

// catalog is the catalogue of the data, or the part of it that is asked for.
func (in *request) catalog(superseded, columns bool) egrid.Catalog {
	c := in.data.catalog
	c.Snapshots = []egrid.Snapshot{}
	for _, s := range in.data.catalog.Snapshots {
		if s.Status == egrid.Superseded && !superseded {
			continue
		}
		if !columns {
			s.Schema = nil
		}
		c.Snapshots = append(c.Snapshots, s)
	}
	if !superseded {
		c.Pruned = nil
	}
	return c
}

// meta is that of an answer about the data as a whole.
func (in *request) meta() meta { return meta{Meta: wire.Meta{Revision: in.data.catalog.Revision}} }

func (a *api) snapshots(ctx context.Context, in *request) (*answer, error) {
	list := []wire.SnapshotInfo{}
	t := newTable("level", "year", "release", "authority", "units", "gwp", "rows", "status", "reason", "sources", "sha256", "loaded_at", "revision", "id", "stage")
	for i := range in.data.catalog.Snapshots {
		s := &in.data.catalog.Snapshots[i]
		if s.Status == egrid.Superseded && in.text("all") != "true" {
			continue
		}
		gwp, err := a.gwps.of(ctx, in.data, s.Year, s.Release)
		if err != nil {
			return nil, err
		}
		list = append(list, snapshotInfo(s, gwp))
		var objects, sums []string
		for _, src := range s.Sources {
			objects, sums = append(objects, src.Object), append(sums, src.SHA256)
		}
		t.add(string(s.Level), fmt.Sprint(s.Year), s.Release, s.Authority, s.Units, gwp, fmt.Sprint(s.Rows), string(s.Status), s.Reason,
			strings.Join(objects, " "), strings.Join(sums, " "), s.LoadedAt.Format(time.RFC3339Nano), fmt.Sprint(s.Revision), string(s.ID), string(s.Stage))
	}
	return t.answer(list, in.meta()), nil
}

func (a *api) snapshot(ctx context.Context, in *request, id string) (*answer, error) {
	s, ok := in.data.catalog.Find(id)
	if !ok {
		return nil, fmt.Errorf("%w: no snapshot %q; %s/snapshots?all=true lists them", egrid.ErrNotFound, id, wire.Prefix(in.http))
	}
	gwp, err := a.gwps.of(ctx, in.data, s.Year, s.Release)
	if err != nil {
		return nil, err
	}
	m := in.meta()
	m.Year, m.Release = &s.Year, &s.Release
	return &answer{value: snapshotInfo(&s, gwp), meta: m.of(1, nil)}, nil
}

func snapshotInfo(s *egrid.Snapshot, gwp string) wire.SnapshotInfo {
	info := wire.SnapshotInfo{
		ID: s.ID, Stage: s.Stage, Level: s.Level, Year: s.Year, Release: s.Release, Authority: s.Authority, Units: s.Units, GWP: textOrNull(gwp), Rows: s.Rows, Rejected: s.Rejected, Status: s.Status,
		LoadedAt: s.LoadedAt, Revision: s.Revision, Sources: append([]egrid.Source{}, s.Sources...),
	}
	if s.Reason != "" {
		info.Reason = &s.Reason
	}
	return info
}

func (a *api) columnOperations() {
	level := parameter{name: "level", upper: true, doc: "Columns of one level."}
	for _, l := range egrid.Levels() {
		level.schema.Enum = append(level.schema.Enum, string(l))
	}
	a.register(operation{
		id: "columns", path: "/columns", tag: "dictionary", summary: "Every column, with unit and meaning",
		params: []parameter{level}, schema: a.schemaOf(typeOf[[]wire.ColumnInfo]()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			asked := in.text("level")
			return in.dictionary(func(f egrid.Field) bool { return asked == "" || asked == string(f.Level) }), nil
		},
	})
	a.register(operation{
		id: "column-history", path: "/columns/history", tag: "dictionary", summary: "Where a code appeared, was renamed, went",
		details: "Edition by edition, at each level that has the column: by the code rows of EPA's sheets that are known (1996-2000, 2018 and 2019: ST, SRL, NRL, US; 2016: GEN; 2021 and 2023: all levels), by the aliases of the dictionary, and by the sheets that are published here.",
		params:  []parameter{{name: "code", required: true, doc: "EPA's code, our name, or a header that an edition had, in any letter case.", schema: huma.Schema{MaxLength: new(200)}}, level},
		schema:  a.schemaOf(typeOf[[]wire.ColumnHistory]()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			all, err := egrid.History(in.text("code"), egrid.Level(in.text("level")))
			if err != nil {
				return nil, err
			}
			list := wire.ColumnHistoryOf(all, in.data.catalog.Snapshots)
			m := in.meta()
			rows := wire.RowsOf(list)
			return &answer{value: list, meta: m.of(len(list), nil), list: whole(egrid.RowPage{Batch: rows, Revision: m.Revision, Total: int64(len(list))}, m)}, nil
		},
	})
	a.register(operation{
		id: "column", path: "/columns/{name}", tag: "dictionary", summary: "One column at every level that has it",
		params: []parameter{{name: "name", path: true, doc: "Our name, EPA's code or an alias.", schema: huma.Schema{MaxLength: new(200)}}},
		schema: a.schemaOf(typeOf[[]wire.ColumnInfo]()),
		answer: func(_ context.Context, in *request) (*answer, error) {
			ans := in.dictionary(func(f egrid.Field) bool {
				found, ok := egrid.Lookup(f.Level, in.text("name"))
				return ok && found.Column == f.Column || f.Code == "" && string(f.Column) == in.text("name")
			})
			if ans.meta.Count == 0 {
				return nil, fmt.Errorf("%w: no column %q%s", egrid.ErrNotFound, in.text("name"), in.nearestColumn())
			}
			return ans, nil
		},
	})
}

// nearestColumn says which column of any level was probably meant.
func (in *request) nearestColumn() string {
	var names, codes []string
	for _, l := range egrid.Levels() {
		for _, f := range egrid.Fields(l) {
			names, codes = append(names, string(f.Column)), append(codes, f.Code)
		}
	}
	if best := egrid.Nearest(in.text("name"), append(names, codes...)); best != "" {
		return fmt.Sprintf(", did you mean %s?", best)
	}
	return "; " + wire.Prefix(in.http) + "/columns lists them"
}

// dictionary lists columns of the dictionary, and those that plant answers have besides.
func (in *request) dictionary(want func(egrid.Field) bool) *answer {
	list := []wire.ColumnInfo{}
	t := newTable("name", "level", "code", "unit", "type", "description", "rule", "editions")
	for _, l := range egrid.Levels() {
		fields := egrid.Fields(l)
		if l == egrid.PLNT {
			fields = append(fields, derivedFields()...)
		}
		for _, f := range fields {
			if !want(f) {
				continue
			}
			info := wire.ColumnInfo{
				Name: f.Column, Level: l, Code: f.Code, Type: f.Type, Description: f.Description,
				Editions: append([]string{}, f.Editions...), Aliases: append([]egrid.Alias{}, f.Aliases...),
			}
			if f.Unit != "" {
				info.Unit = &f.Unit
			}
			if !f.Rule.IsZero() {
				info.Rule = new(f.Rule.String())
			}
			list = append(list, info)
			t.add(string(f.Column), string(l), f.Code, f.Unit, string(f.Type), f.Description, f.Rule.String(), strings.Join(f.Editions, " "))
		}
	}
	return t.answer(list, in.meta())
}

// table is a list of texts, for the exports of what is not rows.
type table struct{ rows *egrid.Builder }

func newTable(columns ...egrid.Column) table {
	fields := make([]egrid.Field, len(columns))
	for i, c := range columns {
		fields[i] = egrid.Field{Column: c, Type: egrid.Text}
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the names are distinct
	}
	return table{egrid.NewBuilder(s, 0)}
}

func (t table) add(cells ...string) {
	for i, c := range cells {
		t.rows.Text(i, []byte(c))
	}
	t.rows.EndRow(0, 0)
}

// answer is the list that the table stands for.
func (t table) answer(value any, m meta) *answer {
	page := egrid.RowPage{Batch: t.rows.Batch(), Revision: m.Revision}
	page.Total = int64(page.Len())
	m = m.of(page.Len(), nil)
	return &answer{value: value, meta: m, list: whole(page, m)}
}
