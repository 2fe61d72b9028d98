package inventory_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/calc/inventory"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

func load(t testing.TB, m *memstore.Store, name string, r io.Reader) {
	t.Helper()
	if _, err := store.Load(t.Context(), m, r, &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: name}}); err != nil {
		t.Fatal(err)
	}
}

const (
	subregions = "YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2AN,SRCH4AN,SRN2OAN,SRCO2EQA\n" +
		"2023,CAMX,WECC California,1000,250,50,5,251.5\n2023,ERCT,ERCOT All,2000,800,100,10,804\n2023,SRSO,SERC South,500,300,10,1,301\n2023,SRTV,SERC Tennessee Valley,400,200,8,1,200.5\n"
	states    = "YEAR,PSTATABB,STNGENAN,STCO2AN,STCH4AN,STN2OAN,STCO2EQA\n2023,GA,900,400,20,2,401\n2023,CA,800,200,40,4,201\n"
	losses    = "YEAR,REGION,ESTLOSS,TOTDISP,DIRCTUSE,GGRSLOSS\n2023,Western,5,110,10,0.05\n2023,U.S.,4,105,5,0.04\n2023,ERCOT,6,130,10,0.05\n"
	crosswalk = "ZIP (character),ZIP (numeric),state,eGRID Subregion #1,eGRID Subregion #2,eGRID Subregion #3\n" +
		"30525,30525,GA,SRSO,SRTV,ERCT\n02134,2134,MA,NEWE,,\n94105,94105,CA,CAMX,,\n00501,501,NY,CAMX,,\n"
)

func sample(t testing.TB) *store.DB {
	t.Helper()
	m := memstore.New()
	load(t, m, "SRL23.csv", strings.NewReader(subregions))
	load(t, m, "ST23.csv", strings.NewReader(states))
	load(t, m, "GGL23.csv", strings.NewReader(losses))
	load(t, m, "zip23.csv", strings.NewReader(crosswalk))
	return store.New(m)
}

// answered runs a table through an inventory, and returns each record by the names
// of its columns.
func answered(t testing.TB, db *store.DB, table string, o *inventory.Options) ([]map[string]string, inventory.Totals) {
	t.Helper()
	var out bytes.Buffer
	totals, err := inventory.CSV(t.Context(), db, strings.NewReader(table), &out, o)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		rows = append(rows, row)
	}
	return rows, totals
}

