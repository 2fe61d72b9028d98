package export_test

import (
	"encoding/json"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
)

// A longitude that lost its sign is no place: Kenai, Alaska, would be in the Sea of
// Okhotsk.
func TestPlacesOfTheUnitedStates(t *testing.T) {
	t.Parallel()
	schema, err := egrid.NewSchema(egrid.Field{Level: egrid.PLNT, Column: egrid.PlantCode, Type: egrid.Text},
		egrid.Field{Level: egrid.PLNT, Column: egrid.Latitude, Type: egrid.Number}, egrid.Field{Level: egrid.PLNT, Column: egrid.Longitude, Type: egrid.Number})
	if err != nil {
		t.Fatal(err)
	}
	builder := egrid.NewBuilder(schema, 2000)
	for i, x := range []float64{-151.6719, 151.6719, 118.2, 0, 174.1, -176.6, 190, -188.55, 67.5} {
		builder.Text(0, []byte{byte('a' + i)})
		builder.Number(1, 52)
		builder.Number(2, x)
		builder.EndRow(int64(i), 0)
	}
	b := builder.Batch()
	var f export.Features
	text := f.Begin(nil, schema)
	for i := range b.Len() {
		text, _ = f.Row(text, b, i)
	}
	var got struct {
		Features []struct{ ID string }
		Without  int `json:"without_coordinates"`
	}
	if err := json.Unmarshal(f.End(text), &got); err != nil {
		t.Fatal(err)
	}
	ids := ""
	for _, f := range got.Features {
		ids += f.ID
	}
	if ids != "aef" || got.Without != 6 {
		t.Errorf("placed are %s, %d are not; want aef and 6", ids, got.Without)
	}
}
