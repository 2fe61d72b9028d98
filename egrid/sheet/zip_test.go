package sheet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// readZIPs reads a crosswalk whole: its rows as CSV, its rejected records and what
// was left out as "line: reason".
func readZIPs(t *testing.T, text string, o sheet.ReaderOptions) (s *sheet.Sheet, rows, others []string) {
	t.Helper()
	r, err := sheet.NewReader(strings.NewReader(text), &o)
	if err != nil {
		t.Fatal(err)
	}
	for d, err := range r.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range d.Batches {
			for i := range b.Len() {
				rows = append(rows, strings.TrimSpace(string(b.AppendCSV(nil, i))))
			}
		}
		for _, e := range slices.Concat(d.Rejects, d.LeftOut) {
			others = append(others, e.Error())
		}
	}
	return r.Sheet(), rows, others
}

// The headers are those of EPA's zip.csv of two ages, of the workbook that its
// production code writes, of the Power Profiler ZIP Code Tool, and of what people
// make of them.
func TestZIPCrosswalks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text    string
		o       sheet.ReaderOptions
		columns string
		rows    string
	}{
		"by utility": {
			"zip,state,eiaid,UtilName,SUBRGN,Predominant Utility\n97201,OR,15248,Portland General Electric Co,NWPP,1\n00601,PR,,,PRMS,0\n", sheet.ReaderOptions{Name: "2023/zip.csv"},
			"zip state utility_id utility_name subregion predominant_utility", "97201,OR,15248,Portland General Electric Co,NWPP,true|00601,PR,,,PRMS,false",
		},
		"by utility, older": {
			"zip,state,UtilName,trim_util_code,SUBRGN,Predominant Utility\n00011,AK,Chugach,1202,AKGD,1\n", sheet.ReaderOptions{Year: 2019},
			"zip state utility_name utility_id subregion predominant_utility", "00011,AK,Chugach,1202,AKGD,true",
		},
		"as EPA's code writes it": {
			"Zip,State,EIA_ID,Utility_Name,Subregion,Predominant_Utility\n01001,MA,20455,A,NEWE,1\n", sheet.ReaderOptions{Name: "ZipSubregion2023.xlsx", Sheet: "ZipRegion for Website", Grid: true},
			"zip state utility_id utility_name subregion predominant_utility", "01001,MA,20455,A,NEWE,true",
		},
		"with a blank behind a header": {
			"Zip code,State,Utility ID ,Utility name,Subregion,Predominant utility\n1001,MA,20455,A,NEWE,0\n", sheet.ReaderOptions{Year: 2023},
			"zip state utility_id utility_name subregion predominant_utility", "01001,MA,20455,A,NEWE,false",
		},
		"in one row": {
			"ZIP (character),ZIP (numeric),state,eGRID Subregion #1,eGRID Subregion #2,eGRID Subregion #3\n00501,501,NY,NYLI,,\n30525,30525,GA,SRTV,SRSO,SRVC\n",
			sheet.ReaderOptions{Name: "power_profiler_zipcode_tool_2018_3_09_20_v9.csv"},
			"zip state subregion_1 subregion_2 subregion_3", "00501,NY,NYLI,,|30525,GA,SRTV,SRSO,SRVC",
		},
		"in one row, underscores": {
			"ZIP_Character,ZIP_Numeric,State,eGRID_Subregion_1,eGRID_Subregion_2,eGRID_Subregion_3\n03850,3850,NH,NEWE,,\n", sheet.ReaderOptions{Year: 2023},
			"zip state subregion_1 subregion_2 subregion_3", "03850,NH,NEWE,,",
		},
		"in one row, of five columns": {
			"Zip code (character),State,Subregion 1,Subregion 2,Subregion 3\n03850,NH,NEWE,,\n", sheet.ReaderOptions{Year: 2023},
			"zip state subregion_1 subregion_2 subregion_3", "03850,NH,NEWE,,",
		},
		"predominant beside the others": {
			"zip,predominant subregion,subregion_1,subregion_2\n59221,NWPP,MROW,NWPP\n", sheet.ReaderOptions{Year: 2022},
			"zip predominant_subregion subregion_1 subregion_2", "59221,NWPP,MROW,NWPP",
		},
		"primary alone, as of old": {
			"ZIP (character),State,Primary eGRID Subregion\n99501,AK,AKGD\n", sheet.ReaderOptions{Name: "Power_Profiler_Zipcode_Tool.csv", Year: 2009},
			"zip state predominant_subregion", "99501,AK,AKGD",
		},
		"rows without their last cells": {
			"zip,SUBRGN,eiaid,UtilName\n00601,PRMS\n00602,PRMS,,\n01001,NEWE,20455,A\n", sheet.ReaderOptions{Year: 2023},
			"zip subregion utility_id utility_name", "00601,PRMS,,|00602,PRMS,,|01001,NEWE,20455,A",
		},
		"numbers alone": {
			"ZIP (numeric),egrid_subregion\n3850,NEWE\n501.0,NYLI\n\"6,390\",NYLI\n97201,NWPP\n", sheet.ReaderOptions{Year: 2022},
			"zip subregion", "03850,NEWE|00501,NYLI|06390,NYLI|97201,NWPP",
		},
		"ZIP+4 and texts of a spreadsheet": {
			"zip,subregion\n03850-1234,NEWE\n=\"03851\",NEWE\n'03852,NEWE\n 03853 ,NEWE\n", sheet.ReaderOptions{Year: 2022},
			"zip subregion", "03850,NEWE|03851,NEWE|03852,NEWE|03853,NEWE",
		},
		"columns of subregions joined": {
			"SUBRGN,zip,SRCO2RTA,county,year\nNEWE,03850,500.1,Carroll,2022\n", sheet.ReaderOptions{},
			"subregion zip SRCO2RTA county", "NEWE,03850,500.1,Carroll",
		},
		"our own export": {
			"level,data_year,release,zip,state,subregion\nZIP,2022,,03850,NH,NEWE\n", sheet.ReaderOptions{Release: egrid.NoRelease},
			"zip state subregion", "03850,NH,NEWE",
		},
		"a mapping": {
			"Post,Region,Site\n03850,NEWE,x\n", sheet.ReaderOptions{Year: 2022, Mapping: &sheet.Mapping{Columns: map[string]string{"Post": "zip", "Region": "SUBRGN", "Site": ""}}},
			"zip subregion", "03850,NEWE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rows, others := readZIPs(t, test.text, test.o)
			var columns []string
			for _, c := range s.Schema.Columns() {
				columns = append(columns, string(c))
			}
			if s.Level != egrid.ZIP || strings.Join(columns, " ") != test.columns || strings.Join(rows, "|") != test.rows || len(others) > 0 {
				t.Errorf("%s %v\n got %s\nwant %s\nothers %v", s.Level, columns, strings.Join(rows, "|"), test.rows, others)
			}
		})
	}
}

