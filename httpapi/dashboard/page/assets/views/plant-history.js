// A plant over all data years, and why it is missing from some.

import { get, plantPath } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { full, missing, plural } from '../core/format.js';
import { fuelName } from '../core/names.js';
import { ghostPlot, partOf } from '../core/part.js';
import { draw } from './draw.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Which } from './plant.js' */

/** @type {[string, string][]} */
const measures = [['net_generation_mwh', 'Net generation'], ['nameplate_capacity_mw', 'Nameplate capacity'], ['capacity_factor', 'Capacity factor'], ['co2e_short_tons', 'CO2e'], ['co2e_output_rate_lb_per_mwh', 'CO2e output rate']];

/**
 * @param {App} app
 * @param {() => Which} which
 * @param {() => void} shown is told that the rows are there
 */
export function historyPart(app, which, shown) {
  /** @type {any[]} */
  let rows = [];
  const part = partOf({ id: 'plant-history', title: 'History', ghost: [ghostPlot()] }, {
    load: async (signal) => {
      const { id } = which();
      const [history, years] = await Promise.all([get(plantPath(id, '/history'), {}, signal), get('plants/years', {}, signal)]);
      const known = new Set(history.data.map((/** @type {any} */ row) => row.data_year));
      const absent = await Promise.all(years.data.filter((/** @type {any} */ year) => !known.has(year.year)).map((/** @type {any} */ year) => absence(year, history.data, signal)));
      return { ...history, data: { rows: history.data, absent } };
    },
    show: (answer, body) => {
      rows = answer.data.rows;
      const canvas = el('div');
      body.replaceChildren(canvas, table(app, answer, which()));
      draw(canvas, 'bars', chartOf(app, answer, which()));
      shown();
      return null;
    },
  });
  return { part, get rows() { return rows; } };
}

/**
 * absence says why a data year does not have the plant.
 * @param {any} year
 * @param {any[]} history
 * @param {AbortSignal} signal
 */
async function absence({ year, plants, plants_basis: basis, plants_release: release }, history, signal) {
  const oris = history[0]?.oris_plant_code;
  const name = history.at(-1)?.plant_name ?? '';
  if (missing(plants)) return { year, name: '', reason: 'only sheets of regions are loaded: they name no plants' };
  const sheet = sheetName(basis, release);
  if (missing(oris)) return { year, name, reason: `none of the ${plural(plants, 'plant')} of the ${sheet} has this name in this state; it has no ORIS code by which it could be found under another name` };
  const coded = await get('plants/search', { year, release: release || 'none', filter: ['oris_plant_code present'], columns: 'plant_name', limit: 1 }, signal);
  if (!coded.meta.total) return { year, name, reason: `the ${sheet} has no ORIS codes, so its ${plural(plants, 'plant')} cannot be matched` };
  return { year, name, reason: `none of the ${plural(plants, 'plant')} of the ${sheet} has the ORIS code ${oris}` };
}

/**
 * @param {App} app
 * @param {Answer} answer
 * @param {Which} which
 */
function chartOf(app, { data }, which) {
  const years = [...data.rows.map((/** @type {any} */ row) => row.data_year), ...data.absent.map((/** @type {any} */ one) => one.year)];
  const points = [];
  for (let year = Math.min(...years); year <= Math.max(...years); year++) {
    const row = data.rows.find((/** @type {any} */ one) => one.data_year === year);
    const from = row ? sheetName(row.basis, row.release) : undefined;
    points.push({
      x: String(year), y: row?.net_generation_mwh ?? null, from,
      reason: row ? 'no value in the sheet' : data.absent.find((/** @type {any} */ one) => one.year === year)?.reason ?? 'the data year is not loaded',
      title: missing(row?.net_generation_mwh) ? undefined : `${year}: ${full(row.net_generation_mwh)} MWh, ${from}`,
      href: row ? app.link({ year, release: '', explain: '' }) : null, selected: String(year) === which.year,
    });
  }
  return { title: 'Net generation by data year', heading: 3, unit: 'MWh', x: { label: 'Data year' }, y: { label: 'Net generation' }, upright: true,
    series: [{ name: 'Net generation', points }], source: 'the sheets that the table names', file: `plant-${which.id}-history` };
}

/**
 * @param {App} app
 * @param {Answer} answer
 * @param {Which} which
 */
function table(app, { data, meta }, which) {
  const lines = [...data.rows.map((/** @type {any} */ row) => ({ year: row.data_year, row })), ...data.absent].sort((a, b) => b.year - a.year);
  return el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': 'Table of data years' }, el('table', {},
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Data year'), measures.map(([column, name]) => {
      const unit = meta.units?.[column];
      return el('th', { scope: 'col', class: 'number' }, name, unit ? el('small', {}, ` ${unit}`) : null);
    }), ['Fuel', 'Name in that year', 'From'].map((name) => el('th', { scope: 'col' }, name)))),
    el('tbody', {}, lines.map(({ year, row, reason, name }) => (row
      ? el('tr', { 'data-year': year, class: String(year) === which.year ? 'selected' : null },
        el('th', { scope: 'row' }, el('a', { href: app.link({ year, release: '', explain: '' }) }, year)),
        measures.map(([column]) => figure('td', row[column], meta.units?.[column], { class: 'number', bare: true, reason: row.basis === 'GEN' ? 'generators do not have it' : 'no value in the sheet' })),
        el('td', {}, missing(row.fuel_category) ? row.fuel ?? '–' : fuelName(row.fuel_category)), el('td', {}, row.plant_name ?? '–'), el('td', { class: 'quiet' }, sheetName(row.basis, row.release)))
      : el('tr', { 'data-year': year, class: 'absent' }, el('th', { scope: 'row' }, year),
        el('td', { colspan: measures.length + 3, class: 'quiet' }, `Not found: ${reason}.`, name ? el('a', { href: app.link({ year, q: name }, 'plants') }, ` Search for “${name}”`) : null)))))));
}
