// The part of the map that is seen: how far it is zoomed and moved.

import { frame } from './projection.js';

/** @typedef {{k: number, x: number, y: number}} Sight  k times as large; the frame's corner lies at x, y */

export const whole = { k: 1, x: 0, y: 0 };
export const closest = 40;

/**
 * kept is a sight that stays within the frame.
 * @param {Sight} sight
 * @returns {Sight}
 */
export function kept({ k, x, y }) {
  const size = Math.min(closest, Math.max(1, k));
  return { k: size, x: Math.min(0, Math.max(frame.width * (1 - size), x)), y: Math.min(0, Math.max(frame.height * (1 - size), y)) };
}

/**
 * zoomed is the sight times as large, around a place of the frame that stays
 * where it is on screen.
 * @param {Sight} sight @param {number} times @param {number} x @param {number} y on screen, in units of the frame
 */
export function zoomed(sight, times, x, y) {
  const k = Math.min(closest, Math.max(1, sight.k * times));
  const by = k / sight.k;
  return kept({ k, x: x - (x - sight.x) * by, y: y - (y - sight.y) * by });
}

/**
 * moved is the sight moved on screen, in units of the frame.
 * @param {Sight} sight @param {number} dx @param {number} dy
 */
export const moved = (sight, dx, dy) => kept({ ...sight, x: sight.x + dx, y: sight.y + dy });

/**
 * reaching is the sight moved so that a place is well within it.
 * @param {Sight} sight @param {{x: number, y: number}} place
 */
export function reaching(sight, { x, y }) {
  const [sx, sy] = [sight.x + x * sight.k, sight.y + y * sight.k];
  const margin = 0.08;
  const inside = sx > frame.width * margin && sx < frame.width * (1 - margin) && sy > frame.height * margin && sy < frame.height * (1 - margin);
  return inside || sight.k === 1 ? sight : kept({ k: sight.k, x: frame.width / 2 - x * sight.k, y: frame.height / 2 - y * sight.k });
}

/** sightOf reads a sight from an address, and textOf writes it. @param {string | null} text @returns {Sight} */
export function sightOf(text) {
  const [k, x, y] = (text ?? '').split(',').map(Number);
  return [k, x, y].every(Number.isFinite) && text ? kept({ k, x: frame.width / 2 - x * k, y: frame.height / 2 - y * k }) : whole;
}

/** @param {Sight} sight */
export function textOf({ k, x, y }) {
  if (k === 1) return null;
  const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  return [Math.round(k * 100) / 100, tenth((frame.width / 2 - x) / k), tenth((frame.height / 2 - y) / k)].join(',');
}
