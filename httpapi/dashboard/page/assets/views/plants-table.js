// The table of plants: pages without end, sorted by any column.

import { address, formatsOf, get, next } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { brief, dash, full, missing, percent, plural } from '../core/format.js';
import { meaningButton } from '../core/meaning.js';
import { columnLabel, fuelName, unitOf } from '../core/names.js';
import { plantNotes, showNotes } from '../core/notes.js';
import { Part, problemBox } from '../core/part.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */

const pageRows = 25;
const maxRows = 1000; // of one answer
export const defaultSort = '-net_generation_mwh';
export const defaultColumns = ['state', 'fuel_category', 'nameplate_capacity_mw', 'net_generation_mwh', 'share', 'oris_plant_code'];

/** Representations of the API, and what each is for. */
const formats = [
  ['csv', 'CSV', 'any program'], ['xlsx', 'XLSX', 'Excel'], ['geojson', 'GeoJSON', 'maps'], ['parquet', 'Parquet', 'pandas, DuckDB'],
  ['ndjson', 'NDJSON', 'one record a line'], ['datapackage', 'Data package', 'CSV with its description'],
];

/** @param {URLSearchParams} at */
export const columnsOf = (at) => at.get('columns')?.split(',').filter((name) => name && name !== 'plant_name' && name !== 'operator_name') ?? defaultColumns;

/**
 * questionOf is what is chosen, as the API is asked.
 * @param {URLSearchParams} at
 * @param {Record<string, string>} chosen
 * @returns {Record<string, any>}
 */
export const questionOf = (at, chosen) => ({ ...chosen, filter: at.getAll('filter') });