func TestZIPYears(t *testing.T) {
	t.Parallel()
	recognise(t, []recognition{
		{name: "tool", file: "zip,subregion_1\n03850,NEWE\n", options: sheet.ReaderOptions{Name: "power_profiler_zipcode_tool_2018_3_09_20_v9.csv"}, want: "ZIP 2018 us"},
		{name: "level and year", file: "zip,subregion_1\n03850,NEWE\n", options: sheet.ReaderOptions{Name: "ZIP22.csv"}, want: "ZIP 2022 us"},
		{name: "folder", file: "zip,subregion_1\n03850,NEWE\n", options: sheet.ReaderOptions{Name: "2020/zip.csv"}, want: "ZIP 2020 us"},
		{name: "edition", file: "zip,subregion_1\n03850,NEWE\n", options: sheet.ReaderOptions{Name: "zips_egrid2021.csv"}, want: "ZIP 2021 us"},
		{name: "nothing", file: "zip,subregion_1\n03850,NEWE\n", options: sheet.ReaderOptions{Name: "zip.csv"}, refused: []string{"data year", "--year"}},
	})
}

// What has ZIP codes, and is no crosswalk.
func TestNoZIPCrosswalk(t *testing.T) {
	t.Parallel()
	recognise(t, []recognition{
		{name: "plants", file: "SEQPLT23,PSTATABB,PNAME,ORISPL,ZIP,SUBRGN,NAMEPCAP,PLNGENAN\n1,AK,A,3,99501,AKGD,5,7\n", want: "PLNT 2023 us"},
		{name: "generators", file: "PNAME,ORISPL,GENID,zip,SUBRGN,NAMEPCAP,GENNTAN\nA,3,1,99501,AKGD,5,7\n", options: sheet.ReaderOptions{Year: 2023}, want: "GEN 2023 us"},
		{name: "a list of plants", file: "Plant Name,State,ZIP,SUBRGN\nA,AK,99501,AKGD\n", options: sheet.ReaderOptions{Year: 2023}, refused: []string{"list of plants or companies", "column Plant Name", "--level PLNT"}},
		{name: "companies", file: "SEQEGC00,EGCNAME,ZIP,SUBRGN\n1,A,99501,AKGD\n", options: sheet.ReaderOptions{Year: 2000}, refused: []string{"SEQEGC00"}},
		{name: "sites", file: "site,zip,egrid_subregion,annual_kwh\nA,99501,AKGD,5\n", options: sheet.ReaderOptions{Year: 2023}, refused: []string{"table of sites", "column site"}},
		{name: "sites by usage", file: "zip,egrid_subregion,annual_kwh\n99501,AKGD,5\n", options: sheet.ReaderOptions{Year: 2023}, refused: []string{"table of sites", "annual_kwh", "--level ZIP"}},
		{name: "sites insisted on", file: "zip,egrid_subregion,annual_kwh\n99501,AKGD,5\n", options: sheet.ReaderOptions{Year: 2023, Level: egrid.ZIP}, want: "ZIP 2023 us"},
		{name: "utilities of EIA-860", file: "Form EIA-860 Data,,,,,\nUtility ID,Utility Name,Street Address,City,State,Zip\n1,A,B,C,AK,99501\n", refused: []string{"a form of EIA"}},
		{name: "service territory of EIA-861", file: "Data Year,Utility Number,Utility Name,Short Form,State,County\n2023,1,A,,AK,B\n", options: sheet.ReaderOptions{Name: "Service_Territory_2023.csv"}, refused: []string{"not an eGRID sheet"}},
		{name: "addresses", file: "name,state,zip\nA,AK,99501\n", refused: []string{"ZIP codes without eGRID's subregions"}},
		{name: "subregions insisted on as ZIP codes", file: "State,SUBRGN\nAK,AKGD\n", options: sheet.ReaderOptions{Year: 2023, Level: egrid.ZIP}, refused: []string{"identifier (zip)"}},
	})
	_, err := sheet.Inspect(strings.NewReader("site,zip,egrid_subregion\nA,99501,AKGD\n"), &sheet.ReaderOptions{Year: 2023})
	var kept *sheet.NotKeptError
	if !errors.As(err, &kept) || !errors.Is(err, sheet.ErrNotSheet) {
		t.Errorf("a table of sites is refused with %v; want a NotKeptError", err)
	}
}

