// One emission factor, with all that it takes to believe it; other factors of the
// same place; other places and years; and emissions of a table of sites.

import { get, send } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { full, plural } from '../core/format.js';
import { columnLabel, levelName, releaseName } from '../core/names.js';
import { ghostLines, ghostPlot, Part, partOf, problemBox } from '../core/part.js';
import { draw } from './draw.js';
import { explained, permanentOf } from './explain.js';
import { Inventory } from './inventory.js';
import { choice, copyButton, field, notes, number, numberHead, table } from './parts.js';
import { editionsOf, levels, namesOf, placeName } from './places.js';
import { amountOf, bodyOf, citationOf, emissions, gases, gwps, kinds, levelOf, parametersOf, placeChanges, places, predominant, questionOf, unitsOf } from './question.js';

/** @import { Answer, App, Shown, View } from '../core/types.js' */

/** @type {View} */
export const view = {
  id: 'factors', label: 'Factors',
  about: 'Emission factors of electricity by ZIP code, state, eGRID subregion or balancing authority, with formula, sources and a citation, and emissions of a list of sites',
  show: (root, app) => new Factors(root, app),
};

/** @type {(record: Record<string, string>) => [string, string][]} */
const options = (record) => Object.entries(record);
const whole = [...Object.keys(levels), 'PLNT']; // sheets that factors are read from
const many = 100; // plants that are shown at first

const unasked = 'Choose a place: its factor, with formula, inputs and sources, stands here.';

