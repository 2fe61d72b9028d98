package sheet_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// recognition is a file and what it must be taken for: level, data year and
// units, or parts of the text of a refusal.
type recognition struct {
	name    string
	file    string
	options sheet.ReaderOptions
	want    string
	refused []string
}

func recognise(t *testing.T, tests []recognition) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := sheet.Inspect(strings.NewReader(test.file), &test.options)
			if test.refused != nil {
				if !errors.Is(err, egrid.ErrInvalid) {
					t.Fatalf("got %+v, %v; want a refusal", s, err)
				}
				for _, part := range test.refused {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("refused with %q; want %q in it", err, part)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(s.Level, " ", s.Year, " ", s.Units); got != test.want {
				t.Errorf("got %s; want %s; evidence %v", got, test.want, s.Evidence)
			}
			for _, of := range []string{"level", "basis", "year", "authority", "units"} {
				if !slices.ContainsFunc(s.Evidence, func(e sheet.Evidence) bool { return e.Of == of && e.From != "" }) {
					t.Errorf("no evidence of %s in %v", of, s.Evidence)
				}
			}
		})
	}
}

// A level needs its identifier and a measure of its own, whatever else there is.
func TestRecogniseLevel(t *testing.T) {
	t.Parallel()
	at := func(name string) sheet.ReaderOptions { return sheet.ReaderOptions{Name: name} }
	const own = ",PM25 Annual 150m,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s"
	recognise(t, []recognition{
		{name: "own columns beside EPA's", file: "SEQPLT16,PSTATABB,PNAME,ORISPL,LAT" + own + "\n1,AL,A,3,33\n", want: "PLNT 2016 us"},
		{name: "own columns in front", file: "a,b,c,d,e,f,g,h,i,j,YEAR,ORISPL,GENID,GENNTAN\n,,,,,,,,,,2021,3,1,5\n", want: "GEN 0 us"},
		{name: "own columns beside a region's", file: "Year,SUBRGN,SRCO2RTA" + own + "\n2022,CAMX,5\n", want: "SRL 0 us"},
		{name: "lookup of flags", file: "ORISPL,CHPFLAG\n54452,Yes\n", options: at("chp_2016.csv"), refused: []string{"ORISPL, CHPFLAG", "any of its measures", "--level"}},
		{name: "lookup of units", file: "ORISPL,UNITID,PRMVR\n3,1,ST\n", options: at("units_2016.csv"), refused: []string{"UNT", "measures"}},
		{name: "lookup of places", file: "ORISPL,LAT,LON\n3,31,-88\n", options: at("where_2016.csv"), refused: []string{"measures"}},
		{name: "lookup of subregions", file: "SUBRGN,SRNAME\nCAMX,WECC California\n", options: at("names_2016.csv"), refused: []string{"SUBRGN, SRNAME"}},
		{name: "lookup as the person says", file: "ORISPL,CHPFLAG\n54452,Yes\n", options: sheet.ReaderOptions{Level: egrid.PLNT, Year: 2016}, want: "PLNT 2016 us"},
		{name: "rates for losses", file: "Region, CO2 rate (lb/MWh), Year\nUS,823.149,2022\n", refused: []string{"a table of emission rates", "CO2 rate", "SRL, ST or US"}},
		{name: "shares for losses", file: "Region,All Combustion,All Non Combustion, Year\nUS,0.6,0.4,2023\n", refused: []string{"shares of combustion", "SRL, ST or US"}},
		{name: "rates for losses, insisted on", file: "Region, CO2 rate (lb/MWh), Year\nUS,823.149,2022\n", options: sheet.ReaderOptions{Level: egrid.GGL}, refused: []string{"more than one of its columns"}},
		{name: "neither rates nor losses", file: "Region,Year,Rank\nUS,2022,1\n", refused: []string{"Region, Year", "GGL", "GGRSLOSS"}},
		{name: "separated by blanks", file: "\"YEAR\" \"PSTATABB\" \"PNAME\" \"GENID\" \"GENERSRC\"\n\"1\" 2023 \"AL\" \"Barry\" \"1\" \"EIA-923\"\n", refused: []string{"separated by blanks", "write.csv", `"delimiter": " "`}},
		{name: "of fixed widths", file: "YEAR  PSTATABB  PNAME  GENID\n2023  AL        Barry  1\n", refused: []string{"separated by blanks; write it with commas (in R by write.csv in place of write.table)"}},
		{name: "lines of a Macintosh", file: "YEAR,GENID,PNAME,GENNTAN\r2023,1,\"A\nB\",5\r2023,2,C,6\r", refused: []string{"carriage returns alone"}},
		{name: "contents as CSV", file: "eGRID2023 Data,\nContents,\nGEN23,generators\n", refused: []string{"a contents page", "load the workbook itself"}},
		{name: "text called a workbook", file: "Not found\n", options: at("egrid2023_data.xlsx"), refused: []string{"called .xlsx and is none", "fetch it again"}},
		{name: "bytes called a workbook", file: "\x7f\x01\r\x00GEN\r\x02", options: at("egrid2023_data.xlsx"), refused: []string{"called .xlsx and is none", "no workbook, or a damaged one; fetch it again"}},
		{name: "bytes called a table", file: "\x7f\x01\x00GEN", options: at("GEN23.csv"), refused: []string{"not text"}},
		{name: "losses", file: "Region,Grid Gross Loss Rate (%),Year\nEastern,5%,2019\n", want: "GGL 0 us"},
		{name: "generators with the columns of their plants", file: "YEAR,ORISPL,PNAME,GENID,NAMEPCAP,PSTATABB,NERC,SUBRGN,LAT,LON,CNTYNAME,PLNGENAN\n2021,3,A,1,5,AL,SERC,SRSO,1,2,B,7\n", want: "GEN 0 us"},
		{name: "plants with the measures of their states", file: "YEAR,ORISPL,PNAME,PSTATABB,PLNGENAN,STNGENAN,STCO2AN,STSO2AN,STNOXAN,STCO2RTA\n2021,3,A,AL,5,6,7,8,9,10\n", want: "PLNT 0 us"},
		{name: "companies with a NERC region", file: "EGCNAME,EGCID,NERC,NAMEPCAP,EGNGENAN\nA,1,SERC,5,6\n", options: at("1998.csv"), refused: []string{"companies"}},
		{name: "plants without identifiers", file: "state,county,latitude,longitude,nameplate_capacity_mw,capacity_factor\nAL,A,1,2,3,0.5\n", options: at("x_2021.csv"), refused: []string{"PLNT", "identifier"}},
	})
}

