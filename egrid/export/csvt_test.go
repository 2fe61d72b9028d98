package export_test

import (
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
)

func TestCSVT(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		columns []egrid.Column
		want    string
	}{
		{[]egrid.Column{egrid.PlantCode, egrid.Year, egrid.NetGeneration, "chp_flag", egrid.Latitude, egrid.Longitude}, `"String","Integer64","Real","String","CoordY","CoordX"`},
		{[]egrid.Column{egrid.Latitude, "fips_state"}, `"Real","String"`},
	} {
		var fields []egrid.Field
		for _, c := range test.columns {
			f, ok := egrid.Lookup(egrid.PLNT, string(c))
			if !ok {
				t.Fatalf("PLNT has no %s", c)
			}
			fields = append(fields, f)
		}
		schema, err := egrid.NewSchema(fields...)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		w := export.CSVT().New(&text, schema, &export.About{})
		if err := w.Write(egrid.NewBuilder(schema, 2023).Batch()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || text.String() != test.want+"\n" {
			t.Errorf("%v: %q, %v; want %q", test.columns, text.String(), err, test.want)
		}
	}
}
