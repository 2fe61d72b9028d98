// Conditions on any column, as in: CO2 output rate at least 1,000.

import { el } from '../core/dom.js';
import { columnLabel, unitOf } from '../core/names.js';
import { problemBox } from '../core/part.js';

/** @import { App } from '../core/types.js' */
/** @import { ColumnChooser, Known } from './plants-columns.js' */

/** @type {[string, string][]} */
const operators = [['>=', 'at least'], ['<=', 'at most'], ['=', 'is'], ['!=', 'is not'], ['present', 'is known'], ['missing', 'is missing']];

export class Conditions {
  /**
   * @param {App} app
   * @param {ColumnChooser} columns
   */
  constructor(app, columns) {
    this.app = app;
    this.columns = columns;
    /** @type {Known[]} */
    this.known = [];
    this.chips = el('ul', { id: 'conditions', class: 'chips', 'aria-label': 'Conditions' });
    this.column = el('select', { id: 'condition-column' }, el('option', { value: '' }, 'Any column'));
    this.operator = el('select', { id: 'condition-operator', 'aria-label': 'Condition', change: () => this.#toggle() }, operators.map(([value, text]) => el('option', { value }, text)));
    this.value = el('input', { id: 'condition-value', type: 'text', maxlength: 200, 'aria-label': 'Value', autocomplete: 'off' });
    this.form = el('form', { class: 'filters condition', submit: (event) => {
      event.preventDefault();
      this.#add();
    } },
    el('label', { class: 'field' }, el('span', {}, 'Condition on a column'), this.column), this.operator, this.value, el('button', { type: 'submit' }, 'Add'));
    // The list of columns is asked for when it is wanted first.
    this.column.addEventListener('focus', () => this.#fill());
    this.column.addEventListener('pointerdown', () => this.#fill());
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const all = address.getAll('filter');
    this.chips.hidden = all.length === 0;
    this.chips.replaceChildren(...all.map((text, i) => el('li', { class: 'chip' }, words(text),
      el('button', { type: 'button', 'aria-label': `Remove: ${words(text)}`, click: () => this.app.go({ filter: all.filter((_, j) => j !== i) }) }, '×'))));
  }

  async #fill() {
    if (this.known.length > 0) return;
    try {
      this.known = (await this.columns.known()).columns;
      if (this.column.options.length > 1) return;
      this.column.append(...this.known.map(({ name, label, unit }) => el('option', { value: name }, unit && unit !== 'fraction' ? `${label}, ${unit}` : label)));
    } catch (error) {
      this.form.after(problemBox(/** @type {Error} */ (error), () => {
        this.form.nextElementSibling?.remove();
        this.#fill();
      }, { lead: 'The columns are missing.' }));
    }
  }

  #toggle() { this.value.hidden = ['present', 'missing'].includes(this.operator.value); }

  #add() {
    const [column, operator, value] = [this.column.value, this.operator.value, this.value.value.trim()];
    const bare = ['present', 'missing'].includes(operator);
    if (!column) return this.column.focus();
    if (!bare && !value) return this.value.focus();
    const text = bare ? `${column} ${operator}` : `${column}${operator}${value}`;
    this.value.value = '';
    this.app.go({ filter: [...new Set([...this.app.address.getAll('filter'), text])] });
  }
}

/**
 * words is a condition as people read it.
 * @param {string} condition
 */
export function words(condition) {
  const bare = /^(\w+) (present|missing)$/.exec(condition);
  const [, column, operator, value] = bare ? [...bare, ''] : /^(\w+)\s*(>=|<=|!=|=|<|>)\s*(.*)$/.exec(condition) ?? [];
  if (!column) return condition;
  const verb = operators.find(([sign]) => sign === operator)?.[1] ?? { '<': 'below', '>': 'above' }[operator];
  const unit = unitOf(column);
  return [columnLabel(column, unit), verb, value, value ? unit : ''].filter(Boolean).join(' ');
}