// Every level is recognised by its codes and by our names.
func TestRecogniseLevelOfExports(t *testing.T) {
	t.Parallel()
	for _, level := range egrid.Levels() {
		var codes, names []string
		for _, f := range egrid.Fields(level) {
			if f.Column != egrid.Year {
				codes, names = append(codes, f.Code), append(names, string(f.Column))
			}
		}
		for _, header := range []string{
			"YEAR," + strings.Join(codes, ","),
			"level,data_year,release," + strings.Join(names, ","),
		} {
			row := fmt.Sprintf("2021%s\n", strings.Repeat(",", len(codes)))
			if strings.HasPrefix(header, "level") {
				row = fmt.Sprintf("%s,2021,%s\n", level, strings.Repeat(",", len(codes)))
			}
			s, err := sheet.Inspect(strings.NewReader(header+"\n"+row), nil)
			if err != nil || s.Level != level || len(s.Unknown) > 0 {
				t.Errorf("%s: got %+v, %v", level, s, err)
			}
		}
	}
}

// Tables that are known and that no level keeps are refused by name, whatever
// tells them.
func TestRecogniseKinds(t *testing.T) {
	t.Parallel()
	const srl = "SUBRGN,SRNGENAN,SRCO2AN\nAKGD,4407228,3129348\n"
	at := func(name, sheetName string) sheet.ReaderOptions {
		return sheet.ReaderOptions{Name: name, Sheet: sheetName}
	}
	recognise(t, []recognition{
		{name: "owner by title", file: "eGRID2002 Version 2.01 Owner-Based eGRID Subregion File (Year 1998 Data),,\n" + srl, refused: []string{"owner-based", "title"}},
		{name: "owner by sequence", file: "SEQSRO00," + strings.Replace(srl, "\nA", "\n1,A", 1), options: at("1998.csv", ""), refused: []string{"owner-based", "SEQSRO00", "location"}},
		{name: "owner by file name", file: srl, options: at("eGRID1998_owner_SRO98.csv", ""), refused: []string{"owner-based", "file name"}},
		{name: "owner by sheet name", file: "NERC,NRNGENAN,NRCO2AN\nASCC,1,2\n", options: at("x.xls", "EGRDNRO98"), refused: []string{"owner-based", "sheet EGRDNRO98"}},
		{name: "owner insisted on", file: "Owner-Based NERC Region File (Year 1998 Data),,\nNERC,NRNGENAN,NRCO2AN\nASCC,1,2\n", options: sheet.ReaderOptions{Level: egrid.NRL}, refused: []string{"owner-based"}},
		{name: "location", file: "eGRID2002 Version 2.01 Location (Operator)-Based eGRID Subregion File (Year 1998 Data),,\n" + srl, want: "SRL 1998 us"},
		{name: "plants with the numbers of their owners", file: "SEQPRO98,ORISPL,PNAME,PLNGENAN\n1,3,A,5\n", options: at("PLNT98.csv", ""), want: "PLNT 1998 us"},
		{name: "location by sequence", file: "SEQSRP00," + strings.Replace(srl, "\nA", "\n1,A", 1), options: at("x_1998.csv", ""), want: "SRL 1998 us"},
		{name: "location by file name", file: srl, options: at("SRL98.csv", ""), want: "SRL 1998 us"},
		{name: "location by folder", file: srl, options: at("1998/location/x.csv", ""), want: "SRL 1998 us"},
		{name: "location as given", file: srl, options: sheet.ReaderOptions{Name: "x_1998.csv", Level: egrid.SRL}, want: "SRL 1998 us"},
		{name: "location or owner", file: srl, options: at("subregions_1998.csv", ""), refused: []string{"by owner", "--level SRL"}},
		{name: "location or owner, NERC regions", file: "SEQNR00,NERC,NRNGENAN\n1,SERC,5\n", options: at("x_1999.csv", ""), refused: []string{"by owner"}},
		{name: "location or owner, states", file: "PSTATABB,STNGENAN\nAK,5\n", options: at("x_1999.csv", ""), want: "ST 1999 us"},
		{name: "location, later", file: srl, options: at("subregions_2004.csv", ""), want: "SRL 2004 us"},
		{name: "operators are no owners", file: "SEQPLT16,ORISPL,PNAME,OPRNAME,PLNGENAN\n1,3,A,Owner-Based Power Co,5\n", want: "PLNT 2016 us"},
		{name: "parents", file: "SEQPRP00,SEQPRP98,PRNAME,PRNUM,NAMEPCAP,PRNGENAN,PRCO2AN\n1,1,A,10,500,1000,900\n", refused: []string{"parent companies"}},
		{name: "parents by measures", file: "PRNAME,NAMEPCAP,PRNGENAN,PRCO2AN\nA,500,1000,900\n", refused: []string{"parent companies"}},
		{name: "control areas", file: "PCANAME,PCAID,NERC,NAMEPCAP,PCNGENAN\nA,1,SERC,500,1000\n", refused: []string{"power control areas"}},
		{name: "notes on plants", file: "SEQPLCH,SEQPLT98,PNAME,ORISPL,CHTYPE\n1,2,Abilene,3517,OPR\n", refused: []string{"notes"}},
		{name: "imports and exports", file: "State Imports and Exports Data\nPSTATABB,STNGENAN\nAL,5\n", refused: []string{"imports and exports"}},
		{name: "ZIP table", file: "zip,eiaid,utility_name,state,comm_rate\n00501,11171,A,NY,0.1\n", refused: []string{"ZIP codes without eGRID's subregions", "column zip", "etl.json"}},
		{name: "crosswalk", file: "CAMD_PLANT_ID,CAMD_UNIT_ID,EIA_PLANT_ID\n3,1,3\n", refused: []string{"crosswalk"}},
		{name: "form of EIA", file: "2023 Form EIA-860 Data\nUtility ID,Utility Name,Plant Code,Plant Name\n195,A,3,Barry\n", refused: []string{"EIA"}},
		{name: "sequence numbers", file: "SEQPLT16,SEQPLT14,ORISPL\n1,1,3\n", refused: []string{"sequence numbers"}},
		{name: "summary table", file: "1. Subregion Output Emission Rates (eGRID2016),,\n,,\neGRID subregion acronym,CO2,CH4\nAKGD,1072,0.077\n", refused: []string{"summary table"}},
		{name: "rates of the ZIP code tool", file: "Rates,,\nSRNAME,SUBRGN,CO2\nASCC Alaska Grid,AKGD,1\n", options: at("power_profiler_zipcode_tool_v14.3.xlsx", "Subregion Rates (kg-MWh)"), refused: []string{"summary table", "sheet Subregion Rates"}},
		{name: "contents", file: "Table of Contents,\nfor,\n1,GEN23\n", options: at("egrid2023_data.xlsx", "Contents"), refused: []string{"contents"}},
		{name: "anything", file: "a,b\n1,2\n", refused: []string{"no header row", "etl.json", `""`}},
	})
	_, err := sheet.Inspect(strings.NewReader("PCANAME,PCAID\nA,1\n"), nil)
	var kept *sheet.NotKeptError
	if !errors.As(err, &kept) || kept.Kind != "a sheet of power control areas" || kept.From != "column PCANAME" {
		t.Errorf("got %#v", err)
	}
}

