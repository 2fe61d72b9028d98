import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byColumn, commonLevels, editionName, editions, heldRuns, keyOf, off, pairOf, rejectsOf, worstFirst } from '../../../httpapi/dashboard/page/assets/views/changes-model.js';
import { change } from '../../../httpapi/dashboard/page/assets/views/differences.js';

/** @param {string} level @param {number} year @param {string} release @param {object} [more] */
const snapshot = (level, year, release, more = {}) => ({ level, year, release, authority: 'EPA', units: 'us', gwp: null, status: 'published', stage: `${level}${year}${release}`, sources: [{ object: 'f.csv' }], rows: 1, rejected: 0, reason: null, loaded_at: '2026-01-01T00:00:00Z', ...more });

test('snapshots by edition', () => {
  const all = editions([
    snapshot('ST', 2018, 'v1', { gwp: 'ar4' }), snapshot('SRL', 2018, 'v2', { authority: 'Cornerstone', units: 'metric' }), snapshot('ST', 2018, 'v2', { gwp: 'ar4' }),
    snapshot('ST', 2018, 'v2', { status: 'superseded', authority: 'Nobody' }), snapshot('GEN', 2023, '', { status: 'held' }),
  ]);
  assert.deepEqual(all.map((e) => e.key), ['2023-none', '2018-v2', '2018-v1']);
  assert.deepEqual([all[1].authorities, all[1].units, all[1].gwp, all[1].published.length, all[1].before.length], [['Cornerstone', 'EPA'], ['metric', 'us'], 'ar4', 2, 1]);
  assert.deepEqual([all[0].published.length, all[0].held.length], [0, 1]);
  assert.equal(editionName(all[0]), 'eGRID2023, release unmarked');
  assert.equal(keyOf({ year: 2018, release: 'v2' }), '2018-v2');
});

test('what is compared when nobody says', () => {
  const of = (/** @type {[string, number, string][]} */ ...list) => editions(list.map(([level, year, release]) => snapshot(level, year, release)));
  assert.equal(pairOf(of(), '', ''), null);
  assert.equal(pairOf(of(['ST', 2018, '']), '', ''), null);
  assert.deepEqual(pairOf(of(['ST', 2018, ''], ['ST', 2019, '']), '', ''), { from: '2018-none', to: '2019-none' });
  assert.deepEqual(pairOf(of(['ST', 2018, 'v1'], ['ST', 2018, 'v2'], ['ST', 2019, '']), '', ''), { from: '2018-v1', to: '2018-v2' });
  assert.deepEqual(pairOf(of(['ST', 2018, 'v1'], ['ST', 2019, '']), '2018-v9', ''), { from: '2018-v9', to: '2019-none' });
  assert.deepEqual(pairOf(of(['ST', 2018, ''], ['GEN', 2023, '']), '', ''), null); // generators have no factors
  assert.deepEqual(commonLevels(of(['ST', 2018, ''], ['GEN', 2018, ''], ['GEN', 2019, ''], ['ST', 2019, ''], ['US', 2019, '']), { from: '2018-none', to: '2019-none' }), ['ST', 'GEN']);
});

test('held loads by run', () => {
  const held = (/** @type {string} */ stage) => snapshot('ST', 2018, '', { status: 'held', stage, reason: 'why' });
  const runs = [{ run_id: 'r', started_at: 'x', loads: [{ id: 'a', status: 'held', level: 'ST' }, { id: 'b', status: 'published' }, { id: 'c', status: 'held' }] }, { run_id: 'q', started_at: 'x', loads: [{ id: 'd', status: 'failed' }] }];
  const got = heldRuns([held('a'), held('c'), held('e')], runs);
  assert.deepEqual(got.map((run) => [run.id, run.loads.map((/** @type {any} */ l) => l.id)]), [['r', ['a', 'c']], ['e', ['e']]]);
  assert.equal(got[0].loads[0].snapshot.reason, 'why');
  assert.equal(got[0].loads[0].snapshot.first, true);
  assert.equal(heldRuns([held('a'), snapshot('ST', 2018, '')], runs)[0].loads[0].snapshot.first, false);
  // A service without runs still says what it holds.
  assert.deepEqual(heldRuns([held('a')], null).map((run) => [run.id, run.loads[0].reason]), [['', 'why']]);
  assert.deepEqual(heldRuns([], []), []);
});

test('rejected records, the most frequent reason first', () => {
  const got = rejectsOf([{ run_id: 'r', loads: [{ object: 'a.csv', level: 'GEN', year: 2023, rejected: [{ reason: 'not a number', count: 2 }] }, { object: 'b.csv' }] }, { run_id: 'q', loads: [{ object: 'c.csv', rejected: [{ reason: 'twice', count: 7 }] }] }]);
  assert.deepEqual(got.map((r) => [r.object, r.reason, r.count, r.run]), [['c.csv', 'twice', 7, 'q'], ['a.csv', 'not a number', 2, 'r']]);
});

test('cells of a certificate, the farthest first', () => {
  const cell = (/** @type {number} */ difference, /** @type {number} */ recomputed, column = 'a') => ({ difference, recomputed, column });
  assert.deepEqual(worstFirst([cell(1, 100), cell(-2, 2), cell(1, 0), cell(0.5, 1), cell(3, 0)]).map(({ difference }) => difference), [1, 3, -2, 0.5, 1]);
  assert.equal(off(cell(-2, 4)), 0.5);
  assert.equal(off(cell(-2, 0)), null);
  assert.deepEqual(byColumn([cell(1, 1, 'b'), cell(1, 1, 'a'), cell(1, 1, 'b'), cell(1, 1, 'c')]), [['b', 2], ['a', 1], ['c', 1]]);
});

test('changes in words', () => {
  assert.equal(change(null), '–');
  assert.equal(change(0.1), '+10.0%');
  assert.equal(change(-0.113), '-11.3%');
  assert.equal(change(0), '0%');
  assert.equal(change(2.4e-10), '+0.000000024%');
});