func TestCSV(t *testing.T) {
	t.Parallel()
	db := sample(t)
	for _, tt := range []struct {
		name, header, record string
		want                 map[string]string
	}{
		{"a subregion", "subregion,kWh", "camx,2000", map[string]string{"electricity_mwh": "2", "precision": "subregion", "egrid_region": "CAMX", "co2_kg": "453.592", "co2e_kg": "456.314", "losses_co2e_kg": "24.017", "reason": "", "note": ""}},
		{"MWh", "eGRID Subregion,Electricity (MWh)", "CAMX,2", map[string]string{"co2_kg": "453.592"}},
		{"a ZIP code", "zip,kwh", "94105,1000", map[string]string{"precision": "zip", "egrid_region": "CAMX", "note": ""}},
		{"ZIP+4", "zip,kwh", "94105-1234,1000", map[string]string{"egrid_region": "CAMX"}},
		{"a ZIP code without its zeros", "zip,kwh", "501,1000", map[string]string{"egrid_region": "CAMX", "reason": ""}},
		{"a ZIP code of three subregions", "Zip Code,kwh", "30525,1000", map[string]string{"egrid_region": "SRSO", "note": "ZIP code 30525 lies in SRSO, ERCT, SRTV; SRSO serves most of it"}},
		{"an unknown ZIP code", "zip,kwh", "99999,1000", map[string]string{"reason": "ZIP code 99999", "egrid_region": "", "co2_kg": ""}},
		{"an unknown ZIP code in a state", "zip,state,kwh", "99999,ga,1000", map[string]string{"egrid_region": "GA", "precision": "state", "note": "the factor is that of the state", "reason": ""}},
		{"a ZIP code of another country", "zip,kwh", "K1A 0B6,1000", map[string]string{"reason": `"K1A 0B6" is not a US ZIP code`}},
		{"a ZIP code whose subregion is not loaded", "zip,kwh", "02134,1000", map[string]string{"reason": "NEWE"}},
		{"kWh as text", "subregion,kwh", `CAMX,"2,000 kWh"`, map[string]string{"electricity_mwh": "2", "co2_kg": "453.592"}},
		{"another unit in the cell", "subregion,kwh", `CAMX,2 MWh`, map[string]string{"reason": "names another unit than its column", "co2_kg": ""}},
		{"a negative figure", "subregion,kwh", "CAMX,-2", map[string]string{"reason": "negative", "co2_kg": ""}},
		{"a missing figure", "subregion,kwh", "CAMX,", map[string]string{"reason": "missing", "egrid_region": "CAMX"}},
		{"no figure", "subregion,kwh", "CAMX,n/k", map[string]string{"reason": `"n/k", is not a number`}},
		{"nothing used", "subregion,kwh", "CAMX,0", map[string]string{"reason": "", "co2_kg": "0.000"}},
		{"a place without a name", "subregion,kwh", ",5", map[string]string{"reason": "names no subregion"}},
		{"a year that is not loaded", "subregion,kwh,year", "CAMX,5,2019", map[string]string{"reason": "2019"}},
		{"no year", "subregion,kwh,year", "CAMX,5,", map[string]string{"egrid_year": "2023", "reason": ""}},
		{"a bad year", "subregion,kwh,year", "CAMX,5,soon", map[string]string{"reason": `"soon" is not a data year`}},
		{"more cells than columns", "subregion,kwh", "CAMX,5,6", map[string]string{"reason": "3 cells", "co2_kg": ""}},
		{"a percentage", "subregion,kwh", "CAMX,50%", map[string]string{"reason": `"50%", is a percentage`, "co2_kg": ""}},
		{"a decimal comma", "subregion,kwh", `CAMX,"1,5"`, map[string]string{"reason": "is not a number", "co2_kg": ""}},
		{"more than there is", "subregion,kwh", "CAMX,1e308", map[string]string{"reason": "more than the United States use", "co2_kg": ""}},
		{"nothing, with a sign", "subregion,kwh", "CAMX,-0", map[string]string{"electricity_mwh": "0", "co2_kg": "0.000"}},
		{"a year of a spreadsheet", "subregion,kwh,year", "CAMX,5,2023.0", map[string]string{"egrid_year": "2023", "reason": ""}},
		{"electricity beside its price", "subregion,$/kWh,kWh per year", "CAMX,0.12,2000", map[string]string{"electricity_mwh": "2"}},
		{"electricity of a period", "subregion,kwh (period 1)", "CAMX,2000", map[string]string{"electricity_mwh": "2"}},
		{"no code", "subregion,state,kwh", strings.Repeat("x", 5000) + ",CA,5", map[string]string{"note": "too long for a subregion", "egrid_region": "CA"}},
		{"a quote that is closed", "subregion,kwh,note", "CAMX,5,\"two\nlines\"", map[string]string{"reason": "", "note": ""}},
		{"a state", "State,kwh", "CA,1000", map[string]string{"precision": "state", "egrid_level": "ST", "losses_co2e_kg": "9.497"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, totals := answered(t, db, tt.header+"\n"+tt.record+"\n", nil)
			if len(rows) != 1 || totals.Sites != 1 {
				t.Fatalf("%d rows, %d sites; want one", len(rows), totals.Sites)
			}
			for column, want := range tt.want {
				if got := rows[0][column]; got != want && (want == "" || column != "reason" && column != "note" || !strings.Contains(got, want)) {
					t.Errorf("%s is %q; want %q (%v)", column, got, want, rows[0])
				}
			}
			if _, none := rows[0]["reason"], rows[0]["co2e_kg"] == ""; none != (rows[0]["reason"] != "") {
				t.Errorf("emissions %q beside the reason %q", rows[0]["co2e_kg"], rows[0]["reason"])
			}
		})
	}
}

// A site in a region that has two rows gets no figure, and the others theirs.
func TestSeveralRows(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	text := "YEAR,PSTATABB,STNGENAN,STCO2AN,STCO2EQA\n2023,TX,100,50,51\n2023,TX,300,10,11\n2023,OK,100,50,51\n"
	if _, err := store.Load(t.Context(), m, strings.NewReader(text), &store.LoadOptions{Publish: "replace", ReaderOptions: sheet.ReaderOptions{Name: "ST23.csv"}}); err != nil {
		t.Fatal(err)
	}
	_, totals := answered(t, store.New(m), "state,kwh\nTX,1000\nOK,1000\n", nil)
	if said := totals.MostReasons(1); totals.Answered != 1 || len(said) != 1 || !strings.Contains(said[0], "the ST sheet of eGRID 2023 has several rows for state TX") {
		t.Errorf("%d answered, %q", totals.Answered, said)
	}
}

