#!/usr/bin/env bash
# Impact Framework's time-sync leaves the last sample out of every average: a steady 198.77 g/kWh becomes 149.08.
#
# Tool:  npm @grnsft/if (Impact Framework) 1.1.0, its plugin TimeSync.
# Guess: two hours with a rate of 198.77 g/kWh in both, aggregated by "avg" to steps of one hour, keep that rate.
# Seen:  samples of 900 s (upsampling-resolution): 149.0775 in both hours; of 1800 s: 99.385; of 60 s: 195.457; of 1 s, the
#        default: 198.715; of 3600 s: 198.77. The sum of n samples but the last is divided by n. Energy, a sum, stays 10 kWh.
# Why:   eGRID2023 has 438.2 lb/MWh, or 198.77 g/kWh, for CAMX. Emissions behind this step are 25 % too low with samples of
#        a quarter of an hour, half with two samples in a step, and nothing says so. Let the rate be "copy", or give it
#        behind time-sync.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @grnsft/if@1.1.0
run() { # seconds of a sample, how the rate is aggregated
  cat >camx.yml <<YML
name: camx
initialize:
  plugins:
    time-sync:
      method: TimeSync
      path: builtin
      config:
        start-time: '2023-06-01T00:00:00.000Z'
        end-time: '2023-06-01T02:00:00.000Z'
        interval: 3600
        upsampling-resolution: $1
        allow-padding: true
      parameter-metadata:
        inputs:
          grid/carbon-intensity: { unit: g/kWh, description: CAMX, aggregation-method: { time: $2, component: $2 } }
          energy: { unit: kWh, description: use, aggregation-method: { time: sum, component: sum } }
tree:
  children:
    site:
      pipeline:
        compute: [time-sync]
      inputs:
        - { timestamp: '2023-06-01T00:00:00.000Z', duration: 3600, grid/carbon-intensity: 198.77, energy: 10 }
        - { timestamp: '2023-06-01T01:00:00.000Z', duration: 3600, grid/carbon-intensity: 198.77, energy: 10 }
YML
  node_modules/.bin/if-run --manifest camx.yml 2>&1 | sed -n '/outputs:/,$p' |
    awk -v what="$2, samples of $1 s" '/intensity:/ { printf "%s: %.4f g/kWh", what, $2 } /energy:/ { printf ", %.4g kWh\n", $2 }' | uniq
}
for seconds in 1 60 900 1800 3600; do
  run "$seconds" avg
done | tee seen
run 900 copy | tee -a seen
cat >want <<'SEEN'
avg, samples of 1 s: 198.7148 g/kWh, 10 kWh
avg, samples of 60 s: 195.4572 g/kWh, 10 kWh
avg, samples of 900 s: 149.0775 g/kWh, 10 kWh
avg, samples of 1800 s: 99.3850 g/kWh, 10 kWh
avg, samples of 3600 s: 198.7700 g/kWh, 10 kWh
copy, samples of 900 s: 198.7700 g/kWh, 10 kWh
SEEN
cmp -s seen want || { echo "CHANGED: it was $(paste -sd';' want)" >&2; exit 1; }
