// What is chosen: kept in the address, so that a view can be linked.
// @ts-nocheck

import { get } from '../core/api.js';
import { byID, el } from '../core/dom.js';
import { fuelCategories, fuelName, stateName } from '../core/names.js';
import { Part } from '../core/part.js';

const names = ['year', 'state', 'fuel_category', 'q'];
const pause = 250; // milliseconds without a key until a search begins

export class Filters {
  // changed is called when something else is chosen.
  constructor(changed) {
    this.changed = changed;
    this.inputs = { year: byID('filter-year'), state: byID('filter-state'), fuel_category: byID('filter-fuel'), q: byID('filter-q') };
    for (const code of fuelCategories()) this.inputs.fuel_category.append(el('option', { value: code }, fuelName(code)));
    this.chosen = {};
    this.fromAddress();
    for (const name of ['year', 'state', 'fuel_category']) {
      this.inputs[name].addEventListener('change', () => this.set({ [name]: this.inputs[name].value }));
    }
    this.#listenToSearch();
    byID('clear').addEventListener('click', () => {
      this.clear();
      this.inputs.q.focus();
    });
    this.part = new Part(byID('filters-part'), {
      load: async (signal) => {
        const [years, states] = await Promise.all([get('plants/years', {}, signal), get('plants/states', { year: this.chosen.year }, signal)]);
        return { years: years.data, states: states.data, meta: states.meta };
      },
      show: (answer, body) => {
        body.replaceChildren();
        this.#options(answer);
      },
      clear: () => this.clear(),
      lead: 'The lists of years and states are missing.',
    });
  }

  // where is what the charts can be asked for: they know no words.
  where() {
    const { q, ...rest } = this.chosen;
    return rest;
  }

  any() { return names.some((name) => this.chosen[name]); }

  clear() { this.set(Object.fromEntries(names.map((name) => [name, '']))); }

  // set chooses, writes the address and tells the page. Typing replaces the
  // address, anything else makes a step to go back to.
  set(values, { step = true } = {}) {
    const before = { ...this.chosen };
    Object.assign(this.chosen, values);
    if (this.inputs.q.value.trim() !== this.chosen.q && 'q' in values) this.inputs.q.value = this.chosen.q;
    if (names.every((name) => before[name] === this.chosen[name])) return;
    this.#toInputs();
    writeAddress(this.chosen, step);
    this.changed(before);
  }

  // fromAddress takes over what the address says, and tells whether that is
  // anything else.
  fromAddress() {
    const query = new URLSearchParams(location.search);
    const before = { ...this.chosen };
    for (const name of names) this.chosen[name] = (query.get(name) ?? '').trim();
    this.chosen.state = this.chosen.state.toUpperCase();
    this.chosen.fuel_category = this.chosen.fuel_category.toUpperCase();
    this.inputs.q.value = this.chosen.q;
    this.#toInputs();
    return names.some((name) => before[name] !== this.chosen[name]) ? before : null;
  }

  // The words are left alone: somebody may be typing.
  #toInputs() {
    for (const name of ['year', 'state', 'fuel_category']) choose(this.inputs[name], this.chosen[name]);
    byID('clear').hidden = !this.any();
  }

  #options({ years, states, meta }) {
    const newest = years.at(-1)?.year;
    this.inputs.year.replaceChildren(
      el('option', { value: '' }, newest ? `Newest (${newest})` : 'Newest'),
      ...years.toReversed().map(({ year }) => el('option', { value: year }, year)));
    const named = states.filter(({ state }) => state).map(({ state }) => [state, stateName(state)]);
    named.sort(([, a], [, b]) => a.localeCompare(b));
    this.inputs.state.replaceChildren(
      el('option', { value: '' }, 'All states'),
      ...named.map(([code, name]) => el('option', { value: code }, name === code ? code : `${name} (${code})`)));
    this.inputs.state.title = meta.year ? `States with plants in ${meta.year}` : '';
    this.#toInputs();
  }

  #listenToSearch() {
    let timer;
    const apply = () => {
      clearTimeout(timer);
      this.set({ q: this.inputs.q.value.trim() }, { step: false });
    };
    this.inputs.q.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(apply, pause);
    });
    this.inputs.q.addEventListener('change', apply);
    this.inputs.q.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') apply();
    });
  }
}

// choose selects a value, as an option of its own when there is none of it: the
// address may ask for what is not loaded.
function choose(select, value) {
  for (const option of [...select.options]) if (option.dataset.extra && option.value !== value) option.remove();
  if (![...select.options].some((option) => option.value === value)) {
    select.append(el('option', { value, 'data-extra': true }, `${value} (not loaded)`));
  }
  select.value = value;
}

// writeAddress puts values into the address, and leaves the rest of it.
export function writeAddress(values, step) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href === location.href) return;
  history[step ? 'pushState' : 'replaceState'](null, '', url);
}
