// A part of the page that loads, shows and fails on its own.

import { el } from './dom.js';

export class Part {
  // load(signal) asks; show(answer, body) draws it, and may return a message
  // when there is nothing to draw; fail() tidies up when an error is shown
  // instead. clear, when given, is offered where the question itself is wrong;
  // lead says what is missing, where that is not plain.
  constructor(root, { load, show, fail = () => {}, clear = null, lead = '' }) {
    Object.assign(this, { root, load, show, fail, clear, lead, revision: null, problem: null, controller: null });
    this.body = root.querySelector(':scope > [data-body]');
  }

  get loading() { return this.root.dataset.state === 'loading'; }

  // refresh asks anew. What is shown stays until the answer is there; quiet, it
  // stays when there is none, too.
  async refresh({ quiet = false } = {}) {
    this.controller?.abort();
    const { signal } = this.controller = new AbortController();
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
      this.#fail(error);
    }
  }

  // stop forgets the question that is under way.
  stop() { this.controller?.abort(); }

  #state(state) {
    this.root.dataset.state = state;
    this.root.setAttribute('aria-busy', state === 'loading');
  }

  #fail(error) {
    if (!('passing' in error)) console.error(error); // a mistake of ours
    this.problem = error;
    this.revision = null;
    this.fail();
    this.body.replaceChildren(problemBox(error, () => this.refresh(), this));
    this.#state('error');
  }
}

// problemBox tells what went wrong, and what can be done.
export function problemBox(error, retry, { clear = null, lead = '' } = {}) {
  const known = 'passing' in error;
  // A question that is refused is no failure, and asking again will not help.
  const refused = error.status === 400 && clear;
  return el('div', { class: refused ? 'problem mild' : 'problem', role: 'alert' },
    el('p', {}, el('strong', {}, known ? error.title : 'This part of the page failed'), ' ',
      el('span', {}, known ? `${lead} ${error.detail}`.trim() : 'Reload the page. If it fails again, please report it.')),
    el('p', { class: 'actions' },
      refused ? el('button', { type: 'button', class: 'clear', click: clear }, 'Clear all filters')
        : el('button', { type: 'button', class: 'retry', click: retry }, 'Try again')));
}
