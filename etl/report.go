package etl

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Status is the outcome of a run, a file or a sheet.
type Status string

// The outcomes.
const (
	Published Status = "published" // readers see it
	Held      Status = "held"      // complete, but kept back; the reason says what decides
	Unchanged Status = "unchanged" // the same content is published already
	Failed    Status = "failed"    // it could not be loaded; the reason says why
	LeftOut   Status = "left_out"  // it is no eGRID sheet, and nobody named it; the reason says what it is
	DryRun    Status = "dry_run"   // it was checked and not loaded
)

// Report is the answer of the last stage.
type Report struct {
	RunID        string        `json:"run_id"`
	TraceID      string        `json:"trace_id,omitempty"` // of what the run logged, here and in consumers
	Status       Status        `json:"status"`             // held where a part is, else published where one is, else unchanged; failed where nothing is either
	Files        []FileReport  `json:"files"`
	RowsRead     int64         `json:"rows_read"`
	RowsLoaded   int64         `json:"rows_loaded"`
	RowsRejected int64         `json:"rows_rejected"`
	RejectsFile  *string       `json:"rejects_file"`
	Audits       []egrid.Audit `json:"audits"`
	Seconds      float64       `json:"duration_seconds"`

	chunks int64 // of all loads
}

// FileReport is what became of an object.
type FileReport struct {
	Object   string        `json:"object"`
	Location string        `json:"location"` // where its source opens it
	SHA256   string        `json:"sha256,omitempty"`
	Bytes    int64         `json:"bytes"`
	Sheets   []SheetReport `json:"sheets"` // one without a level, failed or left out, for what could not be read at all
}

// SheetReport is what became of one data year of a sheet.
type SheetReport struct {
	Sheet    string           `json:"sheet"`
	Level    egrid.Level      `json:"level"`
	Year     int              `json:"year"`
	Release  string           `json:"release"`
	Units    string           `json:"units"`    // of the file: us or metric
	Evidence []sheet.Evidence `json:"evidence"` // what told all this
	Read     int64            `json:"rows_read"`
	Loaded   int64            `json:"rows_loaded"` // 0 unless published
	Rejected int64            `json:"rows_rejected"`
	Rejects  []RejectGroup    `json:"rejected"`
	Unknown  []string         `json:"unknown_columns"` // headers that the dictionary does not know
	Lossy    []string         `json:"lossy_columns"`   // codes of columns that were rounded for display
	Status   Status           `json:"status"`
	Reason   string           `json:"reason"`            // why it is held, failed or left out
	Stage    egrid.StageID    `json:"stage,omitempty"`   // names a held load
	Choices  []egrid.Choice   `json:"choices,omitempty"` // what decides on it
	Audits   []egrid.Audit    `json:"audits"`

	before int64 // revision that published a held load before; 0 when none did
}

// Complete reports whether everything there was is loaded: nothing failed,
// rejected or held. What is left out does not count.
func (r Report) Complete() bool {
	return r.RowsRejected == 0 && !slices.ContainsFunc(r.Files, func(f FileReport) bool {
		return slices.ContainsFunc(f.Sheets, func(s SheetReport) bool { return s.Status == Held || s.Status == Failed })
	})
}

// Failed reports whether no sheet could be read.
func (r Report) Failed() bool {
	count := outcomes(r)
	return count[Published]+count[Held]+count[Unchanged]+count[DryRun] == 0
}

