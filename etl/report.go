package etl

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
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
	LeftOut   Status = "left_out"  // nobody asked for it; the reason says why it is not loaded
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
}

// FileReport is what became of an object.
type FileReport struct {
	Object   string        `json:"object"`
	Location string        `json:"location"` // where its source opens it
	SHA256   string        `json:"sha256,omitempty"`
	Bytes    int64         `json:"bytes"`
	Error    string        `json:"error,omitempty"` // why the object was refused
	Sheets   []SheetReport `json:"sheets"`
}

// SheetReport is what became of one data year of a sheet.
type SheetReport struct {
	Sheet    string        `json:"sheet"`
	Level    egrid.Level   `json:"level"`
	Year     int           `json:"year"`
	Release  string        `json:"release"`
	Inferred Inferred      `json:"inferred"`
	Read     int64         `json:"rows_read"`
	Loaded   int64         `json:"rows_loaded"` // 0 unless published
	Rejected int64         `json:"rows_rejected"`
	Unknown  []string      `json:"unknown_columns"` // headers that the dictionary does not know
	Lossy    []string      `json:"lossy_columns"`   // codes of columns that were rounded for display
	Status   Status        `json:"status"`
	Reason   string        `json:"reason,omitempty"` // why it is held or failed
	Stage    egrid.StageID `json:"stage,omitempty"`  // names a held load
	Audits   []egrid.Audit `json:"audits"`

	before int64 // revision that published a held load before; 0 when none did
}

// Complete reports whether everything there was is loaded: nothing refused,
// rejected or held.
func (r Report) Complete() bool {
	return r.RowsRejected == 0 && !slices.ContainsFunc(r.Files, func(f FileReport) bool {
		return f.Error != "" || slices.ContainsFunc(f.Sheets, func(s SheetReport) bool { return s.Status == Held || s.Status == Failed })
	})
}

// Report completes what was streamed: it publishes or holds every load, and
// says what became of it.
func (p *Pipeline) Report(ctx context.Context, s Streamed) (_ Report, err error) {
	defer p.observe("report", time.Now(), &err)
	ctx = s.within(ctx)
	report := Report{RunID: s.ID, TraceID: trace.FromContext(ctx).TraceID.String(), Files: []FileReport{}, Audits: []egrid.Audit{}}
	if s.RejectsFile != "" {
		report.RejectsFile = &s.RejectsFile
	}
	for _, refused := range s.Refused {
		f := report.file(refused.Object, refused.SHA256)
		if refused.LeftOut {
			f.Sheets = append(f.Sheets, SheetReport{Sheet: refused.Member, Status: LeftOut, Reason: refused.Reason})
		} else if refused.Member == "" {
			f.Error = refused.Reason
		} else {
			f.Sheets = append(f.Sheets, SheetReport{Sheet: refused.Member, Status: Failed, Reason: refused.Reason})
		}
	}
	superseded, err := p.superseded(ctx, s.Loads)
	if err != nil {
		return report, err
	}
	for i := range s.Loads {
		load := &s.Loads[i]
		if by := superseded[i]; by != nil {
			report.add(load, driver.PublishReport{Status: egrid.Unchanged, Reason: by.Object.Name + " comes behind it, and is published already"})
			continue
		}
		published, err := p.sink.Publish(ctx, load.Spec, driver.PublishRequest{Policy: p.o.Publish, Chunks: load.Chunks, Rows: load.Rows})
		if err != nil {
			return report, fmt.Errorf("publish %s %d of %s: %w", load.Spec.Level, load.Spec.Year, load.Object.Name, err)
		}
		report.add(load, published)
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

// superseded finds the loads behind which another one of the same level, year and
// release comes that is published already, as when a folder with two of them is
// loaded again. To publish them would take that one away from its readers, to
// bring it back at once.
func (p *Pipeline) superseded(ctx context.Context, loads []Load) (map[int]*Load, error) {
	db := p.db()
	if db == nil {
		return nil, nil
	}
	catalog, err := db.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	by := map[int]*Load{}
	for i := range loads {
		spec := &loads[i].Spec
		live, ok := catalog.Published(spec.Level, spec.Year, spec.Release)
		if !ok {
			continue
		}
		in := live.Is
		if p.o.Publish == driver.PublishMerge {
			in = live.Has
		}
		// What is published already stands as it is; what is merged already and
		// would be merged again is followed by what it would change.
		if in(spec.ID()) != (p.o.Publish == driver.PublishMerge) {
			continue
		}
		for j := len(loads) - 1; j > i; j-- {
			if in(loads[j].Spec.ID()) {
				by[i] = &loads[j]
				break
			}
		}
	}
	return by, nil
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

func (r *Report) add(load *Load, published driver.PublishReport) {
	f := r.file(load.Object, load.Spec.Source.SHA256)
	sheet := SheetReport{
		Sheet: load.Member, Level: load.Spec.Level, Year: load.Spec.Year, Release: load.Spec.Release, Inferred: load.Inferred,
		Read: load.Rows + load.Rejected, Rejected: load.Rejected, Unknown: codes(load.Spec.Schema, load.Unknown),
		Lossy: codes(load.Spec.Schema, published.Snapshot.Lossy), Status: Status(published.Status), Reason: published.Reason,
		Audits: orEmpty(published.Snapshot.Audits),
	}
	switch sheet.Status {
	case Published:
		sheet.Loaded = load.Rows
	case Held:
		sheet.Stage, sheet.before = published.Snapshot.Stage, published.Snapshot.Revision
	}
	r.RowsRead += sheet.Read
	r.RowsLoaded += sheet.Loaded
	r.RowsRejected += sheet.Rejected
	r.Audits = driver.MergeAudits(r.Audits, sheet.Audits)
	f.Sheets = append(f.Sheets, sheet)
}

// finish sums the parts up.
func (r *Report) finish(started time.Time) {
	count := map[Status]int{}
	for _, f := range r.Files {
		if f.Error != "" {
			count[Failed]++
		}
		for _, s := range f.Sheets {
			count[s.Status]++
		}
	}
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
		f.Error = c.Error
		for _, s := range c.Sheets {
			years := s.Years
			if len(years) == 0 {
				years = []int{0}
			}
			for i, year := range years {
				sheet := SheetReport{Sheet: s.Member, Year: year, Unknown: []string{}, Lossy: []string{}, Status: DryRun, Reason: s.Error, Audits: orEmpty(s.Audits)}
				if s.Sheet != nil {
					sheet.Level, sheet.Release, sheet.Unknown = s.Sheet.Level, s.Sheet.Release, codes(s.Sheet.Schema, s.Sheet.Unknown)
					sheet.Lossy = codes(s.Sheet.Schema, s.Lossy)
					sheet.Inferred = Inferred{Level: s.Sheet.LevelFrom, Year: s.Sheet.YearFrom, Release: s.Sheet.ReleaseFrom}
				}
				if s.Error != "" {
					sheet.Status = Failed
				}
				if s.LeftOut {
					sheet.Status = LeftOut
				}
				if i == 0 { // the check counts by sheet
					sheet.Read, sheet.Rejected = s.Rows+s.Rejected, s.Rejected
					report.Audits = driver.MergeAudits(report.Audits, s.Audits)
				}
				report.RowsRead += sheet.Read
				report.RowsRejected += sheet.Rejected
				f.Sheets = append(f.Sheets, sheet)
			}
		}
	}
	report.Seconds = time.Since(v.Started).Seconds()
	return report
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
