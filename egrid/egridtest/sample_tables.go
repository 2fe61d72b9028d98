package egridtest

// The tables below put invented plants into plausible places with plausible
// factors. Codes and names of regions are EPA's; every figure is invented or a
// round number of the kind that textbooks give.

// place is where a plant may stand, with the regions that belong together
// there.
type place struct {
	state, fips string
	lat, lon    int64 // ten-thousandths of a degree
	spread      int64 // how far plants lie from there, ten-thousandths of a degree
	subregion   string
	nerc        string
	authority   string
	operator    string // independent system operator, empty where there is none
	grid        int    // index in grids
}

// The interconnects of the grid gross loss sheet. Puerto Rico has no row
// there.
const (
	alaska = iota
	ercot
	eastern
	hawaii
	western
	nowhere
)

var grids = []string{"Alaska", "ERCOT", "Eastern", "Hawaii", "Western"}

var places = []place{
	{"AL", "01", 328000, -868000, 6000, "SRSO", "SERC", "SOCO", "", eastern},
	{"AZ", "04", 334000, -1121000, 8000, "AZNM", "WECC", "AZPS", "", western},
	{"AR", "05", 348000, -923000, 5000, "SRMV", "SERC", "MISO", "MISO", eastern},
	{"CA", "06", 367000, -1198000, 9000, "CAMX", "WECC", "CISO", "CAISO", western},
	{"CO", "08", 390000, -1055000, 9000, "RMPA", "WECC", "PSCO", "", western},
	{"CT", "09", 416000, -727000, 2000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"DE", "10", 390000, -755000, 1500, "RFCE", "RFC", "PJM", "PJM", eastern},
	{"DC", "11", 389000, -770000, 200, "RFCE", "RFC", "PJM", "PJM", eastern},
	{"FL", "12", 280000, -818000, 4000, "FRCC", "SERC", "FPL", "", eastern},
	{"GA", "13", 327000, -834000, 7000, "SRSO", "SERC", "SOCO", "", eastern},
	{"ID", "16", 436000, -1145000, 7000, "NWPP", "WECC", "IPCO", "", western},
	{"IL", "17", 412000, -888000, 5000, "RFCW", "RFC", "PJM", "PJM", eastern},
	{"IN", "18", 399000, -863000, 6000, "RFCW", "RFC", "MISO", "MISO", eastern},
	{"IA", "19", 420000, -935000, 7000, "MROW", "MRO", "MISO", "MISO", eastern},
	{"KS", "20", 385000, -984000, 9000, "SPNO", "MRO", "SWPP", "SPP", eastern},
	{"KY", "21", 375000, -853000, 5000, "SRTV", "SERC", "LGEE", "", eastern},
	{"LA", "22", 311000, -924000, 6000, "SRMV", "SERC", "MISO", "MISO", eastern},
	{"ME", "23", 453000, -692000, 6000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"MD", "24", 390000, -768000, 3000, "RFCE", "RFC", "PJM", "PJM", eastern},
	{"MA", "25", 423000, -718000, 2000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"MI", "26", 433000, -845000, 6000, "RFCM", "RFC", "MISO", "MISO", eastern},
	{"MN", "27", 460000, -945000, 8000, "MROW", "MRO", "MISO", "MISO", eastern},
	{"MS", "28", 327000, -897000, 6000, "SRMV", "SERC", "MISO", "MISO", eastern},
	{"MO", "29", 384000, -920000, 6000, "SRMW", "SERC", "MISO", "MISO", eastern},
	{"MT", "30", 470000, -1095000, 9000, "NWPP", "WECC", "NWMT", "", western},
	{"NE", "31", 415000, -997000, 7000, "MROW", "MRO", "SWPP", "SPP", eastern},
	{"NV", "32", 393000, -1168000, 9000, "NWPP", "WECC", "NEVP", "", western},
	{"NH", "33", 436000, -716000, 3000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"NJ", "34", 401000, -746000, 3000, "RFCE", "RFC", "PJM", "PJM", eastern},
	{"NM", "35", 344000, -1061000, 9000, "AZNM", "WECC", "PNM", "", western},
	{"NY", "36", 429000, -756000, 6000, "NYUP", "NPCC", "NYIS", "NYISO", eastern},
	{"NC", "37", 355000, -794000, 6000, "SRVC", "SERC", "DUK", "", eastern},
	{"ND", "38", 474000, -1004000, 9000, "MROW", "MRO", "MISO", "MISO", eastern},
	{"OH", "39", 403000, -828000, 7000, "RFCW", "RFC", "PJM", "PJM", eastern},
	{"OK", "40", 355000, -975000, 6000, "SPSO", "MRO", "SWPP", "SPP", eastern},
	{"OR", "41", 440000, -1205000, 9000, "NWPP", "WECC", "BPAT", "", western},
	{"PA", "42", 409000, -772000, 8000, "RFCE", "RFC", "PJM", "PJM", eastern},
	{"RI", "44", 417000, -715000, 1000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"SC", "45", 339000, -809000, 5000, "SRVC", "SERC", "SC", "", eastern},
	{"SD", "46", 444000, -1002000, 9000, "MROW", "MRO", "SWPP", "SPP", eastern},
	{"TN", "47", 359000, -864000, 5000, "SRTV", "SERC", "TVA", "", eastern},
	{"TX", "48", 314000, -985000, 9000, "ERCT", "TRE", "ERCO", "ERCOT", ercot},
	{"UT", "49", 393000, -1117000, 9000, "NWPP", "WECC", "PACE", "", western},
	{"VT", "50", 440000, -727000, 4000, "NEWE", "NPCC", "ISNE", "ISONE", eastern},
	{"VA", "51", 375000, -785000, 6000, "SRVC", "SERC", "PJM", "PJM", eastern},
	{"WA", "53", 474000, -1204000, 9000, "NWPP", "WECC", "BPAT", "", western},
	{"WV", "54", 386000, -806000, 4000, "RFCW", "RFC", "PJM", "PJM", eastern},
	{"WI", "55", 446000, -897000, 8000, "MROE", "MRO", "MISO", "MISO", eastern},
	{"WY", "56", 430000, -1075000, 9000, "NWPP", "WECC", "PACE", "", western},
	{"AK", "02", 648000, -1477000, 9000, "AKGD", "AK", "CEA", "", alaska},
	{"AK", "02", 601000, -1565000, 9000, "AKMS", "NA", "NA - AK", "", alaska},
	{"HI", "15", 214000, -1579500, 800, "HIOA", "HI", "HECO", "", hawaii},
	{"HI", "15", 197000, -1555000, 1500, "HIMS", "HI", "NA - HI", "", hawaii},
	{"PR", "72", 182000, -664000, 1200, "PRMS", "PR", "NA - PR", "", nowhere},
	{"NY", "36", 407500, -739500, 400, "NYCW", "NPCC", "NYIS", "NYISO", eastern},
	{"NY", "36", 408000, -730000, 1000, "NYLI", "NPCC", "NYIS", "NYISO", eastern},
	{"TX", "48", 324000, -969000, 9000, "ERCT", "TRE", "ERCO", "ERCOT", ercot},
	{"TX", "48", 345000, -1018000, 5000, "SPSO", "MRO", "SWPP", "SPP", eastern},
	{"CA", "06", 344000, -1185000, 3000, "CAMX", "WECC", "LDWP", "", western},
	{"AL", "01", 346000, -868000, 2000, "SRTV", "SERC", "TVA", "", eastern},
	{"AZ", "04", 334000, -1115000, 6000, "AZNM", "WECC", "SRP", "", western},
	{"FL", "12", 278000, -822000, 2000, "FRCC", "SERC", "TEC", "", eastern},
	{"IL", "17", 391000, -892000, 5000, "SRMW", "SERC", "MISO", "MISO", eastern},
	{"MO", "29", 391000, -943000, 2000, "SPNO", "MRO", "SWPP", "SPP", eastern},
	{"NC", "37", 352000, -785000, 4000, "SRVC", "SERC", "CPLE", "", eastern},
	{"WY", "56", 418000, -1052000, 5000, "RMPA", "WECC", "WACM", "", western},
	{"PA", "42", 407000, -800000, 2000, "RFCW", "RFC", "PJM", "PJM", eastern},
}

