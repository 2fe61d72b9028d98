// What a view may cost, from the browser's own entries, on EPA's files.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { everything, launch, settled } from './browser.js';
import { serve, skipped } from './service.js';
import { views } from './views.js';

const kilobyte = 1000;
const budget = {
  script: 150 * kilobyte, // of all views together, as they are sent
  bytes: 1500 * kilobyte, // until a view is there, as they are sent
  requests: 80, // until a view is there
  shift: 0.1, // what browsers call good
  // A busy machine is slow: these two only catch what hangs. docs/explorer.md has
  // what was measured.
  interactive: 10_000,
  longTask: 2_000,
};

describe('budget', { skip: skipped('chrome', true) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Awaited<ReturnType<typeof launch>>} */
  let browser;
  before(async () => {
    service = await serve('real');
    browser = await launch('chrome');
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('every view', async (t) => {
    const scripts = new Map();
    let page = await browser.newPage();
    await page.goto(service.url);
    await settled(page);
    const all = await views(page);
    await page.close();
    for (const view of all) {
      page = await browser.newPage();
      await page.setCacheEnabled(false);
      await page.evaluateOnNewDocument(observe);
      await page.goto(new URL(view.search || '?', service.url).href);
      await settled(page);
      const first = await page.evaluate(entries);
      if (view.name === 'plants') {
        const plants = await page.evaluate(() => Number(/** @type {HTMLElement} */ (document.querySelector('#count')).innerText.replaceAll(',', '').match(/of (\d+)/)?.[1]));
        assert.ok(plants >= 12_000, `${plants} plants are no measure`);
      }
      await everything(page);
      const whole = await page.evaluate(entries);
      for (const { name, bytes } of whole.scripts) scripts.set(name, bytes);
      t.diagnostic(`${view.name}: interactive after ${first.interactive} ms, there after ${first.now} ms, ${first.requests} requests, ${first.bytes} bytes, longest task ${first.longest} ms, layout shift ${whole.shift.toFixed(3)} ${whole.moved.join('; ')}`);
      assert.ok(first.bytes > 0 && first.bytes <= budget.bytes, `${view.name}: ${first.bytes} bytes`);
      assert.ok(first.interactive <= budget.interactive, `${view.name}: interactive after ${first.interactive} ms`);
      assert.ok(first.requests <= budget.requests, `${view.name}: ${first.requests} requests`);
      assert.ok(first.now <= budget.interactive, `${view.name}: there after ${first.now} ms`);
      assert.ok(whole.longest <= budget.longTask, `${view.name}: a task of ${whole.longest} ms`);
      assert.ok(whole.shift <= budget.shift, `${view.name}: layout shift ${whole.shift}: ${whole.moved.join('; ')}`);
      await page.close();
    }
    const bytes = [...scripts.values()].reduce((sum, n) => sum + n, 0);
    t.diagnostic(`JavaScript: ${bytes} bytes in ${scripts.size} files`);
    assert.ok(bytes <= budget.script, `${bytes} bytes of JavaScript`);
  });
  test('nothing jumps on a phone while a person scrolls', async (t) => {
    for (const search of ['?', '?view=plants&year=2018', '?view=plant&plant=6008&year=2018']) {
      const page = await browser.newPage();
      await page.setViewport({ width: 390, height: 844 });
      await page.evaluateOnNewDocument(observe);
      await page.goto(new URL(search, service.url).href);
      await settled(page);
      await everything(page);
      const { shift, moved } = await page.evaluate(entries);
      t.diagnostic(`${search} at 390: layout shift ${shift.toFixed(3)} ${moved.join('; ')}`);
      assert.ok(shift <= budget.shift, `${search}: layout shift ${shift}: ${moved.join('; ')}`);
      await page.close();
    }
  });
});

/** observe runs before the page does. */
function observe() {
  const seen = Object.assign(globalThis, { seen: { longest: 0, busy: 0, shift: 0, moved: /** @type {string[]} */ ([]) } }).seen;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      seen.longest = Math.max(seen.longest, Math.round(entry.duration));
      seen.busy = Math.max(seen.busy, entry.startTime + entry.duration);
    }
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of /** @type {any[]} */ (list.getEntries())) {
      if (entry.hadRecentInput) continue;
      seen.shift += entry.value;
      if (entry.value > 0.005) seen.moved.push(...entry.sources.map((/** @type {any} */ s) => `${s.node?.id || s.node?.className || s.node?.nodeName} from ${Math.round(s.previousRect.top)} to ${Math.round(s.currentRect.top)}`));
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/**
 * entries runs in the page. A view is interactive when the document is, its scripts have
 * run, and no long task is under way any more.
 */
function entries() {
  const { longest, busy, shift, moved } = /** @type {any} */ (globalThis).seen;
  const resources = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource'));
  const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
  return {
    longest, shift, moved, now: Math.round(performance.now()), interactive: Math.round(Math.max(page.domContentLoadedEventEnd, busy)), requests: resources.length,
    bytes: [page, ...resources].reduce((sum, r) => sum + r.encodedBodySize, 0),
    scripts: resources.filter((r) => new URL(r.name).pathname.endsWith('.js')).map((r) => ({ name: r.name, bytes: r.encodedBodySize })),
  };
}
