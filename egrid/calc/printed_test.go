package calc_test

import (
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// realFile opens a real file, and skips where there is none.
func realFile(t testing.TB, name string) *os.File {
	t.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Sums over all plants of editions whose US sheets are not at hand.
func TestNationalTotals(t *testing.T) {
	t.Parallel()
	columns := map[string]egrid.Column{
		"Heat": egrid.TotalHeatInput, "Electricity": egrid.NetGeneration, "Nitrogen oxides": egrid.NOx, "Sulfur dioxide": egrid.SO2,
		"Carbon dioxide": egrid.CO2, "Methane": egrid.CH4, "Nitrous oxide": egrid.N2O,
	}
	for year, file := range map[string]string{"2014": "2014/v2_PLNT14-assembled.csv", "2016": "2016/PLNT16-assembled.csv", "2018": "2018/v2_PLNT-assembled.csv"} {
		t.Run(year, func(t *testing.T) {
			t.Parallel()
			totals, err := csv.NewReader(realFile(t, "reference/eGRID_"+year+"_NationalTotals.csv")).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			us := readPlants(t, file).Regions(egrid.US, calc.MethodOf(2018, "")).Row(0)
			checked := 0
			for _, total := range totals[1:] {
				column, ok := columns[total[0]]
				if !ok {
					continue // steam is no measure of regions
				}
				want, err := strconv.ParseFloat(total[2], 64)
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := us.Float(column); !ok || math.Abs(got-want) > 0.002 {
					t.Errorf("%s: %.3f; want %.3f", total[0], got, want)
				}
				checked++
			}
			if checked != len(columns) {
				t.Errorf("%d totals were compared; want %d", checked, len(columns))
			}
		})
	}
}

// table reads a table of a workbook.
func table(t *testing.T, f *os.File, name string) [][]string {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(f, info.Size(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	at := slices.IndexFunc(b.Tables(), func(t book.Table) bool { return t.Name == name })
	if at < 0 {
		t.Fatalf("the workbook has no table %q", name)
	}
	text, err := b.Tables()[at].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	r := csv.NewReader(text)
	r.FieldsPerRecord = -1
	var rows [][]string
	for {
		row, err := r.Read()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// Rates, generation, capacity and resource mix as EPA's summary tables of 2016 print
// them, from the plants of 2016, which have neither CO2e nor the ozone season nor
// generation by fuel.
func TestSummaryTables2016(t *testing.T) {
	t.Parallel()
	rates := func(prefix string) []egrid.Column {
		columns := make([]egrid.Column, 7)
		for i, gas := range []string{"co2", "ch4", "n2o", "", "nox", "", "so2"} {
			if gas != "" {
				columns[i] = egrid.Column(prefix + gas + "_output_rate_lb_per_mwh")
			}
		}
		return columns
	}
	totals := []egrid.Column{egrid.NameplateCapacity, egrid.NetGeneration}
	plants := readPlants(t, "2016/PLNT16-assembled.csv")
	method := calc.MethodOf(2016, "")
	for _, tt := range []struct {
		table   string
		level   egrid.Level
		columns []egrid.Column // from the first that holds figures
		names   int            // columns in front of them
		want    int
	}{
		{"Table 1", egrid.SRL, append(rates(""), rates("nonbaseload_")...), 2, 27 * 10},
		{"Table 2", egrid.SRL, totals, 2, 27 * 2},
		{"Table 3", egrid.ST, rates(""), 1, 52 * 5},
		{"Table 4", egrid.ST, totals, 1, 52 * 2},
	} {
		t.Run(tt.table, func(t *testing.T) {
			t.Parallel()
			of := map[string]egrid.Row{"U.S.": plants.Regions(egrid.US, method).Row(0)}
			key := map[egrid.Level]egrid.Column{egrid.SRL: egrid.Subregion, egrid.ST: egrid.State}[tt.level]
			for row := range plants.Regions(tt.level, method).Rows() {
				of[row.Text(key)] = row
			}
			checked := 0
			for _, printed := range table(t, realFile(t, "2016/summary_tables.xlsx"), tt.table) {
				cells := slices.DeleteFunc(slices.Clone(printed), func(s string) bool { return s == "" })
				if len(cells) == 0 {
					continue
				}
				region, ok := of[strings.TrimSpace(cells[0])]
				if !ok {
					continue // headings and notes
				}
				first := slices.Index(printed, cells[0]) + tt.names
				for i, column := range tt.columns {
					if column == "" {
						continue
					}
					want, err := strconv.ParseFloat(printed[first+i], 64)
					if err != nil {
						t.Fatal(err)
					}
					got, ok := region.Float(column)
					if !ok || math.Abs(got-want) > 0.0006+1e-10*math.Abs(want) {
						t.Errorf("%s %s is %.6f; printed is %v", cells[0], column, got, want)
					}
					checked++
				}
			}
			if checked != tt.want {
				t.Errorf("%d figures were compared; want %d", checked, tt.want)
			}
		})
	}
}
