package driver

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Merge updates the rows of a published snapshot by those of a staged one and
// appends the others. Rows are the same when they have the same identifier, the
// n-th with it in one sheet and the n-th in the other; where the sheets have no
// identifier in common, when they have the same number. The staged sheet's
// columns overwrite, its blanks too; columns that it lacks are kept. The batches
// are those of the two snapshots in the order of their rows.
//
// The merged snapshot has an id of its own, made of its content, and a stage id
// made of what was merged.
func Merge(live, staged egrid.Snapshot, old, added []*egrid.Batch) (egrid.Snapshot, []*egrid.Batch, error) {
	merged, err := mergedSnapshot(live, staged)
	if err != nil {
		return merged, nil, err
	}
	shared := Identifier(live.Level, func(c egrid.Column) bool { return live.Schema.Has(c) && staged.Schema.Has(c) })
	m := merger{
		builder:  egrid.NewBuilder(merged.Schema, merged.Year),
		fromLive: places(merged.Schema, live.Schema), fromStaged: places(merged.Schema, staged.Schema),
		staged: added,
	}
	m.index(newKeys(staged.Schema, shared))
	m.update(newKeys(live.Schema, shared), old)
	m.append()
	tallies := make([]Tally, len(m.out))
	for i, b := range m.out {
		tallies[i] = Tally{Rows: int64(b.Len()), Digest: DigestOf(b)}
	}
	Describe(&merged, tallies)
	return merged, m.out, nil
}

func mergedSnapshot(live, staged egrid.Snapshot) (egrid.Snapshot, error) {
	fields := live.Schema.Fields()
	for _, f := range staged.Schema.Fields() {
		i := live.Schema.Index(f.Column)
		if i < 0 {
			fields = append(fields, f)
		} else if was := fields[i].Type; was != f.Type {
			return live, fmt.Errorf("%w: column %s is of type %s in the published snapshot and %s in the one to merge; publish it with replace", egrid.ErrInvalid, f.Column, was, f.Type)
		}
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		return live, err
	}
	sum := sha256.Sum256([]byte("merge\n" + live.Stage + "\n" + staged.Stage))
	return egrid.Snapshot{
		Stage: egrid.StageID(hex.EncodeToString(sum[:12])),
		Level: live.Level, Year: live.Year, Release: live.Release, Status: egrid.Published, Schema: schema,
		Rejected: live.Rejected + staged.Rejected,
		Lossy:    union(slices.Clone(live.Lossy), staged.Lossy),
		Sources:  append(slices.Clone(live.Sources), staged.Sources...),
		Audits:   staged.Audits,
		LoadedAt: time.Now().UTC(),
	}, nil
}

// merger makes batches of a merged schema.
type merger struct {
	builder              *egrid.Builder
	fromLive, fromStaged []int // place of each merged column in the two schemas; -1 for none
	staged               []*egrid.Batch
	byKey                map[string]place // of the staged rows
	met                  [][]bool         // staged rows that updated a published one
	last                 int64            // the highest number so far
	out                  []*egrid.Batch
}

// place is a row of the staged batches.
type place struct{ batch, row int }

// mergedRows is how many rows a merged batch has.
const mergedRows = 8192

func places(merged, of *egrid.Schema) []int {
	at := make([]int, merged.Len())
	for i := range at {
		at[i] = of.Index(merged.Field(i).Column)
	}
	return at
}

func (m *merger) index(key *keys) {
	m.byKey = map[string]place{}
	for i, b := range m.staged {
		m.met = append(m.met, make([]bool, b.Len()))
		for row := range b.Len() {
			m.byKey[string(key.of(b, row))] = place{i, row}
		}
	}
}

// update writes the published rows, those that come again with their staged
// cells.
func (m *merger) update(key *keys, old []*egrid.Batch) {
	for _, b := range old {
		for row := range b.Len() {
			m.copy(m.fromLive, b, row)
			if at, again := m.byKey[string(key.of(b, row))]; again {
				m.met[at.batch][at.row] = true
				m.copy(m.fromStaged, m.staged[at.batch], at.row)
			}
			m.last = max(m.last, b.Number(row))
			m.end(b.Number(row))
		}
	}
}

// append writes the staged rows that are new, numbered behind the others.
func (m *merger) append() {
	for i, b := range m.staged {
		for row := range b.Len() {
			if !m.met[i][row] {
				m.copy(m.fromStaged, b, row)
				m.last++
				m.end(m.last)
			}
		}
	}
	if m.builder.Len() > 0 {
		m.out = append(m.out, m.builder.Batch())
	}
}

// copy sets the cells of the columns that the schema of b has, blank ones too.
func (m *merger) copy(from []int, b *egrid.Batch, row int) {
	for i, at := range from {
		if at >= 0 {
			m.builder.Clear(i)
			m.builder.Copy(i, b.Column(at), row)
		}
	}
}

func (m *merger) end(number int64) {
	m.builder.EndRow(number, 0)
	if m.builder.Len() == mergedRows {
		m.out = append(m.out, m.builder.Batch())
	}
}

// keys names rows by their identifier and how often it was met, or by their
// number where there is no identifier.
type keys struct {
	columns []int
	met     map[string]uint64
	text    []byte
}

func newKeys(schema *egrid.Schema, identifier []egrid.Column) *keys {
	k := &keys{met: map[string]uint64{}}
	for _, c := range identifier {
		k.columns = append(k.columns, schema.Index(c))
	}
	return k
}

// of names the next row. The bytes are good until the next call.
func (k *keys) of(b *egrid.Batch, row int) []byte {
	k.text = k.text[:0]
	if k.columns == nil {
		return binary.AppendVarint(k.text, b.Number(row))
	}
	for _, c := range k.columns {
		k.text = appendCell(k.text, b.Column(c), row)
	}
	k.met[string(k.text)]++
	return binary.AppendUvarint(k.text, k.met[string(k.text)])
}
