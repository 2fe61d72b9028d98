package egrid

// Column names a column in answers, queries and stores: snake_case with the
// unit where there is one, the same at every level that has it
// (net_generation_mwh of a generator, a plant and a region). The dictionary
// describes it per level: see [Lookup].
//
// A column that the dictionary does not know keeps the file's own header as
// its name, so nothing an edition publishes is lost.
type Column string

// String returns the column's name.
func (c Column) String() string { return string(c) }

// Type is how a column's values are read and compared.
type Type string

// The types. Identifiers are Text, so that leading zeros survive and 7E600 is
// a generator, not infinity.
const (
	Text    Type = "text"    // compared byte by byte
	Integer Type = "integer" // 64-bit signed
	Number  Type = "number"  // 64-bit floating point
	Flag    Type = "flag"    // yes or no
)

// Field is a column as one level's dictionary defines it.
type Field struct {
	Level       Level    `json:"level"`
	Column      Column   `json:"name"`
	Code        string   `json:"code"`           // EPA's code, e.g. PLNGENAN
	Type        Type     `json:"type"`           // how values are read
	Unit        string   `json:"unit,omitempty"` // e.g. MWh; shares are "fraction" (0-1)
	Description string   `json:"description"`    // one sentence
	Rule        Rule     `json:"rule,omitzero"`  // how a region gets it from its plants
	Editions    []string `json:"editions"`       // data years in which the code is known to occur
	Aliases     []Alias  `json:"aliases,omitempty"`
}

// Alias is another header under which a field occurs in real files.
type Alias struct {
	Header   string `json:"header"`
	Editions string `json:"editions,omitempty"` // where it was seen, e.g. "2018v1" or "2018-2021"
}

// Known reports whether the dictionary has the field, as opposed to a column
// kept from a file under its own header.
func (f Field) Known() bool { return f.Code != "" && f.Description != "" }
