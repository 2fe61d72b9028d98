package sheet_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// readAll returns the rows of a reader, and the errors of those it refused.
func readAll(t testing.TB, src io.Reader, o *sheet.ReaderOptions) (*sheet.Sheet, []egrid.Row, []*sheet.RowError) {
	t.Helper()
	r, err := sheet.NewReader(src, o)
	if err != nil {
		t.Fatal(err)
	}
	var rows []egrid.Row
	var refused []*sheet.RowError
	for row, err := range r.Rows() {
		var rowError *sheet.RowError
		switch {
		case errors.As(err, &rowError):
			refused = append(refused, rowError)
		case err != nil:
			t.Fatal(err)
		default:
			rows = append(rows, row)
		}
	}
	return r.Sheet(), rows, refused
}

func TestReaderRealGenerators(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file              string
		rows              int
		sum               float64
		negative, missing int
		year              int
		lossy             bool
		orispl            bool
	}{
		{"2023/GEN23.csv", 26601, 4188971343.358, 985, 705, 2023, false, true},
		{"2023/GEN23-display-format.csv", 26601, 4188971860, 981, 705, 2023, true, true},
		{"2023/egridData.csv", 26601, 4188971860, 981, 705, 2023, true, false},
		{"2016/GEN16.csv", 26183, math.NaN(), 680, -1, 2016, true, true},
	} {
		t.Run(test.file, func(t *testing.T) {
			of, rows, refused := readAll(t, testenv.Open(t, test.file), &sheet.ReaderOptions{Name: test.file})
			if of.Level != egrid.GEN || len(rows) != test.rows || len(refused) != 0 {
				t.Fatalf("level %s, %d rows, refused %v", of.Level, len(rows), refused)
			}
			sum, negative, missing, lossy := 0.0, 0, 0, false
			for i, row := range rows {
				if row.Year() != test.year || row.Number() != int64(i+1) {
					t.Fatalf("row %d has data year %d and number %d", i+1, row.Year(), row.Number())
				}
				v := row.Value(egrid.NetGeneration)
				x, ok := v.Float()
				sum += x
				if !ok {
					missing++
				}
				if x < 0 {
					negative++
				}
				b, _ := row.Batch()
				lossy = lossy || slices.Contains(b.Lossy(), egrid.NetGeneration)
			}
			if !math.IsNaN(test.sum) && math.Abs(sum-test.sum) > 0.001 {
				t.Errorf("net generation sums to %.3f MWh; want %.3f", sum, test.sum)
			}
			if negative != test.negative || test.missing >= 0 && missing != test.missing {
				t.Errorf("%d negative, %d missing; want %d and %d", negative, missing, test.negative, test.missing)
			}
			if lossy != test.lossy || of.Schema.Has("oris_plant_code") != test.orispl {
				t.Errorf("lossy %v, has ORIS codes %v", lossy, of.Schema.Has("oris_plant_code"))
			}
		})
	}
}

func TestReaderRealFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file    string
		level   egrid.Level
		rows    int
		years   []int
		release string
		scale   float64
	}{
		{"2023/ST23-rev0.csv", egrid.ST, 52, []int{2023}, "rev0", 1},
		{"2023/BA23-rev0.csv", egrid.BA, 70, []int{2023}, "rev0", 1},
		{"2023/SRL23-rev0.csv", egrid.SRL, 27, []int{2023}, "rev0", 1},
		{"2023/NRL23-rev0.csv", egrid.NRL, 9, []int{2023}, "rev0", 1},
		{"2023/US23-rev0.csv", egrid.US, 1, []int{2023}, "rev0", 1},
		{"2023/GGL23-rev0.csv", egrid.GGL, 6, []int{2023}, "rev0", 1},
		{"2021/GEN21-subset.csv", egrid.GEN, 25031, []int{2021}, "", 1},
		{"2018/v1_state.csv", egrid.ST, 51, []int{2018}, "v1", 0.01},
		{"2018/v2_state.csv", egrid.ST, 51, []int{2018}, "v2", 0.01},
		{"2018/v1_US.csv", egrid.US, 1, []int{2018}, "v1", 0.01},
		{"2018/v2_NERC.csv", egrid.NRL, 10, []int{2018}, "v2", 0.01},
		{"2018/v2_subregion.csv", egrid.SRL, 26, []int{2018}, "v2", 0.01},
		{"2018/GGL.csv", egrid.GGL, 6, []int{2018}, "", 1},
		{"2019/2018+2019_GGL.csv", egrid.GGL, 12, []int{2018, 2019}, "", 1},
		{"2019/2018+2019_state.csv", egrid.ST, 103, []int{2018, 2019}, "", 0.01},
		{"2019/2018+2019_NERC.csv", egrid.NRL, 20, []int{2018, 2019}, "", 0.01},
		{"2000/PLNT00-subset.csv", egrid.PLNT, 4701, []int{2000}, "", 1},
	} {
		t.Run(test.file, func(t *testing.T) {
			of, rows, refused := readAll(t, testenv.Open(t, test.file), &sheet.ReaderOptions{Name: test.file})
			var years []int
			for _, row := range rows {
				if !slices.Contains(years, row.Year()) {
					years = append(years, row.Year())
				}
			}
			slices.Sort(years)
			if of.Level != test.level || of.Release != test.release || of.ShareScale != test.scale || !slices.Equal(years, test.years) {
				t.Errorf("level %s release %q scale %v years %v", of.Level, of.Release, of.ShareScale, years)
			}
			unknown := slices.DeleteFunc(of.Unknown, func(c egrid.Column) bool { return c == "PLGENAOT" }) // of 2000: no column of today's
			if len(rows) != test.rows || len(refused) > 0 || len(unknown) > 0 {
				t.Errorf("%d rows, refused %v, unknown columns %v", len(rows), refused, of.Unknown)
			}
			for _, row := range rows {
				if share, ok := row.Float("coal_generation_share"); ok && (share < 0 || share > 1) {
					t.Errorf("row %d has a coal share of %v", row.Number(), share)
				}
			}
		})
	}
}

func TestReaderRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"2018/PLNT18-renamed-subset.csv", "2021/PLNT21-renamed-subset.csv", "2021/UNT21.xlsx", "1998/eGRID1998_location.xls",
		"reference/dictionary.csv", "reference/eGRID_2023_NationalTotals.csv",
	} {
		_, err := sheet.NewReader(testenv.Open(t, name), &sheet.ReaderOptions{Name: name})
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
		t.Log(err)
	}
}

// What package book makes text of is refused with that remedy.
func TestReaderRefusesJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{\"YEAR\":2023}\n", "[{\"YEAR\":2023}]\n"} {
		if _, err := sheet.NewReader(strings.NewReader(text), nil); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "open it with package book") {
			t.Errorf("got %v", err)
		}
	}
}

// The layouts that people's files have, each around the same two rows.
func TestReaderLayouts(t *testing.T) {
	t.Parallel()
	const codes = "SEQGEN23,YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n"
	const rows = "1,2023,AK,Alakanuk,00057,7E600,\"1,234\"\n2,2023,WY,\"Naughton, or\nso\",4162,0290, (12)\n"
	for name, file := range map[string]string{
		"codes only":         codes + rows,
		"description row":    "Sequence,Data Year,State,Name,Plant code,Generator,Generation\n" + codes + rows,
		"title and blanks":   "Table 1,,,,,,\n\n,,,,,,\n" + codes + rows,
		"byte order mark":    "\ufeff" + codes + rows,
		"CRLF":               strings.ReplaceAll(codes+rows, "\n", "\r\n"),
		"no final newline":   strings.TrimSuffix(codes+rows, "\n"),
		"trailing blanks":    codes + rows + ",,,,,,\n,,,,,,\n",
		"trailing commas":    codes + strings.ReplaceAll(strings.ReplaceAll(rows, "34\"\n", "34\",,\n"), "(12)\n", "(12),,\n"),
		"lower-case codes":   strings.ToLower(codes) + rows,
		"state spelled odd":  strings.Replace(codes, "PSTATABB", "PSTATEABB", 1) + rows,
		"empty first column": "," + codes + "," + strings.Replace(rows, "\n2,", "\n,2,", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, chunked := range []bool{false, true} {
				var src io.Reader = strings.NewReader(file)
				if chunked {
					src = iotest.OneByteReader(src)
				}
				_, got, refused := readAll(t, src, nil)
				if len(got) != 2 || len(refused) != 0 {
					t.Fatalf("%d rows, refused %v", len(got), refused)
				}
				if x, _ := got[1].Float(egrid.NetGeneration); x != -12 || got[1].Text("generator_id") != "0290" || got[0].Text("oris_plant_code") != "00057" {
					t.Errorf("rows %v %v", got[0], got[1])
				}
				if x, _ := got[0].Float(egrid.NetGeneration); x != 1234 || got[0].Text("generator_id") != "7E600" {
					t.Errorf("row %v", got[0])
				}
			}
		})
	}
}

