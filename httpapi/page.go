package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// A page is the representation for programs that are themselves an
// [egrid.Querier], as package client: the rows as the querier has them. Rows
// are values in the order of meta.columns, which says their types and units,
// each with its data year and its number in the sheet. What the querier refuses
// is refused: a data year that is not published is 404 and not an empty list.

// pageMeta is the meta data of a page.
type pageMeta struct {
	Meta
	Columns   *egrid.Schema    `json:"columns"`
	Snapshots []egrid.Snapshot `json:"snapshots"`
}

// exact reports that the client wants the querier's own answer.
func (in *request) exact() bool { return in.format.name == formatPage }

// encodePage makes the document of a page, and tells the revision that it is
// of.
func (op *operation) encodePage(in *request, ans *answer) ([]byte, int64, error) {
	page, meta, err := in.page(in.http.Context(), ans)
	if err != nil {
		return nil, 0, err
	}
	b := []byte(`{"data":[`)
	for i, row := range page.Rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPageRow(b, row)
	}
	full := pageMeta{Meta: meta, Columns: page.Schema, Snapshots: make([]egrid.Snapshot, len(page.Snapshots))}
	full.Count, full.Units = len(page.Rows), unitsOf(page.Schema)
	for i := range page.Snapshots {
		full.Snapshots[i] = page.Snapshots[i]
		full.Snapshots[i].Schema = nil // /catalog has it
	}
	to := links{Self: requestURI(in.http)}
	if page.Total >= 0 {
		full.Total = &page.Total
	}
	if page.Next != "" {
		to.Next = withCursor(in.http, page.Next)
	}
	for _, part := range []struct {
		name string
		of   any
	}{{`],"meta":`, full}, {`,"links":`, to}} {
		text, err := marshal(part.of)
		if err != nil {
			return nil, 0, err
		}
		b = append(append(b, part.name...), text...)
	}
	return append(b, "}\n"...), meta.Revision, nil
}

func appendPageRow(b []byte, row egrid.Row) []byte {
	b = strconv.AppendInt(append(b, `{"year":`...), int64(row.Year), 10)
	b = strconv.AppendInt(append(b, `,"number":`...), row.Number, 10)
	b = append(b, `,"values":[`...)
	for i, v := range row.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, "]}"...)
}

// pageRow, pageColumn and pageSnapshot describe a page in the document.
type pageRow struct {
	Year   int   `json:"year" doc:"Data year that the row is for; 0 for one made of several."`
	Number int64 `json:"number" doc:"Position among the sheet's records, from 1; 0 for a row made of several."`
	Values []any `json:"values" doc:"In the order of meta.columns; null where nothing is known."`
}

type pageColumn struct {
	Level       egrid.Level   `json:"level"`
	Name        egrid.Column  `json:"name"`
	Code        string        `json:"code" doc:"EPA's code; empty for a column that the dictionary lacks."`
	Type        egrid.Type    `json:"type" enum:"text,integer,number,flag"`
	Unit        string        `json:"unit,omitempty"`
	Description string        `json:"description"`
	Rule        string        `json:"rule,omitempty" doc:"How a region gets it from its plants."`
	Editions    []string      `json:"editions" doc:"Data years in which the code is known to occur."`
	Aliases     []egrid.Alias `json:"aliases,omitempty"`
}

type pageSnapshot struct {
	ID       egrid.StageID  `json:"id"`
	Level    egrid.Level    `json:"level"`
	Year     int            `json:"year"`
	Release  string         `json:"release"`
	Status   egrid.Status   `json:"status" enum:"published,held"`
	Reason   string         `json:"reason,omitempty" doc:"Why it is held, and what decides."`
	Rows     int64          `json:"rows"`
	Rejected int64          `json:"rejected" doc:"Records that could not be read."`
	Columns  []pageColumn   `json:"columns" doc:"null in a page; /catalog has them."`
	Lossy    []egrid.Column `json:"lossy_columns" doc:"Columns in which a value was rounded for display."`
	Sources  []egrid.Source `json:"sources"`
	Audits   []egrid.Audit  `json:"audits"`
	LoadedAt time.Time      `json:"loaded_at"`
	Revision int64          `json:"revision" doc:"The revision that published it; 0 while held."`
}

type pageDocument struct {
	Data []pageRow `json:"data"`
	Meta struct {
		Meta
		Columns   []pageColumn   `json:"columns"`
		Snapshots []pageSnapshot `json:"snapshots" doc:"What was read."`
	} `json:"meta"`
	Links links `json:"links"`
}

func (a *api) pageSchema() *huma.Schema { return a.schemaOf(typeOf[pageDocument]()) }

// catalogDocument describes the catalogue.
type catalogDocument struct {
	Revision  int64          `json:"revision" doc:"Grows with every publish; equal revisions give equal answers."`
	Snapshots []pageSnapshot `json:"snapshots" doc:"By level, year, release and status."`
}

// mixedRevisions marks an answer whose parts saw different revisions.
const mixedRevisions = -1

var errMixed = fmt.Errorf("%w: the data changed while they were read; ask again", egrid.ErrStale)
