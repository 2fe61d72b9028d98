// A value as it is shown: read at a glance, with every digit on demand.

import { el } from './dom.js';
import { brief, dash, full, missing, percent } from './format.js';

/**
 * written is a value as text, with its unit apart and all digits in its title.
 * @param {unknown} value
 * @param {string | null} [unit]
 * @returns {{text: string, unit: string, title: string | null, negative: boolean, missing: boolean}}
 */
export function written(value, unit = '') {
  const plain = { unit: '', title: null, negative: false, missing: false };
  if (missing(value)) return { ...plain, text: dash, title: 'missing', missing: true };
  if (typeof value === 'boolean') return { ...plain, text: value ? 'yes' : 'no' };
  if (typeof value !== 'number') return { ...plain, text: String(value) };
  const negative = value < 0;
  if (unit === 'fraction') return { ...plain, text: percent(value), title: `${full(value)} as a fraction`, negative };
  // Degrees, years and positions are no amounts: their digits are not grouped.
  const ungrouped = unit === 'degrees' || (!unit && Number.isInteger(value));
  return { text: ungrouped ? String(value) : brief(value), unit: unit ?? '', title: [full(value), unit].filter(Boolean).join(' '), negative, missing: false };
}

/**
 * figure is an element with a value and its unit.
 * @param {'td' | 'dd' | 'span'} name
 * @param {unknown} value
 * @param {string | null} [unit]
 * @param {{class?: string, bare?: boolean, reason?: string, 'data-label'?: string}} [o] bare leaves the unit out: it stands elsewhere
 */
export function figure(name, value, unit = '', o = {}) {
  const is = written(value, unit);
  return el(name, {
    class: [o.class, is.negative ? 'negative' : ''].filter(Boolean).join(' ') || null,
    title: is.missing && o.reason ? `missing: ${o.reason}` : is.title, 'data-label': o['data-label'], 'data-unit': o['data-label'] && is.unit ? is.unit : null,
  }, is.text, is.unit && !o.bare ? el('small', {}, ` ${is.unit}`) : null);
}
