// The map as a picture to take along: what is seen of it, with its legend.

import { svg } from '../core/dom.js';
import { framed, room } from '../charts/save.js';
import { round, widthOf } from '../charts/text.js';
import { frame } from './projection.js';

/**
 * mapPicture is the map as it is zoomed, in the light colours.
 * @param {import('./map.js').PlantMap} map
 * @param {{title: string, source: string, notes: string[], legend: string, keys: {text: string, colour: string}[]}} o
 */
export function mapPicture(map, { title, source, notes, legend, keys }) {
  const height = (room * frame.height) / frame.width;
  const key = keysOf(legend, keys, height + 10);
  const seen = svg('svg', { class: 'map', width: room, height: round(height), viewBox: `0 0 ${frame.width} ${frame.height}`, overflow: 'hidden' },
    svg('defs', {}, map.coast.cloneNode(true)), map.world.cloneNode(true), map.dots.shapes(map.sight));
  return framed({ title, source, notes, kind: 'map', nodes: [seen, key.node], height: height + 10 + key.height });
}

/**
 * @param {string} title @param {{text: string, colour: string}[]} keys @param {number} top
 */
function keysOf(title, keys, top) {
  const node = svg('g', {}, svg('text', { x: 0, y: top + 12, class: 'key' }, title));
  let [x, y] = [0, top + 22];
  for (const { text, colour } of keys) {
    const wide = 24 + widthOf(text) + 16;
    if (x > 0 && x + wide > room) [x, y] = [0, y + 20];
    const swatch = svg('rect', { x: round(x), y, width: 16, height: 12, rx: 2 });
    swatch.style.fill = colour === 'missing' ? 'var(--map-none)' : `var(${colour})`;
    node.append(swatch, svg('text', { x: round(x + 22), y: y + 10, class: 'key' }, text));
    x += wide;
  }
  return { node, height: y + 20 - top };
}