func TestZIPRejects(t *testing.T) {
	t.Parallel()
	_, rows, others := readZIPs(t, "zip,state,subregion\n03850,NH,NEWE\nH3Z 2Y7,QC,\n,,\n385012,NH,NEWE\n3852,NH,NEWE\nTotal,,3\nSource: made up for a test,,\n", sheet.ReaderOptions{Year: 2023})
	if got := strings.Join(rows, "|"); got != "03850,NH,NEWE|03852,NH,NEWE" {
		t.Errorf("rows %s", got)
	}
	for i, want := range []string{"line 3, column zip", "line 5, column zip", "line 7: a total", "line 8: a note"} {
		if i >= len(others) || !strings.HasPrefix(others[i], want) {
			t.Errorf("%q is not of %q", others, want)
		}
	}
	// A second column of ZIP codes is left out where it has the same ones, and each
	// row has to.
	long := "ZIP (character),ZIP (numeric),SUBRGN\n" + strings.Repeat("03850,3850,NEWE\n", 80_000) + "97201,97202,NWPP\n"
	if _, rows, others = readZIPs(t, long, sheet.ReaderOptions{Year: 2023}); len(rows) != 80_000 || len(others) != 1 || !strings.Contains(others[0], "97202") {
		t.Errorf("%d rows, rejected %q", len(rows), others)
	}
}
