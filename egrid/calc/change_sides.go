package calc

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Sheet is a sheet of an edition: what it is, and its rows.
type Sheet struct {
	egrid.Snapshot
	Rows []*egrid.Batch
}

// FactorDifference is what became of every factor of the regions of an edition in
// another one.
type FactorDifference struct {
	From, To       []egrid.Snapshot // the sheets that were compared
	FromGWP, ToGWP GWPFit           // that CO2e is of; without a name where it is not known
	Changes        []FactorChange   // the largest first, see [FactorChange.Relative]; then those that one edition alone has
	Notes          []string         // what a reader should know
}

// CompareFactors holds every factor of the regions of one edition against the other's:
// each gas of each kind, at the levels that both have. The sheets of an edition are
// those of regions and of plants, at most one of a level.
//
// A factor is the mass over the generation or heat input, at full precision: of the
// region's own row where both editions have such sheets, else of plants. Factors of
// kind nonbaseload are of plants where both editions have them, else the published
// rates. Both sides are of the same kind of sheet where they can be. What rounding
// explains, of figures and of files with rounded columns, is no move.
//
// It returns [egrid.ErrInvalid] for sheets of several editions on one side, and for
// batches that are not of their level.
func CompareFactors(from, to []Sheet) (*FactorDifference, error) {
	a, err := newFactorSide(from)
	if err != nil {
		return nil, err
	}
	b, err := newFactorSide(to)
	if err != nil {
		return nil, err
	}
	d := &FactorDifference{From: a.snapshots, To: b.snapshots, FromGWP: a.gwp(), ToGWP: b.gwp()}
	p := pairing{from: a, to: b}
	var changes []*FactorChange
	for _, level := range changeLevels() {
		changes = append(changes, p.level(level)...)
	}
	d.weigh(changes)
	slices.SortStableFunc(changes, compareFactorChanges)
	for _, c := range changes {
		d.Changes = append(d.Changes, *c)
	}
	d.Notes = append(p.notes(), d.editionNotes()...)
	return d, nil
}

// weigh finds what another GWP has in the moves of CO2e.
func (d *FactorDifference) weigh(changes []*FactorChange) {
	if d.FromGWP.Name == d.ToGWP.Name || d.FromGWP.Name == "" || d.ToGWP.Name == "" {
		return
	}
	type key struct {
		level egrid.Level
		code  string
		kind  Kind
		gas   Gas
	}
	all := map[key]*FactorChange{}
	for _, c := range changes {
		all[key{c.Level, c.Code, c.Kind, c.Gas}] = c
	}
	for _, c := range changes {
		x, known := c.From.Value.Float()
		if c.Gas != CO2e || c.Change != Moved || !known || x == 0 {
			continue
		}
		sum, whole := 0.0, true
		for gas, more := range map[Gas]float64{CH4: d.ToGWP.CH4 - d.FromGWP.CH4, N2O: d.ToGWP.N2O - d.FromGWP.N2O} {
			of := all[key{c.Level, c.Code, c.Kind, gas}]
			if of == nil || of.To.Basis != c.To.Basis || of.To.Rounded != c.To.Rounded {
				whole = false
				continue
			}
			y, ok := of.To.Value.Float()
			sum, whole = sum+float64(more*y), whole && ok
		}
		if whole {
			c.ByGWP = egrid.NumberOf(sum / math.Abs(x))
		}
	}
}

// editionNotes tell how the editions differ as a whole.
func (d *FactorDifference) editionNotes() []string {
	var notes []string
	if a, b := d.FromGWP, d.ToGWP; a.Name != b.Name && a.Name != "" && b.Name != "" {
		notes = append(notes, fmt.Sprintf("CO2e is by %s in the first edition (CH4 %v, N2O %v) and by %s in the second (%v, %v): a part of its change is the weighing. The gases by themselves do not depend on it.",
			strings.ToUpper(a.Name), a.CH4, a.N2O, strings.ToUpper(b.Name), b.CH4, b.N2O))
	}
	if len(d.From) > 0 && len(d.To) > 0 && d.From[0].Authority != d.To[0].Authority {
		notes = append(notes, fmt.Sprintf("The first edition was published by %s, the second by %s.", d.From[0].Authority, d.To[0].Authority))
	}
	return append(notes, foreign(slices.Concat(d.From, d.To))...)
}

// factorSide is the sheets of one edition, ready to give factors.
type factorSide struct {
	name      string
	snapshots []egrid.Snapshot
	sheets    map[egrid.Level]*sheet
	rows      map[egrid.Level]map[string]int // by code
	plants    *Plants
	rough     rough
	partial   bool // plants have CO2 without CO2e
	tallies   map[egrid.Level][2]*tallied
	method    Method
}

