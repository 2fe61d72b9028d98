// The charts at the bottom. Each is asked for when it comes into view.
// @ts-nocheck

import { get } from '../core/api.js';
import { differenceTexts, sheetName } from '../core/basis.js';
import { byID, el } from '../core/dom.js';
import { brief, dash, full, missing } from '../core/format.js';
import { fuelName, stateName } from '../core/names.js';
import { Part } from '../core/part.js';
import { plot } from './plot.js';

// upright tells whether bars stand: when there are many of them, and room.
const upright = (width, bars) => width >= 620 && bars >= 12;

// What differs between the charts. A chart leaves out the filter that it is
// itself about, and marks what is chosen instead.
const kinds = [
  { id: 'by-state', filter: 'state', without: ['state'], name: stateName, upright },
  { id: 'by-fuel', filter: 'fuel_category', without: ['fuel_category'], name: fuelName, upright: () => false,
    label: fuelName, kind: (x) => `fuel-${String(x).toLowerCase()}` },
  { id: 'by-year', filter: 'year', without: ['year'], upright: () => true, inOrder: true },
  { id: 'by-subregion', without: [], upright },
];

export class Charts {
  constructor(filters) {
    this.filters = filters;
    this.seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.#enter(entry.target)), { rootMargin: '200px' });
    this.charts = new Map(kinds.map((kind) => [byID(kind.id), new Chart(kind, filters)]));
    for (const root of this.charts.keys()) this.seen.observe(root);
  }

  get parts() { return [...this.charts.values()].filter((chart) => chart.asked).map((chart) => chart.part); }

  // changed lets the charts in view ask anew, and the others once they come
  // into it.
  changed() {
    const note = byID('charts-note');
    note.hidden = !this.filters.chosen.q;
    note.textContent = 'The search above does not narrow the charts: they show all plants of the chosen year, state and fuel.';
    for (const [root, chart] of this.charts) {
      chart.asked = false;
      chart.part.stop();
      this.seen.unobserve(root);
      this.seen.observe(root);
    }
  }

  #enter(root) {
    const chart = this.charts.get(root);
    if (chart.asked) return;
    chart.asked = true;
    chart.part.refresh();
  }
}

class Chart {
  constructor(kind, filters) {
    Object.assign(this, { kind, filters, asked: false, answer: null, width: 0, title: byID(`${kind.id}-title`) });
    const name = this.title.textContent;
    this.part = new Part(byID(kind.id), {
      load: (signal) => get(`plants/chart/${kind.id}`, this.#question(), signal),
      fail: () => this.title.replaceChildren(name),
      show: (answer) => this.#show(answer),
      clear: () => filters.clear(),
    });
    new ResizeObserver(() => {
      if (this.canvas?.isConnected && this.canvas.clientWidth !== this.width) this.#draw();
    }).observe(this.part.body);
  }

  #question() {
    const question = this.filters.where();
    for (const name of this.kind.without) delete question[name];
    return question;
  }

  #show(answer) {
    const { data, meta } = answer;
    const given = data.series[0]?.points ?? [];
    this.title.textContent = data.title;
    if (given.every((point) => missing(point.y))) return this.#emptiness(meta);
    this.answer = answer;
    this.points = this.#points(given, data);
    this.canvas = el('div', { class: 'canvas' });
    this.part.body.replaceChildren(...this.#remarks(meta), this.canvas, this.#table(data));
    this.#draw();
    return null;
  }

  #points(given, { unit }) {
    const { filter, name, label, kind, inOrder } = this.kind;
    const points = given.map(({ x, y, basis, release }) => {
      const code = missing(x) ? null : String(x);
      const words = code === null ? 'not named' : name && name(code) !== code ? `${name(code)} (${code})` : code;
      return {
        code, words, label: code === null ? dash : label ? label(code) : code, value: y, from: basis ? sheetName(basis, release) : dash,
        title: `${words}: ${missing(y) ? 'missing' : `${full(y)} ${unit}`}${inOrder && basis ? `, ${sheetName(basis, release)}` : ''}`, kind: code === null ? null : kind?.(code),
        selected: filter !== undefined && code !== null && this.filters.chosen[filter] === code,
        choose: filter && code !== null ? () => this.filters.set({ [filter]: this.filters.chosen[filter] === code ? '' : code }) : null,
      };
    });
    if (inOrder) return withGaps(points);
    return points.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
  }

  #draw() {
    const { data } = this.answer;
    this.width = this.canvas.clientWidth;
    if (this.width === 0) return;
    const top = this.points[0];
    const description = `${data.title}. ${this.points.length} bars; ${this.kind.inOrder ? 'first' : 'largest'} is ${top.title}. The table below has all values.`;
    this.canvas.replaceChildren(plot(this.points, {
      width: this.width, unit: data.unit, xLabel: data.x_label, yLabel: data.y_label, upright: this.kind.upright(this.width, this.points.length), description,
    }));
  }

  #table({ x_label: xLabel, y_label: yLabel, unit }) {
    return el('details', { class: 'values' }, el('summary', {}, 'Values as a table'),
      el('div', { class: 'sideways', tabindex: '0', role: 'region', 'aria-labelledby': `${this.kind.id}-title` },
        el('table', {},
          el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, xLabel), el('th', { scope: 'col', class: 'number' }, yLabel), el('th', { scope: 'col' }, 'From'))),
          el('tbody', {}, this.points.filter((point) => !point.gap).map((point) => el('tr', {}, el('th', { scope: 'row' }, point.words),
            missing(point.value) ? el('td', { class: 'number', title: 'missing' }, dash)
              : el('td', { class: `number${point.value < 0 ? ' negative' : ''}`, title: `${full(point.value)} ${unit}` }, brief(point.value)),
            el('td', {}, point.from)))))));
  }

  // #remarks say what is drawn and from which sheet, and which sheets say otherwise.
  #remarks(meta) {
    const remarks = [];
    const { state, fuel_category: fuel } = this.#question();
    if (state) remarks.push(`in ${stateName(state)}`);
    if (fuel) remarks.push(`${fuelName(fuel).toLowerCase()} only`);
    if (meta.basis) remarks.push(`from the ${sheetName(meta.basis, meta.release)}`);
    return [remarks.join(' · '), ...differenceTexts(meta)].filter(Boolean).map((text) => el('p', { class: 'quiet remark' }, text));
  }

  #emptiness({ year }) {
    if (this.kind.id === 'by-subregion' && !this.filters.any()) return `No subregion figures${year ? ` of ${year}` : ''}: they come from a plant (PLNT) or subregion (SRL) sheet, and neither is loaded.`;
    return 'Nothing to draw: no net generation is known for what is chosen.';
  }
}

// withGaps fills in the years between that are not loaded, so that the axis
// does not pretend that they were neighbours.
function withGaps(points) {
  const years = points.map((point) => Number(point.code));
  if (!years.every(Number.isInteger) || years.length === 0) return points;
  const all = [];
  for (let year = years[0]; year <= years.at(-1); year++) {
    all.push(points[years.indexOf(year)] ?? { code: null, words: String(year), label: String(year), value: null, title: `${year}: not loaded`, kind: 'gap', gap: true });
  }
  return all;
}