/** @implements {Shown} */
class Factors {
  /**
   * @param {HTMLElement} root
   * @param {App} app
   */
  constructor(root, app) {
    this.app = app;
    this.q = questionOf(app.address);
    /** @type {Answer | null} */
    this.factor = null;
    /** @type {any[]} */
    this.snapshots = [];
    /** @type {Map<string, string>} */
    this.names = new Map();
    this.listed = '';
    this.kindOfPlace = this.q.place?.kind ?? 'subregion'; // what is to be chosen from, before a place is
    this.where = choice('factor-where', (kind) => {
      this.kindOfPlace = kind;
      if (kind === 'us') return app.go(placeChanges('us', ''));
      this.controls.refresh().then(() => (kind === 'zip' || kind === 'plants' ? this.typed : this.place.element).focus());
      return undefined;
    });
    this.place = choice('factor-place', (code) => app.go(placeChanges(this.kindOfPlace, code)));
    this.typed = el('input', { id: 'factor-typed', autocomplete: 'off', spellcheck: 'false', change: () => app.go(placeChanges(this.kindOfPlace, this.typed.value.trim())) });
    this.typed.addEventListener('input', () => {
      if (this.kindOfPlace === 'zip' && /^\d{5}$/.test(this.typed.value.trim())) app.go(placeChanges('zip', this.typed.value.trim()));
    });
    this.selects = Object.fromEntries(['gas', 'kind', 'gwp', 'unit', 'year', 'release'].map((name) => [name, choice(`factor-${name}`, (value) => app.go({ [name]: value, ...(name === 'year' ? { release: null } : {}) }))]));
    this.delivered = el('input', { id: 'factor-delivered', type: 'checkbox', change: () => app.go({ delivered: this.delivered.checked ? 'true' : null }) });
    const select = (/** @type {string} */ name) => this.selects[name].element;
    this.placeField = field('Which', this.place.element, 'search');
    this.typedField = field('Which', this.typed, 'search');
    this.gwpField = field('CH4 and N2O count', select('gwp'));
    this.controls = new Part(el('section', { class: 'card', 'aria-labelledby': 'factors-title', 'data-part': true }, el('h2', { id: 'factors-title' }, 'Emission factor of electricity'),
      el('div', { class: 'filters' }, field('Place', this.where.element), this.placeField, this.typedField, field('Gas', select('gas')), field('Per MWh of', select('kind')), this.gwpField,
        field('Unit', select('unit')), field('Data year', select('year')), field('Release', select('release')),
        el('label', { class: 'check' }, this.delivered, ' Delivered to the customer (with grid losses)'),
        el('a', { class: 'button', href: app.link({ layer: 'subregions', opens: 'factors' }, 'map') }, 'Choose on the map')),
      el('div', { 'data-body': true })), { load: (signal) => this.#ask(signal), show: (_, body) => this.#fill(body) });

    this.kwh = el('input', { id: 'factor-kwh', inputmode: 'decimal', autocomplete: 'off', placeholder: '120,000', input: () => {
      this.#calculate();
      app.go({ kwh: this.kwh.value.trim() }, { step: false });
    } });
    this.emitted = el('output', { id: 'factor-emissions', for: 'factor-kwh' });
    const clear = () => app.go({ ...placeChanges('subregion', ''), gas: null, kind: null, gwp: null, unit: null, delivered: null, year: null, release: null });
    this.answer = partOf({ id: 'factor', class: 'card', ghost: [this.q.place ? ghostLines(8) : el('p', { class: 'empty' }, unasked)] }, { load: (signal) => this.#factor(signal), show: (answer, body) => this.#show(answer, body), fail: () => this.#none(), clear });
    this.others = partOf({ id: 'factor-others', title: 'All gases and kinds', ghost: [ghostLines(6)] }, { load: (signal) => this.#all(signal), show: (answer, body) => this.#table(answer, body), clear });
    this.rank = partOf({ id: 'factor-rank', ghost: [ghostPlot()] }, { load: (signal) => this.#everywhere(signal), show: (answer, body) => this.#ranking(answer, body), clear });
    this.trend = partOf({ id: 'factor-trend', ghost: [ghostPlot()] }, { load: (signal) => this.#always(signal), show: (answer, body) => this.#years(answer, body), clear });
    this.charts = el('div', { class: 'pair' }, this.rank.root, this.trend.root);
    this.inventory = new Inventory(app, () => this.q);
    this.#fill(this.controls.body); // so that nothing moves when the lists are there
    root.append(this.controls.root, this.answer.root, this.others.root, this.inventory.element, this.charts);
    this.update(app.address);
  }

  /** @param {URLSearchParams} address */
  update(address) {
    const before = this.q;
    this.q = questionOf(address);
    if (this.q.place) this.kindOfPlace = this.q.place.kind;
    if (document.activeElement !== this.kwh) this.kwh.value = this.q.kwh;
    if (this.factor && JSON.stringify({ ...before, kwh: '' }) === JSON.stringify({ ...this.q, kwh: '' })) return this.#calculate();
    this.#reveal(this.q.place !== null);
    this.inventory.changed();
    this.controls.refresh();
    this.answer.refresh();
    return undefined;
  }

  parts() { return [this.controls, this.answer, this.others, this.rank, this.trend]; }

  leave() { this.inventory.stop(); }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    const level = levelOf[this.kindOfPlace];
    const [snapshots, found] = await Promise.all([get('snapshots', {}, signal), level && level !== 'US' ? namesOf(level, signal).catch((error) => {
      if (signal.aborted || error.status !== 404) throw error;
      return { names: new Map() }; // no such sheet: its plants may answer, or nothing does
    }) : { names: new Map() }]);
    this.snapshots = snapshots.data;
    this.names = found.names;
    return snapshots;
  }

  /** @param {HTMLElement} body */
  #fill(body) {
    const { q, kindOfPlace: kind } = this;
    body.replaceChildren();
    const zip = this.snapshots.some(({ level, status }) => level === 'ZIP' && status === 'published');
    this.where.fill(options(places).filter(([name]) => name !== 'zip' || zip || kind === 'zip'), kind);
    const types = kind === 'zip' || kind === 'plants';
    this.placeField.hidden = types || kind === 'us';
    this.typedField.hidden = !types;
    this.typed.placeholder = kind === 'zip' ? 'Five digits' : 'ORIS codes, with commas between';
    if (document.activeElement !== this.typed || this.listed !== kind) this.typed.value = q.place?.kind === kind ? q.place.code : '';
    this.listed = kind;
    const level = levelOf[kind];
    this.place.fill([['', 'Choose'], ...[...this.names].map(([code]) => /** @type {[string, string]} */ ([code, placeName(level, code, this.names)]))], q.place?.kind === kind ? q.place.code : '');
    const editions = editionsOf(this.snapshots, whole);
    const years = [...new Set(editions.map(({ year }) => String(year)))];
    const releases = editions.filter(({ year }) => String(year) === (q.year || years[0])).map(({ release }) => release);
    /** @type {Record<string, [[string, string][], string]>} */
    const lists = {
      gas: [options(gases), q.gas], kind: [options(kinds), q.kind], gwp: [options(gwps), q.gwp],
      unit: [unitsOf(q.kind).map((unit) => [unit, unit]), unitsOf(q.kind).includes(q.unit) || !unitsOf(q.kind === 'input' ? 'output' : 'input').includes(q.unit) ? q.unit || unitsOf(q.kind)[0] : unitsOf(q.kind)[0]],
      year: [[['', 'Newest'], ...years.map((year) => /** @type {[string, string]} */ ([year, year]))], q.year],
      release: [[['', 'Newest'], ...releases.map((release) => /** @type {[string, string]} */ ([release || 'none', releaseName(release)]))], q.release],
    };
    for (const [name, [list, value]] of Object.entries(lists)) this.selects[name].fill(list, value);
    this.gwpField.hidden = q.gas !== 'co2e';
    this.delivered.checked = q.delivered && q.kind !== 'input';
    this.delivered.disabled = q.kind === 'input';
  }

  /**
   * #factor asks the crosswalk first where the place is a ZIP code.
   * @param {AbortSignal} signal
   * @returns {Promise<Answer & {crosswalk?: Answer}>}
   */
  async #factor(signal) {
    const { place } = this.q;
    const snapshots = await get('snapshots', {}, signal);
    this.snapshots = snapshots.data;
    if (!place) return { ...snapshots, data: null };
    if (place.kind !== 'zip') return get('factors', parametersOf(this.q, place), signal);
    // The crosswalk has years and releases of its own.
    const crosswalk = await get(`crosswalk/zip/${encodeURIComponent(place.code)}`, {}, signal);
    const subregion = predominant(crosswalk.data);
    if (!subregion) return { ...crosswalk, data: null, crosswalk };
    return { ...await get('factors', parametersOf(this.q, { kind: 'subregion', code: subregion }), signal), crosswalk };
  }

  #none() {
    this.factor = null;
    this.#reveal(false);
  }

  // #reveal shows what stands beside a factor.
  /** @param {boolean} there */
  #reveal(there) { this.others.root.hidden = this.charts.hidden = !there; }

  /**
   * @param {Answer & {crosswalk?: Answer}} answer
   * @param {HTMLElement} body
   */
  #show(answer, body) {
    const { data, crosswalk } = answer;
    this.factor = data ? answer : null;
    const candidates = crosswalk ? this.#candidates(crosswalk) : null;
    if (!data) {
      this.#none();
      this.app.title('Factors');
      if (!candidates) return unasked;
      body.replaceChildren(candidates);
      return null;
    }
    const place = data.region ? placeName(data.region.level, data.region.code, new Map([[data.region.code, data.region.name ?? this.names.get(data.region.code) ?? data.region.code]])) : plural(data.plants?.length ?? 0, 'plant');
    const name = `${gases[data.gas]} ${nameOfKind(data.kind)}${data.delivered ? ' of delivered electricity' : ''}`;
    const permanent = permanentOf('factors', answer);
    const cited = el('p', { class: 'cited' }, citationOf(data.citation, permanent, new Date()));
    const gwp = data.gwp === 'published' ? this.snapshots.find((s) => s.year === data.year && s.release === data.release && s.gwp)?.gwp : data.gwp;
    this.app.title(`${name}, ${place}`);
    body.replaceChildren(
      el('div', { class: 'answer' },
        el('div', {},
          el('h2', { id: 'factor-title' }, `${name}: ${place}`),
          el('p', { class: 'large', title: `${full(data.value)} ${data.unit}` }, el('b', {}, number(data.value, data.unit).text), ' ', el('small', {}, data.unit)),
          el('p', {}, [
            `${data.authority}, eGRID${data.year} (release ${releaseName(data.release)})`,
            data.basis === 'PLNT' ? 'summed from its plants' : `from the ${levelName(data.basis)}`,
            data.published === null ? 'no such figure was published' : `published: ${full(data.published)} ${data.unit}`,
            data.gas === 'co2e' ? `CH4 and N2O count by ${gwp ? gwp.toUpperCase() : 'an unknown set of GWPs'}${data.gwp === 'published' ? ', as published' : ''}` : '',
            data.rounded ? 'rests on a figure that the file held rounded' : '',
          ].filter(Boolean).join(' · ')),
          candidates),
        el('div', { class: 'calculator' }, field('Electricity used, kWh', this.kwh), this.emitted)),
      explained(data, { value: data.value, unit: data.unit, permanent }),
      this.#plants(),
      el('div', { class: 'cite' }, el('h3', {}, 'Cite it'), cited, copyButton('Copy the citation', () => cited.textContent ?? '', cited, (text) => this.app.say(text))));
    this.#calculate();
    this.#reveal(true);
    for (const part of [this.others, this.rank, this.trend]) part.refresh();
    return null;
  }

  /** @param {Answer} crosswalk */
  #candidates({ data }) {
    const chosen = predominant(data);
    return el('div', { class: 'candidates' },
      el('p', {}, `ZIP code ${data[0].zip}${data[0].state ? `, ${data[0].state}` : ''}: `, plural(data.length, 'subregion serves it', 'subregions serve it'),
        chosen ? data.length > 1 ? '; the factor is that of the predominant one.' : '.' : ', and the crosswalk does not tell which one does most. Choose one:'),
      el('ul', {}, data.map((/** @type {any} */ c) => el('li', {},
        el('a', { href: this.app.link(placeChanges('subregion', c.subregion)) }, c.subregion), c.predominant ? ' (predominant)' : '',
        c.utilities.length ? `, through ${c.utilities.map((/** @type {any} */ u) => u.name ?? u.id).filter(Boolean).join('; ')}` : ''))));
  }

  // #plants lists what the inputs are sums of, when it is asked for.
  #plants() {
    const list = el('div', {});
    const details = el('details', { class: 'values', id: 'factor-plants' }, el('summary', {}, 'Plants that the inputs are sums of'), list);
    details.addEventListener('toggle', async () => {
      if (!details.open || list.childElementCount || !this.factor) return;
      const { data, links } = this.factor;
      list.replaceChildren(ghostLines(4));
      const ask = async () => {
        try {
          const asked = { ...Object.fromEntries(new URL(links.permanent ?? links.self ?? '', document.baseURI).searchParams), explain: 'true' };
          delete (/** @type {any} */ (asked).snapshot); // plants are of another sheet
          const { data: more } = await get('factors', { ...asked, year: data.year, release: data.release || 'none' });
          list.replaceChildren(...(more.plants?.length ? this.#shares(more.plants) : [notes(more.notes.length ? more.notes : ['The plants cannot be listed.']) ?? '']));
        } catch (error) {
          list.replaceChildren(problemBox(/** @type {Error} */ (error), ask));
        }
      };
      await ask();
    });
    return details;
  }

  /** @param {any[]} plants */
  #shares(plants) {
    const names = [...new Set(plants.flatMap(({ amounts }) => Object.keys(amounts)))].sort();
    const part = (/** @type {any} */ plant) => (plant.amounts[names[0]] ?? 0) * plant.weight;
    const sorted = plants.toSorted((a, b) => part(b) - part(a));
    const row = (/** @type {any} */ plant) => el('tr', {}, el('th', { scope: 'row' }, el('a', { href: this.app.link({ plant: plant.id }, 'plant') }, plant.name || plant.id)),
      el('td', { class: 'number' }, full(plant.weight)), ...names.map((name) => el('td', { class: 'number' }, plant.amounts[name] === undefined ? '–' : full(plant.amounts[name]))));
    const made = table('Plants', ['Plant', numberHead('Counts by'), ...names.map((name) => numberHead(columnLabel(name)))], sorted.slice(0, many).map(row));
    const rest = sorted.length > many ? el('button', { type: 'button', click: () => {
      made.querySelector('tbody')?.append(...sorted.slice(many).map(row));
      rest?.remove();
    } }, `Show all ${plural(sorted.length, 'plant')}`) : null;
    return [made, ...(rest ? [rest] : [])];
  }

  #calculate() {
    const { factor } = this;
    if (!factor) return;
    const { data } = factor;
    const text = this.kwh.value.trim();
    const kwh = amountOf(text);
    const kg = emissions(kwh, data);
    if (text === '') return this.emitted.replaceChildren();
    if (Number.isNaN(kwh)) return this.emitted.replaceChildren(`“${text}” is no number of kWh: write it as 120,000 or 120000.5.`);
    if (kg === null) return this.emitted.replaceChildren('This factor is per heat of fuel burned, not per kWh.');
    const name = gases[data.gas];
    this.emitted.replaceChildren(el('b', { id: 'factor-kg', title: `${full(kg)} kg` }, `${full(Number(kg.toFixed(3)))} kg of ${name}`),
      el('span', {}, `${full(kwh)} kWh × ${full(data.value)} ${data.unit}`),
      el('span', {}, `${full(Number((kg / 1000).toFixed(6)))} t, or ${full(Number((kg / 0.45359237).toFixed(3)))} lb`));
    return undefined;
  }

  /**
   * #batch asks for many factors at once, each like the one that is shown but for
   * some parameters.
   * @param {Record<string, string>[]} queries
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #batch(queries, signal) {
    if (!this.factor || queries.length === 0) return { data: [], meta: { revision: this.answer.revision ?? 0 }, links: {} };
    return send('factors', { method: 'POST', body: JSON.stringify(queries.map(bodyOf)), headers: { 'Content-Type': 'application/json' }, signal });
  }

  // #same are the parameters of the factor that is shown, year and release included.
  /** @returns {Record<string, string>} */
  get #same() {
    const data = this.factor?.data;
    if (!data) return {};
    const place = data.region ? { kind: levels[data.region.level].parameter, code: data.region.level === 'US' ? 'true' : data.region.code } : this.q.place;
    return place ? parametersOf({ ...this.q, year: String(data.year), release: data.release || 'none', unit: data.unit }, place) : {};
  }

  /** @param {AbortSignal} signal */
  async #all(signal) {
    const asked = Object.keys(gases).flatMap((gas) => Object.keys(kinds).map((kind) => ({
      ...this.#same, gas, kind, gwp: gas === 'co2e' ? this.q.gwp : '', unit: kind === 'input' ? (this.q.kind === 'input' ? this.q.unit : '') : unitsOf('output').includes(this.q.unit) ? this.q.unit : '', delivered: kind === 'input' ? '' : this.#same.delivered,
    })));
    return this.#batch(asked, signal);
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #table({ data }, body) {
    if (data.length === 0) return unasked;
    const columns = Object.keys(kinds);
    const unit = (/** @type {number} */ i) => data.find((/** @type {any} */ r, /** @type {number} */ at) => at % columns.length === i && r.factor)?.factor.unit ?? '';
    body.replaceChildren(table('Factors of the place', ['Gas', ...columns.map((kind, i) => numberHead(nameOfKind(kind), ' ', el('small', {}, unit(i))))],
      Object.entries(gases).map(([gas, name], g) => el('tr', {}, el('th', { scope: 'row' }, name), ...columns.map((kind, i) => {
        const { factor, error } = data[g * columns.length + i];
        if (!factor) return el('td', { class: 'number quiet', title: error?.detail ?? 'not known' }, '–', el('span', { class: 'unseen' }, ` ${error?.detail ?? ''}`));
        const shown = number(factor.value, factor.unit);
        return el('td', { class: 'number', title: shown.title }, el('a', { href: this.app.link({ gas, kind, unit: kind === this.q.kind ? this.q.unit : null }), 'aria-current': gas === this.q.gas && kind === this.q.kind ? 'true' : null }, shown.text));
      })))));
    return null;
  }

  /** @param {AbortSignal} signal */
  #everywhere(signal) {
    const level = this.factor?.data.region?.level;
    const codes = level && level !== 'US' ? [...this.names.keys()] : [];
    return this.#batch(levelOf[this.kindOfPlace] === level ? codes.map((code) => ({ ...this.#same, [levels[level].parameter]: code })) : [], signal);
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #ranking({ data }, body) {
    const of = this.factor?.data;
    if (!of) return unasked;
    if (data.length === 0) return 'All places of a kind are compared here when a state, subregion, balancing authority or NERC region is chosen.';
    const { level, code } = of.region;
    const title = `${levels[level].many}: ${gases[of.gas]} ${nameOfKind(of.kind)}, ${of.year}`;
    const found = data.filter((/** @type {any} */ r) => r.factor).map((/** @type {any} */ r) => r.factor).sort((/** @type {any} */ a, /** @type {any} */ b) => b.value - a.value);
    draw(body, 'ranking', {
      title, unit: of.unit, x: { label: levels[level].one }, y: { label: `${gases[of.gas]} ${nameOfKind(of.kind)}` },
      series: [{ name: gases[of.gas], points: found.map((/** @type {any} */ f) => ({
        x: f.region.code, name: f.region.name ?? placeName(level, f.region.code, this.names), y: f.value, selected: f.region.code === code, href: this.app.link(placeChanges(levels[level].parameter, f.region.code)),
      })) }],
      source: `${of.authority}, eGRID${of.year}, ${sheetName(of.basis, of.release)}`, file: `factors-${level}-${of.year}`,
    });
    return null;
  }

