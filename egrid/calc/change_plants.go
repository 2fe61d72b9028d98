package calc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// PlantChange is a plant that moved to another region, came or went.
type PlantChange struct {
	ID       string       // ORIS code
	Name     string       // in the second edition; of a plant that went, in the first
	Change   Change       // Moved, Added or Lost
	Column   egrid.Column // of the region that it moved from and to; empty for a plant that came or went
	From, To string       // codes of the regions

	FromGeneration, ToGeneration egrid.Value // MWh a year; missing where the edition has none

	Successor   string // of a plant that went: the plant that seems to be it in the second edition; empty where none is found. EPA does not say so: it follows from SuccessorBy.
	SuccessorBy SuccessorBy
}

// SuccessorBy says by what a plant was found under another ORIS code.
type SuccessorBy string

// What tells of a successor.
const (
	ByGenerators SuccessorBy = "generators" // every one of its generators, two or more, is the other plant's, with id, prime mover, year and capacity
	ByName       SuccessorBy = "name"       // a plant of the same name in the same state came
)

// PlantFlow is plants that moved from a region to another one.
type PlantFlow struct {
	Column     egrid.Column
	From, To   string
	Plants     int
	Generation float64 // MWh of the second edition
}

// PlantDifference is how the plants of two editions differ.
type PlantDifference struct {
	Level        egrid.Level // PLNT, or GEN where plants are summed from generators
	From, To     []egrid.Snapshot
	Both         int           // plants that both editions have
	Moved        int           // of them, those with another region at some level
	Added, Lost  int           // plants that one edition alone has
	Unidentified int           // rows without an ORIS code, of both editions, which match nothing
	Repeated     int           // rows with the code of another row of PLNT, which count with it
	Changes      []PlantChange // those with the most generation first
	Flows        []PlantFlow   // likewise
	Notes        []string
}

// PlantRegions are the columns of plants that name their regions.
func PlantRegions() []egrid.Column {
	return []egrid.Column{egrid.Subregion, egrid.BalancingAuthority, egrid.NERCRegion, egrid.State}
}

// PlantLevels are the levels that plants are compared from.
func PlantLevels() []egrid.Level { return []egrid.Level{egrid.PLNT, egrid.GEN} }

// ComparePlants matches the plants of two editions by their ORIS codes, and says which
// moved between regions, came or went. The sheets of an edition are those of plants and
// of generators, at most one of each; plants are compared where both editions have
// them, else summed from generators.
//
// A region that either edition does not name is no move. A plant that went is looked
// for under other codes: where both editions have generators, by these, else by its
// name among those that came. It returns [egrid.ErrNotFound] where the editions have
// neither level in common, or a sheet has no ORIS codes.
func ComparePlants(from, to []Sheet) (*PlantDifference, error) {
	d := &PlantDifference{}
	var a, b *Sheet
	for _, level := range PlantLevels() {
		if a, b = sheetOf(from, level), sheetOf(to, level); a != nil && b != nil {
			d.Level = level
			break
		}
	}
	if d.Level == "" {
		return nil, fmt.Errorf("%w: plants are not compared: the editions have neither a PLNT nor a GEN sheet in common", egrid.ErrNotFound)
	}
	d.From, d.To = []egrid.Snapshot{a.Snapshot}, []egrid.Snapshot{b.Snapshot}
	before, err := d.roster(a)
	if err != nil {
		return nil, err
	}
	after, err := d.roster(b)
	if err != nil {
		return nil, err
	}
	d.compare(before, after)
	d.findSuccessors(from, to, before, after)
	slices.SortStableFunc(d.Changes, func(x, y PlantChange) int {
		return cmp.Or(-cmp.Compare(x.generation(), y.generation()), cmp.Compare(len(x.ID), len(y.ID)), cmp.Compare(x.ID, y.ID))
	})
	d.countFlows()
	return d, nil
}

func sheetOf(sheets []Sheet, level egrid.Level) *Sheet {
	if i := slices.IndexFunc(sheets, func(s Sheet) bool { return s.Level == level }); i >= 0 {
		return &sheets[i]
	}
	return nil
}

