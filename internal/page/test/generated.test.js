import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatedOf } from '../../../httpapi/dashboard/page/assets/core/generated.js';
import { windowOf } from '../../../httpapi/dashboard/page/assets/views/plant-place.js';

/** @param {string} authority @param {number} year @param {string} [release] @param {string} [status] */
const of = (authority, year, release = '', status = 'published') => ({ authority, year, release, status });

test('editions whose figures are generated', () => {
  assert.equal(generatedOf([]), null);
  assert.equal(generatedOf([of('EPA', 2023)]), null);
  assert.equal(generatedOf([of('generated sample, no measurement', 2023), of('Generated', 2022)]), '');
  assert.equal(generatedOf([of('generated sample', 2023, 'v1'), of('generated sample', 2023, 'v1'), of('EPA', 2023)]), 'eGRID2023 (release v1)');
  // What is held or was replaced is on no view, and a name that only begins alike is none.
  assert.equal(generatedOf([of('generated', 2023, '', 'held'), of('generated', 2022, '', 'superseded'), of('EPA', 2021)]), null);
  assert.equal(generatedOf([of('GeneratedPower Inc', 2023)]), null);
});

test('the window around a place holds it, with room, in one shape', () => {
  for (const places of [[{ x: 100, y: 100 }], [{ x: 0, y: 0 }, { x: 300, y: 10 }], [{ x: 50, y: 0 }, { x: 60, y: 500 }]]) {
    const { x, y, width, height } = windowOf(places);
    assert.ok(Math.abs(width / height - 1.5) < 1e-9);
    assert.ok(width >= 60);
    for (const place of places) assert.ok(place.x > x && place.x < x + width && place.y > y && place.y < y + height);
  }
});
