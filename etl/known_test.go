package etl_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// TestKnownFigures: a check, a load and each stage by itself say whose figures a file has,
// once, and mark the same columns.
func TestKnownFigures(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t)
	for _, test := range []struct {
		file, name, from string
		lossy            []string
	}{
		{"2023/GEN23.csv", "EPA's eGRID2023 rev1 GEN sheet", "26601 rows and 4 columns compared", []string{}},
		{"2023/egridData.csv", "EPA's eGRID2023 rev1 GEN sheet", "26601 rows and 1 column compared; rounded: GENNTAN adds up to 4188971860 where theirs adds up to 4188971343.358", []string{"GENNTAN"}},
		{"2016/PLNT16-subset.csv", "EPA's eGRID2016 PLNT sheet", "9709 rows and 4 columns compared; rounded: NAMEPCAP adds up to", nil},
	} {
		source := etl.Local(filepath.Join(dir, test.file))
		store := memstore.New()
		p := etl.New(source, etl.ToLoader(store), &etl.Options{ChunkBytes: 100 << 10})
		scanned, err := p.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		validated, err := p.Validate(t.Context(), scanned)
		if err != nil {
			t.Fatal(err)
		}
		divided, err := p.Divide(t.Context(), validated)
		if err != nil {
			t.Fatal(err)
		}
		streamed, err := p.Stream(t.Context(), divided)
		if err != nil {
			t.Fatal(err)
		}
		staged, err := p.Report(t.Context(), streamed)
		if err != nil {
			t.Fatal(err)
		}
		loaded, _ := run(t, source, nil)
		for way, report := range map[string]etl.Report{"check": validated.Report(), "stages": staged, "load": loaded} {
			of := report.Files[0].Sheets[0]
			evidence := slices.DeleteFunc(slices.Clone(of.Evidence), func(e sheet.Evidence) bool { return e.Of != "figures" })
			if len(evidence) != 1 || evidence[0].Value != test.name || !strings.HasPrefix(evidence[0].From, test.from) {
				t.Errorf("%s, %s: evidence %+v; want one of %q, %q", test.file, way, evidence, test.name, test.from)
			}
			if test.lossy != nil && !slices.Equal(of.Lossy, test.lossy) {
				t.Errorf("%s, %s: lossy %q; want %q", test.file, way, of.Lossy, test.lossy)
			}
			if of.Release != "" {
				t.Errorf("%s, %s: figures name the release %q: a part of the file could not, and would stand beside it", test.file, way, of.Release)
			}
		}
		store.Close()
	}
}

// TestPlantedFaults: what cannot be true of EPA's plants is held on a first load, and a
// corrected plant is not.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testenv.Data(t), "2018", "v2_PLNT-assembled.csv"))
	if err != nil {
		t.Fatal(err)
	}
	sound, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(code string) int { return slices.Index(sound[1], code) }
	one := func(code, value string) func([][]string) {
		return func(rows [][]string) { rows[700][at(code)] = value }
	}
	all := func(code string, times float64) func([][]string) {
		return func(rows [][]string) {
			for _, row := range rows[2:] {
				if x, err := strconv.ParseFloat(row[at(code)], 64); err == nil {
					row[at(code)] = strconv.FormatFloat(x*times, 'f', -1, 64)
				}
			}
		}
	}
	for name, test := range map[string]struct {
		plant  func([][]string)
		reason string // empty: published
	}{
		"a latitude":    {one("LAT", "4123.4"), "impossible_latitude (plant 61620, line 701: latitude 4123.4)"},
		"a generation":  {one("PLNGENAN", "9e12"), "PLNGENAN adds up to 9004168"},
		"GWh for MWh":   {all("PLNGENAN", 1e-3), "1 total is more than twice what is known of the sheet, or less than half (EPA's eGRID2018 v2 PLNT sheet: PLNGENAN adds up to 4168370.117666"},
		"tonnes of kg":  {all("PLCO2AN", 907), "PLCO2AN adds up to"},
		"a plant twice": {func(rows [][]string) { copy(rows[5], rows[6]) }, "1 identifier is in several rows"},
		"a correction":  {one("PLNGENAN", "123"), ""},
		"no CO2 at all": {func(rows [][]string) {
			for _, row := range rows[2:] {
				row[at("PLCO2AN")] = ""
			}
		}, ""},
		"a large change": {all("PLCO2AN", 1.5), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := make([][]string, len(sound))
			for i := range sound {
				rows[i] = slices.Clone(sound[i])
			}
			test.plant(rows)
			var out strings.Builder
			if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
				t.Fatal(err)
			}
			report, _ := run(t, etl.Local(folder(t, map[string]string{"v2_PLNT18.csv": out.String()})), nil)
			of := report.Files[0].Sheets[0]
			if want := map[bool]etl.Status{true: etl.Published, false: etl.Held}[test.reason == ""]; of.Status != want || !strings.Contains(of.Reason, test.reason) {
				t.Errorf("%s, %q; want %s, %q", of.Status, of.Reason, want, test.reason)
			}
		})
	}
}
