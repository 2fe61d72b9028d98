// A table of sites: dropped, answered by the API, shown and saved.

import { Problem, sendFor } from '../core/api.js';
import { el } from '../core/dom.js';
import { full, plural } from '../core/format.js';
import { problemBox } from '../core/part.js';
import { figureCell, notes, numberHead, save, table } from './parts.js';
import { isUTF8, refusal, resultName, shownUpTo } from './sites.js';

/** @import { App } from '../core/types.js' */
/** @import { Question } from './question.js' */

const many = 100; // sites that are shown at first
const example = 'site,subregion,state,kwh\nOffice,CAMX,CA,120000\nWarehouse,ERCT,TX,54321.5\nShop,,NY,8000\n';

/** Figures of a site, in the order of the table: column, name, unit. */
const columns = [
  ['electricity_mwh', 'Electricity', 'MWh'], ['factor_co2e_kg_per_mwh', 'CO2e factor', 'kg/MWh'], ['co2e_kg', 'CO2e', 'kg'], ['co2_kg', 'CO2', 'kg'],
  ['ch4_kg', 'CH4', 'kg'], ['n2o_kg', 'N2O', 'kg'], ['losses_co2e_kg', 'CO2e of losses', 'kg'],
];

export class Inventory {
  /**
   * @param {App} app
   * @param {() => Question} question   year, release and gwp are those of the view
   */
  constructor(app, question) {
    this.app = app;
    this.question = question;
    /** @type {File | null} */
    this.file = null;
    /** @type {AbortController | null} */
    this.controller = null;
    this.input = el('input', { id: 'sites-file', type: 'file', accept: '.csv,text/csv', change: () => this.take(this.input.files?.[0]) });
    this.result = el('div', { id: 'sites-result', 'aria-live': 'polite' });
    this.drop = el('div', { class: 'drop' },
      el('p', {}, el('label', { for: 'sites-file' }, 'Drop a CSV of sites here, or choose one: '), this.input),
      el('p', { class: 'quiet' }, 'The header names the columns: subregion, zip, ba or state; kwh or mwh; year where sites differ in it. The file goes to this API and nowhere else. ',
        el('button', { type: 'button', class: 'plain', click: () => save(new Blob([example], { type: 'text/csv' }), 'sites.csv') }, 'Download an example')));
    this.element = el('section', { id: 'sites', class: 'card', 'aria-labelledby': 'sites-title' }, el('h2', { id: 'sites-title' }, 'Emissions of your sites'), this.drop, this.result);
    for (const event of ['dragover', 'dragleave', 'drop']) {
      this.drop.addEventListener(event, (/** @type {any} */ e) => {
        e.preventDefault();
        this.drop.classList.toggle('over', event === 'dragover');
        if (event === 'drop') this.take(e.dataTransfer?.files?.[0]);
      });
    }
  }

