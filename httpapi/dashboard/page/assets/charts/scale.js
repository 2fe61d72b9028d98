// Scales and ticks: from values to places along an axis.

/** @typedef {(value: number) => number} Place */

/**
 * linear maps the values from d0 to d1 evenly to the places from r0 to r1.
 * @param {number} d0 @param {number} d1 @param {number} r0 @param {number} r1
 * @returns {Place}
 */
export const linear = (d0, d1, r0, r1) => (value) => r0 + ((value - d0) / (d1 - d0 || 1)) * (r1 - r0);

/**
 * logarithmic maps values above zero.
 * @param {number} d0 @param {number} d1 @param {number} r0 @param {number} r1
 * @returns {Place}
 */
export const logarithmic = (d0, d1, r0, r1) => {
  const place = linear(Math.log10(d0), Math.log10(d1), r0, r1);
  return (value) => place(Math.log10(value));
};

/**
 * ticks are round numbers that enclose low and high, about count of them.
 * @param {number} low @param {number} high @param {number} count
 */
export function ticks(low, high, count) {
  const top = high > low ? high : low === 0 ? 1 : low + Math.abs(low);
  const step = stepOf((top - low) / Math.max(1, count));
  const list = [];
  for (let i = Math.floor(low / step + 1e-9); i <= Math.ceil(top / step - 1e-9); i++) list.push(clean(i * step));
  return list;
}

/**
 * within are the ticks that lie between low and high themselves.
 * @param {number} low @param {number} high @param {number} count
 */
export function within(low, high, count) {
  const inside = (/** @type {number} */ n) => ticks(low, high, n).filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  let list = inside(count);
  for (let n = count + 1; list.length < 2 && n < count + 8; n++) list = inside(n);
  return list;
}

/** @param {number} rough */
function stepOf(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5, 10].find((x) => x * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

// clean takes off what floating point adds to a multiple of a step.
/** @param {number} value */
const clean = (value) => (value === 0 ? 0 : Number(value.toPrecision(12)));

/**
 * years are whole numbers from first to last, at most count of them.
 * @param {number} first @param {number} last @param {number} count
 */
export function years(first, last, count) {
  const step = [1, 2, 5, 10, 20, 50].find((x) => (last - first) / x < Math.max(1, count)) ?? 100;
  const list = [];
  for (let year = last; year >= first; year -= step) list.unshift(year);
  return list;
}

/**
 * powers are the powers of ten that enclose low and high, both above zero.
 * @param {number} low @param {number} high
 */
export function powers(low, high) {
  const list = [];
  for (let i = Math.floor(Math.log10(low) + 1e-9); i <= Math.ceil(Math.log10(high) - 1e-9); i++) list.push(10 ** i);
  if (list.length === 1) list.push(list[0] * 10);
  return list;
}
