package driver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Scanner reads snapshots. Every store is one, and so are the cache and the
// HTTP client, so they stack in any order. Package store asks questions of it.
//
// Implementations are safe for concurrent use.
type Scanner interface {
	// Catalog lists what is published, held and superseded.
	Catalog(ctx context.Context) (egrid.Catalog, error)
	// Scan executes a plan. The batches are of the plan's Output, in its order.
	// A plan names snapshots, which do not change, so all of the answer is of
	// one state of the data: what is or was published and, for whoever decides on
	// it, a held load. The sequence ends behind an error: ErrStale when a
	// snapshot was pruned, ErrClosed, ErrUnavailable.
	Scan(ctx context.Context, p *Plan) iter.Seq2[*egrid.Batch, error]
}

// Loader takes data in by write, audit, publish: chunks land in a stage that
// no reader sees, and publishing is one atomic switch.
//
// Implementations are safe for concurrent use, by several processes too.
type Loader interface {
	// Stage opens the staging area of a snapshot, or finds the one that an
	// earlier call with an equal spec opened. It opens none for a load that is
	// published, or was found to have the content of what is. Errors: ErrInvalid.
	Stage(ctx context.Context, spec SnapshotSpec) (egrid.StageID, error)
	// Put adds a chunk atomically. Putting a chunk again changes nothing, also when
	// its load was published meanwhile, or found to be unchanged.
	// Errors: ErrNotFound when there is no such stage, ErrInvalid when the rows
	// are not of the stage's schema.
	Put(ctx context.Context, id egrid.StageID, c Chunk) (Change, error)
	// Publish audits a complete stage and makes it the answer, or holds it.
	// Publishing what is published already answers Unchanged. Errors:
	// ErrNotFound, and ErrIncomplete while chunks are missing. A held load is
	// an answer, not an error; publishing it by another policy decides on it.
	Publish(ctx context.Context, id egrid.StageID, r PublishRequest) (PublishReport, error)
	// Discard drops a stage or a held load. What is or was published stays.
	// Errors: ErrNotFound.
	Discard(ctx context.Context, id egrid.StageID) error
}

// History keeps what was published before. Publishing moves a pointer; the
// snapshot that it pointed to is superseded, and stays until it is pruned.
type History interface {
	// Restore makes a superseded snapshot the published one again, in one
	// transaction. Restoring the published one changes nothing. Errors:
	// ErrNotFound, also for a held one.
	Restore(ctx context.Context, id egrid.SnapshotID) (egrid.Snapshot, error)
	// Prune drops superseded snapshots and returns them. Readers that are at
	// them end with ErrStale.
	Prune(ctx context.Context, r PruneRequest) ([]egrid.Snapshot, error)
}

// PruneRequest says which superseded snapshots are dropped. Of each level, data
// year and release the latest Keep stay; so do those that were superseded, or
// loaded, within OlderThan.
type PruneRequest struct {
	Keep      int           // 0 keeps none
	OlderThan time.Duration // 0 is any age
}

// Store is what a store offers, role by role. It is a struct, so that what is
// added to it breaks no implementation.
type Store struct {
	Scanner
	Loader
	History
	FailureLog
	RunLog    // nil where runs are not kept
	Schedules // nil where schedules are not kept
	io.Closer
}

// SnapshotSpec says what a stage will hold.
type SnapshotSpec struct {
	Level     egrid.Level   `json:"level"`
	Year      int           `json:"year"`
	Release   string        `json:"release"`
	Authority string        `json:"authority,omitempty"` // who published it; empty: egrid.DefaultAuthority
	Units     string        `json:"units,omitempty"`     // of the file; empty: egrid.DefaultUnits
	Source    egrid.Source  `json:"source"`
	Schema    *egrid.Schema `json:"columns"` // columns of every row that will be put
	Reading   string        `json:"reading"` // how the bytes are read (mapping, division); part of the identity
}

// ID derives the stage id. The object's name is not part of it.
func (s SnapshotSpec) ID() egrid.StageID {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%s\n%s", s.Level, s.Year, s.Release, s.Source.SHA256, s.Source.Sheet, s.Reading)
	authority, units := cmp.Or(s.Authority, egrid.DefaultAuthority), cmp.Or(s.Units, egrid.DefaultUnits)
	if authority != egrid.DefaultAuthority || units != egrid.DefaultUnits { // others keep the ids that they had
		fmt.Fprintf(h, "\n%s\n%s", authority, units)
	}
	return egrid.StageID(hex.EncodeToString(h.Sum(nil)[:12]))
}

// Check returns [ErrInvalid] when the spec cannot be staged.
func (s SnapshotSpec) Check() error {
	if _, err := egrid.ParseLevel(string(s.Level)); err != nil {
		return err
	}
	if err := egrid.CheckYear(s.Year); err != nil {
		return err
	}
	if _, err := egrid.ParseRelease(s.Release); err != nil {
		return err
	}
	if s.Schema == nil || s.Schema.Len() == 0 {
		return fmt.Errorf("%w: the snapshot has no columns", egrid.ErrInvalid)
	}
	if s.Source.SHA256 == "" {
		return fmt.Errorf("%w: the snapshot's source has no SHA-256", egrid.ErrInvalid)
	}
	return nil
}

// Chunk is a run of decoded rows of one stage.
type Chunk struct {
	Index    int                  // identity within the stage; the same index is the same chunk
	Rows     *egrid.Batch         // rows of the spec's schema and data year; never nil
	Rejected int64                // records of the chunk that could not be read
	Faults   []egrid.RejectReason // why they could not; the most common ones are enough
	Findings []egrid.Audit        // row-level audit findings of these rows, see AuditRows
}