  /** changed answers again where year, release or GWP are others now. */
  changed() {
    if (this.file && this.asked !== JSON.stringify(this.#parameters)) this.#answer();
  }

  stop() { this.controller?.abort(); }

  get #parameters() {
    const { year, release, gwp } = this.question();
    return { year, release, gwp };
  }

  /** @param {File | undefined} file */
  async take(file) {
    if (!file) return;
    const head = new Uint8Array(await file.slice(0, 65536).arrayBuffer());
    const why = refusal(file, head);
    this.encoding = isUTF8(head) ? '' : `${file.name} is not in UTF-8: letters outside of English may come back wrong. Figures are not touched.`;
    this.file = why ? null : file;
    if (why) return this.result.replaceChildren(el('p', { class: 'problem', role: 'alert' }, why));
    return this.#answer();
  }

  async #answer() {
    const { file } = this;
    if (!file) return;
    this.controller?.abort();
    const { signal } = this.controller = new AbortController();
    this.asked = JSON.stringify(this.#parameters);
    this.result.setAttribute('aria-busy', 'true');
    if (!this.result.childElementCount) this.result.replaceChildren(el('p', { class: 'quiet' }, `${file.name} is being answered.`));
    try {
      if (file.size > shownUpTo) return this.#large(file);
      const answer = JSON.parse(await (await this.#ask(file, 'json', signal)).text());
      if (!signal.aborted) this.#show(answer, file);
    } catch (error) {
      if (!signal.aborted) this.result.replaceChildren(problemBox(error instanceof SyntaxError ? new Problem('The answer broke off', 'The API could not finish it. Try again in a moment.') : /** @type {Error} */ (error), () => this.#answer()));
    } finally {
      if (!signal.aborted) this.result.removeAttribute('aria-busy');
    }
  }

  /**
   * @param {File} file
   * @param {string} format
   * @param {AbortSignal} [signal]
   */
  #ask(file, format, signal) {
    return sendFor('inventory', { method: 'POST', parameters: { ...this.#parameters, format }, body: file, headers: { 'Content-Type': 'text/csv', Accept: '*/*' }, signal });
  }

  /** @param {File} file */
  #large(file) {
    this.result.replaceChildren(el('p', {}, `${file.name} has ${full(Math.round(file.size / 2 ** 20))} MiB: its answer is not shown, but can be saved.`), this.#downloads(file));
  }

  /**
   * @param {any} answer
   * @param {File} file
   */
  #show({ sites, totals, methods }, file) {
    const without = totals.sites - totals.answered;
    const summary = `${plural(totals.sites, 'site')}, ${without ? `${full(totals.answered)} with emissions, ${full(without)} without` : 'all with emissions'}`;
    this.app.say(`${file.name}: ${summary}.`);
    const own = Object.keys(sites[0]?.site ?? {});
    const row = (/** @type {any} */ { site, answer }) => el('tr', { class: answer.reason ? 'unanswered' : null },
      ...own.map((name) => el('td', {}, site[name])),
      el('td', { class: 'place' }, answer.reason ? el('strong', {}, answer.reason) : `${answer.egrid_region} (by ${answer.precision.replaceAll('_', ' ')}), ${answer.egrid_year}${answer.egrid_release ? ` ${answer.egrid_release}` : ''}`, answer.note ? el('small', {}, ` ${answer.note}`) : null),
      ...columns.map(([name, , unit]) => figureCell(answer[name], unit, { why: answer.reason ?? answer.note ?? 'not known' })));
    const made = table('Emissions by site', [...own, 'Place of the factor, or reason', ...columns.map(([, name, unit]) => numberHead(name, ' ', el('small', {}, unit)))], sites.slice(0, many).map(row));
    const body = /** @type {HTMLElement} */ (made.querySelector('tbody'));
    const foot = el('tfoot', {}, el('tr', {}, el('th', { scope: 'row', colspan: own.length + 1 }, `Total of ${plural(totals.answered, 'site')}`),
      ...columns.map(([name, , unit]) => (name === 'factor_co2e_kg_per_mwh' ? el('td', {}) : figureCell(totals[name], unit, { why: 'no site has it' }))), el('td', {})));
    body.after(foot);
    const rest = sites.length > many ? el('button', { type: 'button', click: () => {
      body.append(...sites.slice(many).map(row));
      rest?.remove();
    } }, `Show all ${plural(sites.length, 'site')}`) : null;
    const lines = [...(this.encoding ? [this.encoding] : []),
      ...Object.entries(totals.reasons).map(([reason, n]) => `${plural(Number(n), 'site')} without emissions: ${reason}.`),
      ...Object.entries(totals.incomplete).map(([column, n]) => `${plural(Number(n), 'site')} lack ${column.replaceAll('_', ' ')}: its sum is of the others.`)];
    this.result.replaceChildren(...[
      el('div', { class: 'head' }, el('h3', {}, `${file.name}: ${summary}`), this.#downloads(file)),
      notes(lines), made, rest,
      el('details', { class: 'values' }, el('summary', {}, `Factors of ${plural(methods.length, 'place')}, to cite`),
        el('ul', {}, methods.map((/** @type {any} */ m) => el('li', {}, m.citation, m.notes.length ? ` ${m.notes.join(' ')}` : '')))),
    ].filter((node) => node !== null));
  }

  /** @param {File} file */
  #downloads(file) {
    const failed = el('div', {});
    return el('div', { class: 'downloads' }, ['csv', 'json', 'xlsx'].map((format) => {
      const button = el('button', { type: 'button', 'data-format': format, click: async () => {
        button.disabled = true;
        try {
          save(await this.#ask(file, format), resultName(file.name, format));
          failed.replaceChildren();
        } catch (error) {
          failed.replaceChildren(problemBox(/** @type {Error} */ (error), () => button.click()));
        } finally {
          button.disabled = false;
        }
      } }, `Save as ${format.toUpperCase()}`);
      return button;
    }), failed);
  }
}
