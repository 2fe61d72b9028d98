package egridtest

import (
	"slices"
	"strconv"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// measureColumns names the measures, in their order.
var measureColumns = [measures]egrid.Column{
	egrid.NameplateCapacity,
	egrid.HeatInput, "heat_input_ozone_season_mmbtu", egrid.TotalHeatInput, "total_heat_input_ozone_season_mmbtu",
	egrid.NetGeneration, egrid.OzoneSeasonGeneration,
	egrid.NOx, "nox_ozone_season_short_tons", egrid.SO2, egrid.CO2, egrid.CH4, egrid.N2O, egrid.CO2e,
	"coal_net_generation_mwh", "oil_net_generation_mwh", "gas_net_generation_mwh", "nuclear_net_generation_mwh",
	"hydro_net_generation_mwh", "biomass_net_generation_mwh", "wind_net_generation_mwh", "solar_net_generation_mwh",
	"geothermal_net_generation_mwh", "other_fossil_net_generation_mwh", "other_unknown_net_generation_mwh",
}

// combustionGeneration is one of the totals that follow from the fuels.
const combustionGeneration egrid.Column = "combustion_net_generation_mwh"

// measureOf finds a measure by its column, -1 for other columns.
func measureOf(c egrid.Column) int { return slices.Index(measureColumns[:], c) }

// isGeneration reports whether a measure is blank where no generation is known.
func isGeneration(measure int) bool {
	return measure == generation || measure == generationOzone || measure >= genCoal
}

// chunkPlants is how many plants are made and computed with at a time.
const chunkPlants = 1024

// chunk holds some plants, with the part of the plant sheet that figures follow from.
type chunk struct {
	builder *egrid.Builder
	plants  []plant
}

// textColumns are the columns of a chunk's batch before the measures.
var textColumns = []egrid.Column{egrid.State, egrid.BalancingAuthority, egrid.Subregion, egrid.NERCRegion, egrid.Fuel, egrid.FuelCategoryColumn}

func (s *Sample) newChunk() *chunk {
	var fields []egrid.Field
	for _, c := range append(slices.Clone(textColumns), measureColumns[:]...) {
		f, _ := egrid.Lookup(egrid.PLNT, string(c))
		fields = append(fields, f)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		panic("egridtest: " + err.Error()) // the dictionary has each column
	}
	return &chunk{builder: egrid.NewBuilder(schema, s.options.Year)}
}

// fill makes the plants from one on, burned or not. It is false behind the last.
func (c *chunk) fill(s *Sample, from int, burned bool) bool {
	c.plants = slices.Grow(c.plants[:0], chunkPlants)
	for i := from; i < min(from+chunkPlants, s.options.Plants); i++ {
		c.plants = c.plants[:len(c.plants)+1]
		p := &c.plants[len(c.plants)-1]
		p.fill(s.options.Seed, i)
		if burned {
			p.burn(s.options.Seed)
		}
	}
	return len(c.plants) > 0
}

// batch is the plants' part of the plant sheet.
func (c *chunk) batch() *egrid.Batch {
	for i := range c.plants {
		p := &c.plants[i]
		for at, text := range []string{
			p.place.state, p.authority, p.place.subregion, p.place.nerc, p.technology.fuel, p.technology.category,
		} {
			c.builder.Text(at, []byte(text))
		}
		for m, v := range p.measure {
			if !isGeneration(m) || !p.blank {
				c.builder.Decimal(len(textColumns)+m, v, 3)
			}
		}
		c.builder.EndRow(int64(p.index+1), 0)
	}
	return c.builder.Batch()
}

// totals are the regions of several levels.
type totals struct {
	sums  *calc.Sums
	fips  map[string]string  // by state
	grids [nowhere + 1]milli // net generation by interconnect
}

func regionLevels() []egrid.Level { return append(calc.RegionLevels(), egrid.GGL) }

// aggregate adds the plants up to regions.
func (s *Sample) aggregate(levels ...egrid.Level) *totals {
	t := &totals{sums: calc.NewSums(s.options.Method, levels...), fips: map[string]string{}}
	c := s.newChunk()
	for from := 0; c.fill(s, from, true); from += chunkPlants {
		b := c.batch()
		plants, err := calc.ReadPlants(func(yield func(*egrid.Batch, error) bool) { yield(b, nil) })
		if err != nil {
			panic("egridtest: " + err.Error()) // plants of one year
		}
		t.sums.Add(plants)
		for i := range c.plants {
			p := &c.plants[i]
			t.fips[p.place.state] = p.place.fips
			t.grids[p.place.grid] += p.measure[generation]
		}
	}
	return t
}

func (s *Sample) writeRegions(o *sheetWriter, level egrid.Level, t *totals) {
	fields := s.layout(level)
	s.head(o, level, fields)
	if level == egrid.GGL {
		s.writeLosses(o, t)
		return
	}
	for row := range t.sums.Regions(level).Rows() {
		b := o.buf
		for i := range fields {
			b = append(s.appendRegion(b, t, row, &fields[i]), ',')
		}
		o.row(b)
	}
}

// codeOf is the code of a region; empty for the US.
func codeOf(row egrid.Row) string {
	for _, c := range []egrid.Column{egrid.State, egrid.BalancingAuthority, egrid.Subregion, egrid.NERCRegion} {
		if row.Schema().Has(c) {
			return row.Text(c)
		}
	}
	return ""
}

func (s *Sample) appendRegion(b []byte, t *totals, row egrid.Row, f *egrid.Field) []byte {
	if x, ok := row.Float(f.Column); ok {
		return s.appendFigure(b, f, x)
	}
	code := codeOf(row)
	switch f.Column {
	case egrid.Year:
		return strconv.AppendInt(b, int64(s.options.Year), 10)
	case egrid.State, egrid.BalancingAuthority, egrid.Subregion, egrid.NERCRegion:
		return append(b, code...)
	case "fips_state":
		return append(b, t.fips[code]...)
	case egrid.BalancingAuthorityName:
		return appendText(b, authorityNames[code])
	case "subregion_name":
		return appendText(b, subregionNames[code])
	case "nerc_region_name":
		return appendText(b, nercNames[code])
	}
	return append(b, "--"...) // mercury, which has been reported nowhere since 2007
}

// appendFigure writes a computed figure as editions do: rates with the decimals of
// the method, the non-baseload factor with all its digits, everything else with three.
func (s *Sample) appendFigure(b []byte, f *egrid.Field, x float64) []byte {
	digits := 3
	switch {
	case f.Column == egrid.NonbaseloadFactor:
		return strconv.AppendFloat(b, x, 'f', -1, 64)
	case len(f.Rule.Denominator) > 0:
		digits = s.options.Method.Decimals(*f)
	}
	return appendScaled(b, rounded(x*float64(powers[digits])), digits)
}

// writeLosses invents grid losses of about 4 % of what an interconnect
// generates.
func (s *Sample) writeLosses(o *sheetWriter, t *totals) {
	var all [3]milli
	line := func(name string, loss, disposition, direct milli) {
		b := strconv.AppendInt(o.buf, int64(s.options.Year), 10)
		b = append(append(append(b, ','), name...), ',')
		for _, v := range []milli{loss, disposition, direct} {
			b = append(appendScaled(b, v, 3), ',')
		}
		rate := int64(0)
		if disposition > direct {
			rate = rounded(1000 * float64(loss) / float64(disposition-direct))
		}
		o.row(append(appendScaled(b, rate, 3), ','))
	}
	for i, name := range grids {
		disposition := max(t.grids[i], 0)
		direct := disposition * 3 / 100
		loss := (disposition - direct) * int64(41+i%3) / 1000
		line(name, loss, disposition, direct)
		for j, v := range []milli{loss, disposition, direct} {
			all[j] += v
		}
	}
	line("U.S.", all[0], all[1], all[2])
}