  /** @param {AbortSignal} signal */
  #always(signal) {
    const years = [...new Set(editionsOf(this.snapshots, whole).map(({ year }) => String(year)))].sort();
    return this.#batch(years.map((year) => ({ ...this.#same, year, release: '' })), signal).then((answer) => ({ ...answer, years }));
  }

  /**
   * @param {Answer & {years: string[]}} answer
   * @param {HTMLElement} body
   */
  #years({ data, years }, body) {
    const of = this.factor?.data;
    if (!of || data.length === 0) return unasked;
    draw(body, 'lines', {
      title: `${gases[of.gas]} ${nameOfKind(of.kind)} over the years`, unit: of.unit, x: { label: 'Data year' }, y: { label: `${gases[of.gas]} ${nameOfKind(of.kind)}` },
      series: [{ name: of.region ? placeName(of.region.level, of.region.code, this.names) : 'The plants', points: data.map((/** @type {any} */ r, /** @type {number} */ i) => ({
        x: years[i], y: r.factor?.value ?? null, reason: r.error?.detail, from: r.factor ? `${r.factor.authority}, ${sheetName(r.factor.basis, r.factor.release)}` : undefined, selected: years[i] === String(of.year),
      })) }],
      source: 'each year in its newest release', file: `factor-years-${of.region?.code || 'plants'}`,
      notes: of.gas === 'co2e' && of.gwp === 'published' ? ['Editions count CH4 and N2O by different GWPs. Choose a set above to compare them alike.'] : [],
    });
    return null;
  }
}

/** @param {string} kind */
const nameOfKind = (kind) => ({ output: 'output emission rate', nonbaseload: 'non-baseload emission rate', combustion: 'combustion emission rate', input: 'input emission rate' }[kind] ?? kind);