// EPA's code comes before our name and that before an alias, in any order.
func TestRecogniseClaims(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ header, row, column, value, unknown string }{
		{"State,PSTATABB,STNGENAN,YEAR", "Alabama,AL,5,2016", "state", "AL", "[State]"},
		{"PSTATABB,State,STNGENAN,YEAR", "AL,Alabama,5,2016", "state", "AL", "[State]"},
		{"state,PSTATABB,STNGENAN,YEAR", "AL,AK,5,2016", "state", "AK", "[state_2]"},
		{"FIPST,FIPSST,PSTATABB,STNGENAN,YEAR", "1,02,AK,5,2016", "fips_state", "02", "[FIPST]"},
		{"fips_state,FIPST,PSTATABB,STNGENAN,YEAR", "02,1,AK,5,2016", "fips_state", "02", "[FIPST]"},
		{"FIPST,PSTATABB,STNGENAN,YEAR", "02,AK,5,2016", "fips_state", "02", "[]"},
		{"STGENNB,STNGENNB,PSTATABB,YEAR", "1,2,AK,2016", "nonbaseload_generation_mwh", "2", "[STGENNB]"},
		{"State,ORISPL,PLNGENAN,YEAR", "Alabama,3,5,2016", "state", "AL", "[]"},
		{"state,ORISPL,PLNGENAN,YEAR", "Unknown,3,5,2016", "state_2", "Unknown", "[state_2]"},
		{"State,ORISPL,PLNGENAN,YEAR", "Upper Austria,3,5,2016", "oris_plant_code", "3", "[State]"},
	} {
		of, rows, refused := readAll(t, strings.NewReader(test.header+"\n"+test.row+"\n"), nil)
		if len(rows) != 1 || len(refused) > 0 {
			t.Fatalf("%s: %d rows, refused %v", test.header, len(rows), refused)
		}
		if got := rows[0].Value(egrid.Column(test.column)).String(); got != test.value || fmt.Sprint(of.Unknown) != test.unknown {
			t.Errorf("%s: %s is %q, unknown %v; want %q, %s", test.header, test.column, got, of.Unknown, test.value, test.unknown)
		}
		if test.unknown != "[]" && !slices.ContainsFunc(of.Evidence, func(e sheet.Evidence) bool { return e.Of == "column" }) {
			t.Errorf("%s: the evidence says nothing of the column that is not taken: %v", test.header, of.Evidence)
		}
	}
	_, err := sheet.Inspect(strings.NewReader("State,STNGENAN\nUpper Austria,5\nTyrol,6\n"), &sheet.ReaderOptions{Year: 2016})
	if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "PSTATABB") {
		t.Errorf("states of another country: got %v", err)
	}
}

// Full names of states become postal abbreviations, and the evidence says so.
func TestStatesByName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, states, refused string }{
		"a sheet of states": {"State,STNGENAN\nAlabama,5\n new  york ,6\nDistrict of Columbia,7\n\"Washington, D.C.\",8\nTX,9\nPuerto Rico,1\n", "[AL NY DC DC TX PR]", ""},
		"under EPA's code":  {"PSTATABB,STNGENAN\nAlabama,5\nWEST VIRGINIA,6\n", "[AL WV]", ""},
		"plants":            {"State,ORISPL,PLNGENAN\nTexas,3,5\nOhio,4,5\n,5,5\nNA,6,5\n", "[TX OH  ]", ""},
		"a total below":     {"State,STNGENAN\nAlabama,5\nAlaska,6\nUnited States,11\n", "[AL AK]", ""},
		"one that is none":  {"State,ORISPL,PLNGENAN\n" + strings.Repeat("Texas,3,5\n", 12) + "Tyrol,4,5\n", "[TX TX TX TX TX TX TX TX TX TX TX TX]", "state: neither a postal abbreviation nor the name of a state"},
		"in quotes":         {"\"State\",\"STNGENAN\"\n\"Alabama\",5\n\"NA\",6\n", "[AL ]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rows, refused := readAll(t, strings.NewReader(test.text), &sheet.ReaderOptions{Year: 2016})
			var states []string
			for _, row := range rows {
				states = append(states, row.Text(egrid.State))
			}
			told := slices.ContainsFunc(s.Evidence, func(e sheet.Evidence) bool { return e.Of == "state" && e.Value == "translated" })
			if got := fmt.Sprint(states); got != test.states || !told || (len(refused) > 0) != (test.refused != "") {
				t.Errorf("got %s, refused %v, told %t; want %s", got, refused, told, test.states)
			}
		})
	}
}

