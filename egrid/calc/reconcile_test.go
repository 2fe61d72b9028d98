package calc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// put publishes one sheet.
func put(t testing.TB, to driver.Loader, r io.Reader, o sheet.ReaderOptions) {
	t.Helper()
	loaded, err := store.Load(t.Context(), to, r, &store.LoadOptions{ReaderOptions: o, Publish: driver.PublishReplace})
	if err != nil {
		t.Fatal(err)
	}
	for i := range loaded.Reports {
		if report := &loaded.Reports[i]; report.Status != egrid.Published {
			t.Fatalf("%s: %s %s", o.Name, report.Status, report.Reason)
		}
	}
}

// publish loads real files of one edition, and skips where there are none. A year
// of 0 is that of each row.
func publish(t testing.TB, year int, release string, names ...string) *store.DB {
	t.Helper()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	backend := memstore.New()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, backend, bytes.NewReader(text), sheet.ReaderOptions{Name: name, Year: year, Release: release})
	}
	return store.New(backend)
}

func reconcile(t testing.TB, db *store.DB, year int, o *calc.ReconcileOptions) *calc.Certificate {
	t.Helper()
	c, err := calc.Reconcile(t.Context(), db, year, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	v1Of2018   = []string{"2018/v1_state.csv", "2018/v1_subregion.csv", "2018/v1_NERC.csv", "2018/v1_US.csv"}
	v2Of2018   = []string{"2018/v2_state.csv", "2018/v2_subregion.csv", "2018/v2_NERC.csv", "2018/v2_US.csv", "2018/v2_PLNT-assembled.csv"}
	of2019     = []string{"2019/2018+2019_state.csv", "2019/2018+2019_subregion.csv", "2019/2018+2019_NERC.csv", "2019/2018+2019_US.csv"}
	rev0Of2023 = []string{"2023/ST23-rev0.csv", "2023/BA23-rev0.csv", "2023/SRL23-rev0.csv", "2023/NRL23-rev0.csv", "2023/US23-rev0.csv"}
)

// differing counts the cells that do not match: by relation and column, those of
// fuels together.
func differing(c *calc.Certificate) map[string]int {
	count := map[string]int{}
	for _, cell := range c.Differing() {
		name := string(cell.Column)
		if fuel, rest, _ := strings.Cut(name, "_"); cell.Relation == calc.AtMost && slices.Contains([]string{"coal", "oil", "gas", "fossil"}, fuel) {
			name = "FUEL_" + rest
		}
		count[fmt.Sprintf("%s from %s: %s", cell.Level, cell.From, name)]++
	}
	return count
}

// A column of nothing but zeros is compared as finely as others of its sheet.
func TestReconcileZeros(t *testing.T) {
	t.Parallel()
	file := testenv.Open(t, "2018/v2_state.csv")
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header := slices.IndexFunc(records, func(r []string) bool { return slices.Contains(r, "STWIPR") })
	at, wind := slices.Index(records[header], "STWIPR"), 0
	for _, r := range records[header+1:] {
		if x, err := strconv.ParseFloat(r[at], 64); err == nil && x > 0.01 {
			wind++
		}
		r[at] = "0"
	}
	var spoilt bytes.Buffer
	if err := csv.NewWriter(&spoilt).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	backend := memstore.New()
	t.Cleanup(func() { _ = backend.Close() })
	put(t, backend, &spoilt, sheet.ReaderOptions{Name: "v2_state.csv", Year: 2018, Release: "v2"})
	c := reconcile(t, store.New(backend), 2018, nil)
	told := differing(c)["ST from ST: wind_generation_share"]
	if told < wind || wind < 30 {
		t.Errorf("%d of at least %d shares of wind that were made 0 are told", told, wind)
	}
}

func TestReconcileRealEditions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		year, fileYear   int
		release          string
		files            []string
		checked, matched int
		differing        map[string]int
		choices          string
		gwp              string
		absent           []egrid.Level
	}{
		{
			name: "2018 v2 with plants", year: 2018, fileYear: 2018, release: "v2", files: v2Of2018, checked: 16913, matched: 16867,
			differing: map[string]int{
				"ST from ST: oil_n2o_input_rate_lb_per_mmbtu": 45, // not corrected with the others of v1
				"US from NRL: nameplate_capacity_mw":          1,  // 7.7 MW are of SPP, which has no row
			},
			choices: "nonrenewable with_other_fossil exact left_out of_positive_fuels left_out three", gwp: "ar4", absent: []egrid.Level{egrid.BA},
		},
		{
			name: "2018 v1, whose rates of CH4 and N2O are 2,000 times too high", year: 2018, fileYear: 2018, release: "v1", files: v1Of2018, checked: 8377, matched: 7640,
			differing: map[string]int{
				"ST from ST: ch4_input_rate_lb_per_mmbtu": 51, "ST from ST: n2o_input_rate_lb_per_mmbtu": 51,
				"SRL from SRL: ch4_input_rate_lb_per_mmbtu": 26, "SRL from SRL: n2o_input_rate_lb_per_mmbtu": 26,
				"NRL from NRL: ch4_input_rate_lb_per_mmbtu": 10, "NRL from NRL: n2o_input_rate_lb_per_mmbtu": 10,
				"US from US: ch4_input_rate_lb_per_mmbtu": 1, "US from US: n2o_input_rate_lb_per_mmbtu": 1,
				"ST from ST: FUEL_ch4_output_rate_lb_per_mwh": 156, "ST from ST: FUEL_n2o_output_rate_lb_per_mwh": 157,
				"SRL from SRL: FUEL_ch4_output_rate_lb_per_mwh": 86, "SRL from SRL: FUEL_n2o_output_rate_lb_per_mwh": 86,
				"NRL from NRL: FUEL_ch4_output_rate_lb_per_mwh": 34, "NRL from NRL: FUEL_n2o_output_rate_lb_per_mwh": 34,
				"US from US: FUEL_ch4_output_rate_lb_per_mwh": 4, "US from US: FUEL_n2o_output_rate_lb_per_mwh": 4,
			},
			choices: "nonrenewable with_other_fossil exact left_out of_positive_fuels left_out three", gwp: "ar4", absent: []egrid.Level{egrid.PLNT, egrid.BA},
		},
		{
			name: "2019", year: 2019, release: "none", files: of2019, checked: 8664, matched: 8616,
			differing: map[string]int{"ST from ST: oil_n2o_input_rate_lb_per_mmbtu": 48},
			choices:   "nonrenewable with_other_fossil exact left_out groups_of_net_generation left_out four", gwp: "ar4", absent: []egrid.Level{egrid.PLNT, egrid.BA},
		},
		{
			name: "2023 rev0, whose US combustion rates are over net generation", year: 2023, fileYear: 2023, release: "rev0", files: rev0Of2023, checked: 15049, matched: 15047,
			differing: map[string]int{"US from US: ch4_combustion_output_rate_lb_per_mwh": 1, "US from US: n2o_combustion_output_rate_lb_per_mwh": 1},
			choices:   "neither without_other_fossil five_places left_out of_net_generation counted four", gwp: "ar5", absent: []egrid.Level{egrid.PLNT},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := publish(t, tt.fileYear, tt.release, tt.files...)
			c := reconcile(t, db, tt.year, nil)
			if c.Checked() != tt.checked || c.Matched() != tt.matched {
				t.Errorf("%d of %d match; want %d of %d", c.Matched(), c.Checked(), tt.matched, tt.checked)
			}
			if got := differing(c); !reflect.DeepEqual(got, tt.differing) {
				t.Errorf("what differs is %v; want %v", got, tt.differing)
			}
			if got := choices(c.Method); got != tt.choices || got != choices(calc.MethodOf(tt.year, tt.release)) {
				t.Errorf("the choices are %s; want %s, as of the edition", got, tt.choices)
			}
			if c.GWP.Name != tt.gwp || c.GWP.Error > 0.05 {
				t.Errorf("GWP %+v; want %s", c.GWP, tt.gwp)
			}
			if !slices.Equal(c.Absent, tt.absent) {
				t.Errorf("absent are %v; want %v", c.Absent, tt.absent)
			}
			checkVariants(t, c)
			checkCSV(t, c)
			slices.Reverse(tt.files)
			if again := reconcile(t, publish(t, tt.fileYear, tt.release, tt.files...), 0, &calc.ReconcileOptions{Release: tt.release}); again.Hash() != c.Hash() {
				t.Error("another store with the same files gives another hash")
			}
		})
	}
}

