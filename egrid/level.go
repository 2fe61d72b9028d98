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
// [ErrInvalid], lists the levels and names the nearest one.
func ParseLevel(s string) (Level, error) {
	l := Level(strings.ToUpper(strings.TrimSpace(s)))
	if slices.Contains(Levels(), l) {
		return l, nil
	}
	meant, known := LevelInWords(s)
	if !known {
		meant = Level(Nearest(s, strings.Split(joinLevels(), ", ")))
	}
	hint := ""
	if meant != "" {
		hint = "; did you mean " + string(meant) + "?"
	}
	return "", fmt.Errorf("%w: level %q is not one of %s%s", ErrInvalid, s, joinLevels(), hint)
}

// LevelInWords finds the level that people call so, in any letter case and in
// singular or plural: GEN for "generators", SRL for "subregion".
func LevelInWords(s string) (Level, bool) {
	text := strings.ToLower(strings.Join(strings.Fields(s), " "))
	for _, ending := range [][2]string{{"", ""}, {"ies", "y"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(text, ending[0]); ok {
			if l, known := levelWords[stem+ending[1]]; known {
				return l, true
			}
		}
	}
	return "", false
}

// levelWords are what people call the levels, in the singular.
var levelWords = map[string]Level{
	"unit": UNT, "boiler": UNT, "generator": GEN, "plant": PLNT, "state": ST, "balancing authority": BA, "subregion": SRL, "egrid subregion": SRL,
	"nerc region": NRL, "nerc": NRL, "united states": US, "usa": US, "country": US, "nation": US, "grid gross loss": GGL,
	"demographic": DEMO, "zip code": ZIP,
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