// generation is by how much a change is ordered.
func (c *PlantChange) generation() float64 {
	x, ok := c.ToGeneration.Float()
	if !ok {
		x, _ = c.FromGeneration.Float()
	}
	return math.Abs(x)
}

// listed is a plant of one edition.
type listed struct {
	name       string
	regions    [4]string // as PlantRegions
	generation compensated
	known      bool // it has a figure of generation
}

// roster is the plants of an edition by ORIS code.
type roster struct {
	plants  map[string]*listed
	order   []string
	regions [4]bool // columns that the sheet has
}

func (r *roster) value(id string) egrid.Value {
	p := r.plants[id]
	if p == nil || !p.known {
		return egrid.Value{}
	}
	return egrid.SumOf(p.generation.total())
}

func (d *PlantDifference) roster(s *Sheet) (*roster, error) {
	r := &roster{plants: map[string]*listed{}}
	if !s.Schema.Has(egrid.PlantCode) {
		return nil, fmt.Errorf("%w: the %s sheet of %s has no ORIS codes, by which plants are matched", egrid.ErrNotFound, s.Level, editionName(s.Year, s.Release))
	}
	for i, c := range PlantRegions() {
		r.regions[i] = s.Schema.Has(c)
	}
	for _, b := range s.Rows {
		for row := range b.Rows() {
			id := row.Text(egrid.PlantCode)
			if id == "" {
				d.Unidentified++
				continue
			}
			p := r.plants[id]
			if p == nil {
				p = &listed{}
				r.plants[id] = p
				r.order = append(r.order, id)
			} else if s.Level == egrid.PLNT {
				d.Repeated++
			}
			p.add(row)
		}
	}
	return r, nil
}

func (p *listed) add(row egrid.Row) {
	if p.name == "" {
		p.name = row.Text(egrid.PlantName)
	}
	for i, c := range PlantRegions() {
		if p.regions[i] == "" {
			p.regions[i] = row.Text(c)
		}
	}
	if x, ok := row.Float(egrid.NetGeneration); ok {
		p.generation.add(x)
		p.known = true
	}
}

func (d *PlantDifference) compare(before, after *roster) {
	for i, c := range PlantRegions() {
		if !before.regions[i] || !after.regions[i] {
			d.Notes = append(d.Notes, fmt.Sprintf("Moves by %s are not known: not both %s sheets have it.", c, d.Level))
		}
	}
	for _, id := range before.order {
		was, is := before.plants[id], after.plants[id]
		if is == nil {
			d.Lost++
			d.Changes = append(d.Changes, PlantChange{ID: id, Name: was.name, Change: Lost, FromGeneration: before.value(id)})
			continue
		}
		d.Both++
		moved := false
		for i, c := range PlantRegions() {
			if was.regions[i] == is.regions[i] || was.regions[i] == "" || is.regions[i] == "" {
				continue
			}
			moved = true
			d.Changes = append(d.Changes, PlantChange{
				ID: id, Name: cmp.Or(is.name, was.name), Change: Moved, Column: c, From: was.regions[i], To: is.regions[i],
				FromGeneration: before.value(id), ToGeneration: after.value(id),
			})
		}
		if moved {
			d.Moved++
		}
	}
	for _, id := range after.order {
		if before.plants[id] == nil {
			d.Added++
			d.Changes = append(d.Changes, PlantChange{ID: id, Name: after.plants[id].name, Change: Added, ToGeneration: after.value(id)})
		}
	}
}

func (d *PlantDifference) countFlows() {
	at := map[PlantFlow]int{}
	sums := []compensated{}
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Change != Moved {
			continue
		}
		key := PlantFlow{Column: c.Column, From: c.From, To: c.To}
		n, ok := at[key]
		if !ok {
			n = len(d.Flows)
			at[key] = n
			d.Flows, sums = append(d.Flows, key), append(sums, compensated{})
		}
		d.Flows[n].Plants++
		x, _ := c.ToGeneration.Float()
		sums[n].add(x)
	}
	for i := range d.Flows {
		d.Flows[i].Generation, _ = egrid.SumOf(sums[i].total()).Float()
	}
	slices.SortStableFunc(d.Flows, func(a, b PlantFlow) int {
		return cmp.Or(-cmp.Compare(math.Abs(a.Generation), math.Abs(b.Generation)), -cmp.Compare(a.Plants, b.Plants))
	})
}

