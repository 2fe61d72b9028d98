package etl_test

import (
	"path/filepath"
	"slices"
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
