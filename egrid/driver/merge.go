package driver

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Part is a snapshot, or a stage that would be one, with its rows in memory.
type Part struct {
	egrid.Snapshot
	Batches []*egrid.Batch // in the order of the rows
}

// Merge updates the rows of a published snapshot by those of a staged one and
// appends the others. Rows are the same when they have the same identifier, the
// n-th with it in one sheet and the n-th in the other. The staged sheet's columns
// overwrite, its blanks too, but a number stays where the staged one is the same,
// rounded; columns that the staged sheet lacks are kept.
//
// The merged snapshot has an id of its own, made of its content, and a stage id
// made of what was merged. Errors: [egrid.ErrInvalid] where the two have no
// identifier in common, rows to merge have none, or a column is of two types.
func Merge(live, staged Part) (Part, error) {
	sum := sha256.Sum256([]byte("merge\n" + live.Stage + "\n" + staged.Stage))
	j := newJoiner(egrid.StageID(hex.EncodeToString(sum[:12])), &live.Snapshot)
	err := j.add(live, "published rows")
	if err == nil {
		err = j.add(staged, "these")
	}
	if err == nil {
		err = j.lay()
	}
	if err != nil {
		return Part{}, fmt.Errorf("%w: it cannot be merged: %w", egrid.ErrInvalid, err)
	}
	j.fill(func(had, has cell) (cell, bool) {
		if had.finer(has) {
			return had, true
		}
		return has, true
	})
	j.out.Rejected, j.out.Audits = live.Rejected+staged.Rejected, staged.Audits
	worst := &live
	if staged.Rejected > live.Rejected {
		worst = &staged
	}
	faults := worst.RejectedFor
	j.out.Sources = append(slices.Clone(live.Sources), staged.Sources...)
	out := j.part()
	out.RejectedFor = faults
	return out, nil
}

// Apart is a part that was not combined with the others.
type Apart struct {
	Stage  egrid.StageID
	Reason error
}

// Combine makes one snapshot of sheets that are of one level, data year and
// release. Sheets with other rows complete each other; the same rows in several
// sheets are combined cell by cell, a number before the same one rounded. The
// fullest sheet comes first: neither the order of the parts nor their names change
// the outcome. Each source says how many rows are its own, and how many cells it
// gave to the rows of others.
//
// Parts are left apart that have no identifier in common with those before, other
// rows without one, or a column of another type. A combination of one part is that
// part.
//
// Errors: [egrid.ErrConflict], which names both sheets and the cell, where two
// contradict each other.
func Combine(parts ...Part) (Part, []Apart, error) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, fuller)
	ids := make([]egrid.StageID, len(parts))
	for i := range parts {
		ids[i] = parts[i].Stage
	}
	j := newJoiner(CombinedID(ids...), &parts[0].Snapshot)
	var apart []Apart
	for i := range parts {
		if err := j.add(parts[i], "the rows of "+parts[i].name()); err != nil {
			apart = append(apart, Apart{parts[i].Stage, err})
		}
	}
	if len(j.parts) == 1 {
		return j.parts[0].Part, apart, nil
	}
	if err := j.lay(); err != nil {
		return Part{}, apart, err
	}
	j.fill(func(had, has cell) (cell, bool) {
		switch {
		case has.missing() || !had.missing() && sameCell(had.vector, had.row, has.vector, has.row) || had.finer(has):
			return had, true
		case had.missing() || has.finer(had):
			return has, true
		}
		return had, false
	})
	if j.contradictions > 0 {
		return Part{}, apart, fmt.Errorf("%w: %s", egrid.ErrConflict, j.contradiction())
	}
	worst := &j.parts[0]
	for i := range j.parts {
		p := &j.parts[i]
		if j.out.Rejected += p.Rejected; p.Rejected > worst.Rejected {
			worst = p
		}
		sources := slices.Clone(p.Sources)
		switch {
		case len(sources) == 1:
			sources[0].Rows, sources[0].Cells = p.rows, p.cells
		case p.rows == 0: // else they were counted when they were combined
			for i := range sources {
				sources[i].Rows = 0
			}
		}
		j.out.Sources = append(j.out.Sources, sources...)
	}
	out := j.part()
	out.RejectedFor = worst.RejectedFor
	for _, b := range out.Batches {
		out.Audits = MergeAudits(out.Audits, AuditRows(out.Level, b))
	}
	out.Audits = append(out.Audits, Duplicates(out)...)
	return out, apart, nil
}

