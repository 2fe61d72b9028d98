package store_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// toolRows are four generators as the workbook has them from which the files of
// TestTools were written: CFACT in the format 0.0%, but for the second row, and
// GENNTAN in #,##0; (#,##0).
var toolRows = []struct {
	plant, id            string
	boilers              int64 // 0: missing
	factor, mwh, retired float64
}{
	{"57053", "0290", 0, 0.0525, -2443.4, 0},
	{"3", "NA", 1, 0.00001234, 10244180.931, 2022},
	{"58982", "7E600", 0, 0.4, 20961, 0},
	{"60243", "GEN1", 2, 0.25, 450.545, 0},
}

const toolHeader = "SEQGEN23,YEAR,PSTATABB,ORISPL,GENID,NUMBLR,CFACT,GENNTAN,GENYRRET\n"

// tool is a file as a tool writes it, and what becomes of it: the exact values,
// but for columns that are marked as rounded, and for what the tool itself lost.
type tool struct {
	name, text string
	rounded    []egrid.Column
	noNA       bool           // the tool takes the generator NA for a missing one
	rejected   string         // why its last record is rejected: it is the only one
	refused    string         // why the file is refused
	unmarked   []egrid.Column // rounded, and nothing in the file tells: the gate compares values
}

// swap makes a file with decimal commas, semicolons and points between thousands.
func swap(s string) string {
	return strings.NewReplacer(",", ";", ".", ",").Replace(s)
}

var (
	bothRounded = []egrid.Column{egrid.CapacityFactor, egrid.NetGeneration}

	valuesText = toolHeader + `1,2023,AK,57053,0290,,0.0525,-2443.4,
2,2023,AL,3,NA,1,1.234e-05,10244180.931,2022
3,2023,AK,58982,7E600,,0.4,20961,
4,2023,AK,60243,GEN1,2,0.25,450.545,
`
	shownText = toolHeader + `1,2023,AK,57053,0290,,5.3%," (2,443)",
2,2023,AL,3,NA,1,0.00001234,"10,244,181",2022
3,2023,AK,58982,7E600,,40.0%,"20,961",
4,2023,AK,60243,GEN1,2,25.0%,451,
`
	pandasText = toolHeader + `1,2023,AK,57053,0290,,0.0525,-2443.4,
2,2023,AL,3,,1.0,1.234e-05,10244180.931,2022.0
3,2023,AK,58982,7E600,,0.4,20961.0,
4,2023,AK,60243,GEN1,2.0,0.25,450.545,
`
	polarsText = toolHeader + `1,2023,AK,57053,0290,,0.0525,-2443.4,
2,2023,AL,3,NA,1,0.00001234,10244180.931,2022
3,2023,AK,58982,7E600,,0.4,20961.0,
4,2023,AK,60243,GEN1,2,0.25,450.545,
`
	jsonText = `{"SEQGEN23":1,"YEAR":2023,"PSTATABB":"AK","ORISPL":57053,"GENID":"0290","NUMBLR":null,"CFACT":0.0525,"GENNTAN":-2443.4,"GENYRRET":null}
{"SEQGEN23":2,"YEAR":2023,"PSTATABB":"AL","ORISPL":3,"GENID":"NA","NUMBLR":1,"CFACT":0.00001234,"GENNTAN":10244180.931,"GENYRRET":2022}
{"SEQGEN23":3,"YEAR":2023,"PSTATABB":"AK","ORISPL":58982,"GENID":"7E600","NUMBLR":null,"CFACT":0.4,"GENNTAN":20961.0,"GENYRRET":null}
{"SEQGEN23":4,"YEAR":2023,"PSTATABB":"AK","ORISPL":60243,"GENID":"GEN1","NUMBLR":2,"CFACT":0.25,"GENNTAN":450.545,"GENYRRET":null}
`
	jsonliteText = `{"SEQGEN23":1,"YEAR":2023,"PSTATABB":"AK","ORISPL":57053,"GENID":"0290","CFACT":0.0525,"GENNTAN":-2443.4}
{"SEQGEN23":2,"YEAR":2023,"PSTATABB":"AL","ORISPL":3,"GENID":"NA","NUMBLR":1,"CFACT":1.234e-05,"GENNTAN":10244180.931,"GENYRRET":2022}
{"SEQGEN23":3,"YEAR":2023,"PSTATABB":"AK","ORISPL":58982,"GENID":"7E600","CFACT":0.4,"GENNTAN":20961}
{"SEQGEN23":4,"YEAR":2023,"PSTATABB":"AK","ORISPL":60243,"GENID":"GEN1","NUMBLR":2,"CFACT":0.25,"GENNTAN":450.545}
`
	// paddedText has exact figures, all brought to one number of digits.
	paddedText = strings.NewReplacer("0.0525", "5.250e-02", "0.4,", "4.000e-01,", "0.25,", "2.500e-01,", "-2443.4", "-2443.400", "20961", "20961.000").Replace(valuesText)
	threeText  = strings.NewReplacer("0.0525", "0.052", "1.234e-05", "0.000", "0.4,", "0.400,", "0.25,", "0.250,", "-2443.4", "-2443.400", "20961", "20961.000", ",1,", ",1.000,", ",2,", ",2.000,", "2022", "2022.000").Replace(valuesText)
	frenchText = strings.NewReplacer("5.3%", `"5,3%"`, `" (2,443)"`, "(2\u00a0443)", "0.00001234", `"0,00001234"`, `"10,244,181"`, "10\u00a0244\u00a0181", "40.0%", `"40,0%"`, `"20,961"`, "20\u00a0961", "25.0%", `"25,0%"`).Replace(shownText)
	rText      = `"","SEQGEN23","YEAR","PSTATABB","ORISPL","GENID","NUMBLR","CFACT","GENNTAN","GENYRRET"
"1",1,2023,"AK",57053,"0290",NA,0.0525,-2443.4,NA
"2",2,2023,"AL",3,"NA",1,1.234e-05,10244180.931,2022
"3",3,2023,"AK",58982,"7E600",NA,0.4,20961,NA
"4",4,2023,"AK",60243,"GEN1",2,0.25,450.545,NA
`
)