func TestCSVRefused(t *testing.T) {
	t.Parallel()
	db := sample(t)
	for _, tt := range []struct{ name, table, says string }{
		{"empty", "", "no header"},
		{"no electricity", "zip,name\n94105,x\n", "no column holds the electricity used"},
		{"no place", "name,kwh\nx,5\n", "where the sites are"},
		{"latitude alone", "latitude,kwh\n1,5\n", "a latitude and a longitude"},
		{"electricity twice", "zip,kwh 2022,kwh 2023\n94105,1,2\n", "kwh 2023"},
		{"a price", "subregion,usd_per_kwh\nCAMX,0.12\n", "no column holds the electricity used"},
		{"an intensity", "subregion,kWh/m2\nCAMX,120\n", "no column holds the electricity used"},
		{"a factor", "subregion,kg/MWh\nCAMX,400\n", "no column holds the electricity used"},
		{"semicolons", "site;subregion;kwh\nA;CAMX;1.500\n", "semicolons"},
		{"tabs", "site\tsubregion\tkwh\nA\tCAMX\t5\n", "tabs"},
		{"UTF-16", "z\x00i\x00p\x00,\x00", "UTF-16"},
		{"a quote that is not closed", "subregion,kwh,note\nCAMX,5,\"x\nCAMX,6,y\nCAMX,7,z\n", "quote is not closed"},
		{"a quote that is not closed, long before the end", "subregion,kwh,note\nCAMX,5,\"x\n" + strings.Repeat("CAMX,6,y\n", 200_000), "is a quote not closed"},
		{"a place twice", "zip,zip code,kwh\n94105,1,2\n", "both name the zip"},
		{"a GWP that is none", "zip,kwh\n94105,1\n", "ar9"},
	} {
		o := &inventory.Options{}
		if strings.Contains(tt.says, "ar9") {
			o.GWP = "ar9"
		}
		_, err := inventory.CSV(t.Context(), db, strings.NewReader(tt.table), io.Discard, o)
		if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v; want %q", tt.name, err, tt.says)
		}
	}
	if _, err := inventory.CSV(t.Context(), store.New(memstore.New()), strings.NewReader("zip,kwh\n94105,1\n"), io.Discard, nil); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("of an empty store: %v", err)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := "site,zip,kwh\n\"A \"\"1\"\"\",94105,2000\nB,30525,1000\nC,99999,5\nD,94105\n"
	if _, err := inventory.JSON(t.Context(), sample(t), strings.NewReader(table), &out, &inventory.Options{GWP: "ar6"}); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Sites []struct {
			Site   map[string]string
			Answer map[string]any
		}
		Totals  map[string]any
		Methods []struct{ Formula, Citation string }
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatalf("%v in %s", err, out.Bytes())
	}
	if len(document.Sites) != 4 || document.Sites[0].Site["site"] != `A "1"` || len(document.Sites[0].Answer) != len(inventory.Columns()) {
		t.Errorf("sites are %+v", document.Sites)
	}
	if got := document.Sites[0].Answer; got["co2_kg"] != 453.592 || got["note"] != nil || got["reason"] != nil {
		t.Errorf("the first answer is %v", got)
	}
	if got := document.Sites[2].Answer; got["co2_kg"] != nil || got["egrid_region"] != nil || got["reason"] == nil {
		t.Errorf("the third answer is %v", got)
	}
	if document.Totals["answered"] != 2.0 || document.Totals["sites"] != 4.0 || document.Totals["electricity_mwh"] != 3.0 {
		t.Errorf("totals are %v", document.Totals)
	}
	if len(document.Methods) != 2 || !strings.Contains(document.Methods[0].Formula, "29.8 * ch4_lb") || !strings.Contains(document.Methods[0].Citation, "AR6") {
		t.Errorf("methods are %+v", document.Methods)
	}
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := "site,note,note,zip,kwh\n=1+1,a,b,94105,2000\nB,,,99999,5\n" + strings.Repeat("C,,,30525,1\n", 2500)
	totals, err := inventory.XLSX(t.Context(), sample(t), strings.NewReader(table), &out, nil)
	if err != nil || totals.Sites != 2502 || totals.Answered != 2501 {
		t.Fatalf("%+v, %v", totals, err)
	}
	b, err := book.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sheets := map[string][][]string{}
	for _, table := range b.Tables() {
		text, err := table.Open()
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(text)
		r.FieldsPerRecord = -1
		if sheets[table.Name], err = r.ReadAll(); err != nil {
			t.Fatal(err)
		}
		_ = text.Close()
	}
	rows := sheets["rows"]
	if len(rows) != 2503 || strings.Join(rows[0][:6], ",") != "site,note,note 2,zip,kwh,electricity_mwh" || rows[0][len(rows[0])-2] != "note 3" {
		t.Fatalf("%d rows below %q", len(rows)-1, rows[0])
	}
	if first := rows[1]; first[0] != "=1+1" || first[3] != "94105" || first[5] != "2" || first[6] != "SRL" {
		t.Errorf("the first site is %q", first)
	}
	about := ""
	for _, line := range sheets["About"] {
		about += strings.Join(line, ": ") + "\n"
	}
	for _, want := range []string{"sites: 2502, of which 2501", "factor of SRL CAMX 2023, by zip", "2000 * co2e_short_tons", "SRL23.csv", "1 without emissions: ZIP code 99999"} {
		if !strings.Contains(about, want) {
			t.Errorf("%q is not in\n%s", want, about)
		}
	}
}

