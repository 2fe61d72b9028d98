import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { segmentsOf } from '../../../httpapi/dashboard/page/assets/charts/bands.js';
import { follows } from '../../../httpapi/dashboard/page/assets/charts/lines.js';
import { axisName, modelOf, nothing, tickText } from '../../../httpapi/dashboard/page/assets/charts/model.js';
import { index } from '../../../httpapi/dashboard/page/assets/charts/nearest.js';
import { csvOf } from '../../../httpapi/dashboard/page/assets/charts/save.js';
import { linear, logarithmic, powers, ticks, within, years } from '../../../httpapi/dashboard/page/assets/charts/scale.js';
import { shorten, wrap } from '../../../httpapi/dashboard/page/assets/charts/text.js';
import { step } from '../../../httpapi/dashboard/page/assets/charts/walk.js';

/** @import { Spec } from '../../../httpapi/dashboard/page/assets/charts/types.js' */

test('ticks are round and enclose the values', () => {
  for (const [low, high, want] of /** @type {[number, number, number[]][]} */ ([
    [0, 542, [0, 200, 400, 600]],
    [-300, 1954, [-500, 0, 500, 1000, 1500, 2000]],
    [0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 0.3, [0, 0.1, 0.2, 0.3]],
    [4.1, 4.19, [4.1, 4.12, 4.14, 4.16, 4.18, 4.2]],
    [-7, -2, [-7, -6, -5, -4, -3, -2]],
    [5, 5, [5, 6, 7, 8, 9, 10]],
  ])) assert.deepEqual(ticks(low, high, 5), want, `${low} to ${high}`);
  assert.deepEqual(within(-300, 1954, 3), [0, 1000]);
  assert.ok(within(-1, 9.7, 2).length >= 2, 'an axis of one number says no distance');
});

test('years never stand between two years, and powers enclose', () => {
  assert.deepEqual(years(2014, 2023, 20), [2014, 2015, 2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023]);
  assert.deepEqual(years(2014, 2023, 5), [2015, 2017, 2019, 2021, 2023]);
  assert.deepEqual(years(2023, 2023, 5), [2023]);
  assert.deepEqual(powers(3, 4000), [1, 10, 100, 1000, 10000]);
  assert.deepEqual(powers(10, 10), [10, 100]);
});

test('scales map both ends, and one value has a place', () => {
  assert.equal(linear(0, 10, 100, 200)(5), 150);
  assert.equal(linear(3, 3, 0, 100)(3), 0);
  assert.equal(Math.round(logarithmic(1, 1000, 0, 300)(10)), 100);
});

/** @type {Spec} */
const spec = {
  title: 'T', unit: 'MWh', x: { label: 'State' }, y: { label: 'Net generation (MWh)' }, source: 'state sheet (release rev0)',
  series: [{ name: 'all', points: [
    { x: 'CA', y: 1500, name: 'California (CA)' }, { x: 'DC', y: null, reason: 'no plant' }, { x: 'VT', y: -2 }, { x: 'TX', y: 1500 }, { x: null, y: 7 }] }],
};

test('a mark says its name, value and unit, and why it has none', () => {
  const marks = modelOf('bars', spec).lines[0].marks;
  assert.deepEqual(marks.map((mark) => mark.says), ['California (CA): 1,500 MWh', 'DC: missing, no plant', 'VT: -2 MWh', 'TX: 1,500 MWh', 'not named: 7 MWh']);
  assert.equal(modelOf('bars', { ...spec, unit: 'fraction', series: [{ name: 'a', points: [{ x: 'CA', y: 0.3061 }] }] }).lines[0].marks[0].says, 'CA: 30.6%');
  const two = modelOf('lines', { ...spec, series: [{ name: 'a', points: [{ x: 2019, y: 1 }] }, { name: 'b', points: [{ x: 2018, y: NaN }] }] });
  assert.equal(two.lines[1].marks[0].says, '2018, b: missing');
  assert.deepEqual(two.places, ['2018', '2019'], 'years in their order');
});

test('a ranking keeps the place of what is chosen, and equals share theirs', () => {
  const ranked = modelOf('ranking', { ...spec, limit: 1, series: [{ name: 'a', points: [...spec.series[0].points.slice(0, 4), { x: 'WY', y: -9, selected: true }] }] });
  assert.deepEqual(ranked.lines[0].marks.map((mark) => [mark.label, mark.rank]), [['CA', 1], ['WY', 4]]);
  assert.equal(ranked.hidden, 3);
  const all = modelOf('ranking', spec, { all: true }).lines[0].marks;
  assert.deepEqual(all.map((mark) => [mark.label, mark.rank]), [['CA', 1], ['TX', 1], ['–', 3], ['VT', 4], ['DC', 5]], 'what is missing is last');
});

test('stacked, negative parts lie on the other side of zero', () => {
  const model = modelOf('stacked', { ...spec, series: [1, -2, 3, null, -4].map((y, i) => ({ name: `s${i}`, points: [{ x: 'CA', y }] })) });
  assert.deepEqual(segmentsOf(model, 'CA', true).map(({ from, to }) => [from, to]), [[0, 1], [0, -2], [1, 4], [4, 4], [-2, -6]]);
});

test('a line is whole only between neighbours', () => {
  const [a, b, c] = modelOf('lines', { ...spec, series: [{ name: 'a', points: [2018, 2019, 2021].map((x) => ({ x, y: 1 })) }] }).lines[0].marks;
  const o = { dated: true, places: ['2018', '2019', '2021'] };
  assert.equal(follows(a, b, o), true);
  assert.equal(follows(b, c, o), false);
  assert.equal(follows(b, c, { ...o, dated: false }), true);
});

