// The table of plants.
// @ts-nocheck

import { address, get, next } from '../core/api.js';
import { differenceTexts, sheetName } from '../core/basis.js';
import { byID, el } from '../core/dom.js';
import { brief, dash, full, missing, percent, plural } from '../core/format.js';
import { columnLabel, fuelName } from '../core/names.js';
import { Part, problemBox } from '../core/part.js';

const pageRows = 25;
const maxRows = 1000; // of one answer
const order = '-net_generation_mwh,plant_name';

export class PlantTable {
  // open(id, year) is called for a plant that is chosen.
  constructor(filters, open) {
    Object.assign(this, { filters, open, answer: null, rows: [], more: null });
    this.wanted = pageRows;
    this.part = new Part(byID('plants-part'), {
      load: (signal) => this.#ask(signal),
      show: (answer, body) => this.#show(answer, body),
      fail: () => {
        byID('count').textContent = '';
        byID('note').hidden = true;
      },
      clear: () => filters.clear(),
    });
  }

  // #ask takes a data year without plants for an answer: of some only regions are
  // loaded.
  async #ask(signal) {
    try {
      return await get('plants/search', { ...this.filters.chosen, sort: order, limit: this.wanted }, signal);
    } catch (error) {
      if (error.status !== 404) throw error;
      return { data: [], meta: { revision: null, absent: error.detail }, links: {} };
    }
  }

  // changed is for another choice: it begins with one page.
  changed() {
    this.wanted = pageRows;
    this.more?.abort();
    byID('csv').href = address('plants/search', { ...this.filters.chosen, sort: order, format: 'csv' });
    byID('count').textContent = '';
    return this.part.refresh();
  }

  // renew shows as many rows as before.
  renew() {
    this.more?.abort();
    return this.part.refresh({ quiet: true });
  }

  #show(answer, body) {
    const focused = document.activeElement?.closest?.('tr[data-id]')?.dataset.id;
    const onMore = document.activeElement?.id === 'more';
    this.answer = answer;
    this.rows = [];
    byID('count').textContent = '';
    byID('plants-title').textContent = answer.meta.year ? `Plants by net generation, ${answer.meta.year}` : 'Plants by net generation';
    this.#note(answer.meta);
    if (answer.data.length === 0) return this.#emptiness(answer.meta);
    this.list = el('tbody');
    this.foot = el('div', { class: 'more' });
    body.replaceChildren(
      el('table', { class: 'plants' },
        el('caption', { class: 'unseen' }, 'Plants by net generation, the largest first'),
        el('thead', {}, el('tr', {}, ...columns.map((column) => el('th', { scope: 'col', class: column.numeric ? 'number' : null }, column.name, column.unit ? el('small', {}, ` ${column.unit}`) : null)))),
        this.list),
      this.foot);
    this.#append(answer);
    if (focused) this.list.querySelector(`tr[data-id="${CSS.escape(focused)}"] button`)?.focus();
    else if (onMore) document.getElementById('more')?.focus({ preventScroll: true });
    return null;
  }

  #append(answer) {
    this.answer = answer;
    const first = this.rows.length;
    this.rows.push(...answer.data);
    this.wanted = Math.min(maxRows, Math.max(pageRows, this.rows.length));
    this.list.append(...answer.data.map((plant, i) => this.#row(plant, first + i + 1)));
    const { total } = answer.meta;
    byID('count').textContent = `${brief(this.rows.length)} of ${missing(total) ? 'many' : plural(total, 'plant')}`;
    this.foot.replaceChildren(...(answer.links.next ? [el('button', { id: 'more', type: 'button', click: () => this.#loadMore() }, 'Load more')] : []));
  }

  async #loadMore() {
    const { signal } = this.more = new AbortController();
    const button = document.getElementById('more');
    if (button) Object.assign(button, { disabled: true, textContent: 'Loading' });
    const first = this.rows.length;
    try {
      const answer = await next('plants/search', this.answer, signal);
      if (signal.aborted) return;
      this.#append(answer);
      this.list.rows[first]?.querySelector('button').focus({ preventScroll: true });
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 410) await this.part.refresh(); // published anew in the meantime
      else this.foot.replaceChildren(problemBox(error, () => this.#loadMore()));
    }
  }

  #row(plant, rank) {
    const open = (event) => {
      const selecting = !getSelection().isCollapsed && !event.target.closest('button'); // to copy a code, say
      if (!selecting) this.open(plant.id, this.answer.meta.year);
    };
    const row = el('tr', { 'data-id': plant.id, click: open });
    for (const column of columns) row.append(column.cell(plant, rank));
    return row;
  }

  // #note says what the figures are and where they are from, where that is not plain.
  #note(meta) {
    const notes = differenceTexts(meta);
    if (meta.basis === 'GEN' && this.filters.chosen.fuel_category) {
      notes.push(`No plant sheet of ${meta.year} is loaded, so plants are sums of their generators: with a fuel chosen, a plant’s figures are those of its generators with that fuel.`);
    }
    if (meta.share_basis && (meta.share_release !== meta.release)) {
      notes.unshift(`Plants are from the ${sheetName(meta.basis, meta.release)}, shares of their states by the ${sheetName(meta.share_basis, meta.share_release)}.`);
    }
    if (meta.filled) {
      notes.push(`The plant sheet lacks ${meta.filled.columns.map((column) => columnLabel(column).toLowerCase()).join(', ')}: filled in by ORIS code from the ${sheetName(meta.filled.basis, meta.filled.release)}.`);
    }
    const note = byID('note');
    note.hidden = notes.length === 0;
    note.replaceChildren(...notes.map((text) => el('span', {}, text)));
  }

  #emptiness({ year, total, absent }) {
    const { q } = this.filters.chosen;
    if (absent) return absent;
    if (!year) return 'No plants are loaded yet.';
    if (q) return `No plant in ${year} matches “${q}” and what else is chosen.`;
    return total === 0 && this.filters.any() ? `No plant in ${year} matches what is chosen.` : `No plants of ${year} are loaded.`;
  }
}

// Columns of the table: name, unit and how a plant fills a cell.
const columns = [
  { name: '#', numeric: true, cell: (_, rank) => el('td', { class: 'rank number' }, String(rank)) },
  { name: 'Plant', cell: nameCell },
  { name: 'State', cell: (plant) => textCell('place', 'State', plant.state) },
  { name: 'Fuel', cell: fuelCell },
  { name: 'Capacity', unit: 'MW', numeric: true, cell: (plant) => numberCell('capacity', 'Capacity', plant.nameplate_capacity_mw, 'MW') },
  { name: 'Net generation', unit: 'MWh', numeric: true, cell: (plant) => numberCell('generation', 'Net generation', plant.net_generation_mwh, 'MWh') },
  { name: 'Share of state', numeric: true, cell: shareCell },
  { name: 'ORIS code', cell: (plant) => textCell('oris', 'ORIS', plant.oris_plant_code) },
];

const missingCell = (kind, label, numeric) => el('td', { class: numeric ? `${kind} number` : kind, 'data-label': label, title: 'missing' }, dash);

// The row is for pointers; the button in it for keys and screen readers.
function nameCell(plant) {
  return el('td', { class: 'name' }, el('button', { type: 'button', class: 'open', 'aria-haspopup': 'dialog' }, plant.plant_name ?? plant.id),
    plant.operator_name ? el('span', { class: 'quiet' }, plant.operator_name) : null);
}

const textCell = (kind, label, value) => (missing(value) ? missingCell(kind, label) : el('td', { class: kind, 'data-label': label }, value));

function numberCell(kind, label, value, unit) {
  if (missing(value)) return missingCell(kind, label, true);
  return el('td', { class: `${kind} number${value < 0 ? ' negative' : ''}`, 'data-label': label, 'data-unit': unit, title: `${full(value)} ${unit}` }, brief(value));
}

function fuelCell(plant) {
  if (missing(plant.fuel_category) && missing(plant.fuel)) return missingCell('fuel', 'Fuel');
  const category = plant.fuel_category ?? '';
  return el('td', { class: 'fuel', 'data-label': 'Fuel', title: `Primary fuel ${plant.fuel ?? 'missing'}, category ${category || 'missing'}` },
    el('i', { class: `dot fuel-${category.toLowerCase()}`, 'aria-hidden': 'true' }), fuelName(category) || plant.fuel);
}

function shareCell(plant) {
  if (missing(plant.share)) return missingCell('share', 'Share of state', true);
  const cell = el('td', { class: 'share number', 'data-label': 'Share of state', title: `${full(plant.share)} of the net generation of ${plant.state ?? 'its state'}` },
    el('span', {}, percent(plant.share)));
  cell.style.setProperty('--share', String(Math.min(1, Math.max(0, plant.share))));
  return cell;
}
