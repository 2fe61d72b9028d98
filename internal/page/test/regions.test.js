import assert from 'node:assert/strict';
import { test } from 'node:test';

import { editionsOf, newer, newestNames, placeName } from '../../../httpapi/dashboard/page/assets/views/places.js';
import { chosenOf, codesWith, flat, grouped, measuresOf, mix } from '../../../httpapi/dashboard/page/assets/views/regions-model.js';

/** @param {string} query */
const at = (query) => new URLSearchParams(query);

test('regions that an address asks for', () => {
  for (const [query, level, codes] of /** @type {[string, string, string[]][]} */ ([
    ['', 'ST', []], ['level=srl&code=camx,ERCT', 'SRL', ['CAMX', 'ERCT']], ['level=SRL&code=A,B,C,D,E', 'SRL', ['A', 'B', 'C', 'D']],
    ['level=SRL&code=A,,A, B', 'SRL', ['A', 'B']], ['level=US&code=TX', 'US', []], ['level=nobody&code=TX', 'ST', ['TX']],
    ['state=TX', 'ST', ['TX']], ['state=TX&level=SRL&code=CAMX', 'SRL', ['CAMX']], ['level=NRL&code=NA', 'NRL', ['NA']],
  ])) {
    const chosen = chosenOf(at(query));
    assert.deepEqual([chosen.level, chosen.codes], [level, codes], query);
  }
  assert.equal(chosenOf(at('')).measure, 'co2_output_rate_lb_per_mwh');
  assert.deepEqual(chosenOf(at('year=2018&release=v1&measure=ch4_lb')).release, 'v1');
});

test('a region more, and one less', () => {
  assert.equal(codesWith([], 'TX'), 'TX');
  assert.equal(codesWith(['TX', 'CA'], 'TX'), 'CA');
  assert.equal(codesWith(['TX', 'CA'], 'NY'), 'TX,CA,NY');
  assert.equal(codesWith(['A', 'B', 'C', 'D'], 'E'), 'A,B,C,E'); // the last one makes room
});

test('figures are sorted into groups, and none is lost', () => {
  const columns = ['net_generation_mwh', 'nameplate_capacity_mw', 'co2_output_rate_lb_per_mwh', 'co2e_output_rate_lb_per_mwh', 'nonbaseload_co2_output_rate_lb_per_mwh',
    'coal_co2_output_rate_lb_per_mwh', 'co2_combustion_output_rate_lb_per_mwh', 'co2_input_rate_lb_per_mmbtu', 'co2_short_tons', 'coal_net_generation_mwh',
    'nonbaseload_gas_generation_mwh', 'wind_generation_share', 'coal_generation_share', 'renewable_generation_share', 'nonbaseload_gas_generation_share', 'OWNCOL'];
  const groups = grouped(columns);
  assert.deepEqual(groups.flatMap((g) => g.columns).sort(), columns.toSorted());
  const of = (/** @type {string} */ name) => groups.find((g) => g.columns.includes(name));
  assert.equal(of('co2_output_rate_lb_per_mwh')?.name, 'Emission rates of all generation');
  assert.deepEqual(of('co2_output_rate_lb_per_mwh')?.columns, ['co2e_output_rate_lb_per_mwh', 'co2_output_rate_lb_per_mwh']);
  assert.equal(of('nonbaseload_co2_output_rate_lb_per_mwh')?.name, 'Emission rates of non-baseload generation');
  assert.equal(of('coal_co2_output_rate_lb_per_mwh')?.name, 'Emission rates by fuel');
  assert.deepEqual(of('coal_generation_share'), { name: 'Resource mix', more: false, columns: ['coal_generation_share', 'wind_generation_share'] });
  assert.equal(of('OWNCOL')?.more, true);
  assert.equal(groups[0].name, 'Generation and capacity');
});

test('the mix has the columns of the API', () => {
  assert.equal(mix().length, 11);
  assert.deepEqual(mix().map(({ fuel }) => fuel), ['coal', 'oil', 'gas', 'other_fossil', 'nuclear', 'hydro', 'biomass', 'wind', 'solar', 'geothermal', 'other_unknown']);
  assert.deepEqual(flat({ totals: { a: 1 }, rates: { b: null }, other: { c: 'x' }, resource_mix: { wind: 0.5 } }), { a: 1, b: null, c: 'x', wind_generation_share: 0.5 });
});

test('measures to rank by have a unit', () => {
  assert.deepEqual(measuresOf([{ name: 'a', type: 'number', unit: 'MWh' }, { name: 'b', type: 'text', unit: null }, { name: 'c', type: 'number', unit: null }]).map(({ name }) => name), ['a']);
});

test('names are the newest that there are', () => {
  const names = newestNames([
    { subregion: 'NWPP', subregion_name: 'New', newest: 2023 }, { subregion: 'NWPP', subregion_name: 'Old', newest: 2018 }, { subregion: 'X', subregion_name: 'Gone', newest: 2014 },
    { subregion: 'X', subregion_name: null, newest: 2023 }, { subregion: null, subregion_name: 'No code', newest: 2023 }, { subregion: 'Y', subregion_name: null, newest: 2023 },
  ], 'subregion', 'subregion_name');
  assert.deepEqual([...names], [['X', 'Gone'], ['NWPP', 'New'], ['Y', 'Y']]);
  assert.deepEqual([...newestNames([{ state: 'TX', newest: 2023 }, { state: 'CA', newest: 2023 }], 'state')], [['CA', 'California'], ['TX', 'Texas']]);
  assert.equal(placeName('SRL', 'NWPP', names), 'New (NWPP)');
  assert.equal(placeName('SRL', 'Y', names), 'Y');
  assert.equal(placeName('ST', 'TX'), 'Texas (TX)');
  assert.equal(placeName('US', ''), 'United States');
});

test('releases, the newest first', () => {
  assert.deepEqual(['', 'rev10', 'rev2', 'v1', 'rev0'].sort(newer), ['rev10', 'rev2', 'v1', 'rev0', '']);
  assert.deepEqual(editionsOf([
    { level: 'ST', year: 2018, release: 'v1', authority: 'EPA', status: 'published' }, { level: 'ST', year: 2018, release: 'v2', authority: 'EPA', status: 'published' },
    { level: 'SRL', year: 2018, release: 'v2', authority: 'EPA', status: 'published' }, { level: 'ST', year: 2023, release: '', authority: 'EPA', status: 'held' }, { level: 'GEN', year: 2024, release: '', authority: 'EPA', status: 'published' },
  ], ['ST', 'SRL']).map(({ year, release }) => [year, release]), [[2018, 'v2'], [2018, 'v1']]);
});