var tools = []tool{
	{name: "xlsx2csv 0.8.6 --ignore-formats, openpyxl 3.1.5 with csv, pandas 3.1.1 with dtype=str", text: valuesText},
	{name: "xlsx2csv 0.8.6", text: strings.NewReplacer("0.0525", "0.052", "1.234e-05", "0.000012", "0.4,", "0.400,", "0.25,", "0.250,").Replace(valuesText), unmarked: []egrid.Column{egrid.CapacityFactor}},
	{name: "csvkit 2.2.0 in2csv", text: strings.Replace(strings.Replace(valuesText, ",NA,", ",,", 1), "1.234e-05", "0.00001234", 1), noNA: true},
	{name: "csvkit 2.2.0 in2csv, a column of ones", text: toolHeader + "4,2023,AK,60243,GEN1,True,0.25,450.545,\n", refused: "true or false"},
	{name: "pandas 3.1.1", text: pandasText, noNA: true},
	{name: "pandas 3.1.1 with its index", text: ",SEQGEN23" + strings.NewReplacer("\n1,", "\n0,1,", "\n2,", "\n1,2,", "\n3,", "\n2,3,", "\n4,", "\n3,4,").Replace(strings.TrimPrefix(pandasText, "SEQGEN23")), noNA: true},
	{name: "pandas 3.1.1 na_rep=NaN", text: strings.NewReplacer(",,", ",NaN,", ",\n", ",NaN\n").Replace(pandasText), noNA: true},
	{name: "pandas 3.1.1 sep=; decimal=,", text: swap(pandasText), noNA: true},
	{name: "pandas 3.1.1 sep=tab", text: strings.ReplaceAll(pandasText, ",", "\t"), noNA: true},
	{name: "polars 2.1.0, DuckDB 2.0.1, sqlite-utils 4.2.1", text: polarsText},
	{name: "polars 2.1.0 decimal_comma", text: swap(polarsText)},
	{name: "polars 2.1.0 null_value=NULL", text: strings.NewReplacer(",,", ",NULL,", ",\n", ",NULL\n").Replace(polarsText)},
	{name: "DuckDB 2.0.1 delimiter | nullstr NULL", text: strings.ReplaceAll(strings.NewReplacer(",,", ",NULL,", ",\n", ",NULL\n").Replace(polarsText), ",", "|")},
	{name: "sqlite3 3.40.1", text: strings.NewReplacer(",,", `,"",`, ",\n", ",\"\"\n").Replace(valuesText)},
	{name: `PostgreSQL COPY in text format, \N`, text: strings.ReplaceAll(strings.NewReplacer(",,", `,\N,`, ",\n", ",\\N\n").Replace(polarsText), ",", "\t")},
	{name: "SheetJS 0.18.5 sheet_to_csv, Apache POI 5.4.1 DataFormatter, LibreOffice 7.4.7 as shown", text: shownText, rounded: bothRounded},
	{name: "SheetJS 0.18.5 rawNumbers", text: strings.Replace(valuesText, "1.234e-05", "0.00001234", 1)},
	{name: "SheetJS 0.18.5 strip", text: strings.TrimSuffix(strings.ReplaceAll(shownText, ",\n", "\n"), "\n"), rounded: bothRounded, rejected: "was the file cut"},
	{name: "SheetJS 0.18.5 json_to_sheet", text: strings.Replace(strings.Replace(valuesText, "1.234e-05", "0.00001234", 1), "80.931", "80.93", 1), unmarked: []egrid.Column{egrid.NetGeneration}},
	{name: "exceljs 4.4.0", text: strings.TrimSuffix(strings.ReplaceAll(valuesText, ",\n", "\n"), "\n"), rejected: "was the file cut"},
	{name: "excelize 2.11.1 GetRows", text: strings.ReplaceAll(shownText, ",\n", "\n"), rounded: bothRounded},
	{name: "excelize 2.11.1 RawCellValue, openpyxl 3.1.5 read_only", text: strings.ReplaceAll(valuesText, ",\n", "\n")},
	{name: "tealeg/xlsx 3.3.13 FormattedValue", text: strings.NewReplacer("5.3%", "5.2%", `" (2,443)"`, "(2443)", `"10,244,181"`, "10244181", `"20,961"`, "20961").Replace(shownText), rounded: bothRounded},
	{name: "Apache POI 5.4.1 Cell.toString", text: toolHeader + `1.0,2023.0,AK,57053.0,0290,,0.0525,-2443.4,
2.0,2023.0,AL,3.0,NA,1.0,1.234E-5,1.0244180931E7,2022.0
3.0,2023.0,AK,58982.0,7E600,,0.4,20961.0,
4.0,2023.0,AK,60243.0,GEN1,2.0,0.25,450.545,
`},
	{name: "DuckDB 2.0.1 read_xlsx with a range", text: strings.NewReplacer("57053", "57053.0", ",3,", ",3.0,", "58982", "58982.0", "60243", "60243.0").Replace(polarsText)},
	{name: "LibreOffice 7.4.7, not as shown", text: strings.NewReplacer("0.0525", "5.25%", "1.234e-05", "0.00001234", "0.4,", "40%,", "0.25,", "25%,").Replace(valuesText), rounded: bothRounded[:1]},
	{name: "LibreOffice 7.4.7, German, as shown", text: toolHeader + `1,2023,AK,57053,0290,,"5,3%",(2.443),
2,2023,AL,3,NA,1,"0,00001234",10.244.181,2022
3,2023,AK,58982,7E600,,"40,0%",20.961,
4,2023,AK,60243,GEN1,2,"25,0%",451,
`, rounded: bothRounded},
	{name: "LibreOffice 7.4.7, German, not as shown", text: toolHeader + `1,2023,AK,57053,0290,,"5,25%","-2443,4",
2,2023,AL,3,NA,1,"0,00001234","10244180,931",2022
3,2023,AK,58982,7E600,,"40,00%",20961,
4,2023,AK,60243,GEN1,2,"25,00%","450,545",
`, rounded: bothRounded[:1]},
	{name: "Gnumeric 1.12.55 ssconvert format=preserve", text: strings.Replace(shownText, "0.00001234", "1.23E−05", 1), rounded: bothRounded},
	{name: "R 4.2.2 write.csv", text: rText},
	{name: "R 4.2.2 write.csv row.names=FALSE", text: strings.NewReplacer(`"",`, "", `"1",`, "", `"2",`, "", `"3",`, "", `"4",`, "").Replace(rText)},
	{name: "R 4.2.2 write.table sep=,", text: strings.TrimPrefix(rText, `"",`)},
	{name: "R 4.2.2 write.csv2", text: swap(rText)},
	{name: "readr 2.1.4 write_csv", text: strings.NewReplacer(",,", ",NA,", ",\n", ",NA\n").Replace(valuesText)},
	{name: "readr 2.1.4 write_csv2", text: swap(strings.NewReplacer(",,", ",NA,", ",\n", ",NA\n").Replace(paddedText)), rounded: bothRounded},
	{name: "readr 2.1.4 write_tsv", text: strings.ReplaceAll(strings.NewReplacer(",,", ",NA,", ",\n", ",NA\n", "e-05", "e-5").Replace(valuesText), ",", "\t")},
	{name: "readr 2.1.4 write_delim", text: strings.ReplaceAll(strings.NewReplacer(",,", ",NA,", ",\n", ",NA\n").Replace(valuesText), ",", " "), refused: "separated by blanks"},
	{name: "R 4.2.2 write.table", text: strings.ReplaceAll(strings.TrimPrefix(rText, `"",`), ",", " "), refused: "write.csv"},
	{name: "R 4.2.2 write.table sep=; dec=,", text: swap(strings.TrimPrefix(rText, `"",`))},
	{name: "R 4.2.2 write.csv quote=FALSE", text: strings.NewReplacer(",,", ",NA,", ",\n", ",NA\n").Replace(valuesText)},
	{name: "R 4.2.2 write.csv(format(x))", text: `"SEQGEN23","YEAR","PSTATABB","ORISPL","GENID","NUMBLR","CFACT","GENNTAN","GENYRRET"
"1","2023","AK","57053","0290","NA","5.250e-02","   -2443.400","  NA"
"2","2023","AL","    3","NA"," 1","1.234e-05","10244180.931","2022"
"3","2023","AK","58982","7E600","NA","4.000e-01","   20961.000","  NA"
"4","2023","AK","60243","GEN1"," 2","2.500e-01","     450.545","  NA"
`, rounded: bothRounded},
	{name: "R 4.2.2 write.csv(format(x, digits=3), quote=FALSE)", text: toolHeader + `1,2023,AK,57053,0290,NA,5.25e-02,   -2443,  NA
2,2023,AL,    3,NA, 1,1.23e-05,10244181,2022
3,2023,AK,58982,7E600,NA,4.00e-01,   20961,  NA
4,2023,AK,60243,GEN1, 2,2.50e-01,     451,  NA
`, rounded: bothRounded[:1], unmarked: bothRounded[1:]},
	{name: "data.table 1.14.8 fwrite", text: strings.Replace(valuesText, "1.234e-05", "0.00001234", 1)},
	{name: "DuckDB 2.0.1 FORMAT json, polars 2.1.0 write_ndjson", text: jsonText},
	{name: "pandas 3.1.1 to_json orient=records lines=True", text: strings.NewReplacer(`"NUMBLR":1`, `"NUMBLR":1.0`, "10244180.931", "10244180.9309999999", "2022", "2022.0").Replace(jsonText)},
	{name: "jq 1.6 -s, DuckDB 2.0.1 ARRAY true, polars 2.1.0 write_json", text: "[" + strings.ReplaceAll(strings.TrimSpace(jsonText), "\n", ",") + "]\n"},
	{name: "jsonlite 1.8.4 write_json digits=NA", text: "[" + strings.ReplaceAll(strings.TrimSpace(jsonliteText), "\n", ",") + "]\n"},
	{name: "jsonlite 1.8.4 stream_out", text: strings.Replace(jsonliteText, "1.234e-05", "0.00001", 1), unmarked: []egrid.Column{egrid.CapacityFactor}},
	{name: "sqlite3 3.40.1 .mode json, of columns without types", text: `[{"SEQGEN23":"1","YEAR":"2023","PSTATABB":"AK","ORISPL":"57053","GENID":"0290","NUMBLR":"","CFACT":"0.0525","GENNTAN":"-2443.4","GENYRRET":""},
{"SEQGEN23":"2","YEAR":"2023","PSTATABB":"AL","ORISPL":"3","GENID":"NA","NUMBLR":"1","CFACT":"1.234e-05","GENNTAN":"10244180.931","GENYRRET":"2022"},
{"SEQGEN23":"3","YEAR":"2023","PSTATABB":"AK","ORISPL":"58982","GENID":"7E600","NUMBLR":"","CFACT":"0.4","GENNTAN":"20961","GENYRRET":""},
{"SEQGEN23":"4","YEAR":"2023","PSTATABB":"AK","ORISPL":"60243","GENID":"GEN1","NUMBLR":"2","CFACT":"0.25","GENNTAN":"450.545","GENYRRET":""}]
`},
	{name: "pandas 3.1.1 to_json", text: `{"SEQGEN23":{"0":1},"YEAR":{"0":2023}}`, refused: "its value is an object, and a cell has one value"},
	{name: "data.table 1.14.8 fwrite sep=; dec=,", text: swap(valuesText)},
	{name: "pandas 3.1.1 float_format=%.3f", text: threeText, rounded: bothRounded},
	{name: "polars 2.1.0 float_precision=3", text: strings.NewReplacer(",1.000,", ",1,", ",2.000,", ",2,", "2022.000", "2022").Replace(threeText), rounded: bothRounded},
	{name: "polars 2.1.0 float_scientific", text: strings.NewReplacer("0.0525", "5.25e-2", "1.234e-05", "1.234e-5", "0.4,", "4e-1,", "0.25,", "2.5e-1,", "-2443.4", "-2.4434e3", "10244180.931", "1.0244180931e7", "20961", "2.0961e4", "450.545", "4.50545e2").Replace(valuesText)},
	{name: "LibreOffice 7.4.7, India, as shown", text: strings.Replace(shownText, "10,244,181", "1,02,44,181", 1), rounded: bothRounded},
	{name: "LibreOffice 7.4.7, French, as shown", text: frenchText, rounded: bothRounded},
	{name: "LibreOffice 7.4.7, Switzerland, as shown", text: strings.NewReplacer(`" (2,443)"`, "(2'443)", `"10,244,181"`, "10'244'181", `"20,961"`, "20'961").Replace(shownText), rounded: bothRounded},
	{name: "Apache POI 5.4.1 DataFormatter, German", text: strings.NewReplacer("(2\u00a0443)", " (2.443)", "\u00a0", ".").Replace(frenchText), rounded: bothRounded},
	{name: "Excel, German, CSV", text: "sep=;\r\n" + strings.ReplaceAll(strings.ReplaceAll(toolHeader, ",", ";")+`1;2023;AK;57053;0290;;5,3%; (2.443);
2;2023;AL;3;NA;1;0,00001234;10.244.181;2022
3;2023;AK;58982;7E600;;40,0%;20.961;
4;2023;AK;60243;GEN1;2;25,0%;451;
`, "\n", "\r\n"), rounded: bothRounded},
	{name: "Excel, tab-delimited text", text: strings.NewReplacer(",", "\t", "THOUSANDS", ",").Replace(toolHeader + `1,2023,AK,57053,0290,,5.3%," (2THOUSANDS443)",
2,2023,AL,3,NA,1,0.00001234," 10THOUSANDS244THOUSANDS181 ",2022
3,2023,AK,58982,7E600,,40.0%," 20THOUSANDS961 ",
4,2023,AK,60243,GEN1,2,25.0%, 451 ,
`), rounded: bothRounded},
	{name: "Excel, a column too narrow", text: toolHeader + "2,2023,AL,3,NA,1,0.00001234,########,2022\n", refused: "too narrow"},
	{name: "nothing tells the decimal sign", text: strings.ReplaceAll(toolHeader, ",", ";") + "4;2023;AK;60243;GEN1;2;;450,545;\n", refused: "write.csv"},
}

