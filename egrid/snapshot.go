package egrid

import (
	"slices"
	"time"
)

// Snapshot describes what a store holds, or held, for one level, data year and
// release. Its rows never change.
type Snapshot struct {
	ID        SnapshotID `json:"id"`
	Stage     StageID    `json:"stage"` // the load that made it; stores keep its rows under this name
	Level     Level      `json:"level"`
	Year      int        `json:"year"`
	Release   string     `json:"release"`
	Authority string     `json:"authority"` // who published the edition
	Units     string     `json:"units"`     // of the file: us or metric; the rows have those of the dictionary
	Status    Status     `json:"status"`
	Reason    string     `json:"reason,omitempty"`  // why it is held; of a superseded one, why it was not published again
	Choices   []Choice   `json:"choices,omitempty"` // what decides on it
	Rows      int64      `json:"rows"`
	Rejected  int64      `json:"rejected"`
	// RejectedFor is the most common fault of the rejected records; nil where there are
	// none, and of what earlier versions loaded.
	RejectedFor *RejectReason `json:"rejected_for,omitempty"`
	Schema      *Schema       `json:"columns"`
	Lossy       []Column      `json:"lossy_columns"`
	// Gaps are how many rows have no value in columns of what plants are and where, see
	// driver.PlaceColumns. They are not known of what earlier versions loaded.
	Gaps      map[Column]int64 `json:"gaps,omitempty"`
	Sources   []Source         `json:"sources"`                // what it was made of
	Confirmed []Source         `json:"confirmed_by,omitempty"` // loads that had the same content; the latest few
	Audits    []Audit          `json:"audits"`
	LoadedAt  time.Time        `json:"loaded_at"`
	DecidedAt time.Time        `json:"decided_at,omitzero"` // when a load of it was held last; zero where none was
	Revision  int64            `json:"revision"`            // the revision that published it last; 0 while held
}

// DefaultAuthority publishes the editions of which nothing says otherwise, and
// DefaultUnits are theirs.
const (
	DefaultAuthority = "EPA"
	DefaultUnits     = "us"
)

// Choice is a command that decides on a held load, and what that does.
type Choice struct {
	Command string `json:"command"`
	Does    string `json:"does"`
}

// Is reports whether the snapshot has the content of a load: it was made of it
// alone, or the load was found to have the same content.
func (s *Snapshot) Is(id StageID) bool {
	return s.Stage == id || slices.ContainsFunc(s.Confirmed, func(src Source) bool { return src.ID == id })
}

// Has reports whether a load is the snapshot, or was merged into it.
func (s *Snapshot) Has(id StageID) bool {
	return s.Is(id) || slices.ContainsFunc(s.Sources, func(src Source) bool { return src.ID == id })
}

// Context returns the value of a context column for rows of the snapshot.
func (s *Snapshot) Context(c Column) Value {
	switch c {
	case LevelColumn:
		return TextOf(string(s.Level))
	case Year:
		return IntegerOf(int64(s.Year))
	case ReleaseColumn:
		return TextOf(s.Release)
	}
	return Value{}
}

// ContextFields are the columns that come from the snapshot and not from a
// cell: the level, the data year and the release.
func ContextFields(level Level) []Field {
	return []Field{
		{Level: level, Column: LevelColumn, Type: Text, Code: "LEVEL", Description: "Level of the row: one of EPA's sheets."},
		{Level: level, Column: Year, Type: Integer, Code: "YEAR", Description: "Year that the data are for."},
		{Level: level, Column: ReleaseColumn, Type: Text, Code: "RELEASE", Description: "Release of the edition; empty for the unmarked one."},
	}
}

// Columns that exports add where there is something to say: who published the
// edition, where that is not EPA, and which columns were rounded.
const (
	EditionAuthority Column = "edition_authority"
	RoundedColumns   Column = "rounded_columns"
)

// MarkFields are the columns that say of a row what only the snapshot tells: who
// published its edition, and which of its columns have figures that were rounded
// before they were read, by name, with blanks between. No snapshot has them as
// columns; exports add them, and what reads exports understands them.
func MarkFields(level Level) []Field {
	return []Field{
		{Level: level, Column: EditionAuthority, Type: Text, Code: "EDITION_AUTHORITY", Description: "Who published the edition."},
		{Level: level, Column: RoundedColumns, Type: Text, Code: "ROUNDED_COLUMNS", Description: "Columns with figures that were rounded in the file that they come from, with blanks between."},
	}
}

// IsMark reports whether a column is one of [MarkFields].
func IsMark(c Column) bool { return c == EditionAuthority || c == RoundedColumns }

// IsContext reports whether a column is one of [ContextFields].
func IsContext(c Column) bool { return c == LevelColumn || c == Year || c == ReleaseColumn }
