// The shapes that stand for values, each with what it says.

import { svg } from '../core/dom.js';
import { round } from './text.js';

/** @typedef {import('./types.js').Mark} Mark */

/**
 * group is the element of one mark: it can be reached and says its value.
 * @param {Mark} mark
 * @param {...(Element | null)} shapes
 * @returns {SVGElement}
 */
export function group(mark, ...shapes) {
  const choice = Boolean(mark.choose) && !mark.href;
  const attributes = {
    class: ['datum', mark.colour, mark.selected ? 'selected' : '', mark.choose || mark.href ? 'choice' : '', mark.y !== null && mark.y < 0 ? 'below' : ''].filter(Boolean).join(' '),
    'aria-label': mark.says, 'aria-pressed': choice ? String(Boolean(mark.selected)) : null, tabindex: '-1', 'data-label': mark.label,
  };
  return mark.href ? svg('a', { ...attributes, href: mark.href }, shapes) : svg('g', { ...attributes, role: choice ? 'button' : 'img' }, shapes);
}

/**
 * hit is the room in which a pointer or a finger finds a mark.
 * @param {number} x @param {number} y @param {number} width @param {number} height
 */
export const hit = (x, y, width, height) => svg('rect', { class: 'hit', x: round(x), y: round(y), width: round(Math.max(0, width)), height: round(Math.max(0, height)) });

/**
 * bar is a rectangle between two corners. What is not zero is at least a line.
 * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
 * @param {{along: 'x' | 'y', round?: boolean}} o along: the direction of its length
 */
export function bar(x0, y0, x1, y1, { along, round: rounded = true }) {
  const thin = (/** @type {number} */ length) => (length === 0 ? 0 : Math.max(1, Math.abs(length)));
  const [width, height] = along === 'x' ? [thin(x1 - x0), Math.abs(y1 - y0)] : [Math.abs(x1 - x0), thin(y1 - y0)];
  return svg('rect', { class: 'fill', x: round(Math.min(x0, x1)), y: round(Math.min(y0, y1)), width: round(width), height: round(height), rx: rounded ? round(Math.min(2, width / 2, height / 2)) : null });
}

// Signs differ by shape, too, so that no colour has to be told from another.
const signs = [
  (/** @type {number} */ r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  (/** @type {number} */ r) => `M${-r * 0.9},${-r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`,
  (/** @type {number} */ r) => `M0,${-r * 1.25}L${r * 1.15},${r * 0.8}H${-r * 1.15}z`,
  (/** @type {number} */ r) => `M0,${-r * 1.3}L${r * 1.3},0L0,${r * 1.3}L${-r * 1.3},0z`,
  (/** @type {number} */ r) => `M0,${r * 1.25}L${r * 1.15},${-r * 0.8}H${-r * 1.15}z`,
  (/** @type {number} */ r) => `M${-r * 1.2},${-r * 0.4}h${r * 0.8}v${-r * 0.8}h${r * 0.8}v${r * 0.8}h${r * 0.8}v${r * 0.8}h${-r * 0.8}v${r * 0.8}h${-r * 0.8}v${-r * 0.8}h${-r * 0.8}z`,
];

/**
 * sign is the n-th shape of a point, around a place.
 * @param {number} n @param {number} x @param {number} y @param {number} [r]
 */
export const sign = (n, x, y, r = 4) => svg('path', { class: 'fill sign', d: signs[n % signs.length](r), transform: `translate(${round(x)},${round(y)})` });

// Dashes of lines, in the order of the series.
const dashes = ['', '7 3', '2 3', '9 3 2 3', '4 2', '12 4'];

/** @param {number} n */
export const dashOf = (n) => dashes[n % dashes.length] || null;

/**
 * note is a text of a chart.
 * @param {number} x @param {number} y @param {'start' | 'middle' | 'end'} anchor @param {string} content @param {string} [kind]
 */
export const note = (x, y, anchor, content, kind = 'tick') => svg('text', { x: round(x), y: round(y), 'text-anchor': anchor, class: kind }, content);

// textures tell colours apart where there are none: in forced colours and on
// paper. The class of a colour decides which is drawn.
const hatches = [null, 'M0,3h6', 'M3,0v6', 'M0,6L6,0M-1,1L1,-1M5,7L7,5', 'M0,0L6,6M5,-1L7,1M-1,5L1,7', 'M0,3h6M3,0v6', 'M0,0L6,6M0,6L6,0', 'M1,1h1v1h-1zM4,4h1v1h-1z', 'M0,2h6M0,4h6', 'M2,0v6M4,0v6', 'M3,1a2,2 0 1,0 .1,0z'];

/**
 * texture is the pattern of the n-th series, or null for a plain one.
 * @param {string} id @param {number} n
 */
export function texture(id, n) {
  const d = hatches[n % hatches.length];
  return d === null ? null : svg('pattern', { id, width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, svg('path', { class: 'hatch', d }));
}
