package etl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Validated is the answer of the second stage.
type Validated struct {
	RunInfo
	Files []CheckedFile `json:"files"`
}

// CheckedFile is what was found in an object.
type CheckedFile struct {
	Object
	Sheets []CheckedSheet `json:"sheets"`
	Error  string         `json:"error,omitempty"` // why the object cannot be loaded at all
}

// CheckedSheet is what was found in a sheet. The counts are those of a check
// of the content.
type CheckedSheet struct {
	Member  string        `json:"member"`          // of an archive, or sheet of a workbook; empty otherwise
	Plain   bool          `json:"plain"`           // its text is the object itself: any place of it can be read
	Sheet   *sheet.Sheet  `json:"sheet,omitempty"` // how to read it; nil when it cannot be
	Rows    int64         `json:"rows"`
	Rejects []RejectGroup `json:"rejects,omitempty"`
	Audits  []egrid.Audit `json:"audits,omitempty"`
	Years   []CheckedYear `json:"years,omitempty"`    // each of which is a load of its own
	Error   string        `json:"error,omitempty"`    // why the sheet cannot be loaded
	LeftOut bool          `json:"left_out,omitempty"` // it is no eGRID sheet, and nobody asked for it
}

// CheckedYear is what was found in one data year of a sheet: what a load of it counts.
type CheckedYear struct {
	Year       int            `json:"year"`
	Rows       int64          `json:"rows"`
	Generation bool           `json:"generation,omitempty"` // a row has net generation
	Rejects    []RejectGroup  `json:"rejects,omitempty"`    // a rejected record has no data year: it counts to one near it
	Lossy      []egrid.Column `json:"lossy_columns,omitempty"`
	Audits     []egrid.Audit  `json:"audits,omitempty"`
	Held       string         `json:"held,omitempty"` // why a load holds it, whatever is published
}

// OK reports whether everything was found in order: nothing refused, nothing
// rejected, no hard audit broken. What is left out is in order.
func (v Validated) OK() bool {
	for _, f := range v.Files {
		if f.Error != "" {
			return false
		}
		for _, s := range f.Sheets {
			if s.Error != "" && !s.LeftOut || len(s.Rejects) > 0 || slices.ContainsFunc(s.Audits, func(a egrid.Audit) bool { return a.Severity == egrid.Hard }) {
				return false
			}
		}
	}
	return true
}

// Validate checks the structure and the content of every sheet, and loads
// nothing, nor does it look at what is published.
func (p *Pipeline) Validate(ctx context.Context, scanned Scanned) (_ Validated, err error) {
	defer p.observe("validate", time.Now(), &err)
	ctx, end := scanned.stage(ctx, "validate")
	defer func() { end(err) }()
	p, closeAll := p.shelved(ctx)
	defer closeAll()
	v, err := p.inspect(ctx, scanned)
	if err != nil {
		return v, err
	}
	for i := range v.Files {
		f := &v.Files[i]
		for j := range f.Sheets {
			s := &f.Sheets[j]
			if s.Sheet == nil {
				continue
			}
			if err := p.checkContent(ctx, f.Object, s); err != nil {
				if !p.ofOneFile(ctx, err) {
					return v, fmt.Errorf("validate %s: %w", f.Name, err)
				}
				s.Error = reason(err)
			}
		}
	}
	return v, nil
}

// cellSet keeps one copy of columns that many sheets have: some 20 KB of a sheet of
// plants.
type cellSet map[string][]sheet.SheetColumn

// shared returns the first columns that are equal to some.
func (set cellSet) shared(cells []sheet.SheetColumn) []sheet.SheetColumn {
	key, err := json.Marshal(cells)
	if err != nil { // of texts and numbers it has none
		return cells
	}
	if same, ok := set[string(key)]; ok {
		return same
	}
	set[string(key)] = cells
	return cells
}

