// The subregions as tiles: each has the same room, about where it lies.

import { frame } from './projection.js';

/** @typedef {import('./projection.js').Place} Place */

// Column and row of each tile.
/** @type {Record<string, [number, number]>} */
const layout = {
  AKGD: [0, 0], AKMS: [1, 0],
  NWPP: [1, 1], MROW: [3, 1], MROE: [4, 1], RFCM: [5, 1], NYUP: [6, 1], NEWE: [7, 1],
  RMPA: [2, 2], SPNO: [3, 2], SRMW: [4, 2], RFCW: [5, 2], RFCE: [6, 2], NYCW: [7, 2], NYLI: [8, 2],
  CAMX: [0, 3], AZNM: [1, 3], SPSO: [3, 3], SRTV: [5, 3], SRVC: [6, 3],
  ERCT: [3, 4], SRMV: [4, 4], SRSO: [5, 4],
  HIOA: [0, 5], HIMS: [1, 5], FRCC: [6, 5], PRMS: [8, 5],
};
const size = 98; // units of the frame
const gap = 4;

/**
 * tilesOf are the squares of the given codes. What has no place of its own gets
 * one in a row below.
 * @param {string[]} list
 * @returns {Map<string, Place[][]>}
 */
export function tilesOf(list) {
  const left = (frame.width - 9 * size) / 2;
  const others = list.filter((code) => !layout[code]);
  const height = others.length ? frame.height / 7 : size;
  const top = others.length ? 0 : (frame.height - 6 * size) / 2;
  return new Map(list.map((code) => {
    const [column, row] = layout[code] ?? [others.indexOf(code) % 9, 6];
    const [x, y] = [left + column * size, top + row * height];
    const [right, bottom] = [x + size - gap, y + Math.min(size, height) - gap];
    return [code, [[{ x, y }, { x: right, y }, { x: right, y: bottom }, { x, y: bottom }]]];
  }));
}
