// The largest plants of what is chosen.

import { get } from '../core/api.js';
import { el } from '../core/dom.js';
import { figure } from '../core/figure.js';
import { missing, percent } from '../core/format.js';
import { fuelName } from '../core/names.js';
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
