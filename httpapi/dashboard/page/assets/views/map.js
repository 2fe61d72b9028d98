// The view Map: plants as dots, states and subregions as areas.

import { chart } from '../charts/index.js';
import { modelOf } from '../charts/model.js';
import { download, pngOf, svgText } from '../charts/save.js';
import { valuesTable } from '../charts/table.js';
import { plantNotes } from '../core/notes.js';
import { Choices } from '../core/choices.js';
import { address as apiAddress, get } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { whenChosen } from '../core/chosen.js';
import { el } from '../core/dom.js';
import { plural } from '../core/format.js';
import { grouped } from '../core/groups.js';
import { columnLabel, fuelCategories, fuelName } from '../core/names.js';
import { partOf } from '../core/part.js';
import { sightOf, textOf } from '../map/glide.js';
import { legendOf, lostOf, sizesOf } from '../map/legend.js';
import { PlantMap } from '../map/map.js';
import { mapPicture } from '../map/picture.js';
import { colours, dotsOf, loadPlants } from '../map/plants.js';
import { areasOf, groundOf, loadRegions, stateLand } from '../map/regions.js';
import { shapes } from '../map/shapes.js';
import { territories } from '../map/territories.js';
import { tilesOf } from '../map/tiles.js';

/** @import { App, Meta, Shown, View } from '../core/types.js' */
/** @import { Chart, Kind, Spec } from '../charts/types.js' */
/** @typedef {import('../map/plants.js').Plant} Plant */
/** @typedef {import('../map/regions.js').Regions} Regions */

/** @type {View} */
export const view = {
  id: 'map', label: 'Map', about: 'Plants on the map by generation, fuel and CO2 rate; states and eGRID subregions by any measure',
  show(root, app) { return new MapView(root, app); },
};

const layers = { plants: 'Plants', states: 'States', subregions: 'Subregions', tiles: 'Subregions as tiles' };
const targets = { regions: 'Figures of the region', factors: 'Its emission factor' };
const noise = 400; // milliseconds that the map rests before its address is written

/** @implements {Shown} */
class MapView {
  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.app = app;
    this.moving = false; // the map was moved, and its address is not written yet
    this.choices = new Choices(app, { names: ['year', 'release', 'state', 'fuel_category'], states: true });
    this.map = new PlantMap({ sight: sightOf(app.address.get('at')), seen: (sight) => this.#seen(textOf(sight)) });
    this.layer = this.#select('map-layer', 'Show', 'layer');
    this.colour = this.#select('map-colour', 'Colour by', 'colour');
    this.measure = this.#select('map-measure', 'Measure', 'measure');
    this.opens = this.#select('map-opens', 'A click opens', 'opens');
    this.opens.select.append(...Object.entries(targets).map(([value, text]) => el('option', { value }, text)));
    this.layer.select.append(...Object.entries(layers).map(([value, text]) => el('option', { value }, text)));
    this.colour.select.append(...Object.entries(colours).map(([value, text]) => el('option', { value }, text)));
    this.note = el('p', { class: 'note', hidden: true });
    this.legend = el('div', { class: 'map-legend' });
    this.told = el('div', { class: 'map-told' });
    this.charts = el('div', { class: 'map-charts' });
    this.table = el('div', {});
    /** @type {{kind: Kind, chart: Chart} | null} */
    this.drawn = null;
    this.part = partOf({ id: 'map-part', class: 'card map-part' }, {
      load: (signal) => this.#load(signal), show: (answer, body) => this.#show(answer, body), clear: () => app.go({ measure: null, colour: null, year: null, release: null, state: null, fuel_category: null }), lead: 'The map is missing.',
    });
    this.part.body.replaceChildren(this.map.element);
    root.append(el('h2', { id: 'map-title', class: 'unseen' }, 'Map'), el('div', { class: 'map-choices' }, el('div', { class: 'filters' }, this.layer.field, this.colour.field, this.measure.field, this.opens.field), this.choices.root), this.part.root, this.charts);
    this.choices.part.refresh();
    this.#ask();
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const asked = this.#question(address);
    if (this.choices.update(address)) this.choices.part.refresh();
    if (asked !== this.asked) this.#ask();
    // What was just moved is not in the address yet.
    if (!this.moving && textOf(this.map.sight) !== (address.get('at') || null)) this.map.look(sightOf(address.get('at')));
  }

  parts() { return [this.choices.part, this.part]; }

  leave() {
    clearTimeout(this.timer);
    this.map.close();
  }

  #ask() {
    this.asked = this.#question(this.app.address);
    const layer = this.app.address.get('layer') ?? '';
    this.#controls(Object.hasOwn(layers, layer) ? layer : 'plants');
    this.part.refresh();
  }