// CombinedID is the stage id of what [Combine] makes of stages.
func CombinedID(ids ...egrid.StageID) egrid.StageID {
	if len(ids) == 1 {
		return ids[0]
	}
	h := sha256.New()
	for _, id := range slices.Sorted(slices.Values(ids)) {
		fmt.Fprintln(h, "combine", id)
	}
	return egrid.StageID(hex.EncodeToString(h.Sum(nil)[:12]))
}

// fuller orders parts: those with more cells first, then those of which fewer
// columns are rounded.
func fuller(a, b Part) int {
	return cmp.Or(-cmp.Compare(a.filled(), b.filled()), cmp.Compare(len(a.Lossy), len(b.Lossy)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Stage, b.Stage))
}

// filled counts the cells that are not missing.
func (p *Part) filled() (n int) {
	for _, b := range p.Batches {
		for i := range b.Schema().Len() {
			n += b.Len() - b.Column(i).Missing()
		}
	}
	return n
}

// name names the files of a part.
func (p *Part) name() string {
	names := make([]string, len(p.Sources))
	for i, s := range p.Sources {
		names[i] = strings.TrimSpace(s.Object + " " + s.Sheet)
	}
	return strings.Join(names, ", ")
}

// joiner puts rows of several parts side by side, and makes batches of them.
type joiner struct {
	out            Part
	parts          []joinedPart
	schemas        SchemaSet  // of the parts
	kinds          []int      // the first part of each schema
	matchers       []*matcher // that have met all rows but those of the latest part
	rows           [][]member // of the outcome
	last           int64      // the highest number of a row
	contradictions int64      // cells
	worst          CellChange // of them
	between        [2]int     // the parts of the worst
}

// joinedPart is a part on its way into the outcome.
type joinedPart struct {
	Part
	what    string // its rows, in messages
	at      []int  // places of the outcome's columns, -1 for none
	places  []int  // the most decimal places of each column's cells
	rounded []bool // columns that were rounded for display
	rows    int64  // of the outcome that it has first
	cells   int64  // that it gave to rows of others
}

// member is a row of a part.
type member struct {
	part int
	place
}

// cell is a cell of a part.
type cell struct {
	part    int
	vector  *egrid.Vector
	row     int
	places  int  // of the column
	rounded bool // the column was rounded for display
}

func (c cell) missing() bool { return c.vector.IsMissing(c.row) }

// finer reports whether both are numbers, and rounding this one gives the other.
func (c cell) finer(d cell) bool {
	x, ok := c.vector.Float(c.row)
	y, also := d.vector.Float(d.row)
	if !ok || !also {
		return false
	}
	if c.places == d.places && d.rounded && !c.rounded { // see Compare
		return roundsTo(x, false, y, true, max(d.places-1, 0))
	}
	return c.places > d.places && roundsTo(x, c.rounded, y, d.rounded, d.places)
}

// mergedRows is how many rows a merged batch has.
const mergedRows = 8192

func authorityOf(s *egrid.Snapshot) string { return cmp.Or(s.Authority, egrid.DefaultAuthority) }

func newJoiner(id egrid.StageID, of *egrid.Snapshot) *joiner {
	j := &joiner{schemas: SchemaSet{}}
	j.out.Snapshot = egrid.Snapshot{
		Stage: id, Level: of.Level, Year: of.Year, Release: of.Release, Status: egrid.Published, LoadedAt: time.Now().UTC(),
		Authority: authorityOf(of), Units: cmp.Or(of.Units, egrid.DefaultUnits),
	}
	return j
}

