package driver

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// NewSnapshot describes what a stage becomes when it is published, without its
// chunks yet, and without its id: see [Tally].
func NewSnapshot(id egrid.StageID, spec SnapshotSpec) egrid.Snapshot {
	source := spec.Source
	source.ID = id
	return egrid.Snapshot{
		Stage: id, Level: spec.Level, Year: spec.Year, Release: spec.Release, Status: egrid.Published,
		Authority: cmp.Or(spec.Authority, egrid.DefaultAuthority), Units: cmp.Or(spec.Units, egrid.DefaultUnits),
		Schema: spec.Schema, Sources: []egrid.Source{source}, LoadedAt: time.Now().UTC(),
	}
}

// Tally is what a store keeps of a chunk beside its rows. The tallies of a
// stage, added up in any order, describe the snapshot.
type Tally struct {
	Rows     int64                  `json:"rows"`
	Rejected int64                  `json:"rejected"`
	Lossy    []egrid.Column         `json:"lossy"`
	Faults   []egrid.RejectReason   `json:"faults,omitempty"`
	Findings []egrid.Audit          `json:"findings"`
	Digest   Digest                 `json:"digest"`            // of the rows
	Order    string                 `json:"order,omitempty"`   // of the columns in the digests, see [Order]; empty in what an earlier version put
	Outline  *Outline               `json:"outline,omitempty"` // of the rows; nil in what an earlier version put
	Gaps     map[egrid.Column]int64 `json:"gaps,omitempty"`    // of the rows, see [egrid.Snapshot]
	Digits   Precision              `json:"digits,omitzero"`   // of the numbers; it is not known of what an earlier version put
	Figures  Figures                `json:"figures,omitempty"` // of the numbers, where a sheet of EPA is known that they may be those of
}

// CountsOf counts a chunk as [TallyOf] does, without the digests that identify its rows:
// for who checks rows and keeps none. [Describe] makes no id of it.
func CountsOf(c Chunk) Tally {
	return Tally{Rows: int64(c.Rows.Len()), Rejected: c.Rejected, Lossy: c.Rows.Lossy(), Faults: mergeFaults(nil, c.Faults), Findings: c.Findings,
		Digits: PrecisionOf(c.Rows), Figures: figuresIn(c.Rows)}
}

// TallyOf counts a chunk.
func TallyOf(c Chunk) Tally {
	t := CountsOf(c)
	t.Outline, t.Order = &Outline{}, Order(c.Rows.Schema())
	eachRow(c.Rows, func(number int64, row Digest) {
		t.Digest = t.Digest.Plus(row)
		t.Outline.Blocks = t.Outline.Blocks.with(Block{Number: number / blockRows, Rows: 1, Digest: row[0]})
	})
	t.Outline.Places, t.Outline.Sums = placesIn(c.Rows), sumsOf(c.Rows)
	t.Gaps = gapsIn(c.Rows)
	return t
}

// Describe fills in what the tallies of all chunks, in the order of the chunks,
// say of a snapshot: rows, rejected records, lossy columns, audits and the id. A
// stage whose chunks an earlier version put keeps the id that it had there.
func Describe(s *egrid.Snapshot, tallies []Tally) {
	var digest Digest
	var digits Precision
	var figures Figures
	var faults []egrid.RejectReason
	orders := map[string]bool{}
	for _, t := range tallies {
		s.Rows += t.Rows
		s.Rejected += t.Rejected
		s.Lossy, s.Gaps = union(s.Lossy, t.Lossy), addGaps(s.Gaps, t.Gaps)
		s.Audits = MergeAudits(s.Audits, t.Findings)
		digits, figures = digits.Plus(t.Digits), figures.Plus(t.Figures)
		faults = mergeFaults(faults, t.Faults)
		if digest = digest.Plus(t.Digest); t.Digest != (Digest{}) {
			orders[t.Order] = true
		}
	}
	s.Lossy, s.RejectedFor = union(s.Lossy, digits.Rounded()), commonFault(faults)
	figures.Judge(s)
	if s.Level == egrid.US && s.Rows > 1 { // which has no identifier that rows could share
		s.Audits = MergeAudits(s.Audits, []egrid.Audit{DuplicateIdentifiers(s.Level, s.Schema.Has, 1, []string{string(egrid.US)})})
	}
	switch {
	case !orders[""]:
		s.ID = IdentityOf(s, digest)
	case len(orders) == 1:
		s.ID = identityOf(s, digest, asTheyAre(s.Schema))
	default: // the version changed while chunks came: an id that nothing else has
		digest[0]++
		s.ID = identityOf(s, digest, asTheyAre(s.Schema))
	}
}

// IdentityOf makes the id of a snapshot of its content: level, data year, release,
// authority, columns, which of them are rounded, and the digest of the rows. The
// order of the columns makes no difference.
func IdentityOf(s *egrid.Snapshot, rows Digest) egrid.SnapshotID {
	return identityOf(s, rows, inOrder(s.Schema))
}

func identityOf(s *egrid.Snapshot, rows Digest, places []int) egrid.SnapshotID {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%d\n", s.Level, s.Year, s.Release, s.Rows)
	if a := cmp.Or(s.Authority, egrid.DefaultAuthority); a != egrid.DefaultAuthority {
		fmt.Fprintf(h, "%q\n", a)
	}
	for _, at := range places {
		f := s.Schema.Field(at)
		fmt.Fprintf(h, "%q %s %t\n", f.Column, f.Type, slices.Contains(s.Lossy, f.Column))
	}
	for _, lane := range rows {
		fmt.Fprintf(h, "%016x\n", lane)
	}
	return egrid.SnapshotID(hex.EncodeToString(h.Sum(nil)[:12]))
}

