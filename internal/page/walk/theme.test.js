// The choice of colours: kept, there before anything is drawn, and of no weight in print.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, settled } from './browser.js';
import { serve, skipped } from './service.js';

/** @import { Browser, Page } from 'puppeteer-core' */

describe('colours', { skip: skipped('chrome', false) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  before(async () => {
    service = await serve('sample');
    browser = await launch('chrome');
    page = await browser.newPage();
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  /** @param {'light' | 'dark'} scheme @param {{name: string, value: string}[]} [more] */
  const system = (scheme, more = []) => page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }, ...more]);

  test('as the system until one is chosen; then kept, in every view and after a reload', async () => {
    await system('light');
    await page.goto(new URL('?view=map', service.url).href);
    await settled(page);
    const light = await ground();
    await system('dark');
    const dark = await ground();
    assert.notEqual(light, dark);
    // The dots of the map are drawn anew.
    const picture = () => page.$eval('.map-dots', (canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
    const first = await picture();
    await page.select('#theme', 'light');
    assert.equal(await ground(), light);
    assert.notEqual(await picture(), first);
    await page.goto(new URL('?view=plants', service.url).href);
    await settled(page);
    assert.equal(await ground(), light);
    assert.equal(await page.$eval('#theme', (select) => /** @type {HTMLSelectElement} */ (select).value), 'light');
    await page.select('#theme', '');
    assert.equal(await ground(), dark);
  });

  test('what was chosen is there before the first thing is drawn', async () => {
    await system('light');
    await page.goto(service.url);
    await page.select('#theme', 'dark');
    const dark = await ground();
    await page.evaluateOnNewDocument(() => {
      new MutationObserver((_, self) => {
        if (!document.body) return;
        Object.assign(globalThis, { body: document.documentElement.dataset.theme });
        self.disconnect();
      }).observe(document, { childList: true, subtree: true });
    });
    await page.reload();
    await settled(page);
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).body), 'dark', 'the page had a body before it had its colours');
    assert.equal(await ground(), dark);
  });

  test('print is on white, whatever was chosen; a value that is none counts for nothing', async () => {
    await page.emulateMediaType('print');
    assert.equal(await ground(), 'rgb(255, 255, 255)');
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light');
    assert.ok(await page.evaluate(() => ['#finder', '#theme', '#print'].every((one) => !document.querySelector(one)?.checkVisibility())), 'controls are printed');
    await page.emulateMediaType('screen');
    await page.evaluate(() => localStorage.setItem('egrid-theme', 'purple'));
    await page.reload();
    await settled(page);
    assert.equal(await page.$eval('#theme', (select) => /** @type {HTMLSelectElement} */ (select).value), '');
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light dark');
  });

  test('a browser that keeps nothing for the page: the choice counts until it is left', async () => {
    const other = await browser.newPage();
    await other.evaluateOnNewDocument(() => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } }));
    await other.goto(service.url);
    await settled(other);
    await other.select('#theme', 'dark');
    assert.equal(await other.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
    await other.close();
  });
});
