// Lines: several series over years or other places in an order. Where a figure
// is missing the line is broken.

import { svg } from '../core/dom.js';
import { acrossAxis, bandAxis, upAxis } from './axes.js';
import { legend } from './legend.js';
import { dashOf, group, hit, sign } from './marks.js';
import { axisName, extent, tickText } from './model.js';
import { linear, ticks, years } from './scale.js';
import { round, widest } from './text.js';

/** @typedef {import('./types.js').Mark} Mark */

/**
 * @param {import('./types.js').Model} model
 * @param {number} width
 * @returns {import('./types.js').Drawing}
 */
export function lines(model, width) {
  const { spec, scale, places } = model;
  const drawn = model.lines;
  const key = legend(drawn.length > 1 ? drawn : [], { width, top: 0, style: 'line' });
  const above = key.height ? key.height + 8 : 0;
  const [top, bottom] = [above + 26, above + 26 + 240];
  const range = extent(drawn.flatMap((line) => line.marks.map((mark) => mark.y)).filter((y) => y !== null).map(scale.of));
  const cut = range.low > 0.6 * range.high;
  const marks = ticks(cut ? range.low : Math.min(0, range.low), Math.max(cut ? range.high : 0, range.high), 5);
  const left = 12 + widest(marks.map(tickText));
  const right = width - 14;
  const y = linear(marks[0], marks[marks.length - 1], bottom, top);

  const dated = places.every((place) => /^\d{4}$/.test(place));
  const numbers = places.map(Number);
  const slot = (right - left) / Math.max(1, places.length);
  const { low: first, high: last } = extent(numbers);
  const pad = Math.min(24, (right - left) / 8);
  const year = first === last ? () => (left + right) / 2 : linear(first, last, left + pad, right - pad);
  const x = dated ? (/** @type {string} */ label) => year(Number(label)) : (/** @type {string} */ label) => left + slot * (places.indexOf(label) + 0.5);

  /** @type {Map<Mark, SVGElement>} */
  const nodes = new Map();
  /** @type {Element[]} */
  const paths = [];
  let broken = false;
  drawn.forEach((line, n) => {
    const ordered = [...line.marks].sort((a, b) => places.indexOf(a.label) - places.indexOf(b.label));
    const known = ordered.filter((mark) => mark.y !== null);
    const spot = (/** @type {Mark} */ mark) => `${round(x(mark.label))},${round(y(scale.of(mark.y ?? 0)))}`;
    for (let i = 1; i < known.length; i++) {
      const whole = follows(known[i - 1], known[i], { dated, places });
      broken ||= !whole;
      paths.push(svg('path', { class: `${line.colour} stroke${whole ? '' : ' broken'}`, d: `M${spot(known[i - 1])}L${spot(known[i])}`, 'stroke-dasharray': whole ? dashOf(n) : '1 5' }));
    }
    for (const mark of known) {
      const [cx, cy] = [x(mark.label), y(scale.of(mark.y ?? 0))];
      nodes.set(mark, group(mark, hit(cx - 11, cy - 11, 22, 22), sign(n, cx, cy, 4)));
    }
  });
  const base = { bottom, name: spec.x.label, middle: (left + right) / 2 };
  return {
    nodes: [
      key.node,
      upAxis({ ticks: marks, place: y, text: tickText, left, right: width, name: axisName(spec.y.label, scale.unit), top: above }),
      dated ? acrossAxis({ ...base, ticks: years(first, last, Math.max(2, Math.floor((right - left) / 46))), place: year, text: String, top, rules: false })
        : bandAxis({ ...base, labels: places, centre: (i) => left + slot * (i + 0.5), slot }),
      svg('g', { 'aria-hidden': 'true' }, paths), ...nodes.values(),
    ],
    width, height: bottom + (dated ? 44 : 56), nodeOf: (mark) => nodes.get(mark),
    grid: drawn.map((line) => [...line.marks].sort((a, b) => places.indexOf(a.label) - places.indexOf(b.label))),
    notes: [cut ? 'The upright axis does not begin at zero.' : '', broken ? 'Where a line is dotted, no figure lies between its points.' : ''].filter(Boolean),
  };
}

/**
 * follows tells whether nothing is missing between two points.
 * @param {Mark} before @param {Mark} after @param {{dated: boolean, places: string[]}} o
 */
export const follows = (before, after, { dated, places }) => (dated ? Number(after.label) - Number(before.label) === 1 : places.indexOf(after.label) - places.indexOf(before.label) === 1);
