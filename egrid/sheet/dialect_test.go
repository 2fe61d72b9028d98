package sheet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// cells reads a sheet and returns its rows, as the values of some columns between
// bars, and why others were rejected.
func cells(t *testing.T, text string, columns ...egrid.Column) (of *sheet.Sheet, rows, reasons []string) {
	t.Helper()
	of, read, refused := readAll(t, strings.NewReader(text), &sheet.ReaderOptions{Name: "2023/sheet.csv"})
	for _, row := range read {
		values := make([]string, len(columns))
		for i, c := range columns {
			values[i] = row.Value(c).String()
		}
		rows = append(rows, strings.Join(values, "|"))
	}
	for _, e := range refused {
		reasons = append(reasons, fmt.Sprintf("%s: %s", e.Column, e.Reason))
	}
	return of, rows, reasons
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

// What marks a missing number or flag may be a code in a text.
func TestMissingMarks(t *testing.T) {
	t.Parallel()
	const header = "PSTATABB,PNAME,ORISPL,OPRNAME,BACODE,NERC,CHPFLAG,NUMUNT,PLNGENAN,NOTE\n"
	columns := []egrid.Column{egrid.State, egrid.OperatorName, egrid.BalancingAuthority, egrid.NERCRegion, "chp_flag", "unit_count", egrid.NetGeneration, "NOTE"}
	for mark, want := range map[string]string{
		"": "|||||||", " ": "|||||||", "--": "|||||||", "N/A": "|||||||", "n/a": "|||||||",
		"NA": "||NA|NA||||NA", "NaN": "|||||||NaN", "nan": "|||||||nan", "NULL": "|||||||NULL", "null": "|||||||null", "None": "|||||||None",
		"#N/A": "|||||||#N/A", "#NV": "|||||||#NV", "<NA>": "|||||||<NA>", `\N`: `|||||||\N`, ".": "|||||||.", " NULL ": "|||||||NULL",
	} {
		_, rows, reasons := cells(t, header+strings.ReplaceAll("X,A,1,X,X,X,X,X,X,X\n", "X", mark), columns...)
		same(t, mark, rows, want)
		same(t, mark, reasons)
	}
	for mark, want := range map[string]string{"NA": "NA", "None": "None", ".": ".", "NaN": "", "NULL": "", `\N`: "", "N1": "N1", "nano": "nano"} {
		_, rows, _ := cells(t, "ORISPL,GENID,GENNTAN\n1,"+mark+",5\n", egrid.GeneratorID)
		same(t, "a generator "+mark, rows, want)
	}
}

// A file that quotes its texts tells the code "NA" from a missing NA.
func TestQuotedNA(t *testing.T) {
	t.Parallel()
	const header = "YEAR,PSTATABB,ORISPL,BACODE,PLNGENAN\n"
	for text, want := range map[string][]string{
		`2023,"AK",1,"NA",0` + "\n" + `2023,NA,2,NA,5`: {"AK|NA", "|"},
		`2023,AK,1,"NA",0` + "\n" + `2023,NA,2,NA,5`:   {"AK|NA", "|NA"},
		`2023,AK,1,NA,NA` + "\n" + `2023,AL,2,SOCO,5`:  {"AK|NA", "AL|SOCO"},
		`2023,NA,1,NA,NA` + "\n" + `2023,NA,2,NA,5`:    {"|NA", "|NA"},
	} {
		_, rows, _ := cells(t, header+text+"\n", egrid.State, egrid.BalancingAuthority)
		same(t, text, rows, want...)
		// The same rows in blocks.
		_, rows, _ = cells(t, header+strings.Repeat(text+"\n", 500), egrid.State, egrid.BalancingAuthority)
		for i, row := range rows {
			if row != want[i%2] {
				t.Fatalf("%q, row %d: got %q; want %q", text, i+1, row, want[i%2])
			}
		}
	}
}

func TestRowNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text    string
		unknown []egrid.Column
		rows    []string
		reasons []string
	}{
		"a header that is one short":       {"YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n1,2023,AK,57,A,5\n2,2023,AL,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"names of rows":                    {"PSTATABB,ORISPL,GENID,GENNTAN\nAmbler,AK,57,A,5\nBarry,AL,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"the last column missing":          {"YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n1,2023,AK,57,A,\n2,2023,AL,3,B,\n", nil, []string{"57|A|", "3|B|"}, nil},
		"delimiters at the end of records": {"SEQGEN23,YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n1,2023,AK,57,A,5,\n2,2023,AL,3,B,6,\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"a field too many in one record":   {"YEAR,PSTATABB,ORISPL,GENID,GENNTAN\n2023,AK,57,A,5\n2023,AL,3,B,6,7\n", nil, []string{"57|A|5"}, []string{": it has 6 fields where the header has 5"}},
		"an index without a name":          {",YEAR,ORISPL,GENID,GENNTAN\n0,2023,57,A,5\n1,2023,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"Unnamed: 0":                       {"Unnamed: 0,YEAR,ORISPL,GENID,GENNTAN\n7,2023,57,A,5\n3,2023,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"descriptions as the header":       {",Data Year,Plant code,Generator,Generation\n0,YEAR,ORISPL,GENID,GENNTAN\n1,2023,57,A,5\n2,2023,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"X":                                {"X,YEAR,ORISPL,GENID,GENNTAN\n1,2023,57,A,5\n2,2023,3,B,6\n", nil, []string{"57|A|5", "3|B|6"}, nil},
		"X that is somebody's own":         {"X,YEAR,ORISPL,GENID,GENNTAN\nred,2023,57,A,5\nblue,2023,3,B,6\n", []egrid.Column{"X"}, []string{"57|A|5", "3|B|6"}, nil},
		"index that repeats":               {"index,YEAR,ORISPL,GENID,GENNTAN\n1,2023,57,A,5\n1,2023,3,B,6\n", []egrid.Column{"index"}, []string{"57|A|5", "3|B|6"}, nil},
		"an index in the second column":    {"YEAR,index,ORISPL,GENID,GENNTAN\n2023,1,57,A,5\n", []egrid.Column{"index"}, []string{"57|A|5"}, nil},
	} {
		of, rows, reasons := cells(t, test.text, egrid.PlantCode, egrid.GeneratorID, egrid.NetGeneration)
		same(t, name, rows, test.rows...)
		same(t, name, reasons, test.reasons...)
		if !slices.Equal(of.Unknown, test.unknown) {
			t.Errorf("%s: unknown columns %v; want %v", name, of.Unknown, test.unknown)
		}
	}
}

func TestShortRows(t *testing.T) {
	t.Parallel()
	const header = "YEAR,ORISPL,GENID,CFACT,GENNTAN\n"
	for text, want := range map[string][]string{
		"2023,1,A,0.5\n2023,2,B,0.5,7\n":        {"1|A|0.5|", "2|B|0.5|7"},
		"2023,1,A\n":                            {"1|A||"},
		"2023,1\n2023,2,B\n":                    {"2|B||"}, // a generator needs its id
		"2023,2,B\n2023,1,A,0.5":                {"2|B||"}, // the file may have been cut in 0.51
		"2023,2,B\n2023":                        {"2|B||"}, // cut
		"2023,2,B\nAllison":                     {"2|B||"}, // as well
		"2023,2,B\n2023,1,A,0.5,7":              {"2|B||", "1|A|0.5|7"},
		"2023,2,B\n2023,1,\"A\nB\",0.5\n":       {"2|B||", "1|A\nB|0.5|"},
		"2023,1,A broken\n,0.5,7\n2023,2,B,1\n": {"1|A broken||", "2|B|1|"}, // the second half is rejected
	} {
		_, rows, reasons := cells(t, header+text, egrid.PlantCode, egrid.GeneratorID, egrid.CapacityFactor, egrid.NetGeneration)
		same(t, text, rows, want...)
		if records := strings.Count(strings.ReplaceAll(text, "A\nB", ""), "2023") + strings.Count(text, "\n,") + strings.Count(text, "Allison"); len(rows)+len(reasons) != records {
			t.Errorf("%q: %d rows and %d rejects of %d records", text, len(rows), len(reasons), records)
		}
	}
}

func TestDecimalSign(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // an empty one: the file is refused
		"0,368;20.961;1":         "0.368|20961",
		"0,129;450,545;1":        "0.129|450.545",
		"0,4;2671402,5;1":        "0.4|2671402.5",
		";1.234.567;1":           "|1234567",
		"5,25%;(2.443);1":        "0.0525|-2443",
		"1,234e-05;1234567;1":    "0.00001234|1234567",
		"0,5;20\u202f961,5;1":    "0.5|20961.5",
		";20961\n;450,545":       "|20961",
		";20961\n;450.545":       "|20961",
		"0.368;20961.5;1":        "0.368|20961.5",
		"0.368;450.545;1":        "0.368|450.545",
		"0.368;\"20,961\";1":     "0.368|20961",
		";450,545;1":             "",
		";450,545;1,5":           "|450.545", // in a column of somebody's own
		";450.545;1.5":           "|450.545",
		";450.545;1":             "",
		"0,368;20961.5;1":        "",
		";451;1":                 "|451",
		"0,4;2.671.402;(1.5)":    "0.4|2671402",
		"\"0,368\",\"20.961\",1": "0.368|20961",
		"\"0,129\",450545,1":     "0.129|450545",
		",\"20,961\",\"1,5\"":    "|20961", // units 1 and 5, perhaps
		",\"20,961\",1":          "|20961",
		",\"20,961.5\",1":        "|20961.5",
		"0.368\t\"20,961\"\t1":   "0.368|20961",
		"0,368\t20.961\t1":       "0.368|20961",
		"\t450,545\t1":           "",
	} {
		delimiter := ","
		for _, d := range []string{";", "\t"} {
			if strings.Contains(text, d) {
				delimiter = d
			}
		}
		header := strings.ReplaceAll("YEAR,ORISPL,GENID,CFACT,GENNTAN,NOTE\n", ",", delimiter)
		prefix := strings.ReplaceAll("2023,1,A,", ",", delimiter)
		file := header + prefix + strings.ReplaceAll(text, "\n", "\n"+prefix) + "\n"
		r, err := sheet.NewReader(strings.NewReader(file), nil)
		if want == "" {
			if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "decimal") || !strings.Contains(err.Error(), "write.csv") {
				t.Errorf("%q: got %v; want it refused with a remedy", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for row, err := range r.Rows() {
			if got := row.Value(egrid.CapacityFactor).String() + "|" + row.Value(egrid.NetGeneration).String(); err != nil || got != want {
				t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
			}
			break
		}
	}
	// A damaged cell of the other sign is rejected, and nothing else.
	text := "YEAR;ORISPL;GENID;CFACT\n" + strings.Repeat("2023;1;A;0,368\n", 60) + "2023;1;A;0.368\n"
	_, rows, reasons := cells(t, text, egrid.CapacityFactor)
	if len(rows) != 60 || rows[0] != "0.368" || len(reasons) != 1 {
		t.Errorf("%d rows, rejected %v", len(rows), reasons)
	}
	// What is a number by neither sign tells nothing of the file.
	for _, mistyped := range []string{"12.5.1", "1.5.2020", "1,2,3", "0,5.1", "1.234,5,6"} {
		text := "YEAR,ORISPL,GENID,NAMEPCAP,GENNTAN\n2023,1,A,\"" + mistyped + "\",1000.5\n" + strings.Repeat("2023,1,B,12.5,1000.5\n", 7)
		_, rows, reasons := cells(t, text, egrid.NetGeneration)
		if len(rows) != 7 || rows[0] != "1000.5" || !slices.Equal(reasons, []string{"nameplate_capacity_mw: not a number"}) {
			t.Errorf("%s: rows %v, rejected %v", mistyped, rows, reasons)
		}
	}
	// Signs that come only far behind the head are not guessed.
	text = "YEAR;ORISPL;GENID;GENNTAN\n" + strings.Repeat("2023;1;A;368\n", 90_000)
	_, rows, reasons = cells(t, text+"2023;2;A;20.961\n2023;3;A;20961\n2023;4;A;1,5\n", egrid.NetGeneration)
	if len(rows) != 90_001 || rows[90_000] != "20961" || len(reasons) != 2 || !strings.Contains(reasons[0], "write.csv") {
		t.Errorf("%d rows, rejected %v", len(rows), reasons)
	}
	// Shares are told from percent in either sign.
	of, rows, _ := cells(t, "YEAR;PSTATABB;STNGENAN;STCLPR;STGSPR;STNCPR\n2023;AK;5,5;0,25;0,5;0,25\n2023;AL;5,5;0,5;0,25;0,25\n", egrid.CoalShare)
	same(t, "shares", rows, "0.25", "0.5")
	if of.ShareScale != 1 {
		t.Errorf("share scale %v", of.ShareScale)
	}
}

func TestFirstLineSep(t *testing.T) {
	t.Parallel()
	for _, delimiter := range []string{",", ";", "\t", "|"} {
		text := strings.ReplaceAll("YEAR,ORISPL,GENID,CFACT,NOTE\n2023,1,A,0.5,x\n", ",", delimiter)
		for _, first := range []string{"", "sep=" + delimiter + "\n", "\ufeffsep=" + delimiter + "\r\n"} {
			of, rows, _ := cells(t, first+text, egrid.CapacityFactor, "NOTE")
			same(t, first, rows, "0.5|x")
			if of.Delimiter != delimiter {
				t.Errorf("%q: delimiter %q", first, of.Delimiter)
			}
		}
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	const header = "YEAR,ORISPL,FIPSST,FIPSCNTY,OPRCODE,PLNGENAN\n"
	for text, want := range map[string]string{
		"2023,3,01,097,195":                           "3|01|097|195",
		`"2,023",3.0,1.0,97.0,195.0`:                  "3|01|097|195",
		`2023.0,"55,077",1,3,"1,015"`:                 "55077|01|003|1015",
		"2023,5.7053E+04,2,13,5":                      "57053|02|013|5",
		`2023,"=""0290""",="06",'037,"=""1"""`:        "0290|06|037|1",
		"2023,00057,006,1234,x":                       "00057|006|1234|x",
		"2023,3.5,1.5,A1,NA":                          "3.5|1.5|A1|",
		"2023,-3,-1,,":                                "-3|-1||",
		"2023,123456789012345678901234567890,01,001,": "123456789012345678901234567890|01|001|",
	} {
		_, rows, reasons := cells(t, header+text+",5\n", egrid.PlantCode, "fips_state", "fips_county", "operator_id")
		same(t, text, rows, want)
		same(t, text, reasons)
	}
	// Generators are what they are called.
	for id, want := range map[string]string{
		"0290": "0290", "5.1": "5.1", "5.10": "5.10", "7E600": "7E600", "7.00E+600": "7.00E+600", "2-Jan": "2-Jan", `="0290"`: "0290", "'0290": "0290", "3.0": "3.0", "1'": "1'",
	} {
		_, rows, _ := cells(t, "ORISPL,GENID,GENNTAN\n1,"+id+",5\n", egrid.GeneratorID)
		same(t, id, rows, want)
	}
	_, rows, _ := cells(t, "ORISPL;GENID;CFACT\n55.077;A;0,5\n3,0;B;0,5\n", egrid.PlantCode)
	same(t, "with decimal commas", rows, "55077", "3")
}

func TestNotesAndTotals(t *testing.T) {
	t.Parallel()
	const (
		plants = "YEAR,PSTATABB,PNAME,ORISPL,PLNGENAN\n2023,AK,Alpha,1,5\n"
		states = "PSTATABB,STNAMEPCAP,STNGENAN\nAK,3,5\nAL,4,6\n"
		bare   = "PSTATABB,PNAME,ORISPL,PLNGENAN\nAK,Alpha,1,5\n"
	)
	for text, leftOut := range map[string]int{
		plants + "Source: EPA\n":                                                          1,
		plants + "\"Source: EPA, eGRID\",,,,\n":                                           1,
		plants + ",,\"* estimated\",,\n":                                                  1,
		plants + "2023,,Total,,5\n":                                                       1,
		plants + ",,Grand total:,,5\n":                                                    1,
		"ORISPL,GENID,GENNTAN\n3,1,5\n3,2,6\n3,Total,11\n":                                1,
		"PSTATABB,PNAME,PLNGENAN\nAL,Barry,5\nAL,Total,5\n":                               1,
		plants + "Source: EPA eGRID 2023":                                                 1,
		plants + "Total,,,,5\n":                                                           1,
		bare + "Total,,,5\n":                                                              1,
		bare + strings.Repeat("AK,Alpha,1,5\n", 600) + ",,,\n":                            0,
		bare + strings.Repeat("AK,Alpha,1,5\n", 600) + "TOTAL,,,3005\nEPA,,,\n":           2,
		states + "Total,7,11\n":                                                           1,
		states + "U.S.,7,11\n":                                                            1,
		states + "US,7,11\n":                                                              1,
		states + "Source: EPA eGRID2023,,\n":                                              1,
		states + "New York City,7,11\n":                                                   0,
		states + "TX,,\n":                                                                 0,
		"REGION,GGRSLOSS,YEAR\nEastern,0.04,2023\nU.S.,0.04,2023\n":                       0,
		"YEAR,PNAME,PSTATABB,ORISPL,PLNGENAN\n2023,Total Energy Facilities,CA,10262,5\n":  0,
		"YEAR,PNAME,PSTATABB,ORISPL,PLNGENAN\n2023,Total,CA,10262,5\n":                    0,
		"YEAR,USNAMEPCAP,USNGENAN\n2023,3,5\nSource: EPA,,\n":                             1,
		"YEAR,NERC,NRNAMEPCAP,NRNGENAN\n2023,SERC,3,5\n2023,Total,3,5\n2023,NA,3,5\n":     1,
		"YEAR,BACODE,BANAMEPCAP,BANGENAN\n2023,NA,3,5\n2023,SOCO,3,5\n,Sum of all,6,10\n": 1,
	} {
		r, err := sheet.NewReader(strings.NewReader(text), &sheet.ReaderOptions{Name: "2023/sheet.csv"})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		rows, blank := 0, strings.Count(text, "\n,,,\n")
		for d, err := range r.Batches() {
			if err != nil || len(d.Rejects) > 0 || len(d.LeftOut) != leftOut {
				t.Errorf("%q: left out %v, rejected %v, %v; want %d left out", shortest(text), d.LeftOut, d.Rejects, err, leftOut)
			}
			if a, ok := d.Aside(); ok != (leftOut > 0) || a.Count != int64(leftOut) {
				t.Errorf("%q: audit %+v", shortest(text), a)
			}
			for _, b := range d.Batches {
				rows += b.Len()
			}
		}
		if want := strings.Count(strings.TrimSuffix(text, "\n"), "\n") - leftOut - blank; rows != want {
			t.Errorf("%q: %d rows; want %d", shortest(text), rows, want)
		}
	}
}

func shortest(s string) string { return s[:min(len(s), 200)] }

func TestRepeatedColumn(t *testing.T) {
	t.Parallel()
	of, rows, reasons := cells(t, "YEAR,ORISPL,GENID,GENNTAN,ORISPL\n2023,1,A,5,1\n2023,2,B,6, 2\n", egrid.PlantCode)
	same(t, "equal", rows, "1", "2")
	same(t, "equal", reasons)
	if len(of.Unknown) > 0 {
		t.Errorf("unknown columns %v", of.Unknown)
	}
	// Far behind the head there is another value.
	text := "YEAR,ORISPL,GENID,GENNTAN,ORISPL\n" + strings.Repeat("2023,1,A,5,1\n", 100_000) + "2023,2,B,6,3\n"
	_, rows, reasons = cells(t, text, egrid.PlantCode)
	if len(rows) != 100_000 || len(reasons) != 1 || !strings.Contains(reasons[0], "twice") {
		t.Errorf("%d rows, rejected %v", len(rows), reasons)
	}
}

func TestFixedDecimals(t *testing.T) {
	t.Parallel()
	const header = "YEAR,PSTATABB,STNGENAN,STCCH4RT,STOCH4RT\n"
	general := strings.Repeat("2023,AK,39933923.74,0,0\n2023,AL,20591.981,0,0.123456789\n", 5)
	for text, want := range map[string]string{
		"2023,AK,\"6,685\",0.250,0.275\n2023,AL,5,0.251,0.100\n":                         "2023[net_generation_mwh coal_ch4_output_rate_lb_per_mwh oil_ch4_output_rate_lb_per_mwh]",
		"2023,AK,6685,0.250,0.275\n2023,AL,5,0.251,0.100\n":                              "2023[coal_ch4_output_rate_lb_per_mwh oil_ch4_output_rate_lb_per_mwh]",
		"2023,AK,6685,0.250,0.5\n2023,AL,5,0.400,0.0\n":                                  "2023[]", // a writer of values pads so, too
		"2023,AK,\"6,685\",0.25,0.275\n2023,AL,5,0.251,0.1\n":                            "2023[net_generation_mwh]",
		"2023,AK,\"6,685\",0.25,0.275\n2023,AL,5,0.250,0.101\n":                          "2023[net_generation_mwh]",
		"2018,AK,6685,0.250,0.275\n2018,AL,5,0.251,0.1\n2019,AK,\"6,685\",0.250,0.275\n": "2018[coal_ch4_output_rate_lb_per_mwh] 2019[net_generation_mwh coal_ch4_output_rate_lb_per_mwh]",
		"2018,AK,6685.5,0.2,0.3\n2018,AL,1000,0.2,0.3\n2019,AK,\"6,685\",0.21,0.275\n":   "2018[] 2019[net_generation_mwh]",
		"2019,AK,\"6,685\",0.21,0.275\n2018,AK,6685.5,0.2,0.3\n2018,AL,1000,0.2,0.3\n":   "2019[net_generation_mwh] 2018[]",
		strings.Repeat("2023,AK,20961,5.2%,0\n", 25):                                     "2023[net_generation_mwh coal_ch4_output_rate_lb_per_mwh]",
		// The sums of all columns count together.
		strings.Repeat("2023,AK,20961,5.2%,0\n", 20): "2023[net_generation_mwh coal_ch4_output_rate_lb_per_mwh]",
		// A spreadsheet's general format shows ten digits.
		general:                                "2023[net_generation_mwh oil_ch4_output_rate_lb_per_mwh]",
		general + "2023,AK,39933923.742,0,0\n": "2023[]",
		strings.Repeat("2023,AK,39933923.74,0,0\n", 9) + "2023,AK,1.5,0,0\n": "2023[]", // EPA's sums may have two decimals
		// Numbers of a fixed number of digits behind an exponent, or brought to one width.
		"2023,AK,-2.443400e+03,1.5,0\n2023,AL,1.024418e+07,1,0\n":                                   "2023[net_generation_mwh]",
		"2023,AK,4.50545e2,1e-7,1.0E7\n":                                                            "2023[]",
		strings.Repeat("2023,AK,   20961,0,0\n", 10) + strings.Repeat("2023,AK,10244181,0,0\n", 10): "2023[net_generation_mwh]",
		strings.Repeat("2023,AK, 20961,0,0\n", 10) + strings.Repeat("2023,AK, 10244181,0,0\n", 10):  "2023[]",
		strings.Repeat("2023,AK,20961,5.2%,0\n", 25) + "2023,AL,20961.5,5.2%,0\n":                   "2023[coal_ch4_output_rate_lb_per_mwh]",
		strings.Repeat("2023,AK,20961,5.2%,0\n", 3):                                                 "2023[coal_ch4_output_rate_lb_per_mwh]",
	} {
		r, err := sheet.NewReader(strings.NewReader(header+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for d, err := range r.Batches() {
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range d.Batches {
				got = append(got, fmt.Sprintf("%d%v", b.Year(), b.Lossy()))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q\n got %v\nwant %s", shortest(text), got, want)
		}
	}
}

// Why a cell or a record cannot be read is told in words that help.
func TestReasons(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]string{
		"2023,1,A,########,5":         "too narrow",
		"2023,1,A,0.5,#####":          "too narrow",
		"2023,1,A,False,5":            "true or false",
		"2023,1,A,0\u066b5,5":         "English (USA)",
		"2023,1,A,0.5,\u06f5":         "English (USA)",
		"2023,1,A,0.5,#DIV/0!":        "formula",
		"2023,1,A,0.5,#REF!":          "formula",
		"2023,1,A,0.5,=F3*2":          "nothing has calculated",
		"2023,1,\"A\\\"B\\\"\",0.5,5": "backslash",
		"2023,1,\"A\"B,0.5,5":         "closing quote",
		"2023":                        "it has 1 fields where the header has 5",
	} {
		_, _, reasons := cells(t, "YEAR,ORISPL,GENID,CFACT,GENNTAN\n2023,2,B,0.25,2\n"+record+"\n", egrid.PlantCode)
		if len(reasons) != 1 || !strings.Contains(reasons[0], want) {
			t.Errorf("%q: got %q; want %q", record, reasons, want)
		}
	}
	// Nothing is divided by zero in a sum.
	_, rows, reasons := cells(t, "YEAR,ORISPL,GENID,CFACT,GENNTAN\n2023,2,B,#DIV/0!,2\n", egrid.CapacityFactor)
	same(t, "a rate", rows, "")
	same(t, "a rate", reasons)
}

// The first 64 KiB of a file tell what all of its first MiB does: where they do
// not, the rest is looked at, too.
func TestWhatOnlyTheRestTells(t *testing.T) {
	t.Parallel()
	rows := func(row string, n int) string { return strings.Repeat(row, n) }
	const few = 5000 // rows of more than 64 KiB
	for name, test := range map[string]struct {
		header, first, last string
		o                   sheet.ReaderOptions
		want                string // of the sheet's decimal sign; empty: the error
		wantErr             string
	}{
		"a decimal comma": {
			header: "ORISPL;GENID;GENNTAN;CFACT\n", first: "1;GEN1;20;1\n", last: "2;GEN2;450,25;0,368\n", o: sheet.ReaderOptions{Name: "GEN23.csv"}, want: ",",
		},
		"a decimal point": {
			header: "ORISPL;GENID;GENNTAN;CFACT\n", first: "1;GEN1;20;1\n", last: "2;GEN2;450.25;0.368\n", o: sheet.ReaderOptions{Name: "GEN23.csv"}, want: ".",
		},
		"another year than was given": {
			header: "YEAR,ORISPL,GENID,GENNTAN\n", first: "2023,1,GEN1,20.5\n", last: "2022,2,GEN2,20.5\n", o: sheet.ReaderOptions{Year: 2023}, wantErr: "2022",
		},
		"no year but the one that was given": {
			header: "YEAR,ORISPL,GENID,GENNTAN\n", first: "2023,1,GEN1,20.5\n", last: "2023,2,GEN2,20.5\n", o: sheet.ReaderOptions{Year: 2023}, want: ".",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := test.header + rows(test.first, few) + rows(test.last, 20)
			s, err := sheet.Inspect(strings.NewReader(text), &test.o)
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Fatalf("%v does not tell of %s", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range s.Evidence {
				if e.Of == "decimal_sign" && e.Value == test.want {
					return
				}
			}
			t.Errorf("%+v does not tell the decimal sign %s", s.Evidence, test.want)
		})
	}
}
