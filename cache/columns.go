package cache

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/engine"
)

// columns keeps columns of snapshots in memory, and the groups made of them,
// within a budget of bytes, and executes plans on them. What was used longest ago
// makes room first.
type columns struct {
	behind driver.Scanner
	budget int64

	mu     sync.Mutex
	tables map[egrid.SnapshotID]*engine.Table
	groups map[string]groups                // by the key of the plan that makes them
	used   *simplelru.LRU[columnKey, int64] // bytes of each column, and of groups
	bytes  int64
	loads  map[egrid.SnapshotID]*flight[struct{}] // one at a time for each snapshot: plans need much the same columns
	makes  map[string]*flight[made]               // of groups that are not kept yet
}

// columnKey names a column of a snapshot, or groups.
type columnKey struct {
	snapshot egrid.SnapshotID
	column   egrid.Column
	groups   string
}

// groups are the groups of some snapshots.
type groups struct {
	*engine.Groups
	of []egrid.Snapshot
}

// made are groups, and whether columns had to be read for them. Without groups
// the columns do not fit the budget.
type made struct {
	groups
	read bool
}

// maxColumns bounds what is kept; the budget is reached before.
const maxColumns = 1 << 16

// cellBytes is about what a cell takes, to tell before loading a column whether
// it can be kept.
const cellBytes = 12

func newColumns(behind driver.Scanner, budget int64) *columns {
	c := &columns{behind: behind, budget: budget, tables: map[egrid.SnapshotID]*engine.Table{}, groups: map[string]groups{},
		loads: map[egrid.SnapshotID]*flight[struct{}]{}, makes: map[string]*flight[made]{}}
	c.used, _ = simplelru.NewLRU(maxColumns, c.evicted) // the size is positive
	return c
}

// evicted removes a column from its table, or groups. The caller holds mu.
func (c *columns) evicted(k columnKey, bytes int64) {
	c.bytes -= bytes
	if k.groups != "" {
		delete(c.groups, k.groups)
		return
	}
	if t := c.tables[k.snapshot]; t != nil {
		if t = t.Without(k.column); t.Columns() > 0 {
			c.tables[k.snapshot] = t
		} else {
			delete(c.tables, k.snapshot)
		}
	}
}

func (c *columns) size() (columns int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used.Len() - len(c.groups), c.bytes
}

// retain drops the columns of snapshots that the store does not have any more.
func (c *columns) retain(catalog egrid.Catalog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := func(s egrid.SnapshotID) bool { _, ok := catalog.Find(string(s)); return ok }
	for _, k := range c.used.Keys() {
		gone := k.groups == "" && !known(k.snapshot)
		for _, s := range c.groups[k.groups].of {
			gone = gone || !known(s.ID)
		}
		if gone {
			c.used.Remove(k)
		}
	}
}

// have reports whether a plan can be executed without reading anything.
func (c *columns) have(p *driver.Plan) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(p.Measures) > 0 {
		all, _ := engine.Split(p)
		if _, ok := c.groupsOf(string(all.Key())); ok {
			return true
		}
	}
	for i := range p.Snapshots {
		if c.tables[p.Snapshots[i].ID] == nil || len(c.absent(&p.Snapshots[i], engine.Needed(p))) > 0 {
			return false
		}
	}
	return true
}

// absent returns the needed columns of a snapshot that are not kept. The caller
// holds mu.
func (c *columns) absent(s *egrid.Snapshot, needed []egrid.Column) []egrid.Column {
	var absent []egrid.Column
	for _, column := range needed {
		if !s.Schema.Has(column) {
			continue // missing in every row
		}
		if _, ok := c.used.Get(columnKey{snapshot: s.ID, column: column}); !ok {
			absent = append(absent, column)
		}
	}
	return absent
}

