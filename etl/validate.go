package etl

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
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
	Member   string         `json:"member"`          // of an archive; empty otherwise
	Sheet    *sheet.Sheet   `json:"sheet,omitempty"` // how to read it; nil when it cannot be
	Rows     int64          `json:"rows"`
	Rejected int64          `json:"rejected"`
	Rejects  []Reject       `json:"rejects,omitempty"` // the first ones
	Lossy    []egrid.Column `json:"lossy_columns,omitempty"`
	Audits   []egrid.Audit  `json:"audits,omitempty"`
	Years    []int          `json:"years,omitempty"` // data years of the rows
	Error    string         `json:"error,omitempty"` // why the sheet cannot be loaded
}

// Reject is a record that could not be read.
type Reject struct {
	Line   int64        `json:"line"`
	Column egrid.Column `json:"column,omitempty"`
	Value  string       `json:"value,omitempty"`
	Reason string       `json:"reason"`
}

// OK reports whether everything was found in order: nothing refused, nothing
// rejected, no hard audit broken.
func (v Validated) OK() bool {
	for _, f := range v.Files {
		if f.Error != "" {
			return false
		}
		for _, s := range f.Sheets {
			if s.Error != "" || s.Rejected > 0 || slices.ContainsFunc(s.Audits, func(a egrid.Audit) bool { return a.Severity == egrid.Hard }) {
				return false
			}
		}
	}
	return true
}

// maxRejects is how many rejected records an answer holds for each sheet.
const maxRejects = 20

// Validate checks the structure and the content of every sheet, and loads
// nothing. It is the dry run.
func (p *Pipeline) Validate(ctx context.Context, scanned Scanned) (_ Validated, err error) {
	defer p.observe("validate", time.Now(), &err)
	ctx = scanned.within(ctx)
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

// inspect reads the head of every sheet.
func (p *Pipeline) inspect(ctx context.Context, scanned Scanned) (Validated, error) {
	v := Validated{RunInfo: scanned.RunInfo}
	for _, o := range scanned.Objects {
		f := CheckedFile{Object: o}
		members, refused, err := p.members(ctx, o)
		if err != nil {
			if !p.ofOneFile(ctx, err) {
				return v, fmt.Errorf("validate %s: %w", o.Name, err)
			}
			f.Error = reason(err)
		}
		for member, err := range refused {
			f.Sheets = append(f.Sheets, CheckedSheet{Member: member, Error: reason(err)})
		}
		slices.SortFunc(f.Sheets, func(a, b CheckedSheet) int { return compareText(a.Member, b.Member) })
		for _, member := range members {
			s := CheckedSheet{Member: member}
			if s.Sheet, err = p.inspectSheet(ctx, o, member); err != nil {
				if !p.ofOneFile(ctx, err) {
					return v, fmt.Errorf("validate %s: %w", o.Name, err)
				}
				s.Error = reason(err)
			}
			f.Sheets = append(f.Sheets, s)
		}
		v.Files = append(v.Files, f)
	}
	return v, nil
}

func (p *Pipeline) inspectSheet(ctx context.Context, o Object, member string) (*sheet.Sheet, error) {
	r, err := p.openSheet(ctx, o, member)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return sheet.Inspect(r, p.readerOptions(o, member))
}

// checkContent decodes a whole sheet.
func (p *Pipeline) checkContent(ctx context.Context, o Object, s *CheckedSheet) error {
	part, err := p.divideSheet(ctx, o, s.Member, s.Sheet)
	if err != nil {
		return err
	}
	keys := newKeyCounter(s.Sheet)
	err = p.decode(ctx, "validate", part, func(d decoded) error {
		for _, year := range d.years {
			if !slices.Contains(s.Years, year.Rows.Year()) {
				s.Years = append(s.Years, year.Rows.Year())
			}
			s.Rows += int64(year.Rows.Len())
			s.Audits = driver.MergeAudits(s.Audits, year.Findings)
			s.Lossy = union(s.Lossy, year.Rows.Lossy())
			for row := range year.Rows.Rows() {
				keys.add(row)
			}
		}
		s.Rejected += int64(len(d.rejects))
		for _, r := range d.rejects[:min(len(d.rejects), maxRejects-len(s.Rejects))] {
			s.Rejects = append(s.Rejects, Reject{Line: r.Line, Column: r.Column, Value: r.Value, Reason: r.Reason})
		}
		return nil
	})
	slices.Sort(s.Years)
	if a, ok := keys.audit(); ok {
		s.Audits = append(s.Audits, a)
	}
	return err
}

// keyCounter finds identifiers that several rows share. It keeps a hash of
// each, up to a bound.
type keyCounter struct {
	columns    []egrid.Column
	seed       maphash.Seed
	seen       map[uint64]bool // whether it was met again
	duplicates int64
	examples   []string
	full       bool
}

const maxKeys = 1 << 20

func newKeyCounter(s *sheet.Sheet) *keyCounter {
	return &keyCounter{columns: driver.Identifier(s.Level, s.Schema.Has), seed: maphash.MakeSeed(), seen: map[uint64]bool{}}
}

func (k *keyCounter) add(row egrid.Row) {
	if k.columns == nil || k.full {
		return
	}
	var h maphash.Hash
	h.SetSeed(k.seed)
	fmt.Fprintf(&h, "%d", row.Year())
	values := make([]egrid.Value, len(k.columns))
	for i, c := range k.columns {
		values[i] = row.Value(c)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(values[i].String())
	}
	sum := h.Sum64()
	again, met := k.seen[sum]
	switch {
	case !met && len(k.seen) == maxKeys:
		k.full = true
	case met && !again:
		k.duplicates++
		k.seen[sum] = true
		if len(k.examples) < 20 {
			k.examples = append(k.examples, driver.IdentifierText(values...))
		}
	case !met:
		k.seen[sum] = false
	}
}

func (k *keyCounter) audit() (egrid.Audit, bool) {
	if k.full {
		return egrid.Audit{Rule: "duplicate_key_unchecked", Severity: egrid.Info, Count: 1,
			Examples: []string{fmt.Sprintf("only the first %d identifiers were compared; loading compares all", maxKeys)}}, true
	}
	return driver.DuplicateIdentifiers(k.duplicates, k.examples), k.duplicates > 0
}

func isReadError(err error) bool {
	var pathError *fs.PathError
	return errors.As(err, &pathError) || errors.Is(err, io.ErrUnexpectedEOF)
}