// Codes with a description in the same cell, on the next line or behind a blank.
func TestRecogniseDescribedCodes(t *testing.T) {
	t.Parallel()
	const described = "\"SEQST00\neGRID2002 2000 file State sequence number\",SEQST99 eGRID2002 1999 file State sequence number,\"PSTATABB\nState abbreviation\",\"FIPST\nFIPS State code\",\"STNGENAN\nState 1998 annual net generation (MWh)\",\"STHGRTA\nState 1998 annual mercury output emission rate (lbs/GWh)\",\"STGENASW\nState 1998 annual solid waste net generation (MWh)\"\n" +
		"1,1,AL,1,119862124.8,41.5,7\n"
	unquoted := strings.NewReplacer("\nF", " F", "\nS", " S", "\ne", " e").Replace(described)
	for name, file := range map[string]string{"lines": described, "CRLF": strings.ReplaceAll(described, "\n", "\r\n"), "blanks": unquoted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of, rows, _ := readAll(t, strings.NewReader(file), nil)
			if of.Level != egrid.ST || of.Year != 1998 || len(rows) != 1 {
				t.Fatalf("level %s, year %d, %d rows", of.Level, of.Year, len(rows))
			}
			if want := []egrid.Column{"SEQST00", "SEQST99", "STGENASW"}; !slices.Equal(of.Unknown, want) {
				t.Errorf("unknown %q; want %q", of.Unknown, want)
			}
			if rate, _ := rows[0].Float("hg_output_rate_lb_per_mwh"); rate != 0.0415 || rows[0].Text("STGENASW") != "7" {
				t.Errorf("41.5 lb/GWh is %v lb/MWh, STGENASW %q", rate, rows[0].Text("STGENASW"))
			}
		})
	}
	// A description row is none of codes, nor are people's names of several words.
	of, _, _ := readAll(t, strings.NewReader("NERC region acronym,NERC region name,NERC region annual net generation (MWh),SO2 Annual 150m,PM25 \n per year\nNERC,NERCNAME,NRNGENAN,SO2 Annual 150m,\"PM25\n per year\"\nSERC,a,5,6,7\n"), &sheet.ReaderOptions{Year: 2018})
	if want := []egrid.Column{"SO2 Annual 150m", "PM25"}; of.Level != egrid.NRL || len(of.Unknown) != 2 || of.Unknown[0] != want[0] {
		t.Errorf("level %s, unknown %q", of.Level, of.Unknown)
	}
}

