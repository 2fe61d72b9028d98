// Boundaries of subregions that the operator of this page has named: GeoJSON that
// the server has checked.

import { Problem } from '../core/api.js';
import { setting } from '../core/dom.js';
import { parts, inPart } from './projection.js';

/** @typedef {import('./projection.js').Place} Place */

/** @type {Promise<{land: Map<string, Place[][]>, source: string}> | undefined} */
let asked;

/**
 * shapes are the boundaries, or null when none were named.
 * @returns {Promise<{land: Map<string, Place[][]>, source: string} | null>}
 */
export async function shapes() {
  const address = setting('egrid-shapes');
  if (!address) return null;
  if (!asked) {
    asked = load(new URL(address, document.baseURI));
    asked.catch(() => { asked = undefined; });
  }
  return asked;
}

/** @param {URL} url */
async function load(url) {
  let response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(30_000), cache: 'no-cache', credentials: 'same-origin' });
    if (response.ok) return landOf(await response.json());
  } catch {
    throw new Problem('The boundaries did not come', `Nothing answers at ${url.host}, or the answer is not whole. Check that the server runs, then try again.`);
  }
  throw new Problem('The boundaries did not come', `The server answered with status ${response.status}.`, { status: response.status });
}

/**
 * landOf projects polygons. A ring lies in the part of the map that holds its
 * first point that any part holds; one that none holds is left out.
 * @param {any} collection
 */
export function landOf(collection) {
  /** @type {Map<string, Place[][]>} */
  const land = new Map();
  for (const { properties, geometry } of collection.features) {
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
    for (const ring of polygons.flat()) {
      const part = parts.find(({ holds }) => ring.some((/** @type {number[]} */ [lon, lat]) => holds(lon, lat)));
      if (!part) continue;
      const list = land.get(properties.subregion) ?? [];
      land.set(properties.subregion, list);
      list.push(ring.slice(0, -1).map((/** @type {number[]} */ [lon, lat]) => inPart(part, lon, lat)));
    }
  }
  return { land, source: collection.name || 'as named by the operator of this page' };
}
