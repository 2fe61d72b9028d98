// Any two columns of the plants that are chosen, against each other.

import { sheetName } from '../core/basis.js';
import { whenChosen } from '../core/chosen.js';
import { el } from '../core/dom.js';
import { plural } from '../core/format.js';
import { grouped } from '../core/groups.js';
import { columnLabel, fuelCategories, fuelName } from '../core/names.js';
import { ghostPlot, Part } from '../core/part.js';
import { allRows, numberOf } from '../map/rows.js';
import { draw } from './draw.js';
import { field } from './parts.js';
import { questionOf } from './plants-table.js';

/** @import { App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */
/** @import { ColumnChooser, Known } from './plants-columns.js' */

/** Parameters of the address that are the scatter's alone. */
export const own = ['x', 'y', 'log'];

// What stands there at first: the first of each line that the sheet has. Sums of generators
// have no emissions.
const first = { x: ['net_generation_mwh', 'nameplate_capacity_mw'], y: ['co2_short_tons', 'co2e_short_tons', 'nameplate_capacity_mw'] };

export class PlantScatter {
  /**
   * @param {App} app
   * @param {Choices} choices
   * @param {ColumnChooser} columns
   */
  constructor(app, choices, columns) {
    this.app = app;
    this.choices = choices;
    this.columns = columns;
    this.asked = false;
    /** @type {Record<'x' | 'y', HTMLSelectElement>} */
    this.selects = { x: el('select', { id: 'scatter-x' }), y: el('select', { id: 'scatter-y' }) };
    /** @type {Record<'x' | 'y', HTMLInputElement>} */
    this.logs = { x: this.#log('x'), y: this.#log('y') };
    for (const axis of /** @type {const} */ (['x', 'y'])) whenChosen(this.selects[axis], () => app.go({ [axis]: this.selects[axis].value }));
    this.part = new Part(el('section', { id: 'plants-scatter', class: 'card', 'aria-label': 'Two columns against each other', 'data-part': true },
      el('div', { class: 'filters' }, field('Across', this.selects.x), el('label', { class: 'check' }, this.logs.x, ' Logarithmic'),
        field('Upwards', this.selects.y), el('label', { class: 'check' }, this.logs.y, ' Logarithmic')),
      el('div', { 'data-body': true }, el('h2', {}, 'Two columns against each other'), ghostPlot('tall'))), {
      load: (signal) => this.#ask(signal), show: ({ data, meta }, body) => this.#show(data, meta, body), clear: () => choices.clear(),
    });
    this.seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting) || this.asked) return;
      this.asked = true;
      this.part.refresh();
    }, { rootMargin: '300px' });
  }

  /** @param {'x' | 'y'} axis */
  #log(axis) {
    const box = el('input', { id: `scatter-log-${axis}`, type: 'checkbox', change: () => this.app.go({ log: ['x', 'y'].filter((one) => (one === axis ? box.checked : this.#logged(one))).join('') || 'none' }) });
    return box;
  }

  // Both axes are logarithmic until something else is chosen: a few plants are large.
  /** @param {string} axis */
  #logged(axis) { return (this.app.address.get('log') ?? 'xy').includes(axis); }

  /** changed asks anew once the chart is in sight. */
  changed() {
    this.asked = false;
    this.part.wait();
    this.seen.unobserve(this.part.root);
    this.seen.observe(this.part.root);
  }

  leave() { this.seen.disconnect(); }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    const { columns, meta: of } = await this.columns.known(signal, null);
    const numbers = columns.filter(({ numeric, name }) => numeric && !/(_code|_id|sequence|^data_year|latitude|longitude)$/.test(name));
    if (numbers.length === 0) return { data: null, meta: of, links: {} };
    const at = this.app.address;
    const named = (/** @type {'x' | 'y'} */ axis) => {
      const wanted = at.get(axis) || (axis === 'y' && of.basis === 'GEN' ? first.y.slice(2) : first[axis]).find((name) => numbers.some((one) => one.name === name));
      return numbers.find((one) => one.name === wanted) ?? (at.get(axis) ? null : numbers[0]);
    };
    const [x, y] = [named('x'), named('y')];
    if (!x || !y) return { data: { numbers, x, y, rows: [] }, meta: of, links: {} };
    const { rows, meta } = await allRows('plants/search', questionOf(at, this.choices.chosen), [...new Set(['plant_name', 'state', 'fuel_category', x.name, y.name])], signal);
    await new Promise((resolve) => { setTimeout(resolve); }); // who types or scrolls meanwhile comes first
    return { data: { numbers, x, y, rows }, meta, links: {} };
  }

  /**
   * @param {{numbers: Known[], x: Known | null, y: Known | null, rows: Record<string, string>[]} | null} data
   * @param {import('../core/types.js').Meta} meta
   * @param {HTMLElement} body
   */
  #show(data, meta, body) {
    if (!data) return 'No plants are loaded, so there are no columns to compare.';
    const { numbers, x, y, rows } = data;
    for (const axis of /** @type {const} */ (['x', 'y'])) {
      const select = this.selects[axis];
      const chosen = data[axis]?.name ?? this.app.address.get(axis) ?? '';
      select.replaceChildren(...grouped(numbers.map(({ name }) => name)).map(([group, names]) => el('optgroup', { label: group }, names.map((name) => el('option', { value: name }, textOf(numbers.find((one) => one.name === name)))))));
      if (!data[axis]) select.append(el('option', { value: chosen }, `${chosen} (not here)`));
      select.value = chosen;
      this.logs[axis].checked = this.#logged(axis);
    }
    if (!x || !y) return `The plants of ${meta.year ?? 'this year'} have no column of numbers ${[!x && this.app.address.get('x'), !y && this.app.address.get('y')].filter(Boolean).join(' and ')}. Choose another.`;
    // One link, and one pass: a country has 12,000 plants.
    const [before, after] = this.app.link({ plant: '*', year: meta.year ?? null }, 'plant').split('*');
    /** @type {Map<string, import('../charts/types.js').Point[]>} */
    const byFuel = new Map([...fuelCategories(), ''].map((fuel) => [fuel, []]));
    for (const row of rows) {
      const name = row.plant_name || row.id;
      (byFuel.get(row.fuel_category) ?? byFuel.get(''))?.push({ x: numberOf(row[x.name]), y: numberOf(row[y.name]), name: row.state ? `${name}, ${row.state}` : name, href: `${before}${encodeURIComponent(row.id)}${after}` });
    }
    const series = [...byFuel].filter(([, points]) => points.length > 0).map(([fuel, points]) => ({ name: fuel ? fuelName(fuel) : 'Fuel missing', kind: fuel ? `fuel-${fuel.toLowerCase()}` : 'plain', points }));
    draw(body, 'scatter', {
      title: `${x.label} and ${low(y.label)} of ${plural(rows.length, 'plant')}, ${meta.year ?? ''}`, unit: y.unit, x: { label: x.label, unit: x.unit, log: this.#logged('x') }, y: { label: y.label, log: this.#logged('y') },
      source: meta.basis ? sheetName(meta.basis, meta.release) : 'what is loaded', file: `plants-${x.name}-${y.name}-${meta.year}`, series,
      notes: [x, y].filter(({ name }) => meta.lossy?.includes(name)).map(({ label }) => `${label}: rounded in the sheet.`), empty: 'Nothing to draw: no plant that is chosen has both values.',
    });
    return null;
  }
}

/** @param {Known | undefined} column */
const textOf = (column) => (column ? [columnLabel(column.name, column.unit), column.unit === 'fraction' ? '' : column.unit].filter(Boolean).join(', ') : '');

/** @param {string} label */
const low = (label) => label.replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase());
