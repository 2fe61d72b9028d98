#!/usr/bin/env bash
# PostgreSQL's to_number turns negative generation positive and shortens figures, without an error.
#
# Tool:  PostgreSQL 18.7 as PGlite 0.5.17 (npm @electric-sql/pglite), the server compiled for Node.
# Guess: to_number('(2,443)', '999,999') is -2443 or an error, with PR ("negative in brackets") -2443.
# Seen:  every character that does not fit the pattern is passed over or ends the number:
#          '(2,443)'    999,999     -> 2443     '(2,443)' 999,999PR -> 2443   (PR means <2,443>)
#          '31,522,590' 9,999,999   -> 31522    (one nine too few: a thousandth, no overflow error)
#          '5.3%'       99.9%       -> 5.3      (not 0.053)
#          '1.234E-05'  9.9999999   -> 1.23405  '7E600'   999999    -> 7600
#        A cast to money reads the brackets: '(2,443.456)'::money -> -2443.46, but rounds to cents.
# Why:   these are the cells of a CSV saved from EPA's workbook as it looks (#,##0; (#,##0) and 0.0%) and of
#        small rates. A staging table of text and to_number is the usual way to load them: 981 generators of
#        2023 have negative generation, and each becomes positive. Strip and negate by hand, or load raw values.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @electric-sql/pglite@0.5.17
cat >ask.mjs <<'EOF'
import { PGlite } from "@electric-sql/pglite";

const db = new PGlite();
const cases = [
  ["to_number('(2,443)', '999,999')", "2443"],
  ["to_number('(2,443)', '999,999PR')", "2443"],
  ["to_number('<2,443>', '999,999PR')", "-2443"],
  ["to_number('31,522,590', '99,999,999')", "31522590"],
  ["to_number('31,522,590', '9,999,999')", "31522"],
  ["to_number('5.3%', '99.9%')", "5.3"],
  ["to_number('1.234E-05', '9.9999999')", "1.23405"],
  ["to_number('7E600', '999999')", "7600"],
  ["'(2,443.456)'::money::numeric", "-2443.46"],
];
let changed = false;
for (const [expression, want] of cases) {
  let got;
  try {
    got = (await db.query(`select (${expression})::text as v`)).rows[0].v;
  } catch (e) {
    got = `error: ${e.message}`;
  }
  console.log(expression, "->", got);
  if (got !== want) {
    console.error(`CHANGED: ${expression} was ${want}`);
    changed = true;
  }
}
process.exit(changed ? 1 : 0);
EOF
node ask.mjs
