// A chart as a file: SVG and PNG that need nothing else, and CSV.

import { el, svg } from '../core/dom.js';
import { note } from './marks.js';
import { wrap } from './text.js';

/** @typedef {import('./types.js').Model} Model */

const pad = 20; // pixels around
const width = 960;

/** How wide a drawing is in its picture, in pixels. */
export const room = width - 2 * pad;

const properties = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'fill-opacity', 'opacity', 'font-size', 'font-weight', 'text-anchor', 'dominant-baseline', 'vector-effect'];

/**
 * csvOf is the model as CSV: one line per place, or per point of a scatter;
 * numbers have all their digits, and what is missing is empty.
 * @param {Model} model
 */
export function csvOf({ kind, spec, lines, places }) {
  const named = (/** @type {string} */ name, /** @type {string} */ unit) => (unit ? `${name.replace(/ \([^()]*\)$/, '')} (${unit})` : name);
  /** @type {(string | number | null)[][]} */
  let rows;
  if (kind === 'scatter') {
    rows = [['name', 'group', named(spec.x.label, spec.x.unit ?? ''), named(spec.y.label, spec.unit), 'source'],
      ...lines.flatMap((line) => line.marks.map((mark) => [mark.words, line.name, mark.x, mark.y, mark.from ?? spec.source]))];
  } else if (lines.length === 1) {
    rows = [[spec.x.label, 'name', named(spec.y.label, spec.unit), 'source'],
      ...lines[0].marks.map((mark) => [mark.x, mark.words, mark.y, mark.from ?? spec.source])];
  } else {
    rows = [[spec.x.label, 'name', ...lines.map((line) => named(line.name, spec.unit)), 'source'],
      ...places.map((place) => {
        const marks = lines.map((line) => line.marks.find((mark) => mark.label === place));
        return [place, marks.find((mark) => mark !== undefined)?.words ?? place, ...marks.map((mark) => mark?.y ?? null), spec.source];
      })];
  }
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** @param {string | number | null} value */
function field(value) {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * pictureOf is the chart with title, source and notes, in the light colours,
 * as an element whose looks are attributes.
 * @param {Model} model
 * @param {(model: Model, width: number) => import('./types.js').Drawing} draw
 */
export function pictureOf(model, draw) {
  const { spec } = model;
  const { nodes, height, notes = [] } = draw(model, room);
  return framed({ title: spec.title, source: spec.source, notes: [...(spec.notes ?? []), ...notes], kind: model.kind, nodes, height });
}

/**
 * framed puts what is drawn between its title and its source.
 * @param {{title: string, source: string, notes: string[], kind: string, nodes: Element[], height: number}} o
 */
export function framed({ title, source, notes, kind, nodes, height: inner }) {
  const lines = wrap(title, room, 23); // 20 pixels in bold
  const foot = [`Source: ${source}`, ...notes].flatMap((text) => wrap(text, room, 12));
  const top = pad + lines.length * 26 + 6;
  const height = Math.ceil(top + inner + 14 + foot.length * 17 + pad - 6);
  const node = svg('svg', { class: `paper of-${kind}`, viewBox: `0 0 ${width} ${height}`, width, height, 'font-family': 'system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif' },
    svg('title', {}, title), svg('desc', {}, `Source: ${source}`),
    svg('rect', { class: 'ground', width, height }),
    lines.map((line, i) => note(pad, pad + 18 + i * 26, 'start', line, 'heading')),
    svg('g', { transform: `translate(${pad},${top})` }, nodes),
    foot.map((line, i) => note(pad, top + inner + 24 + i * 17, 'start', line, 'foot')));
  // Styles are known only to what is in the page.
  const stage = el('div', { class: 'stage', 'aria-hidden': 'true' }, node);
  document.body.append(stage);
  bake(node);
  stage.remove();
  return { node, width, height };
}

// bake writes the looks of an element and what is in it as attributes, and
// takes out what is not seen and what only the page needs.
/** @param {Element} node */
function bake(node) {
  for (const child of [...node.children]) {
    if (['title', 'desc', 'defs', 'pattern'].includes(child.localName)) {
      if (child.localName === 'defs' && !child.querySelector('clipPath')) child.remove();
      continue;
    }
    const style = getComputedStyle(child);
    if (style.display === 'none' || style.visibility === 'hidden' || child.matches('.hit, .texture')) child.remove();
    else bake(child);
  }
  const style = getComputedStyle(node);
  for (const property of node.children.length && ['g', 'a'].includes(node.localName) ? ['opacity'] : properties) {
    const value = style.getPropertyValue(property);
    if (value && value !== initial[property]) node.setAttribute(property, value);
  }
  for (const name of ['class', 'style', 'href', 'tabindex', 'role', 'aria-label', 'aria-hidden', 'aria-pressed', 'data-label', 'data-code', 'data-width']) node.removeAttribute(name);
}

/** @type {Record<string, string>} */
const initial = { fill: 'rgb(0, 0, 0)', stroke: 'none', 'stroke-width': '1px', 'stroke-dasharray': 'none', 'stroke-linecap': 'butt', 'stroke-linejoin': 'miter', 'fill-opacity': '1', opacity: '1', 'font-weight': '400', 'text-anchor': 'start', 'dominant-baseline': 'auto', 'vector-effect': 'none' };

/** @param {SVGElement} node */
export const svgText = (node) => `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(node)}\n`;

/**
 * pngOf draws a picture with twice its pixels.
 * @param {{node: SVGElement, width: number, height: number}} picture
 * @returns {Promise<Blob>}
 */
export async function pngOf({ node, width: w, height: h }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(node))}`;
  await image.decode();
  const canvas = el('canvas', { width: w * 2, height: h * 2 });
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser has no canvas');
  context.drawImage(image, 0, 0, w * 2, h * 2);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))), 'image/png');
  });
}

/**
 * download hands a file to the browser.
 * @param {Blob} blob @param {string} name
 */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
