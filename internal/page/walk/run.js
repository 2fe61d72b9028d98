// Runs the walks one after the other: node walk/run.js [FILE...]. What they share, the
// command and the stores, is made once.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = mkdtempSync(join(tmpdir(), 'egrid-walk-'));
const named = process.argv.slice(2);
const all = readdirSync(fileURLToPath(new URL('.', import.meta.url))).filter((name) => name.endsWith('.test.js')).map((name) => join('walk', name));
try {
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...(named.length ? named : all)],
    { stdio: 'inherit', env: { ...process.env, EGRID_PAGE_ROOM: room } });
  process.exitCode = status ?? 1;
} finally {
  rmSync(room, { recursive: true, force: true });
}