func TestReaderRowErrors(t *testing.T) {
	t.Parallel()
	const file = "YEAR,ORISPL,GENID,GENNTAN\n" +
		"2023,1,A,5\n" +
		"2023,2,B,five\n" +
		"2023,3\n" +
		"1066,4,D,5\n" +
		"2023,5,\xff,5\n" +
		"2023,6,\"F\"x,5\n" +
		"2023,7,G,5,extra\n" +
		"2023,8,H,7\n" +
		"2023,9,\"cut"
	_, rows, refused := readAll(t, strings.NewReader(file), nil)
	if len(rows) != 2 || rows[1].Number() != 8 || rows[1].Line() != 9 {
		t.Errorf("rows %+v", rows)
	}
	var got []string
	for _, e := range refused {
		got = append(got, fmt.Sprintf("%d %s %q", e.Line, e.Column, e.Value))
	}
	want := []string{`3 net_generation_mwh "five"`, `4  ""`, `5 data_year "1066"`, `6  ""`, `7  ""`, `8  "extra"`, `10  ""`}
	if !slices.Equal(got, want) {
		t.Errorf("refused\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReaderKeepsUnknownColumns(t *testing.T) {
	t.Parallel()
	const file = "YEAR,ORISPL,GENID,GENNTAN,NEWCODE,,ORISPL\n2023,1,A,5,x,stray,2\n"
	of, rows, _ := readAll(t, strings.NewReader(file), nil)
	if want := []egrid.Column{"NEWCODE", "column_6", "ORISPL"}; !slices.Equal(of.Unknown, want) {
		t.Fatalf("unknown %v; want %v", of.Unknown, want)
	}
	if got := rows[0].Text("NEWCODE") + rows[0].Text("column_6") + rows[0].Text("ORISPL"); got != "xstray2" {
		t.Errorf("values %q", got)
	}
}

func TestReaderLargeAndUnclosedFields(t *testing.T) {
	t.Parallel()
	head := "YEAR,ORISPL,GENID,GENNTAN\n"
	big := strings.Repeat("x", 10<<20)
	_, rows, refused := readAll(t, strings.NewReader(head+"2023,1,\""+big+"\",5\n2023,2,B,6\n"), nil)
	if len(rows) != 2 || len(refused) != 0 || len(rows[0].Text("generator_id")) != len(big) {
		t.Errorf("%d rows, %d refused", len(rows), len(refused))
	}
	for name, file := range map[string]string{
		"never closed":          head + "2023,1,\"A,5\n2023,2,B,6\n2023,3,C,7\n",
		"longer than any field": head + "2023,1,\"" + strings.Repeat("2023,2,B,6\n", 2<<20),
	} {
		r, err := sheet.NewReader(strings.NewReader(file), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		err = nil
		for _, err = range r.Rows() {
		}
		if !errors.Is(err, egrid.ErrInvalid) || sheet.IsRowError(err) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: got %v; want an error that ends the sheet and names line 2", name, err)
		}
	}
}

func TestInferEdition(t *testing.T) {
	t.Parallel()
	const noYear = "PSTATABB,PNAME,ORISPL,GENID,GENNTAN\nAK,A,1,1,5\n"
	for _, test := range []struct {
		options sheet.ReaderOptions
		year    int
		release string
	}{
		{sheet.ReaderOptions{Name: "GEN16.csv"}, 2016, ""},
		{sheet.ReaderOptions{Name: "gen_98_rev2.csv"}, 1998, "rev2"},
		{sheet.ReaderOptions{Name: "2018/v1_generators.csv"}, 2018, "v1"},
		{sheet.ReaderOptions{Name: "egrid2019_data.csv", Year: 2020}, 2020, ""},
		{sheet.ReaderOptions{Name: "GEN23-rev0.csv", Release: "v2"}, 2023, "v2"},
		{sheet.ReaderOptions{Name: "GEN23-rev0.csv", Release: egrid.NoRelease}, 2023, ""},
		{sheet.ReaderOptions{Name: "x.zip", Sheet: "GEN21.csv"}, 2021, ""},
		{sheet.ReaderOptions{Name: "x.zip", Sheet: "GEN21.csv", Year: 2020}, 2020, ""},
	} {
		got, err := sheet.Inspect(strings.NewReader(noYear), &test.options)
		if err != nil || got.Year != test.year || got.Release != test.release {
			t.Errorf("%+v: got %+v, %v", test.options, got, err)
		}
	}
	for _, name := range []string{"", "generators.csv", "2018+2019_generators.csv"} {
		if _, err := sheet.Inspect(strings.NewReader(noYear), &sheet.ReaderOptions{Name: name}); err == nil || !strings.Contains(err.Error(), "--year") {
			t.Errorf("%q: got %v; want an error that names --year", name, err)
		}
	}
}

// The column that our own exports have tells the release, of every row.
func TestReleaseColumn(t *testing.T) {
	t.Parallel()
	const v2 = "data_year,release,oris_plant_code,generator_id,net_generation_mwh\n2018,v2,57,A,1\n2018,v2,57,B,2\n"
	for name, test := range map[string]struct {
		text    string
		options sheet.ReaderOptions
		want    string // release, and what told it
	}{
		"in the file":             {v2, sheet.ReaderOptions{}, "v2, column release"},
		"before the file's name":  {v2, sheet.ReaderOptions{Name: "GEN18_rev1.csv"}, "v2, column release"},
		"given, too":              {v2, sheet.ReaderOptions{Release: "V2"}, "v2, given"},
		"another one given":       {v2, sheet.ReaderOptions{Release: "v3"}, "--release v3 was given, and column release says v2"},
		"the unmarked one given":  {v2, sheet.ReaderOptions{Release: "none"}, "--release none was given, and column release says v2; leave --release out if that is right"},
		"left out by a mapping":   {v2, sheet.ReaderOptions{Release: "v3", Mapping: &sheet.Mapping{Columns: map[string]string{"release": ""}}}, "v3, given"},
		"two":                     {v2 + "2018,v1,57,C,2\n", sheet.ReaderOptions{}, "column release says v2 in some rows and v1 in others"},
		"one, and the unmarked":   {v2 + "2023,,57,C,2\n", sheet.ReaderOptions{Release: "v2"}, "column release says v2 in some rows and none in others"},
		"unmarked":                {strings.ReplaceAll(v2, "v2", ""), sheet.ReaderOptions{}, ", "},
		"unmarked, and given":     {strings.ReplaceAll(v2, "v2", ""), sheet.ReaderOptions{Release: "v2"}, "v2, given"},
		"unmarked, and in a name": {strings.ReplaceAll(v2, "v2", "NA"), sheet.ReaderOptions{Name: "GEN18_rev1.csv"}, "rev1, file name GEN18_rev1.csv"},
		"somebody's own":          {strings.ReplaceAll(v2, "v2", "2018-06-12"), sheet.ReaderOptions{}, ", "},
		"a note below":            {v2 + "Source: EPA eGRID,,,,\n", sheet.ReaderOptions{}, "v2, column release"},
		"letters, and row names":  {"\"data_year\",\"release\",\"oris_plant_code\",\"generator_id\",\"net_generation_mwh\"\n\"1\",2018,\"V02\",57,\"A\",1\n", sheet.ReaderOptions{}, "v2, column release"},
		"by its code":             {"LEVEL,YEAR,RELEASE,ORISPL,GENID,GENNTAN\nGEN,2018,v2,57,A,1\n", sheet.ReaderOptions{}, "v2, column RELEASE"},
		"a total below":           {v2 + "Total,,,,3\n", sheet.ReaderOptions{}, "v2, column release"},
		"no row":                  {strings.SplitAfter(v2, "\n")[0], sheet.ReaderOptions{}, ", "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sheet.Inspect(strings.NewReader(test.text), &test.options)
			got := fmt.Sprint(err)
			if err == nil {
				from := ""
				if at := slices.IndexFunc(s.Evidence, func(e sheet.Evidence) bool { return e.Of == "release" }); at >= 0 {
					from = s.Evidence[at].From
				}
				got = s.Release + ", " + from
			}
			if got != test.want && (err == nil || !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(got, test.want)) {
				t.Errorf("got %s; want %s", got, test.want)
			}
		})
	}

	// Such headers above other texts are somebody's own columns, and kept.
	s, rows, _ := readAll(t, strings.NewReader("Level,YEAR,RELEASE,ORISPL,GENID,GENNTAN\nhigh,2018,summer,57,A,1\nlow,2018,winter,57,B,1\n"), nil)
	if got := fmt.Sprint(s.Unknown, rows[1].Values()[:2]); s.Release != "" || got != "[Level RELEASE] [low winter]" {
		t.Errorf("got %s of release %q", got, s.Release)
	}

	// Rows behind the head that is looked at are of another release.
	long := v2 + strings.Repeat("2018,v2,57,B,2\n", 100_000)
	_, rows, rejects := readAll(t, strings.NewReader(long+"2018,v1,57,C,2\n2018,,57,D,2\n2018,v2,57,E,2\n"), nil)
	if len(rows) != 100_003 || len(rejects) != 2 || rejects[0].Line != 100_004 || !strings.Contains(rejects[0].Error(), `column release, value "v1": the rows at the head of the file are of release v2`) {
		t.Errorf("%d rows, rejects %v", len(rows), rejects)
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	const file = "ignored title\n;plant;gen;net;share\n1;P1;G1;5;25\n2;P2;G2;x;--\n"
	m := &sheet.Mapping{
		Delimiter: ";", SkipRows: 1,
		Columns:   map[string]string{"": "", "plant": "PNAME", "gen": "GENID", "net": "net_generation_mwh", "share": "CFACT"},
		Transform: map[string]string{"GENNTAN": "null_if:x", "CFACT": "divide_by_100"},
	}
	o := sheet.ReaderOptions{Level: egrid.GEN, Year: 2021, Mapping: m}
	of, rows, refused := readAll(t, strings.NewReader(file), &o)
	if len(rows) != 2 || len(refused) != 0 || len(of.Unknown) != 0 {
		t.Fatalf("%d rows, refused %v, unknown %v", len(rows), refused, of.Unknown)
	}
	if share, _ := rows[0].Float("capacity_factor"); share != 0.25 || !rows[1].Value(egrid.NetGeneration).IsMissing() {
		t.Errorf("rows %v", rows)
	}
	for name, broken := range map[string]*sheet.Mapping{
		"absent header":  {Delimiter: ";", SkipRows: 1, Columns: map[string]string{"plants": "PNAME", "gen": "GENID", "net": "GENNTAN"}},
		"unknown target": {Delimiter: ";", SkipRows: 1, Columns: map[string]string{"plant": "PNAME", "gen": "GENID", "net": "GENNTANX"}},
		"bad transform":  {Delimiter: ";", SkipRows: 1, Columns: m.Columns, Transform: map[string]string{"GENNTAN": "double"}},
		"on text":        {Delimiter: ";", SkipRows: 1, Columns: m.Columns, Transform: map[string]string{"PNAME": "negate"}},
		"delimiter":      {Delimiter: "::", Columns: m.Columns},
	} {
		o.Mapping = broken
		if _, err := sheet.Inspect(strings.NewReader(file), &o); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
}

// Divided and decoded in parts, in another process, a sheet gives the same
// rows as read in one go.
func TestDivide(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"2016/GEN16.csv", "2019/2018+2019_GGL.csv", "2000/PLNT00-subset.csv"} {
		file, err := io.ReadAll(testenv.Open(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int64{1, 700, 100_000, 1 << 30} {
			if size < 700 && len(file) > 10_000 {
				continue
			}
			divideAndCompare(t, file, name, size)
		}
	}
}

func divideAndCompare(t *testing.T, file []byte, name string, size int64) {
	t.Helper()
	o := &sheet.ReaderOptions{Name: name}
	_, want, wantRefused := readAll(t, bytes.NewReader(file), o)
	of, err := sheet.Inspect(bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	handed, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	var taken sheet.Sheet
	if err := json.Unmarshal(handed, &taken); err != nil {
		t.Fatal(err)
	}
	var got []egrid.Row
	refused := 0
	decoder := taken.NewDecoder()
	at := of.DataOffset
	for span, err := range of.Divide(bytes.NewReader(file), size) {
		if err != nil {
			t.Fatal(err)
		}
		if span.Offset != at {
			t.Fatalf("span %d starts at %d; want %d", span.Index, span.Offset, at)
		}
		at += span.Length
		decoded, err := decoder.Decode(file[span.Offset:span.Offset+span.Length], span)
		if err != nil || decoded.Records != span.Rows {
			t.Fatalf("span %+v: %d records, %v", span, decoded.Records, err)
		}
		refused += len(decoded.Rejects)
		for _, b := range decoded.Batches {
			got = slices.AppendSeq(got, b.Rows())
		}
	}
	if at != int64(len(file)) || len(got) != len(want) || refused != len(wantRefused) {
		t.Fatalf("size %d: spans end at %d of %d; %d rows, %d refused; want %d and %d", size, at, len(file), len(got), refused, len(want), len(wantRefused))
	}
	slices.SortStableFunc(got, func(a, b egrid.Row) int { return cmp.Compare(a.Number(), b.Number()) })
	for i := range got {
		g, w := got[i], want[i]
		if g.Number() != w.Number() || g.Line() != w.Line() || g.Year() != w.Year() || !slices.Equal(g.Values(), w.Values()) {
			t.Fatalf("size %d, row %d: got %v; want %v", size, i+1, g.Values(), w.Values())
		}
	}
}

func TestDivideOfAShorterFile(t *testing.T) {
	const file = "YEAR,ORISPL,GENID,GENNTAN\n2023,1,A,5\n2023,2,B,6\n"
	of, err := sheet.Inspect(strings.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range of.Divide(strings.NewReader(file[:20]), 100) {
		last = err
	}
	if !errors.Is(last, io.ErrUnexpectedEOF) || !errors.Is(last, egrid.ErrInvalid) {
		t.Errorf("got %v; want unexpected EOF", last)
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"YEAR,ORISPL,GENID,GENNTAN\n2023,1,A,5\n", "\ufeffSEQGEN16,ORISPL,GENID\r\n1,2,\"x\r\ny\"\r\n", ",YEAR,REGION,GGRSLOSS\n,2023,\" Eastern\",4.2%",
		"Year,NERC,NERCNAME,NRNAMEPCAP,NRCLPR\n2019,NA,--,1,\"2", "a\n\n\"",
		"eGRID2002 State File (Year 1998 Data)\n\n\"SEQST00\nnumber\",\"PSTATABB\nState\",\"STHGRTA\n1998 rate (lbs/GWh)\"\n1,AL,41.5\n",
		"\xab,\x82,GENID,GENNTAN\n1,2,A,5\n",
		"year,code,rate (kg/MWh),emissions (metric tons),(GJ)\nYEAR,SUBRGN,SRCO2RTA,SRCO2AN,SRCO2RTA2\n2023,CAMX,198.067,-42949103.795,55.019\n",
	} {
		f.Add([]byte(s), int64(7))
	}
	f.Fuzz(func(t *testing.T, file []byte, size int64) {
		o := &sheet.ReaderOptions{Name: "2020/x.csv"}
		of, err := sheet.Inspect(bytes.NewReader(file), o)
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", err)
			}
			return
		}
		// Another process reads the same sheet.
		text, err := json.Marshal(of)
		if err == nil {
			err = json.Unmarshal(text, new(sheet.Sheet))
		}
		if err != nil {
			t.Fatalf("%v: %+v", err, of)
		}
		// Reading in one go and reading divided agree, whatever the input.
		type outcome struct{ rows, refused, aside, line int64 }
		count := func(o *outcome, row egrid.Row, err error) bool {
			switch {
			case sheet.IsRowError(err):
				o.refused++
			case err != nil:
				return false
			default:
				o.rows++
				o.line = row.Line()
			}
			return true
		}
		var whole, parts outcome
		wholeEnds, partsEnd := true, true
		decoder := of.NewDecoder()
		r, err := sheet.NewReader(bytes.NewReader(file), o)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range r.Rows() {
			wholeEnds = count(&whole, row, err)
		}
		for span, err := range of.Divide(bytes.NewReader(file), max(size%512, 1)) {
			if err != nil {
				partsEnd = false
				break
			}
			var n outcome
			decoded, err := decoder.Decode(file[span.Offset:span.Offset+span.Length], span)
			if err != nil {
				t.Fatalf("span %+v: %v", span, err)
			}
			n.refused, n.aside = int64(len(decoded.Rejects)), int64(len(decoded.LeftOut))
			for _, b := range decoded.Batches {
				n.rows += int64(b.Len())
				n.line = max(n.line, b.Line(b.Len()-1))
			}
			if n.rows+n.refused+n.aside != span.Rows {
				t.Fatalf("span %+v has %d rows and %d refused", span, n.rows, n.refused)
			}
			parts.rows, parts.refused = parts.rows+n.rows, parts.refused+n.refused
			if n.rows > 0 {
				parts.line = n.line
			}
		}
		if wholeEnds != partsEnd || wholeEnds && whole != parts {
			t.Fatalf("in one go %+v (%v), divided %+v (%v)", whole, wholeEnds, parts, partsEnd)
		}
	})
}