// Check returns [egrid.ErrInvalid] unless the rows have the columns of the spec, of
// the same types and in the same order.
func (c Chunk) Check(spec *SnapshotSpec) error {
	got, want := c.Rows.Schema(), spec.Schema
	if got == want {
		return nil
	}
	if got.Len() != want.Len() {
		return fmt.Errorf("%w: chunk %d has %d columns where its stage has %d; stage the sheet again", egrid.ErrInvalid, c.Index, got.Len(), want.Len())
	}
	for i := range want.Len() {
		if g, w := got.Field(i), want.Field(i); g.Column != w.Column || g.Type != w.Type {
			return fmt.Errorf("%w: column %d of chunk %d is %s of type %s where its stage has %s of type %s; stage the sheet again",
				egrid.ErrInvalid, i+1, c.Index, g.Column, g.Type, w.Column, w.Type)
		}
	}
	return nil
}

// Change says what a Put did.
type Change struct {
	Rows      int64 // rows added
	Duplicate bool  // the stage had the chunk already, is settled, or needs none
}

// Policy decides what publishing does when the snapshot is published already
// from other bytes.
type Policy string

// The policies.
const (
	PublishAuto    Policy = "auto"    // replace when nothing published would be lost, hold otherwise
	PublishReplace Policy = "replace" // replace in any case
	PublishMerge   Policy = "merge"   // update and add rows by identifier, remove none
	PublishHold    Policy = "hold"    // keep back in any case
)

// ParsePolicy reads a policy; empty is auto. The error wraps [ErrInvalid].
func ParsePolicy(s string) (Policy, error) {
	switch p := Policy(s); p {
	case "":
		return PublishAuto, nil
	case PublishAuto, PublishReplace, PublishMerge, PublishHold:
		return p, nil
	}
	return "", fmt.Errorf("%w: publish policy %q is not auto, replace, merge or hold", egrid.ErrInvalid, s)
}

// PublishRequest completes a stage, or several that are judged together.
type PublishRequest struct {
	Policy Policy `json:"policy"` // empty is auto
	Chunks int    `json:"chunks"` // chunks that the stage must hold
	Rows   int64  `json:"rows"`   // rows that the stage must hold
	// With are further stages of the same level, data year and release, as of
	// other files of one run. They are combined with the stage, see [Combine], and
	// what results is decided on as a whole. Stages that cannot be combined are held
	// apart; where two contradict each other, all of them are.
	With []StagePart `json:"with,omitempty"`
}

// StagePart is a complete stage.
type StagePart struct {
	ID     egrid.StageID `json:"id"`
	Chunks int           `json:"chunks"`
	Rows   int64         `json:"rows"`
}

// Stages are all that the request for a stage completes.
func (r PublishRequest) Stages(id egrid.StageID) []StagePart {
	return append([]StagePart{{id, r.Chunks, r.Rows}}, r.With...)
}

// Result is the id of the stage that the request for a stage decides on: its own,
// or that of the combination.
func (r PublishRequest) Result(id egrid.StageID) egrid.StageID {
	var ids []egrid.StageID
	for _, p := range r.Stages(id) {
		ids = append(ids, p.ID)
	}
	return CombinedID(ids...)
}

// Check returns [ErrIncomplete] unless a stage that has so many chunks and rows
// is what the request completes. A load that is held was complete when it was
// held: a request that decides on it may leave both out.
func (p StagePart) Check(held bool, chunks int, rows int64) error {
	decides := held && p.Chunks == 0 && p.Rows == 0
	if decides || chunks == p.Chunks && rows == p.Rows {
		return nil
	}
	return fmt.Errorf("%w: stage %s holds %d of %d chunks and %d of %d rows", egrid.ErrIncomplete, p.ID, chunks, p.Chunks, rows, p.Rows)
}

// PublishReport is the outcome of a publish.
type PublishReport struct {
	Status   egrid.Status   `json:"status"`
	Reason   string         `json:"reason,omitempty"` // why it is held; Snapshot.Choices decide. Of a published one: that it completed what was there
	Snapshot egrid.Snapshot `json:"snapshot"`
	// Apart are those of several stages that could not be combined with the others
	// and are held, each for itself. Where that is all of them, Status is held, and
	// Snapshot the first's.
	Apart []PublishReport `json:"apart,omitempty"`
}

// Seal puts the snapshots into the catalogue's order, fills in what those of
// earlier versions lack, and sets its ID. Levels
// come from the finest to the widest, years and releases ascending, published
// before superseded (the latest first) before held.
func Seal(c *egrid.Catalog) {
	for i := range c.Snapshots { // of before there were others
		s := &c.Snapshots[i]
		s.Authority, s.Units = cmp.Or(s.Authority, egrid.DefaultAuthority), cmp.Or(s.Units, egrid.DefaultUnits)
	}
	levels := egrid.Levels()
	states := []egrid.Status{egrid.Published, egrid.Superseded, egrid.Held}
	slices.SortFunc(c.Snapshots, func(a, b egrid.Snapshot) int {
		return cmp.Or(
			cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)),
			cmp.Compare(a.Year, b.Year),
			egrid.CompareReleases(a.Release, b.Release),
			cmp.Compare(slices.Index(states, a.Status), slices.Index(states, b.Status)),
			-cmp.Compare(a.Revision, b.Revision),
			cmp.Compare(a.Stage, b.Stage),
		)
	})
	slices.Sort(c.Pruned)
	h := sha256.New()
	for _, s := range c.Snapshots {
		fmt.Fprintln(h, s.ID, s.Stage, s.Status, len(s.Confirmed), s.Reason)
	}
	fmt.Fprintln(h, c.Pruned)
	c.ID = hex.EncodeToString(h.Sum(nil)[:12])
}
