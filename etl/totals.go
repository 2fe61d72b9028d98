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

// reconciled are the levels whose totals add up to those of the US sheet.
// Generators do not, in EPA's own files.
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

// totals are the measures that are compared.
var totals = []egrid.Column{egrid.NetGeneration, egrid.HeatInput, egrid.CO2, egrid.NOx, egrid.SO2}

// compareTotal allows for each row to be rounded to a whole unit.
func compareTotal(ctx context.Context, db *store.DB, s *SheetReport) (egrid.Audit, error) {
	audit := egrid.Audit{Rule: "total_differs_from_us_sheet", Severity: egrid.Warning}
	us, _, err := totalsOf(ctx, db, egrid.US, s)
	if errors.Is(err, egrid.ErrNotFound) {
		return audit, nil
	}
	if err != nil {
		return audit, err
	}
	own, rows, err := totalsOf(ctx, db, s.Level, s)
	if err != nil {
		return audit, err
	}
	for _, c := range totals {
		a, ok := own.Float(c)
		b, also := us.Float(c)
		if ok && also && math.Abs(a-b) > 0.5*float64(rows)+1 {
			audit.Count++
			audit.Examples = append(audit.Examples, fmt.Sprintf("%s: %s has %s, the US sheet %s", c, s.Level, own.Value(c), us.Value(c)))
		}
	}
	return audit, nil
}

// totalsOf sums up a level; the zero row where there is nothing.
func totalsOf(ctx context.Context, db *store.DB, level egrid.Level, s *SheetReport) (sums egrid.Row, rows int64, err error) {
	release := s.Release
	if release == "" {
		release = egrid.NoRelease
	}
	measures := []egrid.Measure{{Func: egrid.Count}}
	for _, c := range totals {
		measures = append(measures, egrid.Measure{Func: egrid.Sum, Column: c})
	}
	page, err := db.Groups(ctx, egrid.GroupQuery{Level: level, Year: s.Year, Release: release, Measures: measures})
	if err != nil || page.Len() == 0 {
		return egrid.Row{}, 0, err
	}
	rows, _ = page.Row(0).Int("rows")
	return page.Row(0), rows, nil
}