// add matches the rows of a part with those of the parts before it. what names the
// rows in messages. After an error the part is none of the joiner's.
func (j *joiner) add(p Part, what string) error {
	number := len(j.parts)
	if a := authorityOf(&p.Snapshot); a != j.out.Authority {
		return fmt.Errorf("%s are published by %s and not by %s: rows of two authorities make no sheet", what, a, j.out.Authority)
	}
	p.Schema = j.schemas.Shared(p.Schema)
	var by []*matcher
	for _, i := range j.kinds {
		q := &j.parts[i]
		for _, f := range p.Schema.Fields() {
			if at := q.Schema.Index(f.Column); at >= 0 && q.Schema.Field(at).Type != f.Type {
				return fmt.Errorf("column %s is of type %s in %s and %s in %s", f.Column, q.Schema.Field(at).Type, q.what, f.Type, what)
			}
		}
		id := egrid.Identifier(p.Level, func(c egrid.Column) bool { return p.Schema.Has(c) && q.Schema.Has(c) })
		if id != nil && !slices.ContainsFunc(by, func(m *matcher) bool { return slices.Equal(m.identifier, id) }) {
			by = append(by, j.matcher(id, p.Schema))
		}
	}
	if number > 0 && len(by) == 0 {
		q := &j.parts[0]
		return fmt.Errorf("no identifier in common: %s have %s, %s have %s", q.what, identifierOf(&q.Snapshot), what, identifierOf(&p.Snapshot))
	}
	without := 0
	var to []int // rows of the outcome that the part's are, -1 for new ones
	taken := map[int]bool{}
	for _, b := range p.Batches {
		for row := range b.Len() {
			at, identified := -1, number == 0
			for _, x := range by {
				key, ok := x.keys.of(b, row)
				identified = identified || ok
				if found, met := x.rows[string(key)]; ok && met && at < 0 && !taken[found] {
					at = found
				}
			}
			if !identified {
				if at = j.equal(&p, place{b, row}, taken); at < 0 {
					without++
				}
			}
			if at >= 0 {
				taken[at] = true
			}
			to = append(to, at)
		}
	}
	if without > 0 {
		return fmt.Errorf("%d of %s without a whole identifier (%s): nothing tells which of the others that is", without, what, listOf(by[0].identifier))
	}
	joined := joinedPart{Part: p, what: what}
	if !slices.ContainsFunc(j.kinds, func(i int) bool { return j.parts[i].Schema == p.Schema }) {
		j.kinds = append(j.kinds, number)
	}
	for _, b := range p.Batches {
		for row := range b.Len() {
			m := member{number, place{b, row}}
			if at := to[0]; at >= 0 {
				j.rows[at] = append(j.rows[at], m)
			} else {
				j.rows = append(j.rows, []member{m})
				joined.rows++
			}
			to = to[1:]
		}
	}
	j.parts = append(j.parts, joined)
	return nil
}

