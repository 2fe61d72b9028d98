package store_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

var update = flag.Bool("update", false, "write known.csv anew from EPA's files")

// knownFiles are the sheets of EPA whose figures are known, as far as they are exact.
// Those of regions of 2018 and 2019 are not: EPA's exports of them have ten digits.
var knownFiles = []struct{ file, release string }{
	{"2023/GEN23.csv", "rev1"},
	{"2023/ST23-rev0.csv", "rev0"}, {"2023/BA23-rev0.csv", "rev0"}, {"2023/SRL23-rev0.csv", "rev0"},
	{"2023/NRL23-rev0.csv", "rev0"}, {"2023/US23-rev0.csv", "rev0"}, {"2023/GGL23-rev0.csv", "rev0"},
	{"2021/UNT21.xlsx", ""},
	{"2018/v2_PLNT-assembled.csv", "v2"}, {"2018/v2_GEN-subset.csv", "v2"},
	{"2016/PLNT16-assembled.csv", ""},
	{"2014/v2_PLNT14-assembled.csv", "v2"}, {"2014/v2_GEN14-subset.csv", "v2"},
}

// records are those of a file of EPA's, or of the one sheet of a workbook.
func records(t *testing.T, name string) [][]string {
	t.Helper()
	f := testenv.Open(t, name)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(f, info.Size(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	text, err := b.Tables()[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	r := csv.NewReader(text)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// published loads records, and returns the snapshot that they are with its rows.
func published(t *testing.T, rows [][]string, o *sheet.ReaderOptions) (egrid.Snapshot, []*egrid.Batch) {
	t.Helper()
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	m := memstore.New()
	t.Cleanup(func() { m.Close() })
	loaded, err := store.Load(t.Context(), m, io.Reader(&text), &store.LoadOptions{ReaderOptions: *o})
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	s := loaded.Reports[len(loaded.Reports)-1].Snapshot
	var batches []*egrid.Batch
	for b, err := range driver.ReadSnapshot(t.Context(), m, s) {
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	return s, batches
}

// told returns what the audits say of the figures.
func told(s egrid.Snapshot) string {
	for _, a := range s.Audits {
		if slices.Contains([]string{driver.KnownFigures, driver.ChangedFigures, driver.UnlikeItsEdition}, a.Rule) {
			return a.Rule + ": " + strings.Join(a.Examples, "; ")
		}
	}
	return ""
}

// TestKnownSheets: known.csv is what EPA's files make of it, each file has the figures
// that are known of it, and none is taken for rounded.
func TestKnownSheets(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for _, test := range knownFiles {
		s, batches := published(t, records(t, test.file), &sheet.ReaderOptions{Name: test.file, Release: test.release})
		var f driver.Figures
		for _, b := range batches {
			f = f.Plus(driver.FiguresOf(b))
		}
		text := driver.FormatKnown(s, f)
		want.WriteString(text)
		columns := strings.Count(text, "\n") - 1
		if got := told(s); !strings.HasPrefix(got, driver.KnownFigures+": EPA's eGRID") || !strings.HasSuffix(got, fmt.Sprintf("%d rows and %d columns compared", s.Rows, columns)) {
			t.Errorf("%s: %q", test.file, got)
		}
	}
	const name = "../driver/known.csv"
	if *update {
		if err := os.WriteFile(name, []byte(want.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want.String() {
		t.Errorf("%s is not what EPA's files make of it: go test ./egrid/store -run TestKnownSheets -update", name)
	}
	const most = 60 << 10
	if len(have) > most {
		t.Errorf("%s has %d bytes; want %d at most", name, len(have), most)
	}
}

// headerOf finds the code row of a table.
func headerOf(t *testing.T, rows [][]string) int {
	t.Helper()
	at := slices.IndexFunc(rows, func(row []string) bool {
		known := 0
		for _, c := range row {
			if strings.ToUpper(c) == c && (strings.HasSuffix(c, "AN") || strings.HasSuffix(c, "HTIAN") || strings.Contains(c, "GENID") || strings.Contains(c, "GGRSLOSS") || c == "YEAR" || c == "SUBRGN" || c == "REGION") {
				known++
			}
		}
		return known > 1
	})
	if at < 0 {
		t.Fatalf("no code row in %q", rows[:min(len(rows), 3)])
	}
	return at
}

// dialect makes of the numbers of a column that have fractions what a tool writes.
type dialect func(column []float64) func(x float64) string

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// places writes so many decimals.
func places(n int) dialect {
	return func([]float64) func(float64) string {
		return func(x float64) string { return strconv.FormatFloat(x, 'f', n, 64) }
	}
}

// significant writes so many digits, without zeros at the end.
func significant(n int) dialect {
	return func([]float64) func(float64) string {
		return func(x float64) string { return plain(rounded(x, 'g', n)) }
	}
}

func rounded(x float64, format byte, digits int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, format, digits, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// general writes what a spreadsheet's general format shows: ten digits.
func general([]float64) func(float64) string {
	return func(x float64) string {
		return plain(rounded(x, 'f', max(0, 10-len(strconv.FormatFloat(math.Trunc(math.Abs(x)), 'f', 0, 64)))))
	}
}

// ofR writes what R's format() does: all numbers of a column have the decimals that the
// one with most of them has at seven digits.
func ofR(column []float64) func(float64) string {
	most := 0
	for _, x := range column {
		_, fraction, _ := strings.Cut(plain(rounded(x, 'g', 7)), ".")
		most = max(most, len(fraction))
	}
	return places(most)(column)
}

// asWritten makes of a table what a tool writes, and finds the columns that have lost
// digits.
func asWritten(t *testing.T, rows [][]string, by dialect) (out [][]string, lost []string) {
	t.Helper()
	header := headerOf(t, rows)
	for _, row := range rows {
		out = append(out, slices.Clone(row))
	}
	for j, code := range rows[header] {
		var column []float64
		for _, row := range rows[header+1:] {
			if x, err := strconv.ParseFloat(row[j], 64); err == nil && row[j] != "" {
				column = append(column, x)
			}
		}
		write, changed := by(column), false
		for _, row := range out[header+1:] {
			x, err := strconv.ParseFloat(row[j], 64)
			if err != nil || !strings.Contains(row[j], ".") || code == "GENID" || code == "UNITID" {
				continue
			}
			text := write(x)
			y, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			changed = changed || x != y
			row[j] = text
		}
		if changed {
			lost = append(lost, code)
		}
	}
	return out, lost
}

// TestKnownRounded: what tools make of EPA's sheets is marked column by column, also where
// so little is gone that nothing in the file tells.
func TestKnownRounded(t *testing.T) {
	t.Parallel()
	tables := map[string][][]string{}
	for _, test := range []struct {
		tool, file string
		by         dialect
		lost       bool // the tool changes something
	}{
		{"SheetJS 0.18.5 json_to_sheet", "2023/GEN23.csv", general, true},
		{"SheetJS 0.18.5 json_to_sheet", "2023/SRL23-rev0.csv", general, true},
		{"SheetJS 0.18.5 json_to_sheet", "2023/US23-rev0.csv", general, true},
		{"SheetJS 0.18.5 json_to_sheet", "2023/GGL23-rev0.csv", general, true},
		{"SheetJS 0.18.5 json_to_sheet", "2018/v2_PLNT-assembled.csv", general, true},
		{"R 4.2.2 format()", "2023/GEN23.csv", ofR, false},
		{"R 4.2.2 format()", "2023/SRL23-rev0.csv", ofR, true},
		{"R 4.2.2 format()", "2023/GGL23-rev0.csv", ofR, true},
		{"R 4.2.2 format()", "2023/NRL23-rev0.csv", ofR, true},
		{"xlsx2csv 0.8.6", "2023/GEN23.csv", places(2), true},
		{"xlsx2csv 0.8.6", "2023/GGL23-rev0.csv", places(2), true},
		{"tealeg/xlsx 3.3.13 FormattedValue", "2023/GGL23-rev0.csv", places(0), true},
		{"tealeg/xlsx 3.3.13 FormattedValue", "2023/US23-rev0.csv", places(0), true},
		{"LibreOffice 7.4.7, 15 digits", "2023/GGL23-rev0.csv", significant(15), false},
		{"jsonlite 1.8.4 write_json, four decimals", "2018/v2_PLNT-assembled.csv", places(4), true},
		{"single precision, 9 digits", "2018/v2_GEN-subset.csv", significant(9), true},
		{"pyarrow 26.0.1, decimal128(18, 3)", "2023/GEN23.csv", places(3), false},
	} {
		if tables[test.file] == nil {
			tables[test.file] = records(t, test.file)
		}
		name := test.tool + ", " + test.file
		rows, lost := asWritten(t, tables[test.file], test.by)
		s, _ := published(t, rows, &sheet.ReaderOptions{Name: test.file})
		if test.lost && len(lost) == 0 {
			t.Errorf("%s: nothing is rounded, so nothing is tested", name)
		}
		var unmarked []string
		for _, code := range lost {
			if f, ok := egrid.Lookup(s.Level, code); !ok || !slices.Contains(s.Lossy, f.Column) {
				unmarked = append(unmarked, code)
			}
		}
		for _, c := range s.Lossy {
			if f, ok := egrid.Lookup(s.Level, string(c)); ok && !slices.Contains(lost, f.Code) {
				t.Errorf("%s: %s has EPA's values and is marked", name, f.Code)
			}
		}
		if got := told(s); len(unmarked) > 0 || !strings.HasPrefix(got, driver.KnownFigures) {
			t.Errorf("%s: %d of %d columns that lost digits are not marked: %q; told is %q", name, len(unmarked), len(lost), unmarked[:min(len(unmarked), 5)], got)
		}
	}
}

// TestKnownChanged: what is told of sheets that are not quite EPA's.
func TestKnownChanged(t *testing.T) {
	t.Parallel()
	gen, srl := records(t, "2023/GEN23.csv"), records(t, "2023/SRL23-rev0.csv")
	column := slices.Index(gen[headerOf(t, gen)], "GENNTAN")
	total := slices.Index(srl[headerOf(t, srl)], "SRNGENAN")
	with := func(rows [][]string, at, column int, value string) [][]string {
		rows = slices.Clone(rows)
		rows[at] = slices.Clone(rows[at])
		rows[at][column] = value
		return rows
	}
	shuffled := slices.Clone(gen)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(gen)-2, func(i, j int) { shuffled[i+2], shuffled[j+2] = shuffled[j+2], shuffled[i+2] })
	var texas [][]string
	for i, row := range gen {
		if i < 2 || slices.Contains(row, "TX") {
			texas = append(texas, row)
		}
	}
	scaled := slices.Clone(srl)
	for i := headerOf(t, srl) + 1; i < len(srl); i++ {
		scaled[i] = slices.Clone(srl[i])
		for j, c := range srl[i] {
			if x, err := strconv.ParseFloat(c, 64); err == nil && strings.Contains(c, ".") {
				scaled[i][j] = strconv.FormatFloat(1.01*x, 'f', 3, 64)
			}
		}
	}
	mostly := slices.Clone(scaled)
	for i := headerOf(t, srl) + 1; i < len(srl); i++ {
		mostly[i] = slices.Clone(scaled[i])
		mostly[i][total] = srl[i][total]
	}
	digit := gen[100][column][:len(gen[100][column])-1] + "5"
	if digit == gen[100][column] || !strings.Contains(digit, ".") {
		t.Fatalf("row 100 has %s", digit)
	}
	const known = "known_figures: EPA's eGRID2023 rev1 GEN sheet; 26601 rows and 4 columns compared"
	const moved = "changed_figures: EPA's eGRID2023 rev1 GEN sheet; 26601 rows and 4 columns compared; their values, but in other rows, or with identifiers that were changed: "
	var values []string
	for _, row := range gen[2:] {
		values = append(values, row[column])
	}
	slices.Sort(values)
	sorted := slices.Clone(gen)
	for i, value := range values {
		sorted[i+2] = slices.Clone(gen[i+2])
		sorted[i+2][column] = value
	}
	for _, test := range []struct {
		name  string
		rows  [][]string
		o     sheet.ReaderOptions
		want  []string // parts of what is told, or nothing
		round bool     // its own numbers say that they are rounded
	}{
		{name: "as it is", rows: gen, want: []string{known}},
		{name: "in another order", rows: shuffled, want: []string{known}},
		{name: "as its release", rows: gen, o: sheet.ReaderOptions{Release: "rev1"}, want: []string{known}},
		{name: "one state", rows: texas},
		{name: "one row less", rows: gen[:len(gen)-1]},
		{name: "one cell", rows: with(gen, 100, column, "987654.321"), want: []string{"changed_figures: EPA's eGRID2023 rev1 GEN sheet; 26601 rows", "other values: GENNTAN adds up to", "where theirs adds up to 4188971343.358"}},
		{name: "one digit", rows: with(gen, 100, column, digit), want: []string{"changed_figures: ", "GENNTAN adds up to"}},
		{name: "one cell is gone", rows: with(gen, 100, column, ""), want: []string{"changed_figures: ", "GENNTAN has 25895 values where theirs has 25896"}},
		{name: "two cells are exchanged", rows: with(with(gen, 100, column, gen[103][column]), 103, column, gen[100][column]), want: []string{moved + "GENNTAN"}},
		{name: "a column sorted by itself", rows: sorted, want: []string{moved + "GENNTAN"}},
		{name: "an identifier", rows: with(gen, 100, slices.Index(gen[headerOf(t, gen)], "GENID"), "X9"), want: []string{moved + "CFACT, NAMEPCAP, GENNTAN, GENNTOZ"}},
		{name: "another release", rows: gen, o: sheet.ReaderOptions{Release: "rev2"}, want: []string{"unlike_its_edition: loaded as EPA's eGRID2023 rev2, but the figures are those of EPA's eGRID2023 rev1 GEN sheet"}},
		{name: "another authority", rows: gen, o: sheet.ReaderOptions{Authority: "Somebody"}, want: []string{"unlike_its_edition: loaded as Somebody's eGRID2023, but the figures are those of EPA's eGRID2023 rev1 GEN sheet"}},
		{name: "other figures", rows: scaled, o: sheet.ReaderOptions{Release: "rev0"}, round: true, want: []string{"unlike_its_edition: loaded as EPA's eGRID2023 rev0, but the figures are not those of EPA's eGRID2023 rev0 SRL sheet", "where theirs adds up to"}},
		{name: "other figures of no release", rows: scaled, round: true},
		{name: "other figures but for one total", rows: mostly, round: true},
		{name: "one region", rows: with(srl, headerOf(t, srl)+1, total, "1.5"), want: []string{"changed_figures: EPA's eGRID2023 rev0 SRL sheet", "SRNGENAN adds up to"}},
	} {
		test.o.Name = "sheet.csv"
		s, _ := published(t, test.rows, &test.o)
		got := told(s)
		if len(test.want) == 0 && got != "" || len(s.Lossy) > 0 && !test.round {
			t.Errorf("%s: told is %q, rounded %v", test.name, got, s.Lossy)
		}
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: told is %q; want %q", test.name, got, want)
			}
		}
	}
}

// TestKnownSample: figures that are made up are nobody's.
func TestKnownSample(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/data/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := memstore.New()
		loaded, err := store.Load(t.Context(), m, bytes.NewReader(text), &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}})
		if errors.Is(err, egrid.ErrInvalid) {
			continue // lists of sites
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range loaded.Reports {
			if got := told(r.Snapshot); got != "" {
				t.Errorf("%s: %s", name, got)
			}
		}
		m.Close()
	}
}

// BenchmarkKnown puts a sheet into the tally of its chunks: of a data year of which a sheet
// is known, and of one without.
func BenchmarkKnown(b *testing.B) {
	text, err := io.ReadAll(testenv.Open(b, "2023/GEN23.csv"))
	if err != nil {
		b.Fatal(err)
	}
	for _, year := range []string{"2023", "2022"} {
		b.Run(year, func(b *testing.B) {
			r, err := sheet.NewReader(bytes.NewReader(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("SEQGEN23"), []byte("SEQGEN")), []byte(",2023,"), []byte(","+year+","))), &sheet.ReaderOptions{Level: egrid.GEN})
			if err != nil {
				b.Fatal(err)
			}
			var batches []*egrid.Batch
			for d, err := range r.Batches() {
				if err != nil {
					b.Fatal(err)
				}
				batches = append(batches, d.Batches...)
			}
			for b.Loop() {
				for _, rows := range batches {
					driver.TallyOf(driver.Chunk{Rows: rows})
				}
			}
		})
	}
}
