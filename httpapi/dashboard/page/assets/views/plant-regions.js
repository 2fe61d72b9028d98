// The regions that a plant belongs to, and what their sheets say.

import { get } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { missing, percent } from '../core/format.js';
import { levelName, stateName } from '../core/names.js';
import { ghostLines, partOf } from '../core/part.js';
import { levels } from './places.js';

/** @import { Answer, App } from '../core/types.js' */

/** @type {[string, string][]} */
const kinds = [['ST', 'state'], ['SRL', 'subregion'], ['BA', 'balancing_authority'], ['NRL', 'nerc_region'], ['US', '']];

/**
 * lacksRegions tells whether the sheet does not say all regions of a plant.
 * @param {any} plant
 */
export const lacksRegions = (plant) => kinds.some(([, column]) => column && missing(plant[column]));

/**
 * @param {App} app
 * @param {() => Answer | null} shown
 * @param {() => any[]} history rows of other years, which may know what this one does not
 */
export function regionsPart(app, shown, history) {
  return partOf({ id: 'plant-regions', title: 'Regions', ghost: [ghostLines(6)] }, {
    load: async (signal) => {
      const answer = /** @type {Answer} */ (shown());
      const { plant, snapshots } = answer.data;
      const rows = await Promise.all(kinds.map(([level, column]) => row(level, column, { plant, snapshots, meta: answer.meta, history: history() }, signal)));
      return { ...answer, data: rows };
    },
    show: ({ data, meta }, body) => {
      body.replaceChildren(el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': 'Table of regions' }, el('table', {},
        el('thead', {}, el('tr', {}, ['Region', 'Its name or code'].map((name) => el('th', { scope: 'col' }, name)),
          el('th', { scope: 'col', class: 'number' }, 'Net generation', el('small', {}, ' MWh')), el('th', { scope: 'col', class: 'number' }, 'CO2 output rate', el('small', {}, ' lb/MWh')))),
        el('tbody', {}, data.map((/** @type {any} */ one) => line(app, one, meta))))),
      meta.share_basis && !missing(shown()?.data.plant.share) ? el('p', { class: 'quiet' }, `The plant makes ${percent(shown()?.data.plant.share)} of the net generation of its state, by the ${sheetName(meta.share_basis, meta.share_release)}.`) : '');
      return null;
    },
  });
}

/**
 * row finds the code of a region, and its figures where a sheet of the data year
 * is loaded.
 * @param {string} level
 * @param {string} column
 * @param {{plant: any, snapshots: any[], meta: Answer['meta'], history: any[]}} o
 * @param {AbortSignal} signal
 */
async function row(level, column, { plant, snapshots, meta, history }, signal) {
  const one = { level, code: level === 'US' ? 'US' : plant[column], as: '', region: null, release: '', reason: '' };
  if (missing(one.code)) {
    const other = history.filter((year) => !missing(year[column])).sort((a, b) => Math.abs(a.data_year - (meta.year ?? 0)) - Math.abs(b.data_year - (meta.year ?? 0)))[0];
    if (!other) return { ...one, reason: meta.basis === 'GEN' ? 'generator sheets do not say' : 'the sheet does not say' };
    one.code = other[column];
    one.as = `as in ${other.data_year}`;
  }
  if (!snapshots.some((s) => s.level === level && s.year === meta.year && s.status === 'published')) return { ...one, reason: `no ${levelName(level)} of ${meta.year} is loaded` };
  const code = levels[level].code;
  const { data, meta: of } = await get(`levels/${level}/rows`, { year: meta.year, ...(code ? { [code]: one.code } : {}), limit: 1, count: 'false' }, signal);
  if (data.length === 0) return { ...one, reason: `the ${levelName(level)} of ${meta.year} has no ${one.code}` };
  return { ...one, region: data[0], release: of.release ?? '' };
}

/**
 * @param {App} app
 * @param {any} one
 * @param {Answer['meta']} meta
 */
function line(app, { level, code, as, region, release, reason }, meta) {
  const name = missing(code) ? '–' : level === 'ST' ? `${stateName(code)} (${code})` : level === 'US' ? 'United States' : region?.[levels[level].name ?? ''] ? `${region[levels[level].name ?? '']} (${code})` : code;
  const link = region ? app.link({ level, code: level === 'US' ? '' : code, year: meta.year ?? null, release: release || 'none' }, 'regions') : null;
  return el('tr', { 'data-level': level }, el('th', { scope: 'row' }, levels[level].one),
    el('td', {}, link ? el('a', { href: link }, name) : name, as ? el('small', {}, ` ${as}`) : null, el('span', { class: 'quiet from' }, region ? sheetName(level, release) : reason)),
    figure('td', region?.net_generation_mwh, 'MWh', { class: 'number', bare: true, reason }), figure('td', region?.co2_output_rate_lb_per_mwh, 'lb/MWh', { class: 'number', bare: true, reason }));
}