func choices(m calc.Method) string {
	var words []string
	for _, rule := range calc.VariantRules() {
		words = append(words, string(m.Choice(rule)))
	}
	return strings.Join(words, " ")
}

// checkVariants holds each rule's choice against the others.
func checkVariants(t *testing.T, c *calc.Certificate) {
	t.Helper()
	used := map[string]calc.VariantFit{}
	for _, v := range c.Variants {
		if v.Used {
			used[v.Rule] = v
		}
	}
	for _, v := range c.Variants {
		if best := used[v.Rule]; v.Checked != best.Checked || v.Matched > best.Matched || best.Choice != c.Method.Choice(v.Rule) {
			t.Errorf("%s: %d of %d match as %s, and %d of %d as %s, which is used", v.Rule, v.Matched, v.Checked, v.Choice, best.Matched, best.Checked, best.Choice)
		}
	}
}

// checkCSV reads a certificate's CSV as anybody would, in exact arithmetic.
func checkCSV(t *testing.T, c *calc.Certificate) {
	t.Helper()
	checkCSVWithin(t, c, new(big.Rat))
}

// checkCSVWithin allows differences to be off by a share of the figures.
func checkCSVWithin(t *testing.T, c *calc.Certificate, share *big.Rat) {
	t.Helper()
	text := c.AppendCSV(nil, true)
	sum := sha256.Sum256(text)
	if hex.EncodeToString(sum[:]) != c.Hash() {
		t.Error("the hash is not that of the CSV")
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	decimal := func(row []string, column string) *big.Rat {
		x, ok := new(big.Rat).SetString(row[at[column]])
		if !ok {
			t.Fatalf("%s is %q", column, row[at[column]])
		}
		return x
	}
	checked, matched, sources := 0, 0, 0
	for _, row := range rows[1:] {
		if row[at["sha256"]] != "" {
			sources++
			continue
		}
		if sources > 0 {
			t.Fatal("a cell stands behind the sources")
		}
		checked++
		difference := new(big.Rat).Sub(decimal(row, "published"), decimal(row, "recomputed"))
		off := new(big.Rat).Sub(difference, decimal(row, "difference"))
		size := new(big.Rat).Add(new(big.Rat).Abs(decimal(row, "published")), new(big.Rat).Abs(decimal(row, "recomputed")))
		if off.Abs(off).Cmp(size.Mul(size, share)) > 0 {
			t.Fatalf("%v: the difference is %s", row, difference.FloatString(20))
		}
		difference = decimal(row, "difference")
		wrong := difference
		switch row[at["relation"]] {
		case "=":
			wrong = new(big.Rat).Abs(difference)
		case ">=":
			wrong = new(big.Rat).Neg(difference)
		}
		if matches := wrong.Cmp(decimal(row, "tolerance")) <= 0; fmt.Sprint(matches) != row[at["matches"]] {
			t.Fatalf("%v: matches is %v", row, matches)
		} else if matches {
			matched++
		}
	}
	if checked != c.Checked() || matched != c.Matched() || sources < len(c.Snapshots) {
		t.Errorf("the CSV has %d cells, of which %d match, and %d sources", checked, matched, sources)
	}
	few := bytes.Count(c.AppendCSV(nil, false), []byte("\n"))
	if want := 1 + checked - matched + sources; few != want {
		t.Errorf("without the cells that match the CSV has %d lines; want %d", few, want)
	}
}

// The rules of another edition do not fit.
func TestReconcileByOtherRules(t *testing.T) {
	t.Parallel()
	other := calc.MethodOf(2023, "rev0")
	c := reconcile(t, publish(t, 2018, "v2", v2Of2018...), 2018, &calc.ReconcileOptions{Method: &other})
	if choices(c.Method) != choices(other) {
		t.Errorf("the method is %s", c.Method)
	}
	if wrong := c.Checked() - c.Matched(); wrong < 1738 { // those from plants, and some from own sums
		t.Errorf("only %d differ", wrong)
	}
	checkCSV(t, c)
}

// sample is the sheets of an invented edition, by level, which may be changed.
type sample map[egrid.Level]string

func newSample(t testing.TB) sample {
	t.Helper()
	s, all := egridtest.NewSample(&egridtest.SampleOptions{Plants: 80}), sample{}
	for _, level := range append([]egrid.Level{egrid.PLNT}, calc.RegionLevels()...) {
		var text bytes.Buffer
		if err := s.Write(&text, level); err != nil {
			t.Fatal(err)
		}
		all[level] = text.String()
	}
	return all
}

// change sets a cell, by EPA's code and that of the region; empty for the US.
func (s sample) change(t testing.TB, level egrid.Level, code, region string, value func(string) string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(s[level])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[1], code)
	row := rows[2+slices.IndexFunc(rows[2:], func(row []string) bool { return region == "" || slices.Contains(row, region) })]
	row[column] = value(row[column])
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	s[level] = text.String()
}

