package etl_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
)

// A workbook that has an edition's crosswalk twice, by utility and with the
// subregions side by side, makes one of both. Its ZIP codes are numbers.
func TestZIPWorkbook(t *testing.T) {
	t.Parallel()
	book := workbook(t,
		egridtest.Sheet{Name: "ZipRegion for Website", CSV: "Zip,State,EIA_ID,Utility_Name,Subregion,Predominant_Utility\n601,PR,,,PRMS,0\n3850,NH,1,A,NEWE,1\n59221,MT,2,B,MROW,0\n59221,MT,3,C,NWPP,1\n"},
		egridtest.Sheet{Name: "ZipRegion for Excel Tool", CSV: "ZIP_Character,ZIP_Numeric,State,eGRID_Subregion_1,eGRID_Subregion_2,eGRID_Subregion_3\n00601,601,PR,PRMS,,\n03850,3850,NH,NEWE,,\n59221,59221,MT,NWPP,MROW,\n97201,97201,OR,NWPP,,\n"})
	report, backend := run(t, etl.Local(folder(t, map[string]string{"ZipSubregion2023.xlsx": book})), nil)
	if !report.Complete() || report.RowsRejected != 0 {
		t.Fatalf("%+v", report)
	}
	catalog, err := backend.Catalog(t.Context())
	if err != nil || len(catalog.Snapshots) != 1 || catalog.Snapshots[0].Level != egrid.ZIP || catalog.Snapshots[0].Year != 2023 || catalog.Snapshots[0].Rows != 5 {
		t.Fatalf("%v: %+v", err, catalog.Snapshots)
	}
	for zip, want := range map[string]string{"00601": "PRMS", "03850": "NEWE", "59221": "NWPP", "97201": "NWPP"} {
		c, err := store.New(backend).ZIP(t.Context(), zip, 2023, "")
		if code, ok := c.Subregion(); err != nil || !ok || code != want {
			t.Errorf("%s: %+v, %v; want %s", zip, c.Candidates, err, want)
		}
	}
}

// The tool's workbook has the crosswalk among other sheets, which are left out.
func TestZIPTool(t *testing.T) {
	t.Parallel()
	book := workbook(t,
		egridtest.Sheet{Name: "Introduction", CSV: "Power Profiler ZIP Code Tool\nwith eGRID2022 data\n"},
		egridtest.Sheet{Name: "Subregion Rates (lbs-MWh)", CSV: "Total output emission rates,,\nSRNAME,SUBRGN,CO2\nASCC Alaska Grid,AKGD,1052.1\n"},
		egridtest.Sheet{Name: "Zip-subregion", CSV: "zip,Subregion 1,Subregion 2,Subregion 3\n3850,NEWE,,\n59221,NWPP,MROW,\n"})
	report, backend := run(t, etl.Local(folder(t, map[string]string{"power_profiler_zipcode_tool_v14.2.xlsx": book})), &etl.Options{Year: 2022})
	if !report.Complete() || report.RowsLoaded != 2 {
		t.Fatalf("%+v", report)
	}
	c, err := store.New(backend).ZIP(t.Context(), "59221", 2022, "v14")
	if code, ok := c.Subregion(); err != nil || !ok || code != "NWPP" || len(c.Candidates) != 2 {
		t.Errorf("%+v, %v", c.Candidates, err)
	}
}
