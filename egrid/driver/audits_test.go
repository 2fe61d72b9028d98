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
		{Rule: "ozone_season_generation_above_annual", Severity: egrid.Info, Count: 1, Examples: []string{"2/G (row 3)"}},
		{Rule: "negative_net_generation", Severity: egrid.Info, Count: 1, Examples: []string{"1/G (row 2)"}},
		{Rule: "capacity_factor_above_one", Severity: egrid.Info, Count: 1, Examples: []string{"2/G (row 3)"}},
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
		got[0].Examples[0] != fmt.Sprintf("3/7.00E+600 (row %d)", sound+1) {
		t.Errorf("got %+v", got)
	}
}