// zips are rows of the crosswalk: ZIP codes of one subregion and of several, of
// utilities and of none, with a zero in front. Utilities are invented.
var zips = []struct{ code, state, utility, subregion, predominant string }{
	{"00601", "PR", "", "PRMS", "0"},
	{"03850", "NH", "990001", "NEWE", "1"},
	{"10001", "NY", "990002", "NYCW", "1"},
	{"11701", "NY", "990003", "NYLI", "1"},
	{"30525", "GA", "990004", "SRSO", "0"},
	{"30525", "GA", "990005", "SRTV", "1"},
	{"30525", "GA", "990006", "SRVC", "0"},
	{"59221", "MT", "990007", "MROW", "1"},
	{"59221", "MT", "990008", "NWPP", "0"},
	{"75201", "TX", "990009", "ERCT", "1"},
	{"94102", "CA", "990010", "CAMX", "1"},
	{"94102", "CA", "990011", "CAMX", "0"},
	{"97201", "OR", "990012", "NWPP", "1"},
	{"97202", "OR", "990012", "NWPP", "1"},
	{"99501", "AK", "990013", "AKGD", "1"},
}

// noAuthority is the code of a plant that no balancing authority serves.
const noAuthority = "NA"

var authorityNames = map[string]string{
	"AZPS": "Arizona Public Service Company", "BPAT": "Bonneville Power Administration", "CEA": "Chugach Electric Assn Inc",
	"CISO": "California Independent System Operator", "CPLE": "Duke Energy Progress East", "DUK": "Duke Energy Carolinas",
	"ERCO": "Electric Reliability Council of Texas, Inc.", "FPL": "Florida Power & Light Company", "HECO": "Hawaiian Electric Co Inc",
	"IPCO": "Idaho Power Company", "ISNE": "ISO New England Inc.", "LDWP": "Los Angeles Department of Water and Power",
	"LGEE": "LG&E and KU Services Company as agent for Louisville Gas and Electric Company and Kentucky Utilities",
	"MISO": "Midcontinent Independent Transmission System Operator, Inc..", "NA": "No balancing authority",
	"NA - AK": "No balancing authority - AK", "NA - HI": "No balancing authority - HI", "NA - PR": "No balancing authority - PR",
	"NEVP": "Nevada Power Company", "NWMT": "NorthWestern Energy (NWMT)", "NYIS": "New York Independent System Operator",
	"PACE": "PacifiCorp - East", "PJM": "PJM Interconnection, LLC", "PNM": "Public Service Company of New Mexico",
	"PSCO": "Public Service Company of Colorado", "SC": "South Carolina Public Service Authority",
	"SOCO": "Southern Company Services, Inc. - Trans", "SRP": "Salt River Project", "SWPP": "Southwest Power Pool",
	"TEC": "Tampa Electric Company", "TVA": "Tennessee Valley Authority",
	"WACM": "Western Area Power Administration - Rocky Mountain Region",
}