// TestTools loads what tools write of one workbook. Every value is exact, or its
// column is marked as rounded, or the file is refused with a remedy.
func TestTools(t *testing.T) {
	t.Parallel()
	for _, test := range tools {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := memstore.New()
			defer s.Close()
			loaded, err := loadFile(t, s, test.text)
			if test.refused != "" {
				if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("got %v; want it refused: %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := len(toolRows)
			if test.rejected != "" {
				if want--; loaded.Rejected != 1 || !strings.Contains(loaded.Rejects[0].Reason, test.rejected) {
					t.Errorf("rejected %v; want one: %q", loaded.Rejects, test.rejected)
				}
			} else if loaded.Rejected > 0 {
				t.Errorf("rejected %v", loaded.Rejects)
			}
			snapshot := loaded.Reports[0].Snapshot
			if len(loaded.Sheet.Unknown) > 0 || !slices.Equal(snapshot.Lossy, test.rounded) {
				t.Errorf("unknown columns %v, rounded %v; want rounded %v", loaded.Sheet.Unknown, snapshot.Lossy, test.rounded)
			}
			page, err := store.New(s).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN})
			if err != nil || page.Len() != want {
				t.Fatalf("%d rows, %v; want %d", page.Len(), err, want)
			}
			for i := range want {
				test.check(t, page.Row(i))
			}
		})
	}
}

