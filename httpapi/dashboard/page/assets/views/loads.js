// Held loads and what decides on them; runs and how far they are; what was rejected
// and what went wrong.

import { address, get } from '../core/api.js';
import { el } from '../core/dom.js';
import { full, moment, plural } from '../core/format.js';
import { releaseName } from '../core/names.js';
import { ghostLines, Part, partOf, problemBox } from '../core/part.js';
import { heldRuns, rejectsOf } from './changes-model.js';
import { cellsPart, factorsPart } from './differences.js';
import { choice, field, numberHead, table } from './parts.js';
import { levels } from './places.js';
import { order, token, tokenForm } from './token.js';

/** @import { Answer, App } from '../core/types.js' */

/** @param {{level?: string, year?: number, release?: string}} of */
const sheetOf = ({ level, year, release }) => [level, year, year ? `release ${releaseName(release)}` : ''].filter(Boolean).join(' ');

/**
 * optional asks for what not every service has; null where it is not there.
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<Answer | null>}
 */
const optional = (path, signal) => get(path, {}, signal).catch((error) => {
  if (error.status === 404) return null;
  throw error;
});

export class Loads {
  /**
   * @param {App} app
   * @param {() => void} decided   called when something was published, discarded or restored
   */
  constructor(app, decided) {
    this.app = app;
    this.decided = decided;
    /** @type {Map<string, EventSource>} */
    this.followed = new Map();
    this.said = el('div', { id: 'decided', role: 'status' });
    /** @type {Set<string>} what is unfolded */
    this.open = new Set();
    this.held = new Part(el('section', { id: 'held', class: 'card', 'aria-labelledby': 'held-title', 'data-part': true }, el('h2', { id: 'held-title' }, 'Held loads'),
      el('p', { class: 'quiet' }, 'What would change a published figure in silence is held until somebody decides.'), tokenForm(() => this.refresh()), this.said, el('div', { 'data-body': true }, ghostLines(3))), {
      load: async (signal) => {
        const [snapshots, runs] = await Promise.all([get('snapshots', {}, signal), optional('runs', signal)]);
        return { data: { held: heldRuns(snapshots.data, runs?.data ?? null), runs: runs !== null }, meta: snapshots.meta, links: {} };
      },
      show: (answer, body) => this.#held(answer, body),
    });
    this.policy = choice('run-policy', () => {});
    this.policy.fill([['', 'As the service is set up'], ['auto', 'auto'], ['replace', 'replace'], ['merge', 'merge'], ['hold', 'hold']], '');
    this.runs = partOf({ id: 'runs', title: 'Loads', ghost: [ghostLines(4)] }, {
      load: async (signal) => (await optional('runs', signal)) ?? { data: null, meta: { revision: 0 }, links: {} },
      show: (answer, body) => this.#runs(answer, body),
    });
    this.rejects = partOf({ id: 'rejects', title: 'Rejected records and failures', ghost: [ghostLines(3)] }, {
      load: async (signal) => {
        const [runs, snapshots, errors] = await Promise.all([optional('runs', signal), get('snapshots', {}, signal), optional('errors', signal)]);
        return { data: { runs: runs?.data ?? [], snapshots: snapshots.data, errors: errors?.data ?? null }, meta: snapshots.meta, links: {} };
      },
      show: (answer, body) => this.#rejects(answer, body),
    });
  }

  // renew looks again without taking away what is unfolded or has the focus.
  parts() {
    const idle = () => this.open.size === 0 && !this.held.root.contains(document.activeElement);
    return [
      { part: this.held, renew: () => { if (idle()) this.held.refresh({ quiet: true }); } },
      { part: this.runs, renew: () => { if (!this.runs.root.contains(document.activeElement) && !this.runs.root.querySelector('details[open]')) this.runs.refresh({ quiet: true }); } },
      this.rejects,
    ];
  }

  refresh() {
    this.open.clear();
    for (const part of [this.held, this.runs, this.rejects]) part.refresh();
  }

  leave() {
    for (const source of this.followed.values()) source.close();
  }

  /**
   * act gives an order, and says what came of it.
   * @param {HTMLButtonElement} button
   * @param {() => Promise<Answer>} give
   * @param {(answer: Answer) => string} text
   */
  async act(button, give, text) {
    const buttons = [...(button.closest('.decision')?.querySelectorAll('button') ?? [button])];
    for (const b of buttons) b.disabled = true;
    try {
      const answer = await give();
      const says = text(answer);
      this.said.replaceChildren(el('p', { class: 'note' }, says));
      this.app.say(says);
      this.refresh();
      this.decided();
      this.said.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      for (const b of buttons) b.disabled = false;
      this.said.replaceChildren(problemBox(/** @type {Error} */ (error), () => this.act(button, give, text)));
    }
  }

