package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ColumnInfo is a column as the dictionary defines it at a level.
type ColumnInfo struct {
	Name        egrid.Column  `json:"name"`
	Level       egrid.Level   `json:"level"`
	Code        string        `json:"code" doc:"EPA's code."`
	Unit        *string       `json:"unit"`
	Type        egrid.Type    `json:"type" enum:"text,integer,number,flag"`
	Description string        `json:"description"`
	Rule        *string       `json:"rule" doc:"How a region gets it from its plants."`
	Editions    []string      `json:"editions" doc:"Data years in which the code is known to occur."`
	Aliases     []egrid.Alias `json:"aliases" doc:"Other headers under which it occurs."`
}

// SnapshotInfo is what is published, or held, for a level, data year and
// release.
type SnapshotInfo struct {
	Level    egrid.Level   `json:"level"`
	Year     int           `json:"year"`
	Release  string        `json:"release"`
	Rows     int64         `json:"rows"`
	Status   egrid.Status  `json:"status" enum:"published,held"`
	Reason   *string       `json:"reason" doc:"Why it is held, and what decides."`
	Sources  []SourceInfo  `json:"sources"`
	LoadedAt time.Time     `json:"loaded_at"`
	Revision int64         `json:"revision" doc:"The revision that published it; 0 while held."`
	ID       egrid.StageID `json:"id" doc:"Names the snapshot by its content, for the parameter snapshot."`
}

