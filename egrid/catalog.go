package egrid

import "slices"

// StageID identifies a load: equal bytes read in the same way for the same
// level, data year and release have equal ids, so that a load that comes again
// goes on where it stopped.
type StageID string

// SnapshotID identifies content: equal rows of the same level, data year and
// release have equal ids, whatever file they came from and however it was cut.
type SnapshotID string

// Source is one sheet that a snapshot was made of.
type Source struct {
	ID     StageID `json:"id,omitempty"` // filled by the store
	Object string  `json:"object"`       // file or object name
	Sheet  string  `json:"sheet"`        // member of a zip or sheet of a workbook; empty for a plain file
	SHA256 string  `json:"sha256"`       // of the object, in hex
	Bytes  int64   `json:"bytes"`        // size of the object

	// Of a snapshot that was combined of several sources: how many of its rows are
	// this one's, and how many cells it gave to the rows of others.
	Rows  int64 `json:"rows,omitempty"`
	Cells int64 `json:"cells,omitempty"`
}

// Status is the state of a snapshot, or the outcome of a publish.
type Status string

// The states.
const (
	Published  Status = "published"  // readers see it
	Held       Status = "held"       // complete, but kept back
	Superseded Status = "superseded" // it was published; pinned reads still see it
	Unchanged  Status = "unchanged"  // outcome only: the same content is published already
)

// Catalog is what a store holds at a moment.
type Catalog struct {
	// ID is made of the ids and states of the snapshots. Equal ids mean equal
	// answers, whatever store they come from: what is kept of answers is kept by
	// it. A counter would come again after a restore, with other content.
	ID string `json:"id"`
	// Revision grows with every publish, in the publishing transaction. It is for
	// people; a restored store counts from where its copy stood.
	Revision int64 `json:"revision"`
	// Snapshots by level, year, release, status and time of publishing.
	Snapshots []Snapshot `json:"snapshots"`
	// Pruned are the ids of snapshots that were published once and are kept no
	// more.
	Pruned []SnapshotID `json:"pruned,omitempty"`
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

// Find returns a snapshot by its id, or by the id of the stage that it was.
func (c Catalog) Find(id string) (Snapshot, bool) {
	for _, s := range c.Snapshots {
		if string(s.ID) == id || string(s.Stage) == id {
			return s, true
		}
	}
	return Snapshot{}, false
}

// Years returns the data years published for any of the levels, ascending.
func (c Catalog) Years(levels ...Level) []int {
	var years []int
	for _, s := range c.Snapshots {
		if s.Status == Published && slices.Contains(levels, s.Level) {
			years = append(years, s.Year)
		}
	}
	slices.Sort(years)
	return slices.Compact(years)
}
