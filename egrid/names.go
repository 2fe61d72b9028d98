package egrid

// Columns that programs ask for by name. The dictionary has them all, with
// code, unit and description per level: see [Lookup] and docs/data.md.
const (
	Sequence           Column = "sequence"        // position in EPA's sheet
	State              Column = "state"           // postal abbreviation
	PlantName          Column = "plant_name"      //
	PlantCode          Column = "oris_plant_code" // ORIS code, text
	GeneratorID        Column = "generator_id"    // text, not unique
	UnitID             Column = "unit_id"         // text
	Fuel               Column = "fuel"            // EIA energy source code
	FuelCategoryColumn Column = "fuel_category"   // COAL, OIL, GAS, ...; of a code: [FuelCategory]
	PrimeMover         Column = "prime_mover"     // EIA code
	OperatingStatus    Column = "status"          // EIA code, e.g. OP
	OperatorName       Column = "operator_name"   //
	County             Column = "county"          //
	Latitude           Column = "latitude"        // degrees, north positive
	Longitude          Column = "longitude"       // degrees, west negative

	Subregion              Column = "subregion"                // eGRID subregion, e.g. CAMX
	BalancingAuthority     Column = "balancing_authority"      // code, e.g. CISO
	BalancingAuthorityName Column = "balancing_authority_name" //
	NERCRegion             Column = "nerc_region"              // e.g. WECC
	Region                 Column = "region"                   // interconnect, of grid gross loss
	ZIPCode                Column = "zip"                      // five digits, text

	NameplateCapacity     Column = "nameplate_capacity_mw"           // MW
	CapacityFactor        Column = "capacity_factor"                 // ratio
	NonbaseloadFactor     Column = "nonbaseload_factor"              // ratio
	NetGeneration         Column = "net_generation_mwh"              // MWh in a year, may be negative
	OzoneSeasonGeneration Column = "net_generation_ozone_season_mwh" // MWh, May to September
	HeatInput             Column = "heat_input_mmbtu"                // MMBtu, from combustion
	TotalHeatInput        Column = "total_heat_input_mmbtu"          // MMBtu, of all units

	CO2  Column = "co2_short_tons"  // short tons
	CH4  Column = "ch4_lb"          // lb
	N2O  Column = "n2o_lb"          // lb
	CO2e Column = "co2e_short_tons" // short tons
	NOx  Column = "nox_short_tons"  // short tons
	SO2  Column = "so2_short_tons"  // short tons

	CO2Rate  Column = "co2_output_rate_lb_per_mwh"  // lb/MWh
	CH4Rate  Column = "ch4_output_rate_lb_per_mwh"  // lb/MWh
	N2ORate  Column = "n2o_output_rate_lb_per_mwh"  // lb/MWh
	CO2eRate Column = "co2e_output_rate_lb_per_mwh" // lb/MWh
	NOxRate  Column = "nox_output_rate_lb_per_mwh"  // lb/MWh
	SO2Rate  Column = "so2_output_rate_lb_per_mwh"  // lb/MWh

	NonbaseloadCO2Rate  Column = "nonbaseload_co2_output_rate_lb_per_mwh"  // lb/MWh
	NonbaseloadCO2eRate Column = "nonbaseload_co2e_output_rate_lb_per_mwh" // lb/MWh

	CoalShare         Column = "coal_generation_share"          // 0-1
	OilShare          Column = "oil_generation_share"           // 0-1
	GasShare          Column = "gas_generation_share"           // 0-1
	NuclearShare      Column = "nuclear_generation_share"       // 0-1
	HydroShare        Column = "hydro_generation_share"         // 0-1
	BiomassShare      Column = "biomass_generation_share"       // 0-1
	WindShare         Column = "wind_generation_share"          // 0-1
	SolarShare        Column = "solar_generation_share"         // 0-1
	GeothermalShare   Column = "geothermal_generation_share"    // 0-1
	OtherFossilShare  Column = "other_fossil_generation_share"  // 0-1
	OtherUnknownShare Column = "other_unknown_generation_share" // 0-1

	GridGrossLoss Column = "grid_gross_loss" // 0-1
)
