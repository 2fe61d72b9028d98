// What bars, rankings and stacked mixes have in common: places along one axis,
// lengths along the other, standing or lying.

import { svg } from '../core/dom.js';
import { dash } from '../core/format.js';
import { acrossAxis, bandAxis, upAxis } from './axes.js';
import { legend } from './legend.js';
import { bar, group, hit, note, texture } from './marks.js';
import { axisName, extent, tickText } from './model.js';
import { linear, ticks, within } from './scale.js';
import { shorten, widest, widthOf } from './text.js';

/** @typedef {import('./types.js').Model} Model */
/** @typedef {import('./types.js').Mark} Mark */
/** @typedef {import('./types.js').Drawing} Drawing */
/** @typedef {{mark: Mark, from: number, to: number, lane: number}} Segment */

/** @type {number} how many drawings there were: patterns need names of their own */
let drawings = 0;

/**
 * bands draws the model, with its series side by side or stacked.
 * @param {Model} model
 * @param {number} width in pixels
 * @param {{stacked?: boolean, ranked?: boolean, upright: boolean}} o
 * @returns {Drawing}
 */
export function bands(model, width, { stacked = false, ranked = false, upright }) {
  const { lines, places, scale } = model;
  const id = `texture-${++drawings}`;
  const many = lines.length > 1;
  const patterns = many ? lines.map((_, n) => texture(`${id}-${n}`, n)) : [];
  const segments = places.map((place) => segmentsOf(model, place, stacked));
  const ends = extent([0, ...segments.flat().flatMap(({ from, to }) => [from, to])]);
  const key = legend(many ? lines.map((line, n) => ({ name: line.name, colour: line.colour, texture: patterns[n] ? `${id}-${n}` : null })) : [], { width, top: 0, style: 'block' });
  const lanes = stacked ? 1 : Math.max(1, lines.length);
  const layout = { model, width, segments, low: scale.of(ends.low), high: scale.of(ends.high), lanes, stacked, ranked, top: key.height ? key.height + 8 : 0,
    textureOf: (/** @type {Mark} */ mark) => (patterns[mark.series] ? `url(#${id}-${mark.series})` : null) };
  const { nodes, height, grid, nodeOf } = upright ? standing(layout) : lying(layout);
  return { nodes: [svg('defs', {}, patterns), key.node, ...nodes], width, height, grid, nodeOf };
}

/**
 * segmentsOf are the lengths at a place. Stacked, what is negative is laid on
 * the other side of zero.
 * @param {Model} model @param {string} place @param {boolean} stacked
 * @returns {Segment[]}
 */
export function segmentsOf({ lines }, place, stacked) {
  let [above, below] = [0, 0];
  /** @type {Segment[]} */
  const list = [];
  lines.forEach((line, lane) => {
    const mark = line.marks.find(({ label }) => label === place);
    if (!mark) return;
    const y = mark.y ?? 0;
    if (!stacked) list.push({ mark, from: 0, to: y, lane });
    else if (y < 0) list.push({ mark, from: below, to: (below += y), lane: 0 });
    else list.push({ mark, from: above, to: (above += y), lane: 0 });
  });
  return list;
}

/** @typedef {{model: Model, width: number, segments: Segment[][], low: number, high: number, lanes: number, stacked: boolean, ranked: boolean, top: number, textureOf: (mark: Mark) => string | null}} Layout */

/** @param {Layout} layout */
function standing({ model, width, segments, low, high, lanes, stacked, top: above, textureOf }) {
  const { scale, spec, places } = model;
  const marks = ticks(low, high, 5);
  const left = 12 + widest(marks.map(tickText));
  const top = above + 26;
  const bottom = top + 240;
  const y = linear(marks[0], marks[marks.length - 1], bottom, top);
  const slot = (width - left - 4) / places.length;
  const thick = Math.max(2, Math.min(stacked ? 72 : 56 * lanes, slot * (lanes > 1 ? 0.8 : 0.68)));
  const lane = thick / lanes;
  /** @type {(SVGElement | null)[]} */
  const texts = [];
  const { nodes, nodeOf } = gather(segments, (segment, i) => {
    const { mark, from, to } = segment;
    const x = left + slot * (i + 0.5) - thick / 2 + lane * segment.lane;
    const [start, end] = [y(scale.of(from)), y(scale.of(to))];
    if (mark.y === null) {
      if (stacked) return null;
      texts.push(note(x + lane / 2, y(0) - 6, 'middle', dash, 'tick none'));
      return group(mark, hit(x, top, lane, bottom - top));
    }
    const shape = bar(x, start, x + lane - (lanes > 1 ? 1 : 0), end, { along: 'y', round: !stacked });
    const area = stacked ? hit(x, Math.min(start, end), lane, Math.abs(end - start)) : hit(lanes > 1 ? x : left + slot * i, top, lanes > 1 ? lane : slot, bottom - top + 20);
    if (stacked) texts.push(inside(shape, mark, scale));
    return group(mark, area, shape, over(shape, textureOf(mark)));
  });
  return {
    nodes: [
      upAxis({ ticks: marks, place: y, text: tickText, left, right: width, name: axisName(spec.y.label, scale.unit), top: above }),
      ...nodes, written(texts),
      // Over the marks: one that has the focus or a pointer is lit up to its name.
      bandAxis({ labels: places, centre: (i) => left + slot * (i + 0.5), slot, bottom, name: spec.x.label, middle: left + (width - left) / 2 }),
    ],
    height: bottom + 56, nodeOf, grid: gridOf(model),
  };
}

