// What the colours and sizes of the map mean, and what could not be drawn.

import { el, svg } from '../core/dom.js';
import { plural, scaled } from '../core/format.js';
import { radiusOf } from './plants.js';

/**
 * legendOf lists the colours.
 * @param {string} title
 * @param {{text: string, colour: string}[]} keys  colour: a custom property, or missing
 * @param {'dot' | 'block'} shape
 */
export function legendOf(title, keys, shape) {
  return el('div', { class: 'map-keys' }, el('p', { class: 'quiet' }, title),
    el('ul', {}, keys.map(({ text, colour }) => {
      const swatch = el('span', { class: `swatch ${shape}${colour === 'missing' ? ' missing' : ''}` });
      if (colour !== 'missing') swatch.style.background = `var(${colour})`;
      return el('li', {}, swatch, text);
    })));
}

/**
 * sizesOf shows how large three amounts of net generation are.
 * @param {number} largest in MWh
 */
export function sizesOf(largest) {
  const round = largest > 0 ? 10 ** Math.floor(Math.log10(largest)) : 0;
  const top = [5, 2, 1].map((n) => n * round).find((n) => n <= largest) ?? 0;
  if (top <= 0) return el('div');
  const sizes = [top, top / 10, top / 100];
  let x = 0;
  const shapes = sizes.map((size) => {
    const r = radiusOf(size, largest);
    const scale = scaled(size, 'MWh');
    const text = `${scale.text(size)} ${scale.unit}`;
    const node = svg('g', {}, svg('circle', { cx: x + r + 1, cy: 18, r }), svg('text', { x: x + 2 * r + 7, y: 22 }, text));
    x += 2 * r + 22 + text.length * 7;
    return node;
  });
  return el('div', { class: 'map-sizes' }, el('p', { class: 'quiet' }, 'Size by net generation: the area of a dot'),
    svg('svg', { width: Math.ceil(x), height: 36, role: 'img', 'aria-label': `Dots of ${sizes.map((size) => `${scaled(size, 'MWh').text(size)} ${scaled(size, 'MWh').unit}`).join(', ')}` }, shapes));
}

/**
 * lostOf counts and names what is not on the map.
 * @param {string} why
 * @param {{text: string, href: string}[]} list
 */
export function lostOf(why, list) {
  if (list.length === 0) return '';
  const details = el('details', { class: 'lost' }, el('summary', {}, `${plural(list.length, 'is', 'are')} ${why}`));
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(el('ul', {}, list.map(({ text, href }) => el('li', {}, el('a', { href }, text)))));
  });
  return details;
}
