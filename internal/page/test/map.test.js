import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { breaksOf, classOf, rangesOf, stepsOf } from '../../../httpapi/dashboard/page/assets/map/colour.js';
import { kept, moved, reaching, sightOf, textOf, whole, zoomed } from '../../../httpapi/dashboard/page/assets/map/glide.js';
import { areaOf, codes, middleOf, ringsOf } from '../../../httpapi/dashboard/page/assets/map/outline.js';
import { dotsOf, plantOf, radiusOf, subregionColour } from '../../../httpapi/dashboard/page/assets/map/plants.js';
import { conic, frame, project } from '../../../httpapi/dashboard/page/assets/map/projection.js';
import { csvRows, numberOf } from '../../../httpapi/dashboard/page/assets/map/rows.js';
import { landOf } from '../../../httpapi/dashboard/page/assets/map/shapes.js';
import { loops, nearest, territories } from '../../../httpapi/dashboard/page/assets/map/territories.js';
import { tilesOf } from '../../../httpapi/dashboard/page/assets/map/tiles.js';
import { toward } from '../../../httpapi/dashboard/page/assets/map/toward.js';

/** @typedef {import('../../../httpapi/dashboard/page/assets/map/projection.js').Place} Place */

// inside tells whether a place lies within rings.
const inside = (/** @type {Place[][]} */ rings, /** @type {Place} */ { x, y }) => rings.flatMap((ring) => ring.map((a, i) => [a, ring[(i + 1) % ring.length]]))
  .filter(([a, b]) => (a.y <= y) !== (b.y <= y) && a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x) > x).length % 2 === 1;

test('the projection gives the worked example of the manual', () => {
  // Snyder (1987), p. 291: parallels 29.5 and 45.5, centre 23 N 96 W, radius 1.
  const { x, y } = conic(29.5, 45.5, 23, -96)(-75, 35);
  assert.equal(x.toFixed(7), '0.2952720');
  assert.equal((-y).toFixed(7), '0.2416774');
});

test('areas stay equal, and cities lie in their states', () => {
  const to = conic(29.5, 45.5, 38, -96);
  const square = (/** @type {number} */ lon, /** @type {number} */ lat) => {
    const step = 0.01;
    const [a, b, c, d] = [to(lon, lat), to(lon + step, lat), to(lon + step, lat + step), to(lon, lat + step)];
    return Math.abs(areaOf([a, b, c, d])) / Math.cos(((lat + step / 2) * Math.PI) / 180);
  };
  assert.ok(Math.abs(square(-120, 48) / square(-81, 26) - 1) < 1e-4);
  for (const [code, lon, lat] of /** @type {[string, number, number][]} */ ([
    ['CO', -104.99, 39.74], ['TX', -99.13, 31.39], ['ME', -69.0, 45.3], ['FL', -81.5, 28.3], ['CA', -119.8, 36.7], ['AK', -147.7, 64.84], ['HI', -155.5, 19.6], ['PR', -66.4, 18.22], ['MI', -84.6, 43.5], ['WA', -120.5, 47.4],
  ])) {
    const at = project(lon, lat);
    assert.ok(at, code);
    for (const other of codes()) assert.equal(inside(ringsOf(other), at), other === code, `${code} in ${other}`);
  }
});

test('what is no place of the map is none', () => {
  assert.equal(project(144.8, 13.4), null, 'Guam');
  assert.equal(project(0, 0), null);
  assert.equal(project(104.99, 39.74), null, 'a longitude without its sign');
  assert.ok(project(-179.9, 51.9) && project(179.9, 51.9), 'the Aleutians, on both sides of 180 degrees');
});

test('outlines are generated from the package, small, and within the frame', () => {
  const script = new URL('../outlines.mjs', import.meta.url).pathname;
  const file = readFileSync(new URL('../../../httpapi/dashboard/page/assets/map/outlines.js', import.meta.url), 'utf8');
  assert.equal(execFileSync(process.execPath, [script, '-'], { encoding: 'utf8' }), file, 'run node outlines.mjs');
  assert.ok(file.length < 30_000, `${file.length} bytes`);
  assert.equal(codes().length, 52);
  for (const code of codes()) {
    const rings = ringsOf(code);
    assert.ok(rings.length > 0, code);
    for (const { x, y } of rings.flat()) assert.ok(x >= 0 && y >= 0 && x <= frame.width && y <= frame.height, `${code} at ${x}, ${y}`);
    assert.ok(inside(rings, middleOf(rings)), `the name of ${code} lies beside it`);
  }
});