// What stands in the file comes before names, and nothing is overruled in
// silence.
func TestRecogniseYear(t *testing.T) {
	t.Parallel()
	const (
		st       = "PSTATABB,STNGENAN,STCO2AN\nAK,6156524.6,3975039.19\n"
		sequence = "SEQST00,SEQST99,PSTATABB,STNGENAN,SEQST,SEQST97,SEQST98\nN/A,N/A,AK,4982268,2,N/A,N/A\n"
		rows     = "YEAR,PSTATABB,STNGENAN\n2018,AK,5\n"
		both     = rows + "2019,AK,6\n"
	)
	described := func(year string) string {
		return strings.ReplaceAll("State abbreviation,State YYYY annual net generation (MWh),State YYYY annual CO2 emissions (tons)\n", "YYYY", year) + st
	}
	at := func(name string) sheet.ReaderOptions { return sheet.ReaderOptions{Name: name} }
	asked := func(year int) sheet.ReaderOptions { return sheet.ReaderOptions{Year: year} }
	recognise(t, []recognition{
		{name: "several sequences tell nothing", file: sequence, options: at("eGRID1996_ST96.csv"), want: "ST 1996 us"},
		{name: "several sequences, given", file: sequence, options: asked(1996), want: "ST 1996 us"},
		{name: "several sequences, nothing else", file: sequence, refused: []string{"nothing tells", "--year"}},
		{name: "one sequence of several", file: "SEQST00,PSTATABB,STNGENAN\n1,AK,5\n", options: at("ST96.csv"), want: "ST 1996 us"},
		{name: "one sequence of several, nothing else", file: "SEQST00,PSTATABB,STNGENAN\n1,AK,5\n", refused: []string{"nothing tells", "--year"}},
		{name: "sequences of other years", file: "SEQPLT16,SEQPLT14,ORISPL,PLNGENAN\n1,2,3,5\n", options: at("PLNT14.csv"), want: "PLNT 2014 us"},
		{name: "one sequence", file: "SEQPLT16,ORISPL,PLNGENAN\n1,3,5\n", options: at("PLNT18.csv"), want: "PLNT 2016 us"},
		{name: "one sequence against the flag", file: "SEQPLT16,ORISPL,PLNGENAN\n1,3,5\n", options: asked(2018), refused: []string{"--year 2018", "SEQPLT16", "2016"}},
		{name: "title", file: "eGRID2002 Version 2.01 State File (Year 2000 Data),,\n,,\n" + st, options: at("eGRID2002_state.csv"), want: "ST 2000 us"},
		{name: "title of several cells", file: "State File (Year 2000 Data),,page 1,,\nPSTATABB,STNGENAN,STCO2AN,STSO2AN,STNOXAN\nAK,1,2,3,4\n", options: at("ST99.csv"), want: "ST 2000 us"},
		{name: "title of the US", file: "U.S. File (Year 2000 Data),,page 1\nUSNGENAN,USCO2AN,USSO2AN,USNOXAN,USHTIAN\n1,2,3,4,5\n", want: "US 2000 us"},
		{name: "title against the flag", file: "State File (Year 2000 Data),,\n" + st, options: asked(1999), refused: []string{"--year 1999", "2000"}},
		{name: "title against the descriptions", file: "State File (Year 1999 Data),,\n" + described("2000"), refused: []string{"1999", "2000", "--year"}},
		{name: "title against the descriptions, decided", file: "State File (Year 1999 Data),,\n" + described("2000"), options: asked(2000), want: "ST 2000 us"},
		{name: "descriptions", file: described("2000"), options: at("EGRDST99.csv"), want: "ST 2000 us"},
		{name: "descriptions without a year", file: described(""), options: at("EGRDST99.csv"), want: "ST 1999 us"},
		{name: "sheet name", file: st, options: sheet.ReaderOptions{Name: "egrid2012_data.xls", Sheet: "ST09"}, want: "ST 2009 us"},
		{name: "sheet name against the flag", file: st, options: sheet.ReaderOptions{Name: "x.xls", Sheet: "ST09", Year: 2010}, refused: []string{"ST09", "--year 2010"}},
		{name: "sheet name with a blank", file: st, options: sheet.ReaderOptions{Name: "x.xlsx", Sheet: "ST16 "}, want: "ST 2016 us"},
		{name: "rows", file: rows, options: at("ST16.csv"), want: "ST 0 us"},
		{name: "rows as the flag says", file: rows, options: asked(2018), want: "ST 0 us"},
		{name: "rows against the flag", file: rows, options: asked(2016), refused: []string{"--year 2016", "column YEAR", "2018"}},
		{name: "rows of two years against the flag", file: both, options: asked(2018), refused: []string{"2018, 2019"}},
		{name: "rows against the sequence", file: "SEQPLT16,YEAR,ORISPL,PLNGENAN\n1,2018,3,5\n", refused: []string{"YEAR", "SEQPLT16"}},
		{name: "eGRID2000", file: st, options: at("eGRID2000.csv"), want: "ST 1998 us"},
		{name: "eGRID97", file: st, options: at("eGRID97_state.csv"), want: "ST 1997 us"},
		{name: "eGRID2006", file: st, options: at("eGRID2006_state.csv"), want: "ST 2004 us"},
		{name: "eGRID2007", file: st, options: at("eGRID2007/state.csv"), want: "ST 2005 us"},
		{name: "eGRID2016", file: st, options: at("egrid2016_data.csv"), want: "ST 2016 us"},
		{name: "eGRID2002", file: st, options: at("eGRID2002_state.csv"), refused: []string{"several data years", "--year"}},
		{name: "eGRID2002 of 1998", file: st, options: at("eGRID2002yr98_location.csv"), want: "ST 1998 us"},
		{name: "no such year", file: st, options: at("state_2002.csv"), refused: []string{"no eGRID of data year 2002", "state_2002.csv", "issue"}},
		{name: "no such year, given", file: st, options: asked(2008), refused: []string{"2008"}},
		{name: "two editions in a title", file: "From eGRID2019 and eGRID2021,,\n" + st, options: at("2018/state.csv"), want: "ST 2018 us"},
		{name: "edition in a title", file: "eGRID2006 State file,,\n" + st, options: at("2018/state.csv"), want: "ST 2004 us"},
		{name: "no year in a title", file: "Plants (5000 data points),,\n" + st, options: at("2018/state.csv"), want: "ST 2018 us"},
		{name: "folder", file: st, options: at("2018/state.csv"), want: "ST 2018 us"},
		{name: "a flag beats a name", file: st, options: sheet.ReaderOptions{Name: "2018/state.csv", Year: 2019}, want: "ST 2019 us"},
	})
	s, err := sheet.Inspect(strings.NewReader(st), &sheet.ReaderOptions{Name: "ST18.csv", Year: 2019})
	if want := (sheet.Evidence{Of: "year", Value: "2018", From: "file name ST18.csv, overruled"}); err != nil || !slices.Contains(s.Evidence, want) {
		t.Errorf("got %v; want %v in it", s.Evidence, want)
	}
	_, _, refused := readAll(t, strings.NewReader("YEAR,PSTATABB,STNGENAN\n2018,AK,5\n2002,AL,5\n"), nil)
	if len(refused) != 1 || !strings.Contains(refused[0].Reason, "no eGRID of data year 2002") {
		t.Errorf("rows of 2002: refused %v", refused)
	}
}

