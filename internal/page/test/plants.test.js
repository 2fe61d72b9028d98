import assert from 'node:assert/strict';
import { test } from 'node:test';

import { written } from '../../../httpapi/dashboard/page/assets/core/figure.js';
import { grouped } from '../../../httpapi/dashboard/page/assets/core/groups.js';
import { ruleOf } from '../../../httpapi/dashboard/page/assets/core/meaning.js';
import { words } from '../../../httpapi/dashboard/page/assets/views/plants-conditions.js';
import { columnsOf, defaultColumns, isNumeric, questionOf } from '../../../httpapi/dashboard/page/assets/views/plants-table.js';

/** @param {string} query */
const at = (query) => new URLSearchParams(query);

test('the columns of an address', () => {
  assert.deepEqual(columnsOf(at('')), defaultColumns);
  assert.deepEqual(columnsOf(at('columns=hg_lb,plant_name,state')), ['hg_lb', 'state']);
  assert.deepEqual(columnsOf(at('columns=plant_name')), []);
});

test('what the API is asked', () => {
  assert.deepEqual(questionOf(at('filter=hg_lb>=1&filter=county present&state=TX'), { state: 'TX', q: '' }), { state: 'TX', q: '', filter: ['hg_lb>=1', 'county present'] });
});

test('numeric columns', () => {
  assert.equal(isNumeric('net_generation_mwh', 'MWh', []), true);
  assert.equal(isNumeric('year_online', undefined, [{ year_online: null }, { year_online: 1990 }]), true);
  assert.equal(isNumeric('state', undefined, [{ state: 'TX' }]), false);
});

test('columns in groups', () => {
  const groups = new Map(grouped(['plant_name', 'co2_short_tons', 'co2_output_rate_lb_per_mwh', 'coal_net_generation_mwh', 'coal_generation_share', 'net_generation_mwh', 'hg_lb', 'PLXYZ', 'share']));
  assert.deepEqual([...groups], [
    ['Plant', ['plant_name', 'PLXYZ']],
    ['Capacity and generation', ['net_generation_mwh', 'share']],
    ['Emissions', ['co2_short_tons', 'hg_lb']],
    ['Emission rates', ['co2_output_rate_lb_per_mwh']],
    ['Resource mix', ['coal_net_generation_mwh', 'coal_generation_share']],
  ]);
});

test('values as text', () => {
  assert.deepEqual(written(10234567.375, 'MWh'), { text: '10,234,567', unit: 'MWh', title: '10,234,567.375 MWh', negative: false, missing: false });
  assert.deepEqual(written(null, 'MWh'), { text: '–', unit: '', title: 'missing', negative: false, missing: true });
  assert.equal(written(0, 'MWh').text, '0');
  assert.equal(written(-2443.5, 'MWh').negative, true);
  assert.equal(written(0.25, 'fraction').text, '25.0%');
  assert.equal(written(2016).text, '2016');
  assert.equal(written(-88.0103, 'degrees').text, '-88.0103');
  assert.equal(written(false).text, 'no');
  assert.equal(written('<b>').text, '<b>');
});

test('conditions in words', () => {
  assert.equal(words('nameplate_capacity_mw>=100'), 'Nameplate capacity at least 100 MW');
  assert.equal(words('state!=TX,OK'), 'State is not TX,OK');
  assert.equal(words('county missing'), 'County is missing');
  assert.equal(words('latitude present'), 'Latitude is known');
  assert.equal(words('hg_lb<1'), 'Hg below 1 lb');
  assert.equal(words('neither one nor the other'), 'neither one nor the other');
});

test('rules in words', () => {
  assert.equal(ruleOf('2000*co2_short_tons/net_generation_mwh'), 'Formula: 2000 × co2_short_tons ÷ net_generation_mwh');
  assert.equal(ruleOf('sum'), 'Regions have the sum over their plants.');
  assert.equal(ruleOf(null), '');
});