// inspect reads the head of every sheet.
func (p *Pipeline) inspect(ctx context.Context, scanned Scanned) (Validated, error) {
	v := Validated{RunInfo: scanned.RunInfo}
	schemas, cells := driver.SchemaSet{}, cellSet{} // of thousands of files most have the same columns
	sheets := 0
	for _, o := range scanned.Objects {
		f := CheckedFile{Object: o}
		if o.LeftOut != "" {
			f.Sheets = []CheckedSheet{{Error: o.LeftOut, LeftOut: true}}
			v.Files = append(v.Files, f)
			continue
		}
		authority, from := "", "" // as the contents page of a workbook has it
		tables, leftOut, err := p.tables(ctx, o)
		if err != nil {
			if !p.ofOneFile(ctx, err) {
				return v, fmt.Errorf("validate %s: %w", o.Name, err)
			}
			f.Error = reason(err)
		}
		sheets += len(tables)
		if err := p.o.Limits.found(sheets, o.Name); err != nil {
			return v, err
		}
		for _, left := range leftOut {
			f.Sheets = append(f.Sheets, CheckedSheet{Member: left.Name, Error: left.Reason, LeftOut: true})
		}
		for _, table := range tables {
			s := CheckedSheet{Member: table.Name, Plain: table.Plain}
			if s.Sheet, err = p.inspectSheet(ctx, o, table); err != nil {
				if !p.ofOneFile(ctx, err) {
					return v, fmt.Errorf("validate %s: %w", o.Name, err)
				}
				s.Error, s.LeftOut = reason(err), errors.Is(err, sheet.ErrNotSheet)
			} else {
				s.Sheet.Schema, s.Sheet.Cells = schemas.Shared(s.Sheet.Schema), cells.shared(s.Sheet.Cells)
			}
			f.Sheets = append(f.Sheets, s)
			if contents := new(sheet.NotKeptError); errors.As(err, &contents) && contents.Authority != "" {
				authority, from = contents.Authority, "sheet "+table.Name
			}
		}
		for _, s := range f.Sheets {
			if authority != "" && s.Sheet != nil {
				s.Sheet.PublishedBy(authority, from)
			}
		}
		if o.Named && !slices.ContainsFunc(f.Sheets, func(s CheckedSheet) bool { return s.Error == "" }) {
			for i := range f.Sheets {
				f.Sheets[i].LeftOut = false // a person takes the file for one
			}
		}
		v.Files = append(v.Files, f)
	}
	return v, nil
}

func (p *Pipeline) inspectSheet(ctx context.Context, o Object, table book.Table) (*sheet.Sheet, error) {
	text, err := p.text(ctx, o, table.Name, "")
	if err != nil {
		return nil, err
	}
	options := p.readerOptions(o, table.Name)
	options.Grid, options.Objects = table.Grid, table.Objects
	s, err := sheet.Inspect(text.Reader(), options)
	if err != nil {
		return nil, err
	}
	if table.Hidden {
		s.Learn(sheet.Evidence{Of: "sheet", Value: "hidden", From: "the workbook"})
	}
	if table.Charset != "" {
		s.Learn(sheet.Evidence{Of: "encoding", Value: table.Charset, From: "the first bytes"})
	}
	return s, nil
}

// checkContent decodes a whole sheet, and describes each data year as a store does.
func (p *Pipeline) checkContent(ctx context.Context, o Object, s *CheckedSheet) error {
	part, err := p.divideSheet(ctx, o, s)
	if err != nil {
		return err
	}
	var piece Piece
	tallies, keys := map[int][]driver.Tally{}, map[int]*keyCounter{}
	err = p.decode(ctx, "validate", part, func(d decoded) error {
		s.Rejects = groupRejects(s.Rejects, s.Sheet.Level, d.rejects)
		for _, c := range piece.take(part, "", &d) {
			year := c.Rows.Year()
			if keys[year] == nil {
				keys[year] = newKeyCounter(s.Sheet, part.Rows)
			}
			keys[year].add(c.Rows)
			tallies[year] = append(tallies[year], driver.CountsOf(c))
		}
		return nil
	})
	if err != nil {
		return err
	}
	loads, _ := combine([]Piece{piece})
	if len(loads) == 0 {
		for _, b := range piece.Blank {
			s.Audits = driver.MergeAudits(s.Audits, b.Findings)
		}
		return noRows(s.Rejects)
	}
	for i := range loads {
		l := &loads[i]
		for _, b := range l.Blank {
			tallies[l.Spec.Year] = append(tallies[l.Spec.Year], driver.CountsOf(b.chunk(l.Spec)))
		}
		year, err := l.check(tallies[l.Spec.Year], keys[l.Spec.Year])
		if err != nil {
			return err
		}
		for _, e := range ofFigures(year.Audits) {
			s.Sheet.Learn(e)
		}
		s.Rows, s.Audits = s.Rows+year.Rows, driver.MergeAudits(s.Audits, year.Audits)
		s.Years = append(s.Years, year)
	}
	slices.SortFunc(s.Years, func(a, b CheckedYear) int { return cmp.Compare(a.Year, b.Year) })
	return nil
}

// check says what a store would make of a load where nothing is published.
func (l *Load) check(tallies []driver.Tally, keys *keyCounter) (CheckedYear, error) {
	snap := driver.NewSnapshot(l.Spec.ID(), l.Spec)
	driver.Describe(&snap, tallies)
	if a, ok := keys.audit(); ok {
		snap.Audits = append(snap.Audits, a)
	}
	status, reason, err := driver.Decide(driver.PublishAuto, snap, nil, nil)
	if status != egrid.Held {
		reason = ""
	}
	return CheckedYear{Year: l.Spec.Year, Rows: snap.Rows, Generation: l.Generation, Rejects: l.Rejects, Lossy: snap.Lossy, Audits: snap.Audits, Held: reason}, err
}