// A sum that lacks the figure of a site says so.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	load(t, m, "SRL23.csv", strings.NewReader(subregions))
	load(t, m, "GGL23.csv", strings.NewReader(losses))
	load(t, m, "SRL21.csv", strings.NewReader("YEAR,SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\n2021,CAMX,1000,250,251.5\n"))
	_, totals := answered(t, store.New(m), "subregion,mwh,year\nCAMX,1,2023\nCAMX,1,2021\nCAMX,2,2021\n", nil)
	want := map[string]int64{"ch4_kg": 2, "n2o_kg": 2, "losses_co2e_kg": 2}
	if totals.Answered != 3 || !maps.Equal(totals.Incomplete, want) {
		t.Errorf("%d answered, incomplete are %v; want %v", totals.Answered, totals.Incomplete, want)
	}
}

// Sites of every subregion of 2023 get what a spreadsheet makes of EPA's rates, to
// the last digit that those have.
func TestRealSubregions(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("EGRID_DATA")
	if folder == "" {
		t.Skip("EGRID_DATA is not set: EPA's files are not here")
	}
	m := memstore.New()
	for _, name := range []string{"SRL23-rev0.csv", "GGL23-rev0.csv"} {
		f, err := os.Open(filepath.Join(folder, "2023", name))
		if err != nil {
			t.Fatal(err)
		}
		load(t, m, name, f)
		_ = f.Close()
	}
	db := store.New(m)
	page, err := db.Rows(t.Context(), egrid.RowQuery{Level: egrid.SRL})
	if err != nil {
		t.Fatal(err)
	}
	table := "subregion,kwh\n"
	for row := range page.Rows() {
		table += row.Text(egrid.Subregion) + ",10000\n"
	}
	rows, totals := answered(t, db, table, nil)
	if len(rows) != 27 || totals.Answered != 27 || math.Abs(totals.MWh-270) > 1e-9 {
		t.Fatalf("%d rows, %d answered, %v MWh", len(rows), totals.Answered, totals.MWh)
	}
	sum := 0.0
	for i, row := range rows {
		for column, rate := range map[string]egrid.Column{"co2_kg": egrid.CO2Rate, "ch4_kg": egrid.CH4Rate, "n2o_kg": egrid.N2ORate, "co2e_kg": egrid.CO2eRate} {
			published, _ := page.Row(i).Float(rate)
			got, err := strconv.ParseFloat(row[column], 64)
			if want := 10 * published * 0.45359237; err != nil || math.Abs(got-want) > 10*0.0006*0.45359237+0.0005 {
				t.Errorf("%s: %s %s; the published rate makes it %.3f", row["subregion"], column, row[column], want)
			}
			if column == "co2e_kg" {
				sum += got
			}
		}
	}
	if math.Abs(totals.Kilograms[inventory.CO2e]-sum) > 0.02 {
		t.Errorf("totals have %v kg; the rows %v", totals.Kilograms[inventory.CO2e], sum)
	}
}

func BenchmarkCSV(b *testing.B) {
	db := sample(b)
	const sites = 100_000
	var table strings.Builder
	table.WriteString("site,zip,kwh\n")
	for i := range sites {
		fmt.Fprintf(&table, "Site %d,%s,%d.5\n", i, []string{"94105", "30525", "00501"}[i%3], 1000+i%977)
	}
	b.SetBytes(int64(table.Len()))
	b.ReportAllocs()
	for b.Loop() {
		totals, err := inventory.CSV(b.Context(), db, strings.NewReader(table.String()), io.Discard, nil)
		if err != nil || totals.Answered != sites {
			b.Fatal(totals.Answered, err)
		}
	}
	b.ReportMetric(float64(sites)*float64(b.N)/b.Elapsed().Seconds(), "sites/s")
}
