// A part of the page that loads, shows and fails on its own.

import { Problem } from './api.js';
import { el } from './dom.js';

/** @import { Answer } from './types.js' */

/**
 * @typedef {object} PartOptions
 * @property {(signal: AbortSignal) => Promise<Answer>} load   asks
 * @property {(answer: any, body: HTMLElement) => string | null | undefined | void} show
 *   draws the answer, and may return a message when there is nothing to draw
 * @property {() => void} [fail]            tidies up when an error is shown instead
 * @property {(() => void) | null} [clear]  offered where the question itself is wrong
 * @property {string} [lead]                says what is missing, where that is not plain
 */

export class Part {
  /**
   * root holds an element with data-body, which the part fills.
   * @param {HTMLElement} root
   * @param {PartOptions} options
   */
  constructor(root, { load, show, fail = () => {}, clear = null, lead = '' }) {
    this.root = root;
    this.load = load;
    this.show = show;
    this.fail = fail;
    this.clear = clear;
    this.lead = lead;
    /** @type {number | null} */
    this.revision = null;
    /** @type {Problem | Error | null} */
    this.problem = null;
    /** @type {AbortController | null} */
    this.controller = null;
    const body = root.querySelector(':scope > [data-body]');
    if (!(body instanceof HTMLElement)) throw new Error('a part needs an element with data-body');
    this.body = body;
  }

  get loading() { return this.root.dataset.state === 'loading'; }

  /**
   * refresh asks anew. What is shown stays until the answer is there; quiet, it
   * stays when there is none, too.
   * @param {{quiet?: boolean}} [o]
   */
  async refresh({ quiet = false } = {}) {
    this.controller?.abort();
    this.controller = new AbortController();
    const { signal } = this.controller;
    if (!quiet) this.#state('loading');
    try {
      const answer = await this.load(signal);
      if (signal.aborted) return;
      this.revision = answer.meta.revision;
      this.problem = null;
      const message = this.show(answer, this.body);
      if (message) this.body.replaceChildren(el('p', { class: 'empty' }, message));
      this.#state(message ? 'empty' : 'ready');
    } catch (error) {
      if (signal.aborted) return;
      if (quiet) return; // the next look at the API tries again
      this.#fail(/** @type {Error} */ (error));
    }
  }

  /** stop forgets the question that is under way. */
  stop() { this.controller?.abort(); }

  /** wait is for a part that asks anew once it comes into view. */
  wait() {
    this.stop();
    this.#state('waiting');
  }

  /** @param {string} state */
  #state(state) {
    this.root.dataset.state = state;
    this.root.setAttribute('aria-busy', String(state === 'loading'));
  }

  /** @param {Error} error */
  #fail(error) {
    if (!(error instanceof Problem)) console.error(error); // a mistake of ours
    this.problem = error;
    this.revision = null;
    this.fail();
    this.body.replaceChildren(problemBox(error, () => this.refresh(), this));
    this.#state('error');
  }
}

/**
 * partOf makes a section with a heading and a part in it. The body begins with
 * ghost, which takes the room that the answer will take.
 * @param {{id?: string, title?: string, level?: 2 | 3, class?: string, ghost?: Node[]}} o
 * @param {PartOptions} options
 * @returns {Part}
 */
export function partOf({ id, title, level = 2, class: kind = 'card', ghost = [] }, options) {
  const named = title && id ? `${id}-title` : null;
  return new Part(el('section', { id, class: kind, 'data-part': true, 'aria-labelledby': named },
    title ? el(level === 2 ? 'h2' : 'h3', { id: named }, title) : null,
    el('div', { 'data-body': true }, ...ghost)), options);
}

/**
 * ghostLines is what stands where lines of text will be.
 * @param {number} n
 */
export const ghostLines = (n) => el('div', { class: 'lines' }, ...Array.from({ length: n }, () => el('div', { class: 'ghost' })));

/**
 * ghostPlot is what stands where a chart or a map will be.
 * @param {'' | 'tall' | 'map'} [kind]
 */
export const ghostPlot = (kind = '') => el('div', { class: `ghost plot ${kind}`.trim() });

/**
 * problemBox tells what went wrong, and what can be done.
 * @param {Error} error
 * @param {() => void} retry
 * @param {{clear?: (() => void) | null, lead?: string}} [o]
 */
export function problemBox(error, retry, { clear = null, lead = '' } = {}) {
  const known = error instanceof Problem ? error : null;
  // A question that is refused is no failure, and asking again will not help.
  const refused = known?.status === 400 && clear;
  return el('div', { class: refused ? 'problem mild' : 'problem', role: 'alert' },
    el('p', {}, el('strong', {}, known ? known.title : 'This part of the page failed'), ' ',
      el('span', {}, known ? `${lead} ${known.detail}`.trim() : 'Reload the page. If it fails again, please report it.')),
    known?.request ? el('p', { class: 'quiet' }, 'Request ', el('code', {}, known.request)) : null,
    el('p', { class: 'actions' },
      refused ? el('button', { type: 'button', class: 'clear', click: clear }, 'Clear all filters')
        : el('button', { type: 'button', class: 'retry', click: retry }, 'Try again')));
}