// Report completes what was streamed: it publishes or holds every load, and
// says what became of it. The answers of shares are to be joined before, see [Join].
//
// Where it is called by itself, as by an orchestrator, it is the stage in which
// Options.Runs learns of the run.
func (p *Pipeline) Report(ctx context.Context, s Streamed) (report Report, err error) {
	defer p.observe("report", time.Now(), &err)
	if s.Shared != nil {
		return report, fmt.Errorf("%w: this is the answer for share %s of run %s; join it with the others", egrid.ErrInvalid, s.Shared, s.ID)
	}
	ctx, end := s.stage(ctx, "report")
	defer func() { end(err) }()
	if recordOf(ctx) == nil {
		var finish func(Report, error)
		p, ctx, finish = p.recorded(ctx, s.RunInfo, cmp.Or(p.o.Trigger, driver.ByStages))
		defer func() { finish(report, err) }()
	}
	if err := p.putBlank(ctx, s.Loads); err != nil {
		return report, fmt.Errorf("report: %w", err)
	}
	report = Report{RunID: s.ID, TraceID: trace.FromContext(ctx).TraceID.String(), Files: []FileReport{}, Audits: []egrid.Audit{}}
	if s.RejectsFile != "" {
		report.RejectsFile = &s.RejectsFile
	}
	for i := range s.Refused {
		report.refuse(&s.Refused[i])
	}
	outcomes := make([]outcome, len(s.Loads))
	for _, together := range editions(s.Loads) {
		if err := p.publish(ctx, s.Loads, together, outcomes); err != nil {
			return report, err
		}
	}
	for i := range s.Loads {
		report.add(&s.Loads[i], &outcomes[i])
		report.chunks += int64(s.Loads[i].Chunks)
	}
	if db := p.db(); db != nil {
		if err := auditTotals(ctx, db, &report); err != nil {
			return report, fmt.Errorf("compare totals: %w", err)
		}
	}
	report.finish(s.Started)
	return report, nil
}

// db returns the store that the sink writes to; nil where it cannot be asked.
func (p *Pipeline) db() *store.DB {
	if sink, ok := p.sink.(answeringSink); ok {
		return sink.db()
	}
	return nil
}

// file finds the report of an object, or begins it.
func (r *Report) file(o Object, sha256 string) *FileReport {
	i := slices.IndexFunc(r.Files, func(f FileReport) bool { return f.Object == o.Name })
	if i < 0 {
		i = len(r.Files)
		r.Files = append(r.Files, FileReport{Object: o.Name, Location: o.Location, Bytes: o.Size, Sheets: []SheetReport{}})
	}
	if sha256 != "" {
		r.Files[i].SHA256 = sha256
	}
	return &r.Files[i]
}

func (r *Report) add(load *Load, published *outcome) {
	// What the sheet lacks, what is published may have by others.
	merged := published.Snapshot.Schema != nil && !load.Spec.Schema.Has(egrid.NetGeneration) && published.Snapshot.Schema.Has(egrid.NetGeneration)
	of := SheetReport{
		Sheet: load.Member, Level: load.Spec.Level, Year: load.Spec.Year, Release: load.Spec.Release,
		Units: load.Spec.Units, Evidence: union(slices.Clip(load.Evidence), ofFigures(published.Snapshot.Audits)), Rejects: load.Rejects, Unknown: codes(load.Spec.Schema, load.Unknown),
		Lossy: codes(load.Spec.Schema, published.Snapshot.Lossy), Status: Status(published.Status), Reason: published.Reason,
		Audits: auditMeasures(load.Spec.Level, load.Generation || merged, published.Snapshot.Audits),
	}
	switch of.Status {
	case Published:
		of.Loaded = published.rows
	case Held:
		of.Stage, of.Choices, of.before = published.Snapshot.Stage, published.Snapshot.Choices, published.Snapshot.Revision
	}
	r.append(r.file(load.Object, load.Spec.Source.SHA256), of, load.Rows)
}

// refuse reports an object or a sheet that is not loaded.
func (r *Report) refuse(refused *Refused) {
	of := SheetReport{Sheet: refused.Member, Rejects: refused.Rejects, Status: Failed, Reason: refused.Reason}
	if refused.LeftOut {
		of.Status = LeftOut
	}
	if s := refused.Sheet; s != nil {
		of.Level, of.Year, of.Release, of.Units = s.Level, s.Year, s.Release, s.Units
		of.Evidence, of.Unknown = s.Evidence, codes(s.Schema, s.Unknown)
	}
	r.append(r.file(refused.Object, refused.SHA256), of, 0)
}

