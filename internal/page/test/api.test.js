import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { get } from '../../../httpapi/dashboard/page/assets/core/api.js';

/** @type {{url: string, signal: AbortSignal, answer: (body: unknown, status?: number) => void}[]} */
let fetches = [];
const before = { document: globalThis.document, fetch: globalThis.fetch, location: globalThis.location };

beforeEach(() => {
  fetches = [];
  Object.assign(globalThis, {
    document: { querySelector: () => ({ getAttribute: () => './' }), baseURI: 'http://localhost/egrid/' },
    location: { origin: 'http://localhost' },
    fetch: (/** @type {URL} */ url, /** @type {{signal: AbortSignal}} */ { signal }) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      fetches.push({ url: String(url), signal, answer: (body, status = 200) => resolve(new Response(JSON.stringify(body), { status, headers: { 'X-Request-Id': 'R1' } })) });
    }),
  });
});
afterEach(() => Object.assign(globalThis, before));

test('parts that ask the same share the answer', async () => {
  const [one, two] = [get('plants/years', { state: 'TX' }), get('plants/years', { state: 'TX', q: '' })];
  const other = get('plants/years', { state: 'OK' });
  assert.deepEqual(fetches.map(({ url }) => url), ['http://localhost/egrid/plants/years?state=TX', 'http://localhost/egrid/plants/years?state=OK']);
  fetches[0].answer({ data: [1], meta: {} });
  fetches[1].answer({ data: [2], meta: {} });
  assert.deepEqual((await one).data, [1]);
  assert.equal(await two, await one);
  assert.deepEqual((await other).data, [2]);
  // What is asked later is asked anew.
  const later = get('plants/years', { state: 'TX' });
  assert.equal(fetches.length, 3);
  fetches[2].answer({ data: [3], meta: {} });
  assert.deepEqual((await later).data, [3]);
});

test('a part that leaves does not end what another waits for', async () => {
  const leaving = new AbortController();
  const [one, two] = [get('snapshots', {}, leaving.signal), get('snapshots')];
  leaving.abort();
  await assert.rejects(one, { name: 'AbortError' });
  assert.equal(fetches[0].signal.aborted, false);
  fetches[0].answer({ data: [], meta: {} });
  await two;
});

test('a question that nobody waits for ends, and can be asked again', async () => {
  const leaving = new AbortController();
  const one = get('snapshots', {}, leaving.signal);
  leaving.abort();
  await assert.rejects(one, { name: 'AbortError' });
  assert.equal(fetches[0].signal.aborted, true);
  const again = get('snapshots');
  assert.equal(fetches.length, 2);
  fetches[1].answer({ data: [], meta: {} });
  await again;
});

test('a refusal tells its request, to everybody who asked', async () => {
  const both = [get('plants/top', { state: 'XXX' }), get('plants/top', { state: 'XXX' })];
  fetches[0].answer({ title: 'Bad Request', detail: 'state: expected two letters' }, 400);
  for (const one of both) await assert.rejects(one, { status: 400, request: 'R1', passing: false, detail: 'State: expected two letters.' });
  assert.equal(fetches.length, 1);
});