  // #controls shows the fields of a layer.
  /** @param {string} layer */
  #controls(layer) {
    const plants = layer === 'plants';
    this.layer.select.value = layer;
    this.colour.field.hidden = !plants;
    this.measure.field.hidden = this.opens.field.hidden = plants;
    this.opens.select.value = this.app.address.get('opens') === 'factors' ? 'factors' : 'regions';
    for (const name of ['state', 'fuel_category']) this.choices.selects[name].parentElement?.toggleAttribute('hidden', !plants);
  }

  /** #question is what the picture depends on: all of the address but where it is looked at. @param {URLSearchParams} address */
  #question(address) { return ['layer', 'colour', 'measure', 'opens', 'year', 'release', 'state', 'fuel_category'].map((name) => address.get(name) ?? '').join('|'); }

  /** @param {string | null} at */
  #seen(at) {
    clearTimeout(this.timer);
    this.moving = true;
    this.timer = setTimeout(() => {
      this.moving = false;
      this.app.go({ at }, { step: false });
    }, noise);
  }

  /** @param {string} id @param {string} label @param {string} parameter */
  #select(id, label, parameter) {
    const select = el('select', { id });
    whenChosen(select, () => this.app.go({ [parameter]: select.value, ...(parameter === 'layer' ? { measure: null } : {}) }));
    return { select, field: el('label', { class: 'field' }, el('span', {}, label), select) };
  }

  // #load asks for what the layer needs. Without a layer in the address it is
  // plants; where none has a place, states.
  /** @param {AbortSignal} signal */
  async #load(signal) {
    const { year, release, state, fuel_category } = this.choices.chosen;
    const asked = this.app.address.get('layer') ?? '';
    const edition = { year, release };
    let layer = Object.hasOwn(layers, asked) ? asked : 'plants';
    /** @type {Awaited<ReturnType<typeof loadPlants>> | null} */
    let plants = null;
    if (layer === 'plants') plants = await loadPlants({ ...edition, state, fuel_category }, signal);
    else if (layer === 'subregions') plants = await this.#subregionPlants(edition, signal);
    /** @type {Node[]} */
    let instead = [];
    if (layer === 'plants' && plants && !plants.plants.some(({ at }) => at) && !asked) {
      instead = await this.#whereDrawn(plants, signal);
      layer = 'states';
    }
    const level = layer === 'states' ? 'ST' : 'SRL';
    const regions = layer === 'plants' ? null : await loadRegions(level, asked ? this.app.address.get('measure') ?? '' : '', edition, signal);
    const own = layer === 'subregions' ? await shapes() : null;
    const meta = /** @type {Meta} */ ((regions ?? plants)?.meta);
    return { data: { layer, plants, regions, instead, own }, meta, links: {} };
  }

  // #subregionPlants are the plants whose land the subregions are; where there are
  // none, the map says so.
  /** @param {Record<string, string>} edition @param {AbortSignal} signal */
  async #subregionPlants(edition, signal) {
    try {
      return await loadPlants(edition, signal);
    } catch (error) {
      if (error instanceof Error && 'status' in error && error.status === 404) return null;
      throw error;
    }
  }

  // #whereDrawn tells of which years plants can be drawn.
  /** @param {Awaited<ReturnType<typeof loadPlants>>} of @param {AbortSignal} signal */
  async #whereDrawn({ plants, meta }, signal) {
    const { data } = await get('plants/statistics', {}, signal);
    const years = data.levels.find((/** @type {any} */ one) => one.level === 'PLNT')?.years.filter((/** @type {number} */ year) => year !== meta.year) ?? [];
    const why = meta.basis === 'GEN' ? `the ${sheetName(meta.basis, meta.release)} has none, and no plant sheet of ${meta.year} is loaded` : `the ${sheetName(meta.basis ?? 'PLNT', meta.release)} has none`;
    return [el('span', {}, `None of the ${plural(plants.length, 'plant')} of ${meta.year} has coordinates: ${why}. States are shown instead. `,
      ...(years.length ? ['Plants can be drawn of ', ...years.flatMap((/** @type {number} */ year, /** @type {number} */ i) => [i ? ', ' : '', el('a', { href: this.app.link({ year, layer: 'plants', release: null }) }, String(year))]), '.'] : ['Load a plant sheet (PLNT) to see plants.']))];
  }

  /** @param {any} answer @param {HTMLElement} body */
  #show({ data: { layer, plants, regions, instead, own }, meta }, body) {
    this.#controls(layer);
    if (!body.contains(this.map.element)) body.replaceChildren(this.map.element);
    if (!body.contains(this.note)) body.replaceChildren(this.map.element, this.legend, this.note, this.told, this.table);
    if (regions && !regions.regions.length) {
      this.map.element.remove(); // what is put back is drawn anew
      this.charts.replaceChildren();
      return layer === 'states' ? 'No states to draw: neither a state sheet nor plants with states are loaded.' : 'No subregions to draw: no subregion sheet (SRL) is loaded.';
    }
    const notes = layer === 'plants' ? this.#plants(plants) : this.#regions(layer, regions, plants, own);
    this.note.hidden = notes.length + instead.length === 0;
    this.note.replaceChildren(...instead, ...notes.map((text) => el('span', {}, text)));
    this.app.title(['Map', layers[/** @type {keyof typeof layers} */ (layer)], meta.year].filter(Boolean).join(' · '));
    return null;
  }

  /** @param {Awaited<ReturnType<typeof loadPlants>>} of */
  #plants({ plants, worked, meta }) {
    const asked = this.app.address.get('colour') ?? '';
    const by = Object.hasOwn(colours, asked) ? asked : 'fuel_category';
    this.colour.select.value = by;
    const { dots, keys, largest } = dotsOf(plants, { by, link: (id) => this.#plantLink(id, meta) });
    this.map.show({ land: groundOf(), areas: [], dots, marks: 'plants', cut: false, borders: false });
    const source = sheetName(meta.basis ?? 'PLNT', meta.release);
    const legend = by === 'co2_rate' ? 'CO2 rate, lb/MWh; classes of about as many plants' : by === 'subregion' ? 'eGRID subregion; eight colours for all, neighbours differ' : colours[/** @type {keyof typeof colours} */ (by)];
    this.legend.replaceChildren(legendOf(legend, keys, 'dot'), sizesOf(largest));
    this.told.replaceChildren(el('p', { class: 'quiet' }, `${plural(dots.length, 'plant')} of ${meta.year} drawn, of ${plural(plants.length, 'plant')} that are chosen, from the ${source}. Rings are plants without positive net generation.`),
      lostOf('without coordinates', plants.filter(({ lost }) => lost === 'missing').map((plant) => this.#named(plant, meta))),
      lostOf('outside of the map', plants.filter(({ lost }) => lost === 'outside').map((plant) => this.#named(plant, meta))));
    const { year, release, state, fuel_category } = this.choices.chosen;
    const file = (/** @type {string} */ format, /** @type {string} */ name) => el('a', { class: 'button', download: true, 'aria-label': `Download ${name} of these plants`, href: apiAddress('plants/search', { year: year || meta.year, release, state, fuel_category, format }).href }, name);
    this.told.append(el('p', { class: 'actions' }, el('span', { class: 'quiet' }, 'Download'), file('csv', 'CSV'), file('geojson', 'GeoJSON'), ...this.#pictures({ title: `Power plants by net generation, ${meta.year}`, source, notes: [`${plural(dots.length, 'plant')} of ${plural(plants.length, 'plant')}; the area of a dot is its net generation.`, ...(worked && by === 'co2_rate' ? ['CO2 rates are worked out from CO2 and net generation.'] : [])], legend, keys })));
    this.#tableOf({ title: 'Plants on the map', unit: 'MWh', x: { label: 'Plant' }, y: { label: 'Net generation' }, source, from: 'Fuel category', series: [{ name: 'Plants', points: plants.filter(({ at }) => at).sort((a, b) => (b.generation ?? -Infinity) - (a.generation ?? -Infinity)).map((plant) => this.#point(plant, meta)) }] });
    this.#scatter(plants, source, meta, worked);
    return [...plantNotes(meta, { fuel: Boolean(this.choices.chosen.fuel_category) }), ...(worked ? ['The sheet has no CO2 rates of plants: they are worked out here from CO2 (2,000 lb to the short ton) and net generation.'] : [])];
  }

  /** @param {string} id @param {Meta} meta */
  #plantLink(id, meta) { return this.app.link({ plant: id, year: meta.year ?? null }, 'plant'); }

  /** @param {Plant} plant @param {Meta} meta */
  #named({ id, name, state }, meta) { return { text: state ? `${name} (${state})` : name, href: this.#plantLink(id, meta) }; }

  /** #regionLink opens what is chosen: the figures of a region, or its factor. @param {string} layer @param {string} code @param {Meta} meta */
  #regionLink(layer, code, meta) {
    const year = meta.year ?? null;
    return this.opens.select.value === 'factors' ? this.app.link({ [layer === 'states' ? 'state' : 'subregion']: code, year }, 'factors') : this.app.link({ level: layer === 'states' ? 'ST' : 'SRL', code, year }, 'regions');
  }

  /** @param {Plant} plant @param {Meta} meta */
  #point({ id, name, state, fuel, generation }, meta) {
    return { x: name, name: state ? `${name}, ${state}` : name, y: generation, from: fuel ? fuelName(fuel) : 'fuel missing', href: this.#plantLink(id, meta) };
  }

  /** @param {Plant[]} plants @param {string} source @param {Meta} meta @param {boolean} worked */
  #scatter(plants, source, meta, worked) {
    const year = meta.year ?? '';
    const series = fuelCategories().map((fuel) => ({
      name: fuelName(fuel), kind: `fuel-${fuel.toLowerCase()}`,
      points: plants.filter((plant) => plant.fuel === fuel && plant.rate !== null && plant.rate > 0).map((plant) => ({ x: plant.generation, y: plant.rate, name: plant.state ? `${plant.name}, ${plant.state}` : plant.name, href: this.#plantLink(plant.id, meta) })),
    })).filter(({ points }) => points.length > 0);
    if (series.length === 0) {
      this.charts.replaceChildren();
      return;
    }
    this.#chart('scatter', { title: `Net generation and CO2 rate of plants that emit, ${year}`, unit: 'lb/MWh', x: { label: 'Net generation', unit: 'MWh', log: true }, y: { label: 'CO2 output emission rate', log: true }, source, file: `plants-co2-rate-${year}`,
      notes: worked ? ['CO2 rates are worked out from CO2 and net generation.'] : [], series });
  }

  /** @param {string} layer @param {Regions} of @param {{plants: Plant[]} | null} plants @param {{land: Map<string, any>, source: string} | null} own */
  #regions(layer, of, plants, own) {
    const { regions, measure, unit, columns, units, rounded, level, meta } = of;
    const label = columnLabel(measure, unit);
    const source = sheetName(level, meta.release ?? meta.basis_release ?? '');
    this.measure.select.replaceChildren(...grouped(columns).map(([group, names]) => el('optgroup', { label: group }, names.map((name) => el('option', { value: name }, `${columnLabel(name, units[name])}${units[name] === 'fraction' ? '' : `, ${units[name]}`}`)))));
    this.measure.select.value = measure;
    const land = layer === 'states' ? stateLand() : layer === 'tiles' ? tilesOf(regions.map(({ code }) => code)) : own?.land ?? territories(seedsOf(plants?.plants ?? []));
    const { areas, keys, lost } = areasOf(of, { land, link: (code) => this.#regionLink(layer, code, meta), values: layer === 'tiles' });
    this.map.show({ land: layer === 'tiles' ? [] : groundOf(), areas, dots: [], marks: layer, cut: layer === 'subregions' && !own, borders: layer === 'subregions' });
    const legend = `${label}${unit === 'fraction' ? '' : `, ${unit}`}${rounded ? ', rounded in the sheet' : ''}; classes of about as many ${layer === 'states' ? 'states' : 'subregions'}`;
    this.legend.replaceChildren(legendOf(legend, keys, 'block'));
    this.told.replaceChildren(el('p', { class: 'quiet' }, `${plural(areas.length, 'area')} of ${meta.year}, from the ${source}.`),
      lostOf('without land on the map', lost.map(({ code, name }) => ({ text: name === code ? code : `${name} (${code})`, href: this.#regionLink(layer, code, meta) }))));
    /** @type {Spec} */
    const spec = { title: `${label} by ${layer === 'states' ? 'state' : 'eGRID subregion'}, ${meta.year}`, unit, x: { label: layer === 'states' ? 'State' : 'eGRID subregion' }, y: { label }, source, rounded, file: `${measure}-${level}-${meta.year}`.toLowerCase(),
      series: [{ name: label, points: regions.map(({ code, name, value }) => ({ x: code, name: name === code ? code : `${name} (${code})`, y: value, reason: 'the sheet has no value', href: this.#regionLink(layer, code, meta) })) }] };
    this.table.replaceChildren();
    this.#chart('ranking', spec);
    const notes = this.#boundaries(layer, areas.length, own);
    this.told.append(el('p', { class: 'actions' }, el('span', { class: 'quiet' }, 'Download the map'), this.#pictures({ title: spec.title, source, notes, legend, keys })));
    return notes;
  }

  // #boundaries says what the areas of subregions are.
  /** @param {string} layer @param {number} count @param {{source: string} | null} own */
  #boundaries(layer, count, own) {
    if (layer !== 'subregions') return [];
    if (own) return [`Boundaries: ${own.source}.`];
    return count ? ['Areas are the land that is nearer to a plant of the subregion than to any other plant: the subregions follow utilities, and have no boundaries of their own in the sheets.']
      : ['No plant of this year has both coordinates and a subregion, so no area can be drawn. Choose “Subregions as tiles”, or a year with a plant sheet.'];
  }

  // #pictures are buttons that save what is seen of the map.
  /** @param {Parameters<typeof mapPicture>[1]} o */
  #pictures(o) {
    const name = o.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    const button = (/** @type {'SVG' | 'PNG'} */ format) => el('button', { type: 'button', 'aria-label': `Download ${format}: ${o.title}`, click: async () => {
      try {
        const picture = mapPicture(this.map, o);
        download(format === 'SVG' ? new Blob([svgText(picture.node)], { type: 'image/svg+xml' }) : await pngOf(picture), `${name}.${format.toLowerCase()}`);
      } catch (error) {
        console.error(error);
        this.told.prepend(el('p', { class: 'problem', role: 'alert' }, `The ${format} was not made: ${error instanceof Error ? error.message : String(error)}.`));
      }
    } }, format);
    return [button('SVG'), button('PNG')];
  }

  // #chart shows a chart below the map; one of the same kind stays and shows the
  // other values.
  /** @param {Kind} kind @param {Spec} spec */
  #chart(kind, spec) {
    if (this.drawn?.kind === kind && this.charts.firstChild) this.drawn.chart.update(spec);
    else {
      this.drawn = { kind, chart: chart(kind, spec) };
      this.charts.replaceChildren(el('section', { class: 'card' }, this.drawn.chart.element));
    }
  }

  /** @param {Spec} spec */
  #tableOf(spec) { this.table.replaceChildren(valuesTable(() => modelOf('bars', spec), 'map-title')); }
}

/** @param {Plant[]} plants */
function seedsOf(plants) {
  return plants.filter(({ at, subregion }) => at && subregion).sort((a, b) => (a.generation ?? 0) - (b.generation ?? 0))
    .map(({ at, subregion, part }) => ({ x: at?.x ?? 0, y: at?.y ?? 0, code: subregion, part }));
}