// machine is what tells a generator from others of its state.
type machine struct {
	state, id, mover string
	year             int64
}

// fleet is the generators of each plant, with their nameplate capacity in MW.
type fleet map[string][]rated

type rated struct {
	machine
	capacity float64
}

// owner is a plant that has a generator of some capacity.
type owner struct {
	id       string
	capacity float64
}

// alike reports whether capacities are the same, but for what editions round.
func alike(a, b float64) bool { return math.Abs(a-b) <= 0.05+sameCapacity*math.Max(a, b) }

const sameCapacity = 0.1

func fleetOf(s *Sheet) fleet {
	if s == nil || !s.Schema.Has(egrid.PlantCode) || !s.Schema.Has(egrid.Generator) || !s.Schema.Has(yearOnline) || !s.Schema.Has(egrid.PrimeMover) {
		return nil
	}
	f := fleet{}
	for _, b := range s.Rows {
		for row := range b.Rows() {
			if id := row.Text(egrid.PlantCode); id != "" {
				mw, _ := row.Float(egrid.NameplateCapacity)
				year, _ := row.Int(yearOnline)
				f[id] = append(f[id], rated{machine{row.Text(egrid.State), plainID(row.Text(egrid.Generator)), row.Text(egrid.PrimeMover), year}, mw})
			}
		}
	}
	return f
}

const (
	yearOnline egrid.Column = "year_online"
)

// plainID is a generator's id without leading zeros, which editions write and leave
// out.
func plainID(id string) string { return strings.TrimLeft(id, "0") }

// findSuccessors looks for the plants that went under other ORIS codes.
func (d *PlantDifference) findSuccessors(from, to []Sheet, before, after *roster) {
	old, now := fleetOf(sheetOf(from, egrid.GEN)), fleetOf(sheetOf(to, egrid.GEN))
	owners := map[machine][]owner{} // of generators that the plant did not have before
	for id, machines := range now {
		spare := slices.Clone(machines)
		for _, m := range old[id] {
			if at := slices.IndexFunc(spare, func(x rated) bool { return x.machine == m.machine }); at >= 0 {
				spare = slices.Delete(spare, at, at+1)
			}
		}
		for _, m := range spare {
			owners[m.machine] = append(owners[m.machine], owner{id, m.capacity})
		}
	}
	named := map[[2]string][]string{}
	for _, id := range after.order {
		if p := after.plants[id]; before.plants[id] == nil && p.name != "" {
			key := [2]string{p.regions[3], strings.ToLower(p.name)}
			named[key] = append(named[key], id)
		}
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Change != Lost {
			continue
		}
		if successor := successorOf(old[c.ID], owners, int64(d.From[0].Year)); successor != "" {
			c.Successor, c.SuccessorBy = successor, ByGenerators
		} else if p := before.plants[c.ID]; len(named[[2]string{p.regions[3], strings.ToLower(p.name)}]) == 1 {
			c.Successor, c.SuccessorBy = named[[2]string{p.regions[3], strings.ToLower(p.name)}][0], ByName
		}
	}
}

// successorOf is the only plant that has every one of some generators, with about the
// capacity that they had; empty where there is none, or several. Of generators that were
// only planned, ids and years change.
func successorOf(machines []rated, owners map[machine][]owner, last int64) string {
	if len(machines) < 2 {
		return "" // of single generators with the same id and year a state has many
	}
	var found []string
	for i, m := range machines {
		if m.year == 0 || m.year > last || m.id == "" {
			return ""
		}
		var having []string
		for _, o := range owners[m.machine] {
			if alike(o.capacity, m.capacity) && (i == 0 || slices.Contains(found, o.id)) && !slices.Contains(having, o.id) {
				having = append(having, o.id)
			}
		}
		found = having
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
