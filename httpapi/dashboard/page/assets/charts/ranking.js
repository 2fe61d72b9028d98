// A ranking: lying bars, the largest first, with their places.

import { bands } from './bands.js';

/**
 * @param {import('./types.js').Model} model
 * @param {number} width
 */
export const ranking = (model, width) => bands(model, width, { upright: false, ranked: true });