// db is a store with the sheets of some levels; of all when none is named.
func (s sample) db(t testing.TB, release string, levels ...egrid.Level) *memstore.Store {
	t.Helper()
	backend := memstore.New()
	s.put(t, backend, release, levels...)
	return backend
}

func (s sample) put(t testing.TB, to driver.Loader, release string, levels ...egrid.Level) {
	t.Helper()
	if levels == nil {
		levels = append([]egrid.Level{egrid.PLNT}, calc.RegionLevels()...)
	}
	for _, level := range levels {
		put(t, to, strings.NewReader(s[level]), sheet.ReaderOptions{Name: string(level) + "23.csv", Release: release})
	}
}

// What the generator of samples wrote, rounded as editions are, follows from what it
// wrote. It computes regions with this package: that their formulas are the
// dictionary's, a test of the generator finds by itself.
func TestReconcileSample(t *testing.T) {
	t.Parallel()
	c := reconcile(t, store.New(newSample(t).db(t, "rev2")), 0, nil)
	if c.Year != 2023 || c.Release != "rev2" || c.Checked() < 15000 || c.Matched() != c.Checked() || c.GWP.Name != "ar5" || len(c.Absent) > 0 {
		t.Errorf("%d %s: %d of %d match, GWP %v, absent %v", c.Year, c.Release, c.Matched(), c.Checked(), c.GWP, c.Absent)
	}
	checkVariants(t, c)
	checkCSV(t, c)
	seen := map[string]bool{}
	for _, check := range c.Checks() {
		seen[fmt.Sprint(check.Level, check.From, check.Relation)] = true
		if check.Matched != check.Checked || !check.Worst.Matches() {
			t.Errorf("%+v", check)
		}
	}
	for _, want := range []string{"STST=", "STPLNT=", "ST ST<=", "USST=", "USBA=", "USSRL=", "USNRL=", "USUS=", "USPLNT="} {
		if !seen[strings.ReplaceAll(want, " ", "")] {
			t.Errorf("%s was not checked", want)
		}
	}
}

