// Colours of values: classes of about as many places each, and their texts.

import { brief, percent } from '../core/format.js';

/**
 * breaksOf cuts values into at most count classes that hold about as many of
 * them; the cuts are rounded to two digits where that leaves them apart.
 * @param {number[]} values @param {number} count
 */
export function breaksOf(values, count) {
  const sorted = [...values].sort((a, b) => a - b);
  /** @type {number[]} */
  const cuts = [];
  for (let i = 1; i < count; i++) {
    const cut = rounded(sorted[Math.floor((i * sorted.length) / count)] ?? 0);
    const last = cuts.at(-1) ?? -Infinity;
    if (sorted.length && cut > last && cut > sorted[0] && cut <= sorted[sorted.length - 1]) cuts.push(cut);
  }
  return cuts;
}

/** @param {number} value */
const rounded = (value) => (value === 0 ? 0 : Number(value.toPrecision(2)));

/**
 * classOf is the class of a value, from 0: from one cut up to, not including,
 * the next.
 * @param {number} value @param {number[]} cuts
 */
export function classOf(value, cuts) {
  const n = cuts.findIndex((cut) => value < cut);
  return n < 0 ? cuts.length : n;
}

/**
 * rangesOf are the texts of the classes.
 * @param {number[]} cuts @param {string} unit
 */
export function rangesOf(cuts, unit) {
  const text = (/** @type {number} */ value) => (unit === 'fraction' ? percent(value) : brief(value));
  if (cuts.length === 0) return ['all values'];
  return [`below ${text(cuts[0])}`, ...cuts.slice(1).map((cut, i) => `${text(cuts[i])} to ${text(cut)}`), `${text(cuts[cuts.length - 1])} and above`];
}

/**
 * stepsOf are the steps of the ramp for so many classes: the ends of the ramp are
 * always used.
 * @param {number} count
 */
export const stepsOf = (count) => Array.from({ length: count }, (_, i) => 1 + Math.round((i * 5) / Math.max(1, count - 1)));
