// A mix: shares or amounts laid on each other.

import { bands } from './bands.js';

/**
 * @param {import('./types.js').Model} model
 * @param {number} width
 */
export function stacked(model, width) {
  const { spec, places } = model;
  const ordered = places.length > 1 && places.every((place) => /^\d{4}$/.test(place));
  return bands(model, width, { stacked: true, upright: spec.upright ?? (ordered && width >= 420) });
}
