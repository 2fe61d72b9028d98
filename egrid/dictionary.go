package egrid

import (
	_ "embed" // for the dictionary
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed columns.csv
var columnsCSV string

// dictionary is columns.csv, spread out over the levels.
type dictionary struct {
	fields map[Level][]Field
	index  map[Level]map[string]int // by upper-case name, code and alias
}

var loadDictionary = sync.OnceValue(func() dictionary {
	d, err := parseDictionary(columnsCSV)
	if err != nil {
		panic("egrid: columns.csv: " + err.Error())
	}
	return d
})

// parseDictionary reads one row for each measure: levels that have it, EPA's
// code with * for the level's prefix, our name, type, unit, rule, editions,
// aliases and description.
func parseDictionary(text string) (dictionary, error) {
	d := dictionary{fields: map[Level][]Field{}, index: map[Level]map[string]int{}}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return d, err
	}
	sizes := map[Level]int{}
	for _, row := range rows[1:] {
		for name := range strings.FieldsSeq(row[0]) {
			sizes[Level(name)]++
		}
	}
	for level, n := range sizes {
		d.fields[level], d.index[level] = make([]Field, 0, n), make(map[string]int, 2*n)
	}
	for i, row := range rows[1:] {
		if err := d.add(row); err != nil {
			return d, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	return d, nil
}

func (d dictionary) add(row []string) error {
	rule, err := ParseRule(row[5])
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(row[0]) {
		level, err := ParseLevel(name)
		if err != nil {
			return err
		}
		f := Field{
			Level: level, Column: Column(row[2]), Type: Type(row[3]), Unit: row[4], Rule: rule,
			Code: strings.Replace(row[1], "*", level.Prefix(), 1), Editions: strings.Fields(row[6]), Description: row[8],
		}
		if !slices.Contains([]Type{Text, Integer, Number, Flag}, f.Type) {
			return fmt.Errorf("%w: type %q of %s", ErrInvalid, f.Type, f.Column)
		}
		for alias := range strings.SplitSeq(row[7], ";") {
			if header, editions, _ := strings.Cut(alias, "@"); header != "" {
				f.Aliases = append(f.Aliases, Alias{Header: header, Editions: editions})
			}
		}
		at := len(d.fields[level])
		d.fields[level] = append(d.fields[level], f)
		for _, key := range f.keys() {
			key = strings.ToUpper(key)
			if other, taken := d.index[level][key]; taken && other != at {
				return fmt.Errorf("%w: %s means both %s and %s at %s", ErrInvalid, key, d.fields[level][other].Column, f.Column, level)
			}
			d.index[level][key] = at
		}
	}
	return nil
}

// keys are the headers under which a field is found.
func (f Field) keys() []string {
	keys := []string{string(f.Column), f.Code}
	for _, a := range f.Aliases {
		keys = append(keys, a.Header)
	}
	return keys
}

// Fields returns the dictionary of a level, about in the order of EPA's sheets. The
// caller owns the slice, but not what the fields point to.
func Fields(level Level) []Field { return slices.Clone(loadDictionary().fields[level]) }

var sequenceCode = regexp.MustCompile(`^(SEQ[A-Z]+)\d{2}$`)

// Lookup finds a field by our name, EPA's code or an alias, in any letter
// case. It accepts the codes that carry a year (SEQGEN23), and cells that hold
// the code on their first line and a description below.
func Lookup(level Level, name string) (Field, bool) {
	d := loadDictionary()
	name, _, _ = strings.Cut(strings.TrimSpace(name), "\n")
	key := strings.ToUpper(strings.TrimSpace(name))
	i, ok := d.index[level][key]
	if !ok && strings.HasPrefix(key, "SEQ") {
		if m := sequenceCode.FindStringSubmatch(key); m != nil {
			i, ok = d.index[level][m[1]]
		}
	}
	if !ok {
		return Field{}, false
	}
	return d.fields[level][i], true
}
