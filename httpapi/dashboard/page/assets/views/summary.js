// The header's line and the tiles: what is loaded.
// @ts-nocheck

import { get } from '../core/api.js';
import { differenceTexts, sheetName } from '../core/basis.js';
import { byID, el } from '../core/dom.js';
import { amount, brief, dash, full, missing, moment, plural } from '../core/format.js';
import { levelName, releaseName } from '../core/names.js';
import { Part } from '../core/part.js';

export function summaryPart(filters) {
  return new Part(byID('summary'), {
    load: (signal) => get('plants/statistics', { year: filters.chosen.year }, signal),
    show: ({ data, meta }, body) => {
      const nothing = data.levels.length === 0;
      document.body.classList.toggle('bare', nothing);
      byID('nothing').hidden = !nothing;
      byID('loaded').replaceChildren(...(nothing ? [] : loaded(meta)));
      body.replaceChildren(el('dl', { class: 'tiles' }, tiles(data, meta)));
    },
    clear: () => filters.clear(),
  });
}

function loaded({ year, release, basis, revision }) {
  const chips = [];
  if (year) chips.push(['Data year', year]);
  if (year && release !== null) chips.push(['Release', releaseName(release)]);
  if (basis) chips.push(['From', `${levelName(basis)} (${basis})`]);
  chips.push(['Revision', revision]);
  return chips.map(([name, value]) => el('span', { class: 'chip' }, `${name} `, el('b', {}, String(value))));
}

function tiles(data, meta) {
  const year = meta.year ? `in ${meta.year}` : '';
  return [
    plants(data, meta, year),
    tile('Generators', missing(data.generators) ? null : brief(data.generators), missing(data.generators) ? 'no generator sheet loaded' : year),
    generation(data.net_generation_mwh, meta),
    dataYears(data.levels),
    tile('Last load', missing(data.last_load) ? null : moment(data.last_load).replace(/, \d\d:\d\d UTC$/, ''),
      missing(data.last_load) ? '' : moment(data.last_load).replace(/^.*, /, 'at '), data.last_load),
  ];
}

// plants are counted in a sheet of their own, which may be of another release.
function plants(data, meta, year) {
  if (missing(data.plants)) return tile('Plants', null, 'no plant or generator sheet loaded');
  const sheet = sheetName(data.plants_basis, data.plants_release);
  const elsewhere = data.plants_release !== meta.release;
  return tile('Plants', brief(data.plants), elsewhere ? `${year}, ${sheet}` : year, `counted in the ${sheet}`);
}

// dataYears tells which years there are; a range only where none is missing.
function dataYears(levels) {
  const years = [...new Set(levels.flatMap((level) => level.years))].sort();
  const title = levels.map((level) => `${level.level}: ${plural(level.rows, 'row')}, ${level.years.join(', ')}`).join('\n');
  const rows = plural(levels.reduce((sum, level) => sum + level.rows, 0), 'row');
  if (years.length < 2) return tile('Data years', years.length ? String(years[0]) : null, rows, title);
  const [first, last] = [years[0], years.at(-1)];
  if (last - first < years.length) return tile('Data years', `${first}–${last}`, rows, title);
  return tile('Data years', String(years.length), years.length < 5 ? years.join(', ') : `between ${first} and ${last}`, title);
}

function generation(value, meta) {
  if (missing(value)) return tile('Net generation', null, meta.year ? `in ${meta.year}` : '');
  const [number, unit] = amount(value);
  return tile('Net generation', el('span', {}, number, el('small', {}, ` ${unit}`)), `${brief(value)} MWh`,
    [`${full(value)} MWh, ${sheetName(meta.basis, meta.release)}`, ...differenceTexts(meta)].join('\n'));
}

// tile shows one figure. Its note tells the rest, its title all of it.
function tile(name, value, note, title = null) {
  return el('div', { class: 'tile' },
    el('dt', {}, name),
    el('dd', { title: missing(value) ? 'missing' : title }, missing(value) ? dash : value, note ? el('span', { class: 'quiet' }, note) : null));
}