  /**
   * @param {{data: {held: any[], runs: boolean}}} answer
   * @param {HTMLElement} body
   */
  #held({ data: { held, runs } }, body) {
    if (held.length === 0) return 'Nothing is held.';
    body.replaceChildren(...held.map((run) => el('article', { class: 'held', 'data-run': run.id },
      ...run.loads.map((/** @type {any} */ load) => this.#load(load)),
      run.loads.length > 1 ? el('p', { class: 'quiet' }, `One run holds these ${run.loads.length}: a decision is on all of them.`) : null,
      run.id && runs ? this.#decision(run) : el('p', { class: 'quiet' }, 'This service takes no decisions. Decide where the store is: ',
        ...run.loads.flatMap((/** @type {any} */ { id }) => [el('code', {}, `egrid publish ${id}`), ' or ', el('code', {}, `egrid discard ${id}`), '. '])))));
    return null;
  }

  /** @param {any} load */
  #load(load) {
    const inside = el('div', {});
    const details = el('details', { class: 'values' }, el('summary', {}, 'What it would change'), inside);
    details.addEventListener('toggle', () => {
      this.open[details.open ? 'add' : 'delete'](load.id);
      if (!details.open || inside.childElementCount) return;
      const pair = () => ({ from: 'published', to: load.id, level: load.level });
      const parts = [...(load.level in levels || load.level === 'PLNT' ? [factorsPart(this.app, pair, { id: `factors-${load.id}`, title: `Effect of ${load.object} on emission factors`, level: 3, limit: 20 })] : []), cellsPart(pair, { id: `cells-${load.id}`, title: `Cells that ${load.object} changes`, level: 3, limit: 20 })];
      inside.append(...parts.map((part) => part.root));
      for (const part of parts) part.refresh();
    });
    return el('div', { class: 'load', 'data-load': load.id },
      el('h3', {}, sheetOf(load), el('small', {}, ` from ${load.object}`)),
      el('p', {}, load.reason ?? 'No reason is given.'),
      el('p', { class: 'quiet' }, [plural(load.rows_read, 'row'), load.rows_rejected ? `${full(load.rows_rejected)} rejected` : '', load.snapshot ? `loaded ${moment(load.snapshot.loaded_at)}` : '', `load ${load.id}`].filter(Boolean).join(' · ')),
      load.snapshot?.first ? el('p', {}, 'Nothing of this sheet, year and release is published yet: it would be the first.') : load.snapshot ? details : null);
  }

  /** @param {any} run */
  #decision(run) {
    const may = token() !== '';
    const name = run.loads.map(sheetOf).join(', ');
    const path = `runs/${encodeURIComponent(run.id)}`;
    const done = (/** @type {Answer} */ { data }) => `${name}: ${data.status}.`;
    const button = (/** @type {string} */ text, /** @type {() => Promise<Answer>} */ give, kind = '') => {
      const made = el('button', { type: 'button', class: kind, disabled: !may, 'data-do': text.split(' ')[0].toLowerCase(), click: () => {
        if (kind !== 'sharp' || made.dataset.sure) return void this.act(made, give, done);
        made.dataset.sure = 'yes'; // what is dropped does not come back
        made.textContent = 'Discard for good';
        return undefined;
      } }, text);
      return made;
    };
    return el('div', { class: 'decision actions' },
      button('Publish it', () => order(`${path}/publish`, { policy: 'replace' })), button('Merge it into what is published', () => order(`${path}/publish`, { policy: 'merge' })),
      button('Discard it', () => order(`${path}/discard`), 'sharp'),
      may ? null : el('span', { class: 'quiet' }, 'A token with scope write decides: type it in above.'));
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #runs({ data }, body) {
    if (!data) return 'This service makes no loads: egrid load does.';
    const start = el('button', { type: 'button', id: 'run-start', disabled: token() === '', click: () => this.act(start, () => order('runs', this.policy.element.value ? { publish: this.policy.element.value } : {}), ({ data: run }) => `Load ${run.run_id} is under way.`) }, 'Load the configured source');
    const row = (/** @type {any} */ run) => {
      const made = this.#run(run);
      if (run.status === 'running') this.#follow(run.run_id);
      return made;
    };
    body.replaceChildren(el('div', { class: 'filters decision' }, field('Publish', this.policy.element), start, token() ? '' : el('span', { class: 'quiet' }, 'A token with scope write starts one: type it in with the held loads.')),
      data.length ? table('Loads', ['Begun', 'Outcome', numberHead('Read'), numberHead('Loaded'), numberHead('Rejected'), 'Sheets'], data.map(row)) : el('p', { class: 'empty' }, 'No load is remembered.'));
    return null;
  }

  /** @param {any} run */
  #run(run) {
    const p = run.progress;
    return el('tr', { 'data-run': run.run_id }, el('th', { scope: 'row' }, moment(run.started_at), el('small', {}, ` ${run.run_id}`)),
      el('td', { class: 'outcome', 'data-status': run.status }, run.status === 'running' && p ? [`${p.stage} ${p.object} `, el('progress', { max: p.total || 1, value: p.rows, 'aria-label': `${full(p.rows)} of ${full(p.total)} rows` })] : run.status, run.error ? el('span', { class: 'negative' }, ` ${run.error}`) : null),
      ...[run.rows_read, run.rows_loaded, run.rows_rejected].map((n) => el('td', { class: 'number' }, full(n))),
      el('td', {}, run.loads.length ? el('details', {}, el('summary', {}, plural(run.loads.length, 'sheet')), el('ul', {}, run.loads.map((/** @type {any} */ l) => el('li', {}, el('b', {}, l.status), ` ${[l.object, l.sheet, sheetOf(l)].filter(Boolean).join(', ')}`, l.reason ? `: ${l.reason}` : '')))) : ''));
  }

  /**
   * #follow shows how far a run is until it ends.
   * @param {string} id
   */
  #follow(id) {
    if (this.followed.has(id)) return;
    const source = new EventSource(address(`runs/${encodeURIComponent(id)}/events`));
    this.followed.set(id, source);
    source.addEventListener('run', (event) => {
      const run = JSON.parse(event.data);
      this.runs.root.querySelector(`tr[data-run="${CSS.escape(id)}"]`)?.replaceWith(this.#run(run));
      if (run.status === 'running') return;
      source.close();
      this.followed.delete(id);
      this.app.say(`Load ${id}: ${run.status}.`);
      this.refresh();
      this.decided();
    });
  }

  /**
   * @param {{data: {runs: any[], snapshots: any[], errors: any[] | null}}} answer
   * @param {HTMLElement} body
   */
  #rejects({ data: { runs, snapshots, errors } }, body) {
    const groups = rejectsOf(runs);
    const counted = snapshots.filter(({ rejected, status }) => rejected > 0 && status !== 'superseded');
    const failures = errors ?? [];
    if (!groups.length && !counted.length && !failures.length) return 'No record of what is published or held was rejected, and no failure is recorded.';
    body.replaceChildren(
      groups.length ? el('div', {}, el('h3', {}, 'By reason'), table('Rejected records', ['File', 'Column', 'Reason', numberHead('Records'), numberHead('First in line'), 'Value', 'What can be done'], groups.map((g) => el('tr', {},
        el('th', { scope: 'row' }, g.object, el('small', {}, ` ${g.level ?? ''} ${g.year || ''}`)), el('td', {}, el('code', {}, g.column)), el('td', {}, g.reason), el('td', { class: 'number' }, full(g.count)), el('td', { class: 'number' }, full(g.line)), el('td', {}, el('code', {}, g.value)), el('td', {}, g.remedy))))) : '',
      counted.length ? el('div', {}, el('h3', {}, 'By sheet'), table('Sheets with rejected records', ['Sheet', numberHead('Rejected'), numberHead('Rows'), 'Status', 'File'], counted.map((s) => el('tr', {}, el('th', { scope: 'row' }, sheetOf(s)), el('td', { class: 'number' }, full(s.rejected)), el('td', { class: 'number' }, full(s.rows)), el('td', {}, s.status), el('td', {}, s.sources.map((/** @type {any} */ x) => x.object).join(', ')))))) : '',
      failures.length ? el('div', {}, el('h3', {}, 'Failures on the way into the store'), table('Failures', ['Kind', numberHead('Times'), 'First', 'Last', 'Where', 'Message'], failures.map((f) => el('tr', {}, el('th', { scope: 'row' }, f.kind.replaceAll('_', ' ')), el('td', { class: 'number' }, full(f.count)), el('td', {}, moment(f.first_seen)), el('td', {}, moment(f.last_seen)), el('td', {}, f.latest.where), el('td', {}, f.latest.message))))) : '');
    return null;
  }
}
