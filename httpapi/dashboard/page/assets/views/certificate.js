// The certificate of an edition: how its region sheets stand to what they follow from.

import { address, get } from '../core/api.js';
import { el } from '../core/dom.js';
import { full, percent, plural } from '../core/format.js';
import { columnLabel, levelName } from '../core/names.js';
import { ghostLines, partOf } from '../core/part.js';
import { byColumn, editionName, off, worstFirst } from './changes-model.js';
import { draw } from './draw.js';
import { notes, numberHead, table } from './parts.js';
import { levels, namesOf, placeName } from './places.js';

/** @import { App } from '../core/types.js' */
/** @import { Edition } from './changes-model.js' */

const many = 25; // cells that are shown at first

/** @type {Record<string, string>} */
const relations = { '=': 'equals', '<=': 'is at most', '>=': 'is at least' };

/**
 * certificatePart is of the edition that chosen() names.
 * @param {App} app
 * @param {() => Edition | undefined} chosen
 */
export function certificatePart(app, chosen) {
  return partOf({ id: 'certificate', title: 'Certificate', ghost: [ghostLines(6)] }, {
    load: async (signal) => {
      const edition = chosen();
      if (!edition) return { data: null, meta: { revision: 0 }, links: {} };
      const answer = await get(`reconciliation/${edition.year}`, { release: edition.release || 'none' }, signal);
      /** @type {string[]} */
      const named = [...new Set(answer.data.cells.map((/** @type {any} */ cell) => cell.level))].filter((level) => levels[level]?.code);
      const names = await Promise.all(named.map((level) => namesOf(level, signal)));
      return { ...answer, names: Object.fromEntries(named.map((level, i) => [level, names[i].names])) };
    },
    show: (answer, body) => (answer.data ? show(app, answer.data, answer.names, body) : 'No region sheets are loaded, so nothing can be computed anew.'),
  });
}

/**
 * @param {App} app
 * @param {any} c
 * @param {Record<string, Map<string, string>>} names   of regions, by level
 * @param {HTMLElement} body
 */
function show(app, c, names, body) {
  const differ = c.checked - c.matched;
  const at = `reconciliation/${c.year}`;
  const file = (/** @type {string} */ format, /** @type {string} */ cells) => address(at, { release: c.release || 'none', cells, format }).href;
  const cells = worstFirst(c.cells);
  const chart = el('div', {});
  body.replaceChildren(
    el('p', { id: 'certified' }, el('b', {}, editionName(c)), ': ', el('b', {}, full(c.matched)), ' of ', el('b', {}, full(c.checked)),
      ` comparisons agree but for rounding (${percent(c.checked ? c.matched / c.checked : 0)}); ${differ ? `${full(differ)} differ.` : 'none differs.'}`),
    el('p', { class: 'quiet' }, c.gwp.name ? `CO2e follows from ${c.gwp.name.toUpperCase()}: CH4 counts ${full(c.gwp.ch4)}, N2O ${full(c.gwp.n2o)}; ${full(c.gwp.error_lb_per_mwh)} lb/MWh are left.` : 'No set of GWPs gives its CO2e.',
      c.absent.length ? ` Not loaded: ${c.absent.map(levelName).join(', ')}.` : ''),
    notes(c.notes) ?? '',
    el('p', { class: 'actions' }, el('a', { class: 'button', href: file('html', ''), target: '_blank', rel: 'noopener' }, 'Open as a page'), el('a', { class: 'button', href: file('csv', 'all'), download: true }, 'Download every cell as CSV'),
      el('span', { class: 'quiet' }, 'SHA-256 of that CSV: ', el('code', { class: 'sum256', title: c.hash }, c.hash))),
    el('div', { class: 'pair' },
      table('Comparisons', ['Sheet', 'Follows from', 'Published', numberHead('Compared'), numberHead('Agree'), numberHead('Differ')], c.checks.map((/** @type {any} */ k) => el('tr', { class: k.checked > k.matched ? 'unanswered' : null },
        el('th', { scope: 'row' }, levelName(k.level)), el('td', {}, k.from === k.level ? 'its own sums' : levelName(k.from)), el('td', {}, relations[k.relation] ?? k.relation),
        ...[k.checked, k.matched, k.checked - k.matched].map((n) => el('td', { class: 'number' }, full(n)))))),
      chart),
    cells.length ? el('div', {}, el('h3', {}, `Cells that differ, the farthest first`), cellTable(app, cells, names)) : '',
    el('details', { class: 'values' }, el('summary', {}, 'Rules that editions differ in, and what was allowed for rounding'),
      table('Rules', ['Rule', 'Choice', numberHead('Agree'), numberHead('Of'), 'Used'], c.variants.map((/** @type {any} */ v) => el('tr', {}, el('th', { scope: 'row' }, words(v.rule)), el('td', {}, words(v.variant)),
        el('td', { class: 'number' }, full(v.matched)), el('td', { class: 'number' }, full(v.checked)), el('td', {}, v.used ? 'used' : '')))),
      table('Tolerances', ['Kind of figure', numberHead('Smallest tolerance'), numberHead('Largest')], c.tolerance.map((/** @type {any} */ t) => el('tr', {}, el('th', { scope: 'row' }, t.kind),
        el('td', { class: 'number' }, full(t.smallest)), el('td', { class: 'number' }, full(t.largest)))))));
  if (cells.length) {
    draw(chart, 'ranking', {
      title: 'Cells that differ, by column', unit: '', heading: 3, limit: 10, x: { label: 'Column' }, y: { label: 'Cells that differ' },
      series: [{ name: 'Cells', points: byColumn(cells).map(([column, n]) => ({ x: columnLabel(column), name: columnLabel(column), y: n })) }],
      source: `certificate of ${editionName(c)}`, file: `certificate-${c.year}`,
    });
  }
  return null;
}

/**
 * @param {App} app
 * @param {any[]} cells
 * @param {Record<string, Map<string, string>>} names
 */
function cellTable(app, cells, names) {
  const row = (/** @type {any} */ cell) => el('tr', {},
    el('th', { scope: 'row' }, el('a', { href: app.link({ level: cell.level, code: cell.code }, 'regions') }, placeName(cell.level, cell.code, names[cell.level]))), el('td', {}, columnLabel(cell.column)),
    ...[cell.published, cell.recomputed, cell.difference, cell.tolerance].map((x) => el('td', { class: x < 0 ? 'number negative' : 'number' }, full(x))),
    el('td', { class: 'number' }, off(cell) === null ? '–' : percent(/** @type {number} */ (off(cell)))), el('td', {}, cell.from === cell.level ? 'its own sums' : levelName(cell.from)));
  return longTable('Cells that differ', ['Region', 'Column', numberHead('Published'), numberHead('Computed anew'), numberHead('Difference'), numberHead('Allowed'), numberHead('Off by'), 'From'], cells, row, many);
}

/**
 * longTable shows the first rows, and the others when they are asked for.
 * @param {string} label
 * @param {(string | Node)[]} heads
 * @param {any[]} list
 * @param {(item: any) => HTMLElement} row
 * @param {number} first
 */
export function longTable(label, heads, list, row, first) {
  const made = table(label, heads, list.slice(0, first).map(row));
  if (list.length > first) {
    const rest = el('button', { type: 'button', click: () => {
      made.querySelector('tbody')?.append(...list.slice(first).map(row));
      rest.remove();
    } }, `Show all ${plural(list.length, 'row')}`);
    return el('div', {}, made, el('p', { class: 'more' }, rest));
  }
  return made;
}

/** @param {string} name */
const words = (name) => name.replaceAll('_', ' ');
