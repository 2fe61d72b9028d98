package etl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
)

// A year in display format does not make the other one of its file rounded, in a
// load and in a dry run.
func TestRoundedByDataYear(t *testing.T) {
	t.Parallel()
	const header = "Year,NERC,NRNGENAN,NRGENAGT\n"
	const exact = "2018,ASCC,5319362.15,0\n2018,HICC,9553748.995,110089\n"
	const shown = "2019,ASCC,\"6,002,541\",0\n2019,HICC,\"10,141,305\",5\n"
	for name, text := range map[string]string{"exact first": header + exact + shown, "exact last": header + shown + exact} {
		dir := folder(t, map[string]string{"NERC.csv": text})
		p := etl.New(etl.Local(dir), nil, nil)
		scanned, err := p.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checked, err := p.Validate(t.Context(), scanned)
		if err != nil {
			t.Fatal(err)
		}
		report, _ := run(t, etl.Local(dir), &etl.Options{ChunkBytes: 40})
		for _, report := range []etl.Report{checked.Report(), report} {
			var got []string
			for _, s := range report.Files[0].Sheets {
				got = append(got, fmt.Sprint(s.Year, s.Lossy))
			}
			slices.Sort(got)
			if want := []string{"2018 []", "2019 [NRNGENAN]"}; !slices.Equal(got, want) {
				t.Errorf("%s, %s: rounded %q; want %q", name, report.Status, got, want)
			}
		}
	}
}

// Notes and totals are no rows and no rejects; the snapshot tells of them, wherever
// the file is cut.
func TestNotesAreTold(t *testing.T) {
	t.Parallel()
	text := generators + strings.Repeat("2023,TX,Alpha,1,1,2\n", 20) + ",,Total,,,42\nSource: EPA eGRID,,,,,\n,,,,,\n\"Note, see the guide\"\n"
	dir := folder(t, map[string]string{"GEN.csv": text})
	plain, _ := run(t, etl.Local(dir), nil)
	for _, size := range []int64{1, 25, 50, 1 << 20} {
		report, _ := run(t, etl.Local(dir), &etl.Options{ChunkBytes: size})
		if report.Status != etl.Published || report.RowsRejected != plain.RowsRejected || report.RowsLoaded != plain.RowsLoaded {
			t.Errorf("chunks of %d: %v", size, sheetsOf(report))
		}
		i := slices.IndexFunc(report.Audits, func(a egrid.Audit) bool { return a.Rule == "not_a_row" })
		if i < 0 || report.Audits[i].Count != 3 || !strings.Contains(strings.Join(report.Audits[i].Examples, " "), "Source: EPA eGRID") {
			t.Errorf("chunks of %d: audits %+v", size, report.Audits)
		}
	}
}
