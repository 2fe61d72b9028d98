// The map of the overview: plants where the sheet knows their places, else the
// states. Its modules are loaded when it comes into view.

import { get } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { plural } from '../core/format.js';
import { stateName } from '../core/names.js';
import { ghostPlot, partOf } from '../core/part.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */

export class OverviewMap {
  /**
   * @param {App} app
   * @param {Choices} choices
   */
  constructor(app, choices) {
    this.app = app;
    this.choices = choices;
    this.asked = false;
    /** @type {import('../map/map.js').PlantMap | null} */
    this.map = null;
    this.title = el('h2', { id: 'overview-map-title' }, 'Map');
    this.link = el('a', { class: 'button' }, 'Open the map');
    this.part = partOf({ id: 'overview-map', ghost: [ghostPlot('map')] }, {
      load: (signal) => this.#load(signal),
      show: (answer, body) => this.#show(answer, body),
      clear: () => choices.clear(),
    });
    this.part.body.before(el('div', { class: 'head' }, this.title, this.link));
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #load(signal) {
    const { year, release, state, fuel_category: fuel } = this.choices.chosen;
    const edition = { year, release };
    const [snapshots, states, map, plants, regions, legend] = await Promise.all([
      get('snapshots', {}, signal), get('plants/states', { ...edition, fuel_category: fuel }, signal),
      import('../map/map.js'), import('../map/plants.js'), import('../map/regions.js'), import('../map/legend.js')]);
    const at = states.meta.year;
    const has = (/** @type {string} */ level) => snapshots.data.some((/** @type {any} */ one) => one.level === level && one.year === at && one.status === 'published' && (!release || one.release === (release === 'none' ? '' : release)));
    const question = { year: String(at ?? ''), release };
    const modules = { map, plants, regions, legend };
    if (has('PLNT')) {
      const placed = await get('plants/search', { ...question, state, fuel_category: fuel, filter: 'latitude present', columns: 'plant_name', limit: 1 }, signal);
      if (placed.meta.total) {
        const loaded = await plants.loadPlants({ ...question, state, fuel_category: fuel }, signal);
        return { data: { modules, plants: loaded.plants }, meta: { ...loaded.meta, revision: states.meta.revision }, links: {} };
      }
    }
    if (!fuel && has('ST')) {
      const of = await regions.loadRegions('ST', 'co2_output_rate_lb_per_mwh', question, signal);
      if (of.regions.some(({ value }) => value !== null)) return { data: { modules, of, label: 'CO2 output rate' }, meta: { ...of.meta, basis: 'ST', revision: states.meta.revision }, links: {} };
    }
    const of = { regions: states.data.filter((/** @type {any} */ one) => one.state).map((/** @type {any} */ one) => ({ code: one.state, name: stateName(one.state), value: one.net_generation_mwh })),
      measure: 'net_generation_mwh', unit: 'MWh', columns: [], units: {}, rounded: false, level: 'ST', meta: states.meta };
    return { data: { modules, of, label: 'Net generation' }, meta: states.meta, links: {} };
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #show({ data, meta }, body) {
    const { modules, plants, of, label } = data;
    const { PlantMap } = modules.map;
    const { state } = this.choices.chosen;
    this.link.href = this.app.link({ state, fuel_category: this.choices.chosen.fuel_category }, 'map');
    this.map ??= new PlantMap();
    const map = /** @type {import('../map/map.js').PlantMap} */ (this.map);
    const from = `From the ${sheetName(meta.basis ?? '', meta.release)}`;
    if (plants) {
      const { dots, keys } = modules.plants.dotsOf(plants, { by: 'fuel_category', link: (/** @type {string} */ id) => this.app.link({ plant: id, year: meta.year ?? null }, 'plant') });
      this.title.textContent = `Plants by fuel and net generation, ${meta.year}`;
      map.show({ land: modules.regions.groundOf(), areas: [], dots, marks: plural(dots.length, 'plant'), cut: false, borders: false });
      body.replaceChildren(map.element, modules.legend.legendOf('Colour: fuel category. Size: net generation', keys, 'dot'), el('p', { class: 'quiet' }, `${from}; ${plural(plants.length - dots.length, 'plant')} without a place on the map.`));
      return null;
    }
    if (!of.regions.length) return 'There are no states to draw.';
    const { areas, keys, lost } = modules.regions.areasOf(of, { land: modules.regions.stateLand(), link: (/** @type {string} */ code) => this.app.link({ state: code === state ? '' : code }) });
    for (const area of areas) area.selected = area.code === state;
    this.title.textContent = `${label} by state, ${meta.year}`;
    map.show({ land: [], areas, dots: [], marks: plural(areas.length, 'state'), cut: false, borders: false });
    body.replaceChildren(map.element, modules.legend.legendOf(`${label}, ${of.unit}; classes of about as many states. A state narrows this view`, keys, 'block'),
      el('p', { class: 'quiet' }, [meta.basis ? from : 'From the sheets that the chart of states names', lost.length ? `not on the map: ${lost.map((/** @type {any} */ one) => one.code).join(', ')}` : ''].filter(Boolean).join('; '), '.'));
    return null;
  }
}
