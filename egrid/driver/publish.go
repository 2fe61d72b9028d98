package driver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// rejectedLimit is the part of the records that may be rejected before the file
// counts as misread.
const rejectedLimit = 0.01

// TooManyRejected reports whether so many records were rejected beside the rows that
// the file may have been misread.
func TooManyRejected(rows, rejected int64) bool {
	return float64(rejected) > rejectedLimit*float64(rows+rejected)
}

// Decide says what publishing a complete, audited stage does. published is the
// snapshot that readers see now, nil when there is none; compare says how the stage
// differs from it, and is called only where that matters. The reason is set when
// the answer is [egrid.Held]. Merging is the caller's work when the policy is
// [PublishMerge] and the answer is [egrid.Published].
//
// Automatic publishing replaces only when nothing published would be lost or
// changed in silence: every row and column is still there, no value is missing,
// rounder or another one, no hard rule is broken and at most 1 % of the records
// were rejected. What the published snapshot holds already is [egrid.Unchanged].
// [Settle] goes on where a stage with the published rows lacks columns or digits, and
// nothing else is against it: it combines the two.
func Decide(policy Policy, staged egrid.Snapshot, published *egrid.Snapshot, compare func() (Difference, error)) (egrid.Status, string, error) {
	switch {
	case published != nil && published.ID == staged.ID:
		return egrid.Unchanged, "", nil
	case staged.Rows == 0:
		return egrid.Held, "no row could be read", nil
	case policy == PublishHold:
		return egrid.Held, "held as asked", nil
	case policy == PublishReplace || policy == PublishMerge:
		return egrid.Published, "", nil
	}
	var reasons []string
	if TooManyRejected(staged.Rows, staged.Rejected) {
		reason := fmt.Sprintf("%d of %d records were rejected, more than 1 %%: look at the reasons, the file may have been misread", staged.Rejected, staged.Rows+staged.Rejected)
		if staged.RejectedFor != nil {
			reason += "; most often " + staged.RejectedFor.String()
		}
		reasons = append(reasons, reason)
	}
	for _, a := range staged.Audits {
		if a.Severity == egrid.Hard && a.Count > 0 {
			reasons = append(reasons, broken(a))
		}
	}
	if published != nil {
		if was, is := authorityOf(published), authorityOf(&staged); was != is {
			reasons = append(reasons, fmt.Sprintf("it is published by %s, and what is there by %s", is, was))
		}
		d, err := compare()
		if err != nil {
			return "", "", err
		}
		lost := d.Losses(published, &staged)
		if len(lost) == 0 && len(reasons) == 0 && d.adds(published, &staged) == 0 {
			return egrid.Unchanged, "", nil
		}
		reasons = append(reasons, lost...)
	}
	if len(reasons) > 0 {
		return egrid.Held, strings.Join(reasons, "; "), nil
	}
	return egrid.Published, "", nil
}

// broken says how a hard rule is broken.
func broken(a egrid.Audit) string {
	named := a.Examples[:min(len(a.Examples), maxExamples)]
	switch {
	case a.Rule == duplicateKey:
		return fmt.Sprintf("%s in several rows, where a sheet has one row of each (%s)", are(a.Count, "identifier"), examples(named, a.Count))
	case a.Rule == ContradictsTotal:
		return fmt.Sprintf("%s more than twice what is known of the sheet, or less than half (%s)", are(a.Count, "total"), strings.Join(named, "; "))
	case a.Count == 1:
		return fmt.Sprintf("1 row breaks the rule %s (%s)", a.Rule, strings.Join(named, "; "))
	}
	return fmt.Sprintf("%d rows break the rule %s (%s)", a.Count, a.Rule, examples(named[:min(len(named), 1)], a.Count))
}

// adds counts what the new snapshot has more than the old one.
func (d *Difference) adds(old, new *egrid.Snapshot) int64 {
	n := d.Added + int64(len(d.ColumnsAdded)) + d.Cells.Filled + d.Cells.Finer
	for _, c := range old.Lossy {
		if new.Schema.Has(c) && !slices.Contains(new.Lossy, c) {
			n++
		}
	}
	return n
}

