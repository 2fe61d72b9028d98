// How a figure follows from others: formula, inputs, the sum done again here, the
// files, and what a reader should know.

import { address } from '../core/api.js';
import { el } from '../core/dom.js';
import { full } from '../core/format.js';
import { columnLabel, levelName } from '../core/names.js';
import { evaluate, tokens } from './formula.js';
import { figureCell, notes, numberHead, table } from './parts.js';

/** @import { Answer } from '../core/types.js' */

/**
 * @typedef {object} Explained   a factor or an explanation of the API
 * @property {string} formula
 * @property {Record<string, {value: number, unit: string, level: string, code: string, column: string, of?: string}>} inputs
 * @property {{object: string, sheet: string, sha256: string, level: string}[]} sources
 * @property {string[]} notes
 */

/**
 * permanentOf is the whole address at which an answer never changes; empty where it
 * has none. Only the query of the link counts: in front of a proxy the path may be
 * another.
 * @param {string} path   that was asked
 * @param {Answer} answer
 */
export function permanentOf(path, { links }) {
  return links.permanent ? address(path, Object.fromEntries(new URL(links.permanent, document.baseURI).searchParams)).href : '';
}

/**
 * explained shows all of it.
 * @param {Explained} data
 * @param {{value: number | null, unit: string, permanent?: string, lead?: Node | null}} o   value: what the formula comes to, as the API has it
 */
export function explained(data, { value, unit, permanent, lead = null }) {
  return el('div', { class: 'explained' }, lead,
    data.formula ? formulaOf(data, value, unit) : el('p', {}, data.notes.length ? 'No formula over what is loaded gives this figure.' : 'No formula gives this figure: it is an input of eGRID.'),
    Object.keys(data.inputs).length ? inputsTable(data.inputs) : null,
    notes(data.notes),
    sourcesTable(data.sources),
    permanent ? el('p', { class: 'quiet' }, el('a', { href: permanent, class: 'permanent' }, 'This answer at an address where it never changes')) : null);
}

/**
 * formulaOf writes the formula, and under it the sum with figures and what this
 * browser makes of it.
 * @param {Explained} data
 * @param {number | null} value
 * @param {string} unit
 */
function formulaOf({ formula, inputs }, value, unit) {
  const words = tokens(formula);
  const here = evaluate(formula, inputs);
  const same = value !== null && Math.abs(here - value) <= Math.abs(value) * 1e-12;
  return el('div', { class: 'formula' },
    el('code', { class: 'names' }, words.flatMap(({ kind, text }, i) => [gap(words, i), kind === 'name' ? el('b', {}, columnLabel(text, inputs[text]?.unit)) : sign(text)])),
    el('code', { class: 'figures' }, '= ', words.flatMap(({ kind, text }, i) => [gap(words, i), kind === 'name' ? full(inputs[text].value) : sign(text)])),
    el('code', { class: 'sum' }, `= ${full(here)} ${unit}`,
      el('span', { class: same ? 'same' : 'other' }, same ? ' ✓ the sum done again in this browser' : ` ✗ the API has ${value === null ? 'no value' : full(value)}`)));
}

/** @param {string} text */
const sign = (text) => ({ '*': '×', '/': '÷', '-': '−' }[text] ?? text);

/**
 * gap is a blank between two words, none inside parentheses.
 * @param {import('./formula.js').Token[]} words
 * @param {number} i
 */
const gap = (words, i) => (i === 0 || words[i].text === ')' || words[i - 1].text === '(' ? '' : ' ');

/** @param {Explained['inputs']} inputs */
function inputsTable(inputs) {
  return table('Inputs', ['Input', numberHead('Value'), 'Unit', 'Read from'], Object.entries(inputs).map(([name, input]) => el('tr', {},
    el('th', { scope: 'row' }, columnLabel(name, input.unit)),
    exactCell(input.value),
    el('td', {}, input.unit),
    el('td', {}, [levelName(input.level), input.code, el('code', {}, input.column), input.of].filter(Boolean).flatMap((part) => [part, ' '])))));
}

/** @param {number} value */
function exactCell(value) {
  const cell = figureCell(value, '');
  cell.replaceChildren(full(value));
  return cell;
}

/** @param {Explained['sources']} sources */
export function sourcesTable(sources) {
  return table('Files', ['File', 'Sheet', 'SHA-256'], sources.map(({ object, sheet, level, sha256 }) => el('tr', {},
    el('th', { scope: 'row' }, object), el('td', {}, sheet || levelName(level)), el('td', {}, el('code', { class: 'sum256', title: sha256 }, sha256)))));
}
