package calc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// mass is one gas of a factor, in pounds by the multiplier.
type mass struct {
	gas    Gas
	column egrid.Column
	times  float64
}

// masses are what a query's gas consists of.
func (q *FactorQuery) masses() []mass {
	switch q.Gas {
	case CO2:
		return []mass{{CO2, egrid.CO2, PoundsPerShortTon}}
	case CH4:
		return []mass{{CH4, egrid.CH4, 1}}
	case N2O:
		return []mass{{N2O, egrid.N2O, 1}}
	case NOx:
		return []mass{{NOx, egrid.NOx, PoundsPerShortTon}}
	case SO2:
		return []mass{{SO2, egrid.SO2, PoundsPerShortTon}}
	}
	if g, err := ParseGWP(q.GWP); err == nil {
		return []mass{{CO2, egrid.CO2, PoundsPerShortTon}, {CH4, egrid.CH4, g.CH4}, {N2O, egrid.N2O, g.N2O}}
	}
	return []mass{{CO2e, egrid.CO2e, PoundsPerShortTon}}
}

// whole is the column that a kind is per.
func (k Kind) whole() egrid.Column {
	switch k {
	case Combustion:
		return combustionGeneration
	case HeatInput:
		return egrid.HeatInput
	}
	return egrid.NetGeneration
}

const combustionGeneration egrid.Column = "combustion_net_generation_mwh"

// rate is the column of a gas's published rate.
func (k Kind) rate(gas Gas) egrid.Column {
	switch k {
	case Combustion:
		return egrid.Column(string(gas) + "_combustion_output_rate_lb_per_mwh")
	case HeatInput:
		return egrid.Column(string(gas) + "_input_rate_lb_per_mmbtu")
	case Nonbaseload:
		return egrid.Column("nonbaseload_" + string(gas) + "_output_rate_lb_per_mwh")
	}
	return egrid.Column(string(gas) + "_output_rate_lb_per_mwh")
}

// amount writes "2000 * name", or the name alone, and "- " before what is subtracted.
func amount(times float64, name string) string {
	switch {
	case times < 0:
		return "- " + amount(-times, name)
	case times == 1:
		return name
	}
	return egrid.NumberOf(times).String() + " * " + name
}

// added writes a sum of amounts, the first of which is not subtracted.
func added(terms []string) string {
	sum := strings.ReplaceAll(strings.Join(terms, " + "), " + - ", " - ")
	if len(terms) > 1 {
		sum = "(" + sum + ")"
	}
	return sum
}

// factor finds the inputs and the formula in lb/MWh or lb/MMBtu.
func (r *reader) factor(ctx context.Context, q FactorQuery, basis egrid.Level) (Factor, error) {
	if q.adjusted() {
		return r.adjustedFactor(ctx, q)
	}
	if basis != q.Level {
		f, plants, err := r.factorOfPlants(ctx, q)
		if err == nil && q.Plants == nil {
			f.Notes = append(f.Notes, fmt.Sprintf("It is of the %d plants that the PLNT sheet has of the place. No %s sheet of %s is loaded, which would tell whether these are all.", plants.Len(), q.Level, r.name()))
		}
		return f, err
	}
	page, err := r.region(ctx, q.Level, q.Code)
	if err != nil {
		return Factor{}, err
	}
	published := egrid.Value{}
	if q.GWP == "" || q.GWP == GWPPublished {
		published = page.Row(0).Value(q.Kind.rate(q.Gas))
	}
	why := "the sheet does not have the sums that it follows from"
	if q.Kind == Nonbaseload || q.Explain {
		f, plants, err := r.factorOfPlants(ctx, q)
		var lack *plantsLack
		switch {
		case errors.As(err, &lack):
			why = lack.why
		case err != nil:
			return Factor{}, err
		default:
			f.Published, f.Name = published, regionName(q.Level, page.Row(0))
			f.Snapshots = append(slices.Clip(f.Snapshots), page.Snapshots...)
			f.compare(plants, page)
			if own, err := r.factorOfRow(q, page, ""); err == nil && q.Kind != Nonbaseload {
				f.differ(&own)
			}
			return f, nil
		}
	}
	f, err := r.factorOfRow(q, page, why)
	f.Published = published
	if q.Explain && err == nil {
		f.Notes = append(f.Notes, "The plants cannot be listed: "+why+".")
	}
	return f, err
}

