// What a person does, from the first look to a figure that can be cited, on EPA's
// files, in Chromium and in Firefox. That every figure is the API's is tested in
// internal/e2e, view by view; this walks through all of them.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { complaints, launch, settled } from './browser.js';
import { serve, skipped } from './service.js';

/** @import { Browser, Page } from 'puppeteer-core' */

for (const kind of /** @type {const} */ (['chrome', 'firefox'])) {
  describe(`walk: ${kind}`, { skip: skipped(kind, true) }, () => {
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let service;
    /** @type {Browser} */
    let browser;
    /** @type {Page} */
    let page;
    /** @type {string[]} */
    let said;
    before(async () => {
      service = await serve('real');
      browser = await launch(kind);
      page = await browser.newPage();
      said = complaints(page, new URL(service.url).origin);
    });
    after(async () => {
      await browser?.close();
      await service?.stop();
    });

    /** @param {string} path */
    const ask = async (path) => (await fetch(new URL(path, service.url))).json();
    /** @param {string} selector */
    const text = (selector) => page.$eval(selector, (e) => /** @type {HTMLElement} */ (e).innerText);
    const address = () => new URL(page.url()).searchParams;
    /** @param {string} id */
    const visit = async (id) => {
      await page.click(`#nav a[data-view="${id}"]`);
      await page.waitForFunction((view) => (new URLSearchParams(location.search).get('view') ?? 'overview') === view, {}, id);
      await settled(page);
    };
    /** @param {string} condition an expression of the page */
    const until = (condition) => page.waitForFunction(condition, { timeout: 30_000 });

    test('the overview says what the country generates, and by which sheet', async () => {
      await page.goto(service.url);
      await settled(page);
      const seen = await text('#view');
      assert.match(seen, /4,167\.6/);
      assert.match(seen, /US sheet \(release rev0\)/);
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.select('#theme', 'dark');
      const dark = await ground();
      await page.select('#theme', 'light');
      assert.notEqual(await ground(), dark);
      await page.select('#theme', '');
    });

    test('the ten dirtiest gas plants of a state, to a file', async () => {
      await visit('plants');
      await page.goto(new URL('?view=plants&year=2018&state=TX&fuel_category=GAS&sort=-co2_short_tons&columns=plant_name,co2_short_tons', service.url).href);
      await settled(page);
      const { data } = await ask('plants/search?year=2018&state=TX&fuel_category=GAS&sort=-co2_short_tons&columns=plant_name,co2_short_tons&limit=10');
      assert.ok(data[9].co2_short_tons > 0);
      const names = await page.$$eval('#plants tbody tr .name', (cells) => cells.slice(0, 10).map((cell) => /** @type {HTMLElement} */ (cell).innerText.split('\n')[0].trim()));
      assert.deepEqual(names, data.map((/** @type {any} */ plant) => plant.plant_name));
      const csv = await page.$$eval('a[download]', (links) => links.map((link) => /** @type {HTMLAnchorElement} */ (link).href).find((href) => href.includes('format=csv')));
      assert.ok(csv, 'no download as CSV');
      const lines = (await (await fetch(csv)).text()).trimEnd().split('\n');
      assert.ok(lines.length > 10 && lines[1].includes(data[0].plant_name.split(',')[0]), lines.slice(0, 2).join('\n'));
    });

    test('a plant opens, its address can be shared, and back leads back', async () => {
      const listed = page.url();
      await page.click('#plants tbody tr .name a');
      await until("new URLSearchParams(location.search).get('view') === 'plant'");
      await settled(page);
      const shared = page.url();
      const title = await text('#plant-title');
      const other = await browser.newPage();
      await other.goto(shared);
      await settled(other);
      assert.equal(await other.$eval('#plant-title', (e) => /** @type {HTMLElement} */ (e).innerText), title);
      assert.equal(await other.title(), await page.title());
      await other.close();
      await page.goBack();
      await until("new URLSearchParams(location.search).get('view') === 'plants'");
      await settled(page);
      assert.equal(page.url(), listed);
    });

    test('two states side by side', async () => {
      await page.goto(new URL('?view=regions&level=ST&code=CA,TX&year=2023', service.url).href);
      await settled(page);
      const seen = await text('#region-figures');
      for (const name of ['California', 'Texas']) assert.ok(seen.includes(name), seen.slice(0, 300));
    });

    test('from the search to two states', async () => {
      await page.type('#find', 'CA, TX');
      await until("document.querySelector('#found-0')?.textContent.startsWith('California and Texas')");
      await page.keyboard.press('Enter');
      await until("new URLSearchParams(location.search).get('code') === 'CA,TX'");
      await settled(page);
      assert.match(await text('#region-figures'), /California[^]*Texas/);
    });

    test('the factor of a place, with a citation that answers', async () => {
      await page.goto(new URL('?view=factors&subregion=CAMX&year=2023', service.url).href);
      await settled(page);
      const { data } = await ask('factors?subregion=CAMX&year=2023');
      assert.ok((await text('#factor')).includes(data.citation));
      assert.match(await text('#factor .large'), new RegExp(data.value.toFixed(1).replace('.', '\\.')));
    });

    test('a table of sites comes back with emissions and reasons', async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'egrid-sites-')), 'sites.csv');
      writeFileSync(file, 'site,subregion,kwh,year\nOffice,CAMX,120000,2023\nNowhere,XXXX,5,2023\n');
      const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('#sites-file'));
      await input.uploadFile(file);
      await until("document.querySelectorAll('#sites-result tbody tr').length >= 2");
      const seen = await text('#sites-result');
      assert.ok(seen.includes('XXXX'), seen);
    });

    test('changes, and the map', async () => {
      await visit('changes');
      assert.match(await text('#editions'), /eGRID2023/);
      await visit('map');
      assert.equal(address().get('view'), 'map');
      assert.ok(await page.$('#view svg, #view canvas'));
    });

    test('while the API is away the page says so, and goes on when it is back', async () => {
      assert.deepEqual(said, []);
      await service.stop();
      await page.click('#nav a[data-view="regions"]');
      await until("document.querySelector('#view [role=alert]') !== null || document.querySelector('#view .problem') !== null");
      await service.start();
      await page.click('#view .retry');
      await until("document.querySelector('#region-figures') === null ? false : document.querySelector('#region-figures').dataset.state === 'ready'");
    });
  });
}
