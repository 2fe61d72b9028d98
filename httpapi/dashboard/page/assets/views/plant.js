// The view Plant: one plant in a data year, and over all of them.

import { get, plantPath } from '../core/api.js';
import { el } from '../core/dom.js';
import { releaseName } from '../core/names.js';
import { ghostLines, partOf } from '../core/part.js';
import { ExplainPanel } from './plant-explain.js';
import { headOf, figuresOf, tilesOf } from './plant-figures.js';
import { historyPart } from './plant-history.js';
import { listPart } from './plant-lists.js';
import { mixPart } from './plant-mix.js';
import { lacksRegions, regionsPart } from './plant-regions.js';

/** @import { Answer, App, Shown, View } from '../core/types.js' */

/** @type {View} */
export const view = {
  id: 'plant', label: 'Plant', about: 'One plant: generation, emissions, mix, generators, units and history',
  show(root, app) { return new Plant(root, app); },
};

/** @typedef {{id: string, year: string, release: string}} Which */

/** @implements {Shown} */
class Plant {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    this.root = root;
    /** @type {Which} */
    this.which = { id: '', year: '', release: '' };
    /** @type {Answer | null} */
    this.answer = null;
    const which = () => this.which;
    this.head = partOf({ id: 'plant-head', class: 'card plant-head', ghost: [ghostLines(10), el('div', { class: 'tiles' }, ...Array.from({ length: 6 }, () => el('div', { class: 'tile ghost' })))] }, {
      load: async (signal) => {
        const { id, year, release } = this.which;
        const [plant, snapshots] = await Promise.all([get(plantPath(id), { year, release }, signal), get('snapshots', {}, signal)]);
        return { ...plant, data: { plant: plant.data, snapshots: snapshots.data, rate: await rateOf(plant, signal) } };
      },
      show: (answer, body) => this.#show(answer, body),
      fail: () => this.#without(),
    });
    // The name stays in place while what is under it changes, and so does the focus.
    this.title = el('h2', { id: 'plant-title' }, 'Plant');
    this.tools = el('div', { class: 'tools' });
    this.head.body.before(el('div', { class: 'head' }, this.title, this.tools));
    this.figures = el('section', { id: 'plant-figures', class: 'card', 'aria-label': 'All figures' }, ghostLines(12));
    this.mix = mixPart(() => this.answer);
    this.regions = regionsPart(app, () => this.answer, () => this.history.rows);
    this.generators = listPart(which, { id: 'plant-generators', title: 'Generators', one: 'generator', path: '/generators', level: 'GEN' });
    this.units = listPart(which, { id: 'plant-units', title: 'Units', one: 'unit', path: '/units', level: 'UNT' });
    this.history = historyPart(app, which, () => {
      // Other years may know the regions that this one does not.
      if (this.answer && lacksRegions(this.answer.data.plant)) this.regions.refresh({ quiet: true });
    });
    this.explain = new ExplainPanel(app, () => this.answer);
    this.rest = el('div', { class: 'view' }, el('div', { class: 'charts plant-pair' }, this.mix.root, this.regions.root), this.figures);
    root.append(this.head.root, this.rest, this.history.part.root, this.generators.root, this.units.root, this.explain.dialog);
    this.update(app.address);
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const which = { id: address.get('plant') ?? '', year: address.get('year') ?? '', release: address.get('release') ?? '' };
    const other = which.id !== this.which.id;
    const edition = other || which.year !== this.which.year || which.release !== this.which.release;
    this.which = which;
    if (!which.id) {
      this.head.body.replaceChildren(el('p', { class: 'empty' }, 'The address names no plant. ', el('a', { href: this.app.link({}, 'plants') }, 'Find one in the list of plants')));
      for (const node of [...this.root.children].slice(1)) if (node instanceof HTMLElement && node !== this.explain.dialog) node.hidden = true;
      return;
    }
    if (edition) {
      this.answer = null;
      for (const part of [this.head, this.generators, this.units]) part.refresh();
      for (const part of [this.mix, this.regions]) part.stop();
    }
    if (other) this.history.part.refresh();
    this.explain.update(address);
  }

  parts() {
    if (!this.which.id) return [];
    const after = this.answer ? [this.mix, this.regions, ...this.explain.parts] : [];
    return [this.head, this.history.part, this.generators, this.units, ...after];
  }

  leave() { this.explain.leave(); }

  /**
   * @param {Answer<{plant: any, snapshots: any[]}>} answer
   * @param {HTMLElement} body
   */
  #show(answer, body) {
    const { plant, snapshots } = answer.data;
    this.answer = answer;
    this.rest.hidden = false;
    this.app.title([plant.plant_name ?? plant.id, plant.state, `${answer.meta.year}${answer.meta.release ? ` ${releaseName(answer.meta.release)}` : ''}`].filter(Boolean).join(' · '));
    const { nodes, tools } = headOf(this.app, answer, snapshots);
    this.title.textContent = plant.plant_name ?? plant.id;
    this.tools.replaceChildren(...tools);
    body.replaceChildren(...nodes, tilesOf(this.app, answer));
    this.figures.replaceChildren(...figuresOf(this.app, answer));
    for (const part of [this.mix, this.regions]) part.refresh();
    this.explain.update(this.app.address);
  }

  // #without is shown where the data year has no such plant: the history below
  // says which have.
  #without() {
    this.answer = null;
    this.rest.hidden = true;
    this.title.textContent = `Plant ${this.which.id}`;
    this.tools.replaceChildren();
    this.app.title(this.which.id);
  }
}

/**
 * rateOf has the API compute the CO2 rate of a plant whose sheet has none; null
 * where it is there, or cannot be.
 * @param {Answer} plant
 * @param {AbortSignal} signal
 */
async function rateOf({ data, meta }, signal) {
  const missing = ['co2e_output_rate_lb_per_mwh', 'co2_output_rate_lb_per_mwh'].every((column) => typeof data[column] !== 'number');
  if (!missing || meta.basis !== 'PLNT' || !data.oris_plant_code || typeof data.co2_short_tons !== 'number' || !data.net_generation_mwh) return null;
  const answer = await get(`explain/PLNT/${encodeURIComponent(data.oris_plant_code)}/co2_output_rate_lb_per_mwh`, { year: meta.year, release: meta.release || 'none' }, signal);
  return typeof answer.data.recomputed === 'number' ? answer.data : null;
}
