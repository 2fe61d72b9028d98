package xls_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xls"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

const edition1998 = "1998/eGRID1998_location.xls"

// TestEdition1998 reads EPA's workbook of 1998. The sums are of the text that
// TestXlrd finds equal to xlrd's in every cell. Two of the cells are negative
// whole numbers in the short form, whose sign readers lose.
func TestEdition1998(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(testenv.File(t, edition1998))
	if err != nil {
		t.Fatal(err)
	}
	w, err := xls.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	var names []string
	found := map[string]int{",-534935,": 0, ",-521320.3,": 0}
	for i, s := range w.Sheets() {
		b, err := text(file, i)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, s.Name)
		fmt.Fprintf(sum, "%s\n%s", s.Name, b)
		for cell := range found {
			found[cell] += strings.Count(b, cell)
		}
	}
	const wantNames = "Contents EGRDST98 EGRDEGCL98 EGRDPRL98 EGRDPCAL98 EGRDSRL98 EGRDNRL98 EGRDUS98 EGRDPLCH EGRDEGCH EGRDPRCH EGRDPCCH"
	if got := strings.Join(names, " "); got != wantNames {
		t.Errorf("sheets %s, want %s", got, wantNames)
	}
	for cell, n := range found {
		if n == 0 {
			t.Errorf("no cell is %s", cell)
		}
	}
	const wantSum = "dc06096ad0815a761360912a78100b5b54f8f8ccda09b5adcbc0071e58f3ecc8"
	if got := hex.EncodeToString(sum.Sum(nil)); got != wantSum {
		t.Errorf("SHA-256 of the text %s, want %s", got, wantSum)
	}
}

// TestXlrd compares every cell with what xlrd reads, in EPA's workbook and in one
// that xlwt writes.
func TestXlrd(t *testing.T) {
	t.Parallel()
	python := testenv.Server(t, "EGRID_TEST_XLRD")
	t.Run("edition of 1998", func(t *testing.T) {
		t.Parallel()
		compare(t, python, testenv.File(t, edition1998), 224_657)
	})
	t.Run("by xlwt", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "w.xls")
		if out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "write.py"), path).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		compare(t, python, path, 25_000)
	})
}

// compare holds a file to the cells that xlrd reads, of which there have to be
// some.
func compare(t *testing.T, python, path string, least int) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := xls.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string][][]string{}
	full := 0 // cells that are not empty
	for i, s := range w.Sheets() {
		b, err := text(file, i)
		if err != nil {
			t.Fatal(err)
		}
		ours[s.Name] = rows(t, b)
		for _, row := range ours[s.Name] {
			for _, cell := range row {
				if cell != "" {
					full++
				}
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "cells.py"), path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var name, want string
		var row, column int
		var number bool
		if err := json.Unmarshal(lines.Bytes(), &[]any{&name, &row, &column, &number, &want}); err != nil {
			t.Fatal(err)
		}
		theirs++
		got := ""
		if sheet := ours[name]; row < len(sheet) && column < len(sheet[row]) {
			got = sheet[row][column]
		}
		same := got == want
		if number {
			a, errA := strconv.ParseFloat(got, 64)
			b, errB := strconv.ParseFloat(want, 64)
			same = errA == nil && errB == nil && a == b
		}
		if !same {
			t.Errorf("%s row %d, column %d: %q, want %q", name, row+1, column+1, got, want)
		}
	}
	if theirs < least || theirs != full {
		t.Errorf("xlrd reads %d cells, ours %d; want as many, and at least %d", theirs, full, least)
	}
}

// rows reads CSV text, empty records as well, which encoding/csv leaves out.
func rows(t *testing.T, s string) [][]string {
	t.Helper()
	var all [][]string
	for s != "" {
		if rest, empty := strings.CutPrefix(s, "\n"); empty {
			all, s = append(all, nil), rest
			continue
		}
		r := csv.NewReader(strings.NewReader(s))
		record, err := r.Read()
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		all, s = append(all, record), s[r.InputOffset():]
	}
	return all
}
