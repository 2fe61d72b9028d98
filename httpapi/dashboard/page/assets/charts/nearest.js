// Which of many points is nearest to a place: points are sorted into square
// cells, and the cells around the place are searched outwards.

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => {x: number, y: number}} at
 * @param {number} cell the width of a cell, in the unit of the places
 */
export function index(items, at, cell) {
  /** @type {Map<string, T[]>} */
  const cells = new Map();
  for (const item of items) {
    const { x, y } = at(item);
    const key = `${Math.floor(x / cell)},${Math.floor(y / cell)}`;
    const list = cells.get(key);
    if (list) list.push(item);
    else cells.set(key, [item]);
  }
  /**
   * nearest is the item that lies nearest to a place, at most reach away.
   * @param {number} x @param {number} y @param {number} reach
   * @returns {T | null}
   */
  return (x, y, reach) => {
    /** @type {T | null} */
    let best = null;
    let least = reach * reach;
    const [cx, cy] = [Math.floor(x / cell), Math.floor(y / cell)];
    for (let ring = 0; ring <= Math.ceil(reach / cell); ring++) {
      if (best && (ring - 1) * cell > Math.sqrt(least)) break;
      for (let i = -ring; i <= ring; i++) {
        for (let j = -ring; j <= ring; j++) {
          if (Math.max(Math.abs(i), Math.abs(j)) !== ring) continue;
          for (const item of cells.get(`${cx + i},${cy + j}`) ?? []) {
            const spot = at(item);
            const d = (spot.x - x) ** 2 + (spot.y - y) ** 2;
            if (d <= least) [best, least] = [item, d];
          }
        }
      }
    }
    return best;
  };
}
