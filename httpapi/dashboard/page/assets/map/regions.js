// States and subregions of the map: their values, and the land that is theirs.

import { get, Problem } from '../core/api.js';
import { brief, full, percent } from '../core/format.js';
import { stateName } from '../core/names.js';
import { breaksOf, classOf, rangesOf, stepsOf } from './colour.js';
import { codes, pathOf, ringsOf } from './outline.js';

/** @import { Meta } from '../core/types.js' */
/** @import { Area } from './types.js' */
/** @import { Place } from './projection.js' */

/**
 * @typedef {{code: string, name: string, value: number | null}} Region
 * @typedef {{regions: Region[], measure: string, unit: string, columns: string[], units: Record<string, string>, rounded: boolean, level: string, meta: Meta}} Regions
 */

const place = { ST: { code: 'state', name: '' }, SRL: { code: 'subregion', name: 'subregion_name' } };
const first = ['co2_output_rate_lb_per_mwh', 'co2e_output_rate_lb_per_mwh', 'net_generation_mwh'];

/**
 * loadRegions asks for one measure of all states or subregions. Without a state
 * sheet, states have what plants add up to: net generation, and their number.
 * @param {'ST' | 'SRL'} level
 * @param {string} measure  '' for the first of those that a map is mostly about
 * @param {Record<string, string>} question
 * @param {AbortSignal} signal
 * @returns {Promise<Regions>}
 */
export async function loadRegions(level, measure, question, signal) {
  let head;
  try {
    head = await get(`levels/${level}/rows`, { ...question, limit: 1 }, signal);
  } catch (error) {
    if (level !== 'ST' || !(error instanceof Problem) || error.status !== 404) throw error;
  }
  if (level === 'ST' && !head?.data.length) return fromPlants(measure, question, signal);
  if (!head) throw new Error('there is neither an answer nor an error');
  const [row = {}] = head.data;
  const units = head.meta.units ?? {};
  const columns = Object.keys(row).filter((column) => units[column] && column !== 'latitude' && column !== 'longitude');
  const column = measure || (first.find((name) => columns.includes(name)) ?? columns[0] ?? '');
  const { code, name } = place[level];
  const { data, meta } = await get(`levels/${level}/rows`, { ...question, limit: 1000, columns: [code, name, column].filter(Boolean).join(',') }, signal);
  const regions = data.filter((/** @type {any} */ one) => one[code]).map((/** @type {any} */ one) => ({
    code: one[code], name: name ? one[name] || one[code] : stateName(one[code]), value: typeof one[column] === 'number' ? one[column] : null }));
  return { regions, measure: column, unit: (meta.units ?? units)[column] ?? '', columns, units, rounded: meta.lossy?.includes(column) ?? false, level, meta };
}

/**
 * @param {string} measure @param {Record<string, string>} question @param {AbortSignal} signal
 * @returns {Promise<Regions>}
 */
async function fromPlants(measure, question, signal) {
  const { data, meta } = await get('plants/states', question, signal);
  const column = measure === 'plants' ? 'plants' : 'net_generation_mwh';
  const regions = data.filter((/** @type {any} */ one) => one.state).map((/** @type {any} */ one) => ({ code: one.state, name: stateName(one.state), value: one[column] }));
  return { regions, measure: column, unit: column === 'plants' ? 'plants' : 'MWh', columns: ['net_generation_mwh', 'plants'], units: { net_generation_mwh: 'MWh', plants: 'plants' }, rounded: false, level: data[0]?.basis ?? meta.basis ?? 'PLNT', meta };
}

/**
 * valueText is a value with its unit.
 * @param {number | null} value @param {string} unit
 */
export const valueText = (value, unit) => (value === null ? 'missing' : unit === 'fraction' ? percent(value) : `${full(value)} ${unit}`);

/**
 * areasOf colours regions by their values; where the land of a region is not
 * known it is not drawn, and is named among the lost ones.
 * @param {Regions} of
 * @param {{land: Map<string, Place[][]>, link: (code: string) => string, values?: boolean}} o values: written on the areas
 * @returns {{areas: Area[], keys: {text: string, colour: string}[], lost: Region[]}}
 */
export function areasOf({ regions, unit }, { land, link, values: written = false }) {
  const values = regions.map(({ value }) => value).filter((value) => value !== null);
  const cuts = breaksOf(values, 6);
  const steps = stepsOf(cuts.length + 1);
  /** @type {Area[]} */
  const areas = [];
  /** @type {Region[]} */
  const lost = [];
  for (const region of regions) {
    const rings = land.get(region.code);
    if (!rings?.length) {
      lost.push(region);
      continue;
    }
    areas.push({
      code: region.code, name: region.name, says: `${region.name === region.code ? region.code : `${region.name} (${region.code})`}: ${valueText(region.value, unit)}`, href: link(region.code), rings,
      colour: region.value === null ? 'missing' : `step-${steps[classOf(region.value, cuts)]}`,
      value: !written ? undefined : region.value === null ? '–' : unit === 'fraction' ? percent(region.value) : brief(region.value),
    });
  }
  const keys = values.length ? rangesOf(cuts, unit).map((text, i) => ({ text, colour: `--ramp-${steps[i]}` })) : [];
  if (areas.some(({ colour }) => colour === 'missing')) keys.push({ text: 'missing', colour: 'missing' });
  return { areas, keys, lost };
}

/** @type {Map<string, Place[][]> | undefined} */
let outlines;

/** stateLand is the land of each state. */
export const stateLand = () => (outlines ??= new Map(codes().map((code) => [code, ringsOf(code)])));

/** @type {{code: string, path: string}[] | undefined} */
let ground;

/** groundOf are the states as a ground for plants. */
export const groundOf = () => (ground ??= codes().map((code) => ({ code, path: pathOf(ringsOf(code)) })));