/** @param {Layout} layout */
function lying({ model, width, segments, low, high, lanes, stacked, ranked, top: above, textureOf }) {
  const { scale, spec, places } = model;
  const room = Math.floor(width * 0.4);
  // A name that does not fit gives way to its code.
  const names = places.map((place, i) => {
    const rank = ranked && segments[i][0]?.mark.y !== null ? `${segments[i][0]?.mark.rank ?? i + 1}. ` : '';
    const name = `${rank}${nameOf(segments[i], place)}`;
    return widthOf(name) + 12 > room ? `${rank}${place}` : name;
  });
  const left = Math.min(room, 12 + widest(names));
  const value = (/** @type {Segment} */ { mark }) => (mark.y === null ? dash : scale.text(mark.y));
  const right = stacked ? 12 : 12 + widest(segments.flat().map(value));
  const top = above + 20;
  const slot = Math.max(26, lanes * 18 + 8);
  const thick = stacked ? 18 : lanes > 1 ? slot - 8 : slot - 10;
  const lane = thick / lanes;
  const bottom = top + slot * places.length;
  const inner = Math.max(20, width - left - right);
  const x = linear(low, high > low ? high : low + 1, left, left + inner);
  const marks = within(low, high > low ? high : low + 1, Math.max(2, Math.floor(inner / 90)));
  /** @type {(SVGElement | null)[]} */
  const texts = [];
  const { nodes, nodeOf } = gather(segments, (segment, i) => {
    const { mark, from, to } = segment;
    const y = top + slot * i + (slot - thick) / 2 + lane * segment.lane;
    const [start, end] = [x(scale.of(from)), x(scale.of(to))];
    if (!stacked) texts.push(note(Math.max(x(0), end) + 6, y + lane / 2 + 4, 'start', value(segment), 'value'));
    const area = stacked ? hit(Math.min(start, end), y, Math.abs(end - start), thick) : hit(0, lanes > 1 ? y : top + slot * i, width, lanes > 1 ? lane : slot);
    if (mark.y === null) return stacked ? null : group(mark, area);
    const shape = bar(start, y, end, y + lane - (lanes > 1 ? 1 : 0), { along: 'x', round: !stacked });
    if (stacked) texts.push(inside(shape, mark, scale));
    return group(mark, area, shape, over(shape, textureOf(mark)));
  });
  return {
    nodes: [
      acrossAxis({ ticks: marks, place: x, text: tickText, top, bottom, name: axisName(spec.y.label, scale.unit), middle: left + inner / 2 }),
      ...nodes, written(texts),
      svg('g', { class: 'axis', 'aria-hidden': 'true' }, note(0, above + 11, 'start', spec.x.label, 'name'),
        names.map((name, i) => note(left - 8, top + slot * (i + 0.5) + 4, 'end', shorten(name, left - 10), segments[i].some(({ mark }) => mark.selected) ? 'place selected' : 'place'))),
    ],
    height: bottom + 44, nodeOf, grid: gridOf(model, true),
  };
}

// written are texts over the marks. A mark says the same in full, so they are not read.
/** @param {(SVGElement | null)[]} texts */
const written = (texts) => svg('g', { class: 'written', 'aria-hidden': 'true' }, texts);

/** @param {Segment[]} segments @param {string} place */
const nameOf = (segments, place) => segments[0]?.mark.words ?? place;

// over lays a texture over a shape; it shows where colours do not.
/** @param {SVGElement} shape @param {string | null} fill */
function over(shape, fill) {
  if (!fill) return null;
  const copy = /** @type {SVGElement} */ (shape.cloneNode());
  copy.setAttribute('class', 'texture');
  copy.setAttribute('fill', fill);
  return copy;
}

// inside writes the value into a segment that has the room.
/** @param {SVGElement} shape @param {Mark} mark @param {import('./types.js').Scale} scale */
function inside(shape, mark, scale) {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(shape.getAttribute(name)));
  const text = mark.y === null ? '' : scale.text(mark.y);
  return widthOf(text, 11) + 8 <= width && height >= 14 ? note(x + width / 2, y + height / 2 + 4, 'middle', text, `inside ${mark.colour}`) : null;
}

/**
 * gather makes the element of each segment and remembers whose it is.
 * @param {Segment[][]} segments
 * @param {(segment: Segment, i: number) => SVGElement | null} make
 */
function gather(segments, make) {
  /** @type {Map<Mark, SVGElement>} */
  const made = new Map();
  segments.forEach((list, i) => list.forEach((segment) => {
    const node = make(segment, i);
    if (node) made.set(segment.mark, node);
  }));
  return { nodes: [...made.values()], nodeOf: (/** @type {Mark} */ mark) => made.get(mark) };
}

/**
 * gridOf are the marks as the arrow keys walk them: one series along the axis;
 * of several, lying, the series of one place lie in a row.
 * @param {Model} model @param {boolean} [lies]
 */
function gridOf({ lines, places }, lies = false) {
  if (lines.length <= 1) return [lines[0]?.marks ?? []];
  const byPlace = places.map((place) => lines.map((line) => line.marks.find((mark) => mark.label === place)).filter((mark) => mark !== undefined));
  return lies ? byPlace : lines.map((_, s) => byPlace.map((row) => row.find((mark) => mark.series === s)).filter((mark) => mark !== undefined));
}

