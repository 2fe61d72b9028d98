// The view Plants: any columns of any plants, to narrow, sort, read and take along.

import { get } from '../core/api.js';
import { Choices } from '../core/choices.js';
import { el } from '../core/dom.js';
import { Part, ghostLines } from '../core/part.js';
import { ColumnChooser } from './plants-columns.js';
import { Conditions } from './plants-conditions.js';
import { own, PlantScatter } from './plants-scatter.js';
import { PlantTable, questionOf } from './plants-table.js';

/** @import { App, Shown, View } from '../core/types.js' */

const narrow = ['subregion', 'balancing_authority', 'nerc_region', 'fuel'];

/** @type {View} */
export const view = {
  id: 'plants', label: 'Plants', about: 'Every plant, by any column',
  show(root, app) { return new Plants(root, app); },
};

/** @param {URLSearchParams} address @param {string[]} names */
const without = (address, names) => [...address].filter(([name]) => !names.includes(name)).join('&');

/** @implements {Shown} */
class Plants {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    /** @type {{table: string, scatter: string} | null} */
    this.seen = null; // what the address said of each
    this.choices = new Choices(app, { names: ['year', 'state', 'fuel_category', 'release'], more: narrow, search: true, also: ['filter'] });
    this.section = el('section', { id: 'plants-part', class: 'card', 'aria-labelledby': 'plants-title', 'data-part': true });
    const table = el('div', { 'data-body': true, id: 'plants', tabindex: -1 }, ghostLines(30)); // about as tall as a page of plants
    this.section.append(table); // a part begins with its body
    this.table = new PlantTable(app, this.section, this.choices, (answer) => this.#answered(answer));
    this.columns = new ColumnChooser(app, () => this.table.answer);
    this.conditions = new Conditions(app, this.columns);
    this.choices.folded?.querySelector('.filters')?.after(this.conditions.form);
    this.facets = el('div', { id: 'facets-part', 'data-part': true }, el('div', { 'data-body': true }));
    this.counts = new Part(this.facets, {
      load: (signal) => this.#askCounts(signal),
      show: ({ data }, body) => {
        body.replaceChildren();
        this.choices.counts(data);
      },
      clear: () => this.choices.clear(),
      lead: 'The counts beside the filters are missing.',
    });
    this.section.replaceChildren(
      el('div', { class: 'head' }, this.table.title, el('div', { class: 'tools' }, this.columns.button, this.table.downloads)),
      el('div', { class: 'under' }, this.table.count, this.table.from), this.choices.root, this.facets, this.conditions.chips, table);
    this.scatter = new PlantScatter(app, this.choices, this.columns);
    root.append(this.section, this.columns.dialog, this.scatter.part.root);
    this.choices.part.refresh();
    this.update(app.address);
  }

  /** @param {URLSearchParams} address */
  update(address) {
    // What only the scatter shows leaves the table alone, and the other way round.
    const [table, scatter] = [without(address, own), without(address, ['sort', 'columns'])];
    const same = this.seen?.table === table;
    if (!same || this.seen?.scatter !== scatter) this.scatter.changed();
    this.seen = { table, scatter };
    if (same) return;
    if (this.choices.update(address)) this.choices.part.refresh();
    this.conditions.update(address);
    this.columns.update();
    this.counts.stop();
    this.table.changed();
  }

  parts() {
    return [this.choices.part, this.counts, ...(this.scatter.asked ? [this.scatter.part] : []), { part: this.table.part, renew: () => this.table.renew() }];
  }

  leave() { this.scatter.leave(); }

  /** @param {import('../core/types.js').Answer} answer */
  #answered(answer) {
    this.basis = answer.meta.basis;
    if (answer.meta.year) this.counts.refresh();
  }

  // Each facet is counted over what everything but itself leaves, so that another
  // value can be chosen in place of it. Plants that are sums of generators have
  // no regions.
  /** @param {AbortSignal} signal */
  async #askCounts(signal) {
    const names = ['state', 'fuel_category', 'fuel', ...(this.basis === 'PLNT' ? narrow.filter((name) => name !== 'fuel') : [])];
    const question = questionOf(this.app.address, this.choices.chosen);
    const chosen = names.filter((name) => this.choices.chosen[name]);
    const free = names.filter((name) => !chosen.includes(name));
    const asked = [...chosen.map((name) => [name]), ...(free.length ? [free] : [])];
    const answers = await Promise.all(asked.map((facet) => get('plants/search', {
      ...question, ...(chosen.includes(facet[0]) ? { [facet[0]]: '' } : {}), columns: 'plant_name', limit: 1, facet: facet.join(','),
    }, signal)));
    return { data: Object.assign({}, ...answers.map(({ meta }) => meta.facets)), meta: answers[0].meta, links: {} };
  }
}
