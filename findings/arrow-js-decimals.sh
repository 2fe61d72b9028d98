#!/usr/bin/env bash
# Arrow for JavaScript drops the decimal point: a generation of 10244180.931 MWh as a decimal is read as 10244180931.
#
# Tool:  npm apache-arrow 21.2.0 reads, pyarrow 26.0.1 writes; npm hyparquet 1.33.0 reads the same rows as Parquet.
# Guess: decimal128(18, 3), the exact type for figures with three decimals, comes out as 10244180.931.
# Seen:  10244180.931 -> 10244180931 and -2443.4 -> -2443400, as text and as number; a float64 beside it is
#        10244180.931. The scale stays in the type alone: schema.fields[0].type.scale is 3. hyparquet reads -2443.4.
# Why:   EPA's figures have three decimals, and databases give sums and typed literals as decimals. A dashboard that takes
#        them by Arrow shows 1000 times the generation, and rates with other scales by other factors, so that what is
#        computed of two columns is wrong too. Cast to float64 in front, or divide by 10 ** scale.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts apache-arrow@21.2.0 hyparquet@1.33.0
venv/bin/python - <<'PY'
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table({
    "GENNTAN": pa.array([Decimal("10244180.931"), Decimal("-2443.400")], pa.decimal128(18, 3)),
    "FLOAT": [10244180.931, -2443.4],
})
with pa.ipc.new_file("gen.arrow", table.schema) as file:
    file.write(table)
pq.write_table(table, "gen.parquet")
PY
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';

const table = tableFromIPC(readFileSync('gen.arrow'));
for (const row of table) {
  console.log(`text ${row.GENNTAN}, number ${Number(row.GENNTAN)}, sum with 1 ${Number(row.GENNTAN) + 1}, float64 ${row.FLOAT}`);
}
console.log(`row ${table.get(0)}, scale ${table.schema.fields[0].type.scale}`);
const bytes = readFileSync('gen.parquet');
const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });
console.log(`hyparquet ${rows.map((row) => row.GENNTAN).join(', ')}`);
JS
node read.mjs | tee seen
cat >want <<'SEEN'
text 10244180931, number 10244180931, sum with 1 10244180932, float64 10244180.931
text -2443400, number -2443400, sum with 1 -2443399, float64 -2443.4
row {"GENNTAN": 10244180931, "FLOAT": 10244180.931}, scale 3
hyparquet 10244180.931, -2443.4
SEEN
cmp -s seen want || { echo "CHANGED: it was $(paste -sd';' want)" >&2; exit 1; }
