import assert from 'node:assert/strict';
import { test } from 'node:test';

import { evaluate, tokens } from '../../../httpapi/dashboard/page/assets/views/formula.js';
import { amountOf, bodyOf, citationOf, emissions, parametersOf, placeChanges, predominant, questionOf, unitsOf } from '../../../httpapi/dashboard/page/assets/views/question.js';
import { isUTF8, largest, refusal, resultName } from '../../../httpapi/dashboard/page/assets/views/sites.js';

/** @param {string} query */
const at = (query) => new URLSearchParams(query);

test('formulas come to what arithmetic says', () => {
  const inputs = { a: { value: 6 }, b_2: { value: 4 }, c: { value: 0.5 } };
  for (const [formula, want] of /** @type {[string, number][]} */ ([
    ['a', 6], ['2000 * a / b_2', 3000], ['a - b_2 - 1', 1], ['a / b_2 / 2', 0.75], ['(2000 * a / b_2) / (1 - c)', 6000], ['a - (b_2 - 1)', 3], ['-a + 2 * -c', -7], ['1.5e2 * c', 75], ['a*0.25', 1.5],
  ])) assert.equal(evaluate(formula, inputs), want, formula);
  for (const formula of ['', 'a +', '(a', 'a)', 'd', 'a b_2', 'a ^ 2', 'a; alert(1)', 'constructor', '__proto__']) assert.throws(() => evaluate(formula, inputs), Error, formula);
  assert.deepEqual(tokens('2000 * (a_b)').map(({ kind, text }) => `${kind} ${text}`), ['number 2000', 'sign *', 'sign (', 'name a_b', 'sign )']);
});

test('a formula of the API', () => {
  const inputs = {
    co2e_short_tons: { value: 47510356.551 }, net_generation_mwh: { value: 216841822.331 }, estimated_losses_mwh: { value: 30244892.450210553 },
    total_disposition_mwh: { value: 746640041.471222 }, direct_use_mwh: { value: 17788276.405373104 },
  };
  const got = evaluate('(2000 * co2e_short_tons / net_generation_mwh) / (1 - estimated_losses_mwh / (total_disposition_mwh - direct_use_mwh))', inputs);
  assert.ok(Math.abs(got - 457.1740730902184) < 1e-10, String(got));
});

test('the address as a question', () => {
  assert.equal(questionOf(at('')).place, null);
  assert.deepEqual(questionOf(at('subregion=camx')).place, { kind: 'subregion', code: 'CAMX' });
  assert.deepEqual(questionOf(at('zip=03850')).place, { kind: 'zip', code: '03850' });
  assert.deepEqual(questionOf(at('us=true')).place, { kind: 'us', code: 'true' });
  assert.deepEqual(questionOf(at('plants=3, 7')).place, { kind: 'plants', code: '3, 7' });
  const q = questionOf(at('state=TX&gas=co2&gwp=ar6&delivered=true&unit=kg/MWh&year=2023&release=none&kwh=5'));
  assert.deepEqual(parametersOf(q, { kind: 'state', code: 'TX' }), { state: 'TX', year: '2023', release: 'none', gas: 'co2', kind: 'output', gwp: '', unit: 'kg/MWh', delivered: 'true' });
});

test('what a kind of factor does not have is not asked for', () => {
  const q = questionOf(at('us=true&kind=input&unit=kg/MWh&delivered=true'));
  assert.deepEqual(parametersOf(q, { kind: 'us', code: 'true' }), { us: 'true', year: '', release: '', gas: 'co2e', kind: 'input', gwp: 'published', unit: '', delivered: '' });
  // Nonsense goes to the API, which says what is wrong with it.
  assert.equal(parametersOf(questionOf(at('us=true&unit=stone')), { kind: 'us', code: 'true' }).unit, 'stone');
  assert.ok(unitsOf('input').every((unit) => !unitsOf('output').includes(unit)));
});

test('the question in a batch', () => {
  assert.deepEqual(bodyOf({ us: 'true', year: '2023', release: '', unit: '', delivered: 'true', gas: 'co2' }), { us: true, year: 2023, delivered: true, gas: 'co2' });
  assert.deepEqual(bodyOf({ plants: '3, 0007' }), { plants: ['3', '0007'] });
});

test('another place takes the place of the one before', () => {
  const changes = placeChanges('state', 'TX');
  assert.equal(changes.state, 'TX');
  assert.deepEqual([changes.zip, changes.subregion, changes.us, changes.plants], [null, null, null, null]);
  assert.equal(placeChanges('us', '').us, 'true');
});

test('emissions of an amount of electricity', () => {
  for (const [kwh, value, unit, want] of /** @type {[number, number, string, number | null][]} */ ([
    [120000, 198.7654871726491, 'kg/MWh', 23851.85846072], [1000, 1000, 'lb/MWh', 453.59237], [1000, 0.5, 'kg/kWh', 500], [1000, 500, 'g/kWh', 500],
    [1000, 0.5, 't/MWh', 500], [1000, 1, 'lb/kWh', 453.59237], [0, 1, 'kg/kWh', 0], [5, 116.1, 'lb/MMBtu', null], [5, 1, 'stone', null],
  ])) assert.equal(emissions(kwh, { value, unit }), want, `${kwh} ${unit}`);
});

test('amounts as people write them', () => {
  for (const [text, want] of /** @type {[string, number][]} */ ([['120000', 120000], ['120,000', 120000], ['1,234,567.5', 1234567.5], [' 12 000 ', 12000], ['12\u202f000', 12000], ['.5', 0.5], ['-3', -3], ['0', 0]])) assert.equal(amountOf(text), want, text);
  for (const text of ['', 'many', '12.', '1,2', '12,00', '1.234,5', '1e5', '0x10', '12 kWh', '--1', 'NaN', 'Infinity']) assert.ok(Number.isNaN(amountOf(text)), text);
});

test('a citation says when and where', () => {
  const now = new Date('2026-11-29T23:59:00Z');
  assert.equal(citationOf('EPA, eGRID2023.', 'https://example.org/factors?snapshot=a', now), 'EPA, eGRID2023. Permanent address, accessed 2026-11-29: https://example.org/factors?snapshot=a');
  assert.equal(citationOf('EPA.', '', now), 'EPA. Accessed 2026-11-29.');
});

test('the subregion of a ZIP code is told or not known', () => {
  const c = (/** @type {string} */ subregion, predominant_ = false) => ({ subregion, predominant: predominant_ });
  assert.equal(predominant([c('A'), c('B', true)]), 'B');
  assert.equal(predominant([c('A')]), 'A');
  assert.equal(predominant([c('A'), c('B')]), null);
  assert.equal(predominant([]), null);
});

test('files that are no table of sites', () => {
  const bytes = (/** @type {number[]} */ ...list) => new Uint8Array(list);
  const text = (/** @type {string} */ s) => new TextEncoder().encode(s);
  const file = { name: 'sites.csv', size: 10 };
  assert.equal(refusal(file, text('site,zip,kwh\n')), '');
  assert.equal(refusal(file, text('\ufeffsite,zip,kwh\n')), '');
  assert.match(refusal({ ...file, size: 0 }, bytes()), /empty/);
  assert.match(refusal({ ...file, size: largest + 1 }, text('a')), /larger than 256 MiB/);
  assert.match(refusal({ name: 'sites.xlsx', size: 9 }, text('PK\u0003\u0004')), /workbook/);
  assert.match(refusal(file, bytes(0xff, 0xfe, 0x73, 0)), /UTF-16/);
  assert.match(refusal(file, bytes(0x73, 0, 0x69)), /no text/);
  assert.ok(isUTF8(text('Größe')) && isUTF8(text('Größe').slice(0, 3))); // the head may cut a letter
  assert.ok(!isUTF8(bytes(0x47, 0xf6, 0x41)));
  assert.equal(resultName('my.sites.csv', 'xlsx'), 'my.sites-emissions.xlsx');
  assert.equal(resultName('.csv', 'csv'), 'sites-emissions.csv');
});