// One figure that is wrong is found, with what depends on it.
func TestReconcileFindsFaults(t *testing.T) {
	t.Parallel()
	times := func(factor string) func(string) string {
		return func(text string) string {
			x, _ := new(big.Rat).SetString(text)
			y, _ := new(big.Rat).SetString(factor)
			return x.Mul(x, y).FloatString(3)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, s sample)
		want   map[string]int
	}{
		{"a rate", func(t *testing.T, s sample) { s.change(t, egrid.SRL, "SRCO2RTA", "ERCT", times("1.01")) },
			map[string]int{"SRL from SRL: co2_output_rate_lb_per_mwh": 1, "SRL from PLNT: co2_output_rate_lb_per_mwh": 1}},
		{"a rate of the US", func(t *testing.T, s sample) { s.change(t, egrid.US, "USSO2RTA", "", times("1.01")) },
			map[string]int{"US from US: so2_output_rate_lb_per_mwh": 1, "US from PLNT: so2_output_rate_lb_per_mwh": 1}},
		{"a mass by fuel, 2,000 times too high", func(t *testing.T, s sample) { s.change(t, egrid.US, "USCCH4RT", "", times("2000")) },
			map[string]int{"US from US: FUEL_ch4_output_rate_lb_per_mwh": 1, "US from PLNT: coal_ch4_output_rate_lb_per_mwh": 1, "US from US: coal_ch4_input_rate_lb_per_mmbtu": 1}},
		{"capacity of a state", func(t *testing.T, s sample) { s.change(t, egrid.ST, "STNAMEPCAP", "TX", times("1.1")) },
			map[string]int{"ST from PLNT: nameplate_capacity_mw": 1, "US from ST: nameplate_capacity_mw": 1}},
		{"a share", func(t *testing.T, s sample) { s.change(t, egrid.US, "USCLPR", "", times("1.01")) },
			map[string]int{"US from US: coal_generation_share": 1, "US from PLNT: coal_generation_share": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSample(t)
			tt.change(t, s)
			c := reconcile(t, store.New(s.db(t, "rev2")), 2023, nil)
			if got := differing(c); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("what differs is %v; want %v", got, tt.want)
			}
			if worst, ok := c.Worst(); !ok || worst.Matches() || worst.Deviation() <= 1 {
				t.Errorf("the worst is %+v", worst)
			}
			checkCSV(t, c)
		})
	}
}

