package comparison_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/httpapi/comparison"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func number(x float64) *wire.Number { return new(wire.Number(x)) }

func newReport() *wire.Report {
	edition := func(release string, status egrid.Status) wire.ComparedEdition {
		return wire.ComparedEdition{Year: 2018, Release: release, Authority: "EPA", Snapshots: []wire.ComparedSnapshot{{Level: egrid.SRL, ID: "0f", Status: status}}}
	}
	r := &wire.Report{Comparison: wire.Comparison{
		From: edition("v1", egrid.Superseded), To: edition("v2", egrid.Held), Notes: []string{"Plants are not compared."}, Citation: "Comparison: EPA.",
		Factors: []wire.FactorSummary{
			{Kind: calc.Output, Gas: calc.CO2e, Compared: 1088, Moved: 1009, Median: number(-0.0003), Largest: &wire.LargestFactor{Level: egrid.NRL, Code: "NA", Relative: number(-0.83)}},
			{Kind: calc.HeatInput, Gas: calc.CH4, Compared: 88, Published: 79},
		},
		Levels: []wire.LevelSummary{{Level: egrid.SRL, Rows: 1026, Changed: 26}},
		Plants: &wire.PlantSummary{Basis: egrid.PLNT, Both: 8343, Moved: 345, Unidentified: 3},
	}}
	for range 60 {
		r.Plants.Flows = append(r.Plants.Flows, wire.PlantFlow{Column: egrid.BalancingAuthority, From: "WACM", To: "SWPP", Plants: 7, Generation: 11144006})
	}
	masses, both, published := calc.ByMasses, calc.ByBoth, calc.ByPublished
	r.FactorChanges = []wire.FactorChange{
		{Level: egrid.ST, Code: "DC", Kind: calc.Output, Gas: calc.SO2, Unit: "lb/MWh", Change: calc.Moved, From: number(0.0119911234), To: number(0.049807), Relative: number(3.154), MovedBy: &masses},
		{Level: egrid.US, Kind: calc.HeatInput, Gas: calc.CH4, Unit: "lb/MMBtu", Change: calc.Moved, MovedBy: &both},
		{Level: egrid.US, Kind: calc.Output, Gas: calc.CH4, Unit: "lb/MWh", Change: calc.PublishedMoved, From: number(1), To: number(1), PublishedFrom: number(16.3), PublishedTo: number(0.008), Published: number(-0.9995), MovedBy: &published},
		{Level: egrid.US, Kind: calc.Nonbaseload, Gas: calc.CH4, Unit: "lb/MWh", Change: calc.Moved, From: number(2), To: number(3)},
	}
	r.ColumnChanges = []wire.ColumnChange{{Level: egrid.SRL, Column: "co2_short_tons", Change: "changed", Rows: 26, Changed: 9, Largest: &wire.LargestCell{Key: "CAMX", From: egrid.NumberOf(5), To: egrid.TextOf("<b>")}}}
	column, name, to, by := "balancing_authority", "WACM", "3612", calc.ByGenerators
	r.PlantChanges = []wire.PlantChange{
		{ID: "6469", Name: `<script>alert("1")</script>`, Change: calc.Moved, Column: &column, From: &name, To: &name, ToGeneration: number(5923689.4)},
		{ID: "7512", Change: calc.Lost, Successor: &to, SuccessorBy: &by},
	}
	return r
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := comparison.Write(&page, newReport()); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{
		"<title>eGRID2018 v1 to eGRID2018 v2</title>", "eGRID2018 v2 (held): what changed", "1,009 of 1,088 CO2e output factors moved; the median change is -0.03 %.", "79 of ch4 (input)",
		"<p>Plants are not compared.</p>", "NRL NA -83.0 %", "<td>masses</td>", "masses and heat input", "the published rate alone", `16.3</td><td class="n">0.008`, "<td>not known</td>", "0.0119911</td>",
		"CAMX: 5 to &lt;b&gt;", "8,343 plants", "3 rows have no ORIS code", "<td>balancing authority</td>", "And 10 more", "&lt;script&gt;", "5,923,689", "3612, by its generators", "Comparison: EPA.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for _, never := range []string{"<script", " style=", "src=", "href=", "http:", "https:"} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	var again bytes.Buffer
	if err := comparison.Write(&again, newReport()); err != nil || again.String() != text {
		t.Errorf("another page of the same comparison: %v", err)
	}
}

func TestWriteShort(t *testing.T) {
	t.Parallel()
	r := newReport()
	r.Factors = []wire.FactorSummary{{Kind: calc.Output, Gas: calc.CO2, Compared: 5}}
	r.FactorChanges, r.ColumnChanges, r.PlantChanges, r.Levels, r.Plants = nil, nil, nil, nil, nil
	var page bytes.Buffer
	if err := comparison.Write(&page, r); err != nil || !strings.Contains(page.String(), `<p class="verdict">No CO2 output factor moved, of 5.</p>`) || strings.Contains(page.String(), `id="plants"`) {
		t.Errorf("%v: %s", err, page.String())
	}
	r.Factors = nil
	page.Reset()
	if err := comparison.Write(&page, r); err != nil || !strings.Contains(page.String(), "Output factors are not compared.") {
		t.Errorf("%v: %s", err, page.String())
	}
	broken := errors.New("the disk is full")
	if err := comparison.Write(brokenWriter{broken}, r); !errors.Is(err, broken) {
		t.Errorf("%v; want that of the writer", err)
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }
