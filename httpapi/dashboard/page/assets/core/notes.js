// What has to be said beside figures: whose they are, and who says otherwise.

import { differenceTexts, sheetName } from './basis.js';
import { el } from './dom.js';
import { columnLabel } from './names.js';

/** @import { Meta } from './types.js' */

/**
 * plantNotes says where plants and shares are from, where that is not plain, and
 * which sheets say otherwise.
 * @param {Meta} meta
 * @param {{fuel?: boolean}} [o] fuel: plants are narrowed to a fuel
 * @returns {string[]}
 */
export function plantNotes(meta, { fuel = false } = {}) {
  const notes = [];
  if (meta.share_basis && meta.share_release !== meta.release) {
    notes.push(`Plants are from the ${sheetName(meta.basis ?? '', meta.release)}, shares of their states by the ${sheetName(meta.share_basis, meta.share_release)}.`);
  }
  notes.push(...differenceTexts(meta));
  if (meta.basis === 'GEN' && fuel) {
    notes.push(`No plant sheet of ${meta.year} is loaded, so plants are sums of their generators: with a fuel chosen, a plant’s figures are those of its generators with that fuel.`);
  }
  if (meta.filled) {
    notes.push(`The plant sheet lacks ${meta.filled.columns.map((/** @type {string} */ column) => columnLabel(column).toLowerCase()).join(', ')}: filled in by ORIS code from the ${sheetName(meta.filled.basis, meta.filled.release)}.`);
  }
  return notes;
}

/**
 * showNotes fills an element with notes, and hides it when there are none.
 * @param {HTMLElement} note
 * @param {string[]} texts
 */
export function showNotes(note, texts) {
  note.hidden = texts.length === 0;
  note.replaceChildren(...texts.map((text) => el('span', {}, text)));
}
