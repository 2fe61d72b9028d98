package egrid

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Querier answers questions about published data. Every store is one, and so
// are the cache and the HTTP client, so they stack in any order.
//
// Implementations are safe for concurrent use. A call answers from one
// revision: a publish that happens meanwhile is seen whole or not at all.
type Querier interface {
	// Catalog lists what is published and what is held.
	Catalog(ctx context.Context) (Catalog, error)
	// Rows returns one page of rows of one level. Errors: ErrInvalid for a
	// query that cannot be (an unknown column, a value of the wrong type),
	// ErrNotFound for a year or release that is not published, ErrStale for a
	// cursor whose snapshots have been replaced.
	Rows(ctx context.Context, q RowQuery) (RowPage, error)
	// Groups aggregates the rows of one level. Errors as Rows.
	Groups(ctx context.Context, q GroupQuery) (RowPage, error)
}

// Loader takes data in by write, audit, publish: chunks land in a stage that
// no reader sees, and publishing is one atomic switch.
//
// Implementations are safe for concurrent use, by several processes too.
type Loader interface {
	// Stage opens the staging area of a snapshot, or finds the one that an
	// earlier call with an equal spec opened. Errors: ErrInvalid.
	Stage(ctx context.Context, spec SnapshotSpec) (StageID, error)
	// Put adds a chunk atomically. Putting a chunk again changes nothing.
	// Errors: ErrNotFound when there is no such stage.
	Put(ctx context.Context, id StageID, c Chunk) (Change, error)
	// Publish audits a complete stage and makes it the answer, or holds it.
	// Publishing again what is published already answers Unchanged. Errors:
	// ErrNotFound, and ErrIncomplete while chunks are missing. A held load is
	// an answer, not an error; publishing it by another policy decides on it.
	Publish(ctx context.Context, id StageID, r PublishRequest) (PublishReport, error)
	// Discard drops a stage or a held load. What is published stays.
	// Errors: ErrNotFound.
	Discard(ctx context.Context, id StageID) error
}

// Store is where snapshots live.
type Store interface {
	Querier
	Loader
	Close() error
}

// StageID identifies a staged sheet by its content: equal bytes read in the
// same way for the same level, data year and release have equal ids.
type StageID string

// SnapshotSpec says what a stage will hold.
type SnapshotSpec struct {
	Level   Level   `json:"level"`
	Year    int     `json:"year"`
	Release string  `json:"release"`
	Source  Source  `json:"source"`
	Schema  *Schema `json:"columns"` // columns of every row that will be put
	Reading string  `json:"reading"` // how the bytes are read (mapping, division); part of the identity
}

// ID derives the stage id. The object's name is not part of it.
func (s SnapshotSpec) ID() StageID {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%s\n%s", s.Level, s.Year, s.Release, s.Source.SHA256, s.Source.Sheet, s.Reading)
	return StageID(hex.EncodeToString(h.Sum(nil)[:12]))
}

// Check returns [ErrInvalid] when the spec cannot be staged.
func (s SnapshotSpec) Check() error {
	if _, err := ParseLevel(string(s.Level)); err != nil {
		return err
	}
	if err := CheckYear(s.Year); err != nil {
		return err
	}
	if _, err := ParseRelease(s.Release); err != nil {
		return err
	}
	if s.Schema == nil || s.Schema.Len() == 0 {
		return fmt.Errorf("%w: the snapshot has no columns", ErrInvalid)
	}
	if s.Source.SHA256 == "" {
		return fmt.Errorf("%w: the snapshot's source has no SHA-256", ErrInvalid)
	}
	return nil
}

// Source is one sheet that a snapshot was made of.
type Source struct {
	ID     StageID `json:"id,omitempty"` // filled by the store
	Object string  `json:"object"`       // file or object name
	Sheet  string  `json:"sheet"`        // member of a zip or sheet of a workbook; empty for a plain file
	SHA256 string  `json:"sha256"`       // of the object, in hex
	Bytes  int64   `json:"bytes"`        // size of the object
}

// Chunk is a run of decoded rows of one stage.
type Chunk struct {
	Index    int     // identity within the stage; the same index is the same chunk
	Rows     *Batch  // rows of the spec's schema and data year; never nil
	Rejected int64   // records of the chunk that could not be read
	Findings []Audit // row-level audit findings of these rows, see AuditRows
}

// Change says what a Put did.
type Change struct {
	Rows      int64 // rows added
	Duplicate bool  // the stage had the chunk already, or is settled
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
	return "", fmt.Errorf("%w: publish policy %q is not auto, replace, merge or hold", ErrInvalid, s)
}

// PublishRequest completes a stage.
type PublishRequest struct {
	Policy Policy `json:"policy"` // empty is auto
	Chunks int    `json:"chunks"` // chunks that the stage must hold
	Rows   int64  `json:"rows"`   // rows that the stage must hold
}

// Check returns [ErrIncomplete] unless a stage that has so many chunks and rows
// is what the request completes. A load that is held was complete when it was
// held: a request that decides on it may leave both out.
func (r PublishRequest) Check(id StageID, held bool, chunks int, rows int64) error {
	decides := held && r.Chunks == 0 && r.Rows == 0
	if decides || chunks == r.Chunks && rows == r.Rows {
		return nil
	}
	return fmt.Errorf("%w: stage %s holds %d of %d chunks and %d of %d rows", ErrIncomplete, id, chunks, r.Chunks, rows, r.Rows)
}

// Status is the state of a snapshot, or the outcome of a publish.
type Status string

// The states.
const (
	Published Status = "published" // readers see it
	Held      Status = "held"      // complete, but kept back
	Unchanged Status = "unchanged" // outcome only: the same content is published already
)

// PublishReport is the outcome of a publish.
type PublishReport struct {
	Status   Status   `json:"status"`
	Reason   string   `json:"reason,omitempty"` // why it is held, and what decides
	Snapshot Snapshot `json:"snapshot"`
}

// Catalog is what a store holds.
type Catalog struct {
	// Revision grows with every publish, in the publishing transaction. Equal
	// revisions give equal answers.
	Revision int64 `json:"revision"`
	// Snapshots, published and held, by level, year, release and status.
	Snapshots []Snapshot `json:"snapshots"`
}

// Sort puts the snapshots into the catalogue's order: levels from the finest
// to the widest, years and releases ascending, published before held.
func (c *Catalog) Sort() {
	levels := Levels()
	slices.SortFunc(c.Snapshots, func(a, b Snapshot) int {
		return cmp.Or(
			cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)),
			cmp.Compare(a.Year, b.Year),
			CompareReleases(a.Release, b.Release),
			-cmp.Compare(a.Status, b.Status),
			cmp.Compare(a.ID, b.ID),
		)
	})
}

// Published returns the snapshot that answers for a level, year and release.
func (c Catalog) Published(level Level, year int, release string) (Snapshot, bool) {
	for _, s := range c.Snapshots {
		if s.Status == Published && s.Level == level && s.Year == year && s.Release == release {
			return s, true
		}
	}
	return Snapshot{}, false
}

// Years returns the data years published for a level, ascending.
func (c Catalog) Years(level Level) []int {
	var years []int
	for _, s := range c.Snapshots {
		if s.Status == Published && s.Level == level {
			years = append(years, s.Year)
		}
	}
	slices.Sort(years)
	return slices.Compact(years)
}
