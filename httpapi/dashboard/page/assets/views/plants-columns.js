// Which columns the table has: every one of the sheet, with unit and meaning.

import { get, plantPath } from '../core/api.js';
import { el } from '../core/dom.js';
import { grouped } from '../core/groups.js';
import { meanings } from '../core/meaning.js';
import { columnLabel } from '../core/names.js';
import { Part, ghostLines } from '../core/part.js';
import { columnsOf, defaultColumns } from './plants-table.js';

/** @import { Answer, App, Column } from '../core/types.js' */

/** @typedef {{name: string, unit: string, label: string, numeric: boolean, meaning: Column | undefined}} Known */

// What stands in every row anyway.
const fixed = new Set(['id', 'plant_name', 'operator_name']);

export class ColumnChooser {
  /**
   * @param {App} app
   * @param {() => Answer | null} shown what the table shows
   */
  constructor(app, shown) {
    this.app = app;
    this.shown = shown;
    this.button = el('button', { id: 'columns-open', type: 'button', 'aria-haspopup': 'dialog', click: () => this.open() }, 'Columns');
    this.search = el('input', { id: 'columns-q', type: 'search', placeholder: 'Name, code or meaning', autocomplete: 'off', spellcheck: 'false', input: () => this.#filter() });
    this.section = el('section', { 'data-part': true, 'aria-label': 'Columns' }, el('div', { 'data-body': true }, ghostLines(6)));
    const close = () => this.dialog.close();
    this.dialog = el('dialog', { id: 'columns', class: 'panel', 'aria-labelledby': 'columns-title', click: (event) => {
      if (event.target === this.dialog) close(); // the backdrop
    } }, el('div', { class: 'detail' },
      el('header', {}, el('div', {}, el('h2', { id: 'columns-title' }, 'Columns of the table'),
        el('label', { class: 'field' }, el('span', {}, 'Find a column'), this.search)),
      el('div', { class: 'tools' }, el('button', { type: 'button', id: 'columns-reset', click: () => this.app.go({ columns: '' }) }, 'Default'),
        el('button', { type: 'button', class: 'close', 'aria-label': 'Close', click: close }, '×'))),
      el('div', { class: 'scroll' }, this.section)));
    this.part = new Part(this.section, { load: (signal) => this.#load(signal), show: ({ data }, body) => this.#show(data, body) });
  }

  open() {
    this.dialog.showModal();
    this.part.refresh();
  }

  /**
   * known are the columns that the sheet behind the table has: those of one of
   * its plants, since every plant has all of them. Without a table they are those of
   * the newest sheet, which may have been published since the table was answered.
   * @param {AbortSignal} [signal]
   * @param {Answer | null} [table]
   * @returns {Promise<{columns: Known[], meta: Answer['meta']}>}
   */
  async known(signal, table = this.shown()) {
    let { year, release } = table?.meta ?? {};
    let plant = table?.data[0]?.id;
    if (!plant) {
      const any = await get('plants/search', { year: this.app.address.get('year'), release: this.app.address.get('release'), limit: 1, columns: 'plant_name' }, signal);
      ({ year, release } = any.meta);
      plant = any.data[0]?.id;
    }
    if (!plant) return { columns: [], meta: { revision: 0 } };
    const [answer, dictionary] = await Promise.all([get(plantPath(plant), { year, release: release || 'none' }, signal), meanings('PLNT')]);
    const columns = Object.keys(answer.data).filter((name) => !fixed.has(name)).map((name) => {
      const unit = answer.meta.units?.[name] ?? '';
      const meaning = dictionary.get(name);
      return { name, unit, label: columnLabel(name, unit), numeric: Boolean(unit) || typeof answer.data[name] === 'number' || ['number', 'integer'].includes(meaning?.type ?? ''), meaning };
    });
    return { columns, meta: answer.meta };
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    const { columns, meta } = await this.known(signal);
    return { data: columns, meta, links: {} };
  }

  /**
   * @param {Known[]} columns
   * @param {HTMLElement} body
   */
  #show(columns, body) {
    if (columns.length === 0) return 'No plants are loaded, so there are no columns to choose from.';
    const byName = new Map(columns.map((column) => [column.name, column]));
    const chosen = columnsOf(this.app.address);
    body.replaceChildren(...grouped([...byName.keys()]).map(([group, names]) => el('fieldset', { class: 'group' }, el('legend', {}, group),
      names.map((name) => this.#option(/** @type {Known} */ (byName.get(name)), chosen.includes(name))))));
    this.#filter();
    return null;
  }

  /**
   * @param {Known} column
   * @param {boolean} checked
   */
  #option({ name, unit, label, meaning }, checked) {
    const box = el('input', { type: 'checkbox', value: name, checked, change: () => this.#toggle(name, box.checked) });
    return el('label', { class: 'column' }, box, el('span', {}, el('b', {}, label), unit ? el('small', {}, ` ${unit === 'fraction' ? '%' : unit}`) : null,
      el('span', { class: 'quiet' }, meaning?.description ?? 'Not in the dictionary: as the sheet has it.', meaning?.code ? ` ${meaning.code}` : '')));
  }

  // #toggle adds behind what is there, or takes away.
  /**
   * @param {string} name
   * @param {boolean} on
   */
  #toggle(name, on) {
    const rest = columnsOf(this.app.address).filter((column) => column !== name);
    const columns = on ? [...rest, name] : rest;
    this.app.go({ columns: columns.join(',') === defaultColumns.join(',') ? '' : columns.join(',') || 'plant_name' }, { step: false });
    this.app.say(`${columnLabel(name)} ${on ? 'added' : 'removed'}`);
  }

  /** update checks what is chosen now. */
  update() {
    if (!this.dialog.open) return;
    const chosen = columnsOf(this.app.address);
    for (const box of this.section.querySelectorAll('input')) box.checked = chosen.includes(box.value);
  }

  #filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const label of this.section.querySelectorAll('label')) {
      const text = `${label.textContent} ${label.querySelector('input')?.value}`.toLowerCase();
      label.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of this.section.querySelectorAll('fieldset')) group.hidden = [...group.querySelectorAll('label')].every((label) => label.hidden);
  }
}
