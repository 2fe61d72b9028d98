// Which sheet a figure is from, and what other sheets say otherwise, in words.

import { amount } from './format.js';
import { levelName, releaseName, stateName } from './names.js';

/** @import { Meta } from './types.js' */

/**
 * sheetName is as in "state sheet (release rev0)".
 * @param {string} level
 * @param {string | null | undefined} release
 */
export const sheetName = (level, release) => `${levelName(level)} (release ${releaseName(release)})`;

/** @param {number} mwh */
const written = (mwh) => amount(mwh).join(' ');

/** @param {number} mwh */
const gap = (mwh) => `${written(Math.abs(mwh))} ${mwh < 0 ? 'less' : 'more'}`;

/**
 * differenceTexts says what loaded sheets say otherwise: a line for each, with the
 * data year where there are several.
 * @param {Meta} meta
 * @returns {string[]}
 */
export function differenceTexts({ differences = [], year = null }) {
  return differences.map((d) => {
    const lead = year === null ? `${d.year}: ` : '';
    const most = d.largest ? `; most in ${stateName(d.largest.of)}, ${gap(d.largest.difference_mwh)}` : '';
    const rule = d.release === d.other_release ? '' : '. Figures of different releases do not add up';
    return `${lead}The ${sheetName(d.basis, d.release)} has ${written(d.net_generation_mwh)}. The ${sheetName(d.other_basis, d.other_release)} adds up to ${written(d.other_net_generation_mwh)}, ${gap(d.difference_mwh)}${most}${rule}.`;
  });
}