test('neighbours share their border', () => {
  const points = (/** @type {string} */ code) => new Set(ringsOf(code).flat().map(({ x, y }) => `${x},${y}`));
  const [kansas, oklahoma] = [points('KS'), points('OK')];
  assert.ok([...kansas].filter((point) => oklahoma.has(point)).length >= 2);
});

test('each cell has the seed that is nearest, or one hardly farther', () => {
  let seed = 11;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const [w, h] = [90, 60];
  const seeds = Array.from({ length: 40 }, () => ({ column: Math.floor(random() * w), row: Math.floor(random() * h) }));
  const of = nearest(w, h, seeds);
  let exact = 0;
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      const far = ({ column: c, row: r } = seeds[0]) => Math.hypot(c - column, r - row);
      const best = Math.min(...seeds.map((one) => far(one)));
      const got = far(seeds[of[row * w + column]]);
      assert.ok(got <= best + 1, `${column}, ${row}: ${got} where ${best} is nearest`);
      if (got === best) exact++;
    }
  }
  assert.ok(exact / (w * h) > 0.99, `${exact} of ${w * h} are exact`);
});

test('loops enclose their cells and leave out holes', () => {
  const code = [...'aaa.', ...'aba.', ...'aaa.'].map((letter) => (letter === '.' ? null : letter));
  const found = loops(code, 4, 3, 10);
  assert.deepEqual([...found.keys()].sort(), ['a', 'b']);
  const of = (/** @type {string} */ letter) => found.get(letter) ?? [];
  assert.equal(of('a').length, 2);
  assert.ok(inside(of('a'), { x: 5, y: 15 }) && !inside(of('a'), { x: 15, y: 15 }) && !inside(of('a'), { x: 35, y: 15 }));
  assert.ok(inside(of('b'), { x: 15, y: 15 }));
});

test('land belongs to the nearest plant, and never to one of another part of the map', () => {
  const seeds = [['W', -119.8, 36.7], ['E', -77.0, 39.0], ['K', -149.9, 61.2]].map(([code, lon, lat]) => {
    const at = project(Number(lon), Number(lat));
    assert.ok(at);
    return { ...at, code: String(code), part: code === 'K' ? 0 : 3 };
  });
  const land = territories(seeds);
  const holds = (/** @type {string} */ code, /** @type {number} */ lon, /** @type {number} */ lat) => inside(land.get(code) ?? [], project(lon, lat) ?? { x: -1, y: -1 });
  assert.ok(holds('W', -112, 40) && holds('W', -122.3, 47.6) && holds('E', -84, 33) && holds('E', -69, 45.5) && holds('K', -147.7, 64.8));
  assert.ok(!holds('E', -112, 40) && !holds('W', -147.7, 64.8));
  assert.equal(inside(land.get('W') ?? [], project(-155.5, 19.6) ?? { x: -1, y: -1 }), false, 'Hawaii has no plant here');
});

test('classes hold about as many, and say where they end', () => {
  assert.deepEqual(breaksOf([1, 2, 3, 4, 5, 6], 3), [3, 5]);
  assert.deepEqual(breaksOf([7, 7, 7], 3), []);
  assert.deepEqual(breaksOf([], 3), []);
  assert.deepEqual([2.9, 3, 4.9, 5, 99].map((value) => classOf(value, [3, 5])), [0, 1, 1, 2, 2]);
  assert.deepEqual(rangesOf([400, 1300.5], 'lb/MWh'), ['below 400', '400 to 1,301', '1,301 and above']);
  assert.deepEqual(rangesOf([0.1], 'fraction'), ['below 10.0%', '10.0% and above']);
  assert.deepEqual([stepsOf(1), stepsOf(2), stepsOf(6)], [[1], [1, 6], [1, 2, 3, 4, 5, 6]]);
});

test('rows of CSV', () => {
  assert.deepEqual(csvRows('id,name\r\n1,"A ""b"", c"\r\n2,\r\n'), [{ id: '1', name: 'A "b", c' }, { id: '2', name: '' }]);
  assert.deepEqual(csvRows('id,name\n1,"two\nlines"'), [{ id: '1', name: 'two\nlines' }]);
  assert.deepEqual(csvRows('id\r\n'), []);
  assert.deepEqual(csvRows(''), []);
  assert.throws(() => csvRows('id\r\n"open'), /quote/);
  assert.deepEqual(['', undefined, '0', '-2.5', 'x'].map(numberOf), [null, null, 0, -2.5, null]);
});

