// The legend: what each colour, dash and shape stands for.

import { svg } from '../core/dom.js';
import { dashOf, note, sign } from './marks.js';
import { round, shorten, widthOf } from './text.js';

const row = 20; // pixels

/**
 * legend is drawn into the chart, so that it goes along when that is saved.
 * @param {{name: string, colour: string, texture?: string | null}[]} entries
 * @param {{width: number, top: number, style: 'block' | 'line' | 'point' | 'dot'}} o
 * @returns {{node: SVGGElement, height: number}}
 */
export function legend(entries, { width, top, style }) {
  const node = svg('g', { class: 'legend', 'aria-hidden': 'true' });
  if (entries.length === 0) return { node, height: 0 };
  const swatch = style === 'line' ? 26 : 12;
  let [x, y] = [0, top];
  entries.forEach((entry, n) => {
    const name = shorten(entry.name, width - swatch - 8);
    const room = swatch + 6 + widthOf(name) + 16;
    if (x > 0 && x + room - 16 > width) [x, y] = [0, y + row];
    node.append(svg('g', { class: entry.colour }, shape(style, n, x, y, entry.texture ?? null), note(x + swatch + 6, y + 11, 'start', name, 'key')));
    x += room;
  });
  return { node, height: y + row - top };
}

/** @param {string} style @param {number} n @param {number} x @param {number} y @param {string | null} texture */
function shape(style, n, x, y, texture) {
  if (style === 'line') {
    return [svg('line', { class: 'stroke', x1: round(x), x2: round(x + 26), y1: y + 7, y2: y + 7, 'stroke-dasharray': dashOf(n) }), sign(n, x + 13, y + 7, 3.5)];
  }
  if (style === 'point' || style === 'dot') return [sign(style === 'dot' ? 0 : n, x + 6, y + 7, 4.5)];
  const box = { x: round(x), y: y + 1, width: 12, height: 12 };
  return [svg('rect', { class: 'fill', ...box, rx: 2 }), texture ? svg('rect', { class: 'texture', ...box, fill: `url(#${texture})` }) : null];
}