var subregionNames = map[string]string{
	"AKGD": "ASCC Alaska Grid", "AKMS": "ASCC Miscellaneous", "AZNM": "WECC Southwest", "CAMX": "WECC California", "ERCT": "ERCOT All",
	"FRCC": "FRCC All", "HIMS": "HICC Miscellaneous", "HIOA": "HICC Oahu", "MROE": "MRO East", "MROW": "MRO West",
	"NEWE": "NPCC New England", "NWPP": "WECC Northwest", "NYCW": "NPCC NYC/Westchester", "NYLI": "NPCC Long Island",
	"NYUP": "NPCC Upstate NY", "PRMS": "Puerto Rico Miscellaneous", "RFCE": "RFC East", "RFCM": "RFC Michigan", "RFCW": "RFC West",
	"RMPA": "WECC Rockies", "SPNO": "SPP North", "SPSO": "SPP South", "SRMV": "SERC Mississippi Valley", "SRMW": "SERC Midwest",
	"SRSO": "SERC South", "SRTV": "SERC Tennessee Valley", "SRVC": "SERC Virginia/Carolina",
}

var nercNames = map[string]string{
	"AK": "Alaska", "HI": "Hawaii", "MRO": "Midwest Reliability Organization", "NA": "No NERC region",
	"NPCC": "Northeast Power Coordinating Council", "PR": "Puerto Rico", "RFC": "Reliability First Corporation",
	"SERC": "SERC Reliability Corporation", "TRE": "Texas Regional Entity", "WECC": "Western Electricity Coordinating Council",
}

// technology is a kind of plant.
type technology struct {
	name       string // in the plant's name
	fuel       string // EIA energy source code
	category   string // EPA's fuel category
	mover      string // EIA prime mover code
	generators string // what their identifiers begin with
	weight     int    // plants of it in a thousand
	capacity   [2]int64
	factor     [2]int64 // capacity factor, per mille
	heatRate   int64    // Btu/kWh
	burns      bool     // its heat counts as combustion
	// Emission factors, lb/MMBtu.
	co2, nox, so2, ch4, n2o float64
}

// Positions in technologies.
const (
	oilEngine  = 3
	gasTurbine = 6
)

