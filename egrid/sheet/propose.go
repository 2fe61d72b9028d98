package sheet

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/internal/cell"
)

// Proposal is how a file might be read whose headers are nobody's codes.
type Proposal struct {
	Level   egrid.Level      // empty where no column of any level was recognised
	From    string           // what told the level
	Mapping Mapping          // Columns has what was recognised; a header that is not stays as it is
	Columns []ProposedColumn // every header, in the order of the file
}

// ProposedColumn is a header and what it was recognised as.
type ProposedColumn struct {
	Header   string
	Column   egrid.Column // empty where it was not recognised
	Code     string       // EPA's
	From     string       // what told it: name (our name, EPA's code or an alias), words or spelling (one letter is wrong); or why it was not recognised
	Certain  bool         // the header is the name, the code or an alias
	Examples []string     // a few values
}

// Propose recognises the columns of a file by the words of their headers (net
// generation, lb/MWh, percent, oxides of nitrogen), by units and by values, and
// proposes a mapping. It reads the head of the text, as [Inspect] does, and takes
// Level and Name of the options, of which nil is none. A person has to look at what
// it proposes: it knows no more than the file tells.
//
// Errors: [egrid.ErrInvalid] where there is no table, or no header was recognised.
func Propose(r io.Reader, o *ReaderOptions) (*Proposal, error) {
	if o == nil {
		o = &ReaderOptions{}
	}
	h := &head{}
	const enough = 1 << 20
	if err := h.read(r, enough); err != nil {
		return nil, err
	}
	if err := notCSV(h.data, o); err != nil {
		return nil, err
	}
	table, err := tableToName(h.data, o)
	if err != nil {
		return nil, err
	}
	best := table.best(o.Level)
	if best == nil {
		return nil, fmt.Errorf("%w: no header looks like a column of eGRID; write the mapping by hand, egrid columns lists what there is", egrid.ErrInvalid)
	}
	if o.Level != "" {
		best.From = given
	}
	if best.Mapping.SkipRows = table.skip; table.delim != ',' {
		best.Mapping.Delimiter = string(table.delim)
	}
	return best, nil
}

// best proposes the level that most headers are columns of, or the one that is given;
// nil for none.
func (t *headless) best(given egrid.Level) (best *Proposal) {
	most := 0.0
	for _, level := range egrid.Levels() {
		if given != "" && level != given || given == "" && (level == egrid.DEMO || level == egrid.ZIP) {
			continue
		}
		if p, score := t.propose(level); score > most {
			best, most = p, score
		}
	}
	return best
}

// headless is a table whose headers are to be recognised.
type headless struct {
	delim   byte
	skip    int
	headers []string
	rows    [][]string
}

// tableToName finds the header row: the one with the most headers that look like
// columns.
func tableToName(data []byte, o *ReaderOptions) (headless, error) {
	delims := []byte{',', '\t', ';', '|'}
	if o.records() {
		delims = delims[:1]
	}
	var best headless
	most, known := 0, newKnownWords()
	for _, delim := range delims {
		records := recordsOf(data, delim, o)
		for i := range min(len(records), 20) {
			n := 0
			for _, text := range records[i] {
				if known.looksKnown(text) {
					n++
				}
			}
			if n > most {
				best, most = headless{delim: delim, skip: i, headers: records[i], rows: records[i+1:]}, n
			}
		}
	}
	if most == 0 {
		return best, fmt.Errorf("%w: no row looks like a header with columns of eGRID; write the mapping by hand, egrid columns lists what there is", egrid.ErrInvalid)
	}
	for i, header := range best.headers {
		best.headers[i] = strings.ToValidUTF8(header, "\ufffd")
	}
	return best, nil
}

// recordsOf reads a few hundred records.
func recordsOf(data []byte, delim byte, o *ReaderOptions) (records [][]string) {
	const enough = 500
	split := splitterOf(data, delim, 0, 1)
	split.grid = o.records()
	for len(records) < enough {
		rec, err := split.next()
		if err != nil {
			break
		}
		if cells, err := splitFields(nil, strings.TrimPrefix(string(rec.raw), byteOrderMark), delim); err == nil {
			records = append(records, cells)
		}
	}
	return records
}

// looksKnown reports whether a header means a column at some level.
func (k *knownWords) looksKnown(header string) bool {
	words := wordsOf(header)
	if len(words) == 0 || len(header) > 120 {
		return false
	}
	for _, level := range headerLevels() {
		if _, ok := egrid.Lookup(level, header); ok {
			return true
		}
	}
	return slices.ContainsFunc(k.fields, func(field []string) bool { return likeness(words, field) >= likely })
}

