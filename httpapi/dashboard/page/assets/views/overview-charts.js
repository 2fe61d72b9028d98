// Charts of net generation. Each is asked for when it comes into view.

import { chart } from '../charts/index.js';
import { get } from '../core/api.js';
import { differenceTexts, sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { full, missing } from '../core/format.js';
import { fuelName, stateName } from '../core/names.js';
import { Part, ghostPlot } from '../core/part.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */

/**
 * What differs between the charts. A chart leaves out the filter that it is
 * itself about, and marks what is chosen instead.
 * @typedef {object} Kind
 * @property {string} id
 * @property {string} title
 * @property {'bars' | 'ranking'} draw
 * @property {string} [filter]
 * @property {(code: string) => string} [name]
 * @property {boolean} [inOrder]
 * @property {boolean} [full]
 */

/** @type {Kind[]} */
const kinds = [
  { id: 'by-fuel', title: 'By fuel category', draw: 'ranking', filter: 'fuel_category', name: fuelName },
  { id: 'by-state', title: 'By state', draw: 'bars', filter: 'state', name: stateName, full: true },
  { id: 'by-year', title: 'By data year', draw: 'bars', filter: 'year', inOrder: true },
  { id: 'by-subregion', title: 'By eGRID subregion', draw: 'bars', full: true },
];

export class OverviewCharts {
  /**
   * others are asked for as the charts are.
   * @param {App} app
   * @param {Choices} choices
   * @param {{part: Part, asked: boolean}[]} others
   */
  constructor(app, choices, others) {
    const made = kinds.map((kind) => new Chart(kind, app, choices));
    this.charts = new Map([...others, ...made].map((one) => [one.part.root, one]));
    const rootOf = (/** @type {string} */ id) => /** @type {Chart} */ (made.find(({ kind }) => kind.id === id)).part.root;
    this.byFuel = rootOf('by-fuel');
    this.byYear = rootOf('by-year');
    this.root = el('div', { id: 'charts', class: 'charts' }, made.filter(({ kind }) => kind.full).map(({ part }) => part.root));
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.#enter(entry.target);
    }, { rootMargin: '800px' });
  }

  get parts() { return [...this.charts.values()].filter((one) => one.asked).map((one) => one.part); }

  /**
   * changed lets the charts in view ask anew, and the others once they come into
   * it.
   */
  changed() {
    for (const [root, one] of this.charts) {
      one.asked = false;
      one.part.wait();
      this.seen.unobserve(root);
      this.seen.observe(root);
    }
  }

  /** @param {Element} root */
  #enter(root) {
    const one = this.charts.get(/** @type {HTMLElement} */ (root));
    if (!one || one.asked) return;
    one.asked = true;
    one.part.refresh();
  }
}

class Chart {
  /**
   * @param {Kind} kind
   * @param {App} app
   * @param {Choices} choices
   */
  constructor(kind, app, choices) {
    this.kind = kind;
    this.app = app;
    this.choices = choices;
    this.asked = false;
    /** @type {ReturnType<typeof chart> | null} */
    this.figure = null;
    this.part = new Part(el('section', { id: kind.id, class: kind.full ? 'card full' : 'card', 'aria-label': kind.title, 'data-part': true },
      el('div', { 'data-body': true }, el('h2', {}, kind.title), ghostPlot(kind.draw === 'ranking' ? 'tall' : ''))), {
      load: (signal) => this.#load(signal),
      fail: () => { this.figure = null; },
      show: (answer, body) => this.#show(answer, body),
      clear: () => choices.clear(),
    });
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    try {
      return await get(`plants/chart/${this.kind.id}`, this.#question(), signal);
    } catch (error) {
      const problem = /** @type {any} */ (error);
      if (problem.status !== 400 || this.kind.id !== 'by-subregion') throw error; // there may be no plant sheet to tell
      return /** @type {Answer} */ ({ data: { series: [] }, meta: { revision: /** @type {any} */ (null), absent: problem.detail }, links: {} });
    }
  }

  #question() {
    const { q: _, ...question } = this.choices.chosen;
    if (this.kind.filter) delete question[this.kind.filter];
    if (this.kind.inOrder) delete question.release;
    return question;
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #show({ data, meta }, body) {
    const { kind } = this;
    if (meta.absent) {
      this.figure = null;
      return meta.absent;
    }
    const given = data.series[0]?.points ?? [];
    const { state, fuel_category: fuel } = this.#question();
    const where = [state ? `in ${stateName(state)}` : '', fuel ? `${fuelName(fuel).toLowerCase()} only` : ''].filter(Boolean);
    const points = given.map((/** @type {any} */ point) => this.#point(point, data.unit));
    const spec = {
      title: [data.title, ...where].join(', '), unit: data.unit, x: { label: data.x_label }, y: { label: data.y_label }, heading: 2, file: `egrid-${kind.id}`,
      series: [{ name: 'Net generation', points: kind.inOrder ? withGaps(points) : points.toSorted((/** @type {any} */ a, /** @type {any} */ b) => (b.y ?? -Infinity) - (a.y ?? -Infinity)) }],
      source: meta.basis ? sheetName(meta.basis, meta.release) : 'the sheets that the table names', notes: differenceTexts(meta), empty: this.#emptiness(meta),
      ...(kind.draw === 'ranking' ? {} : kind.inOrder ? { upright: true } : {}),
    };
    if (this.figure?.element.isConnected) this.figure.update(spec);
    else {
      this.figure = chart(kind.draw, spec);
      body.replaceChildren(this.figure.element);
      this.figure.resize(); // at once, so that nothing is seen to grow
    }
    return null;
  }

  /**
   * @param {any} point
   * @param {string} unit
   */
  #point({ x, y, basis, release }, unit) {
    const { filter, name, inOrder } = this.kind;
    const code = missing(x) ? null : String(x);
    const named = code !== null && name ? name(code) : code;
    const words = code === null ? 'not named' : named === code || filter === 'fuel_category' ? named : `${named} (${code})`;
    const chosen = filter !== undefined && code !== null && this.choices.chosen[filter] === code;
    return {
      x: filter === 'fuel_category' ? named : code, y, name: words, from: basis ? sheetName(basis, release) : undefined,
      title: `${words}: ${missing(y) ? 'missing' : `${full(y)} ${unit}`}${inOrder && basis ? `, ${sheetName(basis, release)}` : ''}`,
      kind: filter === 'fuel_category' && code !== null ? `fuel-${code.toLowerCase()}` : null, selected: chosen,
      choose: filter && code !== null ? () => this.app.go({ [filter]: chosen ? '' : code }) : null,
    };
  }

  /** @param {Answer['meta']} meta */
  #emptiness({ year }) {
    if (this.kind.id === 'by-subregion' && !this.choices.any()) return `No subregion figures${year ? ` of ${year}` : ''}: they come from a plant (PLNT) or subregion (SRL) sheet, and neither is loaded.`;
    return 'Nothing to draw: no net generation is known for what is chosen.';
  }
}

/**
 * withGaps fills in the years between that are not loaded, so that the axis does
 * not pretend that they were neighbours.
 * @param {any[]} points
 */
function withGaps(points) {
  const years = points.map((point) => Number(point.x));
  if (!years.every(Number.isInteger) || years.length === 0) return points;
  const all = [];
  for (let year = years[0]; year <= years[years.length - 1]; year++) {
    all.push(points[years.indexOf(year)] ?? { x: String(year), y: null, reason: 'not loaded', title: `${year}: not loaded` });
  }
  return all;
}
