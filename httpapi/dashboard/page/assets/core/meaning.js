// What a column means, on demand: by a pointer, a finger or a key.

import { get } from './api.js';
import { el } from './dom.js';
import { columnLabel } from './names.js';

/** @import { Column } from './types.js' */

/** @type {Map<string, Promise<Map<string, Column>>>} */
const known = new Map();

/**
 * meanings is the dictionary of a level, by the names of columns. It never
 * changes while the page is open; one that failed is asked for again.
 * @param {string} level
 * @returns {Promise<Map<string, Column>>}
 */
export function meanings(level) {
  let asked = known.get(level);
  if (!asked) {
    asked = get('columns', { level }).then(({ data }) => new Map(data.map((/** @type {Column} */ column) => [column.name, column])));
    asked.catch(() => known.delete(level));
    known.set(level, asked);
  }
  return asked;
}

// What the API adds to the columns of a sheet.
/** @type {Record<string, string>} */
const ours = {
  share: 'Net generation of the plant, divided by that of its state.',
  data_year: 'Year that the figures are of.',
};

/** @type {HTMLElement | null} */
let box = null;

/**
 * meaningButton opens what a column means. The level says by which sheet.
 * @param {string} column
 * @param {{level: string, unit?: string | null, rounded?: boolean}} o
 */
export function meaningButton(column, { level, unit, rounded = false }) {
  const label = columnLabel(column, unit);
  const button = el('button', { type: 'button', class: 'what', 'aria-label': `What ${label} means`, 'aria-haspopup': 'dialog' }, '?');
  button.addEventListener('click', async (event) => {
    event.stopPropagation();
    const text = await texts(column, level);
    open(button, [
      el('strong', {}, label),
      ...text.map((line) => el('p', {}, line)),
      unit && unit !== 'fraction' ? el('p', {}, `Unit: ${unit}`) : null,
      rounded ? el('p', {}, 'Rounded in the sheet: digits were lost before it came here.') : null,
    ]);
  });
  return button;
}

/**
 * ruleOf says how a figure follows from others, or what regions do with it.
 * @param {string | null} rule
 */
export function ruleOf(rule) {
  if (!rule) return '';
  if (/[*/+-]/.test(rule)) return `Formula: ${rule.replaceAll('*', ' × ').replaceAll('/', ' ÷ ')}`;
  return rule === 'sum' ? 'Regions have the sum over their plants.' : `Regions have: ${rule}`;
}

/**
 * @param {string} column
 * @param {string} level
 */
async function texts(column, level) {
  if (ours[column]) return [ours[column]];
  try {
    const meaning = (await meanings(level)).get(column);
    if (!meaning) return ['The dictionary does not know this column: it is shown as the sheet has it.'];
    return [meaning.description, `Column ${column}${meaning.code ? `, EPA’s ${meaning.code}` : ''}`, ruleOf(meaning.rule),
      meaning.editions.length ? `In the sheets of ${meaning.editions.join(', ')}` : ''].filter(Boolean);
  } catch (error) {
    return [`The dictionary is missing: ${error instanceof Error ? error.message : error}`];
  }
}

/**
 * @param {HTMLElement} anchor
 * @param {(Node | null)[]} content
 */
function open(anchor, content) {
  if (!box) {
    box = el('div', { id: 'meaning', class: 'meaning', popover: 'auto', role: 'dialog', 'aria-label': 'Meaning', tabindex: -1 });
    document.body.append(box);
  }
  const mine = box;
  mine.replaceChildren(...content.filter((node) => node !== null));
  mine.showPopover();
  const at = anchor.getBoundingClientRect();
  mine.style.left = `${Math.max(8, Math.min(at.left, innerWidth - mine.offsetWidth - 8))}px`;
  mine.style.top = `${at.bottom + mine.offsetHeight + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - mine.offsetHeight - 4)}px`;
  mine.focus();
  mine.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'closed' && (document.activeElement === document.body || mine.contains(document.activeElement))) anchor.focus();
  }, { once: true });
}