// scan executes a plan on columns, and says whether some had to be read for it.
// The answer is nil when they do not fit the budget.
func (c *columns) scan(ctx context.Context, p *driver.Plan) (answer iter.Seq2[*egrid.Batch, error], read bool, err error) {
	if len(p.Measures) > 0 {
		return c.scanGroups(ctx, p)
	}
	tables, read, err := c.open(ctx, p)
	if tables == nil || err != nil {
		return nil, false, err
	}
	return engine.Scan(ctx, p, tables), read, nil
}

// scanGroups is scan for group plans. It keeps the groups: the next plan often
// orders or filters the same ones.
func (c *columns) scanGroups(ctx context.Context, p *driver.Plan) (answer iter.Seq2[*egrid.Batch, error], read bool, err error) {
	all, rest := engine.Split(p)
	key := string(all.Key())
	c.mu.Lock()
	if g, ok := c.groupsOf(key); ok {
		c.mu.Unlock()
		return g.Scan(ctx, rest), false, nil
	}
	f := c.makes[key]
	if f == nil {
		f = start(ctx, func(ctx context.Context) (made, error) { return c.group(ctx, all) }, func(f *flight[made]) { c.land(key, f) })
		c.makes[key] = f
	}
	f.waiting++
	c.mu.Unlock()
	g, err := wait(ctx, &c.mu, f, func() {
		if c.makes[key] == f {
			delete(c.makes, key)
		}
	})
	if g.Groups == nil || err != nil {
		return nil, false, err
	}
	return g.Scan(ctx, rest), g.read, nil
}

func (c *columns) group(ctx context.Context, all *driver.Plan) (made, error) {
	tables, read, err := c.open(ctx, all)
	if tables == nil || err != nil {
		return made{}, err
	}
	g, err := engine.Group(ctx, all, tables)
	return made{groups{g, all.Snapshots}, read}, err
}

// land keeps the groups of a flight.
func (c *columns) land(key string, f *flight[made]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.makes[key] == f {
		delete(c.makes, key)
	}
	if f.err == nil && f.panicked == nil && f.value.Groups != nil {
		c.keep(key, f.value.groups)
	}
}

// groupsOf returns groups that are kept. The caller holds mu.
func (c *columns) groupsOf(key string) (groups, bool) {
	c.used.Get(columnKey{groups: key})
	g, ok := c.groups[key]
	return g, ok
}

// groupsShare is the part of the budget that one kept set of groups takes at
// most, so that it does not displace the columns that all of them need.
const groupsShare = 16

// keep keeps groups. The caller holds mu.
func (c *columns) keep(key string, g groups) {
	bytes := g.Bytes() + int64(len(key))
	if _, ok := c.groups[key]; ok || bytes > c.budget/groupsShare {
		return
	}
	c.groups[key] = g
	c.bytes += bytes
	c.used.Add(columnKey{groups: key}, bytes)
	c.makeRoom(1)
}

// makeRoom drops all that is over the budget, except the last few.
func (c *columns) makeRoom(last int) {
	for c.bytes > c.budget && c.used.Len() > last {
		c.used.RemoveOldest()
	}
}

// warm reads all columns of the newest snapshot of each level, as far as they take
// half of the budget: the rest is for what is asked.
func (c *columns) warm(ctx context.Context, catalog egrid.Catalog) error {
	newest := map[egrid.Level]*egrid.Snapshot{}
	for i := range catalog.Snapshots {
		s := &catalog.Snapshots[i]
		if was := newest[s.Level]; s.Status == egrid.Published && s.Rows > 0 && (was == nil || newer(s, was)) {
			newest[s.Level] = s
		}
	}
	snapshots := slices.SortedFunc(maps.Values(newest), func(a, b *egrid.Snapshot) int {
		return cmp.Or(cmp.Compare(estimate(a, a.Schema.Len()), estimate(b, b.Schema.Len())), cmp.Compare(a.Level, b.Level))
	})
	sum := int64(0)
	for _, s := range snapshots {
		if sum += estimate(s, s.Schema.Len()); sum > c.budget/2 {
			return nil
		}
		if _, _, err := c.table(ctx, s, s.Schema.Columns()); err != nil {
			return err
		}
	}
	return nil
}