export class PlantTable {
  /**
   * @param {App} app
   * @param {HTMLElement} section
   * @param {Choices} choices
   * @param {(answer: Answer) => void} answered
   */
  constructor(app, section, choices, answered) {
    this.app = app;
    this.choices = choices;
    /** @type {Answer | null} */
    this.answer = null;
    this.rows = 0;
    this.wanted = pageRows;
    /** @type {AbortController | null} */
    this.more = null;
    this.title = el('h2', { id: 'plants-title' }, 'Plants');
    this.count = el('p', { id: 'count', class: 'quiet', role: 'status' });
    this.from = el('p', { id: 'from', class: 'quiet' });
    this.note = el('p', { id: 'note', class: 'note', hidden: true });
    this.links = formats.map(([format, name, use]) => el('li', {}, el('a', { id: format, download: true }, name, el('small', {}, ` ${use}`))));
    this.downloads = el('details', { class: 'menu', toggle: () => this.#offer(), focusout: (event) => {
      if (!this.downloads.contains(event.relatedTarget)) this.downloads.open = false;
    }, keydown: (event) => {
      if (event.key !== 'Escape') return;
      this.downloads.open = false;
      this.downloads.querySelector('summary')?.focus();
    } }, el('summary', { class: 'button' }, 'Download'),
      el('div', { class: 'sheet', tabindex: -1 }, el('p', { class: 'quiet' }, 'All plants that are chosen, with their ids, and the columns and the order of the table.'), el('ul', {}, this.links)));
    this.list = el('tbody');
    this.foot = el('div', { class: 'more' });
    this.part = new Part(section, {
      load: (signal) => this.#ask(signal),
      show: (answer, body) => {
        const message = this.#show(answer, body);
        answered(answer);
        return message;
      },
      fail: () => {
        this.count.textContent = '';
        this.from.textContent = '';
        this.note.hidden = true;
      },
      clear: () => choices.clear(),
    });
  }

  // #offer leaves out what this API does not write.
  async #offer() {
    if (!this.downloads.open) return;
    try {
      const offered = await formatsOf('/plants/search');
      for (const [i, [format]] of formats.entries()) this.links[i].hidden = !offered.includes(format);
    } catch (error) {
      console.warn(error); // all of them are offered: the API tells what it does not write
    }
  }

  #question() {
    const at = this.app.address;
    const sort = at.get('sort') || defaultSort;
    return { ...questionOf(at, this.choices.chosen), columns: ['plant_name', 'operator_name', ...columnsOf(at)].join(','), sort: sort.includes('plant_name') ? sort : `${sort},plant_name` };
  }

  // #ask takes a data year without plants for an answer: of some only regions are
  // loaded.
  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #ask(signal) {
    try {
      return await get('plants/search', { ...this.#question(), limit: this.wanted }, signal);
    } catch (error) {
      const problem = /** @type {any} */ (error);
      if (problem.status !== 404) throw error;
      return { data: [], meta: { revision: /** @type {any} */ (null), absent: problem.detail }, links: {} };
    }
  }

  /** changed is for another choice: it begins with one page. */
  changed() {
    this.wanted = pageRows;
    this.more?.abort();
    for (const [i, [format]] of formats.entries()) this.links[i].querySelector('a')?.setAttribute('href', address('plants/search', { ...this.#question(), format }).href);
    return this.part.refresh();
  }

  /** renew shows as many rows as before. */
  renew() {
    this.more?.abort();
    return this.part.refresh({ quiet: true });
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #show(answer, body) {
    const focus = keptFocus();
    this.rows = 0;
    this.count.textContent = '';
    const sort = this.#sorted();
    this.title.textContent = `Plants by ${columnLabel(sort.column, answer.meta.units?.[sort.column] ?? unitOf(sort.column)).replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase())}${answer.meta.year ? `, ${answer.meta.year}` : ''}`;
    this.app.title([this.choices.chosen.q, this.choices.chosen.state, fuelName(this.choices.chosen.fuel_category ?? ''), `Plants ${answer.meta.year ?? ''}`.trim()].filter(Boolean).join(' · '));
    this.from.textContent = answer.meta.basis ? `${answer.meta.basis === 'GEN' ? 'Sums of generators, from' : 'From'} the ${sheetName(answer.meta.basis, answer.meta.release)}` : '';
    showNotes(this.note, plantNotes(answer.meta, { fuel: Boolean(this.choices.chosen.fuel_category || this.choices.chosen.fuel) }));
    this.answer = answer;
    if (answer.data.length === 0) return this.#emptiness(answer.meta);
    this.list = el('tbody');
    this.foot = el('div', { class: 'more' });
    this.columns = ['plant_name', ...columnsOf(this.app.address)];
    body.replaceChildren(
      this.note, // in here, so that it comes with the table and nothing moves
      el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': 'Table of plants' },
        el('table', { class: 'plants' }, el('caption', { class: 'unseen' }, this.title.textContent),
          el('thead', {}, el('tr', {}, el('th', { scope: 'col', class: 'number rank' }, '#'), this.columns.map((column) => this.#head(column, answer)))),
          this.list)),
      this.foot);
    this.#append(answer);
    focus();
    return null;
  }

  #sorted() {
    const first = (this.app.address.get('sort') || defaultSort).split(',')[0];
    return { column: first.replace(/^-/, ''), down: first.startsWith('-') };
  }

  /**
   * @param {string} column
   * @param {Answer} answer
   */
  #head(column, { meta, data }) {
    const sorted = this.#sorted();
    const mine = sorted.column === column;
    const unit = meta.units?.[column];
    const numeric = isNumeric(column, unit, data);
    const down = mine ? !sorted.down : numeric;
    const rounded = meta.lossy?.includes(column);
    return el('th', { scope: 'col', class: numeric ? 'number' : null, 'aria-sort': mine ? (sorted.down ? 'descending' : 'ascending') : null },
      el('span', { class: 'headed' }, el('button', { type: 'button', class: 'sort', 'data-sort': column, title: `Sort ${down ? 'downwards' : 'upwards'}`, click: () => this.app.go({ sort: `${down ? '-' : ''}${column}` === defaultSort ? '' : `${down ? '-' : ''}${column}` }) },
        column === 'plant_name' ? 'Plant' : columnLabel(column, unit), unit && unit !== 'fraction' ? el('small', {}, ` ${unit}`) : null,
        mine ? el('span', { class: 'arrow', 'aria-hidden': 'true' }, sorted.down ? ' ↓' : ' ↑') : null),
      meaningButton(column, { level: 'PLNT', unit, rounded })), rounded ? el('small', { class: 'rounded' }, 'rounded') : null);
  }

  /** @param {Answer} answer */
  #append(answer) {
    this.answer = answer;
    const first = this.rows;
    this.list.append(...answer.data.map((/** @type {any} */ plant, /** @type {number} */ i) => this.#row(plant, first + i + 1, answer)));
    this.rows += answer.data.length;
    this.wanted = Math.min(maxRows, Math.max(pageRows, this.rows));
    const { total } = answer.meta;
    this.count.textContent = `${brief(this.rows)} of ${missing(total) ? 'many' : plural(total, 'plant')}`;
    this.foot.replaceChildren(...(answer.links.next ? [el('button', { id: 'more', type: 'button', click: () => this.#loadMore() }, 'Load more')] : []));
  }

  async #loadMore() {
    this.more = new AbortController();
    const { signal } = this.more;
    const button = this.foot.querySelector('button');
    if (button) Object.assign(button, { disabled: true, textContent: 'Loading' });
    const first = this.rows;
    try {
      const answer = await next('plants/search', /** @type {Answer} */ (this.answer), signal);
      if (signal.aborted) return;
      this.#append(answer);
      this.list.rows[first]?.querySelector('a')?.focus({ preventScroll: true });
    } catch (error) {
      if (signal.aborted) return;
      if (/** @type {any} */ (error).status === 410) await this.part.refresh(); // published anew in the meantime
      else this.foot.replaceChildren(problemBox(/** @type {Error} */ (error), () => this.#loadMore()));
    }
  }

  /**
   * @param {any} plant
   * @param {number} rank
   * @param {Answer} answer
   */
  #row(plant, rank, { meta }) {
    const link = this.app.link({ plant: plant.id, year: meta.year, release: this.choices.chosen.release }, 'plant');
    const open = (/** @type {MouseEvent} */ event) => {
      const on = event.target instanceof Element ? event.target.closest('a, button') : null;
      // A text that is selected is to be copied, a link does its own.
      if (!on && getSelection()?.isCollapsed) row.querySelector('a')?.click();
    };
    const row = el('tr', { 'data-id': plant.id, click: open },
      el('td', { class: 'rank number' }, rank),
      el('td', { class: 'name' }, el('a', { class: 'open', href: link }, plant.plant_name ?? plant.id), plant.operator_name ? el('span', { class: 'quiet' }, plant.operator_name) : null),
      (this.columns ?? []).slice(1).map((column) => cell(column, plant, meta)));
    return row;
  }

  /** @param {Record<string, any>} meta */
  #emptiness({ year, total, absent }) {
    const { q } = this.choices.chosen;
    if (absent) return absent;
    if (!year) return 'No plants are loaded yet.';
    if (q) return `No plant in ${year} matches “${q}” and what else is chosen.`;
    return total === 0 && this.choices.any() ? `No plant in ${year} matches what is chosen.` : `No plants of ${year} are loaded.`;
  }
}

/**
 * @param {string} column
 * @param {string | undefined} unit
 * @param {any[]} rows
 */
export const isNumeric = (column, unit, rows) => Boolean(unit) || rows.some((row) => typeof row[column] === 'number');

// What a cell is called where its column has a look of its own.
/** @type {Record<string, string>} */
const kinds = { state: 'place', fuel_category: 'fuel', nameplate_capacity_mw: 'capacity', net_generation_mwh: 'generation', share: 'share', oris_plant_code: 'oris' };

/**
 * @param {string} column
 * @param {any} plant
 * @param {Answer['meta']} meta
 */
function cell(column, plant, meta) {
  const unit = meta.units?.[column];
  const value = plant[column];
  const label = columnLabel(column, unit);
  const kind = kinds[column] ?? 'other';
  if (column === 'fuel_category' && !missing(value)) {
    return el('td', { class: kind, 'data-label': label }, el('i', { class: `dot fuel-${String(value).toLowerCase()}`, 'aria-hidden': 'true' }), fuelName(value));
  }
  if (column === 'share' && !missing(value)) {
    const td = el('td', { class: 'share number', 'data-label': label, title: `${full(value)} of the net generation of ${plant.state ?? 'its state'}` }, el('span', {}, percent(value)));
    td.style.setProperty('--share', String(Math.min(1, Math.max(0, value))));
    return td;
  }
  const number = typeof value === 'number' || unit;
  return missing(value) ? el('td', { class: number ? `${kind} number` : kind, title: 'missing', 'data-label': label }, dash)
    : figure('td', value, unit, { class: number ? `${kind} number` : kind, bare: true, 'data-label': label });
}

/** keptFocus remembers what has the focus, and gives it back to what took its place. */
function keptFocus() {
  const active = document.activeElement;
  const id = active?.closest('tr[data-id]')?.getAttribute('data-id');
  const sort = active?.getAttribute('data-sort');
  const more = active?.id === 'more';
  return () => {
    const selector = id ? `#plants tr[data-id="${CSS.escape(id)}"] a` : sort ? `#plants [data-sort="${CSS.escape(sort)}"]` : more ? '#more' : null;
    const to = selector ? document.querySelector(selector) : null;
    if (to instanceof HTMLElement) to.focus({ preventScroll: true });
  };
}
