import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amount, brief, full, missing, moment, percent, plural, scaled } from '../../../httpapi/dashboard/page/assets/core/format.js';

test('numbers for reading', () => {
  for (const [value, want] of /** @type {[number, string][]} */ ([
    [0, '0'], [-0, '0'], [12, '12'], [1234567.375, '1,234,567'], [-2443.5, '-2,444'], [0.004, '0.004'], [12.345, '12.3'], [1.2345, '1.23'],
    [0.00001234, '0.0000123'], [-0.4, '-0.4'], [999.96, '1,000'],
  ])) {
    assert.equal(brief(value), want, String(value));
  }
  assert.equal(full(10234567.375), '10,234,567.375');
  assert.equal(full(0.1 + 0.2), '0.30000000000000004');
});

test('fractions as percent', () => {
  for (const [value, want] of /** @type {[number, string][]} */ ([
    [0, '0.0%'], [1, '100.0%'], [0.3064, '30.6%'], [0.0004, '< 0.1%'], [-0.0004, '> -0.1%'], [0.0005, '0.1%'], [-0.25, '-25.0%'],
  ])) {
    assert.equal(percent(value), want, String(value));
  }
});

test('multiples of a unit', () => {
  assert.deepEqual(amount(4167601391), ['4,167.6', 'TWh']);
  assert.deepEqual(amount(-2443.5), ['-2.4', 'GWh']);
  assert.deepEqual(amount(12), ['12', 'MWh']);
  const scale = scaled(2.5e6, 'short tons');
  assert.equal(scale.unit, 'million short tons');
  assert.equal(scale.of(2.5e6), 2.5);
  assert.equal(scaled(999, 'lb/MWh').unit, 'lb/MWh');
});

test('what is missing', () => {
  for (const value of [null, undefined, '']) assert.equal(missing(value), true);
  for (const value of [0, false, 'NA', '0']) assert.equal(missing(value), false);
});

test('counts and times', () => {
  assert.equal(plural(1, 'plant'), '1 plant');
  assert.equal(plural(12611, 'plant'), '12,611 plants');
  assert.equal(plural(0, 'entry', 'entries'), '0 entries');
  assert.equal(moment('2026-11-29T10:33:46.7Z'), '29 Nov 2026, 10:33 UTC');
  assert.equal(moment('never'), 'never');
});
