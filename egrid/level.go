package egrid

import (
	"fmt"
	"slices"
	"strings"
)

// Level is one of the sheets of an eGRID workbook, named as EPA names the
// sheet without its two year digits: GEN23 is level GEN of data year 2023.
type Level string

// The levels, from the finest to the widest.
const (
	UNT  Level = "UNT"  // unit (boiler or combustion turbine)
	GEN  Level = "GEN"  // generator
	PLNT Level = "PLNT" // plant
	ST   Level = "ST"   // state
	BA   Level = "BA"   // balancing authority
	SRL  Level = "SRL"  // eGRID subregion
	NRL  Level = "NRL"  // NERC region
	US   Level = "US"   // United States
	GGL  Level = "GGL"  // grid gross loss by interconnect
	DEMO Level = "DEMO" // demographics around plants
	ZIP  Level = "ZIP"  // crosswalk from ZIP codes to subregions
)

// Levels returns every level, from the finest to the widest, then the three
// side tables.
func Levels() []Level {
	return []Level{UNT, GEN, PLNT, ST, BA, SRL, NRL, US, GGL, DEMO, ZIP}
}

// ParseLevel reads a level in either letter case. The error wraps
// [ErrInvalid] and lists the levels.
func ParseLevel(s string) (Level, error) {
	l := Level(strings.ToUpper(strings.TrimSpace(s)))
	if slices.Contains(Levels(), l) {
		return l, nil
	}
	return "", fmt.Errorf("%w: level %q is not one of %s", ErrInvalid, s, joinLevels())
}

// String returns EPA's name of the level.
func (l Level) String() string { return string(l) }

// Title says in words what a row of the level is, e.g. "generator".
func (l Level) Title() string {
	switch l {
	case UNT:
		return "unit"
	case GEN:
		return "generator"
	case PLNT:
		return "plant"
	case ST:
		return "state"
	case BA:
		return "balancing authority"
	case SRL:
		return "eGRID subregion"
	case NRL:
		return "NERC region"
	case US:
		return "United States"
	case GGL:
		return "grid gross loss"
	case DEMO:
		return "plant demographics"
	case ZIP:
		return "ZIP code"
	}
	return string(l)
}

// Prefix is what EPA puts before a measure's code at this level: NGENAN is
// PLNGENAN for a plant and SRNGENAN for a subregion. Levels without measures
// have none.
func (l Level) Prefix() string {
	switch l {
	case PLNT:
		return "PL"
	case ST:
		return "ST"
	case BA:
		return "BA"
	case SRL:
		return "SR"
	case NRL:
		return "NR"
	case US:
		return "US"
	}
	return ""
}

func joinLevels() string {
	var b strings.Builder
	for i, l := range Levels() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(l))
	}
	return b.String()
}