// A region without its row is missed, and a row without plants is told.
func TestReconcileLostRow(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	lines := strings.SplitAfter(s[egrid.SRL], "\n")
	s[egrid.SRL] = strings.Join(slices.Delete(lines, 5, 6), "")
	got := differing(reconcile(t, store.New(s.db(t, "rev2")), 2023, nil))
	if got["US from SRL: net_generation_mwh"] != 1 || got["US from SRL: nameplate_capacity_mw"] != 1 {
		t.Errorf("what differs is %v", got)
	}
	s = newSample(t)
	s.change(t, egrid.ST, "PSTATABB", "TX", func(string) string { return "ZZ" })
	if got := differing(reconcile(t, store.New(s.db(t, "rev2")), 2023, nil)); got["ST from PLNT: net_generation_mwh"] != 1 {
		t.Errorf("what differs is %v", got)
	}
}

// What a reader should know is told.
func TestCertificateNotes(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	if notes := reconcile(t, store.New(s.db(t, "rev2")), 2023, nil).Notes(); len(notes) != 0 {
		t.Errorf("of a whole edition: %q", notes)
	}
	lines := strings.SplitAfter(s[egrid.PLNT], "\n")
	s[egrid.PLNT] = strings.Join(lines[:len(lines)/2], "")
	other, err := calc.MethodOf(2023, "rev2").With(calc.OtherUnknown, "nonrenewable")
	if err != nil {
		t.Fatal(err)
	}
	db := store.New(s.db(t, "rev2", egrid.PLNT, egrid.ST, egrid.SRL))
	notes := strings.Join(reconcile(t, db, 2023, &calc.ReconcileOptions{Method: &other}).Notes(), " ")
	for _, want := range []string{"no sheet of BA, NRL, US.", "the PLNT sheet lacks plants", "other_unknown=nonrenewable; the edition is known for neither"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not in %s", want, notes)
		}
	}
}

// Sheets of another release are not there.
func TestReconcileKeepsReleasesApart(t *testing.T) {
	t.Parallel()
	right, wrong := newSample(t), newSample(t)
	wrong.change(t, egrid.US, "USCLPR", "", func(string) string { return "0.9" })
	backend := right.db(t, "rev1", egrid.PLNT, egrid.ST)
	wrong.put(t, backend, "rev2", egrid.US)
	db := store.New(backend)
	newest := reconcile(t, db, 2023, nil)
	if newest.Release != "rev2" || len(newest.Snapshots) != 1 || len(newest.Absent) != 5 || newest.Matched() == newest.Checked() {
		t.Errorf("the newest is %s of %d sheets; %d of %d match", newest.Release, len(newest.Snapshots), newest.Matched(), newest.Checked())
	}
	older := reconcile(t, db, 2023, &calc.ReconcileOptions{Release: "rev1"})
	if older.Release != "rev1" || len(older.Snapshots) != 2 || older.Matched() != older.Checked() || older.GWP.Name != "ar5" {
		t.Errorf("rev1 is of %d sheets; %d of %d match, GWP %v", len(older.Snapshots), older.Matched(), older.Checked(), older.GWP)
	}
}

// Plants as a spreadsheet displays them: sums are off by rounding, and that is allowed for.
func TestReconcileRoundedPlants(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	rows, err := csv.NewReader(strings.NewReader(s[egrid.PLNT])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[1], "PLNGENAN")
	for _, row := range rows[2:] {
		if x, ok := new(big.Rat).SetString(row[column]); ok {
			row[column] = thousands(x.FloatString(0))
		}
	}
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	s[egrid.PLNT] = text.String()
	c := reconcile(t, store.New(s.db(t, "rev2")), 2023, nil)
	if c.Matched() != c.Checked() {
		t.Errorf("what differs is %v", differing(c))
	}
	compared := 0
	for i := range c.Cells {
		if c.Cells[i].From == egrid.PLNT && c.Cells[i].Column == egrid.NetGeneration {
			compared++
		}
	}
	if compared < 50 {
		t.Errorf("net generation was compared %d times", compared)
	}
}

