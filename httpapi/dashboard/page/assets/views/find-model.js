// What a person types into the search, as places to go. Nothing of the page.

import { fuelName } from '../core/names.js';
import { levels } from './places.js';
import { predominant } from './question.js';

/** @typedef {{level: string, code: string, name: string}} Region */

/**
 * @typedef {object} Goal   one place to go
 * @property {string} text
 * @property {string} kind     what opens
 * @property {string} told     a line below
 * @property {string} view
 * @property {Record<string, string>} at   parameters of the view
 * @property {import('./question.js').Place} [factor]   whose factor stands in the line below
 */

const mostRegions = 3;

/** @param {string} text */
const plain = (text) => text.toLowerCase().normalize('NFKD').replaceAll(/[^a-z0-9]+/g, ' ').trim();

/** @param {Region} region */
const named = ({ level, code, name }) => (level === 'US' || name === code ? name : `${name} (${code})`);

/**
 * closeness says how well a region is what was typed: 0 is its code, 9 not at all.
 * @param {Region} region
 * @param {string} wanted   as plain() has it
 */
function closeness({ level, code, name }, wanted) {
  const [c, n] = [plain(code), plain(name)];
  if (c === wanted) return 0;
  if (n === wanted || (level === 'US' && ['us', 'usa', 'u s', 'america', 'united states of america'].includes(wanted))) return 1;
  if (c.startsWith(wanted)) return 2;
  if (n.startsWith(wanted)) return 3;
  const all = `${n} ${c}`.split(' ');
  return wanted.split(' ').every((word) => all.some((one) => one.startsWith(word))) ? 4 : 9;
}

/**
 * regionsOf are the regions that a text may mean, the closest first; of equally close
 * ones in the order of the kinds.
 * @param {string} text
 * @param {Region[]} regions
 */
export function regionsOf(text, regions) {
  const wanted = plain(text);
  if (!wanted) return [];
  const order = Object.keys(levels);
  return regions.map((region) => ({ region, close: closeness(region, wanted) })).filter(({ close }) => close < 9)
    .sort((a, b) => a.close - b.close || order.indexOf(a.region.level) - order.indexOf(b.region.level) || a.region.name.localeCompare(b.region.name))
    .map(({ region }) => region);
}

/**
 * besides are two to four regions of one kind, where the text names them: "CA, TX" or
 * "Texas and Ohio".
 * @param {string} text
 * @param {Region[]} regions
 * @returns {Region[]}
 */
export function besides(text, regions) {
  const parts = text.split(/\s*(?:[,;+&]|\bvs\b\.?|\bversus\b|\band\b)\s*/i).map(plain).filter(Boolean);
  const codes = plain(text).split(' '); // "CA TX": codes alone
  for (const [list, most] of /** @type {[string[], number][]} */ ([[parts, 1], [codes, 0]])) {
    if (list.length < 2 || list.length > 4 || new Set(list).size < list.length) continue;
    for (const level of Object.keys(levels)) {
      const found = list.map((part) => regions.find((region) => region.level === level && closeness(region, part) <= most));
      if (level !== 'US' && found.every((one) => one !== undefined)) return found;
    }
  }
  return [];
}

/**
 * goalsOf are the places to go that need no question: regions side by side, factors and
 * figures of regions.
 * @param {string} text
 * @param {Region[]} regions
 * @returns {Goal[]}
 */
export function goalsOf(text, regions) {
  const several = besides(text, regions);
  if (several.length) {
    return [{ text: several.map(({ name }) => name).join(' and '), kind: 'Side by side', told: 'Rates, totals, mix and years beside each other', view: 'regions', at: { level: several[0].level, code: several.map(({ code }) => code).join(',') } },
      ...several.map(factorGoal)];
  }
  return regionsOf(text, regions).slice(0, mostRegions).flatMap((region) => [factorGoal(region), {
    text: named(region), kind: 'Figures', told: `${levels[region.level].one}: generation, emissions, rates, mix and years`, view: 'regions',
    at: region.level === 'US' ? { level: 'US' } : { level: region.level, code: region.code },
  }]);
}

/** @param {Region} region @returns {Goal} */
function factorGoal(region) {
  const kind = levels[region.level].parameter;
  const code = kind === 'us' ? 'true' : region.code;
  return { text: named(region), kind: 'Emission factor', told: levels[region.level].one, view: 'factors', at: { [kind]: code }, factor: { kind, code } };
}

/** zipOf is the ZIP code that a text is, or ''. @param {string} text */
export const zipOf = (text) => /^(\d{5})(-\d{4})?$/.exec(text.trim())?.[0] ?? '';

/**
 * zipGoals are the factors that a ZIP code leads to: that of its predominant subregion
 * and of each other candidate; where the crosswalk does not tell which, all of them.
 * @param {string} zip
 * @param {{subregion: string, predominant: boolean, utilities: {id: string | null, name: string | null}[]}[]} candidates
 * @param {Region[]} regions
 * @returns {Goal[]}
 */
export function zipGoals(zip, candidates, regions) {
  const chosen = predominant(candidates);
  const sorted = candidates.toSorted((a, b) => Number(b.subregion === chosen) - Number(a.subregion === chosen));
  return sorted.map(/** @returns {Goal} */ ({ subregion, utilities }) => {
    const through = utilities.map(({ id, name }) => name ?? id).filter(Boolean).slice(0, 3).join('; ');
    return {
      text: `${zip}: ${named(regions.find(({ level, code }) => level === 'SRL' && code === subregion) ?? { level: 'SRL', code: subregion, name: subregion })}`,
      kind: 'Emission factor', told: [candidates.length === 1 ? '' : subregion === chosen ? 'predominant' : chosen ? 'also serves the ZIP code' : `one of ${candidates.length} subregions`, through && `through ${through}`].filter(Boolean).join(', '), view: 'factors',
      at: subregion === chosen ? { zip } : { subregion }, factor: { kind: 'subregion', code: subregion },
    };
  });
}

/**
 * plantGoals are plants of an answer, and all that match.
 * @param {string} text
 * @param {{data: any[], meta: {total?: number | null, year?: number | null}}} answer
 * @returns {Goal[]}
 */
export function plantGoals(text, { data, meta }) {
  /** @type {Goal[]} */
  const goals = data.map((plant) => ({
    text: plant.plant_name ?? plant.id, kind: 'Plant', view: 'plant', at: { plant: plant.id },
    told: [plant.oris_plant_code ? `ORIS ${plant.oris_plant_code}` : '', plant.state, plant.fuel_category ? fuelName(plant.fuel_category) : ''].filter(Boolean).join(' · '),
  }));
  const rest = Number(meta.total ?? 0) - data.length;
  return rest > 0 ? [...goals, { text: `All ${Number(meta.total).toLocaleString('en-US')} plants with “${text}”`, kind: 'Plants', told: `of ${meta.year}`, view: 'plants', at: { q: text } }] : goals;
}
