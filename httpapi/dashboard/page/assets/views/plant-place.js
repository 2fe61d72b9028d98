// Where a plant stands: its state with a mark in it, small enough to stand beside the
// name. The view Map has the rest.

import { el, svg } from '../core/dom.js';
import { missing } from '../core/format.js';
import { stateName } from '../core/names.js';
import { codes, pathOf, ringsOf } from '../map/outline.js';
import { frame, project } from '../map/projection.js';

/** @import { App } from '../core/types.js' */
/** @typedef {import('../map/projection.js').Place} Place */

const ratio = 3 / 2;
const least = 60; // units of the map: a small state shows its neighbours

/**
 * windowOf is the part of the map around places, with some room, in the ratio of the
 * picture.
 * @param {Place[]} places
 */
export function windowOf(places) {
  const [left, right] = [Math.min(...places.map(({ x }) => x)), Math.max(...places.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...places.map(({ y }) => y)), Math.max(...places.map(({ y }) => y))];
  const width = Math.max(least, (right - left) * 1.24, (bottom - top) * 1.24 * ratio);
  return { x: (left + right - width) / 2, y: (top + bottom - width / ratio) / 2, width, height: width / ratio };
}

/**
 * placeOf draws where a plant is, or null where neither its coordinates nor its state
 * lie on the map.
 * @param {App} app
 * @param {any} plant
 * @param {number | null | undefined} year
 */
export function placeOf(app, plant, year) {
  const state = codes().includes(plant.state) ? plant.state : null;
  const at = missing(plant.latitude) || missing(plant.longitude) ? null : project(plant.longitude, plant.latitude);
  if (!state && !at) return null;
  const seen = windowOf([...(state ? ringsOf(state).flat() : []), ...(at ? [at] : [])]);
  const name = plant.plant_name ?? plant.id;
  const where = state ? stateName(state) : 'the United States';
  const says = at ? `${name} on the map of ${where}` : `${where}; the sheet has no coordinates of ${name}`;
  const r = seen.width / 42;
  const picture = svg('svg', { class: 'place-map', role: 'img', 'aria-label': says, viewBox: [seen.x, seen.y, seen.width, seen.height].map((n) => Math.round(n * 100) / 100).join(' ') },
    codes().filter((code) => code !== state).map((code) => svg('path', { class: 'land', d: pathOf(ringsOf(code)) })), state ? svg('path', { class: 'home', d: pathOf(ringsOf(state)) }) : null,
    at ? svg('g', { class: 'pin' }, svg('circle', { cx: at.x, cy: at.y, r: r * 1.5 }), svg('circle', { cx: at.x, cy: at.y, r })) : null);
  const k = Math.round((frame.width / seen.width) * 10) / 10;
  const middle = at ?? { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 };
  const sight = k > 1 ? [k, ...[middle.x, middle.y].map((n) => Math.round(n * 10) / 10)].join(',') : null;
  return el('figure', { class: 'place' }, picture, el('figcaption', { class: 'quiet' }, at ? '' : `No coordinates in the sheet: the state. `,
    el('a', { href: app.link({ year: year ?? null, at: sight, state: at ? null : state }, 'map') }, at ? 'Its surroundings on the map' : 'Plants of the state on the map')));
}