// The sheets of a metric workbook, with figures that were rounded in its units.
func TestReconcileMetric(t *testing.T) {
	t.Parallel()
	factors := map[string]string{"short tons": "0.9072", "lb": "0.4536", "MMBtu": "1.0551", "lb/MWh": "0.4536", "lb/MMBtu": "0.4299"}
	backend := memstore.New()
	for level, text := range newSample(t) {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, code := range rows[1] {
			f, known := egrid.Lookup(level, code)
			factor, converted := new(big.Rat).SetString(factors[f.Unit])
			if !known || !converted || f.Type != egrid.Number {
				continue
			}
			digits := 3
			if len(f.Rule.Categories) > 0 && slices.Contains([]egrid.Column{egrid.CH4, egrid.N2O}, f.Rule.Numerator[0]) {
				digits = 4
			}
			for _, row := range rows[2:] {
				if x, ok := new(big.Rat).SetString(row[i]); ok {
					row[i] = x.Mul(x, factor).FloatString(digits)
				}
			}
		}
		var metric strings.Builder
		if err := csv.NewWriter(&metric).WriteAll(rows[1:]); err != nil { // the descriptions tell the units that they had
			t.Fatal(err)
		}
		put(t, backend, strings.NewReader(metric.String()), sheet.ReaderOptions{Name: string(level) + "23.csv", Units: sheet.Metric})
	}
	c := reconcile(t, store.New(backend), 2023, nil)
	if c.Checked() < 15_000 || c.Matched() != c.Checked() || c.GWP.Name != "ar5" {
		t.Errorf("%d of %d match, GWP %v; what differs is %v", c.Matched(), c.Checked(), c.GWP, differing(c))
	}
}

// thousands writes a whole number as a spreadsheet does.
func thousands(digits string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

func TestReconcileRefuses(t *testing.T) {
	t.Parallel()
	backend := newSample(t).db(t, "rev1", egrid.PLNT, egrid.ST)
	for _, tt := range []struct {
		year    int
		release string
		want    error
		says    string
	}{
		{1889, "", egrid.ErrInvalid, "1889"},
		{2023, "newest", egrid.ErrInvalid, "newest"},
		{2021, "", egrid.ErrNotFound, "data year 2021 is published; there are those of: 2023 rev1"},
		{2023, "rev2", egrid.ErrNotFound, "release rev2"},
	} {
		_, err := calc.Reconcile(t.Context(), store.New(backend), tt.year, &calc.ReconcileOptions{Release: tt.release})
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%d %s: %v", tt.year, tt.release, err)
		}
	}
	if _, err := calc.Reconcile(t.Context(), store.New(memstore.New()), 0, nil); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("an empty store: %v", err)
	}
}

func BenchmarkReconcile(b *testing.B) {
	db := publish(b, 2018, "v2", v2Of2018...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := calc.Reconcile(b.Context(), db, 2018, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever stands in the cells, there is a certificate, and its CSV is true.
func TestReconcileAnything(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	odd := []string{"", "0", "-1", "-0.001", "1e15", "123456789012.123", "0.000000001", "--", "7.00E+06", "12,345", "-5.25%"}
	for range 2 {
		s := newSample(t)
		for level, text := range s {
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			kept := rows[:2]
			for _, row := range rows[2:] {
				switch random.IntN(12) {
				case 0: // lost
					continue
				case 1: // twice
					kept = append(kept, row)
				}
				for i := range row {
					if _, number := new(big.Rat).SetString(row[i]); number && i > 2 && random.IntN(30) == 0 {
						row[i] = odd[random.IntN(len(odd))]
					}
				}
				kept = append(kept, row)
			}
			var changed strings.Builder
			if err := csv.NewWriter(&changed).WriteAll(kept); err != nil {
				t.Fatal(err)
			}
			s[level] = changed.String()
		}
		backend := memstore.New()
		for level, text := range s {
			o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: string(level) + "23.csv"}, Publish: driver.PublishReplace}
			if _, err := store.Load(t.Context(), backend, strings.NewReader(text), o); err != nil {
				t.Logf("%s is not loaded: %v", level, err)
			}
		}
		c, err := calc.Reconcile(t.Context(), store.New(backend), 2023, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Checked() == c.Matched() {
			t.Error("nothing is found")
		}
		checkCSVWithin(t, c, big.NewRat(1, 1e14))
	}
}
