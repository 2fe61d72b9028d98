// What a plant generates from.

import { get } from '../core/api.js';
import { sheetName } from '../core/basis.js';
import { full, missing } from '../core/format.js';
import { ghostPlot, partOf } from '../core/part.js';
import { draw } from './draw.js';
import { mix } from './regions-model.js';

/** @import { Answer } from '../core/types.js' */

/**
 * mixPart draws generation by fuel of the plant that is shown: by its sheet, or
 * by its generators where only those are loaded.
 * @param {() => Answer | null} shown
 */
export function mixPart(shown) {
  return partOf({ id: 'plant-mix', ghost: [ghostPlot()] }, {
    load: async (signal) => {
      const answer = /** @type {Answer} */ (shown());
      const { plant } = answer.data;
      const { year, release } = answer.meta;
      if (answer.meta.basis !== 'GEN' || !plant.oris_plant_code) return answer;
      const groups = await get('levels/GEN/groups', { year, release: release || 'none', oris_plant_code: plant.oris_plant_code, by: 'fuel', measures: 'sum(net_generation_mwh) as net_generation_mwh', sort: '-net_generation_mwh' }, signal);
      return { ...groups, meta: { ...groups.meta, basis: 'GEN', year, release } };
    },
    show: ({ data, meta }, body) => {
      const by = Array.isArray(data) ? generators(data) : sheet(data.plant);
      if (!by) return `Its mix is not known: the ${sheetName(meta.basis ?? '', meta.release)} has no generation by fuel.`;
      draw(body, 'ranking', {
        title: `${by.title}, ${meta.year}`, unit: by.unit, x: { label: by.label }, y: { label: by.unit === 'fraction' ? 'Share of net generation' : `Net generation (${by.unit})` },
        series: [{ name: 'Net generation', points: by.points }], source: sheetName(meta.basis ?? '', meta.release), file: 'plant-mix', rounded: false,
      });
      return null;
    },
  });
}

/** @param {any} plant */
function sheet(plant) {
  for (const [tail, unit] of [['_net_generation_mwh', 'MWh'], ['_generation_share', 'fraction']]) {
    const known = mix().map(({ fuel, name, kind }) => ({ x: name, kind, y: plant[`${fuel}${tail}`] })).filter(({ y }) => !missing(y));
    const points = known.filter(({ y }) => y !== 0);
    if (known.length) return { title: 'Resource mix', label: 'Fuel category', unit, points: (points.length ? points : known).map((point) => ({ ...point, title: unit === 'MWh' ? `${point.x}: ${full(point.y)} MWh` : undefined })) };
  }
  return null;
}

/** @param {any[]} rows */
function generators(rows) {
  if (rows.length === 0) return null;
  return { title: 'Net generation by the fuel of generators', label: 'Primary fuel', unit: 'MWh', points: rows.map((row) => ({ x: row.fuel, y: row.net_generation_mwh, name: row.fuel ?? 'not named' })) };
}
