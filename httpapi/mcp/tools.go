package mcp

import (
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// tool is a question of the API, as it is declared to clients.
type tool struct {
	name, title, does string
	path              string // of the API; arguments in braces
	args              []argument
	answer            func(*question) (reply, error)
}

func (t *tool) declare() *sdk.Tool {
	return &sdk.Tool{
		Name: t.name, Title: t.title, Description: t.does, InputSchema: object(t.args),
		Annotations: &sdk.ToolAnnotations{Title: t.title, ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: new(bool)},
	}
}

// ask asks what a path and the arguments say.
func (q *question) ask(path string) (envelope, error) {
	query := url.Values{}
	for i := range q.tool.args {
		a := &q.tool.args[i]
		values, ok := q.values[a.name]
		place := "{" + a.name + "}"
		switch {
		case !ok || a.local:
		case strings.Contains(path, place):
			path = strings.ReplaceAll(path, place, url.PathEscape(joined(values)))
		case a.name == "filter": // each is a parameter of its own
			query["filter"] = values
		default:
			query.Set(a.name, joined(values))
		}
	}
	return q.get(path, query)
}

// text returns the only value of an argument; empty when it was not given.
func (g *given) text(name string) string { return joined(g.values[name]) }

func names[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// The arguments that several tools share.

func editionArgs() []argument {
	return []argument{
		{name: "year", kind: integer, doc: "Data year, as 2023. Default: the newest that is loaded."},
		{name: "release", kind: text, doc: "Release of the edition: none (the unmarked one), v1, v2, ... or rev0, rev1, ... Default: the newest."},
	}
}

func gwpArg() argument {
	a := argument{name: "gwp", kind: text, doc: "Global warming potentials of co2e: published (default), or of an assessment report of the IPCC.", enum: []string{calc.GWPPublished}}
	for _, g := range calc.GWPs() {
		a.enum = append(a.enum, g.Name)
	}
	return a
}

func listed(of, fallback string) argument {
	return argument{name: "limit", kind: integer, fallback: fallback, doc: of + " at most, 1 to 1000. Default: " + fallback + "."}
}

func cursorArg() argument {
	return argument{name: "cursor", kind: text, doc: "Where to go on, with the same other arguments: the cursor that an answer ends with."}
}

func placeArgs() []argument {
	return []argument{
		{name: "state", kind: list, doc: "Postal abbreviations, as TX."},
		{name: "subregion", kind: list, doc: "eGRID subregions, as CAMX."},
		{name: "balancing_authority", kind: list, doc: "Codes of balancing authorities, as CISO."},
		{name: "nerc_region", kind: list, doc: "NERC regions, as WECC."},
		{name: "fuel", kind: list, doc: "EIA energy source codes, as NG."},
		{name: "fuel_category", kind: list, doc: "EPA's categories of the primary fuel: " + strings.Join(egrid.FuelCategories(), ", ") + "."},
	}
}

func regionLevels(doc string, more ...egrid.Level) argument {
	return argument{name: "level", kind: text, required: true, enum: names(append(more, calc.RegionLevels()...)), doc: doc}
}

const levelDoc = "ST state, BA balancing authority, SRL eGRID subregion, NRL NERC region, US"

// tools are all tools, in the order in which they are told.
func tools() []tool {
	edition := editionArgs()
	with := func(first []argument, more ...argument) []argument { return append(append(first, edition...), more...) }
	return []tool{
		{
			name: "catalogue", title: "What is loaded", path: "/snapshots", answer: catalogue,
			does: "Lists what data are loaded: level, data year, release, authority, units of the file, rows, and the id of the snapshot. Start here.",
			args: []argument{
				{name: "level", kind: text, local: true, enum: names(egrid.Levels()), doc: "Only this level of the workbook: PLNT plant, GEN generator, UNT unit, " + levelDoc + ", GGL grid gross loss, ZIP crosswalk of ZIP codes."},
				{name: "year", kind: integer, local: true, doc: "Only this data year."},
			},
		},
		{
			name: "factor", title: "Emission factor", path: "/factors", answer: factor,
			does: "An emission factor of electricity, with its unit, formula, inputs, files and a citation. Give exactly one place: subregion, state, ba, nerc, us or plants. " +
				"Kind output is for an inventory by location, nonbaseload for electricity that is saved or added, combustion is per MWh of generation that burns fuel, input per unit of fuel burned.",
			args: with([]argument{
				{name: "subregion", kind: text, doc: "eGRID subregion, as CAMX."}, {name: "state", kind: text, doc: "Postal abbreviation, as TX."},
				{name: "ba", kind: text, doc: "Code of a balancing authority, as CISO."}, {name: "nerc", kind: text, doc: "NERC region, as WECC."},
				{name: "us", kind: boolean, doc: "The United States."}, {name: "plants", kind: list, doc: "ORIS codes: one factor of these plants together."},
			}, argument{name: "gas", kind: text, enum: names(calc.Gases()), doc: "What is emitted. Default: co2e."},
				argument{name: "kind", kind: text, enum: names(calc.Kinds()), doc: "Default: output."}, gwpArg(),
				argument{name: "adjustment", kind: text, enum: names(calc.Adjustments()), doc: "What of the plants' emissions is left out: published (default) is adjusted for biomass and for useful heat (CHP); biomass, chp: for one of these; unadjusted: for none."},
				argument{name: "unit", kind: text, enum: append(calc.FactorUnits(calc.Output), calc.FactorUnits(calc.HeatInput)...), doc: "Default: lb/MWh, of kind input lb/MMBtu."},
				argument{name: "delivered", kind: boolean, doc: "Per MWh at the customer: with the losses of the grid."},
				argument{name: "explain", kind: boolean, doc: "List the plants that it is made of, where their sheet is loaded."}, local(listed("Plants", "20"))),
		},
		{
			name: "explain", title: "One published number explained", path: "/explain/{level}/{code}/{column}", answer: explain,
			does: "Where a published number comes from: its formula, inputs, plants with their weights, the record and file that hold it, and whether it follows from them.",
			args: with([]argument{
				regionLevels("PLNT plant, "+levelDoc+", GGL grid gross loss.", egrid.PLNT, egrid.GGL),
				{name: "code", kind: text, required: true, doc: "ORIS code of a plant, code of a region, interconnect of GGL; US for the United States."},
				{name: "column", kind: text, required: true, doc: "Name or EPA's code of a column, as co2_output_rate_lb_per_mwh or SRCO2RTA."},
			}, local(listed("Plants", "20"))),
		},
		{
			name: "plant", title: "One power plant", path: "/plants/{id}", answer: plant,
			does: "A power plant in a data year, all its columns with units; or, with history, in every data year that is loaded. The tool search finds its id by its name.",
			args: with([]argument{{name: "id", kind: text, required: true, doc: "ORIS code, or the id that search answers."}},
				argument{name: "history", kind: boolean, local: true, doc: "Every data year, each in its newest release; year and release are not given then."},
				argument{name: "columns", kind: list, local: true, doc: "Columns to answer with. Default: all, and with history the main ones."}),
		},
		{
			name: "region", title: "Totals, rates and resource mix of a region", path: "/regions/{level}/{code}", answer: region,
			does: "A state, balancing authority, subregion, NERC region or the US in a data year: totals, emission rates and resource mix (shares of net generation, 0 to 1), as published.",
			args: with([]argument{regionLevels(levelDoc + "."), {name: "code", kind: text, required: true, doc: "Code of the region, as TX, CISO, CAMX or WECC; US for the United States."}}),
		},
		{
			name: "search", title: "Find power plants", path: "/plants/search", answer: search,
			does: "Power plants by words, places, fuels and conditions on any column.",
			args: with(append([]argument{{name: "q", kind: text, doc: "Words that must all occur, each in the name, the operator or the ORIS code."}}, placeArgs()...),
				argument{name: "filter", kind: list, doc: "Conditions that must all hold: COLUMN OPERATOR VALUE with = != < <= > >=, as nameplate_capacity_mw>=100; COLUMN missing; COLUMN present."},
				argument{name: "sort", kind: list, doc: "Columns to sort by; a minus in front sorts downwards, as -net_generation_mwh."},
				argument{name: "columns", kind: list, doc: "Columns to answer with. Default: the main ones."}, listed("Plants", "10"), cursorArg()),
		},
		{
			name: "compare", title: "What changed between two releases", path: "/diff", answer: compare,
			does: "Every cell that differs between two releases of a level and data year, the largest relative change first, and how many rows and columns came and went.",
			args: []argument{
				{name: "level", kind: text, required: true, enum: names(egrid.Levels()), doc: "Level of the workbook, as PLNT or SRL."}, edition[0],
				{name: "from", kind: text, required: true, doc: "Release, as none, v1 or rev0, or the id of a snapshot that is or was published."},
				{name: "to", kind: text, doc: "Likewise. Default: the newest release."}, listed("Cells", "20"), cursorArg(),
			},
		},
		{
			name: "inventory", title: "Emissions of a list of sites", path: "/inventory", answer: inventory,
			does: "Location-based Scope 2 emissions of up to 1,000 sites from their electricity: kg of CO2, CH4, N2O and CO2e, losses of the grid, totals, and the factor with citation that each rests on. A site that cannot be answered has the reason.",
			args: with([]argument{{name: "sites", kind: objects, required: true, local: true, most: maxSites, fields: siteFields(), doc: "Each with its electricity and a place; the most precise that is given is used: subregion, zip, ba, state."}}, gwpArg()),
		},
		{
			name: "zip", title: "Subregions of a ZIP code", path: "/crosswalk/zip/{zip}", answer: zip,
			does: "The eGRID subregions that serve a ZIP code, the predominant one first, with the utilities through which they do, where a crosswalk is loaded.",
			args: with([]argument{{name: "zip", kind: text, required: true, doc: "Five digits, or nine as 97201-1234."}}),
		},
	}
}

func local(a argument) argument {
	a.local = true
	return a
}
