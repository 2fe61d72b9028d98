// The land that plants cover: each place belongs to the code of the plant that is
// nearest to it. Worked out over a grid, in a time that does not depend on how
// many plants there are.

import { codes, ringsOf } from './outline.js';
import { frame, parts } from './projection.js';

/** @typedef {import('./projection.js').Place} Place */
/** @typedef {Place & {code: string, part: number}} Seed */

const cell = 2.5; // units of the frame
const width = Math.ceil(frame.width / cell);
const height = Math.ceil(frame.height / cell);
/** @type {Record<string, number>} */
const partOfState = { AK: 0, HI: 1, PR: 2 };

/** @type {Int8Array | undefined} the part of the map that each cell of land is in, from 1 */
let land;

// landOf marks the cells whose middle is land, and those around it: the outline
// is cut at the coast itself.
function landOf() {
  if (land) return land;
  const own = new Int8Array(width * height);
  for (const code of codes()) {
    const part = 1 + (partOfState[code] ?? 3);
    const edges = ringsOf(code).flatMap((ring) => ring.map((a, i) => [a, ring[(i + 1) % ring.length]]));
    for (let row = 0; row < height; row++) {
      const y = (row + 0.5) * cell;
      const crossings = edges.filter(([a, b]) => (a.y <= y) !== (b.y <= y)).map(([a, b]) => a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)).sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        for (let column = Math.max(0, Math.floor(crossings[i] / cell)); column <= Math.min(width - 1, Math.floor(crossings[i + 1] / cell)); column++) own[row * width + column] = part;
      }
    }
  }
  const wide = own.slice();
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (own[at]) continue;
      for (let dy = -2; dy <= 2 && !wide[at]; dy++) {
        for (let dx = -2; dx <= 2 && !wide[at]; dx++) {
          const [r, c] = [row + dy, column + dx];
          if (r >= 0 && r < height && c >= 0 && c < width) wide[at] = own[r * width + c];
        }
      }
    }
  }
  land = wide;
  return wide;
}

/**
 * nearest gives every cell of a grid the number of the seed that is nearest to
 * it: each cell asks its neighbours for theirs, in two sweeps (Danielsson, 1980).
 * A cell may get a seed that is a trifle farther than the nearest.
 * @param {number} w @param {number} h
 * @param {{column: number, row: number}[]} seeds
 */
export function nearest(w, h, seeds) {
  const of = new Int32Array(w * h).fill(-1);
  seeds.forEach(({ column, row }, n) => { of[row * w + column] = n; });
  const far = (/** @type {number} */ n, /** @type {number} */ column, /** @type {number} */ row) => (seeds[n].column - column) ** 2 + (seeds[n].row - row) ** 2;
  const ask = (/** @type {number} */ column, /** @type {number} */ row, /** @type {number} */ dx, /** @type {number} */ dy) => {
    const [c, r] = [column + dx, row + dy];
    if (c < 0 || c >= w || r < 0 || r >= h) return;
    const n = of[r * w + c];
    if (n < 0) return;
    const at = row * w + column;
    if (of[at] < 0 || far(n, column, row) < far(of[at], column, row)) of[at] = n;
  };
  for (const down of [1, -1]) {
    for (let i = 0; i < h; i++) {
      const row = down === 1 ? i : h - 1 - i;
      for (let column = 0; column < w; column++) {
        ask(column, row, -1, 0);
        for (const dx of [-1, 0, 1]) ask(column, row, dx, -down);
      }
      for (let column = w - 1; column >= 0; column--) ask(column, row, 1, 0);
    }
  }
  return of;
}

/**
 * territories are closed lines around the land of each code. Where several
 * plants share a cell, the last of them counts.
 * @param {Seed[]} seeds in the map's unit
 * @returns {Map<string, Place[][]>}
 */
export function territories(seeds) {
  const around = landOf();
  /** @type {(string | null)[]} */
  const code = new Array(width * height).fill(null);
  for (let part = 0; part < parts.length; part++) {
    const own = seeds.filter((seed) => seed.part === part && seed.x >= 0 && seed.y >= 0 && seed.x < frame.width && seed.y < frame.height);
    if (own.length === 0) continue;
    const of = nearest(width, height, own.map(({ x, y }) => ({ column: Math.floor(x / cell), row: Math.floor(y / cell) })));
    for (let at = 0; at < of.length; at++) if (around[at] === part + 1) code[at] = own[of[at]].code;
  }
  return loops(code, width, height, cell);
}

/**
 * loops are the lines around cells of the same code. They run from the middle of
 * one side of a cell to the middle of the next, so that steps become slopes.
 * @param {(string | null)[]} code @param {number} w @param {number} h @param {number} size of a cell
 * @returns {Map<string, Place[][]>}
 */
export function loops(code, w, h, size) {
  // Sides run with the code at their right; each is kept by the corner it starts from.
  /** @type {Map<string, Map<number, number[]>>} */
  const sides = new Map();
  const at = (/** @type {number} */ column, /** @type {number} */ row) => (column < 0 || row < 0 || column >= w || row >= h ? null : code[row * w + column]);
  const add = (/** @type {string} */ own, /** @type {number} */ from, /** @type {number} */ to) => {
    let starts = sides.get(own);
    if (!starts) sides.set(own, starts = new Map());
    const list = starts.get(from);
    if (list) list.push(to);
    else starts.set(from, [to]);
  };
  const corner = (/** @type {number} */ column, /** @type {number} */ row) => row * (w + 1) + column;
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      const own = at(column, row);
      if (own === null) continue;
      if (at(column, row - 1) !== own) add(own, corner(column, row), corner(column + 1, row));
      if (at(column + 1, row) !== own) add(own, corner(column + 1, row), corner(column + 1, row + 1));
      if (at(column, row + 1) !== own) add(own, corner(column + 1, row + 1), corner(column, row + 1));
      if (at(column - 1, row) !== own) add(own, corner(column, row + 1), corner(column, row));
    }
  }
  /** @type {Map<string, Place[][]>} */
  const found = new Map();
  for (const [own, starts] of sides) {
    /** @type {Place[][]} */
    const rings = [];
    for (const first of starts.keys()) {
      while (starts.get(first)?.length) {
        /** @type {Place[]} */
        const ring = [];
        let from = first;
        do {
          const to = starts.get(from)?.pop();
          if (to === undefined) break;
          const [fx, fy, tx, ty] = [from % (w + 1), Math.floor(from / (w + 1)), to % (w + 1), Math.floor(to / (w + 1))];
          ring.push({ x: ((fx + tx) / 2) * size, y: ((fy + ty) / 2) * size });
          from = to;
        } while (from !== first);
        rings.push(straight(ring));
      }
    }
    found.set(own, rings);
  }
  return found;
}

// straight leaves out the places in the middle of a straight line.
/** @param {Place[]} ring */
function straight(ring) {
  return ring.filter((b, i) => {
    const [a, c] = [ring[(i + ring.length - 1) % ring.length], ring[(i + 1) % ring.length]];
    return Math.abs((b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x)) > 1e-9;
  });
}