test('plants without a place are counted by the reason', () => {
  const row = { id: '1', plant_name: 'A', state: 'TX', fuel_category: 'GAS', subregion: 'ERCT', latitude: '31', longitude: '-99', net_generation_mwh: '100', co2_short_tons: '50', co2_output_rate_lb_per_mwh: '' };
  assert.deepEqual([plantOf(row, true).lost, plantOf(row, true).rate, plantOf(row, false).rate], ['', 1000, null]);
  assert.equal(plantOf({ ...row, latitude: '' }, true).lost, 'missing');
  assert.equal(plantOf({ ...row, latitude: '0', longitude: '0' }, true).lost, 'missing');
  assert.equal(plantOf({ ...row, longitude: '99' }, true).lost, 'outside');
  assert.equal(plantOf({ ...row, net_generation_mwh: '-3' }, true).rate, null, 'no rate without positive net generation');
  const { dots } = dotsOf([plantOf({ ...row, net_generation_mwh: '-3' }, true), plantOf({ ...row, id: '2' }, true), plantOf({ ...row, latitude: '' }, true)], { by: 'fuel_category', link: (id) => `?${id}` });
  assert.deepEqual(dots.map(({ href, hollow, colour }) => [href, hollow, colour]), [['?2', false, '--fuel-gas'], ['?1', true, '--fuel-gas']]);
  assert.equal(radiusOf(400, 1600) * 2, radiusOf(1600, 1600), 'four times as much is twice as wide');
  assert.equal(radiusOf(null, 10), radiusOf(-5, 10));
  assert.equal(subregionColour('', []), '--map-none');
});

test('tiles have a place each', () => {
  const known = ['AKGD', 'AKMS', 'AZNM', 'CAMX', 'ERCT', 'FRCC', 'HIMS', 'HIOA', 'MROE', 'MROW', 'NEWE', 'NWPP', 'NYCW', 'NYLI', 'NYUP', 'PRMS', 'RFCE', 'RFCM', 'RFCW', 'RMPA', 'SPNO', 'SPSO', 'SRMV', 'SRMW', 'SRSO', 'SRTV', 'SRVC'];
  for (const list of [known, [...known, 'XXXX', 'YYYY']]) {
    const tiles = tilesOf(list);
    assert.equal(new Set([...tiles.values()].map(([[{ x, y }]]) => `${x},${y}`)).size, list.length);
    for (const { x, y } of [...tiles.values()].flat(2)) assert.ok(x >= 0 && y >= 0 && x <= frame.width && y <= frame.height);
  }
});

test('the arrow keys go to the neighbour', () => {
  const [middle, left, up, far] = [[50, 50], [30, 52], [48, 20], [90, 90]].map(([x, y]) => ({ at: { x, y } }));
  const places = [middle, left, up, far];
  assert.equal(toward(places, middle, 'ArrowLeft'), left);
  assert.equal(toward(places, middle, 'ArrowUp'), up);
  assert.equal(toward(places, middle, 'ArrowDown'), far);
  assert.equal(toward(places, left, 'ArrowLeft'), null);
  assert.equal(toward(places, middle, 'Enter'), null);
});

test('the map stays in its frame, and around the place that is zoomed', () => {
  const near = zoomed(whole, 4, 480, 300);
  assert.deepEqual(near, { k: 4, x: -1440, y: -900 });
  assert.deepEqual(moved(near, 9999, -9999), { k: 4, x: 0, y: -1800 });
  assert.deepEqual(zoomed(near, 0.01, 0, 0), whole);
  assert.equal(kept({ k: 1000, x: 0, y: 0 }).k, 40);
  assert.equal(reaching(near, { x: 480, y: 300 }), near);
  const there = reaching(near, { x: 800, y: 300 });
  assert.equal(there.x + 800 * there.k, 480);
  assert.deepEqual(sightOf(textOf(near)), near);
  for (const odd of [null, '', 'x', '2', '2,a,b', '0,1,1', 'NaN,1,1']) assert.deepEqual(sightOf(odd), whole, String(odd));
  assert.equal(textOf(whole), null);
});

test('boundaries are projected in their part of the map', () => {
  const ring = (/** @type {number} */ lon, /** @type {number} */ lat) => [[lon, lat], [lon + 1, lat], [lon + 1, lat + 1], [lon, lat]];
  const { land, source } = landOf({ name: 'mine', features: [
    { properties: { subregion: 'CAMX' }, geometry: { type: 'MultiPolygon', coordinates: [[ring(-120, 35)], [ring(-118, 34)]] } },
    { properties: { subregion: 'AKGD' }, geometry: { type: 'Polygon', coordinates: [ring(-150, 61)] } },
    { properties: { subregion: 'XXXX' }, geometry: { type: 'Polygon', coordinates: [ring(10, 50)] } }] });
  assert.equal(source, 'mine');
  assert.deepEqual([...land].map(([code, rings]) => [code, rings.length]), [['CAMX', 2], ['AKGD', 1]]);
  assert.deepEqual(land.get('CAMX')?.[0][0], project(-120, 35));
});
