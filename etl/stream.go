package etl

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
	"unique"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/sourcegraph/conc/pool"
)

// Streamed is the answer of the fourth stage.
type Streamed struct {
	RunInfo
	Loads       []Load    `json:"loads"`
	Refused     []Refused `json:"refused"`
	RejectsFile string    `json:"rejects_file,omitempty"` // empty when no record was rejected, or none is kept

	// Shared and Pieces are what there is of a share, instead of Loads; see [Join].
	Shared *Share  `json:"share,omitempty"`
	Pieces []Piece `json:"pieces,omitempty"`
}

// Load is one data year of a sheet, all of whose chunks are in the sink.
type Load struct {
	Object   Object              `json:"object"`
	Member   string              `json:"member"`
	Spec     driver.SnapshotSpec `json:"spec"`
	Evidence []sheet.Evidence    `json:"evidence"`
	Unknown  []egrid.Column      `json:"unknown_columns"`
	Chunks   int                 `json:"chunks"`
	Rows     int64               `json:"rows"`
	// Generation says that a row has net generation.
	Generation bool          `json:"generation,omitempty"`
	Rejects    []RejectGroup `json:"rejects,omitempty"` // a rejected record has no data year: it counts to one near it
	// Blank are chunks without a row that are counted, and that Report puts.
	Blank []Blank `json:"blank,omitempty"`
}

// Stream decodes the chunks of every part and puts them into the sink. Of a share of
// a plan (see [Divided.Share]) it does that with its chunks.
func (p *Pipeline) Stream(ctx context.Context, d Divided) (_ Streamed, err error) {
	defer p.observe("stream", time.Now(), &err)
	ctx, end := d.stage(ctx, "stream")
	defer func() { end(err) }()
	p, closeAll := p.shelved(ctx)
	defer closeAll()
	if d.ChunkBytes > 0 {
		p.o.ChunkBytes = d.ChunkBytes // p is of this call alone, or of the run that divided
	}
	s := Streamed{RunInfo: d.RunInfo, Refused: d.Refused, Shared: d.Shared}
	file := &rejectsFile{path: d.rejectsPath(p.o.RejectsFile)}
	for i, part := range d.Parts {
		piece, err := p.streamPart(ctx, part, file)
		if err == nil && d.Shared == nil {
			var loads []Load
			loads, piece.Refused = combine([]Piece{piece})
			err = p.putBlank(ctx, loads)
			piece.Loads, piece.Blank = loads, nil
		}
		if err != nil {
			if !p.ofOneFile(ctx, err) {
				return s, errors.Join(fmt.Errorf("stream %s: %w", part.Object.Name, err), file.close())
			}
			piece = Piece{Refused: part.refused(err)}
		}
		if d.Shared != nil {
			piece.Part = d.Shared.Parts[i]
			s.Pieces = append(s.Pieces, piece)
			continue
		}
		if piece.Refused != nil {
			s.Refused = append(s.Refused, *piece.Refused)
		}
		s.Loads = append(s.Loads, piece.Loads...)
	}
	s.RejectsFile = file.name()
	return s, file.close()
}

func (p *Pipeline) streamPart(ctx context.Context, part Part, file *rejectsFile) (Piece, error) {
	reading, err := p.reading(part)
	if err != nil {
		return Piece{}, err
	}
	reading = unique.Make(reading).Value() // of thousands of files most are read alike
	var piece Piece
	puts := pool.New().WithMaxGoroutines(p.o.Workers).WithContext(ctx).WithCancelOnError().WithFirstError()
	var failed atomic.Bool
	err = p.decode(ctx, "stream", part, func(d decoded) error {
		if failed.Load() {
			return errPutFailed
		}
		if err := file.write(part, d.rejects); err != nil {
			return err
		}
		for _, c := range piece.take(part, reading, &d) {
			spec := piece.load(part, c.Rows.Year(), reading).Spec
			puts.Go(func(ctx context.Context) error {
				err := p.sink.Put(ctx, spec, c)
				failed.Store(failed.Load() || err != nil)
				return err
			})
		}
		return nil
	})
	if putErr := puts.Wait(); putErr != nil && (err == nil || errors.Is(err, errPutFailed)) {
		err = putErr
	}
	if err == nil && len(piece.Loads) == 0 {
		piece.Refused = part.refused(noRows(nil)) // the reason is told of all pieces, see combine
	}
	return piece, err
}

