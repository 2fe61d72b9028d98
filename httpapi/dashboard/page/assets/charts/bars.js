// Bars, upright when there are many and there is room, else lying.

import { bands } from './bands.js';

/**
 * @param {import('./types.js').Model} model
 * @param {number} width
 */
export function bars(model, width) {
  const { spec, places } = model;
  const ordered = places.every((place) => /^\d{4}$/.test(place));
  return bands(model, width, { upright: spec.upright ?? (ordered || (width >= 620 && places.length >= 12)) });
}
