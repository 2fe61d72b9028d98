// The subregions as tiles: each has the same room, about where it lies.

import { frame } from './projection.js';

/** @typedef {import('./projection.js').Place} Place */

// Column and row of each tile.
/** @type {Record<string, [number, number]>} */
const layout = {
  AKGD: [0, 0], AKMS: [1, 0], NEWE: [9, 0],
  NWPP: [1, 1], MROW: [4, 1], MROE: [5, 1], RFCM: [6, 1], NYUP: [8, 1], NYLI: [9, 1],
  RMPA: [2, 2], SPNO: [4, 2], SRMW: [5, 2], RFCW: [6, 2], RFCE: [7, 2], NYCW: [8, 2],
  CAMX: [0, 3], AZNM: [2, 3], SPSO: [4, 3], SRTV: [6, 3], SRVC: [7, 3],
  ERCT: [4, 4], SRMV: [5, 4], SRSO: [6, 4],
  HIOA: [0, 5], HIMS: [1, 5], FRCC: [7, 5], PRMS: [9, 5],
};
const size = 92; // units of the frame
const gap = 4;

/**
 * tilesOf are the squares of the given codes. What has no place of its own gets
 * one in a row below.
 * @param {string[]} list
 * @returns {Map<string, Place[][]>}
 */
export function tilesOf(list) {
  const left = (frame.width - 10 * size) / 2;
  const others = list.filter((code) => !layout[code]);
  const height = others.length ? frame.height / 7 : size;
  const top = others.length ? 0 : (frame.height - 6 * size) / 2;
  return new Map(list.map((code) => {
    const [column, row] = layout[code] ?? [others.indexOf(code) % 10, 6];
    const [x, y] = [left + column * size, top + row * height];
    const [right, bottom] = [x + size - gap, y + Math.min(size, height) - gap];
    return [code, [[{ x, y }, { x: right, y }, { x: right, y: bottom }, { x, y: bottom }]]];
  }));
}
