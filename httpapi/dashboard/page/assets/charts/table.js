// The table behind a chart. It is made when it is opened first.

import { el } from '../core/dom.js';
import { brief, dash, full, percent } from '../core/format.js';

/** @typedef {import('./types.js').Mark} Mark */
/** @typedef {import('./types.js').Model} Model */

const step = 500; // rows at a time

/**
 * @param {() => Model} model all of it, whatever is drawn
 * @param {string} labelledBy the id of the title
 */
export function valuesTable(model, labelledBy) {
  const details = el('details', { class: 'values' }, el('summary', {}, 'Values as a table'));
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(region(model(), labelledBy));
  });
  return details;
}

/** @param {Model} model @param {string} labelledBy */
function region(model, labelledBy) {
  const rows = rowsOf(model);
  const body = el('tbody');
  const more = el('button', { type: 'button', click: add }, `Show ${step} more`);
  function add() {
    body.append(...rows.slice(body.children.length, body.children.length + step).map((cells) => el('tr', {}, cells())));
    more.hidden = body.children.length >= rows.length;
  }
  add();
  return el('div', { class: 'sideways', tabindex: '0', role: 'region', 'aria-labelledby': labelledBy },
    el('table', {}, el('thead', {}, el('tr', {}, headOf(model))), body), more);
}

/** @param {Model} model */
function headOf({ kind, spec, lines }) {
  const unit = (/** @type {string} */ name, /** @type {string} */ u) => [name.replace(/ \([^()]*\)$/, ''), unitName(u), spec.rounded ? 'rounded' : ''].filter(Boolean).join(', ');
  const column = (/** @type {string} */ text, number = true) => el('th', { scope: 'col', class: number ? 'number' : null }, text);
  if (kind === 'scatter') return [column('Name', false), lines.length > 1 ? column('Group', false) : null, column(unit(spec.x.label, spec.x.unit ?? '')), column(unit(spec.y.label, spec.unit))];
  const values = lines.length > 1 ? lines.map((line) => column(`${line.name}, ${unitName(spec.unit)}`)) : [column(unit(spec.y.label, spec.unit))];
  return [column(spec.x.label, false), ...values, dated(lines) ? column(spec.from ?? 'From', false) : null];
}

/** @param {string} unit */
const unitName = (unit) => (unit === 'fraction' ? '' : unit);

/** @param {Model['lines']} lines */
const dated = (lines) => lines.length === 1 && lines[0].marks.some((mark) => mark.from);

/** @param {Model} model */
function rowsOf({ kind, spec, lines, places }) {
  const head = (/** @type {Mark | undefined} */ mark, /** @type {string} */ text) => el('th', { scope: 'row' }, mark?.href ? el('a', { href: mark.href }, text) : text);
  if (kind === 'scatter') {
    return lines.flatMap((line) => line.marks.map((mark) => () => [head(mark, mark.words), lines.length > 1 ? el('td', {}, line.name) : null,
      cell(typeof mark.x === 'number' ? mark.x : null, spec.x.unit ?? ''), cell(mark.y, spec.unit)]));
  }
  // A name may stand twice: then each has a row of its own.
  if (lines.length === 1) {
    return lines[0].marks.map((mark) => () => [head(mark, mark.words), cell(mark.y, spec.unit, mark.reason), dated(lines) ? el('td', {}, mark.from ?? dash) : null]);
  }
  return places.map((place) => () => {
    const marks = lines.map((line) => line.marks.find((mark) => mark.label === place));
    const first = marks.find((mark) => mark !== undefined);
    return [head(first, first?.words ?? place), ...marks.map((mark) => cell(mark?.y ?? null, spec.unit, mark?.reason))];
  });
}

/**
 * cell is a value as it reads well, with all its digits on demand.
 * @param {number | null} value @param {string} unit @param {string} [reason]
 */
function cell(value, unit, reason = '') {
  if (value === null) return el('td', { class: 'number', title: ['missing', reason].filter(Boolean).join(', ') }, dash);
  return el('td', { class: value < 0 ? 'number negative' : 'number', title: unit === 'fraction' ? `${full(value)} as a fraction` : `${full(value)} ${unit}`.trim() },
    unit === 'fraction' ? percent(value) : brief(value));
}