// append completes the report of a sheet so many of whose records could be read.
func (r *Report) append(f *FileReport, of SheetReport, rows int64) {
	of.Rejected = rejectedBy(of.Rejects)
	of.Read = rows + of.Rejected
	of.Evidence, of.Rejects, of.Unknown, of.Lossy, of.Audits = orEmpty(of.Evidence), orEmpty(of.Rejects), orEmpty(of.Unknown), orEmpty(of.Lossy), orEmpty(of.Audits)
	r.RowsRead += of.Read
	r.RowsLoaded += of.Loaded
	r.RowsRejected += of.Rejected
	r.Audits = driver.MergeAudits(r.Audits, of.Audits)
	f.Sheets = append(f.Sheets, of)
}

// finish sums the parts up.
func (r *Report) finish(started time.Time) {
	count := outcomes(*r)
	r.Status = Failed // when there is nothing else
	for _, s := range []Status{Held, Published, Unchanged} {
		if count[s] > 0 {
			r.Status = s
			break
		}
	}
	r.Seconds = time.Since(started).Seconds()
}

// Report makes the report of a dry run.
func (v Validated) Report() Report {
	report := Report{RunID: v.ID, Status: DryRun, Files: []FileReport{}, Audits: []egrid.Audit{}}
	if run, ok := trace.Parse(v.Traceparent, ""); ok {
		report.TraceID = run.TraceID.String()
	}
	for _, c := range v.Files {
		f := report.file(c.Object, "")
		if c.Error != "" {
			report.refuse(&Refused{Object: c.Object, Reason: c.Error})
		}
		for i := range c.Sheets {
			report.addChecked(f, &c.Sheets[i])
		}
	}
	report.Seconds = time.Since(v.Started).Seconds()
	return report
}

// addChecked reports a sheet of a dry run.
func (r *Report) addChecked(f *FileReport, s *CheckedSheet) {
	if s.Error != "" {
		r.refuse(&Refused{Object: Object{Name: f.Object}, Member: s.Member, Sheet: s.Sheet, Reason: s.Error, LeftOut: s.LeftOut, Rejects: s.Rejects})
		return
	}
	of := SheetReport{
		Sheet: s.Member, Level: s.Sheet.Level, Release: s.Sheet.Release, Units: s.Sheet.Units,
		Unknown: codes(s.Sheet.Schema, s.Sheet.Unknown),
	}
	for i := range s.Years {
		y := &s.Years[i]
		of.Year, of.Rejects, of.Audits = y.Year, y.Rejects, auditMeasures(s.Sheet.Level, y.Generation, y.Audits)
		of.Evidence, of.Lossy = s.Sheet.EvidenceOf(y.Year), codes(s.Sheet.Schema, y.Lossy)
		if of.Status, of.Reason = DryRun, y.Held; y.Held != "" {
			of.Status = Held
		}
		r.append(f, of, y.Rows)
	}
}

// auditMeasures adds a warning to the audits of a sheet that lacks what rankings,
// charts and shares are made of.
func auditMeasures(level egrid.Level, has bool, audits []egrid.Audit) []egrid.Audit {
	f, ok := egrid.Lookup(level, string(egrid.NetGeneration))
	if !ok || has {
		return audits
	}
	return append(slices.Clip(audits), egrid.Audit{Rule: "no_net_generation", Severity: egrid.Warning, Count: 1,
		Examples: []string{f.Code + " has no values, which top, charts and shares need"}})
}

// hasGeneration reports whether a row has net generation.
func hasGeneration(b *egrid.Batch) bool {
	at := b.Schema().Index(egrid.NetGeneration)
	for row := 0; at >= 0 && row < b.Len(); row++ {
		if !b.Column(at).IsMissing(row) {
			return true
		}
	}
	return false
}

// codes names columns as a file does: by EPA's code where they have one.
func codes(schema *egrid.Schema, columns []egrid.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = string(c)
		if at := schema.Index(c); at >= 0 && schema.Field(at).Code != "" {
			names[i] = schema.Field(at).Code
		}
	}
	return names
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
