package egridtest

import (
	"math"
	"math/bits"
)

// random is a splitmix64 generator: tiny, fast, and the same everywhere.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn returns a number in [0, n).
func (r *random) intn(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// between returns a number in [lo, hi].
func (r *random) between(lo, hi int64) int64 { return lo + int64(r.intn(int(hi-lo+1))) }

// oneIn is true once in n times.
func (r *random) oneIn(n int) bool { return r.intn(n) == 0 }

// Figures are whole thousandths (of MWh, MMBtu, short tons, lb), so that sums
// are exact and the same on every machine.
type milli = int64

// The measures of a plant.
const (
	capacity = iota // MW
	heat
	heatOzone
	totalHeat
	totalHeatOzone
	generation
	generationOzone
	nox
	noxOzone
	so2
	co2
	ch4
	n2o
	co2e
	genCoal // the fuels' generation, in the order of the dictionary
	genOil
	genGas
	genNuclear
	genHydro
	genBiomass
	genWind
	genSolar
	genGeothermal
	genOtherFossil
	genOther
	measures
)

// maxGenerators is the most that a plant has.
const maxGenerators = 6

// generator is one generator of a plant, and the unit that drives it.
type generator struct {
	technology *technology
	capacity   milli // MW
	status     string
	blank      bool // nothing is known of its generation
	generation milli
	ozone      milli
	factor     int64 // generation over capacity, hundred-thousandths
	heat       milli // of combustion
	totalHeat  milli
	nox        milli
	so2        milli
	co2        milli
	ch4        milli
	n2o        milli
	online     int64 // year
	retirement int64 // year, 0 for none
	idStyle    int   // how its identifier is written
	idNumber   int64 // the number in it
}

// plant is the i-th plant of a sample.
type plant struct {
	index      int
	place      *place
	authority  string
	technology *technology
	quoted     bool // its name needs quotes
	n          int
	generators [maxGenerators]generator
	ozoneShare int64 // per mille
	lat, lon   int64 // ten-thousandths of a degree

	measure    [measures]milli
	unadjusted [measures]milli
	biomass    [measures]milli
	chp        [measures]milli
	blank      bool  // no generator's generation is known
	factor     int64 // capacity factor, hundred-thousandths
	isCHP      bool
	useful     milli // useful heat, MMBtu
	allocation int64 // of emissions to electricity, millionths
}

// mixed spreads the bits of a seed and an index.
func mixed(seed uint64, i int) random {
	r := random{state: seed ^ uint64(i)*0xd1342543de82ef95}
	return random{state: r.next()}
}

const hoursOfYear = 8760

// fill makes the plant with its generators' generation. burn adds the rest.
func (p *plant) fill(seed uint64, i int) {
	r := mixed(seed, i)
	*p = plant{index: i, place: &places[i%len(places)]}
	p.authority = p.place.authority
	if r.oneIn(90) && p.place.grid == eastern {
		p.authority = noAuthority
	}
	p.technology = technologyOf(r.intn(1000))
	if p.place.grid == alaska || p.place.grid == hawaii || p.place.grid == nowhere {
		if c := p.technology.category; c == "NUCLEAR" || c == "COAL" || c == "OFSL" || p.technology.mover == "PS" {
			p.technology = &technologies[oilEngine]
		}
	}
	if p.technology.category == "GEOTHERMAL" && p.place.grid != western && p.place.grid != hawaii {
		p.technology = &technologies[gasTurbine]
	}
	t := p.technology
	p.quoted = r.oneIn(60)
	p.ozoneShare = r.between(380, 480)
	p.lat = p.place.lat + r.between(-p.place.spread, p.place.spread)
	p.lon = p.place.lon + r.between(-p.place.spread, p.place.spread)
	p.n = 1 + r.intn(2)
	if r.oneIn(4) {
		p.n = 1 + r.intn(maxGenerators)
	}
	style := 0
	switch {
	case r.oneIn(40):
		style = 1 + r.intn(3)
	case t.generators != "":
		style = 4
	}
	startup := t.burns && r.oneIn(70) // it burned fuel and generated nothing
	unknown := r.oneIn(80)            // EPA has no generation for it
	sameID := i >= duplicatesFrom && p.n > 1 && r.oneIn(3000)
	for k := range p.n {
		g := &p.generators[k]
		g.technology = t
		if k > 0 && t.category == "COAL" && r.oneIn(6) {
			g.technology = &technologies[oilEngine] // for starts
		}
		g.fill(&r, startup, unknown)
		g.idStyle, g.idNumber = style, int64(k+1)
		if sameID && k == 1 {
			g.idNumber = 1
		}
		g.ozone = g.generation * p.ozoneShare / 1000
	}
}

// duplicatesFrom is the plant from which on generators may share an
// identifier, as some of EPA's do.
const duplicatesFrom = 1000

func (g *generator) fill(r *random, startup, unknown bool) {
	t := g.technology
	// Cubing makes small ones common and large ones rare.
	u := int64(r.intn(1001))
	tenths := t.capacity[0] + (t.capacity[1]-t.capacity[0])*(u*u*u/1000)/1000000
	g.capacity = max(tenths, 1) * 100
	g.status = "OP"
	g.online = r.between(1950, 2022)
	switch t.mover {
	case "PV", "WT", "BA":
		g.online = 2000 + g.online%23
	}
	if r.oneIn(25) {
		g.retirement = r.between(2025, 2040)
	}
	factor := r.between(t.factor[0], t.factor[1])
	jitter := r.between(-2500, 2500)
	switch {
	case unknown || r.oneIn(80):
		g.blank = true
		g.status = "OS"
		return
	case startup:
		g.status = "SB"
		g.heat = g.capacity * 40
		g.totalHeat = g.heat
	case t.factor[0] > 0 && r.oneIn(120):
		g.generation = -g.capacity * r.between(1, 20) // station use of an idle year
		g.status = "SB"
	case r.oneIn(50):
		g.status = "SB"
	default:
		g.generation = g.capacity*hoursOfYear*factor/1000 + jitter
		if t.factor[0] < 0 {
			g.generation = min(g.generation, -1)
		} else {
			g.generation = max(g.generation, 1)
		}
	}
	if g.generation > 0 {
		g.factor = rounded(float64(g.generation) * 1e5 / float64(g.capacity*hoursOfYear))
		g.totalHeat = g.generation * t.heatRate / 1000
		if t.burns {
			g.heat = g.totalHeat
		}
	}
}

// burn works out heat input and emissions: of the units, then of the plant
// unadjusted, what is taken out for biomass and for useful heat, and what
// remains.
func (p *plant) burn(seed uint64) {
	r := mixed(^seed, p.index)
	p.blank = true
	u, m := &p.unadjusted, &p.measure
	for k := range p.n {
		g := &p.generators[k]
		g.emit()
		m[capacity] += g.capacity
		u[heat] += g.heat
		u[heatOzone] += g.heat * p.ozoneShare / 1000
		u[totalHeat] += g.totalHeat
		u[totalHeatOzone] += g.totalHeat * p.ozoneShare / 1000
		u[nox] += g.nox
		u[noxOzone] += g.nox * p.ozoneShare / 1000
		u[so2] += g.so2
		u[co2] += g.co2
		u[ch4] += g.ch4
		u[n2o] += g.n2o
		if !g.blank {
			p.blank = false
			m[generation] += g.generation
			m[generationOzone] += g.ozone
			m[fuelMeasure(g.technology.category)] += g.generation
		}
	}
	u[co2e] = equivalent(u)
	if p.technology.category == "BIOMASS" {
		p.biomass[co2], p.biomass[co2e] = u[co2], u[co2]
	}
	p.allocation = million
	if burner := p.technology.burns && m[generation] > 0; burner && r.oneIn(p.chpOdds()) {
		p.isCHP = true
		p.useful = u[heat] * r.between(150, 400) / 1000
		electric := float64(m[generation]) * 3.413
		p.allocation = rounded(electric / (electric + float64(float64(p.useful)*0.75)) * million)
	}
	for i := heat; i < co2e; i++ {
		if i == generation || i == generationOzone {
			continue
		}
		kept := u[i] - p.biomass[i]
		m[i] = kept
		if p.isCHP {
			m[i] = rounded(float64(kept) * (float64(p.allocation) / million))
		}
		p.chp[i] = kept - m[i]
	}
	m[co2e] = equivalent(m)
	p.chp[co2e] = u[co2e] - p.biomass[co2e] - m[co2e]
	p.factor = rounded(float64(max(m[generation], 0)) * 1e5 / float64(m[capacity]*hoursOfYear))
}

const million = 1000000

func (p *plant) chpOdds() int {
	switch p.technology.category {
	case "BIOMASS", "OFSL":
		return 4
	}
	return 15
}

// emit works out a unit's emissions from its heat input.
func (g *generator) emit() {
	t, h := g.technology, float64(g.totalHeat)
	g.nox, g.so2, g.co2 = rounded(h*(t.nox/2000)), rounded(h*(t.so2/2000)), rounded(h*(t.co2/2000))
	g.ch4, g.n2o = rounded(h*t.ch4), rounded(h*t.n2o)
}

// equivalent is CO2e by the warming potentials of the fifth assessment report,
// which EPA used for 2023: 28 for CH4, 265 for N2O.
func equivalent(m *[measures]milli) milli { return m[co2] + (28*m[ch4]+265*m[n2o]+1000)/2000 }

func fuelMeasure(category string) int {
	switch category {
	case "COAL":
		return genCoal
	case "OIL":
		return genOil
	case "GAS":
		return genGas
	case "NUCLEAR":
		return genNuclear
	case "HYDRO":
		return genHydro
	case "BIOMASS":
		return genBiomass
	case "WIND":
		return genWind
	case "SOLAR":
		return genSolar
	case "GEOTHERMAL":
		return genGeothermal
	case "OFSL":
		return genOtherFossil
	}
	return genOther
}

func rounded(x float64) int64 { return int64(math.Round(x)) }

// technologyOf picks a technology by its share of plants, in a thousand.
func technologyOf(n int) *technology {
	for i := range technologies {
		if n -= technologies[i].weight; n < 0 {
			return &technologies[i]
		}
	}
	return &technologies[0]
}
