// What is loaded: the sheets of every data year, with their releases.

import { get } from '../core/api.js';
import { el } from '../core/dom.js';
import { moment, plural } from '../core/format.js';
import { levelName, releaseName } from '../core/names.js';
import { ghostLines, partOf } from '../core/part.js';

// In the order from small to large.
const order = ['UNT', 'GEN', 'PLNT', 'BA', 'ST', 'SRL', 'NRL', 'US', 'GGL', 'DEMO', 'ZIP'];

/**
 * loadedPart tells, too, whether there is nothing at all.
 * @param {(nothing: boolean) => void} nothing
 */
export function loadedPart(nothing) {
  return partOf({ id: 'loaded-part', title: 'What is loaded', ghost: [ghostLines(6)] }, {
    load: (signal) => get('snapshots', {}, signal),
    show: ({ data }, body) => {
      const published = data.filter((/** @type {any} */ one) => one.status === 'published');
      nothing(published.length === 0);
      const held = data.length - published.length;
      const years = [...new Set(published.map((/** @type {any} */ one) => one.year))].sort((a, b) => b - a);
      const levels = order.filter((level) => published.some((/** @type {any} */ one) => one.level === level));
      const latest = published.map((/** @type {any} */ one) => one.loaded_at).sort().at(-1);
      const rows = published.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.rows, 0);
      body.replaceChildren(
        el('p', { class: 'quiet' }, `${plural(rows, 'row')} of ${plural(published.length, 'sheet')}${latest ? `, the last loaded at ${moment(latest)}` : ''}${held ? `; ${plural(held, 'load')} held back` : ''}.`),
        el('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': 'Sheets by data year' }, el('table', { class: 'loaded' },
          el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Data year'), levels.map((level) => el('th', { scope: 'col', class: 'number' }, words(level), el('small', {}, ` ${level}`))))),
          el('tbody', {}, years.map((year) => el('tr', {}, el('th', { scope: 'row' }, year),
            levels.map((level) => cell(published.filter((/** @type {any} */ one) => one.level === level && one.year === year)))))))));
    },
  });
}

/** @param {string} level */
function words(level) {
  const text = levelName(level).replace(/ sheet$/, '');
  return text === level ? level : text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {any[]} snapshots */
function cell(snapshots) {
  if (snapshots.length === 0) return el('td', { class: 'number', title: 'not loaded' }, '–');
  return el('td', { class: 'number' }, snapshots.map((one) => el('div', { title: `${one.authority}, from ${one.sources.map((/** @type {any} */ source) => source.object).join(', ')}; loaded ${moment(one.loaded_at)}` },
    one.rows.toLocaleString('en-US'), el('small', {}, ` ${releaseName(one.release)}`))));
}
