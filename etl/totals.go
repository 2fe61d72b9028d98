package etl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// reconciled are the levels whose net generation adds up to that of the US
// sheet. Generators do not, in EPA's own files.
var reconciled = []egrid.Level{egrid.PLNT, egrid.ST, egrid.BA, egrid.SRL, egrid.NRL}

// auditTotals compares what was published with the US sheet of the same data
// year and release, where there is one, and adds what it finds to the reports
// of the sheets.
func auditTotals(ctx context.Context, db *store.DB, r *Report) error {
	for i := range r.Files {
		for j := range r.Files[i].Sheets {
			s := &r.Files[i].Sheets[j]
			if s.Status != Published || !slices.Contains(reconciled, s.Level) {
				continue
			}
			audit, err := compareTotal(ctx, db, s)
			if err != nil {
				return err
			}
			if audit.Count > 0 {
				s.Audits = append(s.Audits, audit)
				r.Audits = driver.MergeAudits(r.Audits, []egrid.Audit{audit})
			}
		}
	}
	return nil
}

// compareTotal allows for each row to be rounded to a whole MWh.
func compareTotal(ctx context.Context, db *store.DB, s *SheetReport) (egrid.Audit, error) {
	audit := egrid.Audit{Rule: "total_differs_from_us_sheet", Severity: egrid.Warning}
	us, _, err := totalOf(ctx, db, egrid.US, s)
	if errors.Is(err, egrid.ErrNotFound) || err == nil && us.IsMissing() {
		return audit, nil
	}
	if err != nil {
		return audit, err
	}
	own, rows, err := totalOf(ctx, db, s.Level, s)
	if err != nil || own.IsMissing() {
		return audit, err
	}
	a, _ := own.Float()
	b, _ := us.Float()
	if math.Abs(a-b) > 0.5*float64(rows)+1 {
		audit.Count = 1
		audit.Examples = []string{fmt.Sprintf("%s has %s MWh, the US sheet %s", s.Level, own, us)}
	}
	return audit, nil
}

func totalOf(ctx context.Context, db *store.DB, level egrid.Level, s *SheetReport) (total egrid.Value, rows int64, err error) {
	release := s.Release
	if release == "" {
		release = egrid.NoRelease
	}
	page, err := db.Groups(ctx, egrid.GroupQuery{Level: level, Year: s.Year, Release: release,
		Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}, {Func: egrid.Count}}})
	if err != nil || page.Len() == 0 {
		return egrid.Value{}, 0, err
	}
	rows, _ = page.Row(0).Int("rows")
	return page.Row(0).Value(egrid.NetGeneration), rows, nil
}
