// Which place lies next in a direction: for the arrow keys.

/** @typedef {import('./projection.js').Place} Place */

/** @type {Record<string, [number, number]>} */
const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * toward is the place that is nearest in the direction of a key: what lies aside
 * counts twice. It is null when nothing lies there, or the key is no arrow.
 * @template {{at: Place}} T
 * @param {T[]} places @param {T} from @param {string} key
 * @returns {T | null}
 */
export function toward(places, from, key) {
  const way = ways[key];
  if (!way) return null;
  /** @type {T | null} */
  let best = null;
  let least = Infinity;
  for (const place of places) {
    const [dx, dy] = [place.at.x - from.at.x, place.at.y - from.at.y];
    const along = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (place === from || along <= 0 || aside > along * 2) continue;
    const cost = along + 2 * aside;
    if (cost < least) [best, least] = [place, cost];
  }
  return best;
}
