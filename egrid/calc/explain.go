package calc

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// ExplainQuery names one published figure. Year and Release are as in
// [FactorQuery].
type ExplainQuery struct {
	Level   egrid.Level // PLNT, ST, BA, SRL, NRL, US or GGL
	Code    string      // ORIS code, code of the region, or interconnect; empty for the US
	Column  string      // our name or EPA's code
	Year    int
	Release string
}

// Explanation is a published figure with what it follows from.
type Explanation struct {
	Query     ExplainQuery // as it was answered
	Field     egrid.Field
	Published egrid.Value // in the field's unit
	Authority string

	// The formula, where the figure has one: a rule of the dictionary over sums of
	// plants or over cells of its own sheet.
	Formula    string // see [Evaluate]; empty where the figure is an input of eGRID
	Inputs     map[string]Input
	Recomputed egrid.Value  // Formula over Inputs, at full precision
	Tolerance  float64      // by how much rounding alone may part it from Published
	Matches    bool         // they differ by no more
	Plants     []PlantShare // where the inputs are sums over plants: their amounts times weight sum up to them
	Method     string       // the choices that the edition's rule takes, see [Method]

	Row       int64            // of the sheet's records, from 1, that holds the figure
	Snapshots []egrid.Snapshot // that were read; the first holds the figure, its Sources are the files
	Notes     []string
}

// Explain says what a published figure follows from: the formula, its inputs, the
// plants with their weights, and the cell that it was read from.
//
// Errors: [egrid.ErrInvalid] for an unknown level or column, [egrid.ErrNotFound]
// for a row, year or release that is not published.
func Explain(ctx context.Context, db *store.DB, q ExplainQuery) (Explanation, error) {
	return explain(ctx, db, q, nil)
}

func explain(ctx context.Context, db *store.DB, q ExplainQuery, kept *Answers) (Explanation, error) {
	field, err := q.field()
	if err != nil {
		return Explanation{}, err
	}
	now, err := db.Now(ctx)
	if err != nil {
		return Explanation{}, err
	}
	r := reader{db: now, kept: kept}
	if _, err := r.edition(ctx, q.Year, q.Release, q.Level); err != nil {
		return Explanation{}, err
	}
	q.Year, q.Release, q.Column = r.year, r.release, string(field.Column)
	page, err := r.row(ctx, q.Level, &q.Code)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{
		Query: q, Field: field, Published: page.Row(0).Value(field.Column), Authority: page.Snapshots[0].Authority,
		Row: page.Row(0).Number(), Snapshots: page.Snapshots, Inputs: map[string]Input{},
	}
	if err := r.derive(ctx, &x, page); err != nil {
		return Explanation{}, err
	}
	x.Notes = append(x.Notes, foreign(x.Snapshots)...)
	return x, x.compare(page)
}

// nearestColumn says which column was probably meant, by our name or EPA's code.
func nearestColumn(level egrid.Level, name string) string {
	var names, codes []string
	for _, f := range egrid.Fields(level) {
		names, codes = append(names, string(f.Column)), append(codes, f.Code)
	}
	if best := egrid.Nearest(name, append(names, codes...)); best != "" {
		return fmt.Sprintf(", did you mean %s?", best)
	}
	return "; the dictionary lists them"
}

func (q *ExplainQuery) field() (egrid.Field, error) {
	levels := append([]egrid.Level{egrid.PLNT, egrid.GGL}, RegionLevels()...)
	if !slices.Contains(levels, q.Level) {
		return egrid.Field{}, fmt.Errorf("%w: figures of level %q are not explained, but those of %s", egrid.ErrInvalid, q.Level, list(levels))
	}
	f, ok := egrid.Lookup(q.Level, q.Column)
	if !ok {
		return egrid.Field{}, fmt.Errorf("%w: level %s has no column %q%s", egrid.ErrInvalid, q.Level, q.Column, nearestColumn(q.Level, q.Column))
	}
	return f, nil
}

// row reads the row of a plant, region or interconnect.
func (r *reader) row(ctx context.Context, level egrid.Level, code *string) (egrid.RowPage, error) {
	column := egrid.PlantCode
	switch level {
	case egrid.PLNT:
	case egrid.GGL:
		column = egrid.Region
	default:
		*code = strings.ToUpper(strings.TrimSpace(*code))
		if level == egrid.US {
			*code = ""
		}
		return r.region(ctx, level, *code)
	}
	page, err := r.one(ctx, level, column, *code)
	if err == nil && page.Len() == 0 {
		err = fmt.Errorf("%w: no %s %s in %s", egrid.ErrNotFound, level.Title(), *code, r.name())
	}
	return page, err
}

