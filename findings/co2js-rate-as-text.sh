#!/usr/bin/env bash
# CO2.js takes a rate that is a text for none: it computes with the world's average, and ships its own marginal rates as texts.
#
# Tool:  npm @tgwf/co2 (CO2.js) 0.19.0.
# Guess: "198.77", as a rate comes out of a CSV, counts as 198.77, or is an error; the marginal rates that the package
#        exports can be given to it.
# Seen:  1 GB by its model swd 4, all of it at one rate: 90.9 g of CO2 at 198.77 g/kWh, 148.2 g at "198.77", which is what
#        the world's average of 494 g/kWh gives; a warning, no error. marginalIntensity.data.USA is the text "416":
#        148.2 g again, where the number 416 gives 133.1 g.
# Why:   eGRID2023 has 438.2 lb/MWh, or 198.77 g/kWh, for CAMX. Read from a CSV or a form, it makes 63 % too much, and the
#        figure looks like any other. Give Number(rate).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @tgwf/co2@0.19.0
cat >rate.mjs <<'JS'
import { co2, marginalIntensity } from '@tgwf/co2';
const model = new co2({ model: 'swd', version: 4 });
const grams = (rate) => model.perByteTrace(1e9, false, { gridIntensity: { device: rate, dataCenter: rate, network: rate } }).co2.toFixed(1);
const usa = marginalIntensity.data.USA;
const seen = [
  ['the number 198.77', grams(198.77), '90.9'],
  ['the text "198.77"', grams('198.77'), '148.2'],
  ['the number 494', grams(494), '148.2'],
  [`its marginal rate of the US, ${JSON.stringify(usa)}`, grams(usa), '148.2'],
  ['the number of it', grams(Number(usa)), '133.1'],
];
for (const [what, got, want] of seen) {
  console.log(`${what}: ${got} g`);
  if (got !== want) {
    console.log(`CHANGED: ${what} was ${want} g`);
    process.exitCode = 1;
  }
}
JS
node rate.mjs 2>warnings
echo "warnings: $(sort -u warnings | grep -c 'must be a number' || true) kinds, exit status 0"