// knownWords are the words of the columns of all levels.
type knownWords struct{ fields [][]string }

func headerLevels() []egrid.Level { return []egrid.Level{egrid.PLNT, egrid.GEN, egrid.UNT, egrid.ST} }

func newKnownWords() *knownWords {
	k := &knownWords{}
	for _, level := range headerLevels() {
		_, words := fieldsInWords(level)
		k.fields = append(k.fields, words...)
	}
	return k
}

// likely is the least likeness of a header and a column that are taken for the same.
const likely = 0.6

// propose recognises the headers as columns of a level. The score is higher the more
// and the surer they are; what identifies a row counts most.
func (t *headless) propose(level egrid.Level) (*Proposal, float64) {
	p := &Proposal{Level: level, Mapping: Mapping{Columns: map[string]string{}, Transform: map[string]string{}}}
	type match struct {
		at, field int
		like      float64
	}
	fields, named := fieldsInWords(level)
	var matches []match
	certainly := map[egrid.Column]bool{}
	for _, header := range t.headers {
		if f, ok := egrid.Lookup(level, strings.TrimSpace(header)); ok {
			certainly[f.Column] = true
		}
	}
	for at, header := range t.headers {
		header = strings.TrimSpace(header)
		p.Columns = append(p.Columns, ProposedColumn{Header: header, From: "no column has these words", Examples: t.examples(at)})
		if header == "" {
			p.Columns[at].From = "no header"
			continue
		}
		words, spelt := wordsOf(header), misspelt(header, fields, certainly)
		for i := range fields {
			f := &fields[i]
			like := likeness(words, named[i])
			if i == spelt {
				like = max(like, likely)
			}
			if known, ok := egrid.Lookup(level, header); ok {
				like = 0
				if known.Column == f.Column {
					like = certain
				}
			}
			if like >= likely && t.fits(at, f) {
				matches = append(matches, match{at, i, like})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(b.like, a.like) })
	taken, unclear := map[int]bool{}, map[int]bool{} // fields, and headers
	score := 0.0
	has := map[egrid.Column]bool{}
	for _, m := range matches {
		c, f := &p.Columns[m.at], &fields[m.field]
		alike := func(o match) bool { return o.field == m.field && o.like == m.like && p.Columns[o.at].Column == "" }
		switch {
		case c.Column != "" || unclear[m.at]:
			continue
		case taken[m.field]:
			c.From = fmt.Sprintf("another header is nearer to %s", f.Column)
			continue
		case m.like < certain && slices.ContainsFunc(matches, func(o match) bool { return o.at != m.at && alike(o) }):
			for _, o := range matches {
				if alike(o) {
					unclear[o.at], p.Columns[o.at].From = true, fmt.Sprintf("several headers are as near to %s", f.Column)
				}
			}
			continue
		}
		taken[m.field], has[f.Column] = true, true
		c.Column, c.Code, c.Certain = f.Column, f.Code, m.like == certain
		c.From = map[bool]string{true: "name", false: "words"}[c.Certain]
		if m.field == misspelt(c.Header, fields, certainly) {
			c.From = bySpelling
		}
		score += min(m.like, 1)
		if !c.Certain || !strings.EqualFold(c.Header, f.Code) {
			p.Mapping.Columns[c.Header] = string(f.Column)
		}
		if how, why := t.transform(m.at, f); how != "" {
			p.Mapping.Transform[string(f.Column)] = how
			c.From += "; " + why
		}
	}
	p.From = fmt.Sprintf("%d of %d headers", len(has), len(t.headers))
	identifiers := egrid.Identifier(level, func(c egrid.Column) bool { return has[c] })
	own := map[egrid.Level]egrid.Column{egrid.GEN: egrid.GeneratorID, egrid.UNT: egrid.UnitID}[level]
	switch {
	case len(has) == 0:
		return nil, 0
	case own != "" && !has[own]:
		score /= 2 // what could be any level's
	case own != "":
		score += 3
		p.From += ", " + string(own) + " among them"
	case level == egrid.PLNT:
		if has[egrid.PlantName] || has[egrid.PlantCode] || len(identifiers) > 0 {
			score++
		}
	case slices.ContainsFunc(identifiers, func(c egrid.Column) bool { return has[c] && c != egrid.Sequence }):
		if !slices.ContainsFunc(t.headers, namesPlant) {
			score++
		}
	default:
		score /= 2
	}
	return p, score
}

// namesPlant reports whether a header is one of plants or of their parts, which no
// sheet of regions has.
func namesPlant(header string) bool {
	return slices.ContainsFunc(wordsOf(header), func(w string) bool { return w == "plant" || w == "oris" || w == "generator" })
}

// certain is the likeness of a header that is a name, a code or an alias.
const certain = 2

// examples are the first few values of a column.
func (t *headless) examples(at int) (found []string) {
	const few = 3
	for _, row := range t.rows {
		if at < len(row) && !cell.Missing(row[at]) && !slices.Contains(found, row[at]) {
			if found = append(found, shorten(row[at], 40)); len(found) == few {
				break
			}
		}
	}
	return found
}

// numbers are the numbers of a column, and how many values are none.
func (t *headless) numbers(at int) (numbers []float64, others map[string]int) {
	others = map[string]int{}
	for _, row := range t.rows {
		if at >= len(row) || cell.Missing(row[at]) {
			continue
		}
		text := row[at]
		if t.delim == ';' { // which is there because commas are decimal signs
			text = strings.Replace(text, ",", ".", 1)
		}
		v, _, err := egrid.ParseValue(egrid.Number, text)
		if x, ok := v.Float(); err == nil && ok {
			numbers = append(numbers, x)
		} else {
			others[strings.TrimSpace(row[at])]++
		}
	}
	return numbers, others
}

// fits reports whether the values of a column can be those of a field.
func (t *headless) fits(at int, f *egrid.Field) bool {
	if f.Type == egrid.Text || f.Type == egrid.Flag {
		return true
	}
	numbers, others := t.numbers(at)
	words := 0
	for _, n := range others {
		words += n
	}
	if words > len(numbers) {
		return false
	}
	if len(numbers) == 0 {
		return true
	}
	least, most := slices.Min(numbers), slices.Max(numbers)
	switch {
	case isShare(*f):
		const slack = 1.5 // shares of plants that draw more than they make are outside of 0-100
		return most <= 100*slack
	case f.Column == egrid.Latitude:
		return least >= -90 && most <= 90
	case f.Column == egrid.Longitude:
		return least >= -180 && most <= 180
	case f.Type == egrid.Integer:
		return !slices.ContainsFunc(numbers, func(x float64) bool { return x != math.Trunc(x) })
	}
	return true
}

// transform is what has to be done to the values of a column, and why.
func (t *headless) transform(at int, f *egrid.Field) (how, why string) {
	if f.Type == egrid.Text || f.Type == egrid.Flag {
		return "", ""
	}
	numbers, others := t.numbers(at)
	if f.Column == egrid.Longitude && len(numbers) > 0 && slices.Min(numbers) > 0 {
		return "negate", "all longitudes are positive, and plants are west of Greenwich"
	}
	if len(others) != 1 {
		return "", ""
	}
	for text, n := range others {
		const short = 12 // as marks of missing values are
		if len(text) <= short && !strings.ContainsAny(text, "0123456789") {
			return "null_if:" + text, fmt.Sprintf("%s stands for missing, %d times", strconv.Quote(text), n)
		}
	}
	return "", ""
}

// synonyms turn what people write into the words of our names. A word may become
// several.
var synonyms = map[string]string{
	"percent": "share", "pct": "share", "perc": "share", "proportion": "share", "mix": "share", "fraction": "share",
	"gen": "generation", "generated": "generation", "netgen": "net generation", "output": "", "production": "generation",
	"lat": "latitude", "lon": "longitude", "lng": "longitude", "long": "longitude", "cnty": "county",
	"equiv": "equivalent", "eq": "equivalent", "co2eq": "co2e", "co2equiv": "co2e", "carbon": "co2", "dioxide": "", "methane": "ch4", "nitrous": "n2o", "oxide": "",
	"mercury": "hg", "sulfur": "so2", "sulphur": "so2", "nitrogen": "nox", "oxides": "", "nameplatecapacity": "nameplate capacity", "cap": "capacity", "capfac": "capacity factor",
	"oris": "oris", "orispl": "oris", "facility": "plant", "powerplant": "plant", "station": "plant", "auth": "authority", "ba": "balancing authority", "lbs": "lb", "pounds": "lb",
	"pound": "lb", "ton": "tons", "short": "", "mwhr": "mwh", "megawatthours": "mwh", "megawatts": "mw", "geo": "geothermal", "bio": "biomass", "hydroelectric": "hydro",
	"water": "hydro", "nuke": "nuclear", "petroleum": "oil", "naturalgas": "gas", "natural": "", "st": "state", "owner": "operator", "company": "operator",
	"annual": "", "emissions": "", "emission": "", "egrid": "", "the": "", "of": "", "by": "", "from": "", "per": "", "and": "", "in": "", "for": "", "primary": "", "main": "",
	"abbreviation": "", "abbr": "", "acronym": "", "number": "", "num": "", "no": "", "value": "", "pl": "", "eia": "", "epa": "", "year": "year", "data": "", "fuels": "fuel",
	"power": "", "purchased": "unknown", "type": "", "id": "code", "seq": "sequence", "heatinput": "heat input", "unadj": "unadjusted", "nb": "nonbaseload",
	"baseload": "baseload", "non": "non", "cogen": "chp", "prime": "prime", "mover": "mover", "op": "operator", "adjusted": "", "source": "source",
	"renewables": "renewable", "nonrenewables": "nonrenewable", "region": "region",
}

// weak words tell little: that one side lacks them matters little.
var weak = []string{"net", "mwh", "mw", "lb", "tons", "mmbtu", "generation", "total", "name", "plant", "code", "region", "authority", "oris"}

// wordsOf are the words of a header as our names have them.
func wordsOf(header string) []string {
	var words []string
	for _, word := range splitWords(header) {
		replaced, ok := synonyms[word]
		if !ok {
			replaced = word
		}
		for w := range strings.FieldsSeq(replaced) {
			words = append(words, w)
		}
	}
	words = joinWords(words, "co2", "equivalent", "co2e")
	words = joinWords(words, "non", "baseload", "nonbaseload")
	words = joinWords(words, "non", "renewable", "nonrenewable")
	words = joinWords(words, "sub", "region", "subregion")
	words = joinWords(words, "fossil", "fuel", "fossil")
	words = slices.DeleteFunc(words, func(w string) bool { return w == "equivalent" })
	if slices.Contains(words, "subregion") || slices.Contains(words, "nerc") {
		words = slices.DeleteFunc(words, func(w string) bool { return w == "region" })
	}
	has := func(w string) bool { return slices.Contains(words, w) }
	gas := slices.ContainsFunc([]string{"co2", "co2e", "ch4", "n2o", "nox", "so2", "hg"}, has)
	if has("lb") && has("mwh") || has("factor") && gas { // an emission factor
		words = append(slices.DeleteFunc(words, func(w string) bool { return w == "factor" }), "rate")
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// splitWords splits at what is no letter or digit, and where small letters become
// large.
func splitWords(s string) []string {
	var b strings.Builder
	before := ' '
	for _, r := range strings.ReplaceAll(s, "eGRID", "egrid") {
		switch {
		case r == '%':
			b.WriteString(" percent ")
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			b.WriteRune(' ')
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteRune(' ')
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		before = r
	}
	return strings.Fields(b.String())
}

// joinWords makes one word of two that follow each other.
func joinWords(words []string, a, b, joined string) []string {
	for i := 0; i+1 < len(words); i++ {
		if words[i] == a && words[i+1] == b {
			words[i] = joined
			words = slices.Delete(words, i+1, i+2)
		}
	}
	return words
}

// fieldsInWords are the fields of a level with the words of their names.
func fieldsInWords(level egrid.Level) (fields []egrid.Field, words [][]string) {
	fields = egrid.Fields(level)
	words = make([][]string, len(fields))
	for i := range fields {
		words[i] = wordsOf(string(fields[i].Column))
	}
	return fields, words
}

// likeness is how much of the words of both sides is the same, 0-1. It is 0 where one
// side has a word that the other lacks and that changes the meaning: a gas, a fuel, a
// rate.
func likeness(header, field []string) float64 {
	if len(header) == 0 || len(field) == 0 {
		return 0
	}
	weight := func(w string) float64 {
		if slices.Contains(weak, w) {
			return 0.25
		}
		return 1
	}
	same, all, strong := 0.0, 0.0, false
	for _, w := range header {
		all += weight(w)
		if slices.Contains(field, w) {
			same += 2 * weight(w)
			strong = strong || weight(w) == 1
		} else if weight(w) == 1 {
			return 0
		}
	}
	for _, w := range field {
		all += weight(w)
		if !slices.Contains(header, w) && weight(w) == 1 {
			return 0
		}
	}
	if !strong && !weakFits(header, field) {
		return 0
	}
	if len(header) == 1 && !slices.Equal(header, field) {
		return max(likely, same/all)
	}
	return same / all
}

// weakFits reports whether words that tell little tell enough: several of them, all
// of the field, or generation alone.
func weakFits(header, field []string) bool {
	lacks := func(w string) bool { return w != "total" && !slices.Contains(field, w) }
	switch {
	case slices.Equal(header, field):
		return true
	case slices.ContainsFunc(header, lacks):
		return false
	case len(header) > 1:
		return true
	}
	return slices.Equal(field, []string{"generation", "mwh", "net"}) && (header[0] == "generation" || header[0] == "net")
}