// lay finds the columns of the outcome, and where each part has them.
func (j *joiner) lay() error {
	var fields []egrid.Field
	for _, i := range j.kinds {
		for _, f := range j.parts[i].Schema.Fields() {
			if !slices.ContainsFunc(fields, func(have egrid.Field) bool { return have.Column == f.Column }) {
				fields = append(fields, f)
			}
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return err
	}
	j.out.Schema = schema
	for i := range j.parts {
		p := &j.parts[i]
		p.at, p.places, p.rounded = make([]int, schema.Len()), make([]int, schema.Len()), make([]bool, schema.Len())
		for column, name := range schema.Columns() {
			p.at[column], p.rounded[column] = p.Schema.Index(name), slices.Contains(p.Lossy, name)
			for _, b := range p.Batches {
				if p.at[column] >= 0 {
					p.places[column] = morePlaces(p.places[column], b.Column(p.at[column]))
				}
			}
		}
	}
	return nil
}

// matcher finds rows of the outcome by an identifier.
type matcher struct {
	identifier []egrid.Column
	rows       map[string]int
	keys       *keys             // of the part that is matched
	met        map[string]uint64 // identifiers of the outcome's rows
	laid       int               // rows of the outcome that it knows
}

// matcher indexes the rows that there are. Where every part has the identifier, it
// goes on where it was for the part before: no row gets another.
func (j *joiner) matcher(identifier []egrid.Column, of *egrid.Schema) *matcher {
	all := map[*egrid.Schema]*keys{} // nil where one has no such columns
	whole := true
	var m *matcher
	for _, known := range j.matchers {
		if slices.Equal(known.identifier, identifier) {
			m = known
		}
	}
	for _, i := range j.kinds {
		s := j.parts[i].Schema
		if slices.ContainsFunc(identifier, func(c egrid.Column) bool { return !s.Has(c) }) {
			whole = false
			continue
		}
		all[s] = newKeys(s, identifier)
	}
	if m == nil || !whole {
		j.matchers = slices.DeleteFunc(j.matchers, func(old *matcher) bool { return old == m })
		m = &matcher{identifier: identifier, rows: make(map[string]int, len(j.rows)), met: map[string]uint64{}}
		j.matchers = append(j.matchers, m)
	}
	m.keys = newKeys(of, identifier)
	for ; m.laid < len(j.rows); m.laid++ {
		for _, x := range j.rows[m.laid] {
			k := all[j.parts[x.part].Schema]
			if k == nil {
				continue
			}
			k.met = m.met // in all parts together
			if key, ok := k.of(x.batch, x.row); ok {
				m.rows[string(key)] = m.laid
			}
			break
		}
	}
	return m
}

// equal finds a row that is the same in every cell; -1 for none.
func (j *joiner) equal(p *Part, of place, taken map[int]bool) int {
	for at, row := range j.rows {
		x := row[0]
		q := &j.parts[x.part]
		if !taken[at] && within(of, p.Schema, x.place, q.Schema) && within(x.place, q.Schema, of, p.Schema) {
			return at
		}
	}
	return -1
}

// within reports whether a row has no other cells than another one.
func within(v place, of *egrid.Schema, w place, other *egrid.Schema) bool {
	for i, c := range of.Columns() {
		at := other.Index(c)
		if at < 0 && !v.batch.Column(i).IsMissing(v.row) || at >= 0 && !sameCell(v.batch.Column(i), v.row, w.batch.Column(at), w.row) {
			return false
		}
	}
	return true
}

// fill makes the batches. pick chooses between the cell that a row has so far and
// the next one, in the order of the parts, and is false where they contradict each
// other.
func (j *joiner) fill(pick func(had, has cell) (cell, bool)) {
	builder := egrid.NewBuilder(j.out.Schema, j.out.Year)
	columns := j.out.Schema.Columns()
	for _, row := range j.rows {
		for column := range columns {
			var chosen cell
			for _, m := range row {
				p := &j.parts[m.part]
				if p.at[column] < 0 {
					continue
				}
				c := cell{m.part, m.batch.Column(p.at[column]), m.row, p.places[column], p.rounded[column]}
				if chosen.vector == nil {
					chosen = c
					continue
				}
				next, ok := pick(chosen, c)
				if !ok {
					j.contradict(row[0], column, chosen, c)
				}
				chosen = next
			}
			if chosen.vector == nil || chosen.missing() {
				continue
			}
			builder.Copy(column, chosen.vector, chosen.row)
			if chosen.rounded {
				builder.Lossy(column)
			}
			if chosen.part != row[0].part && !egrid.IsContext(columns[column]) {
				j.parts[chosen.part].cells++
			}
		}
		number := j.last + 1
		if row[0].part == 0 {
			number = row[0].batch.Number(row[0].row)
		}
		j.last = max(j.last, number)
		builder.EndRow(number, 0)
		if builder.Len() == mergedRows {
			j.out.Batches = append(j.out.Batches, builder.Batch())
		}
	}
	if builder.Len() > 0 {
		j.out.Batches = append(j.out.Batches, builder.Batch())
	}
}

// contradict notes a contradiction. That of the largest relative change is told.
func (j *joiner) contradict(of member, column int, had, has cell) {
	change := CellChange{j.key(of), j.out.Schema.Field(column).Column, had.vector.Value(had.row), has.vector.Value(has.row)}
	if j.contradictions++; j.contradictions == 1 || CompareChanges(change, j.worst) < 0 {
		j.worst, j.between = change, [2]int{had.part, has.part}
	}
}

// key names a row for people.
func (j *joiner) key(of member) string {
	p := &j.parts[of.part]
	var identifier []int
	if id := egrid.Identifier(p.Level, p.Schema.Has); id != nil {
		identifier = newKeys(p.Schema, id).columns
	}
	return keyText(p.Level, of.batch, of.row, identifier)
}

// contradiction tells of the worst contradiction and how many there are.
func (j *joiner) contradiction() string {
	a, b := j.between[0], j.between[1]
	text := fmt.Sprintf("%s and %s contradict each other: %s of %s is %s in the one and %s in the other", j.parts[a].name(), j.parts[b].name(),
		j.worst.Column, j.worst.Key, forPeople(j.worst.From), forPeople(j.worst.To))
	if j.contradictions > 1 {
		text += fmt.Sprintf("; %d cells contradict each other in all", j.contradictions)
	}
	return text
}

// part describes the outcome.
func (j *joiner) part() Part {
	tallies := make([]Tally, len(j.out.Batches))
	for i, b := range j.out.Batches {
		tallies[i] = Tally{Rows: int64(b.Len()), Lossy: b.Lossy(), Digest: DigestOf(b), Order: Order(b.Schema()), Gaps: gapsIn(b), Figures: figuresIn(b)}
	}
	Describe(&j.out.Snapshot, tallies)
	return j.out
}

// Duplicates audits rows that share an identifier.
func Duplicates(p Part) []egrid.Audit {
	id := egrid.Identifier(p.Level, p.Schema.Has)
	if len(id) == 0 {
		return nil
	}
	k := newKeys(p.Schema, id)
	var duplicates []string
	for _, b := range p.Batches {
		for row := range b.Len() {
			k.of(b, row)
			if k.times == 2 {
				duplicates = append(duplicates, keyText(p.Level, b, row, k.columns))
			}
		}
	}
	if len(duplicates) == 0 {
		return nil
	}
	return []egrid.Audit{DuplicateIdentifiers(p.Level, p.Schema.Has, int64(len(duplicates)), duplicates)}
}

// identifierOf names the columns that identify the rows of a snapshot.
func identifierOf(s *egrid.Snapshot) string {
	if id := egrid.Identifier(s.Level, s.Schema.Has); len(id) > 0 {
		return listOf(id)
	}
	return "none"
}

func listOf(columns []egrid.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// keys names rows by their identifier and how often it was met.
type keys struct {
	columns []int
	met     map[string]uint64
	text    []byte
	times   uint64 // that the last identifier was met
}

func newKeys(schema *egrid.Schema, identifier []egrid.Column) *keys {
	k := &keys{columns: make([]int, 0, len(identifier)), met: map[string]uint64{}}
	for _, c := range identifier {
		k.columns = append(k.columns, schema.Index(c))
	}
	return k
}

// of names the next row; false where a part of its identifier is missing. The
// bytes are good until the next call.
func (k *keys) of(b *egrid.Batch, row int) ([]byte, bool) {
	var ok bool
	if k.text, ok = appendIdentifier(k.text[:0], b, row, k.columns); !ok {
		k.times = 0
		return nil, false
	}
	k.met[string(k.text)]++
	k.times = k.met[string(k.text)]
	return binary.AppendUvarint(k.text, k.times), true
}
