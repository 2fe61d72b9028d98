#!/usr/bin/env bash
# Vega-Lite draws a plant without a rate at 0 lb/MWh when its data come from a CSV, and leaves it out of the mean.
#
# Tool:  npm vega-lite 6.4.3, vega 6.4.0; d3-array 3.2.5 with d3-dsv 3.0.2.
# Guess: a blank field of a column that is drawn as a quantity is missing: its point is left out, as that of null is. d3.mean
#        leaves it out as well.
# Seen:  rates 925.862, blank and 0 of the plants 3, 7 and 9: plant 7 has a point, as low as that of plant 9; the filter
#        "datum.PLCO2RTA < 100" keeps it; the mean is 462.931, without it. The same rows as JSON with null, or with
#        parse: {PLCO2RTA: "number"} in the data's format: no point. One field "1,025.9" and the bar of the mean is gone.
#        d3.mean of the texts that csvParse gives is 308.62: there the blank counts as 0.
# Why:   EPA leaves rates blank where a plant has no positive generation: 1,831 plants of eGRID2018 have none at all. A chart of
#        the plants as the CSV has them shows these as the cleanest ones. Name every quantity in parse; in d3 use autoType.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts vega@6.4.0 vega-lite@6.4.3 d3-array@3.2.5 d3-dsv@3.0.2
printf 'ORISPL,SUBRGN,NAMEPCAP,PLCO2RTA\n3,SRSO,2500,925.862\n7,SRSO,100,\n9,SRSO,50,0\n' >plants.csv
{ cat plants.csv && echo '10,SRSO,60,"1,025.9"'; } >comma.csv
cat >chart.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { mean as d3mean } from 'd3-array';
import { csvParse } from 'd3-dsv';
import { loader, parse, View } from 'vega';
import { compile } from 'vega-lite';

const marks = (item) => (item.marktype && item.role === 'mark' ? item.items : (item.items ?? []).flatMap(marks));
const draw = async (data, mark, encoding, transform = []) => {
  const view = new View(parse(compile({ data, mark, encoding, transform }).spec), { loader: loader({ mode: 'file' }), renderer: 'none' });
  await view.runAsync();
  return marks(view.scenegraph().root);
};
const rate = { field: 'PLCO2RTA', type: 'quantitative' };
const points = { x: { field: 'NAMEPCAP', type: 'quantitative' }, y: rate };
const means = { x: { field: 'SUBRGN', type: 'nominal' }, y: { ...rate, aggregate: 'mean' } };
const plants = async (...args) => (await draw(...args)).map((p) => `${p.datum.ORISPL} at ${Math.round(p.y)}`).join(', ');
const mean = async (url) => (await draw({ url }, 'bar', means)).map((bar) => bar.datum.mean_PLCO2RTA).join() || 'no bar';
const rows = [
  { ORISPL: 3, NAMEPCAP: 2500, PLCO2RTA: 925.862 }, { ORISPL: 7, NAMEPCAP: 100, PLCO2RTA: null }, { ORISPL: 9, NAMEPCAP: 50, PLCO2RTA: 0 },
];
const format = { type: 'csv', parse: { PLCO2RTA: 'number' } };
const seen = [
  ['plants of the CSV', await plants({ url: 'plants.csv' }, 'point', points), '3 at 22, 7 at 300, 9 at 300'],
  ['plants below 100', await plants({ url: 'plants.csv' }, 'point', points, [{ filter: 'datum.PLCO2RTA < 100' }]), '7 at 150, 9 at 150'],
  ['mean', await mean('plants.csv'), '462.931'],
  ['with parse', await plants({ url: 'plants.csv', format }, 'point', points), '3 at 22, 9 at 300'],
  ['as JSON with null', await plants({ values: rows }, 'point', points), '3 at 22, 9 at 300'],
  ['d3.mean', d3mean(csvParse(readFileSync('plants.csv', 'utf8')), (plant) => plant.PLCO2RTA).toFixed(3), '308.621'],
  ['mean with "1,025.9"', await mean('comma.csv'), 'no bar'],
];
for (const [what, got, want] of seen) {
  console.log(`${what}: ${got}`);
  if (got !== want) {
    console.log(`CHANGED: ${what} was ${want}`);
    process.exitCode = 1;
  }
}
JS
node chart.mjs