// derive finds the formula of a figure, from plants where that needs them and they
// are there, else from its own row.
func (r *reader) derive(ctx context.Context, x *Explanation, page egrid.RowPage) error {
	switch {
	case x.Query.Level == egrid.GGL && x.Field.Column == egrid.GridGrossLoss:
		return x.ofCells(page, lossFormula(nil), lossParts...)
	case x.Field.Rule.IsZero():
		x.Notes = append(x.Notes, "No formula of this figure is kept here: it stands as it was published.")
		return nil
	case x.Query.Level == egrid.PLNT:
		return x.ofPlant(page)
	}
	x.Method = MethodOf(r.year, r.release).String()
	p := compile(x.Query.Level, MethodOf(r.year, r.release))
	g := &p.figures[slices.IndexFunc(p.figures, func(g figure) bool { return g.field.Column == x.Field.Column })]
	plants, snapshots, err := r.plants(ctx, x.Query.Level, x.Query.Code, nil, p.needs(g)...)
	if err != nil {
		return err
	}
	if plants != nil && plants.Len() > 0 && x.ofPlants(p, g, plants) {
		x.Snapshots = append(slices.Clip(x.Snapshots), snapshots...)
		return nil
	}
	if own := newOwn(p, page.Batch); own.derives(g) {
		sums := own.sums(0)
		if !math.IsNaN(own.value(g, sums)) {
			x.ofSums(p, g, own, sums)
			return nil
		}
	}
	x.Notes = append(x.Notes, "The figure is a sum over plants; the PLNT sheet of "+r.name()+" is not loaded, or lacks what it needs.")
	return nil
}

// needs are the columns of plants that a figure is made of.
func (p *program) needs(g *figure) []egrid.Column {
	var needs []egrid.Column
	for _, i := range p.involved(g) {
		needs = append(append(needs, p.terms[i].column), p.group(p.terms[i].column)...)
	}
	return needs
}

// involved are the terms of a figure, those of its whole among them.
func (p *program) involved(g *figure) []int {
	terms := slices.Concat(g.above, g.below)
	if g.share == fuelShare || g.share == groupShare {
		terms = append(terms, p.fuels...)
	}
	return terms
}

// formula writes a figure over the names of its terms. It is 0 where nothing is
// below the line, and for a share of a fuel with negative generation.
func (p *program) formula(g *figure, sums []float64) string {
	var above, below []string
	if g.factor != 1 {
		above = append(above, strconv.FormatFloat(g.factor, 'f', -1, 64))
	}
	for _, i := range g.above {
		above = append(above, p.terms[i].name())
	}
	product := strings.Join(above, " * ")
	if len(g.below) == 0 {
		return product
	}
	if p.value(g, sums) == 0 {
		return "0"
	}
	for _, i := range g.below {
		below = append(below, p.terms[i].name())
	}
	whole := strings.Join(below, " * ")
	if parts := p.positive(g, sums); parts != nil {
		whole = strings.Join(parts, " + ")
		below = parts
	}
	if len(below) > 1 {
		whole = "(" + whole + ")"
	}
	return product + " / " + whole
}

// positive names the fuels that a share is of, where the method takes those in
// place of net generation.
func (p *program) positive(g *figure, sums []float64) []string {
	if !p.ofFuels(g) {
		return nil
	}
	var names []string
	for _, i := range p.fuels {
		if p.counts(i, sums) {
			names = append(names, p.terms[i].name())
		}
	}
	return names
}

// inputs makes an input of each term that a formula names.
func (x *Explanation) inputs(p *program, g *figure, input func(i int) Input) {
	for _, i := range p.involved(g) {
		name := p.terms[i].name()
		for _, word := range strings.FieldsFunc(x.Formula, func(r rune) bool { return strings.ContainsRune(" ()*/+-", r) }) {
			if word == name {
				x.Inputs[name] = input(i)
			}
		}
	}
}

// ofPlants derives a figure from plants. It is false when they lack a column.
func (x *Explanation) ofPlants(p *program, g *figure, plants *Plants) bool {
	sums := plants.total(p)
	if math.IsNaN(p.value(g, sums)) {
		return false
	}
	x.Formula = p.formula(g, sums)
	x.inputs(p, g, func(i int) Input { return plants.input(p, i, sums) })
	var terms []int
	for _, i := range p.involved(g) {
		if _, named := x.Inputs[p.terms[i].name()]; named && !slices.Contains(terms, i) {
			terms = append(terms, i)
		}
	}
	if len(terms) > 0 {
		x.Plants = plants.shares(p, terms)
	}
	return true
}

