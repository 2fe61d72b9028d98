package driver_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

func TestAuditRows(t *testing.T) {
	schema := generatorSchema(t, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration, egrid.OzoneSeasonGeneration, egrid.CapacityFactor)
	missing := egrid.Value{}
	var rows [][]egrid.Value
	for i, figures := range [][3]egrid.Value{
		{egrid.NumberOf(100), egrid.NumberOf(50), egrid.NumberOf(0.5)},
		{egrid.NumberOf(-5), egrid.NumberOf(-9), egrid.NumberOf(0.5)},
		{egrid.NumberOf(100), egrid.NumberOf(102), egrid.NumberOf(1.01)},
		{egrid.NumberOf(100), egrid.NumberOf(101), egrid.NumberOf(1)}, // rounding
		{missing, egrid.NumberOf(5), missing},
		{egrid.NumberOf(5), missing, missing},
	} {
		rows = append(rows, append([]egrid.Value{egrid.TextOf(fmt.Sprint(i)), egrid.TextOf("G")}, figures[:]...))
	}
	b, err := egrid.BatchOf(schema, 2023, rows...)
	if err != nil {
		t.Fatal(err)
	}
	want := []egrid.Audit{
		{Rule: "ozone_season_generation_above_annual", Severity: egrid.Info, Count: 1, Examples: []string{"generator 2/G, row 3: net_generation_ozone_season_mwh 102, net_generation_mwh 100"}},
		{Rule: "negative_net_generation", Severity: egrid.Info, Count: 1, Examples: []string{"generator 1/G, row 2: net_generation_mwh -5"}},
		{Rule: "capacity_factor_above_one", Severity: egrid.Info, Count: 1, Examples: []string{"generator 2/G, row 3: capacity_factor 1.01"}},
	}
	if got := driver.AuditRows(egrid.GEN, b); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	// Cut into chunks the findings are the same.
	var merged []egrid.Audit
	for i := range b.Len() {
		merged = driver.MergeAudits(merged, driver.AuditRows(egrid.GEN, b.Slice(i, i+1)))
	}
	byRule := func(a, b egrid.Audit) int { return strings.Compare(a.Rule, b.Rule) }
	slices.SortFunc(merged, byRule)
	slices.SortFunc(want, byRule)
	if fmt.Sprint(merged) != fmt.Sprint(want) {
		t.Errorf("chunk by chunk %+v\nwant %+v", merged, want)
	}
	if got := driver.AuditRows(egrid.GEN, b.Slice(0, 0)); got != nil {
		t.Errorf("no rows break %+v", got)
	}
}

func TestMergeAuditsKeepsFewExamples(t *testing.T) {
	var audits []egrid.Audit
	for i := range 9 {
		audits = driver.MergeAudits(audits, []egrid.Audit{{Rule: "r", Count: 2, Examples: []string{fmt.Sprint(i), fmt.Sprint(i, "b")}}})
	}
	if len(audits) != 1 || audits[0].Count != 18 || len(audits[0].Examples) != 5 {
		t.Errorf("got %+v", audits)
	}
}

func TestPin(t *testing.T) {
	c := egrid.Catalog{Revision: 4, Pruned: []egrid.SnapshotID{"gone"}, Snapshots: []egrid.Snapshot{
		{ID: "a", Stage: "1", Level: egrid.GEN, Year: 2023, Status: egrid.Published},
		{ID: "b", Stage: "2", Level: egrid.GEN, Year: 2023, Status: egrid.Superseded},
		{ID: "c", Stage: "3", Level: egrid.ST, Year: 2023, Status: egrid.Held},
	}}
	pinned, err := driver.Pin(c, "b")
	if err != nil || len(pinned.Snapshots) != 1 || pinned.Snapshots[0].ID != "b" || pinned.Snapshots[0].Status != egrid.Published || pinned.Revision != 4 {
		t.Errorf("got %+v, %v", pinned, err)
	}
	if c.Snapshots[1].Status != egrid.Superseded {
		t.Error("pinning changed the catalogue that it was given")
	}
	for id, want := range map[egrid.SnapshotID]error{"gone": egrid.ErrStale, "never": egrid.ErrNotFound, "c": egrid.ErrNotFound, "": egrid.ErrNotFound} {
		if _, err := driver.Pin(c, "a", id); !errors.Is(err, want) {
			t.Errorf("%q: got %v; want %v", id, err, want)
		}
	}
}

