// What codes and column names mean, in words.

/** @type {Record<string, string>} */
const states = {
  AL: 'Alabama', AK: 'Alaska', AZ: 'Arizona', AR: 'Arkansas', CA: 'California', CO: 'Colorado', CT: 'Connecticut',
  DE: 'Delaware', DC: 'District of Columbia', FL: 'Florida', GA: 'Georgia', HI: 'Hawaii', ID: 'Idaho', IL: 'Illinois',
  IN: 'Indiana', IA: 'Iowa', KS: 'Kansas', KY: 'Kentucky', LA: 'Louisiana', ME: 'Maine', MD: 'Maryland',
  MA: 'Massachusetts', MI: 'Michigan', MN: 'Minnesota', MS: 'Mississippi', MO: 'Missouri', MT: 'Montana',
  NE: 'Nebraska', NV: 'Nevada', NH: 'New Hampshire', NJ: 'New Jersey', NM: 'New Mexico', NY: 'New York',
  NC: 'North Carolina', ND: 'North Dakota', OH: 'Ohio', OK: 'Oklahoma', OR: 'Oregon', PA: 'Pennsylvania',
  PR: 'Puerto Rico', RI: 'Rhode Island', SC: 'South Carolina', SD: 'South Dakota', TN: 'Tennessee', TX: 'Texas',
  UT: 'Utah', VT: 'Vermont', VA: 'Virginia', WA: 'Washington', WV: 'West Virginia', WI: 'Wisconsin', WY: 'Wyoming',
};

// EPA's fuel categories, in EPA's order.
/** @type {Record<string, string>} */
const fuels = {
  COAL: 'Coal', OIL: 'Oil', GAS: 'Gas', OFSL: 'Other fossil', NUCLEAR: 'Nuclear', HYDRO: 'Hydro', BIOMASS: 'Biomass',
  WIND: 'Wind', SOLAR: 'Solar', GEOTHERMAL: 'Geothermal', OTHF: 'Other or unknown',
};

/** @type {Record<string, string>} */
const levels = {
  PLNT: 'plant sheet', GEN: 'generator sheet', US: 'US sheet', ST: 'state sheet', SRL: 'subregion sheet', NRL: 'NERC region sheet',
  BA: 'balancing authority sheet', UNT: 'unit sheet', GGL: 'grid gross loss sheet', DEMO: 'demographics sheet', ZIP: 'ZIP code crosswalk',
};

export const fuelCategories = () => Object.keys(fuels);
/** @param {string} code */
export const fuelName = (code) => fuels[code] ?? code;
/** @param {string} code */
export const stateName = (code) => states[code] ?? code;
/** @param {string} level */
export const levelName = (level) => levels[level] ?? level;
/** @param {string | null | undefined} release */
export const releaseName = (release) => release || 'unmarked';

/** @type {Record<string, string>} */
const words = {
  oris: 'ORIS', nerc: 'NERC', mwh: 'MWh', mw: 'MW', co2: 'CO2', co2e: 'CO2e', ch4: 'CH4', n2o: 'N2O', nox: 'NOx',
  so2: 'SO2', hg: 'Hg', egrid: 'eGRID', chp: 'CHP', fips: 'FIPS', mmbtu: 'MMBtu', lb: 'lb', epa: 'EPA', eia: 'EIA', us: 'US',
};

/** @type {Record<string, string>} */
const whole = { share: 'Share of state', fuel: 'Primary fuel', generator_count: 'Generators' };

/**
 * columnLabel writes a column's name in words. The unit behind it goes, since it
 * is shown with the value.
 * @param {string} column
 * @param {string | null} [unit]
 */
export function columnLabel(column, unit) {
  if (column !== column.toLowerCase()) return column; // a code that the dictionary does not know
  if (whole[column]) return whole[column];
  let name = column;
  if (unit) {
    const tail = `_${unit.toLowerCase().replaceAll('/', '_per_').replaceAll(/[^a-z0-9]+/g, '_')}`;
    if (name.endsWith(tail)) name = name.slice(0, -tail.length);
  }
  const text = name.split('_').map((word) => words[word] ?? word).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @type {[string, string][]} */
const tails = [['_lb_per_mwh', 'lb/MWh'], ['_lb_per_mmbtu', 'lb/MMBtu'], ['_short_tons', 'short tons'], ['_mmbtu', 'MMBtu'], ['_mwh', 'MWh'], ['_mw', 'MW'], ['_lb', 'lb']];

/**
 * unitOf is the unit that the name of a column ends in, where no answer tells it.
 * @param {string} column
 */
export const unitOf = (column) => tails.find(([tail]) => column.endsWith(tail))?.[1] ?? '';
