package egridtest

import (
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// cellOf returns what writes a column of the unit, generator or plant sheet. figures
// are what follows from other columns of the plant sheet.
func (s *Sample) cellOf(level egrid.Level, f *egrid.Field, figures *egrid.Batch) cell {
	switch f.Column {
	case egrid.Sequence:
		return func(b []byte, r *record) []byte { return strconv.AppendInt(b, r.sequence, 10) }
	case egrid.Year:
		return func(b []byte, r *record) []byte { return strconv.AppendInt(b, int64(r.sample.options.Year), 10) }
	case egrid.State:
		return func(b []byte, r *record) []byte { return append(b, r.plant.place.state...) }
	case egrid.PlantName:
		return func(b []byte, r *record) []byte { return r.plant.appendName(b) }
	case egrid.PlantCode:
		return func(b []byte, r *record) []byte { return strconv.AppendInt(b, firstPlantCode+int64(r.plant.index), 10) }
	}
	switch level {
	case egrid.GEN:
		return generatorCell(f.Column)
	case egrid.UNT:
		return unitCell(f.Column)
	}
	if at := figures.Schema().Index(f.Column); at >= 0 {
		return func(b []byte, r *record) []byte {
			x, ok := r.figures.Column(at).Float(r.at)
			if !ok {
				return b
			}
			return s.appendFigure(b, f, x)
		}
	}
	if f.Column == "nominal_heat_rate_btu_per_kwh" {
		return heatRateCell(figures.Schema().Index(combustionGeneration))
	}
	return plantCell(f.Column)
}

// firstPlantCode is the ORIS code of the first plant, above those in use.
const firstPlantCode = 900001

// constant writes the same text into every row.
func constant(text string) cell {
	return func(b []byte, _ *record) []byte { return append(b, text...) }
}

// yes writes a flag as EPA does: blank for no.
func yes(is func(*plant) bool) cell {
	return func(b []byte, r *record) []byte {
		if is(r.plant) {
			return append(b, "Yes"...)
		}
		return b
	}
}

// appendName writes a name that nobody takes for a real plant's.
func (p *plant) appendName(b []byte) []byte {
	if p.quoted {
		b = append(b, '"')
	}
	b = append(b, "Sample Plant "...)
	b = appendPadded(b, int64(p.index+1), 6)
	b = append(b, ' ')
	b = append(b, p.technology.name...)
	if p.quoted {
		b = append(b, `, ""Old"" Site"`...)
	}
	return b
}

// appendID writes an identifier in one of the styles of real ones.
func (g *generator) appendID(b []byte) []byte {
	switch g.idStyle {
	case 1: // 0005
		return appendPadded(b, g.idNumber, 4)
	case 2: // 7E600, which is no number
		return append(append(b, "7E60"...), byte('0'+g.idNumber-1))
	case 3: // 10-94, which is no date
		return append(append(b, "10-9"...), byte('0'+g.idNumber+2))
	case 4:
		b = append(b, g.technology.generators...)
	}
	return strconv.AppendInt(b, g.idNumber, 10)
}

func generatorCell(c egrid.Column) cell {
	of := func(write func(b []byte, g *generator) []byte) cell {
		return func(b []byte, r *record) []byte { return write(b, r.generator) }
	}
	known := func(write func(b []byte, g *generator) []byte) cell {
		return func(b []byte, r *record) []byte {
			if r.generator.blank {
				return b
			}
			return write(b, r.generator)
		}
	}
	switch c {
	case egrid.GeneratorID:
		return of(func(b []byte, g *generator) []byte { return g.appendID(b) })
	case "boiler_count":
		return of(func(b []byte, g *generator) []byte {
			if g.technology.mover == "ST" && g.technology.burns {
				return append(b, '1')
			}
			return b
		})
	case egrid.OperatingStatus:
		return of(func(b []byte, g *generator) []byte { return append(b, g.status...) })
	case egrid.PrimeMover:
		return of(func(b []byte, g *generator) []byte { return append(b, g.technology.mover...) })
	case egrid.Fuel:
		return of(func(b []byte, g *generator) []byte { return append(b, g.technology.fuel...) })
	case egrid.NameplateCapacity:
		return of(func(b []byte, g *generator) []byte { return appendScaled(b, g.capacity, 3) })
	case egrid.CapacityFactor:
		return known(func(b []byte, g *generator) []byte { return appendScaled(b, g.factor, 5) })
	case egrid.NetGeneration:
		return known(func(b []byte, g *generator) []byte { return appendScaled(b, g.generation, 3) })
	case egrid.OzoneSeasonGeneration:
		return known(func(b []byte, g *generator) []byte { return appendScaled(b, g.ozone, 3) })
	case "net_generation_source":
		return known(func(b []byte, _ *generator) []byte { return append(b, "Invented by the sample generator"...) })
	case "year_online":
		return of(func(b []byte, g *generator) []byte { return strconv.AppendInt(b, g.online, 10) })
	case "year_retired":
		return of(func(b []byte, g *generator) []byte {
			if g.retirement == 0 {
				return b
			}
			return strconv.AppendInt(b, g.retirement, 10)
		})
	}
	return constant("")
}

func unitCell(c egrid.Column) cell {
	of := func(figure func(r *record) milli) cell {
		return func(b []byte, r *record) []byte { return appendScaled(b, figure(r), 3) }
	}
	burning := func(text string) cell {
		return func(b []byte, r *record) []byte {
			if r.generator.technology.burns {
				return append(b, text...)
			}
			return b
		}
	}
	switch c {
	case egrid.UnitID:
		return func(b []byte, r *record) []byte { return r.generator.appendID(b) }
	case egrid.PrimeMover, egrid.Fuel, "year_online":
		return generatorCell(c)
	case egrid.OperatingStatus:
		return generatorCell(c)
	case "capd_program_flag":
		return yes((*plant).reports)
	case "program_codes":
		return func(b []byte, r *record) []byte {
			if r.plant.reports() {
				return append(b, `"ARP, CSNOX"`...)
			}
			return b
		}
	case "generator_count":
		return constant("1")
	case "operating_hours":
		return func(b []byte, r *record) []byte {
			if r.generator.blank {
				return b
			}
			return strconv.AppendInt(b, min(hoursOfYear, r.generator.factor*hoursOfYear/100000*5/4), 10)
		}
	case egrid.HeatInput:
		return of(func(r *record) milli { return r.generator.heat })
	case "heat_input_ozone_season_mmbtu":
		return of(func(r *record) milli { return r.generator.heat * r.plant.ozoneShare / 1000 })
	case egrid.NOx:
		return of(func(r *record) milli { return r.generator.nox })
	case "nox_ozone_season_short_tons":
		return of(func(r *record) milli { return r.generator.nox * r.plant.ozoneShare / 1000 })
	case egrid.SO2:
		return of(func(r *record) milli { return r.generator.so2 })
	case egrid.CO2:
		return of(func(r *record) milli { return r.generator.co2 })
	case "heat_input_source", "heat_input_ozone_season_source", "nox_source", "nox_ozone_season_source", "so2_source", "co2_source":
		return burning("Invented")
	}
	return constant("")
}

// reports says whether a plant reports to an emissions programme.
func (p *plant) reports() bool { return p.technology.burns && p.technology.capacity[1] > 1000 }

func plantCell(c egrid.Column) cell {
	if i := measureOf(c); i >= 0 {
		return measureCell(func(p *plant) *[measures]milli { return &p.measure }, i)
	}
	for prefix, of := range map[string]func(p *plant) *[measures]milli{
		"unadjusted_":     func(p *plant) *[measures]milli { return &p.unadjusted },
		"biomass_":        func(p *plant) *[measures]milli { return &p.biomass },
		"chp_adjustment_": func(p *plant) *[measures]milli { return &p.chp },
	} {
		base, found := strings.CutPrefix(string(c), prefix)
		i := measureOf(egrid.Column(base))
		if !found || i < 0 {
			continue
		}
		write := measureCell(of, i)
		return func(b []byte, r *record) []byte {
			if prefix == "biomass_" && r.plant.technology.category != "BIOMASS" || prefix == "chp_adjustment_" && !r.plant.isCHP {
				return b
			}
			return write(b, r)
		}
	}
	if strings.HasPrefix(string(c), "unadjusted_") && strings.HasSuffix(string(c), "_source") {
		return func(b []byte, r *record) []byte {
			if r.plant.technology.burns {
				return append(b, "Invented"...)
			}
			return b
		}
	}
	if strings.HasPrefix(string(c), "hg_") || c == "unadjusted_hg_lb" {
		return constant("--")
	}
	return plantFactCell(c)
}

// measureCell writes a measure; generation is blank where nothing is known.
func measureCell(of func(p *plant) *[measures]milli, i int) cell {
	return func(b []byte, r *record) []byte {
		if isGeneration(i) && r.plant.blank {
			return b
		}
		return appendScaled(b, of(r.plant)[i], 3)
	}
}

func plantFactCell(c egrid.Column) cell {
	of := func(write func(b []byte, p *plant) []byte) cell {
		return func(b []byte, r *record) []byte { return write(b, r.plant) }
	}
	text := func(get func(p *plant) string) cell {
		return of(func(b []byte, p *plant) []byte { return appendText(b, get(p)) })
	}
	numbered := func(prefix string, every int) cell {
		return of(func(b []byte, p *plant) []byte {
			return appendPadded(append(b, prefix...), int64(p.index/every%999+1), 3)
		})
	}
	chp := func(write func(b []byte, p *plant) []byte) cell {
		return of(func(b []byte, p *plant) []byte {
			if !p.isCHP {
				return b
			}
			return write(b, p)
		})
	}
	switch c {
	case egrid.OperatorName:
		return numbered("Sample Wires Company ", 7)
	case "operator_id":
		return numbered("99", 7)
	case "utility_name":
		return numbered("Sample Utility ", 5)
	case "utility_id":
		return numbered("98", 5)
	case "sector":
		return text(func(p *plant) string {
			if p.isCHP {
				return "Industrial CHP"
			}
			return "Electric Utility"
		})
	case egrid.BalancingAuthority:
		return text(func(p *plant) string { return p.authority })
	case egrid.BalancingAuthorityName:
		return text(func(p *plant) string { return authorityNames[p.authority] })
	case egrid.NERCRegion:
		return text(func(p *plant) string { return p.place.nerc })
	case egrid.Subregion:
		return text(func(p *plant) string { return p.place.subregion })
	case "subregion_name":
		return text(func(p *plant) string { return subregionNames[p.place.subregion] })
	case "iso_rto":
		return text(func(p *plant) string { return p.place.operator })
	case "fips_state":
		return text(func(p *plant) string { return p.place.fips })
	case "fips_county":
		return of(func(b []byte, p *plant) []byte { return appendPadded(b, int64(p.index%50*2+1), 3) })
	case egrid.County:
		return of(func(b []byte, p *plant) []byte {
			return strconv.AppendInt(append(b, "Sample County "...), int64(p.index%50+1), 10)
		})
	case egrid.Latitude:
		return of(func(b []byte, p *plant) []byte { return appendScaled(b, p.lat, 4) })
	case egrid.Longitude:
		return of(func(b []byte, p *plant) []byte { return appendScaled(b, p.lon, 4) })
	case "unit_count", "generator_count":
		return of(func(b []byte, p *plant) []byte { return strconv.AppendInt(b, int64(p.n), 10) })
	case egrid.Fuel:
		return text(func(p *plant) string { return p.technology.fuel })
	case egrid.FuelCategoryColumn:
		return text(func(p *plant) string { return p.technology.category })
	case "coal_flag":
		return yes(func(p *plant) bool { return p.technology.category == "COAL" })
	case "capd_program_flag":
		return yes((*plant).reports)
	case "biomass_adjustment_flag":
		return yes(func(p *plant) bool { return p.technology.category == "BIOMASS" })
	case "chp_flag":
		return yes(func(p *plant) bool { return p.isCHP })
	case "pumped_storage_flag":
		return yes(func(p *plant) bool { return p.technology.mover == "PS" })
	case egrid.CapacityFactor:
		return of(func(b []byte, p *plant) []byte {
			if p.blank {
				return b
			}
			return appendScaled(b, p.factor, 5)
		})
	case "useful_thermal_output_mmbtu":
		return chp(func(b []byte, p *plant) []byte { return appendScaled(b, p.useful, 3) })
	case "power_to_heat_ratio":
		return chp(func(b []byte, p *plant) []byte {
			return appendScaled(b, rounded(3413*float64(p.measure[generation])/float64(p.useful)), 3)
		})
	case "electric_allocation_factor":
		return chp(func(b []byte, p *plant) []byte { return appendScaled(b, p.allocation, 6) })
	}
	return constant("")
}

// heatRateCell writes heat input per kWh of combustion, whose column of the figures
// is given.
func heatRateCell(combustion int) cell {
	return func(b []byte, r *record) []byte {
		mwh, ok := r.figures.Column(combustion).Float(r.at)
		if !ok || mwh <= 0 {
			return b
		}
		return appendScaled(b, rounded(1000*float64(r.plant.measure[heat])/mwh), 3)
	}
}
