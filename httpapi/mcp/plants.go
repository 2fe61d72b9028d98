package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// mainColumns are the columns of plants that the text tells when none are asked for.
func mainColumns() []string {
	return []string{
		"data_year", "release", "id", "plant_name", "state", "subregion", "balancing_authority", "operator_name", "fuel", "nameplate_capacity_mw",
		"capacity_factor", "net_generation_mwh", "co2_short_tons", "co2e_short_tons", "nox_short_tons", "so2_short_tons", "co2e_output_rate_lb_per_mwh",
	}
}

type row map[string]json.RawMessage

func plant(q *question) (reply, error) {
	path, history := q.tool.path, q.text("history") == "true"
	if history {
		if q.text("year")+q.text("release") != "" {
			return reply{}, errors.New("history is of every data year: leave year and release out, or history")
		}
		path += "/history"
	}
	e, err := q.ask(path)
	if err != nil {
		return reply{}, err
	}
	rows := make([]row, 1)
	into := any(&rows[0])
	if history {
		into = &rows
	}
	if err := json.Unmarshal(e.Data, into); err != nil {
		return reply{}, err
	}
	columns := q.columns()
	if err := known(rows, columns); err != nil {
		return reply{}, err
	}
	if columns == nil && history {
		columns = mainColumns()
	}
	if columns != nil {
		if err := e.keep(columns, rows, into); err != nil {
			return reply{}, err
		}
	}
	return q.rows(&e, rows, columns, "")
}

// keep leaves out of the data, which are one row or several, and of their units what is
// not of these columns.
func (e *envelope) keep(columns []string, rows []row, data any) error {
	var meta wire.Meta
	if err := json.Unmarshal(e.Meta, &meta); err != nil {
		return err
	}
	for _, r := range rows {
		maps.DeleteFunc(r, func(name string, _ json.RawMessage) bool { return !slices.Contains(columns, name) })
	}
	maps.DeleteFunc(meta.Units, func(name, _ string) bool { return !slices.Contains(columns, name) })
	var dataErr, metaErr error
	e.Data, dataErr = json.Marshal(data)
	e.Meta, metaErr = json.Marshal(&meta)
	return errors.Join(dataErr, metaErr)
}

// columns are those that were asked for, with what tells rows apart.
func (q *question) columns() []string {
	asked, err := egrid.SplitList(q.text("columns"))
	if err != nil || len(asked) == 0 || asked[0] == "" {
		return nil
	}
	return append([]string{"data_year", "release", "id", "plant_name"}, asked...)
}

// known refuses columns that no row has.
func known(rows []row, columns []string) error {
	for _, c := range columns[min(4, len(columns)):] {
		if !slices.ContainsFunc(rows, func(r row) bool { return r[c] != nil }) {
			there := map[string]bool{}
			for _, r := range rows {
				for name := range r {
					there[name] = true
				}
			}
			return fmt.Errorf("columns: the plant has no %q; it has %s", c, strings.Join(slices.Sorted(maps.Keys(there)), ", "))
		}
	}
	return nil
}

func search(q *question) (reply, error) {
	e, err := q.ask(q.tool.path)
	if err != nil {
		return reply{}, err
	}
	var rows []row
	if err := json.Unmarshal(e.Data, &rows); err != nil {
		return reply{}, err
	}
	var meta wire.Meta
	if err := json.Unmarshal(e.Meta, &meta); err != nil {
		return reply{}, err
	}
	heading := fmt.Sprintf("%d plants", len(rows))
	if meta.Total != nil {
		heading = fmt.Sprintf("%d of %d plants", len(rows), *meta.Total)
	}
	if meta.Year != nil && meta.Release != nil {
		heading += ", " + edition(*meta.Year, *meta.Release) + ", basis " + meta.Basis
	}
	return q.rows(&e, rows, q.columns(), heading)
}

// rows answers with rows: a line of text for each figure of one, a line for
// each of several.
func (q *question) rows(e *envelope, rows []row, columns []string, heading string) (reply, error) {
	var meta wire.Meta
	if err := json.Unmarshal(e.Meta, &meta); err != nil {
		return reply{}, err
	}
	if err := q.cite(e); err != nil {
		return reply{}, err
	}
	if columns == nil {
		columns = mainColumns()
	}
	var b strings.Builder
	if heading != "" {
		b.WriteString(heading + "\n")
	} else if meta.Year != nil && meta.Release != nil {
		fmt.Fprintf(&b, "%s, basis %s\n", edition(*meta.Year, *meta.Release), meta.Basis)
	}
	for _, r := range rows {
		var cells []string
		for _, c := range columns {
			if value := plain(r[c]); value != "" {
				cells = append(cells, strings.TrimSpace(c+" "+value+" "+meta.Units[c]))
			}
		}
		b.WriteString(strings.Join(cells, "; ") + "\n")
	}
	return reply{e, sourced(b.String(), e)}, nil
}

// plain is a JSON value as people write it; empty for null.
func plain(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	if string(value) == "null" {
		return ""
	}
	return string(value)
}
