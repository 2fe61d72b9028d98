// Axes with their names, units and lines. All of it is hidden from screen
// readers: each mark says its value with the unit.

import { svg } from '../core/dom.js';
import { note } from './marks.js';
import { round, widest } from './text.js';

/**
 * upAxis stands at the left: lines across, numbers beside them.
 * @param {{ticks: number[], place: (v: number) => number, text: (v: number) => string, left: number, right: number, name: string, top: number}} o
 */
export function upAxis({ ticks, place, text, left, right, name, top }) {
  return svg('g', { class: 'axis', 'aria-hidden': 'true' },
    note(0, top + 11, 'start', name, 'name'),
    ticks.map((tick) => svg('g', {},
      svg('line', { class: tick === 0 ? 'zero' : 'rule', x1: left, x2: round(right), y1: round(place(tick)), y2: round(place(tick)) }),
      note(left - 8, place(tick) + 4, 'end', text(tick)))));
}

/**
 * acrossAxis lies at the bottom: lines upwards, numbers below them.
 * @param {{ticks: number[], place: (v: number) => number, text: (v: number) => string, top: number, bottom: number, name: string, middle: number, rules?: boolean}} o
 */
export function acrossAxis({ ticks, place, text, top, bottom, name, middle, rules = true }) {
  // Numbers that do not fit side by side are left out, not laid over.
  const apart = ticks.length > 1 ? Math.abs(place(ticks[1]) - place(ticks[0])) : Infinity;
  const every = Math.max(1, Math.ceil((widest(ticks.map(text)) + 6) / apart));
  return svg('g', { class: 'axis', 'aria-hidden': 'true' },
    ticks.map((tick, i) => svg('g', {},
      rules ? svg('line', { class: tick === 0 ? 'zero' : 'rule', x1: round(place(tick)), x2: round(place(tick)), y1: top, y2: bottom }) : null,
      (ticks.length - 1 - i) % every === 0 ? note(place(tick), bottom + 17, 'middle', text(tick)) : null)),
    note(middle, bottom + 36, 'middle', name, 'name'));
}

/**
 * bandAxis names the places along the bottom.
 * @param {{labels: string[], centre: (i: number) => number, slot: number, bottom: number, name: string, middle: number}} o
 */
export function bandAxis({ labels, centre, slot, bottom, name, middle }) {
  const longest = widest(labels);
  const dense = slot < longest + 8;
  const rows = longest * (dense ? 0.875 : 1) + 2 > slot ? 2 : 1; // names in two rows have twice the room
  const every = Math.max(1, Math.ceil((longest * (dense ? 0.875 : 1) + 2) / slot / rows));
  let shown = 0;
  return svg('g', { class: 'axis', 'aria-hidden': 'true' },
    labels.map((label, i) => ((labels.length - 1 - i) % every === 0 ? note(centre(i), bottom + 16 + 12 * (shown++ % rows), 'middle', label, dense ? 'tick dense' : 'tick') : null)),
    note(middle, bottom + (rows > 1 ? 48 : 38), 'middle', name, 'name'));
}