// compare notes plants that do not generate what their region's sheet says.
func (f *Factor) compare(plants *Plants, page egrid.RowPage) {
	whole, ok := page.Row(0).Float(egrid.NetGeneration)
	generation := plants.columns[egrid.NetGeneration]
	if !ok || generation == nil {
		return
	}
	near := 1e-3
	if slices.Contains(page.Snapshots[0].Lossy, egrid.NetGeneration) {
		near = 1e-2
	}
	var sum compensated
	for _, x := range generation {
		sum.add(x)
	}
	if math.Abs(sum.total()-whole) > near*math.Abs(whole) {
		f.Notes = append(f.Notes, fmt.Sprintf("The %d plants that the PLNT sheet has of the place generate %s MWh, and %s MWh by the %s sheet: plants are missing in the one, or counted in it alone.",
			plants.Len(), egrid.SumOf(sum.total()), egrid.NumberOf(whole), f.Query.Level))
	}
}

// differ notes that plants give another factor than the region's own sheet, which
// answers when no plants are asked for.
func (f *Factor) differ(own *Factor) {
	x, err := Evaluate(f.Formula, f.Inputs)
	y, problem := Evaluate(own.Formula, own.Inputs)
	if err == nil && problem == nil && math.Abs(x-y) > 1e-6*math.Abs(y) {
		f.Notes = append(f.Notes, fmt.Sprintf("It is of the plants. The %s sheet alone gives %s %s.", own.Basis, egrid.NumberOf(y), unitsOf(f.Query.Kind)[0].name))
	}
}

// factorOfRow computes a factor from the sums of a region's sheet, or else from
// its published rates: why says what keeps it from all its digits.
func (r *reader) factorOfRow(q FactorQuery, page egrid.RowPage, why string) (Factor, error) {
	row, s := page.Row(0), page.Snapshots[0]
	f := Factor{
		Query: q, Name: regionName(q.Level, row), Basis: q.Level, Authority: s.Authority,
		Inputs: map[string]Input{}, Snapshots: page.Snapshots,
	}
	if q.Kind != Nonbaseload {
		var terms []string
		for _, m := range q.masses() {
			f.cell(row, s, m.column)
			terms = append(terms, amount(m.times, string(m.column)))
		}
		f.cell(row, s, q.Kind.whole())
		if len(f.Inputs) == len(terms)+1 {
			err := f.over(terms, []string{string(q.Kind.whole())})
			return f, err
		}
	}
	clear(f.Inputs)
	var terms []string
	for _, m := range q.masses() {
		times := 1.0
		if q.GWP != "" && q.GWP != GWPPublished && m.gas != CO2 {
			times = m.times
		}
		f.cell(row, s, q.Kind.rate(m.gas))
		terms = append(terms, amount(times, string(q.Kind.rate(m.gas))))
	}
	if len(f.Inputs) < len(terms) {
		return Factor{}, r.lacks(q, f, why)
	}
	f.Formula, f.Rounded = added(terms), true
	f.Notes = append(f.Notes, "It rests on the published rate, which is rounded: "+why+".")
	return f, nil
}

// plantsLack is the error of plants that do not give a factor.
type plantsLack struct {
	query FactorQuery
	why   string
	co2e  bool // it is the published CO2e alone
}

func (l *plantsLack) Unwrap() error { return egrid.ErrNotFound }

