package calc

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Answers computes factors and explanations, and keeps the plants that it read for
// the next question: for programs that answer many. What it keeps belongs to a
// snapshot, which never changes, so an answer is never older than the DB's. A nil
// Answers keeps nothing. It is safe for concurrent use.
type Answers struct {
	limit int64

	mu     sync.Mutex
	sheets map[egrid.SnapshotID]*keptSheet
	clock  int64
}

// AnswersOptions bound what is kept. The zero value of every field means its default.
type AnswersOptions struct {
	// PlantBytes is how much memory plants take at most; default 64 MiB. A sheet of
	// 12,000 plants takes about 6 MiB.
	PlantBytes int64
}

// NewAnswers makes one that has kept nothing yet.
func NewAnswers(o *AnswersOptions) *Answers {
	a := &Answers{limit: 64 << 20, sheets: map[egrid.SnapshotID]*keptSheet{}}
	if o != nil && o.PlantBytes != 0 {
		a.limit = o.PlantBytes
	}
	return a
}

// Factor is [FactorOf].
func (a *Answers) Factor(ctx context.Context, db *store.DB, q FactorQuery) (Factor, error) {
	return factorOf(ctx, db, q, a)
}

// Explain is the function [Explain].
func (a *Answers) Explain(ctx context.Context, db *store.DB, q ExplainQuery) (Explanation, error) {
	return explain(ctx, db, q, a)
}

// keptSheet is the plants of a snapshot.
type keptSheet struct {
	used int64 // by the clock of its owner; guarded by that

	mu     sync.Mutex
	plants *Plants
	read   map[egrid.Column]bool
	rows   map[string][]int32 // by ORIS code
}

// sheet returns the plants of a snapshot, with columns that include some.
func (a *Answers) sheet(ctx context.Context, r *reader, s *egrid.Snapshot, of []egrid.Column) (*Plants, *keptSheet, error) {
	a.mu.Lock()
	k := a.sheets[s.ID]
	if k == nil {
		k = &keptSheet{read: map[egrid.Column]bool{}}
		a.sheets[s.ID] = k
	}
	a.clock++
	k.used = a.clock
	a.mu.Unlock()

	p, err := k.get(ctx, r, s, of)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trim(s.ID)
	return p, k, err
}

// trim forgets the sheets that were asked for longest ago, all but one.
func (a *Answers) trim(but egrid.SnapshotID) {
	for {
		total, oldest := int64(0), egrid.SnapshotID("")
		for id, k := range a.sheets {
			if k.mu.TryLock() { // one that is being read counts when it has been
				total += k.bytes()
				k.mu.Unlock()
			}
			if id != but && (oldest == "" || k.used < a.sheets[oldest].used) {
				oldest = id
			}
		}
		if total <= a.limit || oldest == "" {
			return
		}
		delete(a.sheets, oldest)
	}
}

func (k *keptSheet) bytes() int64 {
	if k.plants == nil {
		return 0
	}
	const perPlant = 200 // texts, places of regions, the index of codes
	return int64(k.plants.n) * int64(perPlant+9*len(k.read))
}

func (k *keptSheet) get(ctx context.Context, r *reader, s *egrid.Snapshot, of []egrid.Column) (*Plants, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var missing []egrid.Column
	if k.plants == nil {
		missing = PlantColumns()
	}
	for _, c := range of {
		if !k.read[c] && !slices.Contains(missing, c) {
			missing = append(missing, c)
		}
	}
	if missing == nil {
		return k.plants, nil
	}
	batches, err := r.plantRows(ctx, s, missing, nil)
	if err != nil {
		return nil, err
	}
	p, err := readPlants(batches, missing)
	if err != nil {
		return nil, err
	}
	if k.plants == nil {
		k.plants, k.rows = p, map[string][]int32{}
		for i, id := range p.ids {
			k.rows[id] = append(k.rows[id], int32(i))
		}
	} else {
		k.plants = k.plants.with(p)
	}
	for _, c := range missing {
		k.read[c] = true
	}
	return k.plants, nil
}

// with returns plants with the measures of others, which are the same rows.
func (p *Plants) with(other *Plants) *Plants {
	both := *p
	both.columns, both.blank, both.gaps = map[egrid.Column][]float64{}, map[egrid.Column]int{}, map[egrid.Column][]bool{}
	for _, from := range []*Plants{p, other} {
		for c, x := range from.columns {
			both.columns[c] = x
		}
		for c, n := range from.blank {
			both.blank[c] = n
		}
		for c, gaps := range from.gaps {
			both.gaps[c] = gaps
		}
	}
	return &both
}

// inRegion returns the rows of the plants of a region.
func (p *Plants) inRegion(level egrid.Level, code string) []int32 {
	part := p.regions[level]
	if part == nil {
		return nil
	}
	region, ok := part.index[code]
	if !ok {
		return nil
	}
	var rows []int32
	for i, at := range part.of {
		if at == region {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// pick returns some of the plants, with the columns that they are asked for.
func (p *Plants) pick(rows []int32, of []egrid.Column) *Plants {
	few := newPlants()
	few.n = len(rows)
	few.ids, few.names = picked(p.ids, rows), picked(p.names, rows)
	few.fuels, few.baseload = picked(p.fuels, rows), picked(p.baseload, rows)
	f := &p.factors
	if part := p.regions[egrid.SRL]; part != nil { // which tells the interconnect
		few.regions[egrid.SRL] = part.pick(rows)
	}
	few.factors = factors{picked(f.published, rows), picked(f.capacity, rows), picked(f.nameplate, rows), picked(f.generation, rows)}
	for _, c := range of {
		if n := p.blank[c]; n == p.n && n > 0 {
			few.blank[c] = few.n
		}
		if p.columns[c] == nil || few.columns[c] != nil {
			continue
		}
		few.columns[c] = picked(p.columns[c], rows)
		if gaps := picked(p.gaps[c], rows); gaps != nil {
			few.gaps[c] = gaps
			few.blank[c] = 0
			for _, gap := range gaps {
				if gap {
					few.blank[c]++
				}
			}
		}
	}
	if p.repeats > 0 {
		few.repeats = few.repeated()
	}
	return few
}

// pick returns the regions that some rows are of.
func (p *partition) pick(rows []int32) *partition {
	few := &partition{of: make([]int32, len(rows)), index: map[string]int32{}}
	for i, row := range rows {
		few.of[i] = -1
		if p.of[row] >= 0 {
			few.of[i] = few.place(p.codes[p.of[row]])
		}
	}
	return few
}

// place is the place of a code among the regions, a new one if need be.
func (p *partition) place(code string) int32 {
	at, ok := p.index[code]
	if !ok {
		at = int32(len(p.codes))
		p.index[code] = at
		p.codes = append(p.codes, code)
	}
	return at
}

func picked[T any](all []T, rows []int32) []T {
	if all == nil {
		return nil
	}
	some := make([]T, len(rows))
	for i, row := range rows {
		some[i] = all[row]
	}
	return some
}

// plantRows reads columns of a sheet of plants that it has; filter may be nil.
func (r *reader) plantRows(ctx context.Context, s *egrid.Snapshot, of []egrid.Column, filter []egrid.Filter) (iter.Seq2[*egrid.Batch, error], error) {
	q := egrid.RowQuery{Level: egrid.PLNT, Year: r.year, Release: r.release, Filters: filter}
	for _, c := range of {
		if s.Schema.Has(c) && !slices.Contains(q.Columns, c) {
			q.Columns = append(q.Columns, c)
		}
	}
	answer, err := r.db.Stream(ctx, q)
	return answer.Batches, err
}