// tallied is the sums over the plants of each region of a level.
type tallied struct {
	program *program
	terms   map[egrid.Column]int
	ledger  ledger
	codes   map[string]int
	plants  []float64 // in each region
}

func newFactorSide(sheets []Sheet) (*factorSide, error) {
	s := &factorSide{sheets: map[egrid.Level]*sheet{}, rows: map[egrid.Level]map[string]int{}, tallies: map[egrid.Level][2]*tallied{}, rough: rough{}}
	for i := range sheets {
		of := &sheets[i]
		if of.Level != egrid.PLNT && !slices.Contains(RegionLevels(), of.Level) {
			continue
		}
		if len(s.snapshots) > 0 {
			if first := &s.snapshots[0]; first.Year != of.Year || first.Release != of.Release {
				return nil, fmt.Errorf("%w: sheets of %s and of %s are of different editions, which are never mixed", egrid.ErrInvalid,
					editionName(first.Year, first.Release), editionName(of.Year, of.Release))
			}
		}
		s.snapshots = append(s.snapshots, of.Snapshot)
		if err := s.read(of); err != nil {
			return nil, err
		}
	}
	if len(s.snapshots) > 0 {
		first := &s.snapshots[0]
		s.name, s.method = editionName(first.Year, first.Release), MethodOf(first.Year, first.Release)
	}
	return s, nil
}

func (s *factorSide) read(of *Sheet) error {
	if of.Level == egrid.PLNT {
		for _, b := range of.Rows {
			s.rough.add(b, of.Snapshot)
		}
		var err error
		if s.plants, err = ReadPlants(batchesOf(of.Rows)); err == nil {
			s.partial = s.plants.unweighed() > 0
		}
		return err
	}
	if len(of.Rows) == 0 {
		return nil
	}
	sheet := newSheet(of.Level, of.Rows, of.Snapshot)
	rows := map[string]int{}
	for i, code := range sheet.codes {
		if _, met := rows[code]; met {
			return severalRows(of.Level, "eGRID "+editionName(of.Year, of.Release), code)
		}
		if code != "" || of.Level == egrid.US {
			rows[code] = i
		}
	}
	s.sheets[of.Level], s.rows[of.Level] = sheet, rows
	return nil
}

