// The levels of regions: their names, the parameters and columns that they go by,
// and what the regions of the loaded sheets are called.

import { get } from '../core/api.js';
import { stateName } from '../core/names.js';

/**
 * @typedef {object} Level
 * @property {string} one
 * @property {string} many
 * @property {string} parameter   of the API's factors
 * @property {string} [code]      column of the codes; none for the US
 * @property {string} [name]      column of the names
 */

/** @type {Record<string, Level>} */
export const levels = {
  ST: { one: 'State', many: 'States', parameter: 'state', code: 'state' },
  SRL: { one: 'eGRID subregion', many: 'Subregions', parameter: 'subregion', code: 'subregion', name: 'subregion_name' },
  BA: { one: 'Balancing authority', many: 'Balancing authorities', parameter: 'ba', code: 'balancing_authority', name: 'balancing_authority_name' },
  NRL: { one: 'NERC region', many: 'NERC regions', parameter: 'nerc', code: 'nerc_region', name: 'nerc_region_name' },
  US: { one: 'United States', many: 'United States', parameter: 'us' },
};

/**
 * @typedef {object} Edition
 * @property {number} year
 * @property {string} release   empty for the unmarked one
 * @property {string} authority
 * @property {string} level
 */

/**
 * editionsOf lists the published editions of levels, the newest first, each once.
 * @param {any[]} snapshots   data of /snapshots
 * @param {string[]} of       levels
 * @returns {Edition[]}
 */
export function editionsOf(snapshots, of) {
  /** @type {Map<string, Edition>} */
  const found = new Map();
  for (const { level, year, release, authority, status } of snapshots) {
    const key = `${year} ${release}`;
    if (status === 'published' && of.includes(level) && !found.has(key)) found.set(key, { year, release, authority, level });
  }
  return [...found.values()].sort((a, b) => b.year - a.year || newer(a.release, b.release));
}

/**
 * newer orders releases, the newest first: none < v1 < v2, none < rev0 < rev1.
 * @param {string} a
 * @param {string} b
 */
export function newer(a, b) {
  const number = (/** @type {string} */ r) => (r ? Number(r.replace(/\D/g, '')) : -1);
  return number(b) - number(a) || b.localeCompare(a);
}

/** @typedef {Map<string, string>} Names   by code */

/**
 * namesOf asks what the regions of a level are called, by the newest sheet that
 * names them, and leaves the codes of this year's sheet.
 * @param {string} level
 * @param {AbortSignal} [signal]
 * @returns {Promise<{names: Names, revision: number}>}
 */
export async function namesOf(level, signal) {
  const { code, name } = levels[level];
  if (!code) return { names: new Map(), revision: 0 };
  const { data, meta } = await get(`levels/${level}/groups`, {
    by: [code, name].filter(Boolean).join(','), measures: 'max(data_year) as newest', year: 'all', limit: 1000,
  }, signal);
  return { names: newestNames(data, code, name), revision: meta.revision };
}

/**
 * newestNames takes of each code the name of the newest year that has one.
 * @param {any[]} rows
 * @param {string} code
 * @param {string} [name]
 * @returns {Names}
 */
export function newestNames(rows, code, name) {
  const names = new Map();
  for (const row of rows.toSorted((a, b) => a.newest - b.newest)) {
    const text = name ? row[name] : stateName(row[code]);
    if (row[code] && (text || !names.has(row[code]))) names.set(row[code], text || row[code]);
  }
  return new Map([...names].sort(([, a], [, b]) => a.localeCompare(b)));
}

/**
 * placeName is a region in words: "Texas (TX)".
 * @param {string} level
 * @param {string} code
 * @param {Names} [names]
 */
export function placeName(level, code, names) {
  if (level === 'US') return 'United States';
  const name = names?.get(code) ?? (level === 'ST' ? stateName(code) : code);
  return name === code ? code : `${name} (${code})`;
}