// The unit of a column is what its description says.
func TestRecogniseUnits(t *testing.T) {
	t.Parallel()
	srl := func(heat, co2, rate, more, row string) string {
		return "Data Year,acronym,annual heat input (" + heat + "),annual net generation (MWh),annual CO2 emissions (" + co2 + "),output emission rate (" + rate + ")" + more + "\n" +
			"YEAR,SUBRGN,SRHTIAN,SRNGENAN,SRCO2AN,SRCO2RTA" + row
	}
	const (
		us      = "\n2023,CAMX,818268630.176,216841822.331,47342486.547,436.655\n"
		metric  = "\n2023,CAMX,863355231.699,216841822.331,42949103.795,198.067\n"
		twins   = ",SRCO2RTA2\n2023,CAMX,863355231.699,216841822.331,42949103.795,198.067,55.019\n"
		usTwins = ",SRCO2RTA2\n2023,CAMX,818268630.176,216841822.331,47342486.547,436.655,55.019\n"
		bare    = "YEAR,SUBRGN,SRHTIAN,SRNGENAN,SRCO2AN,SRCO2RTA"
	)
	in := func(units string) sheet.ReaderOptions { return sheet.ReaderOptions{Units: units} }
	recognise(t, []recognition{
		{name: "us", file: srl("MMBtu", "tons", "lb/MWh", "", us), want: "SRL 0 us"},
		{name: "us in other words", file: srl("mmBtu", "short tons", "lbs per MWh", "", us), want: "SRL 0 us"},
		{name: "metric", file: srl("GJ", "metric tons", "kg/MWh", "", metric), want: "SRL 0 metric"},
		{name: "metric with empty columns", file: strings.ReplaceAll(srl("GJ", "metric tons", "kg/MWh", "", metric), "\n", strings.Repeat(",", 90)+"\n"), want: "SRL 0 metric"},
		{name: "metric in other words", file: srl("gj", "tonnes", "kg per MWh", "", metric), want: "SRL 0 metric"},
		{name: "metric by a twin", file: bare + twins, want: "SRL 0 metric"},
		{name: "us beside a twin", file: bare + usTwins, want: "SRL 0 us"},
		{name: "nobody's twin", file: bare + ",SRCO2RTA2" + strings.TrimSuffix(us, "\n") + ",900\n", want: "SRL 0 us"},
		{name: "metric by file name", file: bare + metric, options: sheet.ReaderOptions{Name: "egrid2024_data_metric.csv"}, want: "SRL 0 metric"},
		{name: "metric by workbook", file: bare + metric, options: sheet.ReaderOptions{Name: "egrid2024_data_metric.xlsx", Sheet: "SRL23"}, want: "SRL 0 metric"},
		{name: "metric by folder", file: bare + metric, options: sheet.ReaderOptions{Name: "2023/metric/SRL23.csv"}, refused: []string{"2023/metric", "--units"}},
		{name: "metric by folder, decided", file: bare + us, options: sheet.ReaderOptions{Name: "2023/metric/SRL23.csv", Units: "us"}, want: "SRL 0 us"},
		{name: "metric by folder, of no weight", file: srl("MMBtu", "tons", "lb/MWh", "", us), options: sheet.ReaderOptions{Name: "metric/SRL23.csv"}, want: "SRL 0 us"},
		{name: "generation is the same in both", file: "YEAR,ORISPL,GENID,GENNTAN\n2023,3,1,5\n", options: sheet.ReaderOptions{Name: "metric/GEN23.csv"}, want: "GEN 0 us"},
		{name: "us against the file name", file: srl("MMBtu", "tons", "lb/MWh", "", us), options: sheet.ReaderOptions{Name: "not_metric.csv"}, want: "SRL 0 us"},
		{name: "a metric is no system of units", file: bare + us, options: sheet.ReaderOptions{Name: "biometrics2024.csv"}, want: "SRL 0 us"},
		{name: "metric as given", file: bare + metric, options: in("metric"), want: "SRL 0 metric"},
		{name: "nothing tells", file: bare + us, want: "SRL 0 us"},
		{name: "given against the descriptions", file: srl("GJ", "metric tons", "kg/MWh", "", metric), options: in("us"), refused: []string{"--units us", "GJ", "metric"}},
		{name: "descriptions against each other", file: srl("MMBtu", "metric tons", "kg/MWh", "", metric), refused: []string{"SRHTIAN", "SRCO2AN", "--units"}},
		{name: "descriptions against each other, decided", file: srl("MMBtu", "metric tons", "kg/MWh", "", metric), options: in("metric"), want: "SRL 0 metric"},
		{name: "descriptions against a twin", file: srl("MMBtu", "tons", "lb/MWh", ",twin", twins), refused: []string{"SRCO2RTA2", "--units"}},
		{name: "unknown unit", file: srl("MMBtu", "kilotons", "lb/MWh", "", us), refused: []string{"SRCO2AN", "kilotons", "short tons"}},
		{name: "unit of something else", file: srl("MWh", "tons", "lb/MWh", "", us), refused: []string{"SRHTIAN", "MWh", "MMBtu"}},
		{name: "slip of EPA's", file: "NERC region nameplate capacity (MWh),NERC region annual CO2 emissions (metric tons),NERC,\nNRNAMEPCAP,NRCO2AN,NERC,YEAR\n5,6,SERC,2021\n", want: "NRL 0 metric"},
		{name: "unknown unit, decided", file: srl("MMBtu", "kilotons", "lb/MWh", "", us), options: in("us"), want: "SRL 0 us"},
		{name: "no such system", file: bare + us, options: in("imperial"), refused: []string{"imperial"}},
	})
	for name, file := range map[string]string{
		"metric": srl("GJ", "metric tons", "kg/MWh", "", metric), "twin": bare + twins, "bare": bare + metric,
	} {
		of, rows, _ := readAll(t, strings.NewReader(file), &sheet.ReaderOptions{Units: map[string]string{"bare": "metric"}[name]})
		for column, want := range map[egrid.Column]float64{
			"heat_input_mmbtu": 818268630.176, "net_generation_mwh": 216841822.331, "co2_short_tons": 47342486.547, "co2_output_rate_lb_per_mwh": 436.655,
		} {
			if x, _ := rows[0].Float(column); math.Abs(x-want) > 0.0021 {
				t.Errorf("%s: %s is %v; want %v", name, column, x, want)
			}
		}
		b, _ := rows[0].Batch()
		if want := []egrid.Column{"heat_input_mmbtu", "co2_short_tons", "co2_output_rate_lb_per_mwh"}; !slices.Equal(b.Lossy(), want) || len(of.Unknown) > 0 {
			t.Errorf("%s: lossy %v; want %v; unknown %v", name, b.Lossy(), want, of.Unknown)
		}
	}
}

