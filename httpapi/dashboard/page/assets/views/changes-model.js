// What the view of changes makes of the API's answers: nothing of the page.

import { releaseName } from '../core/names.js';
import { levels, newer } from './places.js';

/**
 * @typedef {object} Edition
 * @property {number} year
 * @property {string} release
 * @property {string} key         as the API names it: 2018-v1
 * @property {string[]} authorities
 * @property {string[]} units
 * @property {string | null} gwp
 * @property {any[]} published   snapshots, by level
 * @property {any[]} before      superseded ones, the latest first
 * @property {any[]} held
 */

/** @param {{year: number, release: string}} e */
export const keyOf = ({ year, release }) => `${year}-${release || 'none'}`;

/** @param {{year: number, release: string}} e */
export const editionName = ({ year, release }) => `eGRID${year}, release ${releaseName(release)}`;

/**
 * editions sorts snapshots by edition, the newest first.
 * @param {any[]} snapshots   data of /snapshots?all=true
 * @returns {Edition[]}
 */
export function editions(snapshots) {
  /** @type {Map<string, Edition>} */
  const found = new Map();
  for (const s of snapshots) {
    const key = keyOf(s);
    if (!found.has(key)) found.set(key, { year: s.year, release: s.release, key, authorities: [], units: [], gwp: null, published: [], before: [], held: [] });
    const e = /** @type {Edition} */ (found.get(key));
    e[s.status === 'published' ? 'published' : s.status === 'held' ? 'held' : 'before'].push(s);
    if (s.status !== 'published') continue;
    if (!e.authorities.includes(s.authority)) e.authorities.push(s.authority);
    if (!e.units.includes(s.units)) e.units.push(s.units);
    e.gwp ??= s.gwp;
  }
  return [...found.values()].sort((a, b) => b.year - a.year || newer(a.release, b.release));
}

/**
 * pairOf is what is compared: what the address says, else the two newest releases of
 * the newest year that has two, else the two newest editions. Null where there are
 * none.
 * @param {Edition[]} all   the newest first
 * @param {string} from
 * @param {string} to
 * @returns {{from: string, to: string} | null}
 */
export function pairOf(all, from, to) {
  const published = all.filter((e) => e.published.some(({ level }) => level in levels || level === 'PLNT'));
  const twin = published.findIndex((e, i) => published[i + 1]?.year === e.year);
  const at = Math.max(0, twin);
  const pair = { from: from || (published[at + 1]?.key ?? ''), to: to || (published[at]?.key ?? '') };
  return pair.from && pair.to ? pair : null;
}

/**
 * commonLevels are the levels that both editions have published, in the workbook's
 * order.
 * @param {Edition[]} all
 * @param {{from: string, to: string}} pair
 * @returns {string[]}
 */
export function commonLevels(all, { from, to }) {
  const of = (/** @type {string} */ key) => all.find((e) => e.key === key)?.published.map(({ level }) => level) ?? [];
  const second = of(to);
  return of(from).filter((level, i, list) => second.includes(level) && list.indexOf(level) === i);
}

/**
 * heldRuns are the runs that hold something, the newest first, with the snapshots of
 * what they hold, which are first where nothing of the kind is published. Of a
 * held snapshot of no run its stage is the run: the API decides on it under that id, and an
 * API without runs decides on none.
 * @param {any[]} snapshots
 * @param {any[] | null} runs   null where the API has no runs
 */
export function heldRuns(snapshots, runs) {
  const held = snapshots.filter(({ status }) => status === 'held')
    .map((s) => ({ ...s, first: !snapshots.some((p) => p.status === 'published' && p.level === s.level && p.year === s.year && p.release === s.release) }));
  const of = (runs ?? []).map((run) => ({ id: run.run_id, started: run.started_at, loads: run.loads.filter((/** @type {any} */ l) => l.status === 'held').map((/** @type {any} */ l) => ({ ...l, snapshot: held.find((s) => s.stage === l.id) ?? null })) }))
    .filter(({ loads }) => loads.length);
  const known = new Set(of.flatMap(({ loads }) => loads.map((/** @type {any} */ l) => l.id)));
  for (const s of held) {
    if (!known.has(s.stage)) of.push({ id: runs ? s.stage : '', started: s.loaded_at, loads: [{ id: s.stage, object: s.sources[0]?.object ?? '', level: s.level, year: s.year, release: s.release, reason: s.reason, rows_read: s.rows, rows_rejected: s.rejected, snapshot: s }] });
  }
  return of;
}

/**
 * rejectsOf lists what runs rejected, by file and fault, the most frequent first.
 * @param {any[]} runs
 */
export const rejectsOf = (runs) => runs.flatMap((run) => run.loads.flatMap((/** @type {any} */ load) => (load.rejected ?? []).map((/** @type {any} */ r) => ({ ...r, object: load.object, level: load.level, year: load.year, run: run.run_id }))))
  .sort((a, b) => b.count - a.count);

/**
 * worstFirst orders cells of a certificate by how far the published figure is off, in
 * parts of the one computed anew.
 * @param {any[]} cells
 */
export const worstFirst = (cells) => cells.toSorted((a, b) => Math.min(1e300, off(b) ?? 1e300) - Math.min(1e300, off(a) ?? 1e300));

/**
 * off is the size of a difference over what was computed anew; null where that is 0.
 * @param {any} cell
 */
export const off = ({ difference, recomputed }) => (recomputed === 0 ? null : Math.abs(difference / recomputed));

/**
 * byColumn counts cells by column, the most first.
 * @param {any[]} cells
 * @returns {[string, number][]}
 */
export function byColumn(cells) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { column } of cells) counts.set(column, (counts.get(column) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
