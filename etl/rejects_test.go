package etl_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
)

// TestRejectGroups counts every rejected record once, whichever way it is read,
// in however many chunks, and keeps a bounded number of groups.
func TestRejectGroups(t *testing.T) {
	t.Parallel()
	text := generators
	for i := range 60 { // reasons of their own
		text += "2023,TX,Alpha,1,9,1" + strings.Repeat(",x", i+1) + "\n"
	}
	for i := range 5 {
		text += "2023,TX,Alpha,1,9,many\n" + fmt.Sprint(1066+i) + ",TX,Alpha,1,9,1\n2022,TX,Alpha,1,9,few\n"
	}
	const rejected = 60 + 15
	for _, chunk := range []int64{20, 1 << 20} {
		dir := folder(t, map[string]string{"GEN.csv": text})
		loaded, _ := run(t, etl.Local(dir), &etl.Options{ChunkBytes: chunk})
		p := etl.New(etl.Local(filepath.Join(dir, "GEN.csv")), nil, &etl.Options{ChunkBytes: chunk})
		scanned, err := p.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checked, err := p.Validate(t.Context(), scanned)
		if err != nil {
			t.Fatal(err)
		}
		for name, report := range map[string]etl.Report{"loaded": loaded, "checked": checked.Report()} {
			counted, groups := int64(0), map[string]int64{}
			for _, s := range report.Files[0].Sheets {
				own := int64(0)
				for _, g := range s.Rejects {
					own += g.Count
					groups[fmt.Sprint(g.Column, " ", g.Reason)] += g.Count
					if g.Line == 0 || g.Remedy == "" || g.Reason == "" {
						t.Errorf("%s: no place or remedy in %+v", name, g)
					}
				}
				if counted += own; own != s.Rejected {
					t.Errorf("%s: %d rejected, %d in groups", name, s.Rejected, own)
				}
				if len(s.Rejects) > 51 {
					t.Errorf("%s: %d groups", name, len(s.Rejects))
				}
			}
			if counted != rejected || report.RowsRejected != rejected {
				t.Errorf("%s in chunks of %d: %d in groups, %d in all; want %d: %v", name, chunk, counted, report.RowsRejected, rejected, groups)
			}
		}
	}
}

// TestRejectedYears: years that cannot be have one reason, whatever they are.
func TestRejectedYears(t *testing.T) {
	t.Parallel()
	report, _ := run(t, etl.Local(folder(t, map[string]string{"GEN.csv": generators + "1066,TX,A,1,1,5\n1067,TX,A,1,1,5\n990,TX,A,1,1,5\n"})), &etl.Options{Publish: driver.PublishReplace})
	var groups []etl.RejectGroup
	for _, s := range report.Files[0].Sheets {
		groups = append(groups, s.Rejects...)
	}
	if len(groups) != 1 || groups[0].Count != 3 || groups[0].Value != "1066" || !strings.HasPrefix(groups[0].Reason, "data year ... is not in 1990-") {
		t.Errorf("got %+v", groups)
	}
}

// TestLeftOut: what is no eGRID sheet is left out, unless it is the file that a
// person named.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	const notes = "name,remark\nAlpha,to be asked\n"
	const half = "YEAR,PSTATABB,PNAME,mine,yours,theirs,ours,hers\n2023,TX,Alpha,1,2,3,4,5\n" // may be a sheet that needs a mapping
	dir := folder(t, map[string]string{
		"in/GEN23.csv": generators, "in/README.csv": notes, "half/half.csv": half, "half/GEN23.csv": generators,
		"sheets.zip": zipped(t, "GEN23.csv", generators, "contents.csv", notes), "notes.zip": zipped(t, "contents.csv", notes),
		"none/README.csv": notes,
	})
	for _, test := range []struct {
		path     string
		status   etl.Status
		complete bool
		sheets   string
	}{
		{"in", etl.Published, true, "left_out published published"},
		{"in/README.csv", etl.Failed, false, "failed"},
		{"half", etl.Published, false, "failed published published"},
		{"sheets.zip", etl.Published, true, "left_out published published"},
		{"notes.zip", etl.Failed, false, "failed"},
		{"none", etl.Failed, true, "left_out"},
	} {
		report, _ := run(t, etl.Local(filepath.Join(dir, test.path)), nil)
		var statuses []string
		for _, f := range report.Files {
			for _, s := range f.Sheets {
				statuses = append(statuses, string(s.Status))
			}
		}
		if got := strings.Join(statuses, " "); report.Status != test.status || report.Complete() != test.complete || got != test.sheets {
			t.Errorf("%s: %s, complete %v, %s; want %s, %v, %s", test.path, report.Status, report.Complete(), got, test.status, test.complete, test.sheets)
		}
		if report.Failed() != (test.status == etl.Failed) {
			t.Errorf("%s: failed is %v", test.path, report.Failed())
		}
		if incidents := etl.ObjectIncidents(report); len(incidents) != strings.Count(test.sheets, "failed") {
			t.Errorf("%s: incidents %+v", test.path, incidents)
		}
	}
}
