// The generators or the units of a plant.

import { get, next, plantPath } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { missing, plural } from '../core/format.js';
import { meaningButton } from '../core/meaning.js';
import { columnLabel, levelName } from '../core/names.js';
import { ghostLines, partOf, problemBox } from '../core/part.js';
import { isNumeric } from './plants-table.js';

/** @import { Answer } from '../core/types.js' */
/** @import { Which } from './plant.js' */

// What is the same in every row.
const same = new Set(['level', 'data_year', 'release', 'sequence', 'state', 'plant_name', 'oris_plant_code']);

/**
 * @param {() => Which} which
 * @param {{id: string, title: string, one: string, path: string, level: string}} o
 */
export function listPart(which, { id, title, one, path, level }) {
  return partOf({ id, title, ghost: [ghostLines(4)] }, {
    load: async (signal) => {
      const { id: plant, year, release } = which();
      const [answer, snapshots] = await Promise.all([get(plantPath(plant, path), { year, release }, signal), get('snapshots', {}, signal)]);
      return { ...answer, data: { rows: answer.data, snapshots: snapshots.data } };
    },
    show: (answer, body) => {
      const { rows, snapshots } = answer.data;
      const { meta } = answer;
      const sheet = snapshots.find((/** @type {any} */ s) => s.level === level && s.year === meta.year && s.status === 'published');
      if (rows.length === 0) {
        return sheet ? `The ${levelName(level)} of ${meta.year} does not name this plant.` : `No ${levelName(level)} of ${meta.year ?? 'this data year'} is loaded.`;
      }
      body.replaceChildren(...table(answer, { one, path, level, plant: which().id }));
      return null;
    },
  });
}

/**
 * @param {Answer<{rows: any[], snapshots: any[]}>} answer
 * @param {{one: string, path: string, level: string, plant: string}} o
 */
function table(answer, { one, path, level, plant }) {
  const { rows, snapshots } = answer.data;
  const { meta } = answer;
  const all = Object.keys(rows[0]).filter((column) => !same.has(column));
  const columns = all.filter((column) => rows.some((row) => !missing(row[column])));
  const empty = all.length - columns.length;
  const source = snapshots.find((s) => s.level === level && s.year === meta.year && s.release === (rows[0].release ?? '') && s.status === 'published');
  const list = el('tbody');
  const foot = el('div', { class: 'more' });
  const append = (/** @type {any[]} */ more, /** @type {Answer} */ page) => {
    list.append(...more.map((row) => el('tr', {}, columns.map((column) => {
      const number = isNumeric(column, meta.units?.[column], rows);
      return figure('td', row[column], meta.units?.[column], { class: number ? 'number' : '', bare: true });
    }))));
    const ask = async () => {
      try {
        const following = await next(plantPath(plant, path), page);
        append(following.data, following);
      } catch (error) {
        foot.replaceChildren(problemBox(/** @type {Error} */ (error), ask));
      }
    };
    foot.replaceChildren(...(page.links.next ? [el('button', { type: 'button', click: ask }, 'Load more')] : []));
  };
  append(rows, answer);
  const origin = [`${plural(meta.total ?? rows.length, one)}, from the ${sheetName(level, rows[0].release)}`, source ? source.sources.map((/** @type {any} */ s) => s.object).join(', ') : '',
    rows.every((row) => !missing(row.sequence)) ? `position ${rows[0].sequence}${rows.length > 1 ? ` and following` : ''} in the sheet` : '',
    empty ? `${plural(empty, 'column')} without any value left out` : ''].filter(Boolean).join(' · ');
  return [el('p', { class: 'quiet' }, origin),
    el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': `Table of ${one}s` }, el('table', {},
      el('thead', {}, el('tr', {}, columns.map((column) => {
        const unit = meta.units?.[column];
        return el('th', { scope: 'col', class: isNumeric(column, unit, rows) ? 'number' : null }, columnLabel(column, unit), unit && unit !== 'fraction' ? el('small', {}, ` ${unit}`) : null, meaningButton(column, { level, unit, rounded: meta.lossy?.includes(column) }));
      }))), list)), foot];
}