// SourceInfo is a file that a snapshot was made of.
type SourceInfo struct {
	Object string `json:"object"`
	Sheet  string `json:"sheet"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

func (a *api) storeOperations() {
	level := parameter{name: "level", upper: true, doc: "Columns of one level."}
	for _, l := range egrid.Levels() {
		level.schema.Enum = append(level.schema.Enum, string(l))
	}
	a.register(operation{
		id: "columns", path: "/columns", tag: "dictionary", summary: "Every column, with unit and meaning",
		params: []parameter{level}, data: a.schemaOf(typeOf[[]ColumnInfo]()),
		answer: func(ctx context.Context, in *request) (*answer, error) {
			return a.columnsAnswer(ctx, func(f egrid.Field) bool { return in.text("level") == "" || in.text("level") == string(f.Level) })
		},
	})
	a.register(operation{
		id: "column", path: "/columns/{name}", tag: "dictionary", summary: "One column at every level that has it",
		params: []parameter{{name: "name", path: true, doc: "Our name, EPA's code or an alias.", schema: huma.Schema{MaxLength: new(200)}}},
		data:   a.schemaOf(typeOf[[]ColumnInfo]()),
		answer: func(ctx context.Context, in *request) (*answer, error) {
			ans, err := a.columnsAnswer(ctx, func(f egrid.Field) bool {
				found, ok := egrid.Lookup(f.Level, in.text("name"))
				return ok && found.Column == f.Column
			})
			if err == nil && ans.meta.Count == 0 {
				return nil, fmt.Errorf("%w: no column %q; /columns lists them", egrid.ErrNotFound, in.text("name"))
			}
			return ans, err
		},
	})
	a.register(operation{
		id: "snapshots", path: "/snapshots", tag: "store", summary: "What is published, and what is held",
		data: a.schemaOf(typeOf[[]SnapshotInfo]()), volatile: true,
		answer: a.snapshotsAnswer,
	})
	a.register(operation{
		id: "catalog", path: "/catalog", tag: "store", summary: "What is published, and what is held, in full",
		details: "With the columns of each snapshot, the audits and the ids: what a program needs that plans queries itself. /snapshots has less of it.",
		data:    a.schemaOf(typeOf[catalogDocument]()), volatile: true,
		answer: a.catalogAnswer,
	})
	a.plain("/healthz", "liveness", "Whether the service runs", Liveness)
	checks := append([]ReadinessCheck{{Name: "store", Check: func(ctx context.Context) error {
		_, err := a.q.Catalog(ctx)
		return err
	}}}, a.o.Checks...)
	a.plain("/readyz", "readiness", "Whether the service and what it depends on work", Readiness(a.o.Logger, checks...))
}

func (a *api) columnsAnswer(ctx context.Context, want func(egrid.Field) bool) (*answer, error) {
	c, err := a.q.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	list := []ColumnInfo{}
	t := newTable("name", "level", "code", "unit", "type", "description", "rule", "editions")
	for _, l := range egrid.Levels() {
		for _, f := range egrid.Fields(l) {
			if !want(f) {
				continue
			}
			info := ColumnInfo{Name: f.Column, Level: l, Code: f.Code, Type: f.Type, Description: f.Description, Editions: f.Editions, Aliases: f.Aliases}
			if info.Editions == nil {
				info.Editions = []string{}
			}
			if info.Aliases == nil {
				info.Aliases = []egrid.Alias{}
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
	meta := Meta{Count: len(list), Total: new(int64(len(list))), Revision: c.Revision}
	return &answer{value: list, meta: meta, rows: t.pager(meta)}, nil
}

func (a *api) snapshotsAnswer(ctx context.Context, _ *request) (*answer, error) {
	c, err := a.q.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	list := []SnapshotInfo{}
	t := newTable("level", "year", "release", "rows", "status", "reason", "sources", "sha256", "loaded_at", "revision", "id")
	for _, s := range c.Snapshots {
		info := SnapshotInfo{Level: s.Level, Year: s.Year, Release: s.Release, Rows: s.Rows, Status: s.Status, LoadedAt: s.LoadedAt, Revision: s.Revision, ID: s.ID, Sources: []SourceInfo{}}
		if s.Reason != "" {
			info.Reason = &s.Reason
		}
		var objects, sums []string
		for _, src := range s.Sources {
			info.Sources = append(info.Sources, SourceInfo{Object: src.Object, Sheet: src.Sheet, SHA256: src.SHA256, Bytes: src.Bytes})
			objects, sums = append(objects, src.Object), append(sums, src.SHA256)
		}
		list = append(list, info)
		t.add(string(s.Level), fmt.Sprint(s.Year), s.Release, fmt.Sprint(s.Rows), string(s.Status), s.Reason,
			strings.Join(objects, " "), strings.Join(sums, " "), s.LoadedAt.Format(time.RFC3339Nano), fmt.Sprint(s.Revision), string(s.ID))
	}
	meta := Meta{Count: len(list), Total: new(int64(len(list))), Revision: c.Revision}
	return &answer{value: list, meta: meta, rows: t.pager(meta)}, nil
}

func (a *api) catalogAnswer(ctx context.Context, _ *request) (*answer, error) {
	c, err := a.q.Catalog(ctx)
	if c.Snapshots == nil {
		c.Snapshots = []egrid.Snapshot{}
	}
	return &answer{value: c, meta: Meta{Count: len(c.Snapshots), Total: new(int64(len(c.Snapshots))), Revision: c.Revision}}, err
}

// table is a list of texts, for the exports of what is not rows.
type table struct{ page egrid.RowPage }

func newTable(columns ...egrid.Column) *table {
	fields := make([]egrid.Field, len(columns))
	for i, c := range columns {
		fields[i] = egrid.Field{Column: c, Type: egrid.Text}
	}
	s, err := egrid.NewSchema(fields...)
	if err != nil {
		panic(err) // the names above are distinct
	}
	return &table{egrid.RowPage{Schema: s}}
}

func (t *table) add(cells ...string) {
	row := egrid.Row{Schema: t.page.Schema}
	for _, c := range cells {
		row.Values = append(row.Values, egrid.TextOf(c))
	}
	t.page.Rows = append(t.page.Rows, row)
}

func (t *table) pager(meta Meta) pager { return whole(t.page, meta) }

// plain registers a probe.
func (a *api) plain(path, id, summary string, h http.HandlerFunc) {
	content := map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(typeOf[Health]())}}
	documented := huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"health"},
		Responses: map[string]*huma.Response{
			"200": {Description: "It works.", Content: content},
			"503": {Description: "Something does not work.", Content: content},
		},
	}
	addExamples(&documented)
	huma.Register(a.huma, documented, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			noteRoute(r, path)
			h(w, r)
		}}, nil
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		panic(err) // plain structs only
	}
	b = append(b, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}
