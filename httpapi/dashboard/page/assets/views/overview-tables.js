// The tables of the overview: the largest plants of what is chosen, and what is
// loaded.

import { get } from '../core/api.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { missing, moment, percent, plural } from '../core/format.js';
import { fuelName, levelName, releaseName } from '../core/names.js';
import { plantNotes, showNotes } from '../core/notes.js';
import { ghostLines, partOf } from '../core/part.js';

/** @import { Answer, App } from '../core/types.js' */
/** @import { Choices } from '../core/choices.js' */

/**
 * @param {App} app
 * @param {Choices} choices
 */
export function topPart(app, choices) {
  const note = el('p', { id: 'note', class: 'note', hidden: true });
  const all = el('a', { id: 'all-plants', class: 'button' }, 'All plants');
  const part = partOf({ id: 'top', title: 'Top plants by net generation', ghost: [ghostLines(17)] }, {
    load: async (signal) => {
      all.href = app.link(choices.chosen, 'plants');
      try {
        return await get('plants/top', { ...choices.chosen, q: '' }, signal);
      } catch (error) {
        const problem = /** @type {any} */ (error);
        if (problem.status !== 404) throw error; // of some data years only regions are loaded
        return /** @type {Answer} */ ({ data: [], meta: { revision: /** @type {any} */ (null), absent: problem.detail }, links: {} });
      }
    },
    show: ({ data, meta }, body) => {
      showNotes(note, plantNotes(meta, { fuel: Boolean(choices.chosen.fuel_category) }));
      all.title = meta.total ? `${meta.total.toLocaleString('en-US')} of them` : '';
      if (data.length === 0) return meta.absent ?? (meta.year ? `No plant in ${meta.year} matches what is chosen.` : 'No plants are loaded yet.');
      body.replaceChildren(el('table', { class: 'top-plants' },
        el('caption', { class: 'unseen' }, 'The plants with the largest net generation'),
        el('thead', {}, el('tr', {}, ...['#', 'Plant'].map((name) => el('th', { scope: 'col' }, name)),
          el('th', { scope: 'col', class: 'number' }, 'Net generation', el('small', {}, ' MWh')), el('th', { scope: 'col', class: 'number' }, 'Share of state'))),
        el('tbody', {}, data.map((/** @type {any} */ plant, /** @type {number} */ i) => row(app, plant, i + 1, { ...meta, asked: choices.chosen.release })))));
      return null;
    },
    fail: () => { note.hidden = true; },
    clear: () => choices.clear(),
  });
  part.body.before(note);
  part.root.querySelector('h2')?.replaceWith(el('div', { class: 'head' }, el('h2', { id: 'top-title' }, 'Top plants by net generation'), all));
  return part;
}

/**
 * @param {App} app
 * @param {any} plant
 * @param {number} rank
 * @param {Answer['meta']} meta
 */
function row(app, plant, rank, meta) {
  return el('tr', { 'data-id': plant.id }, el('td', { class: 'rank number' }, rank),
    el('td', { class: 'name' }, el('a', { class: 'open', href: app.link({ plant: plant.id, year: meta.year, release: meta.asked }, 'plant') }, plant.plant_name ?? plant.id),
      el('span', { class: 'quiet' }, el('i', { class: `dot fuel-${(plant.fuel_category ?? '').toLowerCase()}`, 'aria-hidden': 'true' }),
        [missing(plant.fuel_category) ? plant.fuel ?? 'fuel not named' : fuelName(plant.fuel_category), plant.state ?? 'state not named'].join(' · '))),
    figure('td', plant.net_generation_mwh, 'MWh', { class: 'generation number', bare: true }),
    missing(plant.share) ? el('td', { class: 'share number', title: 'missing' }, '–') : el('td', { class: 'share number', title: `${plant.share} as a fraction` }, percent(plant.share)));
}

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
