package export

import (
	"io"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// CSVT names the types of the columns of the same rows as CSV, for GDAL and what is
// made with it, as QGIS: one line, to be kept beside the CSV with the same name and the
// ending .csvt. Identifiers stay text, and longitude and latitude make points.
func CSVT() Format {
	return Format{
		Name: "csvt", Extension: ".csvt", MediaType: "text/x-csvt", Head: true,
		New: func(w io.Writer, s *egrid.Schema, about *About) Writer { return &csvt{w, s, about} },
	}
}

type csvt struct {
	w     io.Writer
	s     *egrid.Schema
	about *About
}

func (*csvt) Write(*egrid.Batch) error { return nil }

func (t *csvt) Close() error {
	var types []string
	placed := t.s.Has(egrid.Longitude) && t.s.Has(egrid.Latitude)
	for i, c := range t.about.Columns(t.s) {
		name := map[string]string{"integer": "Integer64", "number": "Real"}[c.Type]
		switch {
		case placed && t.s.Field(i).Column == egrid.Longitude:
			name = "CoordX"
		case placed && t.s.Field(i).Column == egrid.Latitude:
			name = "CoordY"
		case name == "": // flags, too: GDAL reads true and false as no number
			name = "String"
		}
		types = append(types, `"`+name+`"`)
	}
	_, err := io.WriteString(t.w, strings.Join(types, ",")+"\n")
	return err
}