// Capacities are those of one generator, tenths of a MW. The weights add up to
// 1000.
var technologies = []technology{
	{"Coal", "BIT", "COAL", "ST", "", 22, [2]int64{500, 7000}, [2]int64{250, 750}, 10200, true, 205.6, 0.16, 0.22, 0.0243, 0.00353},
	{"Coal", "SUB", "COAL", "ST", "", 22, [2]int64{800, 8000}, [2]int64{250, 750}, 10500, true, 214.2, 0.12, 0.18, 0.0243, 0.00353},
	{"Coal", "LIG", "COAL", "ST", "", 6, [2]int64{1000, 6500}, [2]int64{300, 750}, 11000, true, 215.4, 0.17, 0.31, 0.0243, 0.00353},
	{"Oil", "DFO", "OIL", "IC", "IC", 90, [2]int64{5, 200}, [2]int64{2, 80}, 11000, true, 163.1, 1.35, 0.06, 0.0066, 0.00132},
	{"Oil", "RFO", "OIL", "ST", "", 14, [2]int64{200, 2500}, [2]int64{10, 300}, 10800, true, 165.6, 0.31, 0.42, 0.0066, 0.00132},
	{"Gas", "NG", "GAS", "CT", "CT", 90, [2]int64{600, 4000}, [2]int64{250, 700}, 7400, true, 116.9, 0.03, 0.0006, 0.0022, 0.00022},
	{"Gas", "NG", "GAS", "GT", "GT", 110, [2]int64{50, 2000}, [2]int64{10, 200}, 11300, true, 116.9, 0.09, 0.0006, 0.0022, 0.00022},
	{"Gas", "NG", "GAS", "ST", "ST", 24, [2]int64{100, 3500}, [2]int64{50, 400}, 10400, true, 116.9, 0.11, 0.0006, 0.0022, 0.00022},
	{"Other Fossil", "BFG", "OFSL", "ST", "TG", 5, [2]int64{50, 800}, [2]int64{200, 600}, 11500, true, 604.8, 0.05, 0.03, 0.00005, 0.00022},
	{"Other Fossil", "OG", "OFSL", "ST", "TG", 6, [2]int64{50, 1200}, [2]int64{200, 600}, 10500, true, 130.1, 0.08, 0.01, 0.0066, 0.00132},
	{"Nuclear", "NUC", "NUCLEAR", "ST", "", 8, [2]int64{6000, 13000}, [2]int64{870, 960}, 10450, false, 0, 0, 0, 0, 0},
	{"Hydro", "WAT", "HYDRO", "HY", "H", 120, [2]int64{3, 1500}, [2]int64{150, 600}, 3412, false, 0, 0, 0, 0, 0},
	{"Pumped Storage", "WAT", "HYDRO", "PS", "PS", 8, [2]int64{200, 2500}, [2]int64{-45, -5}, 0, false, 0, 0, 0, 0, 0},
	{"Biomass", "LFG", "BIOMASS", "IC", "LFG", 50, [2]int64{5, 60}, [2]int64{400, 850}, 11500, true, 114.8, 0.2, 0.03, 0.0071, 0.00139},
	{"Biomass", "WDS", "BIOMASS", "ST", "", 25, [2]int64{50, 700}, [2]int64{350, 800}, 13500, true, 206.8, 0.2, 0.05, 0.0159, 0.00794},
	{"Biomass", "BLQ", "BIOMASS", "ST", "TG", 14, [2]int64{100, 800}, [2]int64{450, 850}, 12500, true, 208.1, 0.15, 0.07, 0.0042, 0.00093},
	{"Wind", "WND", "WIND", "WT", "WT", 110, [2]int64{15, 2500}, [2]int64{220, 460}, 3412, false, 0, 0, 0, 0, 0},
	{"Solar", "SUN", "SOLAR", "PV", "PV", 230, [2]int64{10, 1500}, [2]int64{150, 310}, 3412, false, 0, 0, 0, 0, 0},
	{"Geothermal", "GEO", "GEOTHERMAL", "ST", "", 6, [2]int64{50, 500}, [2]int64{500, 900}, 20500, false, 0.6, 0, 0.001, 0, 0},
	{"Battery", "MWH", "OTHF", "BA", "BA", 32, [2]int64{10, 1500}, [2]int64{-15, -1}, 0, false, 0, 0, 0, 0, 0},
	{"Waste Heat", "WH", "OTHF", "ST", "WH", 8, [2]int64{20, 400}, [2]int64{200, 650}, 3412, false, 0, 0, 0, 0, 0},
}
