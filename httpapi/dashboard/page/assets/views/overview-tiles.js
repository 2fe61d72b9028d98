// Totals of what is chosen, each with the sheet that it is from.

import { get } from '../core/api.js';
import { differenceTexts, sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { amount, brief, dash, full, missing } from '../core/format.js';
import { fuelName, levelName, releaseName, stateName } from '../core/names.js';
import { partOf } from '../core/part.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */

/**
 * @param {App} app
 * @param {Choices} choices
 */
export function tilesPart(app, choices) {
  const line = el('p', { id: 'loaded' });
  const part = partOf({ id: 'summary', class: 'tiles-part', ghost: [el('div', { class: 'tiles' }, ...Array.from({ length: 5 }, () => el('div', { class: 'tile ghost' })))] }, {
    load: (signal) => load(choices.chosen, signal),
    show: ({ data, meta }, body) => {
      line.replaceChildren(...(data.nothing ? [] : chips(meta)));
      body.replaceChildren(el('dl', { class: 'tiles' }, plants(data), generation(data), capacity(data), ...emissions(data)));
    },
    fail: () => line.replaceChildren(),
    clear: () => choices.clear(),
  });
  part.body.before(line);
  return part;
}

/**
 * load asks for the totals of a place, a fuel or all of them.
 * @param {Record<string, string>} chosen
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function load({ year, release, state, fuel_category: fuel }, signal) {
  const [statistics, snapshots, years] = await Promise.all([
    get('plants/statistics', { year }, signal), get('snapshots', {}, signal), get('plants/years', { state, fuel_category: fuel }, signal)]);
  const { meta } = statistics;
  const at = meta.year ?? null;
  const row = years.data.find((/** @type {any} */ one) => one.year === at) ?? {};
  const whole = !state && !fuel;
  // The edition that is asked for has to be there before its emissions are.
  const edition = release ? (release === 'none' ? '' : release) : null;
  const has = (/** @type {string} */ level) => snapshots.data.some((/** @type {any} */ one) => one.level === level && one.year === at && one.status === 'published' && (edition === null || one.release === edition));
  const place = state ? { state } : { us: true };
  const level = state ? 'ST' : 'US';
  const sums = 'sum(co2_short_tons) as co2';
  /** @type {Answer | null} */
  let factor = null;
  /** @type {Answer | null} */
  let mass = null;
  const sheet = !fuel && has(level) ? level : has('PLNT') ? 'PLNT' : null;
  if (sheet) {
    mass = await get(`levels/${sheet}/groups`, { year: at, release, measures: sums, state, ...(sheet === 'PLNT' ? { fuel_category: fuel } : {}) }, signal);
    // Without any CO2 there is no factor to ask for.
    if (!fuel && !missing(mass.data[0]?.co2)) factor = await get('factors', { ...place, year: at, release, gas: 'co2' }, signal);
  }
  const differences = { ...meta, year: null, differences: (whole ? meta.differences : years.meta.differences?.filter((d) => d.year === at)) ?? [] };
  const figures = whole ? { ...row, plants: statistics.data.plants, plants_basis: statistics.data.plants_basis, plants_release: statistics.data.plants_release,
    net_generation_mwh: statistics.data.net_generation_mwh, basis: meta.basis, release: meta.release } : row;
  return {
    data: { nothing: statistics.data.levels.length === 0, year: at, figures, differences, factor, mass, fuel, state, has }, links: {},
    meta: { ...meta, ...(whole ? {} : { basis: row.basis, release: row.release }) },
  };
}

/** @param {Answer['meta']} meta */
function chips({ year, release, basis, revision }) {
  /** @type {[string, unknown][]} */
  const list = [];
  if (year) list.push(['Data year', year]);
  if (year && !missing(basis)) list.push(['Release', releaseName(release)], ['From', `${levelName(basis)} (${basis})`]);
  list.push(['Revision', revision]);
  return list.map(([name, value]) => el('span', { class: 'chip' }, `${name} `, el('b', {}, String(value))));
}

/** @param {any} data */
function plants({ figures: f, year, fuel }) {
  const when = year ? `in ${year}` : '';
  if (missing(f.plants)) return tile('Plants', null, 'no plant or generator sheet loaded');
  const sheet = sheetName(f.plants_basis, f.plants_release);
  const elsewhere = f.plants_basis !== f.basis || f.plants_release !== f.release;
  return tile('Plants', brief(f.plants), [when, elsewhere ? sheet : ''].filter(Boolean).join(', '), `${full(f.plants)} counted in the ${sheet}${fuel ? `, those whose primary fuel is ${fuelName(fuel).toLowerCase()}` : ''}`);
}