func TestAuditDamagedIdentifiers(t *testing.T) {
	schema := generatorSchema(t, egrid.PlantCode, egrid.GeneratorID)
	var rows [][]egrid.Value
	add := func(ids ...string) {
		for _, id := range ids {
			rows = append(rows, []egrid.Value{egrid.TextOf("3"), egrid.TextOf(id)})
		}
	}
	add("7E600", "1-02", "12/2", "10-94", "JAN", "5.10", "0290", "EN-4", "INF1", "2-JAN1", "1/2") // generators of EPA's sheets, or like them
	sound := len(rows)
	add("7.00E+600", "2.0", "12.000", "7E+600", "inf", "2-Jan", "Jan-02", "2-Jan-2002", "2023-01-02", "2023-01-02 00:00:00", "1/2/2023", "2026/12/02", "1/1/01", "1.7976931348623157e+308")
	b, err := egrid.BatchOf(schema, 2023, rows...)
	if err != nil {
		t.Fatal(err)
	}
	got := driver.AuditRows(egrid.GEN, b)
	if len(got) != 1 || got[0].Rule != "identifier_changed_by_a_tool" || got[0].Severity != egrid.Warning || got[0].Count != int64(len(rows)-sound) ||
		got[0].Examples[0] != fmt.Sprintf("generator 3/7.00E+600, row %d: generator_id 7.00E+600", sound+1) {
		t.Errorf("got %+v", got)
	}
}

// TestImpossible: figures that cannot be true are hard, and what EPA has published is not.
func TestImpossible(t *testing.T) {
	t.Parallel()
	var fields []egrid.Field
	for _, c := range []egrid.Column{egrid.PlantCode, egrid.Latitude, egrid.Longitude, egrid.NameplateCapacity, egrid.NetGeneration} {
		f, _ := egrid.Lookup(egrid.PLNT, string(c))
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		latitude, longitude, capacity, generation float64
		rule, how                                 string
	}{
		"a latitude":             {4123.4, -90, 1, 1, "impossible_latitude", "plant 7, line 9: latitude 4123.4"},
		"a latitude, south":      {-90.5, -90, 1, 1, "impossible_latitude", "plant 7, line 9: latitude -90.5"},
		"a longitude":            {41, -9012.5, 1, 1, "impossible_longitude", "plant 7, line 9: longitude -9012.5"},
		"generation":             {41, -90, 2, 9e12, "generation_above_capacity", "plant 7, line 9: net_generation_mwh 9000000000000, nameplate_capacity_mw 2"},
		"the Aleutians, of 2016": {51.8, -188.551181, 1, 1, "", ""},
		"east, of 2000":          {60, 175.5654, 1, 1, "", ""},
		"a generator of 2014":    {41, -90, 2.5, 204361, "", ""},
		"a figure of a demo":     {41, -90, 4209.6, 3000000000.25, "", ""},
		"no capacity":            {41, -90, 0, 9e12, "", ""},
		"storage":                {41, -90, 2, -9e12, "", ""},
	} {
		b := egrid.NewBuilder(schema, 2023)
		b.Text(0, []byte("7"))
		for i, x := range []float64{test.latitude, test.longitude, test.capacity, test.generation} {
			b.Number(i+1, x)
		}
		b.EndRow(7, 9)
		hard := slices.DeleteFunc(driver.AuditRows(egrid.PLNT, b.Batch()), func(a egrid.Audit) bool { return a.Severity != egrid.Hard })
		switch {
		case test.rule == "" && len(hard) == 0:
		case test.rule == "" || len(hard) != 1 || hard[0].Rule != test.rule || !slices.Equal(hard[0].Examples, []string{test.how}):
			t.Errorf("%s: %+v; want %q: %q", name, hard, test.rule, test.how)
		}
	}
}

// TestDuplicateIdentifiers: regions, and plants with ORIS codes, have one row.
func TestDuplicateIdentifiers(t *testing.T) {
	t.Parallel()
	all, none := func(egrid.Column) bool { return true }, func(egrid.Column) bool { return false }
	for _, level := range egrid.Levels() {
		hard := driver.DuplicateIdentifiers(level, all, 1, []string{"x"}).Severity == egrid.Hard
		if want := slices.Contains([]egrid.Level{egrid.PLNT, egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US, egrid.GGL}, level); hard != want {
			t.Errorf("%s: hard %t", level, hard)
		}
	}
	warning, hard := driver.DuplicateIdentifiers(egrid.PLNT, none, 1, []string{"TX/Alpha"}), driver.DuplicateIdentifiers(egrid.PLNT, all, 1, []string{"3"})
	if warning.Severity != egrid.Warning {
		t.Errorf("plants known by name: %+v", warning)
	}
	if both := driver.MergeAudits([]egrid.Audit{warning}, []egrid.Audit{hard}); len(both) != 2 {
		t.Errorf("a warning hides what holds a load: %+v", both)
	}
}
