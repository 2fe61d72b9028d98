package export

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// DataPackage describes the same rows as CSV, for tools that ask for types: a
// descriptor as of the Data Package specification, to be kept as datapackage.json
// beside the CSV that About.Name names. Of each column it has type, description,
// unit and EPA's code; empty is missing, and nothing else.
func DataPackage() Format {
	return Format{
		Name: "datapackage", Extension: ".datapackage.json", MediaType: "application/vnd.datapackage+json", Codes: true, Head: true,
		New: func(w io.Writer, s *egrid.Schema, about *About) Writer { return &dataPackage{w, s, about} },
	}
}

type dataPackage struct {
	w     io.Writer
	s     *egrid.Schema
	about *About
}

func (*dataPackage) Write(*egrid.Batch) error { return nil }

func (p *dataPackage) Close() error {
	type tableSchema struct {
		Fields        []Column `json:"fields"`
		MissingValues []string `json:"missingValues"`
	}
	type resource struct {
		Name      string      `json:"name"`
		Path      string      `json:"path"`
		Profile   string      `json:"profile"`
		Format    string      `json:"format"`
		MediaType string      `json:"mediatype"`
		Encoding  string      `json:"encoding"`
		Schema    tableSchema `json:"schema"`
	}
	type descriptor struct {
		Name      string            `json:"name"`
		Profile   string            `json:"profile"`
		Resources []resource        `json:"resources"`
		EGRID     map[string]string `json:"egrid,omitempty"`
	}
	facts := map[string]string{}
	for _, f := range p.about.Facts() {
		facts[f.Name] = f.Value
	}
	name := packageName(p.about.name())
	enc := json.NewEncoder(p.w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(descriptor{
		Name: name, Profile: "tabular-data-package", EGRID: facts,
		Resources: []resource{{
			Name: name, Path: p.about.name() + ".csv", Profile: "tabular-data-resource", Format: "csv", MediaType: "text/csv", Encoding: "utf-8",
			Schema: tableSchema{p.about.Columns(p.s), []string{""}},
		}},
	})
}

// packageName is a name in the letters that the specification allows.
func packageName(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '_':
			return c
		}
		return '-'
	}, name)
}