// A header that is mapped may carry the unit itself.
func TestMappedUnits(t *testing.T) {
	t.Parallel()
	const file = "Region code;CO2 rate (kg/MWh);Mercury rate [lb/GWh];CO2 (kt)\nCAMX;198.0671;41.5;7\n"
	m := &sheet.Mapping{Columns: map[string]string{"Region code": "SUBRGN", "CO2 rate (kg/MWh)": "SRCO2RTA", "CO2 (kt)": ""}}
	of, rows, _ := readAll(t, strings.NewReader(file), &sheet.ReaderOptions{Level: egrid.SRL, Year: 2023, Mapping: m})
	if x, _ := rows[0].Float("co2_output_rate_lb_per_mwh"); x != 436.6559 || of.Units != sheet.Metric {
		t.Errorf("198.0671 kg/MWh are %v lb/MWh; units %s", x, of.Units)
	}
	m.Columns["CO2 (kt)"] = "SRCO2AN"
	if _, err := sheet.Inspect(strings.NewReader(file), &sheet.ReaderOptions{Level: egrid.SRL, Year: 2023, Mapping: m}); err == nil || !strings.Contains(err.Error(), "kt") {
		t.Errorf("kilotons: got %v", err)
	}
}

// The sheets of the workbook of 1998, by the first lines of each.
func TestRecognise1998(t *testing.T) {
	t.Parallel()
	const see = "\"For further description of variables, see eGRID File Structure and eGRID Technical Support Document.\"\n,\n"
	for name, test := range map[string]struct{ title, header, want string }{
		"Contents":   {"Table of Contents \nfor\n\"eGRID2002yr98_location.xls, Version 2.01\"\nYear 1998 eGRID Location (Operator)-Based Data Files", "1.0,EGRDST98", "contents page"},
		"EGRDST98":   {"eGRID2002 Version 2.01 State File (Year 1998 Data)", "\"SEQST00\neGRID2002 2000 file State sequence number\",\"PSTATABB\nState abbreviation\",\"STNGENAN\nState 1998 annual net generation (MWh)\"", "ST 1998"},
		"EGRDEGCL98": {"eGRID2002 Version 2.01 Location (Operator)-Based Electric Generating Company File (Year 1998 Data)", "\"SEQEGP00\neGRID2002\",\"EGCNAME\nEGC name\",\"NERC\nNERC region acronym\",\"EGNGENAN\nEGC 1998 annual net generation (MWh)\"", "generating companies"},
		"EGRDPRL98":  {"eGRID2002 Version 2.01 Location (Operator)-Based Parent Company File (Year 1998 Data)", "\"SEQPRP00\neGRID2002\",\"PRNAME\nParent company name\",\"NAMEPCAP\nParent company capacity (MW)\"", "parent companies"},
		"EGRDPCAL98": {"eGRID2002 Version 2.01 Location (Operator)-Based Power Control Area File (Year 1998 Data)", "\"SEQPCP00\neGRID2002\",\"PCANAME\nPower control area name\",\"NERC\nNERC region acronym\"", "control areas"},
		"EGRDSRL98":  {"eGRID2002 Version 2.01 Location (Operator)-Based eGRID Subregion File (Year 1998 Data)", "\"SEQSRP00\neGRID2002\",\"SUBRGN\neGRID subregion acronym\",\"NERC\nNERC region acronym\",\"SRNGENAN\neGRID subregion 1998 annual net generation (MWh)\"", "SRL 1998"},
		"EGRDNRL98":  {"eGRID2002 Version 2.01 Location (Operator)-Based NERC Region File (Year 1998 Data)", "\"SEQNR00\neGRID2002\",\"NERC\nNERC region acronym\",\"NRNGENAN\nNERC 1998 annual net generation (MWh)\"", "NRL 1998"},
		"EGRDUS98":   {"eGRID2002 Version 2.01 U.S. File (Year 1998 Data)", "\"SEQUS00\neGRID2002\",\"USNAME\nUnited States name\",\"NAMEPCAP\nU.S. capacity (MW)\",\"USNGENAN\nU.S. 1998 annual net generation (MWh)\"", "US 1998"},
		"EGRDPLCH":   {"eGRID2002 Version 2.01 Plant Note File", "\"SEQPLCH\neGRID2002\",\"PNAME\nPlant name\",\"ORISPL\nDOE/EIA ORIS plant or facility code\",\"CHTYPE\nType of note\"", "notes"},
		"EGRDPCCH":   {"eGRID2002 Version 2.01 Power Control Area Note File", "\"SEQPCCH\neGRID2002\",\"PCANAME\nPCA name\",\"PCAID\nPCA ID\",\"CHTYPE\nType of note\"", "notes"},
	} {
		s, err := sheet.Inspect(strings.NewReader(test.title+"\n"+see+test.header+"\n1,A,2,3\n"), &sheet.ReaderOptions{Name: "eGRID1998_location.xls", Sheet: name})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(s.Level, " ", s.Year)
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s; want %s", name, got, test.want)
		}
	}
}

func TestRecogniseAuthority(t *testing.T) {
	t.Parallel()
	const st = "PSTATABB,STNGENAN,STCO2AN\nAK,1,2\n"
	for _, test := range []struct {
		file    string
		options sheet.ReaderOptions
		want    string
	}{
		{st, sheet.ReaderOptions{Name: "ST23.csv"}, "EPA"},
		{"Cornerstone eGRID2024,,\n" + st, sheet.ReaderOptions{Name: "ST24.csv"}, "Cornerstone Data"},
		{st, sheet.ReaderOptions{Name: "cornerstone_ST24.csv"}, "Cornerstone Data"},
		{st, sheet.ReaderOptions{Name: "ST24.csv", Authority: "Cornerstone Data"}, "Cornerstone Data"},
		{"Cornerstone eGRID2024,,\n" + st, sheet.ReaderOptions{Name: "ST24.csv", Authority: "EPA"}, ""},
	} {
		s, err := sheet.Inspect(strings.NewReader(test.file), &test.options)
		if test.want == "" && errors.Is(err, egrid.ErrInvalid) {
			continue
		}
		if err != nil || s.Authority != test.want {
			t.Errorf("%+v: got %+v, %v; want %q", test.options, s, err, test.want)
		}
	}
}

