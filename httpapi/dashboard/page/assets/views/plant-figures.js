// Who a plant is, its main figures, and all of its columns.

import { sheetName } from '../core/basis.js';
import { el } from '../core/dom.js';
import { figure, written } from '../core/figure.js';
import { dash, full, missing, percent } from '../core/format.js';
import { grouped } from '../core/groups.js';
import { meaningButton } from '../core/meaning.js';
import { columnLabel, fuelName, levelName, releaseName, stateName } from '../core/names.js';
import { plantNotes, showNotes } from '../core/notes.js';
import { permanentOf } from './explain.js';
import { copyButton } from './parts.js';
import { placeOf } from './plant-place.js';

/** @import { Answer, App } from '../core/types.js' */

/**
 * headOf is where a plant stands and what its figures are of, and what can be done
 * with the view.
 * @param {App} app
 * @param {Answer} answer
 * @param {any[]} snapshots
 */
export function headOf(app, answer, snapshots) {
  const { plant } = answer.data;
  const { meta } = answer;
  const place = [plant.county && plant.state ? `${plant.county} County` : plant.county, plant.state ? stateName(plant.state) : 'state not named'].filter(Boolean).join(', ');
  const at = missing(plant.latitude) || missing(plant.longitude) ? null : `${Math.abs(plant.latitude)}° ${plant.latitude < 0 ? 'S' : 'N'}, ${Math.abs(plant.longitude)}° ${plant.longitude < 0 ? 'W' : 'E'}`;
  const source = snapshots.find((one) => one.level === meta.basis && one.year === meta.year && one.release === meta.release && one.status === 'published');
  const from = [`Data year ${meta.year}, release ${releaseName(meta.release)}`, meta.basis === 'GEN' ? 'sum of its generators' : `from the ${levelName(meta.basis ?? '')}`,
    source ? `${source.authority}: ${source.sources.map((/** @type {any} */ one) => one.object).join(', ')}` : ''].filter(Boolean).join(' · ');
  const permanent = permanentOf(`plants/${encodeURIComponent(plant.id)}`, answer);
  const note = el('p', { class: 'note', hidden: true });
  showNotes(note, plantNotes(meta));
  const here = el('span', { class: 'address' }, new URL(app.link({ year: meta.year ?? null, release: meta.release || 'none', explain: '' }), document.baseURI).href);
  const cite = source ? copyButton('Copy citation', () => `${citationLine(plant, meta, source)} ${permanent ? `Permanent address, accessed ${today()}: ${permanent}` : `Accessed ${today()}.`}`, here, (/** @type {string} */ text) => app.say(text)) : null;
  cite?.setAttribute('id', 'plant-cite');
  const tools = [
    copyButton('Copy link', () => here.textContent ?? '', here, (/** @type {string} */ text) => app.say(text)),
    cite,
    permanent ? el('a', { id: 'permanent', class: 'button', href: permanent, title: 'The answer of the API, at an address where it never changes' }, 'Permanent data') : null,
  ].filter((tool) => tool !== null);
  const nodes = [
    el('div', { class: 'plant-top' }, el('dl', { class: 'identity' },
      entry('Place', [place, at].filter(Boolean).join(' · ')),
      entry('ORIS code', plant.oris_plant_code ?? 'none in the sheet: the plant goes by state and name'),
      missing(plant.operator_name) ? null : entry('Operator', plant.operator_name),
      missing(plant.fuel_category) && missing(plant.fuel) ? null : entry('Primary fuel', el('span', {}, el('i', { class: `dot fuel-${(plant.fuel_category ?? '').toLowerCase()}`, 'aria-hidden': 'true' }),
        [missing(plant.fuel_category) ? '' : fuelName(plant.fuel_category), missing(plant.fuel) ? '' : `(${plant.fuel})`].filter(Boolean).join(' '))),
      entry('Figures', from), entry('Address', here)), placeOf(app, plant, meta.year)),
    note,
  ];
  return { nodes, tools };
}

const today = () => new Date().toISOString().slice(0, 10);

/**
 * citationLine says whose figures of the plant these are.
 * @param {any} plant
 * @param {Answer['meta']} meta
 * @param {any} source   the snapshot
 */
const citationLine = (plant, { year, release, basis }, source) => `${source.authority}. eGRID${year} (release ${releaseName(release)}), ${levelName(basis ?? '')}: ${plant.plant_name ?? plant.id}${plant.oris_plant_code ? `, ORIS code ${plant.oris_plant_code}` : ''}${missing(plant.net_generation_mwh) ? '' : `, net generation ${full(plant.net_generation_mwh)} MWh`}.`;

/**
 * @param {string} name
 * @param {Node | string} value
 */
const entry = (name, value) => el('div', {}, el('dt', {}, name), el('dd', {}, value));

