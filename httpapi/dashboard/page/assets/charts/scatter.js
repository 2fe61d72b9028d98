// A scatter of two measures. Thousands of points are a few paths of round dots,
// and what is under a pointer is looked up.

import { svg } from '../core/dom.js';
import { acrossAxis, upAxis } from './axes.js';
import { legend } from './legend.js';
import { sign } from './marks.js';
import { axisName, extent, known, scaleOf, tickText } from './model.js';
import { index } from './nearest.js';
import { linear, logarithmic, powers, ticks } from './scale.js';
import { round, widest } from './text.js';

/** @typedef {import('./types.js').Mark} Mark */

const shaped = 400; // up to so many points each has a shape, beyond it is a dot

/**
 * @param {import('./types.js').Model} model
 * @param {number} width
 * @returns {import('./types.js').Drawing}
 */
export function scatter(model, width) {
  const { spec } = model;
  const given = model.lines.flatMap((line) => line.marks);
  const whole = given.filter((mark) => known(mark.x) && mark.y !== null);
  const marks = whole.filter((mark) => (!spec.x.log || Number(mark.x) > 0) && (!spec.y.log || Number(mark.y) > 0));
  const key = legend(model.lines.length > 1 ? model.lines : [], { width, top: 0, style: marks.length > shaped ? 'dot' : 'point' });
  const above = key.height ? key.height + 8 : 0;
  const [top, bottom] = [above + 26, above + 26 + Math.max(240, Math.min(420, Math.round(width * 0.5)))];
  const xs = scaled(marks.map((mark) => Number(mark.x)), spec.x.unit ?? '', spec.x.log);
  const ys = scaled(marks.map((mark) => Number(mark.y)), spec.unit, spec.y.log);
  const left = 12 + widest(ys.ticks.map(tickText));
  const right = width - Math.max(16, widest([tickText(xs.ticks[xs.ticks.length - 1])]) / 2);
  const x = (spec.x.log ? logarithmic : linear)(xs.low, xs.high, left, right);
  const y = (spec.y.log ? logarithmic : linear)(ys.low, ys.high, bottom, top);
  const at = (/** @type {Mark} */ mark) => ({ x: x(xs.of(Number(mark.x))), y: y(ys.of(Number(mark.y))) });
  const drawn = new Set(marks);
  const nearest = index(marks, at, 12);
  const lost = [[given.length - whole.length, 'without one of the two values'], [whole.length - marks.length, 'at or below zero, where a logarithmic axis has no place']];
  return {
    nodes: [
      key.node,
      upAxis({ ticks: ys.ticks, place: y, text: tickText, left, right: width, name: axisName(spec.y.label, ys.unit), top: above }),
      acrossAxis({ ticks: xs.ticks, place: x, text: tickText, top, bottom, name: axisName(spec.x.label, xs.unit), middle: (left + right) / 2 }),
      svg('g', { class: 'points', 'aria-hidden': 'true' }, model.lines.flatMap((line, n) => dots(line.marks.filter((mark) => drawn.has(mark)), n, at, marks.length))),
    ],
    width, height: bottom + 44, grid: [marks],
    spots: { at, nearest: (px, py) => nearest(px, py, 24) },
    notes: lost.filter(([n]) => Number(n) > 0).map(([n, why]) => `${Number(n).toLocaleString('en-US')} of ${given.length.toLocaleString('en-US')} not drawn: ${why}.`),
  };
}

/**
 * @param {number[]} values @param {string} unit @param {boolean} [log]
 */
function scaled(values, unit, log = false) {
  const range = extent(values.length ? values : [log ? 1 : 0]);
  // Over many powers of ten no multiple of the unit suits all of them.
  const scale = log ? { unit, of: (/** @type {number} */ value) => value } : scaleOf(range, unit);
  const [low, high] = [scale.of(range.low), scale.of(range.high)];
  const list = log ? powers(low, high) : ticks(Math.min(0, low), Math.max(0, high), 6);
  return { ...scale, ticks: list, low: list[0], high: list[list.length - 1] };
}

/**
 * @param {Mark[]} marks @param {number} n @param {(mark: Mark) => {x: number, y: number}} at @param {number} total
 * @returns {Element[]}
 */
function dots(marks, n, at, total) {
  const chosen = marks.filter((mark) => mark.selected);
  const rest = marks.filter((mark) => !mark.selected);
  const strong = chosen.map((mark) => svg('g', { class: `${mark.colour} selected` }, sign(n, at(mark).x, at(mark).y, 6)));
  if (total <= shaped) return [...rest.map((mark) => svg('g', { class: mark.colour }, sign(n, at(mark).x, at(mark).y, 4))), ...strong];
  /** @type {Map<string, string[]>} */
  const byColour = new Map();
  for (const mark of rest) {
    const spot = at(mark);
    const list = byColour.get(mark.colour) ?? [];
    if (list.length === 0) byColour.set(mark.colour, list);
    list.push(`M${round(spot.x)},${round(spot.y)}h0`);
  }
  return [...[...byColour].map(([colour, d]) => svg('path', { class: `${colour} dots`, d: d.join('') })), ...strong];
}