func batchesOf(rows []*egrid.Batch) func(func(*egrid.Batch, error) bool) {
	return func(yield func(*egrid.Batch, error) bool) {
		for _, b := range rows {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// gwp finds the vintage of CO2e, from the sheets or else from the plants.
func (s *factorSide) gwp() GWPFit {
	e := &edition{plants: s.plants}
	for _, level := range RegionLevels() {
		if sheet := s.sheets[level]; sheet != nil {
			e.sheets = append(e.sheets, sheet)
		}
	}
	if e.sheet(egrid.US) != nil || e.sheet(egrid.ST) != nil {
		return e.gwp()
	}
	if s.plants == nil || s.partial {
		return GWPFit{}
	}
	us := s.plants.Regions(egrid.US, s.method)
	e.sheets = []*sheet{newSheet(egrid.US, []*egrid.Batch{us}, egrid.Snapshot{})}
	return e.gwp()
}

// has reports whether the edition can tell of a level, by its sheet or by plants.
func (s *factorSide) has(level egrid.Level) bool {
	return s.sheets[level] != nil || s.plants != nil && s.plants.regions[level] != nil
}

// codes are the regions of a level.
func (s *factorSide) codes(level egrid.Level) []string {
	var codes []string
	if s.sheets[level] != nil {
		for code := range s.rows[level] {
			codes = append(codes, code)
		}
	} else if s.plants != nil && s.plants.regions[level] != nil {
		codes = slices.Clone(s.plants.regions[level].codes)
	}
	slices.Sort(codes)
	return codes
}

// regionName is the name that the sheet has for a region.
func (s *factorSide) regionName(level egrid.Level, code string) string {
	if row, ok := s.rows[level][code]; ok {
		return regionName(level, s.sheets[level].rows.Row(row))
	}
	return ""
}

// source is where a factor is computed from.
type source uint8

const (
	ofSheet  source = iota // sums of the region's row
	ofPlants               // sums over plants
	ofRates                // the published rate
)

// figures finds a factor of a region; ok is false where the source does not give it.
func (s *factorSide) figures(level egrid.Level, code string, kind Kind, gas Gas, from source) (FactorSide, bool) {
	side := FactorSide{}
	row, inSheet := s.rows[level][code]
	rate := kind.rate(gas)
	if inSheet {
		if x, ok := s.sheets[level].number(rate, row); ok {
			side.Published, side.rounding = egrid.NumberOf(x), s.sheets[level].tolerance(rate, row)
		}
	}
	q := FactorQuery{Gas: gas, GWP: GWPPublished}
	mass := q.masses()[0]
	var m, w, mTolerance, wTolerance float64
	var ok bool
	switch from {
	case ofSheet:
		if !inSheet || kind == Nonbaseload {
			return side, false
		}
		side.Basis = level
		m, w, mTolerance, wTolerance, ok = s.fromRow(s.sheets[level], row, mass.column, kind.whole())
	case ofPlants:
		side.Basis = egrid.PLNT
		m, w, mTolerance, wTolerance, ok = s.fromPlants(level, code, mass.column, kind)
	default:
		return s.fromRate(side, level, row, inSheet, kind)
	}
	if !ok || !(w > 0) {
		return side, false
	}
	m, mTolerance = mass.times*m, mass.times*mTolerance
	side.Mass, side.Whole, side.Value = egrid.NumberOf(m), egrid.NumberOf(w), egrid.NumberOf(m/w)
	side.tolerance = (mTolerance+math.Abs(m/w)*wTolerance)/w + 1e-9*math.Abs(m/w)
	return side, true
}

func (s *factorSide) fromRow(of *sheet, row int, mass, whole egrid.Column) (m, w, mTolerance, wTolerance float64, ok bool) {
	m, known := of.number(mass, row)
	w, also := of.number(whole, row)
	return m, w, of.tolerance(mass, row), of.tolerance(whole, row), known && also
}

// fromRate takes the published rate for the factor. Of kind nonbaseload, whose
// generation sheets have, the mass is what the two make.
func (s *factorSide) fromRate(side FactorSide, level egrid.Level, row int, inSheet bool, kind Kind) (FactorSide, bool) {
	x, ok := side.Published.Float()
	if !ok {
		return side, false
	}
	side.Basis, side.Rounded, side.Value, side.tolerance = level, true, side.Published, side.rounding
	if kind != Nonbaseload || !inSheet {
		return side, true
	}
	if w, known := s.sheets[level].number(nonbaseloadTotal, row); known && w > 0 {
		side.Whole, side.Mass = egrid.NumberOf(w), egrid.NumberOf(x*w)
	}
	return side, true
}

func (s *factorSide) fromPlants(level egrid.Level, code string, mass egrid.Column, kind Kind) (m, w, mTolerance, wTolerance float64, ok bool) {
	if s.plants == nil || s.plants.regions[level] == nil || mass == egrid.CO2e && s.partial {
		return 0, 0, 0, 0, false
	}
	t := s.tally(level, kind == Nonbaseload)
	r, known := t.codes[code]
	if !known {
		return 0, 0, 0, 0, false
	}
	sums := t.ledger.region(t.program, r)
	m, w = sums[t.terms[mass]], sums[t.terms[kind.whole()]]
	return m, w, s.rough.of(mass) * t.plants[r], s.rough.of(kind.whole()) * t.plants[r], !math.IsNaN(m) && !math.IsNaN(w)
}

// tally sums up the plants of every region of a level, once.
func (s *factorSide) tally(level egrid.Level, weighted bool) *tallied {
	at := 0
	if weighted {
		at = 1
	}
	both := s.tallies[level]
	if both[at] != nil {
		return both[at]
	}
	columns := []egrid.Column{egrid.NetGeneration}
	for _, gas := range Gases() {
		q := FactorQuery{Gas: gas, GWP: GWPPublished}
		columns = append(columns, q.masses()[0].column)
	}
	if !weighted {
		columns = append(columns, combustionGeneration, egrid.HeatInput)
	}
	t := &tallied{terms: map[egrid.Column]int{}, codes: map[string]int{}}
	var terms []int
	t.program, terms = tally(s.method, weighted, columns)
	for i, c := range columns {
		t.terms[c] = terms[i]
	}
	part := s.plants.regions[level]
	t.ledger = s.plants.add(part, t.program)
	t.plants = make([]float64, len(part.codes))
	for i, code := range part.codes {
		t.codes[code] = i
	}
	for _, r := range part.of {
		if r >= 0 {
			t.plants[r]++
		}
	}
	both[at] = t
	s.tallies[level] = both
	return t
}
