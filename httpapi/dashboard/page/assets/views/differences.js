// What two editions have otherwise: factors first, then every cell.

import { address, get, next } from '../core/api.js';
import { el } from '../core/dom.js';
import { full, percent, plural } from '../core/format.js';
import { columnLabel, levelName } from '../core/names.js';
import { ghostLines, partOf, problemBox } from '../core/part.js';
import { editionName } from './changes-model.js';
import { draw } from './draw.js';
import { notes, number, numberHead, table } from './parts.js';
import { placeName } from './places.js';
import { gases } from './question.js';

/** @import { Answer, App } from '../core/types.js' */

/** @typedef {{from: string, to: string, level?: string, plants?: boolean}} Pair   plants: both have some */

/** @param {number | null} x */
export const change = (x) => (x === null ? '–' : `${x > 0 ? '+' : ''}${Math.abs(x) >= 0.0005 ? percent(x) : `${full(Number((x * 100).toPrecision(2)))}%`}`);

/** @type {Record<string, string>} */
const kinds = { output: 'output', nonbaseload: 'non-baseload', combustion: 'combustion', input: 'input' };

/**
 * factorsPart says what became of emission factors.
 * @param {App} app
 * @param {() => Pair | null} pair
 * @param {{id: string, title: string, level?: 2 | 3, limit?: number, chart?: boolean}} o
 */
export function factorsPart(app, pair, { id, title, level = 2, limit = 50, chart = false }) {
  return partOf({ id, title, level, class: level === 2 ? 'card' : '', ghost: [ghostLines(4)] }, {
    load: async (signal) => {
      const of = pair();
      if (!of) return { data: null, meta: { revision: 0 }, links: {} };
      const ask = (/** @type {Record<string, string | number>} */ more) => get('diff/factors', { from: of.from, to: of.to, ...more }, signal);
      const [answer, drawn] = await Promise.all([ask({ limit }), chart ? ask({ gas: 'co2e', kind: 'output', limit: 100 }) : null]);
      return { ...answer, drawn: drawn?.data ?? [] };
    },
    show: (answer, body) => {
      const { data, meta, drawn } = answer;
      if (!data) return 'There are no two editions to compare.';
      const { comparison } = meta;
      const moved = comparison.factors.filter((/** @type {any} */ f) => f.kind === 'output' || f.kind === 'nonbaseload');
      const picture = el('div', {});
      body.replaceChildren(
        el('p', {}, data.length ? `${plural(meta.total ?? data.length, 'factor')} of all generation and of non-baseload generation moved by more than rounding explains.`
          : 'No factor of all generation or of non-baseload generation moved by more than rounding explains.'),
        notes(comparison.notes) ?? '',
        data.length ? el('ul', { class: 'statements' }, data.slice(0, 5).map((/** @type {any} */ f) => el('li', {}, f.statement))) : '',
        picture,
        data.length ? paged('Factors that moved', 'diff/factors', answer, ['Region', 'Factor', numberHead('From'), numberHead('To'), numberHead('Change'), 'Moved by'], (f) => factorRow(app, f)) : '',
        el('details', { class: 'values' }, el('summary', {}, 'By gas and kind; how to cite'),
          table('Factors that moved', ['Factor', numberHead('Compared'), numberHead('Moved'), numberHead('Published anew'), numberHead('Median change'), 'Largest'], moved.map((/** @type {any} */ f) => el('tr', {}, el('th', { scope: 'row' }, `${gases[f.gas]} ${kinds[f.kind]}`),
            ...[f.compared, f.moved, f.published].map((n) => el('td', { class: 'number' }, full(n))), el('td', { class: 'number' }, change(f.median_relative_change)), el('td', {}, f.largest?.statement ?? '–')))),
          el('p', { class: 'cited' }, comparison.citation)),
        el('p', { class: 'actions' }, el('a', { class: 'button', href: address('diff/report', { from: pair()?.from, to: pair()?.to }).href, target: '_blank', rel: 'noopener' }, 'All that changed, as a page')));
      if (drawn.length) {
        draw(picture, 'ranking', {
          title: 'Largest changes of CO2e output rates', unit: 'fraction', heading: 3, limit: 15, x: { label: 'Region' }, y: { label: 'Relative change' },
          series: [{ name: 'Change', points: drawn.filter((/** @type {any} */ f) => f.relative_change !== null).map((/** @type {any} */ f) => ({ x: `${f.level} ${f.code}`.trim(), name: placeName(f.level, f.code, f.name && new Map([[f.code, f.name]])), y: f.relative_change, title: f.statement })) }],
          source: `${editionName(comparison.from)}, against ${editionName(comparison.to)}`, file: 'factor-changes', empty: 'No CO2e output rate has a relative change.',
        });
      }
      return null;
    },
  });
}

/**
 * @param {App} app
 * @param {any} f
 */
function factorRow(app, f) {
  const value = (/** @type {number | null} */ x, /** @type {string} */ why) => (x === null ? el('td', { class: 'number quiet', title: why }, '–') : el('td', { class: 'number', title: number(x, f.unit).title }, number(x, f.unit).text));
  const published = f.change === 'published';
  return el('tr', {}, el('th', { scope: 'row' }, el('a', { href: app.link({ level: f.level, code: f.code }, 'regions') }, placeName(f.level, f.code, f.name ? new Map([[f.code, f.name]]) : undefined))),
    el('td', {}, `${gases[f.gas]} ${kinds[f.kind]}, ${f.unit}`),
    value(published ? f.published_from : f.from, 'not in the first edition'), value(published ? f.published_to : f.to, 'not in the second edition'),
    el('td', { class: 'number', title: f.statement }, change(published ? f.published_change : f.relative_change)), el('td', {}, f.moved_by ? f.moved_by.replaceAll('_', ' ') : f.change));
}

