package etl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// Share says which portion of a plan an answer is of, where a plan is streamed by
// several tasks.
type Share struct {
	Number int    `json:"number"` // from 1
	Of     int    `json:"of"`
	Plan   string `json:"plan"`  // SHA-256 of the whole plan, in hex
	Parts  []int  `json:"parts"` // places in the plan of the parts that have spans here
}

// String is the share as ParseShare reads it.
func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// ParseShare reads "3/8", the third of eight shares. The error wraps
// [egrid.ErrInvalid].
func ParseShare(text string) (number, of int, err error) {
	a, b, ok := strings.Cut(text, "/")
	number, errA := strconv.Atoi(a)
	of, errB := strconv.Atoi(b)
	if !ok || errA != nil || errB != nil {
		return 0, 0, fmt.Errorf("%w: share %q is not NUMBER/OF; write 1/8 for the first of eight", egrid.ErrInvalid, text)
	}
	return number, of, checkShare(number, of)
}

func checkShare(number, of int) error {
	if of < 1 || number < 1 || number > of {
		return fmt.Errorf("%w: there is no share %d of %d; the first of eight is 1/8, and the last 8/8", egrid.ErrInvalid, number, of)
	}
	return nil
}

// Share is the plan of one of so many shares: about as many chunks as each of the
// others has, which follow upon each other. Stream takes shares in any order, in
// processes of their own, and each of them as often as is wanted; [Join] makes the
// answer of the whole from theirs. A share of a plan of few chunks may be empty.
//
// What is packed, such as a workbook, is fetched and unpacked by each share that has
// chunks of it. The error wraps [egrid.ErrInvalid].
func (d Divided) Share(number, of int) (Divided, error) {
	if err := checkShare(number, of); err != nil {
		return Divided{}, err
	}
	if d.Shared != nil {
		return Divided{}, fmt.Errorf("%w: the plan is share %s of another; divide that", egrid.ErrInvalid, d.Shared)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return Divided{}, err
	}
	sum := sha256.Sum256(text)
	share := d
	share.Shared = &Share{Number: number, Of: of, Plan: hex.EncodeToString(sum[:]), Parts: []int{}}
	share.Parts = []Part{}
	if number > 1 {
		share.Refused = nil // the first share's to tell
	}
	total := d.Chunks()
	from, to := total*(number-1)/of, total*number/of
	for i, part := range d.Parts {
		n := len(part.Spans)
		begin, end := min(max(from, 0), n), min(max(to, 0), n)
		from, to = from-n, to-n
		if begin == end {
			continue
		}
		part.Spans, part.Rows = part.Spans[begin:end], 0
		for _, span := range part.Spans {
			part.Rows += span.Rows
		}
		share.Parts = append(share.Parts, part)
		share.Shared.Parts = append(share.Shared.Parts, i)
	}
	return share, nil
}

// Chunks is how many chunks the plan has.
func (d Divided) Chunks() (n int) {
	for _, part := range d.Parts {
		n += len(part.Spans)
	}
	return n
}

// Piece is what a share has of a part.
type Piece struct {
	Part  int    `json:"part"` // its place in the plan
	Loads []Load `json:"loads"`
	// Blank are the chunks ahead of the first that has a row. What they count to,
	// the shares before this one tell.
	Blank []Blank `json:"blank,omitempty"`
	// Last is the data year of the last row; 0 without one.
	Last int `json:"last_year,omitempty"`
	// Refused says why the part is not loaded. Beside Blank it only says that the
	// piece has no row, and does not hold where another piece of the part has some.
	Refused *Refused `json:"refused,omitempty"`
}

// Blank is a chunk without a row.
type Blank struct {
	Index    int           `json:"index"`
	Rejects  []RejectGroup `json:"rejects,omitempty"`
	Findings []egrid.Audit `json:"findings,omitempty"`
}

// Join makes of the answers of all shares that of the whole plan, for
// [Pipeline.Report]. They may come in any order. Of a share that was streamed more
// than once the answer that refuses the fewest parts counts. The error wraps
// [egrid.ErrIncomplete] where shares are missing, and [egrid.ErrInvalid] where
// answers are not of the same plan. A single answer that is of no share is returned
// as it is.
func Join(answers ...Streamed) (Streamed, error) {
	if len(answers) == 0 {
		return Streamed{}, fmt.Errorf("%w: there is no answer of the stage stream to report", egrid.ErrIncomplete)
	}
	first := answers[0].Shared
	if first == nil && len(answers) == 1 {
		return answers[0], nil
	}
	shares := map[int]*Streamed{}
	for i := range answers {
		s := &answers[i]
		switch {
		case s.Shared == nil || first == nil:
			return Streamed{}, fmt.Errorf("%w: the answer for a whole plan (run %s) stands beside others; report it by itself", egrid.ErrInvalid, s.ID)
		case s.Shared.Plan != first.Plan || s.Shared.Of != first.Of || s.ID != answers[0].ID:
			return Streamed{}, fmt.Errorf("%w: share %s of run %s and share %s of run %s are not of one plan; report each plan by itself",
				egrid.ErrInvalid, first, answers[0].ID, s.Shared, s.ID)
		case s.Shared.Number < 1 || s.Shared.Number > first.Of:
			return Streamed{}, fmt.Errorf("%w: share %s cannot be", egrid.ErrInvalid, s.Shared)
		}
		if was := shares[s.Shared.Number]; was == nil || s.refusals() < was.refusals() {
			shares[s.Shared.Number] = s
		}
	}
	var missing []string
	pieces := map[int][]Piece{}
	var files []string
	for number := 1; number <= first.Of; number++ {
		s := shares[number]
		if s == nil {
			missing = append(missing, strconv.Itoa(number))
			continue
		}
		for _, piece := range s.Pieces {
			pieces[piece.Part] = append(pieces[piece.Part], piece)
		}
		if s.RejectsFile != "" {
			files = append(files, s.RejectsFile)
		}
	}
	if len(missing) > 0 {
		return Streamed{}, fmt.Errorf("%w: of %d shares of run %s these are missing: %s; stream them, then report",
			egrid.ErrIncomplete, first.Of, answers[0].ID, strings.Join(missing, ", "))
	}
	whole := Streamed{RunInfo: answers[0].RunInfo, Refused: shares[1].Refused}
	for _, part := range slices.Sorted(maps.Keys(pieces)) {
		whole.add(pieces[part])
	}
	switch {
	case len(files) == 1:
		whole.RejectsFile = files[0]
	case len(files) > 1: // a pattern for all of them
		whole.RejectsFile = files[0]
		for _, s := range shares {
			whole.RejectsFile = strings.Replace(whole.RejectsFile, partSuffix(*s.Shared, ""), partSuffix(*s.Shared, "*"), 1)
		}
	}
	return whole, nil
}

