// What is chosen: fields that stand for parameters of the address.

import { get } from './api.js';
import { whenChosen } from './chosen.js';
import { el } from './dom.js';
import { plural } from './format.js';
import { fuelCategories, fuelName, releaseName, stateName } from './names.js';
import { Part } from './part.js';

/** @import { App } from './types.js' */

/** @typedef {{value: string | number | null, count: number}[]} Facet */

/** @type {Record<string, {id: string, label: string, all: string, name: (code: string) => string}>} */
const fields = {
  year: { id: 'filter-year', label: 'Data year', all: 'Newest', name: (code) => code },
  release: { id: 'filter-release', label: 'Release', all: 'Newest', name: (code) => (code === 'none' ? 'unmarked' : code) },
  state: { id: 'filter-state', label: 'State', all: 'All states', name: stateName },
  fuel_category: { id: 'filter-fuel', label: 'Fuel category', all: 'All fuels', name: fuelName },
  fuel: { id: 'filter-primary-fuel', label: 'Primary fuel', all: 'All', name: (code) => code },
  subregion: { id: 'filter-subregion', label: 'eGRID subregion', all: 'All', name: (code) => code },
  balancing_authority: { id: 'filter-ba', label: 'Balancing authority', all: 'All', name: (code) => code },
  nerc_region: { id: 'filter-nerc', label: 'NERC region', all: 'All', name: (code) => code },
};

const pause = 250; // milliseconds without a key until a search begins

/** upper are codes that are written in capitals. */
const upper = new Set(['state', 'fuel_category']);

export class Choices {
  /**
   * names are the parameters, in the order of their fields; search adds words.
   * With states, those of the chosen year are asked for; else counts() tells.
   * @param {App} app
   * @param {{names: string[], search?: boolean, states?: boolean, more?: string[], also?: string[]}} o
   *   more are fields that are folded away; also are parameters without a field that Clear removes
   */
  constructor(app, { names, search = false, states = false, more = [], also = [] }) {
    this.app = app;
    this.names = [...names, ...more];
    this.more = more;
    this.also = also;
    /** @type {Record<string, string>} */
    this.chosen = {};
    /** @type {Record<string, HTMLSelectElement>} */
    this.selects = Object.fromEntries(this.names.map((name) => [name, el('select', { id: fields[name].id }, el('option', { value: '' }, fields[name].all))]));
    for (const name of this.names) whenChosen(this.selects[name], () => app.go({ [name]: this.selects[name].value }));
    for (const code of 'fuel_category' in this.selects ? fuelCategories() : []) this.selects.fuel_category.append(el('option', { value: code }, fuelName(code)));
    this.q = search ? this.#search() : null;
    this.clearButton = el('button', { id: 'clear', type: 'button', hidden: true, click: () => {
      this.clear();
      (this.q ?? this.selects[this.names[0]]).focus();
    } }, 'Clear');
    // Most data years have one release: the field comes when there are several.
    const field = (/** @type {string} */ name) => el('label', { class: 'field', hidden: name === 'release' && !app.address.get('release') }, el('span', {}, fields[name].label), this.selects[name]);
    this.folded = more.length ? el('details', { class: 'folded' }, el('summary', {}, 'More filters'), el('div', { class: 'filters' }, more.map(field))) : null;
    this.root = el('div', { class: 'choices', role: 'search', 'aria-label': 'Choose plants' },
      el('div', { id: 'filters', class: 'filters' },
        this.q ? el('label', { class: 'field search' }, el('span', {}, 'Search'), this.q) : null, names.map(field), this.clearButton),
      this.folded,
      el('div', { id: 'filters-part', 'data-part': true }, el('div', { 'data-body': true })));
    this.part = new Part(/** @type {HTMLElement} */ (this.root.querySelector('#filters-part')), {
      load: async (signal) => {
        const { year, release } = this.chosen;
        const [years, snapshots, inStates] = await Promise.all([get('plants/years', {}, signal), get('snapshots', {}, signal),
          states ? get('plants/states', { year, release }, signal) : null]);
        return { data: { years: years.data, snapshots: snapshots.data, states: inStates }, meta: years.meta, links: {} };
      },
      show: ({ data }, body) => {
        body.replaceChildren();
        this.#editions(data);
        if (data.states) this.counts({ state: data.states.data.map((/** @type {any} */ row) => ({ value: row.state, count: row.plants })) });
      },
      clear: () => this.clear(),
      lead: 'The lists of years are missing.',
    });
    this.update(app.address);
  }

