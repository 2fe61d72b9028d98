// outlines.mjs writes the outlines of the states into the page, from the npm
// package us-atlas (figures of the US Census Bureau, which are public domain):
//
//	node outlines.mjs          writes map/outlines.js
//	node outlines.mjs -        prints it
//
// They are projected into the frame of the map, freed of points that would not be
// seen, and rounded to a tenth of its unit. Borders stay shared: a border between
// two states is one line that both refer to.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { frame, inPart, parts } from '../../httpapi/dashboard/page/assets/map/projection.js';

const tolerance = 0.65; // in units of the frame: what a line may be off
const smallest = 3; // square units: islands below are left out

/** FIPS codes of the states, as of the Census Bureau. @type {Record<string, string>} */
const postal = {
  '01': 'AL', '02': 'AK', '04': 'AZ', '05': 'AR', '06': 'CA', '08': 'CO', '09': 'CT', 10: 'DE', 11: 'DC', 12: 'FL', 13: 'GA', 15: 'HI', 16: 'ID', 17: 'IL',
  18: 'IN', 19: 'IA', 20: 'KS', 21: 'KY', 22: 'LA', 23: 'ME', 24: 'MD', 25: 'MA', 26: 'MI', 27: 'MN', 28: 'MS', 29: 'MO', 30: 'MT', 31: 'NE', 32: 'NV',
  33: 'NH', 34: 'NJ', 35: 'NM', 36: 'NY', 37: 'NC', 38: 'ND', 39: 'OH', 40: 'OK', 41: 'OR', 42: 'PA', 44: 'RI', 45: 'SC', 46: 'SD', 47: 'TN', 48: 'TX',
  49: 'UT', 50: 'VT', 51: 'VA', 53: 'WA', 54: 'WV', 55: 'WI', 56: 'WY', 72: 'PR',
};
/** @type {Record<string, string>} */
const insets = { AK: 'Alaska', HI: 'Hawaii', PR: 'Puerto Rico' };

const require = createRequire(import.meta.url);
const atlas = JSON.parse(readFileSync(require.resolve('us-atlas/states-10m.json'), 'utf8'));
const { version } = JSON.parse(readFileSync(require.resolve('us-atlas/package.json'), 'utf8'));

/** @typedef {[number, number][]} Points */

// Arcs of TopoJSON: steps from point to point, in whole numbers.
/** @type {Points[]} */
const arcs = atlas.arcs.map((/** @type {number[][]} */ arc) => {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    [x, y] = [x + dx, y + dy];
    return [x * atlas.transform.scale[0] + atlas.transform.translate[0], y * atlas.transform.scale[1] + atlas.transform.translate[1]];
  });
});

/** @type {Map<string, number>} the number of an arc in what is written, by part and number */
const numbers = new Map();
/** @type {number[][]} */
const written = [];
/** @type {Record<string, number[][]>} */
const states = {};
let points = 0;

for (const geometry of atlas.objects.states.geometries) {
  const code = postal[geometry.id];
  if (!code) continue; // Guam and others, of which eGRID has no plants
  const part = parts.find(({ name }) => name === (insets[code] ?? 'the lower 48 states'));
  if (!part) throw new Error(`no part of the map for ${code}`);
  const polygons = geometry.type === 'MultiPolygon' ? geometry.arcs : [geometry.arcs];
  const rings = polygons.flat().map((/** @type {number[]} */ ring) => ({ ring, area: Math.abs(areaOf(ring.flatMap((n) => pointsOf(n, part)))) }));
  const largest = Math.max(...rings.map((/** @type {{area: number}} */ { area }) => area));
  states[code] = rings.filter((/** @type {{area: number}} */ { area }) => area >= Math.min(smallest, largest))
    .map((/** @type {{ring: number[]}} */ { ring }) => ring.map((n) => (n < 0 ? ~numberOf(~n, part) : numberOf(n, part))));
}

/** @param {number} n @param {typeof parts[number]} part @returns {Points} */
function pointsOf(n, part) {
  const arc = (n < 0 ? arcs[~n] : arcs[n]).map(([lon, lat]) => inPart(part, lon, lat)).map(({ x, y }) => /** @type {[number, number]} */ ([x, y]));
  return n < 0 ? arc.reverse() : arc;
}

/** @param {number} n @param {typeof parts[number]} part */
function numberOf(n, part) {
  const key = `${part.name} ${n}`;
  let number = numbers.get(key);
  if (number === undefined) {
    number = written.length;
    numbers.set(key, number);
    const thin = simplify(pointsOf(n, part));
    points += thin.length;
    written.push(steps(thin));
  }
  return number;
}

// simplify leaves out points that lie within the tolerance of the line between
// those that stay (Douglas and Peucker, 1973).
/** @param {Points} line @returns {Points} */
function simplify(line) {
  const [first, last] = [line[0], line[line.length - 1]];
  let [far, most] = [0, tolerance];
  for (let i = 1; i < line.length - 1; i++) {
    const d = off(line[i], first, last);
    if (d > most) [far, most] = [i, d];
  }
  return far === 0 ? [first, last] : [...simplify(line.slice(0, far + 1)).slice(0, -1), ...simplify(line.slice(far))];
}

/** @param {[number, number]} p @param {[number, number]} a @param {[number, number]} b */
function off([px, py], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length));
  return Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay));
}

// steps are tenths of the frame's unit: the first point, then the way to the next.
/** @param {Points} line */
function steps(line) {
  let [x, y] = [0, 0];
  return line.flatMap(([px, py]) => {
    const [dx, dy] = [Math.round(px * 10) - x, Math.round(py * 10) - y];
    [x, y] = [x + dx, y + dy];
    return [dx, dy];
  });
}

/** @param {Points} ring */
function areaOf(ring) {
  return ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - ring[(i + 1) % ring.length][0] * y, 0) / 2;
}

const text = `// Outlines of the states, generated by internal/page/outlines.mjs: do not edit.
// Source: US Census Bureau, cartographic boundary files, 2017 edition (public domain),
// by way of the npm package us-atlas ${version}.
// In tenths of a unit of the map's frame (${frame.width} by ${frame.height}), as projection.js projects; lines are off by at most ${tolerance} units.

/** Lines: the first point, then the step to each next one. */
export const arcs = [
${written.map((arc) => `  [${arc.join(',')}],`).join('\n')}
];

/** Rings of each state, as numbers of lines; ~n is line n backwards. @type {Record<string, number[][]>} */
export const states = {
${Object.keys(states).sort().map((code) => `  ${code}: [${states[code].map((ring) => `[${ring.join(',')}]`).join(',')}],`).join('\n')}
};
`;
if (process.argv[2] === '-') process.stdout.write(text);
else {
  writeFileSync(new URL('../../httpapi/dashboard/page/assets/map/outlines.js', import.meta.url), text);
  console.log(`${Object.keys(states).length} states, ${written.length} lines, ${points} points, ${text.length} bytes`);
}
