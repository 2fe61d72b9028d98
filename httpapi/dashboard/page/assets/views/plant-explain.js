// Where a figure of a plant is from and how it follows, in a panel that has its
// own address.

import { get, plantPath } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure, written } from '../core/figure.js';
import { missing } from '../core/format.js';
import { columnLabel } from '../core/names.js';
import { Part, ghostLines } from '../core/part.js';
import { explained, permanentOf, sourcesTable } from './explain.js';

/** @import { Answer, App } from '../core/types.js' */

export class ExplainPanel {
  /**
   * @param {App} app
   * @param {() => Answer | null} shown
   */
  constructor(app, shown) {
    this.app = app;
    this.shown = shown;
    this.column = '';
    this.title = el('h2', { id: 'explain-title', tabindex: -1 });
    this.sub = el('p', { class: 'quiet' });
    this.section = el('section', { id: 'explain-part', 'data-part': true, 'aria-labelledby': 'explain-title' }, el('div', { 'data-body': true }, ghostLines(6)));
    const close = () => this.dialog.close();
    this.dialog = el('dialog', { id: 'explain', class: 'panel', 'aria-labelledby': 'explain-title', close: () => this.#closed(), click: (event) => {
      if (event.target === this.dialog) close(); // the backdrop
    } }, el('div', { class: 'detail' },
      el('header', {}, el('div', {}, this.title, this.sub), el('button', { id: 'explain-close', type: 'button', class: 'close', 'aria-label': 'Close', click: close }, '×')),
      el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Explanation' }, this.section)));
    this.part = new Part(this.section, { load: (signal) => this.#load(signal), show: (answer, body) => this.#show(answer, body) });
  }

  get parts() { return this.dialog.open ? [this.part] : []; }

  /**
   * update opens and closes as the address says, once the plant is there.
   * @param {URLSearchParams} address
   */
  update(address) {
    const column = address.get('explain') ?? '';
    const answer = this.shown();
    if (!column || !answer) {
      this.column = column;
      if (!column && this.dialog.open) this.dialog.close();
      return;
    }
    if (this.dialog.open && this.column === column) return;
    this.column = column;
    const { plant } = answer.data;
    const unit = answer.meta.units?.[column];
    const is = written(plant[column], unit);
    this.title.textContent = columnLabel(column, unit);
    this.sub.textContent = `${plant.plant_name ?? plant.id}, ${answer.meta.year}: ${[is.text, is.unit].filter(Boolean).join(' ')}`;
    this.section.querySelector('[data-body]')?.replaceChildren(ghostLines(6));
    if (!this.dialog.open) this.dialog.showModal();
    this.title.focus();
    this.part.refresh();
  }

  leave() {
    this.part.stop();
    if (this.dialog.open) this.dialog.close();
  }

  #closed() {
    this.part.stop();
    const column = this.column;
    this.app.go({ explain: '' }, { step: false });
    const back = document.querySelector(`#view [data-explain="${CSS.escape(column)}"]`);
    if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #load(signal) {
    const answer = /** @type {Answer} */ (this.shown());
    const { plant } = answer.data;
    const { year, release, basis } = answer.meta;
    const edition = { year, release: release || 'none' };
    if (this.column === 'share') return { ...answer, data: { share: true } };
    if (basis !== 'GEN') {
      const path = `explain/PLNT/${encodeURIComponent(plant.oris_plant_code ?? plant.id)}/${encodeURIComponent(this.column)}`;
      const of = await get(path, edition, signal);
      return { ...of, data: { ...of.data, path } };
    }
    const generators = await get(plantPath(plant.id, '/generators'), { ...edition, limit: 1000 }, signal);
    return { ...generators, data: { generators: generators.data } };
  }

  /**
   * @param {Answer} answer
   * @param {HTMLElement} body
   */
  #show(answer, body) {
    const { data } = answer;
    if (data.share) body.replaceChildren(...this.#share());
    else if (data.generators) body.replaceChildren(...this.#generators(data.generators, answer));
    else body.replaceChildren(...this.#published(answer));
  }

  #share() {
    const { data, meta } = /** @type {Answer} */ (this.shown());
    return [el('p', {}, `Net generation of the plant, by the ${sheetName(meta.basis ?? '', meta.release)}, divided by that of ${data.plant.state ?? 'its state'}, by the ${sheetName(meta.share_basis ?? '', meta.share_release)}.`),
      el('p', {}, el('a', { href: this.app.link({ level: 'ST', code: data.plant.state, year: meta.year ?? null }, 'regions') }, 'The figures of the state'))];
  }

  /**
   * #generators shows of which generators a plant's figure is the sum.
   * @param {any[]} rows
   * @param {Answer} answer
   */
  #generators(rows, answer) {
    const { data, meta } = /** @type {Answer} */ (this.shown());
    const { column } = this;
    const source = data.snapshots.find((/** @type {any} */ s) => s.level === 'GEN' && s.year === meta.year && s.release === meta.release && s.status === 'published');
    const sources = source ? sourcesTable(source.sources.map((/** @type {any} */ s) => ({ ...s, level: 'GEN' }))) : null;
    const unit = answer.meta.units?.[column] ?? '';
    const summed = typeof data.plant[column] === 'number' && rows.some((row) => typeof row[column] === 'number');
    const lead = el('p', {}, summed ? `No plant sheet of ${meta.year} is loaded, so the figure is the sum over the generators of the plant:` : `No plant sheet of ${meta.year} is loaded, so this comes from the generators of the plant.`);
    if (!summed) return [lead, ...(sources ? [sources] : [])];
    return [lead, el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': 'Generators' }, el('table', {},
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Generator'), el('th', { scope: 'col' }, 'Position in the sheet'), el('th', { scope: 'col', class: 'number' }, columnLabel(column, unit), el('small', {}, ` ${unit}`)))),
      el('tbody', {}, rows.map((row) => el('tr', {}, el('th', { scope: 'row' }, row.generator_id ?? '–'), el('td', {}, row.sequence ?? '–'), figure('td', row[column], unit, { class: 'number', bare: true })))),
      el('tfoot', {}, el('tr', {}, el('th', { scope: 'row', colspan: 2 }, answer.links.next ? `Sum of all, of which ${rows.length} are shown` : 'Sum'), figure('td', data.plant[column], unit, { class: 'number', bare: true }))))),
    ...(sources ? [sources] : [])];
  }