// ofSums derives a figure from the sums of its own row.
func (x *Explanation) ofSums(p *program, g *figure, own *own, sums []float64) {
	var parts []egrid.Column
	switch {
	case len(g.below) == 0 && g.field.Column == nonbaseloadTotal:
		parts = nonbaseloadParts()
	case len(g.below) == 0:
		parts = p.group(g.field.Column)
	}
	if parts != nil {
		var names []string
		for _, c := range parts {
			names = append(names, string(c))
			x.cellInput(own.batch, c)
		}
		x.Formula = strings.Join(names, " + ")
		return
	}
	x.Formula = p.formula(g, sums)
	x.inputs(p, g, func(i int) Input {
		in := Input{Value: sums[i], Level: x.Query.Level, Code: x.Query.Code, Column: p.terms[i].column}
		if at := own.columns[i]; at >= 0 {
			in.Column = own.batch.Schema().Field(at).Column
		}
		if own.isTotal(i) && own.nonbaseload != nil { // which need not be the sheet's own total, to the last digit
			in.Of = "sum of the non-baseload generation by fuel"
		}
		field, _ := egrid.Lookup(x.Query.Level, string(in.Column))
		in.Unit = field.Unit
		return in
	})
}

func (x *Explanation) cellInput(b *egrid.Batch, c egrid.Column) bool {
	v, ok := b.Row(0).Float(c)
	if ok {
		field, _ := egrid.Lookup(x.Query.Level, string(c))
		x.Inputs[string(c)] = Input{Value: v, Unit: field.Unit, Level: x.Query.Level, Code: x.Query.Code, Column: c}
	}
	return ok
}

// ofCells derives a figure from cells of its own row, where they are all there.
func (x *Explanation) ofCells(page egrid.RowPage, formula string, cells ...egrid.Column) error {
	for _, c := range cells {
		if !x.cellInput(page.Batch, c) {
			clear(x.Inputs)
			x.Notes = append(x.Notes, "The sheet has no "+string(c)+", which the formula needs.")
			return nil
		}
	}
	x.Formula = formula
	return nil
}

// ofPlant derives a rate or share of a plant from its own row. EPA divides a
// plant's emissions by its total heat input, and a region's by that of combustion.
func (x *Explanation) ofPlant(page egrid.RowPage) error {
	rule := x.Field.Rule
	if len(rule.Denominator) == 0 {
		x.Notes = append(x.Notes, "The figure is an input of the sums of regions: no formula over other columns of the sheet gives it.")
		return nil
	}
	var above, below []string
	if rule.Factor != 1 {
		above = append(above, strconv.FormatFloat(rule.Factor, 'f', -1, 64))
	}
	var cells []egrid.Column
	for _, c := range rule.Numerator {
		above, cells = append(above, string(c)), append(cells, c)
	}
	for _, c := range rule.Denominator {
		c = ofPlant(c)
		below, cells = append(below, string(c)), append(cells, c)
		if !page.Schema().Has(c) {
			continue // ofCells says so
		}
		if v, ok := page.Row(0).Float(c); !ok || v <= 0 {
			x.Notes = append(x.Notes, "Nothing is below the line ("+string(c)+"): EPA leaves the figure blank.")
			return nil
		}
	}
	whole := strings.Join(below, " * ")
	if len(below) > 1 {
		whole = "(" + whole + ")"
	}
	return x.ofCells(page, strings.Join(above, " * ")+" / "+whole, cells...)
}

// compare evaluates the formula and holds it against what was published.
func (x *Explanation) compare(page egrid.RowPage) error {
	if x.Formula == "" {
		return nil
	}
	v, err := Evaluate(x.Formula, x.Inputs)
	if err != nil {
		return err
	}
	if x.Formula == "0" {
		x.Notes = append(x.Notes, "The figure is 0: editions publish 0 where nothing is above the line, where nothing is below it, and where the generation of a fuel is negative.")
	}
	x.Recomputed = egrid.NumberOf(v)
	at := page.Schema().Index(x.Field.Column)
	if at < 0 {
		x.Notes = append(x.Notes, "The sheet does not have the column: the figure was computed, and not published.")
		return nil
	}
	p, ok := x.Published.Float()
	if !ok { // another way to write that there is nothing
		x.Matches = v == 0
		return nil
	}
	row := newSheet(x.Field.Level, []*egrid.Batch{page.Batch}, page.Snapshots[0])
	x.Tolerance = row.tolerance(x.Field.Column, 0)
	if len(x.Plants) == 0 {
		x.Tolerance += row.inputs(x.Field, v, 0)
	}
	x.Matches = math.Abs(v-p) <= x.Tolerance
	return nil
}
