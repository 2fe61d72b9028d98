// The search at the head of every view: a combobox whose list has places to go. The
// factor of a place stands in the list itself.

import { get, send } from '../core/api.js';
import { byID, el } from '../core/dom.js';
import { releaseName } from '../core/names.js';
import { problemBox } from '../core/part.js';
import { goalsOf, plantGoals, zipGoals, zipOf } from './find-model.js';
import { number } from './parts.js';
import { levels, namesOf } from './places.js';
import { bodyOf, gases, parametersOf, questionOf } from './question.js';

/** @import { App } from '../core/types.js' */
/** @import { Goal, Region } from './find-model.js' */

const pause = 200; // milliseconds without a key until the plants are asked for
const mostPlants = 5;

/** @typedef {{regions: Region[], zip: boolean, revision: number}} Known */

export class Finder {
  /**
   * enter says that Enter was pressed before this was there.
   * @param {App} app
   * @param {{enter?: boolean}} [o]
   */
  constructor(app, { enter = false } = {}) {
    this.app = app;
    this.root = byID('finder');
    this.box = /** @type {HTMLInputElement} */ (byID('find'));
    this.sheet = byID('found-sheet');
    this.list = byID('found');
    this.note = el('p', { class: 'quiet', role: 'status' });
    this.trouble = el('div', {});
    this.list.after(this.note, this.trouble);
    /** @type {Goal[]} */
    this.goals = [];
    this.active = -1;
    this.late = false; // Enter came before the list
    this.stale = true; // the list is of what was typed before
    /** @type {Known | null} */
    this.known = null;
    this.look = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.box.addEventListener('input', () => this.#typed());
    this.box.addEventListener('focus', () => this.#again());
    this.box.addEventListener('click', () => this.#again());
    this.box.addEventListener('keydown', (event) => this.#key(event));
    this.root.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && this.root.contains(event.relatedTarget))) this.close();
    });
    this.root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.sheet.hidden) return;
      event.preventDefault(); // a browser would clear the box
      this.close();
      this.box.focus();
    });
    // The focus stays in the box while the list is used.
    this.list.addEventListener('mousedown', (event) => event.preventDefault());
    this.list.addEventListener('click', (event) => {
      const at = event.target instanceof Element ? [...this.list.children].indexOf(/** @type {Element} */ (event.target.closest('li'))) : -1;
      if (at >= 0) this.#go(this.goals[at]);
    });
    this.#again();
    this.late = enter;
  }

  close() {
    clearTimeout(this.timer);
    this.look.abort();
    this.late = false;
    this.stale = true;
    this.sheet.hidden = true;
    this.list.removeAttribute('aria-busy');
    this.box.setAttribute('aria-expanded', 'false');
    this.#mark(-1);
  }

  #again() {
    if (this.sheet.hidden && this.box.value.trim()) this.#ask();
  }

  #typed() {
    clearTimeout(this.timer);
    this.look.abort();
    this.stale = true;
    this.late = false;
    this.list.setAttribute('aria-busy', 'true');
    this.#mark(-1);
    if (!this.box.value.trim()) return this.close();
    this.timer = setTimeout(() => this.#ask(), pause);
    return undefined;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key } = event;
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      event.preventDefault();
      if (this.sheet.hidden) return this.#again();
      const n = this.goals.length;
      if (n && !this.stale) this.#mark(key === 'ArrowDown' ? (this.active + 1) % n : (this.active <= 0 ? n : this.active) - 1);
    } else if (key === 'Enter' && this.box.value.trim()) {
      event.preventDefault();
      if (!this.stale && this.goals.length) return this.#go(this.goals[Math.max(0, this.active)]);
      if (this.stale && !this.late) this.#ask();
      this.late = true;
    }
    return undefined;
  }

  /** @param {number} at */
  #mark(at) {
    this.active = at;
    [...this.list.children].forEach((one, i) => one.setAttribute('aria-selected', String(i === at)));
    const one = this.list.children[at];
    if (one) {
      this.box.setAttribute('aria-activedescendant', one.id);
      one.scrollIntoView({ block: 'nearest' });
    } else this.box.removeAttribute('aria-activedescendant');
  }

  /** @param {Goal} goal */
  #go({ view, at, text, kind }) {
    this.close();
    this.box.value = '';
    this.app.go(at, { view });
    this.app.say(`${kind}: ${text}`);
    // Another view takes the focus when it is there; the same one is told here.
    const heading = [...document.querySelectorAll('#view h2')].find((one) => one.checkVisibility());
    if (!(heading instanceof HTMLElement)) return;
    heading.setAttribute('tabindex', '-1');
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  async #ask() {
    clearTimeout(this.timer);
    this.look.abort();
    this.look = new AbortController();
    const { signal } = this.look;
    const text = this.box.value.trim();
    this.list.setAttribute('aria-busy', 'true');
    try {
      const known = await this.#index(signal);
      if (signal.aborted) return;
      const goals = goalsOf(text, known.regions);
      const zip = zipOf(text);
      if (goals.length) this.#show(goals);
      const [of, plants] = await Promise.all([zip && known.zip ? this.#zip(zip, known, signal) : { goals: [], note: '' }, this.#plants(text, signal)]);
      if (signal.aborted) return;
      const all = [...of.goals, ...goals, ...plants];
      this.stale = false;
      this.list.removeAttribute('aria-busy');
      this.#show(all, of.note || (zip && !known.zip ? this.#without(known) : all.length ? '' : this.#nothing(text, known)));
      this.late = false;
    } catch (error) {
      if (signal.aborted) return;
      this.late = false;
      this.list.removeAttribute('aria-busy');
      this.#show([]);
      this.trouble.replaceChildren(problemBox(/** @type {Error} */ (error), () => {
        this.box.focus();
        this.#ask();
      }));
    }
  }

  /** @param {Known} known */
  #without({ regions }) {
    return [regions.length ? 'No ZIP code crosswalk is loaded, so a ZIP code does not lead to its subregion. Load one, such as the table of EPA’s Power Profiler: ' : 'Nothing is loaded yet. Load the sheets, and a ZIP code crosswalk: ', el('code', {}, 'egrid load --year 2023 zip.csv')];
  }

  /** @param {string} text @param {Known} known */
  #nothing(text, { regions }) {
    return regions.length ? `Nothing is found for “${text}”. A ZIP code has five digits; a plant goes by its name, operator, county or ORIS code.` : 'Nothing is loaded yet: load a file with egrid load.';
  }

  /**
   * #index are all regions of what is published, asked for anew when that changes.
   * @param {AbortSignal} signal
   * @returns {Promise<Known>}
   */
  async #index(signal) {
    const { data, meta } = await get('snapshots', {}, signal);
    if (this.known?.revision === meta.revision) return this.known;
    const there = new Set(data.filter((/** @type {any} */ one) => one.status === 'published').map((/** @type {any} */ one) => one.level));
    const lists = await Promise.all(Object.keys(levels).filter((level) => level !== 'US' && there.has(level)).map(async (level) => {
      const { names } = await namesOf(level, signal);
      return [...names].map(([code, name]) => ({ level, code, name }));
    }));
    const us = there.size ? [{ level: 'US', code: 'US', name: 'United States' }] : [];
    this.known = { regions: [...lists.flat(), ...us], zip: there.has('ZIP'), revision: meta.revision };
    return this.known;
  }

  /**
   * @param {string} zip
   * @param {Known} known
   * @param {AbortSignal} signal
   */
  async #zip(zip, { regions }, signal) {
    try {
      const { data } = await get(`crosswalk/zip/${encodeURIComponent(zip)}`, {}, signal);
      return { goals: zipGoals(zip, data, regions), note: '' };
    } catch (error) {
      const problem = /** @type {any} */ (error);
      if (problem.status !== 404 && problem.status !== 400) throw error;
      return { goals: [], note: problem.detail };
    }
  }

  /**
   * #plants asks for a number as an ORIS code, for all else as words.
   * @param {string} text
   * @param {AbortSignal} signal
   */
  async #plants(text, signal) {
    const code = /^\d+$/.test(text);
    if (text.length < (code ? 1 : 2)) return [];
    const { address } = this.app;
    try {
      const answer = await get('plants/search', { ...(code ? { oris_plant_code: text } : { q: text }), year: address.get('year'), release: address.get('release'), columns: 'plant_name,state,fuel_category,oris_plant_code', sort: '-net_generation_mwh', limit: mostPlants }, signal);
      return plantGoals(text, answer);
    } catch (error) {
      if (![400, 404].includes(/** @type {any} */ (error).status)) throw error;
      return []; // no plants of this year, or none with such a column
    }
  }

  /**
   * @param {Goal[]} goals
   * @param {import('../core/dom.js').Child | import('../core/dom.js').Child[]} [note]
   */
  #show(goals, note = '') {
    const active = this.active >= 0 ? this.goals[this.active] : null;
    const same = JSON.stringify(goals) === JSON.stringify(this.goals) && this.list.childElementCount > 0;
    this.goals = goals;
    this.trouble.replaceChildren();
    this.note.replaceChildren(...[note].flat().filter((one) => one !== null && one !== undefined).map((one) => (one instanceof Node ? one : String(one))));
    if (!same) {
      this.list.replaceChildren(...goals.map(({ text, kind, told }, i) => el('li', { role: 'option', id: `found-${i}`, 'aria-selected': 'false' },
        el('b', {}, text), el('span', { class: 'kind' }, kind), el('span', { class: 'told' }, told))));
      this.#factors(goals);
    }
    this.list.hidden = goals.length === 0;
    this.sheet.hidden = false;
    this.box.setAttribute('aria-expanded', String(goals.length > 0));
    this.#mark(active ? goals.findIndex((one) => JSON.stringify(one) === JSON.stringify(active)) : -1);
    if (this.late && goals.length) return this.#go(goals[0]);
    if (!same && goals.length) this.app.say(`${goals.length} ${goals.length === 1 ? 'place' : 'places'} to go`);
    return undefined;
  }

  /**
   * #factors writes the factors of places into their lines.
   * @param {Goal[]} goals
   */
  async #factors(goals) {
    const asked = goals.map(({ factor }, i) => ({ factor, line: this.list.children[i]?.querySelector('.told') })).filter(({ factor }) => factor);
    if (asked.length === 0) return;
    const { signal } = this.look;
    const { address } = this.app;
    const shared = questionOf(new URLSearchParams(['year', 'release'].map((name) => [name, address.get(name) ?? ''])));
    try {
      const { data } = await send('factors', { method: 'POST', headers: { 'Content-Type': 'application/json' }, signal, body: JSON.stringify(asked.map(({ factor }) => bodyOf(parametersOf(shared, /** @type {any} */ (factor))))) });
      if (signal.aborted) return;
      asked.forEach(({ line }, i) => {
        const { factor, error } = data[i];
        if (!factor) return line?.append(` · ${(error?.detail ?? 'no factor').split('; there are')[0]}`);
        const shown = number(factor.value, factor.unit);
        return line?.append(' · ', el('strong', { title: shown.title }, `${shown.text} ${factor.unit}`), ` ${gases[factor.gas]}, eGRID${factor.year} (release ${releaseName(factor.release)})`);
      });
    } catch { /* the view of the factor tells what is wrong */ }
  }
}
