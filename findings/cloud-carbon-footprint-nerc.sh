#!/usr/bin/env bash
# cloud-carbon-footprint gives Northern California and Oregon one factor, and its newest AWS package an old one.
#
# Tool:  npm @cloud-carbon-footprint/aws 0.15.0 (its newest) and @cloud-carbon-footprint/core 1.0.0 (its newest).
# Guess: us-west-1 (Northern California) has the factor of eGRID's CAMX and us-west-2 (Oregon) of NWPP, and the newest
#        aws package uses the newest core package.
# Seen:  AWS regions get the rate of a NERC region, in metric tons per kWh, and aws brings its own core 0.17.3:
#          us-west-1 0.000322167   us-west-2 0.000322167   (both WECC; 710 lb/MWh)
#          core 1.0.0 alone: WECC 0.0002986502059          (658 lb/MWh; 7.3 % less)
# Why:   in eGRID2023 (first file) CAMX has 438 lb CO2e/MWh, so a bill in Northern California is put 62 % too
#        high. Both versions are called "latest" in the registry, so the factor follows from which package is
#        installed, not from a year that one can name. Map a cloud region to its subregion yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/aws" "$dir/core"
cd "$dir/aws"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional @cloud-carbon-footprint/aws@0.15.0
cd "$dir/core"
npm pack --silent @cloud-carbon-footprint/core@1.0.0 >/dev/null
tar -xzf ./*.tgz
cd "$dir"
cat >compare.cjs <<'EOF'
const aws = require('./aws/node_modules/@cloud-carbon-footprint/aws/dist/domain/AwsFootprintEstimationConstants.js')
const newest = require('./core/package/dist/FootprintEstimationConstants.js')
const brought = require('./aws/node_modules/@cloud-carbon-footprint/core/package.json').version
const rates = aws.AWS_EMISSIONS_FACTORS_METRIC_TON_PER_KWH
const lbPerMWh = (tonPerKWh) => (tonPerKWh * 1e6) / 0.45359237
for (const region of ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'us-gov-west-1']) {
  console.log(region, rates[region], 't/kWh', lbPerMWh(rates[region]).toFixed(1), 'lb/MWh')
}
const wecc = newest.US_NERC_REGIONS_EMISSIONS_FACTORS.WECC
console.log('core brought by aws:', brought, '- core 1.0.0: WECC', wecc, 't/kWh', lbPerMWh(wecc).toFixed(1), 'lb/MWh')
const changed = []
if (rates['us-west-1'] !== 0.000322167) changed.push('us-west-1')
if (rates['us-west-1'] !== rates['us-west-2']) changed.push('us-west-1 and us-west-2 differ')
if (wecc !== 0.0002986502059) changed.push('WECC of core 1.0.0')
if (!brought.startsWith('0.17.')) changed.push('aws brings core ' + brought)
if (changed.length > 0) {
  console.error('CHANGED: ' + changed.join('; '))
  process.exit(1)
}
EOF
node --no-deprecation compare.cjs