// inOrder returns the places of a schema's columns in the order in which they are
// hashed, which is that of the dictionary; columns that it does not have come last,
// by name.
func inOrder(s *egrid.Schema) []int {
	type column struct {
		level egrid.Level
		name  egrid.Column
	}
	known := map[column]int{}
	for i := range s.Len() {
		level := s.Field(i).Level
		if _, met := known[column{level, ""}]; met {
			continue
		}
		known[column{level, ""}] = 0
		for at, f := range egrid.Fields(level) {
			known[column{level, f.Column}] = at + 1
		}
	}
	rank := func(i int) int {
		f := s.Field(i)
		if at := known[column{f.Level, f.Column}]; at > 0 {
			return at
		}
		return math.MaxInt
	}
	places := asTheyAre(s)
	slices.SortStableFunc(places, func(i, j int) int {
		return cmp.Or(cmp.Compare(rank(i), rank(j)), cmp.Compare(s.Field(i).Column, s.Field(j).Column))
	})
	return places
}

// asTheyAre are the places of a schema's columns in its own order, in which earlier
// versions hashed them.
func asTheyAre(s *egrid.Schema) []int {
	places := make([]int, s.Len())
	for i := range places {
		places[i] = i
	}
	return places
}

// Order names the columns of a schema, with their types, in the order in which
// [DigestOf] hashes them. Digests of rows can be compared where it is the same.
func Order(s *egrid.Schema) string { return orderOf(s, inOrder(s)) }

func orderOf(s *egrid.Schema, places []int) string {
	h := sha256.New()
	for _, at := range places {
		f := s.Field(at)
		fmt.Fprintf(h, "%q %s\n", f.Column, f.Type)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Digest identifies a set of numbered rows. It is a sum of the rows' hashes, so
// chunks can be added in any order and cut anywhere. It tells different content
// apart that came about by itself; it is no defence against somebody who makes
// up rows for it.
type Digest [4]uint64

// Plus adds the digest of other rows.
func (d Digest) Plus(e Digest) Digest {
	for i := range d {
		d[i] += e[i]
	}
	return d
}

// DigestOf hashes the rows of a batch by their numbers and values. How the
// batch keeps them makes no difference, nor do its data year and the order of its
// columns.
func DigestOf(b *egrid.Batch) Digest {
	var sum Digest
	eachRow(b, func(_ int64, row Digest) { sum = sum.Plus(row) })
	return sum
}

// eachRow hashes the rows of a batch.
func eachRow(b *egrid.Batch, f func(number int64, row Digest)) {
	var row Digest
	var text []byte
	var columns []*egrid.Vector
	for _, at := range inOrder(b.Schema()) {
		columns = append(columns, b.Column(at))
	}
	for i := range b.Len() {
		text = binary.AppendVarint(text[:0], b.Number(i))
		for _, c := range columns {
			text = appendCell(text, c, i)
		}
		h := sha256.Sum256(text)
		for lane := range row {
			row[lane] = binary.LittleEndian.Uint64(h[8*lane:])
		}
		f(b.Number(i), row)
	}
}

// appendCell writes a cell so that no two cells, and no two rows, look alike.
func appendCell(dst []byte, v *egrid.Vector, i int) []byte {
	switch t := v.Type(); {
	case v.IsMissing(i):
		return append(dst, 0)
	case t == egrid.Text:
		s := v.Text(i)
		return append(binary.AppendUvarint(append(dst, 1), uint64(len(s))), s...)
	case t == egrid.Integer:
		x, _ := v.Int(i)
		return binary.AppendVarint(append(dst, 2), x)
	case t == egrid.Flag:
		if yes, _ := v.Bool(i); yes {
			return append(dst, 4)
		}
		return append(dst, 3)
	}
	x, _ := v.Float(i)
	return binary.LittleEndian.AppendUint64(append(dst, 5), math.Float64bits(x))
}

func union(a, b []egrid.Column) []egrid.Column {
	for _, c := range b {
		if !slices.Contains(a, c) {
			a = append(a, c)
		}
	}
	return a
}

// Confirm adds a load that had the same content to a published snapshot. It
// keeps the latest ten.
func Confirm(s *egrid.Snapshot, source egrid.Source) {
	if s.Is(source.ID) {
		return
	}
	const most = 10
	s.Confirmed = append(slices.Clone(s.Confirmed), source)
	if n := len(s.Confirmed); n > most {
		s.Confirmed = s.Confirmed[n-most:]
	}
}

// Expired returns which superseded snapshots a request drops. since tells when
// a snapshot was superseded.
func Expired(c egrid.Catalog, r PruneRequest, now time.Time, since func(egrid.Snapshot) time.Time) []egrid.Snapshot {
	type edition struct {
		level   egrid.Level
		year    int
		release string
	}
	kept := map[edition]int{}
	var expired []egrid.Snapshot
	for _, s := range c.Snapshots { // of an edition, the latest first
		if s.Status != egrid.Superseded {
			continue
		}
		at := edition{s.Level, s.Year, s.Release}
		if kept[at]++; kept[at] > r.Keep && now.Sub(since(s)) >= r.OlderThan {
			expired = append(expired, s)
		}
	}
	return expired
}