  /** any tells whether anything is chosen. */
  any() { return [...this.names, 'q'].some((name) => this.chosen[name]) || this.also.some((name) => this.app.address.has(name)); }

  clear() { this.app.go(Object.fromEntries([...this.names, ...this.also, 'q'].map((name) => [name, '']))); }

  /**
   * update takes over what the address says, and tells which years are meant
   * now if that is another edition than before.
   * @param {URLSearchParams} address
   */
  update(address) {
    const before = this.chosen;
    this.chosen = { q: (address.get('q') ?? '').trim() };
    for (const name of this.names) {
      const value = (address.get(name) ?? '').trim();
      this.chosen[name] = upper.has(name) ? value.toUpperCase() : value;
    }
    // The words are left alone while they say the same: somebody may be typing.
    if (this.q && this.q.value.trim() !== this.chosen.q) this.q.value = this.chosen.q;
    this.#toSelects();
    if (this.folded && (this.more.some((name) => this.chosen[name]) || this.also.some((name) => address.has(name)))) this.folded.open = true;
    return before.year !== this.chosen.year || before.release !== this.chosen.release;
  }

  /**
   * counts writes how many plants each value has. Values are sorted by name.
   * @param {Record<string, Facet>} facets
   */
  counts(facets) {
    for (const [name, facet] of Object.entries(facets)) {
      const { all, name: nameOf } = fields[name];
      const known = facet.filter(({ value }) => value !== null && value !== '').map(({ value, count }) => ({ code: String(value), words: nameOf(String(value)), count }));
      if (name === 'fuel_category') {
        for (const code of fuelCategories()) if (!known.some((one) => one.code === code)) known.push({ code, words: fuelName(code), count: 0 });
        known.sort((a, b) => fuelCategories().indexOf(a.code) - fuelCategories().indexOf(b.code));
      } else {
        known.sort((a, b) => a.words.localeCompare(b.words));
      }
      this.selects[name].replaceChildren(el('option', { value: '' }, all), ...known.map(({ code, words, count }) => el('option', { value: code, title: count === null ? null : plural(count, 'plant') },
        [words === code || name === 'fuel_category' ? words : `${words} (${code})`, count === null ? '' : ` · ${count.toLocaleString('en-US')}`].join(''))));
    }
    this.#toSelects();
  }

  #toSelects() {
    for (const name of this.names) choose(this.selects[name], this.chosen[name]);
    this.clearButton.hidden = !this.any();
  }

  /** @param {{years: any[], snapshots: any[]}} data */
  #editions({ years, snapshots }) {
    const newest = years.at(-1)?.year;
    this.selects.year.replaceChildren(el('option', { value: '' }, newest ? `Newest (${newest})` : 'Newest'),
      ...years.toReversed().map(({ year }) => el('option', { value: year }, year)));
    if (this.selects.release) {
      const year = Number(this.chosen.year || newest);
      const releases = [...new Set(snapshots.filter((one) => one.year === year && one.status === 'published').map((one) => one.release))].sort();
      this.selects.release.replaceChildren(el('option', { value: '' }, 'Newest'),
        ...releases.map((release) => el('option', { value: release || 'none' }, releaseName(release))));
      this.selects.release.parentElement?.toggleAttribute('hidden', releases.length < 2 && !this.chosen.release);
    }
    this.#toSelects();
  }

  #search() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const input = el('input', { id: 'filter-q', type: 'search', maxlength: 200, autocomplete: 'off', spellcheck: 'false', placeholder: 'Name, operator, ORIS code, state or county' });
    const apply = () => {
      clearTimeout(timer);
      this.app.go({ q: input.value.trim() }, { step: false });
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(apply, pause);
    });
    input.addEventListener('change', apply);
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') apply();
    });
    return input;
  }
}

/**
 * choose selects a value, as an option of its own when there is none of it: the
 * address may ask for what is not loaded, or for several.
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
function choose(select, value) {
  for (const option of [...select.options]) if (option.dataset.extra && option.value !== value) option.remove();
  if (![...select.options].some((option) => option.value === value)) {
    select.append(el('option', { value, 'data-extra': true }, value.includes(',') ? value : `${value} (not here)`));
  }
  select.value = value;
}