// Losses says what would be lost or changed if one snapshot took the place of
// another: nothing, or a sentence for each kind.
func (d *Difference) Losses(old, new *egrid.Snapshot) []string {
	var lost []string
	if d.Identifier == nil {
		lost = append(lost, fmt.Sprintf("no identifier in common: published rows have %s, these have %s", identifierOf(old), identifierOf(new)))
	}
	if d.Lost > 0 {
		lost = append(lost, fmt.Sprintf("it lacks %s of %d (%s)", counted(d.Lost, "published row"), d.Lost+d.Rows, examples(d.LostKeys, d.Lost)))
	}
	if len(d.ColumnsLost) > 0 {
		lost = append(lost, fmt.Sprintf("it lacks published columns (%s)", listOf(d.ColumnsLost)))
	}
	if n := d.Cells.Blanked; n > 0 {
		lost = append(lost, fmt.Sprintf("it lacks %s (%s)", counted(n, "published value"), d.columns(func(c ColumnDifference) int64 { return c.Blanked })))
	}
	if n := d.Cells.Rounder; n > 0 {
		lost = append(lost, fmt.Sprintf("%s rounded where the published ones are not (%s)", are(n, "value"), d.columns(func(c ColumnDifference) int64 { return c.Rounder })))
	}
	if n := d.Cells.Changed; n > 0 {
		text := fmt.Sprintf("%s from the published ones, in %d of %s that both have (%s)", differ(n), d.Changed, counted(d.Rows, "row"),
			d.columns(func(c ColumnDifference) int64 { return c.Changed }))
		if d.Largest != nil {
			text += "; the largest change is " + d.Largest.String()
		}
		lost = append(lost, text+"; if this is another release, name it with --release")
	}
	return lost
}

// String tells of the change, with its size.
func (c CellChange) String() string {
	text := fmt.Sprintf("%s of %s: %s to %s", c.Column, c.Key, forPeople(c.From), forPeople(c.To))
	if x, ok := c.Relative(); ok && c.From != egrid.NumberOf(0) {
		text += " (" + egrid.Percent(x) + ")"
	}
	return text
}

// forPeople writes a cell on one line that is not too long.
func forPeople(v egrid.Value) string {
	const most = 60
	text := []rune(strings.Join(strings.Fields(v.String()), " "))
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}