  /** @param {Answer} answer */
  #published(answer) {
    const { data, meta } = answer;
    const is = (/** @type {unknown} */ value) => figure('span', value, data.unit);
    const rows = [
      el('div', {}, el('dt', {}, 'In the sheet'), el('dd', {}, is(data.published))),
      missing(data.recomputed) ? null : el('div', {}, el('dt', {}, 'Recomputed'), el('dd', {}, is(data.recomputed), missing(data.published) ? null : el('span', { class: data.matches ? 'same' : 'other' }, data.matches ? ' ✓ the same, within its rounding' : ' ✗ not the same'))),
      el('div', {}, el('dt', {}, 'Column'), el('dd', {}, el('code', {}, data.column), data.epa_code ? ` · EPA’s ${data.epa_code}` : '')),
      data.row ? el('div', {}, el('dt', {}, 'Cell'), el('dd', {}, `record ${data.row}, column ${data.epa_code ?? data.column}`)) : null,
      el('div', {}, el('dt', {}, 'Edition'), el('dd', {}, `${data.authority}, data year ${data.year}, ${sheetName(data.level, data.release)}`)),
    ];
    return [el('p', {}, data.description), el('dl', { class: 'identity' }, rows),
      explained(data, { value: data.recomputed, unit: data.unit, permanent: permanentOf(data.path, { ...answer, meta }) })];
  }
}