// take counts a decoded span to the loads of its data years, and returns their chunks.
// What it rejects counts to the first of them, and without a row to the year of the row
// before; ahead of all rows it is kept as blank.
func (piece *Piece) take(part Part, reading string, d *decoded) []driver.Chunk {
	rejects := groupRejects(nil, part.Sheet.Level, d.rejects)
	if len(d.years) == 0 && piece.Last == 0 {
		piece.Blank = append(piece.Blank, Blank{Index: d.index, Rejects: rejects, Findings: d.aside})
		return nil
	}
	if len(d.years) == 0 {
		d.years = append(d.years, emptyChunk(d.index, piece.load(part, piece.Last, reading).Spec))
	}
	d.years[0].Findings = driver.MergeAudits(d.years[0].Findings, d.aside)
	d.years[0].Rejected, d.years[0].Faults = rejectedBy(rejects), faultsOf(rejects)
	for i, c := range d.years {
		piece.Last = c.Rows.Year()
		load := piece.load(part, piece.Last, reading)
		if i == 0 {
			for _, g := range rejects {
				load.Rejects = countReject(load.Rejects, g)
			}
		}
		load.Chunks++
		load.Rows += int64(c.Rows.Len())
		load.Generation = load.Generation || hasGeneration(c.Rows)
	}
	return d.years
}

// load finds the load of a data year, or begins it.
func (piece *Piece) load(part Part, year int, reading string) *Load {
	at := slices.IndexFunc(piece.Loads, func(l Load) bool { return l.Spec.Year == year })
	if at < 0 {
		at = len(piece.Loads)
		piece.Loads = append(piece.Loads, newLoad(part, year, reading))
	}
	return &piece.Loads[at]
}

// refused says why the part is not loaded.
func (part Part) refused(err error) *Refused {
	r := &Refused{Object: part.Object, Member: part.Member, Sheet: part.Sheet, SHA256: part.SHA256, Reason: reason(err)}
	if all, ok := errors.AsType[*allRejectedError](err); ok {
		r.Rejects = all.groups
	}
	return r
}

// errPutFailed ends the decoding of a part one of whose chunks the sink refused.
var errPutFailed = errors.New("a chunk could not be put")

func newLoad(part Part, year int, reading string) Load {
	s := part.Sheet
	return Load{
		Object: part.Object, Member: part.Member, Unknown: s.Unknown, Evidence: s.EvidenceOf(year),
		Spec: driver.SnapshotSpec{
			Level: s.Level, Year: year, Release: s.Release, Authority: s.Authority, Units: s.Units, Schema: s.Schema, Reading: reading,
			Source: egrid.Source{Object: part.Object.Name, Sheet: part.Member, SHA256: part.SHA256, Bytes: part.Object.Size},
		},
	}
}

// rejectsFile keeps the records that could not be read. It makes the file with
// the first of them.
type rejectsFile struct {
	path string
	file *os.File
	csv  *csv.Writer
}

func (r *rejectsFile) write(part Part, rejects []*sheet.RowError) error {
	if r.path == "" || len(rejects) == 0 {
		return nil
	}
	if r.file == nil {
		if err := r.open(); err != nil {
			return err
		}
	}
	for _, e := range rejects {
		err := r.csv.Write([]string{part.Object.Name, part.Member, strconv.FormatInt(e.Line, 10), string(e.Column), e.Value, e.Reason, e.Record})
		if err != nil {
			return err
		}
	}
	r.csv.Flush()
	return r.csv.Error()
}

func (r *rejectsFile) open() error {
	err := os.MkdirAll(filepath.Dir(r.path), 0o750)
	if err != nil {
		return err
	}
	if r.file, err = os.Create(r.path); err != nil {
		return err
	}
	r.csv = csv.NewWriter(r.file)
	return r.csv.Write([]string{"object", "sheet", "line", "column", "value", "reason", "row"})
}

func (r *rejectsFile) name() string {
	if r.file == nil {
		return ""
	}
	return r.path
}

func (r *rejectsFile) close() error {
	if r.file == nil {
		return nil
	}
	r.csv.Flush()
	return errors.Join(r.csv.Error(), r.file.Close())
}