test('the arrow keys reach every mark and stop at the ends', () => {
  const { lines } = modelOf('lines', { ...spec, series: ['a', 'b'].map((name) => ({ name, points: [2018, 2019].map((x) => ({ x, y: 1 })) })) });
  const grid = lines.map((line) => line.marks);
  const walk = (/** @type {string[]} */ ...keys) => keys.reduce((at, key) => step(grid, at, key) ?? at, grid[0][0]).says;
  assert.equal(walk('ArrowRight', 'ArrowDown'), '2019, b: 1 MWh');
  assert.equal(walk('ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowUp'), '2019, a: 1 MWh');
  assert.equal(walk('ArrowLeft', 'ArrowUp'), '2018, a: 1 MWh');
  assert.equal(walk('End'), '2019, b: 1 MWh');
  assert.equal(step(grid, grid[0][0], 'x'), null);
});

test('CSV has all digits, empty for missing, quotes where needed', () => {
  assert.equal(csvOf(modelOf('bars', { ...spec, series: [{ name: 'a', points: [{ x: 'A "b", c', y: 0.1234567890123 }, { x: 'B', y: null }] }] })),
    'State,name,Net generation (MWh),source\r\n"A ""b"", c","A ""b"", c",0.1234567890123,state sheet (release rev0)\r\nB,B,,state sheet (release rev0)\r\n');
  assert.equal(csvOf(modelOf('stacked', { ...spec, series: [{ name: 'Coal', points: [{ x: 'CA', y: 1 }] }, { name: 'Gas', points: [{ x: 'TX', y: -2 }] }] })),
    'State,name,Coal (MWh),Gas (MWh),source\r\nCA,CA,1,,state sheet (release rev0)\r\nTX,TX,,-2,state sheet (release rev0)\r\n');
});

test('nothing to draw is told from zero', () => {
  assert.equal(nothing({ ...spec, series: [{ name: 'a', points: [{ x: 'CA', y: 0 }] }] }), false);
  assert.equal(nothing({ ...spec, series: [{ name: 'a', points: [{ x: 'CA', y: null }] }] }), true);
  assert.equal(nothing({ ...spec, series: [] }), true);
});

test('texts', () => {
  assert.equal(axisName('Net generation (MWh)', 'TWh'), 'Net generation, TWh');
  assert.equal(tickText(-0), '0');
  assert.equal(tickText(12345.6789), '12,345.7');
  assert.deepEqual(wrap('one two three', 7 * 12 * 0.56), ['one two', 'three']);
  assert.ok(shorten('a long name of a plant', 60).endsWith('…'));
});

test('nearest finds what a search of all points finds', () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const points = Array.from({ length: 2000 }, () => ({ x: random() * 900, y: random() * 500 }));
  const nearest = index(points, (point) => point, 12);
  for (let i = 0; i < 300; i++) {
    const [x, y] = [random() * 1000 - 50, random() * 600 - 50];
    const reach = 24;
    let [best, least] = [/** @type {object | null} */ (null), reach];
    for (const point of points) {
      const d = Math.hypot(point.x - x, point.y - y);
      if (d <= least) [best, least] = [point, d];
    }
    assert.equal(nearest(x, y, reach), best);
  }
});

// Colours: as far apart for those who see fewer of them. The matrices are those
// of Machado, Oliveira and Fernandes (2009) for full protanopia, deuteranopia
// and tritanopia, over linear RGB; distances are in Oklab.
const sights = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const rgb = (/** @type {string} */ hex) => {
  const whole = hex.length === 4 ? `#${hex[1]}${hex[1]}${hex[2]}${hex[2]}${hex[3]}${hex[3]}` : hex;
  return [1, 3, 5].map((i) => parseInt(whole.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
};
const times = (/** @type {number[][]} */ m, /** @type {number[]} */ c) => m.map((row) => Math.min(1, Math.max(0, row[0] * c[0] + row[1] * c[1] + row[2] * c[2])));
const oklab = (/** @type {number[]} */ [r, g, b]) => {
  const [l, m, s] = [0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b, 0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b, 0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b].map(Math.cbrt);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
};
const luminance = (/** @type {number[]} */ [r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (/** @type {string} */ a, /** @type {string} */ b) => {
  const [dark, light] = [luminance(rgb(a)), luminance(rgb(b))].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

test('colours differ for every sight, stand out and carry their text', () => {
  const css = readFileSync(new URL('../../../httpapi/dashboard/page/assets/style/charts.css', import.meta.url), 'utf8');
  // A colour is one for both schemes, or light-dark(LIGHT, DARK).
  const named = [...css.matchAll(/--([a-z0-9-]+): (?:light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)|(#[0-9a-f]+));/g)];
  const [light, dark] = [2, 3].map((at) => Object.fromEntries(named.map((m) => [m[1], m[at] ?? m[4]])));
  for (const scheme of [light, dark]) {
    for (const set of ['fuel-', 'series-']) {
      const names = Object.keys(scheme).filter((name) => name.startsWith(set));
      assert.equal(names.length, set === 'fuel-' ? 11 : 8);
      for (const name of names) {
        assert.ok(contrast(scheme[name], scheme['plot-ground']) >= 3, `${name} against the ground`);
        assert.ok(contrast(scheme[name], scheme[name.replace(set, 'on-')]) >= 4.5, `text on ${name}`);
        for (const other of names.slice(0, names.indexOf(name))) {
          for (const [sight, matrix] of Object.entries(sights)) {
            const [a, b] = [name, other].map((n) => oklab(times(matrix, rgb(scheme[n]))));
            const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
            assert.ok(distance >= 0.06, `${name} and ${other} with ${sight}: ${distance.toFixed(3)}`);
          }
        }
      }
    }
    assert.ok(contrast(scheme['plot-quiet'], scheme['plot-ground']) >= 4.5);
  }
});
