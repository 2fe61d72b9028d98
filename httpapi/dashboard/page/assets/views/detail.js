// The panel of one plant: every column, and its generators.
// @ts-nocheck

import { get, next, plantPath } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { byID, el } from '../core/dom.js';
import { brief, dash, full, missing, percent, plural } from '../core/format.js';
import { writeAddress } from './filters.js';
import { columnLabel, fuelName, levelName, releaseName } from '../core/names.js';
import { Part, problemBox } from '../core/part.js';

// Groups of columns, in the order in which they are tried.
const groups = [
  ['Emission rates', /_rate(_|$)/],
  ['Emissions', /(^|_)(co2|co2e|ch4|n2o|nox|so2|hg)(_|$)/],
  ['Resource mix', /(generation_share|^(coal|oil|gas|other_fossil|nuclear|hydro|biomass|wind|solar|geothermal|other_unknown|.*renewable.*|.*combustion)_.*net_generation|_generation_share)/],
  ['Capacity and generation', /(generation|capacity|heat_input|generator_count|^share$|generators|units)/],
  ['Plant', /./],
];
const groupOrder = ['Plant', 'Capacity and generation', 'Emissions', 'Emission rates', 'Resource mix'];

export class Detail {
  constructor() {
    this.dialog = byID('detail');
    this.plant = null;
    this.columns = new Map(); // what columns mean, by level
    this.part = new Part(byID('detail-plant'), {
      load: async (signal) => {
        const answer = await get(plantPath(this.plant.id), { year: this.plant.year }, signal);
        return { ...answer, meanings: await this.#meanings(answer.meta.basis) };
      },
      show: (answer, body) => this.#show(answer, body),
    });
    this.generators = new Part(byID('detail-generators'), {
      load: (signal) => get(plantPath(this.plant.id, '/generators'), { year: this.plant.year }, signal),
      show: (answer, body) => this.#showGenerators(answer, body),
    });
    byID('detail-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close(); // the backdrop
    });
    this.dialog.addEventListener('close', () => this.#closed());
  }

  get parts() { return this.dialog.open ? [this.part, this.generators] : []; }

  open(id, year, { step = true } = {}) {
    this.plant = { id, year };
    writeAddress({ plant: id }, step);
    byID('detail-title').textContent = id;
    byID('detail-sub').textContent = '';
    for (const part of [this.part, this.generators]) part.body.replaceChildren(el('div', { class: 'lines' }, ...Array.from({ length: 5 }, () => el('div', { class: 'ghost' }))));
    if (!this.dialog.open) this.dialog.showModal();
    byID('detail-title').focus();
    this.part.refresh();
    this.generators.refresh();
  }

  // fromAddress opens and closes as the address says.
  fromAddress(year) {
    const id = new URLSearchParams(location.search).get('plant');
    if (!id) {
      if (this.dialog.open) this.dialog.close();
    } else if (!this.dialog.open || this.plant.id !== id) {
      this.open(id, year, { step: false });
    }
  }

  #closed() {
    this.part.stop();
    this.generators.stop();
    writeAddress({ plant: '' }, false);
  }

