// What the view of regions asks and how it sorts the answers: nothing of the page.

import { fuelCategories, fuelName } from '../core/names.js';
import { levels } from './places.js';

export const most = 4; // regions side by side

/**
 * @typedef {object} Chosen
 * @property {string} level
 * @property {string[]} codes
 * @property {string} year
 * @property {string} release
 * @property {string} measure
 */

/**
 * chosenOf reads the address.
 * @param {URLSearchParams} address
 * @param {string} fallback   level where the address names none
 * @returns {Chosen}
 */
export function chosenOf(address, fallback = 'ST') {
  const text = (/** @type {string} */ name) => (address.get(name) ?? '').trim();
  const level = text('level').toUpperCase() in levels ? text('level').toUpperCase() : text('state') ? 'ST' : fallback;
  const codes = (text('code') || (level === 'ST' ? text('state') : '')).toUpperCase().split(',').map((code) => code.trim()).filter(Boolean);
  return {
    level, codes: level === 'US' ? [] : [...new Set(codes)].slice(0, most),
    year: text('year'), release: text('release'), measure: text('measure') || 'co2_output_rate_lb_per_mwh',
  };
}

/**
 * codesWith is the list of regions as the address has it, with one more or one less.
 * @param {string[]} codes
 * @param {string} code
 */
export function codesWith(codes, code) {
  const next = codes.includes(code) ? codes.filter((c) => c !== code) : [...codes.slice(0, most - 1), code];
  return next.join(',');
}

// Groups of figures, in the order in which they are tried; those with a mark are
// shown when all figures are asked for.
/** @type {[string, RegExp, boolean][]} */
const groups = [
  ['Emission rates of all generation', /^(co2e?|ch4|n2o|nox(_ozone_season)?|so2|hg)_output_rate_/, false],
  ['Emission rates of non-baseload generation', /^nonbaseload_.*_rate_/, false],
  ['Emission rates of generation by burning fuel', /_combustion_output_rate_/, true],
  ['Emission rates of fuel burned', /^(co2e?|ch4|n2o|nox(_ozone_season)?|so2|hg)_input_rate_/, true],
  ['Emission rates by fuel', /_rate_/, true],
  ['Emissions', /^(co2e?|ch4|n2o|nox(_ozone_season)?|so2|hg)_(short_tons|lb)$/, false],
  ['Generation and capacity', /^(nameplate_capacity_mw|net_generation_mwh|net_generation_ozone_season_mwh|nonbaseload_generation_mwh|heat_input_mmbtu|total_heat_input_mmbtu)$/, false],
  ['Generation by fuel', /^(?!nonbaseload_).*_net_generation_mwh$/, true],
  ['Non-baseload generation by fuel', /^nonbaseload_.*_generation_mwh$/, true],
  ['Resource mix by group', /^(?!nonbaseload_).*_generation_share$/, true],
  ['Non-baseload resource mix', /^nonbaseload_.*_generation_share$/, true],
  ['Other', /./, true],
];
const order = ['Generation and capacity', 'Emissions', 'Emission rates of all generation', 'Emission rates of non-baseload generation', 'Resource mix'];

/**
 * mix lists the fuels of the resource mix: column, name, colour.
 * @returns {{column: string, fuel: string, name: string, kind: string}[]}
 */
export const mix = () => fuelCategories().map((code) => {
  const fuel = { OFSL: 'other_fossil', OTHF: 'other_unknown' }[code] ?? code.toLowerCase();
  return { column: `${fuel}_generation_share`, fuel, name: fuelName(code), kind: `fuel-${code.toLowerCase()}` };
});

/**
 * flat is a region of the API with all its figures by column.
 * @param {any} region
 * @returns {Record<string, number | null>}
 */
export const flat = (region) => ({
  ...region.totals, ...region.rates, ...region.other,
  ...Object.fromEntries(Object.entries(region.resource_mix).map(([fuel, share]) => [`${fuel}_generation_share`, share])),
});

/**
 * grouped sorts columns into groups. The fuels of the mix are a group of their own.
 * @param {string[]} columns
 * @returns {{name: string, more: boolean, columns: string[]}[]}
 */
export function grouped(columns) {
  const fuels = mix().map(({ column }) => column);
  /** @type {Map<string, {name: string, more: boolean, columns: string[]}>} */
  const found = new Map();
  for (const column of columns) {
    if (fuels.includes(column)) continue;
    const [name, , more] = groups.find(([, pattern]) => pattern.test(column)) ?? groups[groups.length - 1];
    if (!found.has(name)) found.set(name, { name, more, columns: [] });
    found.get(name)?.columns.push(column);
  }
  const shares = fuels.filter((column) => columns.includes(column));
  if (shares.length) found.set('Resource mix', { name: 'Resource mix', more: false, columns: shares });
  const place = (/** @type {string} */ name) => {
    const at = order.indexOf(name);
    return at < 0 ? 99 : at;
  };
  for (const { name, columns: of } of found.values()) {
    if (/rate|^Emissions/.test(name)) of.sort((a, b) => gas(a) - gas(b) || a.localeCompare(b));
    if (name === order[0]) of.sort((a, b) => first.indexOf(a) - first.indexOf(b));
  }
  return [...found.values()].sort((a, b) => place(a.name) - place(b.name));
}

const first = ['nameplate_capacity_mw', 'net_generation_mwh', 'net_generation_ozone_season_mwh', 'nonbaseload_generation_mwh', 'heat_input_mmbtu', 'total_heat_input_mmbtu'];
const gases = ['co2e', 'co2', 'ch4', 'n2o', 'nox', 'so2', 'hg'];

/** @param {string} column */
const gas = (column) => gases.findIndex((name) => column.split('_').includes(name));

/**
 * measuresOf lists what regions can be ranked by: numbers that have a unit.
 * @param {any[]} dictionary   data of /columns
 */
export const measuresOf = (dictionary) => dictionary.filter(({ type, unit }) => type === 'number' && unit);