// ofFigures is the evidence of what is known of the figures of EPA's sheets.
func ofFigures(audits []egrid.Audit) (evidence []sheet.Evidence) {
	for _, a := range audits {
		if a.Rule == driver.KnownFigures || a.Rule == driver.ChangedFigures {
			evidence = append(evidence, sheet.Evidence{Of: "figures", Value: a.Examples[0], From: strings.Join(a.Examples[1:], "; ")})
		}
	}
	return evidence
}

// keyCounter finds identifiers that several rows of a data year share. It keeps a hash of
// each, up to a bound.
type keyCounter struct {
	sheet      *sheet.Sheet
	columns    []egrid.Column
	seed       maphash.Seed
	seen       hashSet
	again      map[uint64]bool // met more than once
	duplicates int64
	examples   []string
	full       bool
}

const maxKeys = 1 << 20

// newKeyCounter makes one for about so many rows.
func newKeyCounter(s *sheet.Sheet, rows int64) *keyCounter {
	k := &keyCounter{sheet: s, columns: egrid.Identifier(s.Level, s.Schema.Has), seed: maphash.MakeSeed(), again: map[uint64]bool{}}
	if len(k.columns) > 0 {
		k.seen.grow(int(min(rows, maxKeys)))
	}
	return k
}

// add counts the rows of a batch.
func (k *keyCounter) add(b *egrid.Batch) {
	if len(k.columns) == 0 || k.full {
		return
	}
	hashes := make([]uint64, b.Len())
	columns := make([]*egrid.Vector, len(k.columns))
	for i, c := range k.columns {
		columns[i] = b.Column(b.Schema().Index(c))
		k.mix(hashes, columns[i])
	}
	for row, h := range hashes {
		if k.seen.n == maxKeys {
			k.full = true
			return
		}
		missing := slices.ContainsFunc(columns, func(v *egrid.Vector) bool { return v.IsMissing(row) })
		if missing || k.seen.add(h) || k.again[h] {
			continue
		}
		k.again[h] = true
		k.duplicates++
		if len(k.examples) < 20 {
			values := make([]egrid.Value, len(k.columns))
			for i, c := range k.columns {
				values[i] = b.Row(row).Value(c)
			}
			k.examples = append(k.examples, driver.IdentifierText(values...))
		}
	}
}

// mix adds a column to the hashes of the rows: of a text the hash of its entry in
// the dictionary, which is made once.
func (k *keyCounter) mix(hashes []uint64, v *egrid.Vector) {
	entries := make([]uint64, v.Entries())
	for i := range entries {
		entries[i] = maphash.String(k.seed, v.Entry(i))
	}
	for row := range hashes {
		h := hashes[row] * 0x9e3779b97f4a7c15
		switch code := v.Code(row); {
		case code >= 0:
			h ^= entries[code]
		case !v.IsMissing(row):
			h ^= maphash.String(k.seed, v.Text(row))
		}
		hashes[row] = h ^ h>>29
	}
}

// hashSet is a set of hashes: a table with open addressing. The zero hashSet is
// empty.
type hashSet struct {
	table []uint64 // 0 is free
	n     int
}

// add reports whether the hash is new.
func (s *hashSet) add(h uint64) bool {
	h |= 1
	if 2*s.n >= len(s.table) {
		s.grow(max(2*s.n, 512))
	}
	mask := uint64(len(s.table) - 1)
	at := h >> 1 & mask
	for ; s.table[at] != 0; at = (at + 1) & mask {
		if s.table[at] == h {
			return false
		}
	}
	s.table[at] = h
	s.n++
	return true
}

// grow makes room for n hashes.
func (s *hashSet) grow(n int) {
	old := s.table
	s.table, s.n = make([]uint64, 1<<bits.Len(uint(2*n))), 0
	for _, was := range old {
		if was != 0 {
			s.add(was)
		}
	}
}

func (k *keyCounter) audit() (egrid.Audit, bool) {
	if k.full {
		return egrid.Audit{Rule: "duplicate_key_unchecked", Severity: egrid.Info, Count: 1,
			Examples: []string{fmt.Sprintf("only the first %d identifiers were compared; loading compares all", maxKeys)}}, true
	}
	return driver.DuplicateIdentifiers(k.sheet.Level, k.sheet.Schema.Has, k.duplicates, k.examples), k.duplicates > 0
}

func isReadError(err error) bool {
	var pathError *fs.PathError
	return errors.As(err, &pathError) || errors.Is(err, io.ErrUnexpectedEOF)
}