  // #meanings describes columns; a panel without descriptions is still useful.
  async #meanings(level) {
    if (level && !this.columns.has(level)) {
      try {
        const { data } = await get('columns', { level });
        this.columns.set(level, new Map(data.map((column) => [column.name, column])));
      } catch {
        return new Map();
      }
    }
    return this.columns.get(level) ?? new Map();
  }

  #show({ data, meta, meanings }, body) {
    byID('detail-title').textContent = data.plant_name ?? data.id;
    byID('detail-sub').textContent = [data.state, `data year ${meta.year}`, `release ${releaseName(meta.release)}`,
      meta.basis === 'GEN' ? 'sum of its generators' : `from the ${levelName(meta.basis)}`,
      meta.share_basis && `share of the state by the ${sheetName(meta.share_basis, meta.share_release)}`,
      meta.filled && `${meta.filled.columns.map((column) => columnLabel(column).toLowerCase()).join(', ')} from the ${sheetName(meta.filled.basis, meta.filled.release)}`].filter(Boolean).join(' · ');
    const grouped = new Map(groupOrder.map((name) => [name, []]));
    for (const column of Object.keys(data)) {
      const [name] = groups.find(([, pattern]) => pattern.test(column));
      grouped.get(name).push(column);
    }
    body.replaceChildren(...[...grouped].filter(([, columns]) => columns.length).map(([name, columns]) => el('div', { class: 'group' },
      el('h3', {}, name),
      el('dl', {}, columns.map((column) => entry(column, data[column], meta.units[column], meanings.get(column)))))));
    return null;
  }

  #showGenerators(answer, body) {
    const known = new Set(['level', 'data_year', 'release', 'sequence', 'state', 'plant_name', 'oris_plant_code']);
    if (answer.data.length === 0) return `No generators: no generator sheet of ${answer.meta.year ?? 'this data year'} is loaded, or it does not name this plant.`;
    const columns = Object.keys(answer.data[0]).filter((column) => !known.has(column));
    const numeric = new Set(columns.filter((column) => answer.data.some((row) => typeof row[column] === 'number')));
    const list = el('tbody');
    const foot = el('div', { class: 'more' });
    const label = (column) => [columnLabel(column, answer.meta.units[column]), answer.meta.units[column] ? el('small', {}, ` ${answer.meta.units[column]}`) : null];
    const append = (page) => {
      list.append(...page.data.map((row) => el('tr', {}, ...columns.map((column) => cell(row[column], answer.meta.units[column], numeric.has(column))))));
      const ask = async () => {
        try {
          append(await next(plantPath(this.plant.id, '/generators'), page));
        } catch (error) {
          foot.replaceChildren(problemBox(error, ask));
        }
      };
      foot.replaceChildren(...(page.links.next ? [el('button', { type: 'button', click: ask }, 'Load more')] : []));
    };
    body.replaceChildren(
      el('p', { class: 'quiet' }, plural(answer.meta.total ?? answer.data.length, 'generator')),
      el('div', { class: 'sideways', tabindex: '0', role: 'region', 'aria-labelledby': 'generators-title' },
        el('table', {}, el('thead', {}, el('tr', {}, ...columns.map((column) => el('th', { scope: 'col', class: numeric.has(column) ? 'number' : null }, ...label(column))))), list)),
      foot);
    append(answer);
    return null;
  }
}

function entry(column, value, unit, meaning) {
  const term = el('dt', { title: [meaning?.description, `${column}${meaning?.code ? ` (EPA ${meaning.code})` : ''}`].filter(Boolean).join('\n') }, columnLabel(column, unit));
  return el('div', {}, term, column === 'fuel_category' && value ? el('dd', { title: value }, fuelName(value)) : figure('dd', value, unit));
}

const cell = (value, unit, numeric) => figure('td', value, unit, { number: numeric, bare: true });

// figure shows a value with its unit; the title has every digit.
function figure(name, value, unit, { number = false, bare = false } = {}) {
  const kind = number ? 'number' : '';
  if (missing(value)) return el(name, { class: kind, title: 'missing' }, dash);
  if (typeof value === 'boolean') return el(name, { class: kind }, value ? 'yes' : 'no');
  if (typeof value !== 'number') return el(name, { class: kind }, value);
  const negative = value < 0 ? `${kind} negative`.trim() : kind;
  if (unit === 'fraction') return el(name, { class: negative, title: `${full(value)} as a fraction` }, percent(value));
  // Degrees, years and positions are no amounts: their digits are not grouped.
  const plain = unit === 'degrees' || (!unit && Number.isInteger(value));
  return el(name, { class: negative, title: [full(value), unit].filter(Boolean).join(' ') },
    plain ? String(value) : brief(value), unit && !bare ? el('small', {}, ` ${unit}`) : null);
}