// refusals is how many parts the share could not read.
func (s *Streamed) refusals() (n int) {
	for _, p := range s.Pieces {
		if p.Refused != nil && len(p.Blank) == 0 {
			n++
		}
	}
	return n
}

// add adds a part, of which these are all pieces, in order.
func (s *Streamed) add(pieces []Piece) {
	loads, refused := combine(pieces)
	if refused != nil {
		s.Refused = append(s.Refused, *refused)
	}
	s.Loads = append(s.Loads, loads...)
}

// combine makes loads of all pieces of a part, in order. A chunk without a row
// counts to the data year of the row before it or, where there is none, behind it:
// so every chunk has its place, however the part was cut.
func combine(pieces []Piece) ([]Load, *Refused) {
	var loads []Load
	var ahead []Blank // of all rows
	var last int      // data year
	var refused *Refused
	var rejects []RejectGroup
	of := func(year int) int {
		return slices.IndexFunc(loads, func(l Load) bool { return l.Spec.Year == year })
	}
	for _, piece := range pieces {
		if piece.Refused != nil && len(piece.Blank) == 0 {
			return nil, piece.Refused
		}
		if refused == nil {
			refused = piece.Refused
		}
		for _, b := range piece.Blank {
			for _, g := range b.Rejects {
				rejects = countReject(rejects, g)
			}
			if last == 0 {
				ahead = append(ahead, b)
			} else {
				loads[of(last)].addBlank(b)
			}
		}
		for i := range piece.Loads {
			more := &piece.Loads[i]
			at := of(more.Spec.Year)
			if at < 0 {
				at = len(loads)
				load := *more
				load.Chunks, load.Rows, load.Generation, load.Rejects, load.Blank = 0, 0, false, nil, nil
				loads = append(loads, load)
			}
			for _, b := range ahead {
				loads[at].addBlank(b)
			}
			ahead = nil
			loads[at].plus(more)
		}
		if piece.Last != 0 {
			last = piece.Last
		}
	}
	if len(loads) == 0 && refused != nil {
		none := *refused
		none.Reason, none.Rejects = reason(noRows(rejects)), rejects
		return nil, &none
	}
	return loads, nil
}

// plus adds what another piece has of the load.
func (l *Load) plus(more *Load) {
	l.Chunks += more.Chunks
	l.Rows += more.Rows
	l.Generation = l.Generation || more.Generation
	for _, g := range more.Rejects {
		l.Rejects = countReject(l.Rejects, g)
	}
}

// addBlank adds a chunk without a row, which is still to be put.
func (l *Load) addBlank(b Blank) {
	l.Chunks++
	l.Blank = append(l.Blank, b)
	for _, g := range b.Rejects {
		l.Rejects = countReject(l.Rejects, g)
	}
}

// putBlank puts the chunks without a row that are still to be put.
func (p *Pipeline) putBlank(ctx context.Context, loads []Load) error {
	for i := range loads {
		l := &loads[i]
		for _, b := range l.Blank {
			if err := p.sink.Put(ctx, l.Spec, b.chunk(l.Spec)); err != nil {
				return err
			}
		}
		l.Blank = nil
	}
	return nil
}

// chunk is what is put of it.
func (b Blank) chunk(spec driver.SnapshotSpec) driver.Chunk {
	c := emptyChunk(b.Index, spec)
	c.Rejected, c.Faults, c.Findings = rejectedBy(b.Rejects), faultsOf(b.Rejects), b.Findings
	return c
}

func faultsOf(groups []RejectGroup) (faults []egrid.RejectReason) {
	for _, g := range groups {
		faults = append(faults, g.fault())
	}
	return faults
}

func emptyChunk(index int, spec driver.SnapshotSpec) driver.Chunk {
	return driver.Chunk{Index: index, Rows: egrid.NewBuilder(spec.Schema, spec.Year).Batch()}
}

// rejectsPath is where the records that a share, or all of the plan, cannot read are
// kept.
func (d *Divided) rejectsPath(path string) string {
	path = strings.ReplaceAll(path, "{run}", d.ID)
	if d.Shared == nil || path == "" {
		return path
	}
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + partSuffix(*d.Shared, "") + extension
}

// partSuffix tells the files of shares apart; a number that is given replaces the
// share's.
func partSuffix(s Share, number string) string {
	if number == "" {
		number = strconv.Itoa(s.Number)
	}
	return fmt.Sprintf(".part-%s-of-%d", number, s.Of)
}
