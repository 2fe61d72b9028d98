// The view Overview: totals, mix and the largest plants of what is chosen, and
// what is loaded.

import { Choices } from '../core/choices.js';
import { el } from '../core/dom.js';
import { OverviewCharts } from './overview-charts.js';
import { OverviewMap } from './overview-map.js';
import { loadedPart, topPart } from './overview-tables.js';
import { tilesPart } from './overview-tiles.js';

/** @import { App, Shown, View } from '../core/types.js' */

/** @type {View} */
export const view = {
  id: 'overview', label: 'Overview', about: 'Net generation, emissions and resource mix of the power plants of the United States',
  show(root, app) { return new Overview(root, app); },
};

/** @implements {Shown} */
class Overview {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.choices = new Choices(app, { names: ['year', 'state', 'fuel_category', 'release'], states: true });
    this.app = app;
    this.nothing = el('section', { id: 'nothing', class: 'nothing', hidden: true, 'aria-labelledby': 'nothing-title' },
      el('h2', { id: 'nothing-title' }, 'Nothing loaded yet'),
      el('p', {}, 'Load an eGRID file, a folder or a bucket. This page fills itself as soon as something is published.'),
      el('pre', {}, el('code', {}, 'egrid load GEN23.csv')));
    this.tiles = tilesPart(app, this.choices);
    this.top = topPart(app, this.choices);
    this.loaded = loadedPart((nothing) => this.#bare(nothing));
    this.map = new OverviewMap(app, this.choices);
    this.charts = new OverviewCharts(app, this.choices, [this.map]);
    this.full = el('div', { class: 'view' }, el('h2', { class: 'unseen' }, 'Overview'), this.choices.root, this.tiles.root,
      el('div', { class: 'charts' }, this.map.part.root, this.top.root, this.charts.byFuel, this.charts.byYear), this.charts.root, this.loaded.root);
    root.append(this.nothing, this.full);
    this.choices.part.refresh();
    this.loaded.refresh();
    this.#ask();
  }

  /** @param {URLSearchParams} address */
  update(address) {
    if (this.choices.update(address)) this.choices.part.refresh();
    this.#ask();
  }

  parts() { return [this.choices.part, this.tiles, this.top, this.loaded, ...this.charts.parts]; }

  #ask() {
    const { state, fuel_category: fuel, year } = this.choices.chosen;
    this.app.title([state, fuel, year].filter(Boolean).join(' · '));
    this.tiles.refresh();
    this.top.refresh();
    this.charts.changed();
  }

  /** @param {boolean} nothing */
  #bare(nothing) {
    this.nothing.hidden = !nothing;
    this.full.hidden = nothing;
  }
}

