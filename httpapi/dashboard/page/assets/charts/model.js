// From what a view says to what the kinds draw: names, colours, texts and the
// scale of the values.

import { dash, full, percent, scaled } from '../core/format.js';

/** @typedef {import('./types.js').Spec} Spec */
/** @typedef {import('./types.js').Mark} Mark */
/** @typedef {import('./types.js').Model} Model */
/** @typedef {import('./types.js').Scale} Scale */

const palette = 8; // --series-1 to --series-8

/**
 * @param {import('./types.js').Kind} kind
 * @param {Spec} spec
 * @param {{all?: boolean}} [o] all: also the rows of a ranking that are left out at first
 * @returns {Model}
 */
export function modelOf(kind, spec, { all = false } = {}) {
  const lone = spec.series.length === 1;
  const lines = spec.series.map((series, s) => {
    const colour = series.kind ?? (lone ? 'plain' : `series-${(s % palette) + 1}`);
    return {
      name: series.name, colour,
      marks: series.points.map((point, i) => markOf(point, { spec, kind, series: s, index: i, colour, name: lone ? '' : series.name })),
    };
  });
  let hidden = 0;
  if (kind === 'ranking') {
    const ranked = rank(lines[0]?.marks ?? []);
    const shown = all ? ranked : ranked.filter((mark, i) => i < (spec.limit ?? 20) || mark.selected);
    hidden = ranked.length - shown.length;
    if (lines[0]) lines[0] = { ...lines[0], marks: shown };
  }
  const values = lines.flatMap((line) => line.marks.map((mark) => mark.y)).filter((y) => y !== null);
  return { kind, spec, lines, scale: scaleOf(extent(values.length ? values : [0]), spec.unit), places: kind === 'scatter' ? [] : placesOf(lines), hidden };
}

/**
 * @param {import('./types.js').Point} point
 * @param {{spec: Spec, kind: string, series: number, index: number, colour: string, name: string}} o
 * @returns {Mark}
 */
function markOf(point, { spec, kind, series, index, colour, name }) {
  const y = known(point.y) ? point.y : null;
  const label = point.x === null || point.x === '' ? dash : String(point.x);
  const words = point.name ?? (label === dash ? 'not named' : label);
  return {
    ...point, y, label, words, series, index, colour: point.kind ?? colour,
    // Written when it is read: of thousands of points few are.
    get says() {
      if (point.title !== undefined && point.title !== null) return point.title;
      const value = y === null ? `missing${point.reason ? `, ${point.reason}` : ''}` : withUnit(y, spec.unit);
      const first = kind === 'scatter' && known(point.x) ? `${spec.x.label} ${withUnit(point.x, spec.x.unit ?? '')}; ${spec.y.label} ` : '';
      return `${words}${name ? `, ${name}` : ''}: ${first}${value}`;
    },
  };
}

/**
 * known tells whether something is a number that can be drawn.
 * @param {unknown} value
 * @returns {value is number}
 */
export const known = (value) => typeof value === 'number' && Number.isFinite(value);

/**
 * withUnit is a value with all its digits, and its unit.
 * @param {number} value @param {string} unit
 */
export const withUnit = (value, unit) => (unit === 'fraction' ? percent(value) : [full(value), unit].filter(Boolean).join(' '));

/**
 * scaleOf chooses a multiple of the unit in which the values are short.
 * @param {{low: number, high: number}} range @param {string} unit
 * @returns {Scale}
 */
export function scaleOf({ low, high }, unit) {
  if (unit === 'fraction') return { unit: '%', of: (value) => value * 100, text: percent };
  const scale = scaled(Math.max(-low, high), unit);
  return { unit: scale.unit, of: scale.of, text: (value) => (value === 0 ? '0' : scale.text(value)) };
}

/** @param {number[]} values */
export function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

// placesOf are the labels along the first axis: in the order of the first
// series, with what only later ones have behind it; years in their order.
/** @param {import('./types.js').Line[]} lines */
function placesOf(lines) {
  const places = [...new Set(lines.flatMap((line) => line.marks.map((mark) => mark.label)))];
  return lines.length > 1 && places.every((place) => /^\d{4}$/.test(place)) ? places.sort() : places;
}

/** @param {Mark[]} marks */
function rank(marks) {
  const sorted = [...marks].sort((a, b) => (b.y ?? -Infinity) - (a.y ?? -Infinity) || a.words.localeCompare(b.words));
  return sorted.map((mark) => ({ ...mark, rank: 1 + sorted.findIndex(({ y }) => y === mark.y) }));
}

/**
 * axisName is what stands at an axis: what is measured, and in which unit.
 * @param {string} label @param {string} unit
 */
export const axisName = (label, unit) => [label.replace(/ \([^()]*\)$/, ''), unit].filter(Boolean).join(', ');

/**
 * tickText is a number at an axis.
 * @param {number} tick
 */
export const tickText = (tick) => new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 }).format(tick === 0 ? 0 : tick);

/** nothing tells whether no point has a value. @param {Spec} spec */
export const nothing = (spec) => !spec.series.some((series) => series.points.some((point) => known(point.y)));