// columns lists the columns for which a count is not 0.
func (d *Difference) columns(count func(ColumnDifference) int64) string {
	var columns []egrid.Column
	for _, c := range d.Columns {
		if count(c) > 0 {
			columns = append(columns, c.Column)
		}
	}
	if more := len(columns) - maxExamples; more > 0 {
		return fmt.Sprintf("%s and %d more columns", listOf(columns[:maxExamples]), more)
	}
	return listOf(columns)
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func are(n int64, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return counted(n, what) + " are"
}

func differ(n int64) string {
	if n == 1 {
		return "1 value differs"
	}
	return fmt.Sprintf("%d values differ", n)
}

func examples(keys []string, of int64) string {
	text := strings.Join(keys, ", ")
	if int64(len(keys)) < of {
		text += ", ..."
	}
	return text
}

// Shelf is what publishing needs of a store, within one transaction of it.
type Shelf interface {
	// Open finds the sheet of a snapshot, or of a stage; see also [Stand].
	Open(ctx context.Context, s *egrid.Snapshot) (Sheet, error)
	// Write makes the rows of a snapshot, which has none yet, under its stage id.
	Write(ctx context.Context, p *Part) error
	// Record keeps what the catalogue says of a snapshot. Its status does not
	// change, but a stage may become held.
	Record(ctx context.Context, s *egrid.Snapshot) error
	// Drop removes a stage, or a held load, with its rows. One that is not there, see
	// [Stand], is no error.
	Drop(ctx context.Context, id egrid.StageID) error
}

// Sheet is where a store keeps the rows of a snapshot.
type Sheet struct {
	// Rows yields the rows in their order: all, or those whose numbers are from
	// after+1 to last, where last is not 0.
	Rows func(after, last int64) iter.Seq2[*egrid.Batch, error]
	// Some yields the rows with these numbers, some thousand that ascend, in their
	// order.
	Some func(numbers []int64) iter.Seq2[*egrid.Batch, error]
	// Outline is that of its rows; nil where it is not known.
	Outline *Outline
	// Only is the same sheet with some of its columns, in their order; nil where a store
	// reads all of them anyway.
	Only func(columns []egrid.Column) Sheet
}

// Settle publishes stages, or holds them: what every store does alike. The stages
// are complete and audited, those of one request in its order; c is the catalogue
// of the transaction.
//
// Where the status of the report is [egrid.Published], the snapshot in it is to be
// made the one that readers see, which is left to the store. In all other cases
// nothing is left to do.
func Settle(ctx context.Context, shelf Shelf, c egrid.Catalog, stages []egrid.Snapshot, policy Policy) (PublishReport, error) {
	s := settlement{ctx: ctx, shelf: shelf, catalog: c, policy: policy}
	first := &stages[0]
	if live, ok := c.Published(first.Level, first.Year, first.Release); ok {
		s.live = &live
	}
	if len(stages) == 1 {
		return s.settle(Part{Snapshot: *first}, stages)
	}
	parts := make([]Part, len(stages))
	ids := make([]egrid.StageID, len(stages))
	for i := range stages {
		if x := &stages[i]; x.Level != first.Level || x.Year != first.Year || x.Release != first.Release || slices.Contains(ids[:i], x.Stage) {
			return PublishReport{}, fmt.Errorf("%w: stage %s cannot be judged together with %s: it is the same, or of another level, data year or release", egrid.ErrInvalid, x.Stage, first.Stage)
		}
		var err error
		if parts[i], err = s.read(stages[i]); err != nil {
			return PublishReport{}, err
		}
		ids[i] = stages[i].Stage
	}
	combined, apart, err := Combine(parts...)
	if errors.Is(err, egrid.ErrConflict) {
		return s.apart(stages, err)
	}
	if err != nil {
		return PublishReport{}, err
	}
	joined := slices.DeleteFunc(slices.Clone(stages), func(x egrid.Snapshot) bool {
		return slices.ContainsFunc(apart, func(a Apart) bool { return a.Stage == x.Stage })
	})
	s.result = CombinedID(ids...)
	report, err := s.settle(combined, joined)
	if s.result = ""; report.Status == egrid.Published {
		s.live = &report.Snapshot
	}
	for _, a := range apart {
		i := slices.Index(ids, a.Stage)
		if err == nil {
			err = s.setApart(&report, stages[i], a.Reason)
		}
	}
	return report, err
}

// Settled answers a request for stages one of which is missing, or incomplete: with
// the published snapshot that was made of them before, as when an order comes
// twice, else with the error.
func Settled(c egrid.Catalog, id egrid.StageID, r PublishRequest, err error) (PublishReport, error) {
	result := r.Result(id)
	i := slices.IndexFunc(c.Snapshots, func(s egrid.Snapshot) bool { return s.Status == egrid.Published && s.Is(result) })
	if i < 0 || !errors.Is(err, egrid.ErrNotFound) && !errors.Is(err, egrid.ErrIncomplete) {
		return PublishReport{}, err
	}
	return PublishReport{Status: egrid.Unchanged, Snapshot: c.Snapshots[i]}, nil
}

// Known returns what is or was published of a load: the snapshot that it became, or
// one that was found to have its content. Of several it is the published one. Such
// a load needs no stage any more; see also [Stand].
func Known(c egrid.Catalog, id egrid.StageID) (egrid.Snapshot, bool) {
	at := -1
	for i := range c.Snapshots {
		if s := &c.Snapshots[i]; s.Status != egrid.Held && s.Is(id) && (at < 0 || s.Status == egrid.Published) {
			at = i
		}
	}
	if at < 0 {
		return egrid.Snapshot{}, false
	}
	return c.Snapshots[at], true
}

// NeedsNoStage reports whether a load is published, or was found to have the
// content of what is: its chunks are duplicates, and no stage is opened for them.
func NeedsNoStage(c egrid.Catalog, id egrid.StageID) bool {
	s, ok := Known(c, id)
	return ok && s.Status == egrid.Published
}

// Stand returns the snapshot that stands for a stage which a request names and the
// store does not have, since it was found to have the content of a snapshot. Judged
// alone it is that snapshot; judged together with others it keeps its own id and
// source, and a [Shelf] finds its rows where those of [Known] are.
func Stand(c egrid.Catalog, id egrid.StageID, r PublishRequest) (egrid.Snapshot, bool) {
	s, ok := Known(c, id)
	if !ok || s.Stage == id || len(r.With) == 0 {
		return s, ok
	}
	i := slices.IndexFunc(s.Confirmed, func(src egrid.Source) bool { return src.ID == id })
	s.Stage, s.Status, s.Sources, s.Confirmed = id, egrid.Published, s.Confirmed[i:i+1], nil
	return s, true
}

// Again returns a held snapshot as it was before it was held, to be decided on
// once more.
func Again(held egrid.Snapshot) egrid.Snapshot {
	held.Status, held.Reason, held.Choices = egrid.Published, "", nil
	return held
}

// ReadSnapshot yields all rows of a published, superseded or held snapshot, in their
// order. Errors: those of Scan.
func ReadSnapshot(ctx context.Context, from Scanner, s egrid.Snapshot) iter.Seq2[*egrid.Batch, error] {
	return func(yield func(*egrid.Batch, error) bool) {
		s.Status = egrid.Published
		p, err := PlanRows(egrid.Catalog{Snapshots: []egrid.Snapshot{s}}, egrid.RowQuery{Level: s.Level, Year: egrid.AllYears, Columns: s.Schema.Columns()})
		if err != nil {
			yield(nil, err)
			return
		}
		p.Limit = 0
		from.Scan(ctx, p)(yield)
	}
}

// settlement is one call of Settle.
type settlement struct {
	ctx     context.Context // of the call that the settlement lives for
	shelf   Shelf
	catalog egrid.Catalog
	live    *egrid.Snapshot // nil when nothing is published
	policy  Policy

	unmergeable bool          // merging cannot decide on it
	result      egrid.StageID // that a request of several stages is known by; empty of one
}

func (s *settlement) read(snap egrid.Snapshot) (Part, error) {
	p := Part{Snapshot: snap}
	sheet, err := s.shelf.Open(s.ctx, &snap)
	if err != nil {
		return p, err
	}
	for b, err := range sheet.Rows(0, 0) {
		if err != nil {
			return p, err
		}
		p.Batches = append(p.Batches, b)
	}
	return p, nil
}

// compare says what a part has otherwise than what is published. Where the
// outlines of both are known, it reads only the rows in which they differ.
func (s *settlement) compare(p *Part) (Difference, error) {
	old, err := s.shelf.Open(s.ctx, s.live)
	if err != nil {
		return Difference{}, err
	}
	if p.Batches != nil {
		return Compare(Rows{Snapshot: *s.live, Batches: old.Rows(0, 0)}, RowsOf(p.Snapshot, p.Batches...), nil)
	}
	staged, err := s.shelf.Open(s.ctx, &p.Snapshot)
	if err != nil {
		return Difference{}, err
	}
	from, to := Rows{Snapshot: *s.live}, Rows{Snapshot: p.Snapshot}
	if old.Outline != nil && staged.Outline != nil && old.Only != nil && staged.Only != nil {
		if columns := differing(p.Level, old.Outline, s.live.Schema, staged.Outline, p.Schema); columns != nil {
			from.Schema, to.Schema = narrow(s.live.Schema, columns), narrow(p.Schema, columns)
			outlines := [2]*Outline{old.Outline, staged.Outline}
			old, staged = old.Only(columns), staged.Only(columns)
			old.Outline, staged.Outline = outlines[0], outlines[1]
		}
	}
	unlike, same := []span{{}}, int64(0)
	if old.Outline != nil && staged.Outline != nil {
		from.Places, to.Places = old.Outline.Places, staged.Outline.Places
		if old.Outline.comparable(s.live.Schema, staged.Outline, p.Schema) {
			unlike, same = old.Outline.unlike(staged.Outline)
		}
	}
	from.Batches, to.Batches = old.spans(unlike), staged.spans(unlike)
	d, err := Compare(from, to, nil)
	d.Rows += same
	return d, err
}

// settle decides on a part, which was made of stages.
func (s *settlement) settle(p Part, stages []egrid.Snapshot) (PublishReport, error) {
	var difference *Difference
	status, reason, err := Decide(s.policy, p.Snapshot, s.live, func() (Difference, error) {
		d, err := s.compare(&p)
		s.unmergeable, difference = d.Unidentified > 0, &d
		return d, err
	})
	if err != nil {
		return PublishReport{}, err
	}
	merges := status == egrid.Published && s.policy == PublishMerge && s.live != nil
	completed := ""
	if status == egrid.Held && difference != nil && s.completes(&p, *difference) {
		whole, holds, err := s.complete(p, *difference)
		switch {
		case err != nil:
			return PublishReport{}, err
		case holds:
			status, merges = egrid.Unchanged, true
		case whole != nil:
			p, status, merges, completed = *whole, egrid.Published, true, completes
		}
	}
	if merges && completed == "" && status == egrid.Published {
		merged, err := s.merge(p)
		switch {
		case errors.Is(err, egrid.ErrInvalid):
			s.unmergeable = true
			status, reason, merges = egrid.Held, strings.TrimPrefix(err.Error(), egrid.ErrInvalid.Error()+": "), false
		case err != nil:
			return PublishReport{}, err
		default:
			p = merged
		}
	}
	if status == egrid.Held {
		return s.hold(p, stages, reason)
	}
	if s.live != nil && (status == egrid.Unchanged || p.ID == s.live.ID) {
		return PublishReport{Status: egrid.Unchanged, Snapshot: *s.live}, s.again(s.live, p, stages, merges)
	}
	if s.result != "" && p.Stage != s.result && !merges {
		Confirm(&p.Snapshot, egrid.Source{ID: s.result, Object: p.name()}) // of several stages it is the only one left
	}
	report := PublishReport{Status: egrid.Published, Reason: completed, Snapshot: p.Snapshot}
	if i := slices.IndexFunc(s.catalog.Snapshots, func(x egrid.Snapshot) bool { return x.ID == p.ID && x.Status == egrid.Superseded }); i >= 0 {
		report.Snapshot = s.catalog.Snapshots[i]
		return report, s.again(&report.Snapshot, p, stages, merges)
	}
	return report, s.write(p, stages)
}

// completes says what became of a load that completed what was published.
const completes = "it has the published rows, and no value differs: what either of the two lacks, the other one gives"

// completes reports whether a part may complete what is published: it has the same rows,
// none of its values contradicts a published one, and it is held for nothing but what it
// lacks.
func (s *settlement) completes(p *Part, d Difference) bool {
	if d.Identifier == nil || d.Added > 0 || d.Lost > 0 || d.Cells.Changed > 0 {
		return false
	}
	d.ColumnsLost, d.Cells.Rounder, d.Cells.Blanked = nil, 0, 0
	status, _, err := Decide(s.policy, p.Snapshot, s.live, func() (Difference, error) { return d, nil })
	return err == nil && status != egrid.Held
}

// complete combines a part with what is published, as one run of both would. It is nil
// where the part adds nothing, or contradicts it; holds says that the part is one of
// those that what is published was made of, and that all of it is still there.
func (s *settlement) complete(p Part, d Difference) (whole *Part, holds bool, err error) {
	if d.adds(s.live, &p.Snapshot) == 0 {
		made := len(p.Sources) == 1 && slices.ContainsFunc(s.live.Sources, func(src egrid.Source) bool { return src.ID == p.Sources[0].ID })
		return nil, made && len(s.live.Sources) > 1, nil
	}
	live, err := s.read(*s.live)
	if err != nil {
		return nil, false, err
	}
	if p.Batches == nil {
		if p, err = s.read(p.Snapshot); err != nil {
			return nil, false, err
		}
	}
	combined, apart, err := Combine(live, p)
	if errors.Is(err, egrid.ErrConflict) {
		return nil, false, nil
	}
	if err != nil || len(apart) > 0 || combined.ID == s.live.ID || combined.Rows != s.live.Rows {
		return nil, false, err
	}
	return &combined, false, nil
}

// write makes the rows of what was combined or merged, in the place of the stages.
// A stage has its own.
func (s *settlement) write(p Part, stages []egrid.Snapshot) error {
	if p.Stage == stages[0].Stage {
		return nil
	}
	if slices.ContainsFunc(s.catalog.Snapshots, func(x egrid.Snapshot) bool { return x.Stage == p.Stage }) { // it was held
		if err := s.shelf.Drop(s.ctx, p.Stage); err != nil {
			return err
		}
	}
	if err := s.shelf.Write(s.ctx, &p); err != nil {
		return err
	}
	return s.drop(stages, p.Stage)
}

func (s *settlement) merge(p Part) (Part, error) {
	live, err := s.read(*s.live)
	if err != nil {
		return p, err
	}
	if p.Batches == nil {
		if p, err = s.read(p.Snapshot); err != nil {
			return p, err
		}
	}
	return Merge(live, p)
}

// again says of a snapshot where the same content came from again, and drops the
// stages that had it. What was merged into it is one of its sources; what equals
// it has confirmed it.
func (s *settlement) again(snap *egrid.Snapshot, p Part, stages []egrid.Snapshot, merged bool) error {
	told := len(snap.Sources) + len(snap.Confirmed)
	switch {
	case merged:
		snap.Sources = slices.Clone(snap.Sources)
		for _, from := range p.Sources {
			if !slices.ContainsFunc(snap.Sources, func(have egrid.Source) bool { return have.ID == from.ID }) {
				snap.Sources = append(snap.Sources, from)
			}
		}
	case len(p.Sources) == 1:
		Confirm(snap, p.Sources[0])
	}
	if s.result != "" && !merged {
		Confirm(snap, egrid.Source{ID: s.result, Object: p.name()})
	}
	if err := s.drop(stages, snap.Stage); err != nil || told == len(snap.Sources)+len(snap.Confirmed) && snap.Stage == p.Stage {
		return err
	}
	return s.shelf.Record(s.ctx, snap)
}

// drop removes stages that are no snapshots of their own.
func (s *settlement) drop(stages []egrid.Snapshot, but egrid.StageID) error {
	for i := range stages {
		if id := stages[i].Stage; id != but && !s.shown(id) {
			if err := s.shelf.Drop(s.ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown reports whether a stage is or was published.
func (s *settlement) shown(id egrid.StageID) bool {
	return slices.ContainsFunc(s.catalog.Snapshots, func(x egrid.Snapshot) bool { return x.Stage == id && x.Status != egrid.Held })
}

// hold keeps a part back. One that was published before stays superseded.
func (s *settlement) hold(p Part, stages []egrid.Snapshot, reason string) (PublishReport, error) {
	if known, ok := Known(s.catalog, p.Stage); ok && known.ID == p.ID && known.Stage != p.Stage && p.Stage == stages[0].Stage {
		p.Snapshot = known // which stood for the stage, see Stand
		stages = []egrid.Snapshot{known}
	}
	report := PublishReport{Status: egrid.Held, Snapshot: p.Snapshot}
	report.Reason, report.Snapshot.Choices = reason, s.choices(&p.Snapshot)
	held := &report.Snapshot
	if held.Reason, held.DecidedAt = report.Reason, time.Now().UTC(); !s.shown(p.Stage) {
		held.Status = egrid.Held
	}
	if err := s.write(p, stages); err != nil {
		return report, err
	}
	return report, s.shelf.Record(s.ctx, held)
}

// apart holds stages that contradict each other, each for itself.
func (s *settlement) apart(stages []egrid.Snapshot, conflict error) (PublishReport, error) {
	report := PublishReport{Status: egrid.Held}
	for i := range stages {
		if err := s.setApart(&report, stages[i], conflict); err != nil {
			return report, err
		}
	}
	report.Reason, report.Snapshot = report.Apart[0].Reason, report.Apart[0].Snapshot
	return report, nil
}

// setApart holds a stage for itself. What is published already stays so.
func (s *settlement) setApart(report *PublishReport, stage egrid.Snapshot, why error) error {
	p, stages := Part{Snapshot: stage}, []egrid.Snapshot{stage}
	if s.live != nil && p.ID == s.live.ID {
		report.Apart = append(report.Apart, PublishReport{Status: egrid.Unchanged, Snapshot: *s.live})
		return s.again(s.live, p, stages, false)
	}
	held, err := s.hold(p, stages, strings.TrimPrefix(why.Error(), egrid.ErrConflict.Error()+": ")+
		"; leave one of the files out, or name another release with --release, and load again; or decide on each")
	report.Apart = append(report.Apart, held)
	return err
}

// choices are the commands that decide on a held load.
func (s *settlement) choices(held *egrid.Snapshot) []egrid.Choice {
	id := string(held.Stage)
	discard := egrid.Choice{Command: "egrid discard " + id, Does: "drops it"}
	switch {
	case held.Rows == 0:
		return []egrid.Choice{discard}
	case s.shown(held.Stage):
		return []egrid.Choice{{Command: "egrid publish " + string(held.ID), Does: "makes it the published one again"}}
	case s.live == nil:
		return []egrid.Choice{{Command: "egrid publish " + id, Does: "publishes it"}, discard}
	}
	choices := []egrid.Choice{{Command: "egrid publish " + id, Does: "replaces what is published"}}
	common := func(c egrid.Column) bool { return held.Schema.Has(c) && s.live.Schema.Has(c) }
	if !s.unmergeable && egrid.Identifier(held.Level, common) != nil {
		choices = append(choices, egrid.Choice{Command: "egrid publish --merge " + id, Does: "updates and adds rows by identifier, and removes none"})
	}
	return append(choices, discard)
}
