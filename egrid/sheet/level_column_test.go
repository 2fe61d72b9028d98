package sheet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// An export of a few columns is of the level that its rows name, whatever else its
// header would fit.
func TestLevelColumn(t *testing.T) {
	t.Parallel()
	for _, columns := range []string{
		"state,net_generation_mwh", "plant_name,net_generation_mwh", "subregion,net_generation_mwh", "nerc_region,net_generation_mwh",
		"balancing_authority,net_generation_mwh", "state,plant_name,net_generation_mwh", "state,heat_input_mmbtu",
	} {
		for _, level := range []egrid.Level{egrid.GEN, egrid.PLNT, egrid.UNT} {
			cells := strings.Repeat(",1", strings.Count(columns, ",")+1)
			text := "level,data_year,release," + columns + "\n" + string(level) + ",2021,v2" + cells + "\n" + string(level) + ",2021,v2" + cells + "\n"
			s, err := sheet.Inspect(strings.NewReader(text), &sheet.ReaderOptions{Name: "n.csv"})
			if err != nil || s.Level != level {
				t.Errorf("%s of %s: level %v, %v", columns, level, s, err)
			}
			o := &sheet.ReaderOptions{Name: "n.csv", Level: egrid.DEMO}
			if _, err := sheet.Inspect(strings.NewReader(text), o); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "rows say that they are of level "+string(level)) {
				t.Errorf("%s of %s, as DEMO: %v", columns, level, err)
			}
		}
	}
}
