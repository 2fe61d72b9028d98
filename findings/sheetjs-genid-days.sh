#!/usr/bin/env bash
# SheetJS reads generators of a CSV as days: 1-02 becomes the number 36893, and 1-03 and 1-003 become one.
#
# Tool:  npm xlsx (SheetJS) 0.18.5, its newest in the registry.
# Guess: numbers such as 0290 lose their zero; text with a hyphen stays, as in spreadsheet programs opened in no locale.
# Seen:  read, then sheet_to_json: 1-02 -> 36893, 1-003 -> 36894, 1-03 -> 36894, 12-2 -> 37227, 72-04 -> 26390
#        (days of 2001, and of 1972); 10-94, 2D, 7E600 and NOV stay; 0290 -> 290; 3E8 -> 300000000. Exit status 0.
#        With raw: true in read all stay as they are.
# Why:   of the 26,601 generators of eGRID2023 72 become day numbers so, and 279 lose zeros. They join with nothing, and
#        two generators of one plant may become one. Give raw: true for every CSV with identifiers.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts xlsx@0.18.5
cat >read.cjs <<'JS'
const XLSX = require('xlsx')
console.log('xlsx', XLSX.version)
const csv = 'ORISPL,GENID\n' + ['0290', '1-02', '1-003', '1-03', '12-2', '72-04', '10-94', '2D', '7E600', 'NOV', '3E8'].map((id) => `3,${id}\n`).join('')
const read = (options) => {
  const book = XLSX.read(csv, { type: 'string', ...options })
  return XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0]]).map((row) => row.GENID).join(' ')
}
const want = { seen: '290 36893 36894 36894 37227 26390 10-94 2D 7E600 NOV 300000000', raw: '0290 1-02 1-003 1-03 12-2 72-04 10-94 2D 7E600 NOV 3E8' }
for (const [name, got] of [['seen', read({})], ['raw', read({ raw: true })]]) {
  console.log(name, got)
  if (got !== want[name]) {
    console.error(`CHANGED: ${name} was ${want[name]}`)
    process.exitCode = 1
  }
}
JS
TZ=UTC node read.cjs