func (l *plantsLack) Error() string {
	text := fmt.Sprintf("%s: there is no factor of kind %s of %s: %s", egrid.ErrNotFound, l.query.Kind, l.query.Gas, l.why)
	if l.co2e {
		text += l.query.remedy()
	}
	return text
}

// lackOfPlants finds out what plants lack for a factor.
func (r *reader) lackOfPlants(ctx context.Context, q FactorQuery) error {
	lack := &plantsLack{query: q, why: "the PLNT sheet of " + r.name() + ", which gives it at full precision, is not loaded"}
	s, ok, err := r.published(ctx, egrid.PLNT)
	if err != nil {
		return err
	}
	if !ok {
		return lack
	}
	columns := columnsOf(q.per(), q.emitted())
	if column, named := regionColumn(q.Level); named {
		columns = append(columns, column)
	}
	columns = slices.DeleteFunc(columns, s.Schema.Has)
	if q.adjusted() && len(columns) > 0 {
		lack.why = "the PLNT sheet of " + r.name() + " has no " + withYears(columns)
		return lack
	}
	lack.why = "the PLNT sheet of " + r.name() + " has no " + list(columns)
	lack.co2e = len(columns) == 1 && columns[0] == egrid.CO2e
	if len(columns) == 0 {
		lack.why = "the PLNT sheet of " + r.name() + " has no figures for it"
	}
	return lack
}

func (r *reader) lacks(q FactorQuery, f Factor, why string) error {
	var missing []string
	for _, m := range q.masses() {
		if c := q.Kind.rate(m.gas); f.Inputs[string(c)].Column == "" {
			missing = append(missing, string(c))
		}
	}
	if q.Kind == Nonbaseload {
		return fmt.Errorf("%w: the %s sheet of %s has no %s, and %s%s", egrid.ErrNotFound, q.Level, r.name(), strings.Join(missing, ", "), why, q.remedy())
	}
	return fmt.Errorf("%w: the %s sheet of %s has neither the sums for %s nor a figure in %s%s", egrid.ErrNotFound, q.Level, r.name(), q.Kind, strings.Join(missing, ", "), q.remedy())
}

// remedy says what may do where a factor cannot be computed.
func (q *FactorQuery) remedy() string {
	if q.Gas == CO2e && q.GWP == GWPPublished {
		return "; where CO2, CH4 and N2O are there, name a GWP to weigh them by, as ar5"
	}
	return ""
}

// over makes the sum of terms over the sum of others the formula. It returns
// [egrid.ErrNotFound] unless that is above 0: nothing is emitted per MWh where more
// is drawn than made.
func (f *Factor) over(terms, wholes []string) error {
	whole := added(wholes)
	f.Formula = added(terms) + " / " + whole
	x, err := Evaluate(whole, f.Inputs)
	if err != nil {
		return err
	}
	if x <= 0 {
		return fmt.Errorf("%w: there is no such factor: %s is %s, and a rate is over more than 0", egrid.ErrNotFound, whole, egrid.NumberOf(x))
	}
	return nil
}

// cell makes an input of a cell, unless it is missing.
func (f *Factor) cell(row egrid.Row, s egrid.Snapshot, c egrid.Column) {
	x, ok := row.Float(c)
	if !ok {
		return
	}
	field, _ := egrid.Lookup(s.Level, string(c))
	code := ""
	if column, named := regionColumn(s.Level); named {
		code = row.Text(column)
	} else if s.Level == egrid.GGL {
		code = row.Text(egrid.Region)
	}
	f.Inputs[string(c)] = Input{Value: x, Unit: field.Unit, Level: s.Level, Code: code, Column: c}
	if slices.Contains(s.Lossy, c) {
		f.round("%s was rounded in the file that it was read from.", c)
	}
}

func (f *Factor) round(format string, args ...any) {
	f.Rounded = true
	if note := fmt.Sprintf(format, args...); !slices.Contains(f.Notes, note) {
		f.Notes = append(f.Notes, note)
	}
}

