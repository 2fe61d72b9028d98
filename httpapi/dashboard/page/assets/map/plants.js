// The plants of the map: where each lies, how large and in which colour it is
// drawn, and what cannot be drawn.

import { full } from '../core/format.js';
import { fuelCategories, fuelName } from '../core/names.js';
import { breaksOf, classOf, rangesOf, stepsOf } from './colour.js';
import { parts, project } from './projection.js';
import { allRows, numberOf } from './rows.js';

/** @import { Meta } from '../core/types.js' */
/** @import { Dot } from './types.js' */

/**
 * @typedef {object} Plant
 * @property {string} id
 * @property {string} name
 * @property {string} state
 * @property {string} fuel        EPA's category, '' when missing
 * @property {string} subregion   '' when missing
 * @property {number | null} generation   MWh
 * @property {number | null} rate         lb of CO2 per MWh
 * @property {import('./projection.js').Place | null} at   null: not on the map
 * @property {'' | 'missing' | 'outside'} lost    why it is not on the map
 * @property {number} part        of the map
 */

export const colours = { fuel_category: 'Fuel category', co2_rate: 'CO2 rate', subregion: 'eGRID subregion' };

const columns = ['plant_name', 'state', 'fuel_category', 'subregion', 'latitude', 'longitude', 'net_generation_mwh', 'co2_short_tons', 'co2_output_rate_lb_per_mwh'];

/**
 * loadPlants asks for all plants. Where the sheet has no rates of CO2, they are
 * worked out from CO2 in short tons of 2,000 lb and net generation, to six
 * digits; worked tells.
 * @param {Record<string, string>} question
 * @param {AbortSignal} signal
 * @returns {Promise<{plants: Plant[], worked: boolean, meta: Meta}>}
 */
export async function loadPlants(question, signal) {
  const { rows, meta } = await allRows('plants/search', question, columns, signal);
  const worked = rows.every((row) => row.co2_output_rate_lb_per_mwh === '') && rows.some((row) => row.co2_short_tons !== '');
  return { plants: rows.map((row) => plantOf(row, worked)), worked, meta };
}

/**
 * @param {Record<string, string>} row @param {boolean} worked
 * @returns {Plant}
 */
export function plantOf(row, worked) {
  const [lat, lon, generation, tons] = [row.latitude, row.longitude, row.net_generation_mwh, row.co2_short_tons].map(numberOf);
  const missing = lat === null || lon === null || (lat === 0 && lon === 0);
  const at = missing ? null : project(lon, lat);
  const rate = worked ? (tons !== null && generation !== null && generation > 0 ? Number(((tons * 2000) / generation).toPrecision(6)) : null) : numberOf(row.co2_output_rate_lb_per_mwh);
  return {
    id: row.id, name: row.plant_name || row.id, state: row.state ?? '', fuel: row.fuel_category ?? '', subregion: row.subregion ?? '', generation, rate, at,
    lost: missing ? 'missing' : at ? '' : 'outside', part: missing ? -1 : parts.findIndex(({ holds }) => holds(lon, lat)),
  };
}

const most = 15; // pixels of the radius of the largest plant
const least = 1.7;

/**
 * radiusOf makes areas as net generation: a plant with four times as much is
 * twice as wide.
 * @param {number | null} generation @param {number} largest
 */
export const radiusOf = (generation, largest) => (generation !== null && generation > 0 && largest > 0 ? Math.max(least, most * Math.sqrt(generation / largest)) : least);

/**
 * saysOf is what a plant says.
 * @param {Plant} plant
 */
export function saysOf({ name, state, fuel, subregion, generation, rate }) {
  return `${name}${state ? `, ${state}` : ''}: ${[fuel ? fuelName(fuel) : 'fuel missing', generation === null ? 'net generation missing' : `${full(Math.round(generation))} MWh`,
    rate === null ? '' : `${full(Math.round(rate))} lb CO2 per MWh`, subregion].filter(Boolean).join(', ')}`;
}

/**
 * @typedef {{text: string, colour: string}} Key   colour: a custom property
 */

/**
 * dotsOf draws the plants that have a place, the largest first, and tells what
 * the colours mean.
 * @param {Plant[]} plants
 * @param {{by: string, link: (id: string) => string}} o
 * @returns {{dots: Dot[], keys: Key[], largest: number}}
 */
export function dotsOf(plants, { by, link }) {
  const placed = plants.filter((plant) => plant.at).sort((a, b) => (b.generation ?? -Infinity) - (a.generation ?? -Infinity));
  const largest = placed[0]?.generation ?? 0;
  const { colour, keys } = colouring(placed, by);
  const dots = placed.map((plant) => ({
    at: plant.at ?? { x: 0, y: 0 }, says: saysOf(plant), href: link(plant.id), radius: radiusOf(plant.generation, largest), colour: colour(plant), hollow: !(plant.generation !== null && plant.generation > 0),
  }));
  return { dots, keys, largest };
}

/**
 * @param {Plant[]} plants @param {string} by
 * @returns {{colour: (plant: Plant) => string, keys: Key[]}}
 */
function colouring(plants, by) {
  if (by === 'co2_rate') {
    const rates = plants.map(({ rate }) => rate).filter((rate) => rate !== null);
    const cuts = breaksOf(rates.filter((rate) => rate > 0), 5);
    const steps = stepsOf(cuts.length + 1);
    return {
      colour: ({ rate }) => (rate === null ? '--map-none' : `--ramp-${steps[classOf(rate, cuts)]}`),
      keys: [...rangesOf(cuts, 'lb/MWh').map((text, i) => ({ text, colour: `--ramp-${steps[i]}` })), ...(rates.length < plants.length ? [{ text: 'no rate', colour: '--map-none' }] : [])],
    };
  }
  if (by === 'subregion') {
    const codes = [...new Set(plants.map(({ subregion }) => subregion))].sort();
    return {
      colour: ({ subregion }) => subregionColour(subregion, codes),
      keys: codes.map((code) => ({ text: code || 'missing', colour: subregionColour(code, codes) })),
    };
  }
  const here = new Set(plants.map(({ fuel }) => fuel));
  return {
    colour: ({ fuel }) => (fuelCategories().includes(fuel) ? `--fuel-${fuel.toLowerCase()}` : '--map-none'),
    keys: [...fuelCategories().filter((fuel) => here.has(fuel)).map((fuel) => ({ text: fuelName(fuel), colour: `--fuel-${fuel.toLowerCase()}` })), ...(here.has('') ? [{ text: 'fuel missing', colour: '--map-none' }] : [])],
  };
}

// Neighbours differ: eight colours for all of them.
/** @type {Record<string, number>} */
const ownColour = {
  AKGD: 1, AKMS: 2, AZNM: 2, CAMX: 1, ERCT: 4, FRCC: 2, HIMS: 3, HIOA: 1, MROE: 2, MROW: 1, NEWE: 2, NWPP: 3, NYCW: 3, NYLI: 1, NYUP: 4, PRMS: 2,
  RFCE: 2, RFCM: 4, RFCW: 3, RMPA: 4, SPNO: 2, SPSO: 3, SRMV: 1, SRMW: 4, SRSO: 4, SRTV: 2, SRVC: 1,
};

/** @param {string} code @param {string[]} codes all of them */
export const subregionColour = (code, codes) => (code === '' ? '--map-none' : `--series-${ownColour[code] ?? (codes.indexOf(code) % 8) + 1}`);