var unitWithin = regexp.MustCompile(`\(([^()]*)\)$`)

// EPA's code makes its metric edition with these factors, and rounds to three
// decimals.
var toMetric = map[string]struct {
	unit   string
	factor float64
}{
	"tons": {"metric tons", 0.9072}, "lbs": {"kg", 0.4536}, "MMBtu": {"GJ", 1.0551}, "lb/MWh": {"kg/MWh", 0.4536}, "lb/MMBtu": {"kg/GJ", 0.4299},
}

// metricSheet makes the metric form of a sheet: other units in the description
// row, and beside each rate one per GJ under its code and a 2.
func metricSheet(t *testing.T, src io.Reader) []byte {
	t.Helper()
	records, err := csv.NewReader(src).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for i, record := range records {
		var line []string
		for j, cell := range record {
			m := unitWithin.FindStringSubmatch(records[0][j])
			if m == nil || toMetric[m[1]].unit == "" {
				line = append(line, cell)
				continue
			}
			metric := toMetric[m[1]]
			per := func(unit string, factor float64) string {
				switch x, err := strconv.ParseFloat(cell, 64); {
				case i == 0:
					return strings.TrimSuffix(cell, m[0]) + "(" + unit + ")"
				case i == 1 && unit == "kg/GJ" && m[1] == "lb/MWh":
					return cell + "2"
				case err != nil:
					return cell
				default:
					return strconv.FormatFloat(math.Round(x*factor*1000)/1000, 'f', -1, 64)
				}
			}
			line = append(line, per(metric.unit, metric.factor))
			if m[1] == "lb/MWh" {
				line = append(line, per("kg/GJ", 0.126))
			}
		}
		if err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return out.Bytes()
}

// The metric form of EPA's sheets gives the figures of the other form back, as
// near as three decimals tell, with and without its description row.
func TestMetricEdition(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"2023/ST23-rev0.csv", "2023/BA23-rev0.csv", "2023/SRL23-rev0.csv", "2023/NRL23-rev0.csv", "2023/US23-rev0.csv"} {
		t.Run(path.Base(name), func(t *testing.T) {
			t.Parallel()
			of, want, _ := readAll(t, testenv.Open(t, name), &sheet.ReaderOptions{Name: name})
			metric := metricSheet(t, testenv.Open(t, name))
			_, codes, _ := bytes.Cut(metric, []byte("\n"))
			for _, file := range [][]byte{metric, codes} {
				s, rows, refused := readAll(t, bytes.NewReader(file), &sheet.ReaderOptions{Name: name})
				if s.Units != "metric" || len(rows) != len(want) || len(refused) > 0 || len(s.Unknown) > 0 {
					t.Fatalf("units %s, %d rows, refused %v, unknown %v", s.Units, len(rows), refused, s.Unknown)
				}
				cells, differ := 0, 0
				for i, row := range rows {
					for _, f := range of.Schema.Fields() {
						x, some := want[i].Float(f.Column)
						y, too := row.Float(f.Column)
						// Half a unit of the third decimal before and one behind.
						if cells++; some != too || math.Abs(x-y) > 0.0005/0.4299+0.00051 {
							differ++
							t.Logf("row %d: %s is %v; want %v", i+1, f.Column, y, x)
						}
					}
				}
				if differ > 0 {
					t.Errorf("%d of %d cells differ", differ, cells)
				}
				b, _ := rows[0].Batch()
				if !slices.Contains(b.Lossy(), "co2_short_tons") || slices.Contains(b.Lossy(), egrid.NetGeneration) {
					t.Errorf("lossy %v", b.Lossy())
				}
			}
		})
	}
}

// The short way and the long way of the decoder convert alike.
func TestConvertAlike(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("year,code,emissions (metric tons),rate (kg/GWh)\nYEAR,SUBRGN,SRCO2AN,SRHGRTA\n")
	for i := range 60 {
		fmt.Fprintf(&file, "2023,R%d,%s,%s\n", i, []string{"0", "-1.5", "42949103.795", "123456789012.345", "999999999999999", "0.0005"}[i%6], []string{"", "0.000000000001", "41.5"}[i%3])
	}
	_, plain, _ := readAll(t, strings.NewReader(file.String()), nil)
	// A quoted line break takes every record the long way.
	long := strings.ReplaceAll(file.String(), ",R", ",\"\nR")
	long = regexp.MustCompile(`(?m)^(R\d+),`).ReplaceAllString(long, `$1",`)
	_, slow, refused := readAll(t, strings.NewReader(long), nil)
	if len(plain) != 60 || len(slow) != 60 || len(refused) > 0 {
		t.Fatalf("%d and %d rows, refused %v", len(plain), len(slow), refused)
	}
	for i := range plain {
		for _, c := range []egrid.Column{"co2_short_tons", "hg_output_rate_lb_per_mwh"} {
			if a, b := plain[i].Value(c), slow[i].Value(c); a != b {
				t.Errorf("row %d: %s is %v the short way and %v the long way", i+1, c, a, b)
			}
		}
	}
	if x, _ := plain[2].Float("co2_short_tons"); x != 47342486.547 {
		t.Errorf("42949103.795 t are %v short tons", x)
	}
	if x := cmp.Or(plain[1].Text("subregion"), "?"); x != "R1" {
		t.Errorf("row 2 is %s", x)
	}
}
