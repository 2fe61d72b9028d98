// axe-core on every view, in light and dark, of rich data and of poor ones.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { everything, launch, settled } from './browser.js';
import { contents, serve, skipped } from './service.js';
import { more, views } from './views.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

for (const name of Object.keys(contents)) {
  describe(`accessibility: ${name}`, { skip: skipped('chrome', contents[name].epa !== undefined) }, () => {
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let service;
    /** @type {Awaited<ReturnType<typeof launch>>} */
    let browser;
    before(async () => {
      service = await serve(name);
      browser = await launch('chrome');
    });
    after(async () => {
      await browser?.close();
      await service?.stop();
    });
    for (const scheme of ['light', 'dark']) {
      test(scheme, async () => {
        const page = await browser.newPage();
        page.setDefaultNavigationTimeout(120_000); // a busy machine is slow
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
        await page.goto(service.url);
        await settled(page);
        const found = [];
        const all = await views(page);
        // What views have beside is of the same make in every content: two are enough.
        if (['real', 'sample'].includes(name)) all.push(...await more(page));
        for (const view of all) {
          await page.goto(new URL(view.search || '?', service.url).href);
          await settled(page);
          await everything(page);
          found.push(...(await violations(page)).map((text) => `${view.name}: ${text}`));
        }
        if (name === 'real') {
          await page.goto(new URL('?view=plants&year=2018&state=DC', service.url).href);
          await settled(page);
          await page.click('.folded > summary');
          await page.click('.menu > summary');
          found.push(...(await violations(page)).map((text) => `menus open: ${text}`));
          await page.click('#columns-open');
          await settled(page);
          found.push(...(await violations(page)).map((text) => `choice of columns: ${text}`));
        }
        if (['real', 'nothing'].includes(name)) {
          await page.goto(service.url);
          await settled(page);
          await page.type('#find', 'california');
          await page.waitForFunction(() => document.querySelector('#found strong, #found-sheet p:not(:empty)') && !document.querySelector('#found[aria-busy]'));
          if (name === 'real') await page.keyboard.press('ArrowDown');
          found.push(...(await violations(page)).map((text) => `search open: ${text}`));
        }
        assert.deepEqual(found, []);
      });
    }
  });
}

/**
 * violations is what axe-core finds, one line for each element.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<string[]>}
 */
async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations: list } = await /** @type {any} */ (globalThis).axe.run();
    return list.flatMap((/** @type {any} */ v) => v.nodes.map((/** @type {any} */ node) => `${v.id} ${node.target.join(' ')}: ${node.failureSummary.replaceAll(/\s+/g, ' ')}`));
  });
}