/**
 * cellsPart lists every cell that differs.
 * @param {() => Pair | null} pair   with a level
 * @param {{id: string, title: string, level?: 2 | 3, limit?: number}} o
 */
export function cellsPart(pair, { id, title, level = 2, limit = 50 }) {
  return partOf({ id, title, level, class: level === 2 ? 'card' : '', ghost: [ghostLines(4)] }, {
    load: async (signal) => {
      const of = pair();
      return of?.level ? get('diff', { level: of.level, from: of.from, to: of.to, limit }, signal) : { data: null, meta: { revision: 0 }, links: {} };
    },
    show: (answer, body) => {
      const { data, meta } = answer;
      if (!data) return pair() ? 'The two editions have no sheet of the same kind.' : 'There are no two editions to compare.';
      const d = meta.difference;
      const lines = [
        `${levelName(pair()?.level ?? '')}: ${plural(d.rows, 'row')} in both, ${full(d.rows_changed)} of them changed: ${plural(d.cells_changed, 'cell')}, and ${full(d.cells_rounded)} that only have other digits; ${full(d.rows_added)} only in the second, ${full(d.rows_lost)} only in the first.`,
        d.columns_added.length ? `New columns: ${d.columns_added.join(', ')}.` : '', d.columns_lost.length ? `Columns that are gone: ${d.columns_lost.join(', ')}.` : '',
      ].filter(Boolean);
      body.replaceChildren(notes(lines) ?? '', data.length ? paged('Cells that differ', 'diff', answer, ['Row', 'Column', numberHead('From'), numberHead('To'), numberHead('Change')], cellRow) : el('p', { class: 'empty' }, 'No cell differs.'));
      return null;
    },
  });
}

/** @param {any} c */
function cellRow(c) {
  const value = (/** @type {unknown} */ x) => (x === null ? el('td', { class: 'number quiet', title: 'missing' }, '–') : el('td', { class: 'number' }, typeof x === 'number' ? full(x) : String(x)));
  return el('tr', {}, el('th', { scope: 'row' }, c.key), el('td', { title: c.column }, columnLabel(c.column)), value(c.from), value(c.to), el('td', { class: 'number' }, change(c.relative_change)));
}

/** @type {Record<string, string>} */
const regions = { subregion: 'subregion', balancing_authority: 'balancing authority', nerc_region: 'NERC region', state: 'state' };

/**
 * plantsPart lists plants that moved between regions, came or went.
 * @param {App} app
 * @param {() => Pair | null} pair
 */
export function plantsPart(app, pair) {
  return partOf({ id: 'diff-plants', title: 'What changed: plants', ghost: [ghostLines(4)] }, {
    load: async (signal) => {
      const of = pair();
      const none = { data: null, meta: { revision: 0, why: 'There are no two editions to compare.' }, links: {} };
      if (of && !of.plants) return { ...none, meta: { ...none.meta, why: 'Plants cannot be compared: one of the editions has no sheet of plants or generators.' } };
      return of ? get('diff/plants', { from: of.from, to: of.to, limit: 25 }, signal).catch((error) => {
        if (signal.aborted || error.status !== 404) throw error;
        return { ...none, meta: { ...none.meta, why: `Plants cannot be compared: ${error.detail}` } };
      }) : none;
    },
    show: (answer, body) => {
      const { data, meta } = answer;
      if (!data) return meta.why;
      if (data.length === 0) return 'No plant moved between regions, came or went.';
      const mwh = (/** @type {number | null} */ x) => (x === null ? el('td', { class: 'number quiet', title: 'not in this edition' }, '–') : el('td', { class: 'number', title: `${full(x)} MWh` }, number(x, 'MWh').text));
      body.replaceChildren(notes(meta.comparison?.notes ?? []) ?? '', paged('Plants that moved, came or went', 'diff/plants', answer, ['Plant', 'What became of it', numberHead('MWh before'), numberHead('MWh after')], (c) => el('tr', {},
        el('th', { scope: 'row' }, el('a', { href: app.link({ plant: c.id }, 'plant') }, c.name || c.id), el('small', {}, ` ${c.id}`)),
        el('td', {}, c.change === 'moved' ? `${regions[c.column] ?? c.column} ${c.from ?? 'none'} → ${c.to ?? 'none'}` : c.change === 'added' ? 'came' : c.successor ? `went; seems to be plant ${c.successor} now, by its ${c.successor_by}` : 'went'),
        mwh(c.net_generation_mwh_from), mwh(c.net_generation_mwh_to))));
      return null;
    },
  });
}

/**
 * paged is a table that loads on.
 * @param {string} label
 * @param {string} path
 * @param {Answer} answer
 * @param {(string | Node)[]} heads
 * @param {(item: any) => HTMLElement} row
 */
function paged(label, path, answer, heads, row) {
  const made = table(label, heads, answer.data.map(row));
  const count = el('span', { class: 'quiet' });
  const foot = el('p', { class: 'more' });
  let shown = answer.data.length;
  const tell = (/** @type {Answer} */ page) => {
    count.textContent = `${full(shown)} of ${full(page.meta.total ?? shown)} `;
    const ask = async () => {
      try {
        const more = await next(path, page);
        made.querySelector('tbody')?.append(...more.data.map(row));
        shown += more.data.length;
        tell(more);
      } catch (error) {
        foot.replaceChildren(problemBox(/** @type {Error} */ (error), ask));
      }
    };
    foot.replaceChildren(count, page.links.next ? el('button', { type: 'button', click: ask }, 'Load more') : '');
  };
  tell(answer);
  return el('div', {}, made, foot);
}