func regionName(level egrid.Level, row egrid.Row) string {
	switch level {
	case egrid.SRL:
		return row.Text("subregion_name")
	case egrid.BA:
		return row.Text(egrid.BalancingAuthorityName)
	case egrid.NRL:
		return row.Text("nerc_region_name")
	}
	return ""
}

// factorOfPlants computes a factor from sums over plants, and returns them. The
// error is a [plantsLack] when those of the edition are not published, or lack a
// column.
func (r *reader) factorOfPlants(ctx context.Context, q FactorQuery) (Factor, *Plants, error) {
	emitted, per := q.emitted(), q.per()
	columns := columnsOf(emitted, per)
	p, wanted := tally(MethodOf(r.year, r.release), q.Kind == Nonbaseload, columns)
	plants, snapshots, err := r.plants(ctx, q.Level, q.Code, q.Plants, append(p.columns(), egrid.CO2)...)
	if err == nil && plants == nil {
		err = r.lackOfPlants(ctx, q)
	}
	if err != nil {
		return Factor{}, nil, err
	}
	if err := r.absent(q, plants); err != nil {
		return Factor{}, nil, err
	}
	f := Factor{Query: q, Basis: egrid.PLNT, Authority: snapshots[0].Authority, Inputs: map[string]Input{}, Snapshots: snapshots}
	sums := plants.total(p)
	for _, i := range wanted {
		if math.IsNaN(sums[i]) {
			return Factor{}, nil, r.lackOfPlants(ctx, q)
		}
		f.Inputs[p.terms[i].name()] = plants.input(p, i, sums)
	}
	if n := plants.unweighed(); n > 0 && emitted[0].gas == CO2e && !q.adjusted() {
		why := fmt.Sprintf("the PLNT sheet of %s has CO2 of %d of the %d plants, and no CO2e", r.name(), n, plants.Len())
		return Factor{}, nil, &plantsLack{query: q, why: why, co2e: true}
	}
	if n := plants.repeats; n > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d of the %d rows have the ORIS code of another: all of them count.", n, plants.Len()))
	}
	var terms, wholes []string
	for i, m := range emitted {
		terms = append(terms, amount(m.times, p.terms[wanted[i]].name()))
		if n := plants.silent(m.column); n > 0 && m.times > 0 {
			f.Notes = append(f.Notes, fmt.Sprintf("%d of the %d plants generate from coal, oil or gas, and have no %s: they count as 0.", n, plants.Len(), m.column))
		}
	}
	for i, m := range per {
		wholes = append(wholes, amount(m.times, p.terms[wanted[len(emitted)+i]].name()))
	}
	for _, c := range columns {
		if slices.Contains(snapshots[0].Lossy, c) {
			f.round("%s of some plants was rounded in the file that it was read from.", c)
		}
	}
	if q.Explain {
		f.Plants = plants.shares(p, wanted)
	}
	err = f.over(terms, wholes)
	return f, plants, err
}

func columnsOf(lists ...[]mass) (columns []egrid.Column) {
	for _, masses := range lists {
		for _, m := range masses {
			columns = append(columns, m.column)
		}
	}
	return columns
}

// absent refuses a set of plants of which some are not in the sheet, and a region
// without any.
func (r *reader) absent(q FactorQuery, plants *Plants) error {
	if q.Plants == nil {
		if plants.Len() == 0 {
			return fmt.Errorf("%w: no plant of %s is in %s %s", egrid.ErrNotFound, r.name(), q.Level.Title(), q.Code)
		}
		return nil
	}
	var missing []string
	for _, id := range q.Plants {
		if !slices.Contains(plants.ids, id) {
			missing = append(missing, id)
		}
	}
	if missing != nil {
		return fmt.Errorf("%w: %s has no plant with the ORIS code %s", egrid.ErrNotFound, r.name(), strings.Join(missing, ", "))
	}
	return nil
}