// The main figures: the first column of each line that the sheet has, and the
// unit of it.
/** @type {[string[], string][]} */
const main = [
  [['net_generation_mwh'], 'MWh'], [['nameplate_capacity_mw'], 'MW'], [['capacity_factor'], ''], [['share'], 'fraction'],
  [['co2e_short_tons', 'co2_short_tons'], 'short tons'], [['co2e_output_rate_lb_per_mwh', 'co2_output_rate_lb_per_mwh'], 'lb/MWh'],
];

/**
 * @param {App} app
 * @param {Answer} answer
 */
export function tilesOf(app, answer) {
  const { plant } = answer.data;
  return el('dl', { id: 'plant-tiles', class: 'tiles' }, main.map(([columns, unit]) => {
    const { rate } = answer.data;
    if (rate && columns.includes('co2_output_rate_lb_per_mwh') && columns.every((name) => missing(plant[name]))) return rateTile(app, answer, rate);
    const column = columns.find((name) => !missing(plant[name])) ?? columns.find((name) => name in plant) ?? columns[0];
    const is = written(plant[column], unit);
    return el('div', { class: 'tile', 'data-column': column }, el('dt', {}, columnLabel(column, unit)),
      el('dd', { title: is.title }, explainable(app, answer, column, el('span', {}, is.text, is.unit ? el('small', {}, ` ${is.unit}`) : null)),
        el('span', { class: 'quiet' }, is.missing ? reason(column, answer) : sourceOf(column, answer))));
  }));
}

/**
 * rateTile is the rate that the sheet does not have, computed by the API from
 * what it has.
 * @param {App} app
 * @param {Answer} answer
 * @param {any} rate
 */
function rateTile(app, answer, rate) {
  const is = written(rate.recomputed, rate.unit);
  return el('div', { class: 'tile', 'data-column': rate.column }, el('dt', {}, columnLabel(rate.column, rate.unit)),
    el('dd', { title: is.title }, explainable(app, answer, rate.column, el('span', {}, is.text, el('small', {}, ` ${is.unit}`))), el('span', { class: 'quiet' }, 'computed: the sheet lacks the column')));
}

/**
 * reason says why a figure is missing.
 * @param {string} column
 * @param {Answer} answer
 */
function reason(column, { data, meta }) {
  if (meta.basis === 'GEN') return `no plant sheet of ${meta.year} is loaded, and generators do not tell`;
  if (column in data.plant) return `no value in the ${sheetName(meta.basis ?? '', meta.release)}`;
  return `the ${sheetName(meta.basis ?? '', meta.release)} lacks the column`;
}

/**
 * @param {string} column
 * @param {Answer} answer
 */
function sourceOf(column, { meta }) {
  if (column === 'share') return `by the ${sheetName(meta.share_basis ?? '', meta.share_release)}`;
  return [sheetName(meta.basis ?? '', meta.release), meta.lossy?.includes(column) ? 'rounded' : ''].filter(Boolean).join(', ');
}

/**
 * figuresOf lists every column, in groups.
 * @param {App} app
 * @param {Answer} answer
 */
export function figuresOf(app, answer) {
  const { plant } = answer.data;
  return [el('h2', {}, 'All figures'), el('p', { class: 'quiet print-not' }, 'Every figure leads to where it is from and how it follows; ? says what its column means.'),
    ...grouped(Object.keys(plant).filter((name) => name !== 'id')).map(([name, columns]) => el('div', { class: 'group' }, el('h3', {}, name),
      el('dl', {}, columns.map((column) => line(app, answer, column)))))];
}

/**
 * @param {App} app
 * @param {Answer} answer
 * @param {string} column
 */
function line(app, answer, column) {
  const { plant } = answer.data;
  const { meta } = answer;
  const unit = meta.units?.[column] ?? '';
  const value = plant[column];
  const rounded = meta.lossy?.includes(column);
  const shown = column === 'fuel_category' && !missing(value) ? el('span', { title: value }, fuelName(value)) : figure('span', value, unit);
  return el('div', { 'data-column': column },
    el('dt', {}, columnLabel(column, unit), meaningButton(column, { level: meta.basis === 'GEN' ? 'PLNT' : meta.basis ?? 'PLNT', unit, rounded }), rounded ? el('small', { class: 'rounded' }, 'rounded') : null),
    el('dd', { title: missing(value) ? `missing: ${reason(column, answer)}` : typeof value === 'number' && unit === 'fraction' ? `${full(value)}, or ${percent(value)}` : null },
      explainable(app, answer, column, missing(value) ? el('span', {}, dash) : shown)));
}

/**
 * explainable makes a link of a figure to its explanation. Identifiers are none.
 * @param {App} app
 * @param {Answer} answer
 * @param {string} column
 * @param {HTMLElement} shown
 */
function explainable(app, answer, column, shown) {
  if (answer.meta.basis === 'GEN' && missing(answer.data.plant[column])) return shown; // no sheet to look it up in
  return el('a', { class: 'explain', href: app.link({ explain: column, year: answer.meta.year ?? null }), 'data-explain': column, 'aria-label': `${shown.textContent}: explain ${columnLabel(column, answer.meta.units?.[column])}` }, shown);
}
