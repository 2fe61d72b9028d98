// Numbers and dates as text. Nothing known is a dash, never a zero.

const exact = new Intl.NumberFormat('en-US', { maximumFractionDigits: 20, signDisplay: 'negative' });
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0, signDisplay: 'negative' });
const tenth = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const oneTenth = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'negative' });
const small = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

export const dash = '–';

/**
 * missing tells whether nothing is known.
 * @param {unknown} value
 * @returns {value is null | undefined | ''}
 */
export const missing = (value) => value === null || value === undefined || value === '';

/**
 * full is a number with all its digits.
 * @param {number} value
 */
export const full = (value) => exact.format(value);

/**
 * brief is a number for reading: about as many digits as matter, and never
 * rounded to zero.
 * @param {number} value
 */
export function brief(value) {
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return whole.format(value);
  if (size >= 10) return tenth.format(value);
  return small.format(value);
}

/**
 * percent writes a fraction.
 * @param {number} fraction
 */
export function percent(fraction) {
  const size = Math.abs(fraction);
  if (size > 0 && size < 0.0005) return fraction < 0 ? '> -0.1%' : '< 0.1%';
  return `${oneTenth.format(fraction * 100)}%`;
}

/**
 * scaled chooses a multiple of the unit in which the largest value is short.
 * @param {number} largest
 * @param {string} unit
 * @returns {{unit: string, of: (value: number) => number, text: (value: number) => string}}
 */
export function scaled(largest, unit) {
  /** @type {[number, string][]} */
  const steps = unit === 'MWh' ? [[1e6, 'TWh'], [1e3, 'GWh']] : [[1e6, `million ${unit}`]];
  const [factor, name] = steps.find(([size]) => Math.abs(largest) >= size) ?? [1, unit];
  return { unit: name, of: (value) => value / factor, text: (value) => brief(value / factor) };
}

/**
 * amount is MWh in a unit that reads well, with one decimal: [4,167.6, TWh].
 * @param {number} mwh
 * @returns {[string, string]}
 */
export function amount(mwh) {
  const scale = scaled(mwh, 'MWh');
  return [scale.unit === 'MWh' ? brief(mwh) : oneTenth.format(scale.of(mwh)), scale.unit];
}

/**
 * moment writes a time of the API.
 * @param {string} iso
 */
export function moment(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.valueOf()) ? iso
    : `${new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(date)} UTC`;
}

/**
 * plural counts things: "1 plant", "2 plants".
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (n, one, many = `${one}s`) => `${whole.format(n)} ${n === 1 ? one : many}`;
