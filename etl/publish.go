package etl

import (
	"context"
	"fmt"
	"slices"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// editions groups loads by level, data year and release, in the order of their
// first ones. What is of one group is judged together.
func editions(loads []Load) [][]int {
	var groups [][]int
	for i := range loads {
		at := slices.IndexFunc(groups, func(group []int) bool {
			a, b := &loads[group[0]].Spec, &loads[i].Spec
			return a.Level == b.Level && a.Year == b.Year && a.Release == b.Release
		})
		if at < 0 {
			groups = append(groups, []int{i})
		} else {
			groups[at] = append(groups[at], i)
		}
	}
	return groups
}

// outcome is what became of a load.
type outcome struct {
	driver.PublishReport
	rows int64 // of the snapshot that are this load's
}

// publish publishes loads of one level, data year and release together, or holds
// them.
func (p *Pipeline) publish(ctx context.Context, loads []Load, together []int, outcomes []outcome) error {
	first := &loads[together[0]]
	request := driver.PublishRequest{Policy: p.o.Publish, Chunks: first.Chunks, Rows: first.Rows}
	for _, i := range together[1:] {
		id := loads[i].Spec.ID()
		if !slices.ContainsFunc(request.Stages(first.Spec.ID()), func(p driver.StagePart) bool { return p.ID == id }) {
			request.With = append(request.With, driver.StagePart{ID: id, Chunks: loads[i].Chunks, Rows: loads[i].Rows})
		}
	}
	published, err := p.sink.Publish(ctx, first.Spec, request)
	if err != nil {
		return fmt.Errorf("publish %s %d of %s: %w", first.Spec.Level, first.Spec.Year, first.Object.Name, err)
	}
	told := map[egrid.StageID]bool{}
	for _, i := range together {
		id := loads[i].Spec.ID()
		switch {
		case told[id]:
			outcomes[i].PublishReport = driver.PublishReport{Status: egrid.Unchanged, Reason: "another file of the run has the same bytes"}
		case apart(&published, id) != nil:
			outcomes[i].PublishReport = *apart(&published, id)
		case published.Status == egrid.Published && published.Reason != "": // it completed what was there
			outcomes[i] = outcome{published, rowsFrom(&published.Snapshot, id)}
		case len(request.With) == 0 || published.Status != egrid.Published:
			outcomes[i] = outcome{published, loads[i].Rows}
		default:
			outcomes[i] = ofSource(&published, id)
		}
		told[id] = true
	}
	return nil
}

// apart finds a load that was not combined with the others; nil where it was.
func apart(published *driver.PublishReport, id egrid.StageID) *driver.PublishReport {
	i := slices.IndexFunc(published.Apart, func(r driver.PublishReport) bool { return r.Snapshot.Is(id) })
	if i < 0 {
		return nil
	}
	return &published.Apart[i]
}

// rowsFrom are how many rows of a snapshot are first of a load.
func rowsFrom(s *egrid.Snapshot, id egrid.StageID) int64 {
	at := slices.IndexFunc(s.Sources, func(src egrid.Source) bool { return src.ID == id })
	if at < 0 {
		return 0
	}
	return s.Sources[at].Rows
}

// ofSource is what became of one of several loads that were combined.
func ofSource(published *driver.PublishReport, id egrid.StageID) outcome {
	o := outcome{PublishReport: *published}
	at := slices.IndexFunc(published.Snapshot.Sources, func(s egrid.Source) bool { return s.ID == id })
	if at < 0 || published.Snapshot.Stage == id { // the others are apart
		o.rows = published.Snapshot.Rows
		return o
	}
	source := &published.Snapshot.Sources[at]
	switch o.rows = source.Rows; {
	case source.Rows == 0 && source.Cells == 0:
		o.Status, o.Reason = egrid.Unchanged, "all that it says is in the other files of the run"
	case source.Rows == 0:
		o.Reason = fmt.Sprintf("it has the rows of other files of the run, and completes them by %d values", source.Cells)
	}
	return o
}
