package bookcheck_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// workbooks are those of testdata, and EPA's where they are at hand.
func workbooks(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.xlsx"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no workbooks", err)
	}
	paths = append(paths, excelizes(t))
	if dir := os.Getenv("EGRID_DATA"); dir != "" {
		paths = append(paths, testenv.File(t, "2021/UNT21.xlsx"), testenv.File(t, "2016/summary_tables.xlsx"))
	}
	return paths
}

// excelizes is a workbook that excelize writes.
func excelizes(t *testing.T) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range [][]any{
		{"CODE", " Trailing ", "two\nlines", "a, \"b\"", "_x000D_", "<&>", "é 漢 😀", "0290", "NA"},
		{1, -2443.4, 0.368, 2.0 / 3, 1.234e-05, 12345678901234567, true, false},
		{nil, nil, "far"},
	} {
		if err := f.SetSheetRow("Sheet1", "A"+strconv.Itoa(2*i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "excelize.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// cells are the values of a sheet, by row and column from 0, those that are empty
// left out.
type cells map[[2]int]string

func cellsOf(t *testing.T, table book.Table) cells {
	t.Helper()
	text, err := table.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	all, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	found := cells{}
	for row := 0; len(all) > 0; row++ {
		r := csv.NewReader(bytes.NewReader(all)) // which skips blank lines, and so is asked for a record at a time
		if all[0] == '\n' {
			all = all[1:]
			continue
		}
		record, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		all = all[r.InputOffset():]
		for column, value := range record {
			if value != "" {
				found[[2]int{row, column}] = value
			}
		}
	}
	return found
}

func open(t *testing.T, path string) []book.Table {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(f, info.Size(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b.Tables()
}

// TestExcelize compares every cell with the raw value that excelize reads.
func TestExcelize(t *testing.T) {
	t.Parallel()
	for _, path := range workbooks(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, err := excelize.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			tables := open(t, path)
			if len(tables) != len(f.GetSheetList()) {
				t.Fatalf("%d tables where excelize has %d sheets", len(tables), len(f.GetSheetList()))
			}
			for i, name := range f.GetSheetList() {
				if tables[i].Name != name {
					t.Fatalf("sheet %d is %q; want %q", i, tables[i].Name, name)
				}
				rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
				if err != nil {
					t.Fatal(err)
				}
				found, count := cellsOf(t, tables[i]), 0
				for r, row := range rows {
					for c, want := range row {
						if want == "" {
							continue
						}
						count++
						if got := found[[2]int{r, c}]; !same(got, want) {
							t.Errorf("%s, row %d, column %d: %q; excelize reads %q", name, r+1, c+1, got, want)
						}
					}
				}
				for _, got := range found {
					if got == uncalculated {
						count++
					}
				}
				if count != len(found) {
					t.Errorf("%s: %d cells; excelize reads %d", name, len(found), count)
				}
			}
		})
	}
}

// same reports whether two values are the same text, number or truth.
func same(got, want string) bool {
	if got == want || got == "TRUE" && want == "1" || got == "FALSE" && want == "0" {
		return true
	}
	x, err1 := strconv.ParseFloat(got, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	return err1 == nil && err2 == nil && x == y && (got+".0" == want || len(want) > 15 && len(got) <= len(want))
}

// TestCalamine compares every cell with what calamine read: testdata/calamine.txt
// has the sums that testdata/calamine.py printed.
func TestCalamine(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile(filepath.Join("testdata", "calamine.txt"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range workbooks(t) {
		for _, table := range open(t, path) {
			prefix := filepath.Base(path) + "\t" + table.Name + "\t"
			at := strings.Index("\n"+string(sums), "\n"+prefix)
			if at < 0 {
				continue
			}
			want, _, _ := strings.Cut(string(sums[at:]), "\n")
			if got := prefix + sumOf(cellsOf(t, table)); got != want {
				t.Errorf("%q; calamine: %q", got, want)
			}
			checked++
		}
	}
	if checked < 12 {
		t.Errorf("%d sheets were compared", checked)
	}
}

// uncalculated is a formula of testdata that openpyxl wrote without a value.
// Others take it for blank.
const uncalculated = "=B1*2"

var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// sumOf counts and sums up cells as calamine.py does. Numbers count as their
// bits, and errors, which calamine leaves empty, not at all.
func sumOf(found cells) string {
	rows, columns := 0, 0
	for place := range found {
		rows, columns = max(rows, place[0]+1), max(columns, place[1]+1)
	}
	hash, count := sha256.New(), 0
	for r := range rows {
		for c := range columns {
			value := found[[2]int{r, c}]
			if value == "" || strings.HasPrefix(value, "#") || value == uncalculated {
				continue
			}
			if x, err := strconv.ParseFloat(value, 64); err == nil && number.MatchString(value) {
				value = fmt.Sprintf("%016x", math.Float64bits(x+0))
			}
			count++
			fmt.Fprintf(hash, "%d\t%d\t%s\n", r+1, c+1, value)
		}
	}
	return strconv.Itoa(count) + "\t" + hex.EncodeToString(hash.Sum(nil))
}

// TestEncrypted: a workbook with a password is refused by name.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	path := filepath.Join(t.TempDir(), "encrypted.xlsx")
	if err := f.SaveAs(path, excelize.Options{Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Open(bytes.NewReader(data), int64(len(data)), nil); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "save it without a password") {
		t.Errorf("got %v", err)
	}
}