// loadFile loads the one table of a file.
func loadFile(t *testing.T, l driver.Loader, content string) (store.Loaded, error) {
	t.Helper()
	b, err := book.Open(strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		return store.Loaded{}, err
	}
	defer b.Close()
	table := b.Tables()[0]
	text, err := table.Open()
	if err != nil {
		return store.Loaded{}, err
	}
	defer text.Close()
	return store.Load(t.Context(), l, text, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "GEN23.csv", Objects: table.Objects}, Publish: driver.PublishReplace})
}

func (test *tool) check(t *testing.T, row egrid.Row) {
	t.Helper()
	want := toolRows[row.Number()-1]
	id := want.id
	if test.noNA && id == "NA" {
		id = ""
	}
	if row.Text(egrid.PlantCode) != want.plant || row.Text(egrid.GeneratorID) != id || row.Year() != 2023 {
		t.Errorf("row %d is %d %s/%s; want %s/%s", row.Number(), row.Year(), row.Text(egrid.PlantCode), row.Text(egrid.GeneratorID), want.plant, id)
	}
	if n, _ := row.Int("boiler_count"); n != want.boilers {
		t.Errorf("row %d has %d boilers; want %d", row.Number(), n, want.boilers)
	}
	if n, _ := row.Int("year_retired"); float64(n) != want.retired {
		t.Errorf("row %d retires in %d; want %v", row.Number(), n, want.retired)
	}
	for c, figure := range map[egrid.Column]struct{ exact, step float64 }{
		egrid.CapacityFactor: {want.factor, 0.001}, egrid.NetGeneration: {want.mwh, 1},
	} {
		got, ok := row.Float(c)
		rounded := slices.Contains(test.rounded, c) || slices.Contains(test.unmarked, c)
		if !ok || got != figure.exact && (!rounded || math.Abs(got-figure.exact) > figure.step/2+1e-9) {
			t.Errorf("row %d has %v in %s; want %v", row.Number(), got, c, figure.exact)
		}
	}
}
