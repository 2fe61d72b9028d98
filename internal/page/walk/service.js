// Services for the walks: the command of this repository, on a store of its own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { find } from './browser.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const data = resolve(repository, process.env.EGRID_DATA ?? '../shared/data');

/** The folder of EPA's files, or null where there is none. */
export const files = existsSync(data) ? data : null;

/**
 * skipped says why a walk cannot run here, or false. In CI it is false: what is
 * missing fails there.
 * @param {'chrome' | 'firefox'} browser
 * @param {boolean} real whether the walk needs EPA's files
 * @returns {string | false}
 */
export function skipped(browser, real) {
  if (process.env.CI === 'true') return false;
  if (find(browser) === null) return `${browser} is not in PATH, and EGRID_TEST_CHROMIUM or EGRID_TEST_FIREFOX do not name it`;
  return real && files === null ? 'EGRID_DATA names no folder with EPA’s files' : false;
}

// The walks of one run share a room (run.js): the command is built once, and each
// content is loaded once. A walk that is run by itself has a room of its own.
const shared = process.env.EGRID_PAGE_ROOM;
const room = shared ?? mkdtempSync(join(tmpdir(), 'egrid-page-'));
const own = mkdtempSync(join(room, 'walk-'));
process.on('exit', () => rmSync(shared ? own : room, { recursive: true, force: true }));

const program = join(room, 'egrid');
function build() {
  if (!existsSync(program)) execFileSync('go', ['build', '-o', program, './hosts/egrid'], { cwd: repository, stdio: 'inherit' });
}

/**
 * generators is an invented sheet, without some of its columns.
 * @param {...string} without
 */
function generators(...without) {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    YEAR: 2023, PSTATABB: ['TX', 'CA', 'WA'][i % 3], PNAME: `Invented ${i}`, ORISPL: 9000 + i, GENID: 1,
    FUELG1: ['NG', 'SUN', 'WAT', 'NUC'][i % 4], NAMEPCAP: 10 + i, GENNTAN: i === 7 ? '' : 1000.5 * (i - 2),
  }));
  const names = Object.keys(rows[0]).filter((name) => !without.includes(name));
  return [names, ...rows.map((row) => names.map((name) => /** @type {any} */ (row)[name]))].map((cells) => `${cells.join(',')}\n`).join('');
}

/**
 * What a service can hold: files and folders of EPA's, or invented ones by name.
 * @type {Record<string, {epa?: string[], invented?: Record<string, string>, sample?: boolean}>}
 */
export const contents = {
  real: { epa: ['2014', '2016', '2018', '2019', '2021', '2023'] },
  sample: { sample: true },
  'only regions': { epa: ['2023/ST23-rev0.csv', '2023/SRL23-rev0.csv', '2023/US23-rev0.csv'] },
  'only generators': { invented: { 'GEN23.csv': generators() } },
  'no names': { invented: { 'GEN23.csv': generators('PNAME') } },
  'no states': { invented: { 'GEN23.csv': generators('PSTATABB') } },
  nothing: {},
};

/** A service that can be stopped, and started again at the same address. */
class Service {
  url = '';
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #addr = '127.0.0.1:0';

  /** @param {string[]} question the command and its flags @param {string} store its URL */
  constructor(question, store) {
    this.question = question;
    this.store = store;
  }

  async start() {
    this.#child = spawn(program, [...this.question, '--addr', this.#addr], { env: clean, stdio: ['ignore', 'pipe', 'pipe'] });
    this.url = await spoken(this.#child);
    this.#addr = new URL(this.url).host;
  }

  async stop() {
    if (!this.#child || this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

// What the tests' surroundings set is not meant for the program.
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('EGRID_')));

/**
 * serve loads what name stands for and serves it. The store is a copy of its own.
 * @param {string} name of contents
 * @param {string[]} [flags] of the service
 * @returns {Promise<Service>}
 */
export async function serve(name, flags = []) {
  build();
  const { sample, epa = [], invented = {} } = contents[name];
  const folder = mkdtempSync(join(own, 'store-'));
  const file = join(folder, 'store.db');
  const empty = !sample && epa.length + Object.keys(invented).length === 0;
  if (!sample && !empty) copyFileSync(loaded(name), file);
  const store = empty ? 'mem:' : `sqlite:${file}`;
  const service = new Service([sample ? 'up' : 'serve', '--store', store, ...flags], store);
  await service.start();
  return service;
}

/**
 * loaded is the file of a store that holds what name stands for.
 * @param {string} name
 * @returns {string}
 */
function loaded(name) {
  const file = join(room, `${name}.db`);
  if (existsSync(file)) return file;
  const folder = mkdtempSync(join(own, 'load-'));
  const { epa = [], invented = {} } = contents[name];
  const sources = epa.map((path) => join(String(files), path));
  for (const [named, text] of Object.entries(invented)) {
    writeFileSync(join(folder, named), text);
    sources.push(join(folder, named));
  }
  const fresh = join(folder, 'store.db');
  load(sources, ['--store', `sqlite:${fresh}`]);
  renameSync(fresh, file);
  return file;
}

/**
 * load puts sources into a store. Status 3 is as wanted: EPA's folders hold tables
 * that nothing reads, and two that contradict each other.
 * @param {string[]} sources
 * @param {string[]} store
 */
export function load(sources, store) {
  try {
    execFileSync(program, ['load', ...store, ...sources], { env: clean, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (/** @type {any} */ (error).status !== 3) throw error;
  }
}

/**
 * spoken waits for the address that a service prints.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>}
 */
function spoken(child) {
  /** @type {string[]} */
  const said = [];
  return new Promise((resolved, rejected) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: /** @type {import('node:stream').Readable} */ (stream) }).on('line', (line) => {
        said.push(line);
        const url = line.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
        if (url) resolved(`${url}/`);
      });
    }
    child.once('exit', (code) => rejected(new Error(`the service ended with ${code}:\n${said.join('\n')}`)));
  });
}
