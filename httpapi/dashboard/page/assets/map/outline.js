// The outlines as places and as paths of SVG.

import { arcs, states } from './outlines.js';

/** @typedef {import('./projection.js').Place} Place */

/** @type {Map<number, Place[]>} */
const decoded = new Map();

/** @param {number} n */
function lineOf(n) {
  const own = n < 0 ? ~n : n;
  let line = decoded.get(own);
  if (!line) {
    const steps = arcs[own];
    line = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < steps.length; i += 2) line.push({ x: (x += steps[i]) / 10, y: (y += steps[i + 1]) / 10 });
    decoded.set(own, line);
  }
  return n < 0 ? line.toReversed() : line;
}

export const codes = () => Object.keys(states);

/**
 * ringsOf are the closed lines around a state and its islands, in the map's unit.
 * @param {string} code
 * @returns {Place[][]}
 */
export const ringsOf = (code) => (states[code] ?? []).map((ring) => ring.flatMap((n) => lineOf(n).slice(1)));

/**
 * pathOf is a path of SVG around rings.
 * @param {Place[][]} rings
 */
export const pathOf = (rings) => rings.map((ring) => `M${ring.map(({ x, y }) => `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`).join('L')}Z`).join('');

/**
 * areaOf is the area of a ring; below zero when it runs the other way around.
 * @param {Place[]} ring
 */
export const areaOf = (ring) => ring.reduce((sum, { x, y }, i) => {
  const next = ring[(i + 1) % ring.length];
  return sum + x * next.y - next.x * y;
}, 0) / 2;

/**
 * middleOf is where a name goes: at the height of the centre of mass of the
 * largest ring, in the middle of the widest land there.
 * @param {Place[][]} rings
 * @returns {Place & {width: number}} width: of that land
 */
export function middleOf(rings) {
  const ring = rings.reduce((most, one) => (Math.abs(areaOf(one)) > Math.abs(areaOf(most)) ? one : most), rings[0] ?? []);
  const area = areaOf(ring);
  let [x, y] = [0, 0]; // six times the area's moments
  ring.forEach((a, i) => {
    const b = ring[(i + 1) % ring.length];
    const cross = a.x * b.y - b.x * a.y;
    x += (a.x + b.x) * cross;
    y += (a.y + b.y) * cross;
  });
  if (area === 0) return { ...(ring[0] ?? { x: 0, y: 0 }), width: 0 };
  const height = y / (6 * area);
  const crossings = ring.map((a, i) => [a, ring[(i + 1) % ring.length]]).filter(([a, b]) => (a.y <= height) !== (b.y <= height))
    .map(([a, b]) => a.x + ((height - a.y) / (b.y - a.y)) * (b.x - a.x)).sort((a, b) => a - b);
  let [left, right] = [x / (6 * area), x / (6 * area)];
  for (let i = 0; i + 1 < crossings.length; i += 2) if (crossings[i + 1] - crossings[i] > right - left) [left, right] = [crossings[i], crossings[i + 1]];
  return { x: (left + right) / 2, y: height, width: right - left };
}
