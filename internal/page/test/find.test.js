import assert from 'node:assert/strict';
import { test } from 'node:test';

import { besides, goalsOf, plantGoals, regionsOf, zipGoals, zipOf } from '../../../httpapi/dashboard/page/assets/views/find-model.js';

const regions = [
  ['ST', 'CA', 'California'], ['ST', 'TX', 'Texas'], ['ST', 'NY', 'New York'], ['ST', 'VA', 'Virginia'], ['ST', 'WV', 'West Virginia'], ['ST', 'OR', 'Oregon'],
  ['SRL', 'CAMX', 'WECC California'], ['SRL', 'NYUP', 'NPCC Upstate NY'], ['BA', 'CISO', 'California Independent System Operator'], ['NRL', 'WECC', 'Western Electricity Coordinating Council'], ['US', 'US', 'United States'],
].map(([level, code, name]) => ({ level, code, name }));
/** @param {string} text */
const codes = (text) => regionsOf(text, regions).map(({ code }) => code);

test('a text as regions, the closest first', () => {
  for (const [text, want] of /** @type {[string, string[]][]} */ ([
    ['ca', ['CA', 'CAMX', 'CISO']], ['CAMX', ['CAMX']], ['california', ['CA', 'CISO', 'CAMX']], ['  Virginia ', ['VA', 'WV']], ['west virginia', ['WV']], ['upstate', ['NYUP']],
    ['system operator', ['CISO']], ['usa', ['US']], ['U.S.', ['US']], ['', []], ['...', []], ['qqq', []], ['north west', []],
  ])) assert.deepEqual(codes(text).slice(0, want.length || 1), want, text);
});

test('regions side by side', () => {
  for (const [text, want] of /** @type {[string, string][]} */ ([
    ['CA, TX', 'CA,TX'], ['ca tx', 'CA,TX'], ['Texas and New York', 'TX,NY'], ['texas vs. new york vs ca', 'TX,NY,CA'], ['camx;nyup', 'CAMX,NYUP'], ['CA', ''], ['CA, CA', ''], ['CA, CAMX', ''],
    ['New York', ''], ['ca, tx, ny, va, wv', ''], ['CA,', ''], [', and', ''],
  ])) assert.equal(besides(text, regions).map(({ code }) => code).join(','), want, text);
  const [both, ...each] = goalsOf('CA, TX', regions);
  assert.deepEqual(both.at, { level: 'ST', code: 'CA,TX' });
  assert.deepEqual(each.map(({ at }) => at), [{ state: 'CA' }, { state: 'TX' }]);
});

test('what is typed letter by letter may be anything', () => {
  for (const text of ['a', '(', '[', '\\', '*', '?', 'a*b(', '💡', 'x'.repeat(200), '<b>']) assert.ok(Array.isArray(goalsOf(text, regions)), text);
});

test('a ZIP code', () => {
  for (const [text, want] of [['97201', '97201'], [' 03850 ', '03850'], ['97201-1234', '97201-1234'], ['9720', ''], ['972011', ''], ['97201x', '']]) assert.equal(zipOf(text), want);
  const utility = (/** @type {string} */ name) => ({ id: '1', name });
  const marked = zipGoals('97201', [{ subregion: 'NYUP', predominant: false, utilities: [] }, { subregion: 'CAMX', predominant: true, utilities: [utility('A'), utility('B')] }], regions);
  assert.deepEqual(marked.map(({ at }) => at), [{ zip: '97201' }, { subregion: 'NYUP' }]);
  assert.equal(marked[0].text, '97201: WECC California (CAMX)');
  assert.match(marked[0].told, /^predominant, through A; B$/);
  // Where the crosswalk does not tell, each is a place of its own.
  const unmarked = zipGoals('97201', [{ subregion: 'NYUP', predominant: false, utilities: [] }, { subregion: 'XXXX', predominant: false, utilities: [] }], regions);
  assert.deepEqual(unmarked.map(({ at }) => at), [{ subregion: 'NYUP' }, { subregion: 'XXXX' }]);
  assert.equal(unmarked[1].text, '97201: XXXX');
  assert.equal(zipGoals('97201', [{ subregion: 'CAMX', predominant: false, utilities: [] }], regions)[0].at.zip, '97201');
});

test('plants, and the rest of them', () => {
  const answer = { data: [{ id: '3', plant_name: 'Barry', oris_plant_code: '3', state: 'AL', fuel_category: 'GAS' }, { id: 'x', plant_name: null }], meta: { total: 1234, year: 2023 } };
  const goals = plantGoals('barry', answer);
  assert.deepEqual(goals.map(({ text }) => text), ['Barry', 'x', 'All 1,234 plants with “barry”']);
  assert.equal(goals[0].told, 'ORIS 3 · AL · Gas');
  assert.deepEqual(goals[2].at, { q: 'barry' });
  assert.equal(plantGoals('barry', { ...answer, meta: { total: 2, year: 2023 } }).length, 2);
});
