// Bars as inline SVG: upright when there is room, else lying. A point is
// @ts-nocheck
// {label, value, title, kind, selected, choose}; a value may be null or negative.

import { svg } from '../core/dom.js';
import { dash, scaled } from '../core/format.js';

export function plot(points, { width, unit, xLabel, yLabel, upright, description }) {
  const values = points.map((point) => point.value).filter((value) => value !== null);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const scale = scaled(Math.max(-low, high), unit);
  const axis = { low: scale.of(low), high: scale.of(high), ticks: ticks(scale.of(low), scale.of(high), upright ? 5 : Math.max(2, Math.floor(width / 110))), of: scale.of, text: scale.text,
    name: `${yLabel.replace(/ \(.*\)$/, '')}, ${scale.unit}` };
  return (upright ? columns : bars)(points, { width, axis, xLabel, description });
}

// widest is the room in pixels that the longest of some texts takes.
function widest(texts) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(Math.max(0, ...texts.map((content) => pen.measureText(content).width)));
}

// ticks are round numbers that enclose low and high.
function ticks(low, high, count) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => span / x <= count);
  const list = [];
  for (let i = Math.floor(low / step + 1e-9); i <= Math.ceil((high || (low ? 0 : 1)) / step - 1e-9); i++) list.push(i * step);
  return list;
}

function frame(width, height, description, ...children) {
  return svg('svg', { class: 'chart', role: 'img', 'aria-label': description, viewBox: `0 0 ${width} ${height}`, width, height }, ...children);
}

const text = (x, y, anchor, content, kind = 'tick') => svg('text', { x, y, 'text-anchor': anchor, class: kind }, content);

function mark(point, shape, hit, extra = null) {
  const kind = ['bar', point.kind, point.value < 0 ? 'below' : '', point.selected ? 'selected' : '', point.choose ? 'choice' : ''].filter(Boolean).join(' ');
  return svg('g', { class: kind, 'data-label': point.label, click: point.choose ?? null },
    svg('title', {}, point.title), svg('rect', { ...hit, class: 'hit' }), shape, extra);
}

function columns(points, { width, axis, xLabel, description }) {
  const { ticks: marks } = axis;
  const left = 12 + widest(marks.map(label));
  const [top, bottom, inner] = [34, 48, 232];
  const [min, max] = [marks[0], marks.at(-1)];
  const y = (value) => top + inner * (1 - (value - min) / (max - min));
  const slot = (width - left - 4) / points.length;
  const longest = widest(points.map((point) => point.label));
  const dense = slot < longest + 8;
  const thick = Math.max(2, Math.min(56, slot * 0.68));
  // Labels that do not fit side by side are left out, not laid over.
  const every = Math.ceil((longest * (dense ? 0.875 : 1) + 2) / slot);
  return frame(width, top + inner + bottom, description,
    text(0, 14, 'start', axis.name, 'axis'),
    ...marks.map((tick) => svg('g', {}, svg('line', { x1: left, x2: width, y1: y(tick), y2: y(tick), class: tick === 0 ? 'zero' : 'grid' }),
      text(left - 8, y(tick) + 4, 'end', label(tick)))),
    ...points.map((point, i) => {
      const x = left + slot * (i + 0.5);
      const name = (points.length - 1 - i) % every === 0 ? text(x, top + inner + 18, 'middle', point.label, dense ? 'tick dense' : 'tick') : null;
      const shape = point.value === null ? text(x, y(0) - 6, 'middle', dash, 'tick none')
        : rect(x - thick / 2, y(axis.of(point.value)), thick, y(0) - y(axis.of(point.value)), true);
      return mark(point, shape, { x: x - slot / 2, y: top, width: slot, height: inner + 24 }, name);
    }),
    text(left + (width - left) / 2, top + inner + bottom - 6, 'middle', xLabel, 'axis'));
}

function bars(points, { width, axis, xLabel, description }) {
  const { low, high } = axis;
  const marks = axis.ticks.filter((tick) => tick >= low && tick <= high);
  const left = Math.min(Math.floor(width * 0.4), 10 + widest(points.map((point) => point.label)));
  const [top, bottom, slot] = [20, 44, 26];
  const right = 10 + widest(points.map((point) => (point.value === null ? dash : axis.text(point.value))));
  const inner = width - left - right;
  const [min, max] = [low, high > low ? high : low + 1];
  const x = (value) => left + inner * (value - min) / (max - min);
  const height = top + slot * points.length;
  return frame(width, height + bottom, description,
    text(0, 12, 'start', xLabel, 'axis'),
    ...marks.map((tick) => svg('g', {}, svg('line', { x1: x(tick), x2: x(tick), y1: top, y2: height, class: tick === 0 ? 'zero' : 'grid' }),
      text(x(tick), height + 16, 'middle', label(tick)))),
    ...points.map((point, i) => {
      const y = top + slot * i;
      const value = point.value === null ? null : axis.of(point.value);
      const end = value === null ? x(0) : Math.max(x(0), x(value));
      const shape = value === null ? null : rect(Math.min(x(0), x(value)), y + 5, x(value) - x(0), slot - 10, false);
      const name = shorten(point.label, left - 8);
      return mark(point, shape, { x: 0, y, width, height: slot }, svg('g', {},
        text(left - 8, y + slot / 2 + 4, 'end', name, 'tick name'),
        text(end + 6, y + slot / 2 + 4, 'start', value === null ? dash : axis.text(point.value), 'tick value')));
    }),
    text(left + inner / 2, height + bottom - 8, 'middle', axis.name, 'axis'));
}

// rect draws a bar from the zero line; a length below zero lies on its other
// side. What is not zero is at least a line.
function rect(x, y, width, height, upright) {
  const thin = (length) => (length === 0 ? 0 : Math.max(1, Math.abs(length)));
  return upright ? svg('rect', { x, y: height < 0 ? y + height : y, width, height: thin(height), rx: Math.min(2, Math.abs(height) / 2), class: 'fill' })
    : svg('rect', { x, y, width: thin(width), height, rx: Math.min(2, Math.abs(width) / 2), class: 'fill' });
}

const label = (tick) => new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 }).format(tick === 0 ? 0 : tick);

// shorten cuts a name to the room there is.
function shorten(name, room) {
  if (widest([name]) <= room) return name;
  let letters = name.length - 1;
  while (letters > 1 && widest([`${name.slice(0, letters)}…`]) > room) letters--;
  return `${name.slice(0, letters)}…`;
}
