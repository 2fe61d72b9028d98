// What the view of factors asks: the address as a question to the API, and what is
// made of the answer. Nothing of the page.

/** @typedef {{kind: string, code: string}} Place   kind is a parameter of the API: subregion, state, ba, nerc, us, plants, or zip */

/**
 * @typedef {object} Question
 * @property {Place | null} place
 * @property {string} gas
 * @property {string} kind
 * @property {string} gwp
 * @property {string} unit
 * @property {boolean} delivered
 * @property {string} year
 * @property {string} release
 * @property {string} kwh
 */

/** @type {Record<string, string>} */
export const places = { zip: 'ZIP code', subregion: 'eGRID subregion', state: 'State', ba: 'Balancing authority', nerc: 'NERC region', us: 'United States', plants: 'Plants' };

/** @type {Record<string, string>} */
export const levelOf = { subregion: 'SRL', state: 'ST', ba: 'BA', nerc: 'NRL', us: 'US' };

/** @type {Record<string, string>} */
export const gases = { co2e: 'CO2e', co2: 'CO2', ch4: 'CH4', n2o: 'N2O', nox: 'NOx', so2: 'SO2' };

/** @type {Record<string, string>} */
export const kinds = {
  output: 'All generation (for an inventory)', nonbaseload: 'Non-baseload (for what is saved or added)',
  combustion: 'Generation by burning fuel', input: 'Fuel burned',
};

/** @type {Record<string, string>} */
export const gwps = { published: 'As published', sar: 'SAR: CH4 21, N2O 310', ar4: 'AR4: CH4 25, N2O 298', ar5: 'AR5: CH4 28, N2O 265', ar6: 'AR6: CH4 29.8, N2O 273' };

const perEnergy = ['lb/MWh', 'kg/MWh', 'kg/kWh', 'g/kWh', 't/MWh', 'lb/kWh'];
const perHeat = ['lb/MMBtu', 'kg/MMBtu', 'kg/GJ'];

/**
 * unitsOf lists the units of a kind of factor, the API's own first.
 * @param {string} kind
 */
export const unitsOf = (kind) => (kind === 'input' ? perHeat : perEnergy);

/**
 * questionOf reads the address. What it says is passed on as it is, so that the API
 * tells what is wrong with it.
 * @param {URLSearchParams} address
 * @returns {Question}
 */
export function questionOf(address) {
  const text = (/** @type {string} */ name) => (address.get(name) ?? '').trim();
  const named = Object.keys(places).find((name) => text(name));
  const code = named ? text(named) : '';
  return {
    place: named ? { kind: named, code: ['zip', 'plants', 'us'].includes(named) ? code : code.toUpperCase() } : null,
    gas: text('gas') || 'co2e', kind: text('kind') || 'output', gwp: text('gwp') || 'published', unit: text('unit'),
    delivered: text('delivered') === 'true', year: text('year'), release: text('release'), kwh: text('kwh'),
  };
}

/**
 * placeChanges are the changes of the address that choose a place and no other.
 * @param {string} kind
 * @param {string} code
 * @returns {Record<string, string | null>}
 */
export const placeChanges = (kind, code) => ({ ...Object.fromEntries(Object.keys(places).map((name) => [name, null])), [kind]: kind === 'us' ? 'true' : code });

/**
 * parametersOf are the parameters of /factors. A ZIP code is none: the crosswalk
 * makes a subregion of it first.
 * @param {Question} q
 * @param {Place} place
 */
export function parametersOf(q, place) {
  const { gas, kind, gwp, unit, delivered, year, release } = q;
  return {
    [place.kind]: place.code, year, release, gas, kind, gwp: gas === 'co2e' ? gwp : '', unit: unitsOf(kind === 'input' ? 'output' : 'input').includes(unit) ? '' : unit,
    delivered: delivered && kind !== 'input' ? 'true' : '',
  };
}

/**
 * bodyOf is the same question as one of a batch.
 * @param {Record<string, string>} parameters
 */
export function bodyOf(parameters) {
  /** @type {Record<string, string | number | boolean | string[]>} */
  const body = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (value === '') continue;
    if (name === 'year') body[name] = Number(value);
    else if (name === 'us' || name === 'delivered') body[name] = value === 'true';
    else body[name] = name === 'plants' ? value.split(',').map((id) => id.trim()) : value;
  }
  return body;
}

// How many kg/kWh one of a unit is. One pound is 0.45359237 kg.
/** @type {Record<string, number>} */
const kilograms = { 'lb/MWh': 0.45359237 / 1000, 'kg/MWh': 1 / 1000, 'kg/kWh': 1, 'g/kWh': 1 / 1000, 't/MWh': 1, 'lb/kWh': 0.45359237 };

/**
 * emissions of an amount of electricity, in kg; null for a factor that is not per
 * energy.
 * @param {number} kwh
 * @param {{value: number, unit: string}} factor
 */
export function emissions(kwh, { value, unit }) {
  const perKWh = kilograms[unit];
  return perKWh === undefined ? null : significant(kwh * value * perKWh);
}

/**
 * significant takes off the digits that arithmetic with 53 bits makes up.
 * @param {number} x
 */
export const significant = (x) => Number(x.toPrecision(13));

/**
 * amountOf reads what a person writes as kWh: 120,000 or 120 000.5. NaN is no
 * amount.
 * @param {string} text
 */
export function amountOf(text) {
  const plain = text.trim().replaceAll(/(?<=\d)[ ,\u00a0\u202f'](?=\d{3}(?!\d))/g, '');
  return /^-?\d+(\.\d+)?$|^-?\.\d+$/.test(plain) ? Number(plain) : NaN;
}

/**
 * citationOf is a text to cite: what the API has, and where the answer stays as it
 * is.
 * @param {string} citation
 * @param {string} permanent
 * @param {Date} now
 */
export const citationOf = (citation, permanent, now) => `${citation} ${permanent ? `Permanent address, accessed ${now.toISOString().slice(0, 10)}: ${permanent}` : `Accessed ${now.toISOString().slice(0, 10)}.`}`;

/**
 * predominant is the subregion that a ZIP code's factor is of: the one that is
 * marked, or the only one; null where the crosswalk does not tell.
 * @param {{subregion: string, predominant: boolean}[]} candidates
 */
export const predominant = (candidates) => (candidates.find((c) => c.predominant) ?? (candidates.length === 1 ? candidates[0] : null))?.subregion ?? null;