// newer reports whether a snapshot of a level comes behind another one.
func newer(a, b *egrid.Snapshot) bool {
	return cmp.Or(cmp.Compare(a.Year, b.Year), egrid.CompareReleases(a.Release, b.Release)) > 0
}

// estimate is about how many bytes some columns of a snapshot take.
func estimate(s *egrid.Snapshot, columns int) int64 { return s.Rows * int64(columns) * cellBytes }

// open returns the tables that a plan reads, and says whether some columns had
// to be read for it; nil when they do not fit the budget.
func (c *columns) open(ctx context.Context, p *driver.Plan) (table func(egrid.Snapshot) *engine.Table, read bool, err error) {
	needed := engine.Needed(p)
	bytes := int64(0)
	for i := range p.Snapshots {
		bytes += estimate(&p.Snapshots[i], len(needed))
	}
	if bytes > c.budget {
		return nil, false, nil
	}
	tables := make(map[egrid.SnapshotID]*engine.Table, len(p.Snapshots))
	for i := range p.Snapshots {
		t, loaded, err := c.table(ctx, &p.Snapshots[i], needed)
		if err != nil {
			return nil, false, err
		}
		read = read || loaded
		tables[p.Snapshots[i].ID] = t
	}
	return func(s egrid.Snapshot) *engine.Table { return tables[s.ID] }, read, nil
}

// table returns a table that has the needed columns of a snapshot.
func (c *columns) table(ctx context.Context, s *egrid.Snapshot, needed []egrid.Column) (t *engine.Table, read bool, err error) {
	for {
		c.mu.Lock()
		t = c.tables[s.ID]
		absent := c.absent(s, needed)
		if t != nil && len(absent) == 0 {
			c.mu.Unlock()
			return t, read, nil
		}
		read = true
		f := c.loads[s.ID]
		if f == nil {
			f = start(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, c.load(ctx, *s, absent) }, func(f *flight[struct{}]) { c.end(s.ID, f) })
			c.loads[s.ID] = f
		}
		f.waiting++
		c.mu.Unlock()
		if _, err := wait(ctx, &c.mu, f, func() {
			if c.loads[s.ID] == f {
				delete(c.loads, s.ID)
			}
		}); err != nil {
			return nil, read, err
		}
	}
}

func (c *columns) end(id egrid.SnapshotID, f *flight[struct{}]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loads[id] == f {
		delete(c.loads, id)
	}
}

// load reads columns of a snapshot from the Scanner behind.
func (c *columns) load(ctx context.Context, s egrid.Snapshot, names []egrid.Column) error {
	if len(names) == 0 { // the rows themselves
		names = []egrid.Column{s.Schema.Field(0).Column}
	}
	p, err := wholeOf(s, names)
	if err != nil {
		return err
	}
	var batches []*egrid.Batch
	for b, err := range c.behind.Scan(ctx, p) {
		if err != nil {
			return err
		}
		batches = append(batches, b)
	}
	t := engine.NewTable(batches, names)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.tables[s.ID]; known != nil {
		t = known.With(t)
	}
	c.tables[s.ID] = t
	for _, name := range names {
		k, bytes := columnKey{snapshot: s.ID, column: name}, t.Column(name).Bytes()
		if was, ok := c.used.Peek(k); ok { // a load that everybody had given up
			c.bytes -= was
		}
		c.bytes += bytes
		c.used.Add(k, bytes)
	}
	c.makeRoom(len(names))
	return nil
}

// wholeOf plans to read columns of every row of a snapshot.
func wholeOf(s egrid.Snapshot, names []egrid.Column) (*driver.Plan, error) {
	s.Status = egrid.Published
	release := s.Release
	if release == "" {
		release = egrid.NoRelease
	}
	p, err := driver.PlanRows(egrid.Catalog{Snapshots: []egrid.Snapshot{s}}, egrid.RowQuery{
		Level: s.Level, Year: s.Year, Release: release, Columns: slices.Clone(names),
	})
	if err == nil {
		p.Limit = 0
	}
	return p, err
}
