package egrid

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// Snapshot describes what a store holds for one level, data year and release.
type Snapshot struct {
	ID       StageID   `json:"id"`
	Level    Level     `json:"level"`
	Year     int       `json:"year"`
	Release  string    `json:"release"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
	Rows     int64     `json:"rows"`
	Rejected int64     `json:"rejected"`
	Schema   *Schema   `json:"columns"`
	Lossy    []Column  `json:"lossy_columns"`
	Sources  []Source  `json:"sources"`
	Audits   []Audit   `json:"audits"`
	LoadedAt time.Time `json:"loaded_at"`
	Revision int64     `json:"revision"` // the revision that published it; 0 while held
}

// Has reports whether a load is the snapshot, or was merged into it.
func (s *Snapshot) Has(id StageID) bool {
	return s.ID == id || slices.ContainsFunc(s.Sources, func(src Source) bool { return src.ID == id })
}

// NewSnapshot describes what a stage becomes when it is published, without its
// chunks yet. It is for stores, as are [Snapshot.Count] and
// [Snapshot.MergedWith].
func NewSnapshot(id StageID, spec SnapshotSpec) Snapshot {
	source := spec.Source
	source.ID = id
	return Snapshot{
		ID: id, Level: spec.Level, Year: spec.Year, Release: spec.Release, Status: Published,
		Schema: spec.Schema, Sources: []Source{source}, LoadedAt: time.Now().UTC(),
	}
}

// Count adds what a store keeps of a chunk: its numbers of rows and of rejected
// records, its lossy columns and what the rows' audits found.
func (s *Snapshot) Count(rows, rejected int64, lossy []Column, findings []Audit) {
	s.Rows += rows
	s.Rejected += rejected
	s.Lossy = union(s.Lossy, lossy)
	s.Audits = MergeAudits(s.Audits, findings)
}

// MergedWith describes what merging a staged snapshot into this published one
// makes. The number of rows is that of the staged one, for the store to mend.
func (s Snapshot) MergedWith(staged Snapshot) Snapshot {
	fields := s.Schema.Fields()
	for _, f := range staged.Schema.fields {
		if !s.Schema.Has(f.Column) {
			fields = append(fields, f)
		}
	}
	schema, err := NewSchema(fields...)
	if err != nil {
		panic(err) // both schemas have distinct columns
	}
	sum := sha256.Sum256([]byte("merge\n" + s.ID + "\n" + staged.ID))
	merged := staged
	merged.ID = StageID(hex.EncodeToString(sum[:12]))
	merged.Schema = schema
	merged.Sources = append(slices.Clone(s.Sources), staged.Sources...)
	merged.Lossy = union(slices.Clone(s.Lossy), staged.Lossy)
	merged.Rejected += s.Rejected
	return merged
}

func union(a, b []Column) []Column {
	for _, c := range b {
		if !slices.Contains(a, c) {
			a = append(a, c)
		}
	}
	return a
}
