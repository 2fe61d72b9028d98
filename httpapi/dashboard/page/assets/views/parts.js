// Small parts that several views are made of.

import { whenChosen } from '../core/chosen.js';
import { el } from '../core/dom.js';
import { brief, dash, full, missing, percent } from '../core/format.js';

/** @import { Child } from '../core/dom.js' */

/**
 * field is a control with its name.
 * @param {string} name
 * @param {HTMLElement} control
 * @param {string} [kind]
 */
export const field = (name, control, kind = '') => el('label', { class: `field ${kind}`.trim() }, el('span', {}, name), control);

/**
 * choice is a select. It tells what is chosen; fill writes its options and what
 * they stand at. A value that is not among them is an option of its own, because
 * the address may ask for what is not loaded.
 * @param {string} id
 * @param {(value: string) => void} changed
 * @param {{leave?: boolean}} [o] leave: keys choose with Enter, or when the list is left
 */
export function choice(id, changed, o = {}) {
  const select = el('select', { id });
  whenChosen(select, () => changed(select.value), o);
  return {
    element: select,
    /**
     * @param {[string, string][]} options   value and text
     * @param {string} value
     */
    fill(options, value) {
      const all = options.some(([v]) => v === value) ? options : [...options, /** @type {[string, string]} */ ([value, value ? `${value} (not loaded)` : 'None'])];
      select.replaceChildren(...all.map(([v, text]) => el('option', { value: v }, text)));
      select.value = value;
    },
  };
}

/**
 * number is a figure as text, and with all its digits where those are more.
 * @param {number} value
 * @param {string | null | undefined} unit
 */
export function number(value, unit) {
  if (unit === 'fraction') return { text: percent(value), title: `${full(value)} as a fraction` };
  const size = Math.abs(value);
  const rate = (unit?.includes('/') ?? false) && size < 1e6;
  return { text: rate ? full(Number(size < 1 ? value.toPrecision(4) : value.toFixed(4))) : brief(value), title: [full(value), unit].filter(Boolean).join(' ') };
}

/**
 * figureCell is a cell of a table with a figure in it. Missing is a dash and says
 * why; what was rounded in the file is marked.
 * @param {number | string | boolean | null | undefined} value
 * @param {string | null | undefined} unit
 * @param {{rounded?: boolean, why?: string, inside?: (text: string) => Child}} [o]
 */
export function figureCell(value, unit, { rounded = false, why = 'missing in the sheet', inside = (text) => text } = {}) {
  if (missing(value)) return el('td', { class: 'number', title: why }, el('span', { class: 'quiet' }, dash, el('span', { class: 'unseen' }, ` ${why}`)));
  if (typeof value !== 'number') return el('td', {}, String(value));
  const { text, title } = number(value, unit);
  return el('td', { class: value < 0 ? 'number negative' : 'number', title: rounded ? `${title}, rounded in the file` : title },
    inside(text), rounded ? roundedMark() : null);
}

export const roundedMark = () => el('abbr', { class: 'rounded', title: 'The file held this figure rounded.' }, '≈');

/**
 * table is a table in a region that scrolls sideways where it has to.
 * @param {string} label
 * @param {Child[]} heads   cells of the head
 * @param {Node[]} rows
 */
export const table = (label, heads, rows) => el('div', { class: 'sideways', tabindex: 0, role: 'group', 'aria-label': label },
  el('table', {}, el('thead', {}, el('tr', {}, heads.map((head) => (head instanceof Node ? head : el('th', { scope: 'col' }, head))))), el('tbody', {}, rows)));

/** @param {...(Child | Child[])} children */
export const numberHead = (...children) => el('th', { scope: 'col', class: 'number' }, ...children);

/**
 * notes are lines that a reader should know.
 * @param {string[]} lines
 */
export const notes = (lines) => (lines.length ? el('p', { class: 'note' }, lines.map((line) => el('span', {}, line))) : null);

/**
 * tabs are links of which one is where the reader is.
 * @param {string} label
 * @param {{text: string, href: string, here: boolean}[]} links
 */
export const tabs = (label, links) => el('nav', { class: 'tabs', 'aria-label': label },
  el('ul', {}, links.map(({ text, href, here }) => el('li', {}, el('a', { href, 'aria-current': here ? 'true' : null }, text)))));

/**
 * copyButton copies a text, and says so. Where the browser has no clipboard for
 * this address, it selects the text to be copied by hand.
 * @param {string} name
 * @param {() => string} text
 * @param {HTMLElement} shown   where the text stands
 * @param {(text: string) => void} say
 */
export function copyButton(name, text, shown, say) {
  return el('button', {
    type: 'button', click: async () => {
      try {
        await navigator.clipboard.writeText(text());
        say('Copied.');
      } catch {
        getSelection()?.selectAllChildren(shown);
        say('The text is selected: copy it with the keyboard.');
      }
    },
  }, name);
}

/**
 * save hands a file to the reader.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = el('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