/** @param {any} data */
function generation({ figures: f, differences, year, fuel, state }) {
  if (missing(f.net_generation_mwh)) return tile('Net generation', null, reason(f, { year, fuel, state }));
  const [number, unit] = amount(f.net_generation_mwh);
  return tile('Net generation', el('span', {}, number, el('small', {}, ` ${unit}`)), `${brief(f.net_generation_mwh)} MWh`,
    [`${full(f.net_generation_mwh)} MWh, ${sheetName(f.basis, f.release)}`, ...differenceTexts(differences)].join('\n'), sheetName(f.basis, f.release));
}

/** @param {any} data */
function capacity({ figures: f, year, fuel, state }) {
  if (missing(f.nameplate_capacity_mw)) return tile('Nameplate capacity', null, reason(f, { year, fuel, state }));
  const large = f.nameplate_capacity_mw >= 10_000;
  return tile('Nameplate capacity', el('span', {}, brief(large ? f.nameplate_capacity_mw / 1000 : f.nameplate_capacity_mw), el('small', {}, large ? ' GW' : ' MW')),
    large ? `${brief(f.nameplate_capacity_mw)} MW` : '', `${full(f.nameplate_capacity_mw)} MW, ${sheetName(f.basis, f.release)}`, sheetName(f.basis, f.release));
}

/** @param {any} data */
function emissions({ factor, mass, fuel, state, year, has }) {
  if (factor) {
    const { value, published, unit, inputs, basis, release, rounded, notes } = factor.data;
    const from = sheetName(basis, release);
    const shown = published ?? value;
    const tons = inputs.co2_short_tons;
    const said = [from, tons?.of, ...notes].filter(Boolean).join('\n');
    return [
      tons && !missing(tons.value) ? tonsTile(tons.value, said, from) : tile('CO2', null, `the ${from} has no CO2 mass`),
      missing(shown) ? tile('CO2 output rate', null, 'it cannot be computed: CO2 or generation is missing')
        : tile('CO2 output rate', el('span', {}, brief(shown), el('small', {}, ` ${unit}`)), published === null ? 'computed from its plants' : rounded ? 'as published, rounded' : 'as published',
          [`${full(value)} ${unit} = ${factor.data.formula.replaceAll('*', '×')}`, published === null ? '' : `published as ${full(published)} ${unit}`, said].filter(Boolean).join('\n'), from),
    ];
  }
  const where = state ? ` of ${stateName(state)}` : '';
  const lacking = has(state ? 'ST' : 'US') || has('PLNT') ? 'the sheet has no CO2' : `no ${state ? 'state' : 'US'} or plant sheet of ${year ?? 'this year'} loaded`;
  if (!fuel) return [tile('CO2', null, lacking), tile('CO2 output rate', null, lacking)];
  const rate = tile('CO2 output rate', null, 'known of all fuels together: choose all fuels');
  if (!mass || missing(mass.data[0]?.co2)) return [tile('CO2', null, has('PLNT') ? `the plant sheet has no CO2 of ${fuelName(fuel).toLowerCase()} plants${where}` : `by fuel, only a plant sheet knows it, and none of ${year} is loaded`), rate];
  return [tonsTile(mass.data[0].co2, `Sum over the plants whose primary fuel is ${fuelName(fuel).toLowerCase()}`, sheetName('PLNT', mass.meta.release)), rate];
}

/**
 * @param {number} tons
 * @param {string} title
 * @param {string} from
 */
function tonsTile(tons, title, from) {
  const large = Math.abs(tons) >= 1e6;
  return tile('CO2', el('span', {}, brief(large ? tons / 1e6 : tons), el('small', {}, large ? ' million short tons' : ' short tons')), large ? `${brief(tons)} short tons` : '',
    `${full(tons)} short tons\n${title}`, from);
}

/**
 * reason says why there is no figure.
 * @param {any} row
 * @param {{year: number | null, fuel: string, state: string}} chosen
 */
function reason(row, { year, fuel, state }) {
  const what = [state ? stateName(state) : '', fuel ? fuelName(fuel).toLowerCase() : ''].filter(Boolean).join(', ');
  if (!row.basis) return what ? `nothing of ${year} is loaded for ${what}` : '';
  return `the ${sheetName(row.basis, row.release)} has none`;
}

/**
 * tile shows one figure. Its note tells the rest, its title all of it; from is
 * the sheet.
 * @param {string} name
 * @param {Node | string | null} value
 * @param {string} note
 * @param {string | null} [title]
 * @param {string} [from]
 */
function tile(name, value, note, title = null, from = '') {
  return el('div', { class: 'tile' }, el('dt', {}, name),
    el('dd', { title: value === null ? `missing: ${note}` : title }, value ?? dash, note ? el('span', { class: 'quiet' }, note) : null, from ? el('span', { class: 'quiet from' }, from) : null));
}
