// Every action of every view by keyboard alone: real keys in Chromium. Wherever the
// focus goes it is seen, nothing holds it, Escape closes, and what is drawn anew gives
// it back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { complaints, launch, settled } from './browser.js';
import { Keyboard } from './keys.js';
import { load, serve, skipped } from './service.js';
import { views } from './views.js';

/** @import { Browser, Page } from 'puppeteer-core' */

const folder = mkdtempSync(join(tmpdir(), 'egrid-keyboard-'));

describe('keyboard', { skip: skipped('chrome', true) }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let service;
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  /** @type {Keyboard} */
  let keys;
  /** @type {string[]} */
  let said;
  before(async () => {
    const key = 'a key for one walk only';
    const keysFile = join(folder, 'keys');
    writeFileSync(keysFile, `walk write ${createHash('sha256').update(key).digest('hex')}\n`);
    service = await serve('real', ['--api-keys-file', keysFile]);
    browser = await launch('chrome');
    page = await browser.newPage();
    keys = new Keyboard(page);
    said = complaints(page, new URL(service.url).origin);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
    await page.evaluateOnNewDocument(() => {
      window.print = () => { document.documentElement.dataset.printed = 'yes'; };
    });
    const client = await page.createCDPSession();
    await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    await browser.defaultBrowserContext().overridePermissions(service.url, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** @param {string} search */
  const open = async (search) => {
    await page.goto(new URL(search || '?', service.url).href);
    await settled(page);
  };
  const address = () => new URL(page.url()).searchParams;
  /** @param {string} condition an expression of the page */
  const until = (condition) => page.waitForFunction(condition, { timeout: 30_000 }).catch((error) => { throw new Error(`${condition}, at ${page.url()}`, { cause: error }); });
  /** @param {string} name @param {string} value */
  const addressed = (name, value) => until(`new URLSearchParams(location.search).get(${JSON.stringify(name)}) === ${JSON.stringify(value)}`);
  /**
   * ask asks the API; a connection from before the service was started again is closed.
   * @param {string} path @returns {Promise<Response>}
   */
  const ask = (path) => fetch(new URL(path, service.url)).catch(() => fetch(new URL(path, service.url)));
  /** @param {RegExp} name */
  const downloaded = async (name) => {
    for (const end = Date.now() + 30_000; Date.now() < end;) {
      const file = readdirSync(folder).find((one) => name.test(one) && !one.endsWith('.crdownload'));
      if (file && existsSync(join(folder, file))) return readFileSync(join(folder, file), 'utf8');
      await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(resolve); }));
    }
    return assert.fail(`no download ${name} among ${readdirSync(folder)}`);
  };

  test('Tab goes through every view and out of it: all is reached, in order, and seen', async (t) => {
    await open('');
    for (const { name, search } of await views(page)) {
      // Few rows are enough: each has the same link.
      await open(name === 'plants' ? '?view=plants&year=2018&state=DC' : search);
      await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = false; });
      const stops = [];
      const flaws = [];
      let last = null;
      for (let i = 0; i < 700; i++) {
        await keys.tab();
        const here = await keys.here();
        if (here.is.startsWith('body') || await page.evaluate(() => document.activeElement?.hasAttribute('data-reached'))) break; // out of the page
        if (here.flaws.length) flaws.push(`${name}: ${here.is}: ${here.flaws}`);
        // Onwards is down, or to the right; a mark on the map stands where it stands.
        if (last && here.bottom < last.top - 1 && here.left < last.right - 1 && !/slider|map-cursor|area/.test(last.is + here.is)) flaws.push(`${name}: from ${last.is} back up to ${here.is}`);
        stops.push(here.is);
        await page.evaluate(() => document.activeElement?.setAttribute('data-reached', ''));
        last = here;
      }
      assert.ok(stops.length < 700, `${name}: Tab does not leave the page; it ends on ${stops.slice(-5)}`);
      const missed = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
        .filter((node) => !node.hasAttribute('data-reached') && !(/** @type {any} */ (node).disabled) && node.checkVisibility({ visibilityProperty: true }) && node.getAttribute('tabindex') !== '-1').map((node) => `${node.localName}#${node.id}.${node.getAttribute('class')} “${node.textContent?.slice(0, 60)}”`));
      t.diagnostic(`${name}: ${stops.length} stops`);
      assert.deepEqual(flaws, []);
      assert.deepEqual(missed, [], `${name}: not reached`);
    }
  });

  test('the skip link, the navigation, back', async () => {
    await open('');
    await keys.to('.skip');
    await keys.press('Enter');
    await keys.stays('main');
    await open('');
    await keys.to('#nav a[data-view=regions]');
    await keys.press('Enter');
    await addressed('view', 'regions');
    await keys.stays('#view h2');
    await page.goBack();
    await until("document.querySelector('#summary')");
    await keys.stays('#view h2');
  });

  test('plants: filter, search, sort, page on', async () => {
    await open('?view=plants&year=2018');
    await keys.to('#filter-state');
    await keys.type('Texas');
    await addressed('state', 'TX');
    await settled(page);
    assert.ok(await keys.on('#filter-state'), 'the list of states lost the focus');
    await keys.to('#filter-fuel');
    await keys.type('Gas');
    await addressed('fuel_category', 'GAS');
    await settled(page);
    await keys.to('#filter-q', { back: true });
    await keys.type('energy');
    await addressed('q', 'energy');
    await settled(page);
    await keys.stays('#filter-q');
    await keys.to('[data-sort=nameplate_capacity_mw]');
    await keys.press('Enter');
    await addressed('sort', '-nameplate_capacity_mw');
    await settled(page);
    await keys.stays('[data-sort=nameplate_capacity_mw]');
    await keys.press('Space');
    await addressed('sort', 'nameplate_capacity_mw');
    await settled(page);
    await keys.to('#more');
    await keys.press('Enter');
    await until("document.querySelectorAll('#plants tbody tr').length > 25");
    await keys.stays('#plants tbody tr:nth-child(26) a');
    await keys.to('#clear', { back: true });
    await keys.press('Enter');
    await until("!new URLSearchParams(location.search).get('state')");
    await keys.stays('#filter-q');
  });

  test('plants: a condition, and without it again', async () => {
    await open('?view=plants&year=2018&state=TX');
    await keys.to('.folded > summary');
    await keys.press('Enter');
    await keys.to('#condition-column');
    await until("document.querySelectorAll('#condition-column option').length > 10");
    await keys.type('Nameplate');
    await keys.press('Tab', 'Tab');
    await keys.stays('#condition-value');
    await keys.type('1000');
    await keys.press('Enter');
    await addressed('filter', 'nameplate_capacity_mw>=1000');
    await settled(page);
    await keys.to('#conditions button', { back: true });
    await keys.press('Enter');
    await until("!new URLSearchParams(location.search).has('filter')");
    await settled(page);
    assert.notEqual((await keys.here()).flaws[0], 'nothing has the focus');
  });

  test('plants: columns, what they mean, and downloads', async () => {
    await open('?view=plants&year=2018&state=DC');
    await keys.to('#columns-open');
    await keys.press('Enter');
    await settled(page);
    await keys.to('#columns-q');
    await keys.type('co2 short');
    await keys.to('#columns input[value=co2_short_tons]');
    await keys.press('Space');
    await until("new URLSearchParams(location.search).get('columns')?.endsWith(',co2_short_tons')");
    await keys.press('Escape');
    await until("!document.querySelector('#columns').open");
    await keys.stays('#columns-open');
    await settled(page);
    await keys.to('#plants th:last-child .what');
    await keys.press('Enter');
    await until("document.querySelector('#meaning:popover-open')?.innerText.includes('PLCO2AN')");
    await keys.press('Escape');
    await until("!document.querySelector('#meaning:popover-open')");
    await keys.stays('#plants th:last-child .what');
    await keys.to('.menu summary', { back: true });
    await keys.press('Enter');
    await keys.to('.menu a#csv');
    await keys.press('Escape');
    await keys.stays('.menu summary');
    assert.equal(await page.$eval('.menu', (menu) => /** @type {HTMLDetailsElement} */ (menu).open), false);
    await keys.press('Enter');
    await keys.to('.menu a#csv');
    await keys.press('Enter');
    const text = await downloaded(/PLNT_2018.*\.csv$/);
    assert.match(text.split('\n')[0], /co2_short_tons/);
  });

  test('a plant: open, explain, copy its address, print, chart and table', async () => {
    await open('?view=plants&year=2023&q=palo verde');
    await keys.to('#plants tbody a');
    await keys.press('Enter');
    await addressed('view', 'plant');
    await keys.stays('#view h2');
    await settled(page);
    await keys.to('#plant-head .tools button');
    await keys.press('Enter');
    await until("document.querySelector('#say').textContent === 'Copied.'");
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /view=plant&plant=6008&year=2023/);
    await keys.to('#print', { back: true });
    await keys.press('Enter');
    await until("document.documentElement.dataset.printed === 'yes'");
    await keys.to('[data-explain=net_generation_mwh]');
    await keys.press('Enter');
    await until("document.querySelector('dialog[open]')");
    await settled(page);
    for (let i = 0; i < 12; i++) { // the dialog keeps the focus, or gives it to the browser
      await keys.tab();
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null), (await keys.here()).is);
    }
    await keys.press('Escape');
    await until("!document.querySelector('dialog[open]')");
    await keys.stays('[data-explain=net_generation_mwh]');
    await keys.to('#plant-history .datum');
    const first = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await keys.press('ArrowRight');
    assert.notEqual(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), first);
    assert.deepEqual((await keys.here()).flaws, []);
    await keys.to('#plant-history .figure details.values > summary');
    await keys.press('Enter');
    await until("document.querySelector('#plant-history .figure details.values[open]')");
  });

  test('regions: side by side, kinds, ranking, what a figure means', async () => {
    await open('?view=regions&year=2023');
    await keys.to('#region-add');
    await keys.type('California');
    await keys.press('Enter');
    await addressed('code', 'CA');
    await settled(page);
    await keys.stays('#region-add');
    // What is typed within a second belongs to what was typed before.
    await until(`performance.now() > ${await page.evaluate(() => performance.now()) + 1_500}`);
    await keys.type('Texas');
    assert.equal(await page.$eval('#region-add', (list) => /** @type {HTMLSelectElement} */ (list).value), 'TX');
    assert.equal(address().get('code'), 'CA', 'letters on the way chose a region');
    await keys.tab(); // what is chosen counts when the list is left
    await addressed('code', 'CA,TX');
    await settled(page);
    await keys.to('#view .chips a', { back: false });
    await keys.press('Enter');
    await addressed('code', 'TX');
    await settled(page);
    assert.notEqual((await keys.here()).flaws[0], 'nothing has the focus');
    await keys.to('tr[data-column=co2_output_rate_lb_per_mwh] .unfold');
    await keys.press('Enter');
    await until("document.querySelector('tr.unfolded')?.innerText.includes('Published')");
    await keys.press('Enter');
    await until("!document.querySelector('tr.unfolded')");
    await keys.to('#region-measure');
    await keys.type('SO2 output');
    await until("new URLSearchParams(location.search).get('measure')?.startsWith('so2_output')");
    await settled(page);
    await keys.to('#region-rank .datum');
    await keys.press('ArrowDown', 'ArrowDown');
    const chosen = await page.evaluate(() => document.activeElement?.getAttribute('data-label'));
    assert.deepEqual((await keys.here()).flaws, []);
    await keys.press('Enter');
    await until(`new URLSearchParams(location.search).get('code')?.split(',').includes(${JSON.stringify(chosen)})`);
    await settled(page);
    await keys.stays(`#region-rank .datum[data-label=${chosen}]`);
    await keys.to('#view .tabs li:nth-child(2) a', { back: true });
    await keys.press('Enter');
    await addressed('level', 'SRL');
    await settled(page);
    await keys.stays('#view .tabs li:nth-child(2) a');
  });

  test('the map: zoom, move, choose, open; states; the scatter', async () => {
    await open('?view=map&year=2018');
    await keys.to('.map-surface');
    await keys.press('+', '+');
    await until("new URLSearchParams(location.search).get('at')");
    const at = address().get('at');
    await keys.press('ArrowRight');
    await until(`new URLSearchParams(location.search).get('at') !== ${JSON.stringify(at)}`);
    await keys.press('0');
    await until("!new URLSearchParams(location.search).get('at')");
    await keys.to('.map-cursor');
    const first = await page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext'));
    await keys.press('ArrowLeft');
    assert.notEqual(await page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext')), first);
    assert.deepEqual((await keys.here()).flaws, []);
    await keys.to('.map-buttons button');
    await keys.press('Enter');
    await until("new URLSearchParams(location.search).get('at')");
    await keys.to('.map-charts .cursor');
    const point = await page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext'));
    await keys.press('PageDown');
    assert.notEqual(await page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext')), point);
    await keys.to('#map-layer', { back: true });
    await keys.type('States');
    await addressed('layer', 'states');
    await settled(page);
    await keys.stays('#map-layer');
    await keys.to('.map .area');
    const state = await page.evaluate(() => document.activeElement?.getAttribute('data-code'));
    await keys.press('ArrowRight');
    const other = await page.evaluate(() => document.activeElement?.getAttribute('data-code'));
    assert.notEqual(other, state);
    assert.deepEqual((await keys.here()).flaws, []);
    await keys.press('Enter');
    await addressed('view', 'regions');
    assert.equal(address().get('code'), other);
    await keys.stays('#view h2');
    await open('?view=map&year=2018&layer=plants');
    await keys.to('.map-cursor');
    await keys.press('Enter');
    await addressed('view', 'plant');
  });

  test('factors: the form, the calculator, the citation, a file of sites', async () => {
    await open('?view=factors&year=2023');
    await keys.to('#factor-place');
    await keys.type('WECC C');
    await addressed('subregion', 'CAMX');
    await settled(page);
    await keys.stays('#factor-place');
    await keys.to('#factor-delivered');
    await keys.press('Space');
    await addressed('delivered', 'true');
    await settled(page);
    await keys.to('#factor-kwh');
    await keys.type('120,000');
    await until("document.querySelector('#factor-kg')");
    await keys.to('.cite button');
    await keys.press('Enter');
    await until("document.querySelector('#say').textContent === 'Copied.'");
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /eGRID2023/);
    const sites = join(folder, 'sites.csv');
    writeFileSync(sites, 'site,subregion,kwh\nOffice,CAMX,120000\nShop,NYUP,5\n');
    await keys.to('#sites-file');
    const chosen = page.waitForFileChooser();
    await page.title(); // by now the browser knows that somebody waits for it
    await keys.press('Enter');
    await (await chosen).accept([sites]);
    await until("document.querySelectorAll('#sites-result tbody tr').length === 2");
    await keys.to('#sites-result [data-format=csv]');
    await keys.press('Enter');
    assert.match(await downloaded(/^sites.+\.csv$/), /co2e_kg/);
    await keys.stays('#sites-result [data-format=csv]');
  });

  test('changes: a token, what a held load would change, publish it while the API is stopped and started', async () => {
    // The same sheet with one figure changed: it contradicts what is published.
    /** @param {string} status */
    const sheetOf = async (status) => (await (await ask('snapshots')).json()).data.find((/** @type {any} */ one) => one.level === 'US' && one.year === 2023 && one.status === status);
    const published = await sheetOf('published');
    const [head, row] = (await (await ask('levels/US/rows?year=2023&format=csv')).text()).split('\n');
    const names = head.split(',');
    const changed = join(folder, 'US23-rev0.csv');
    writeFileSync(changed, `${head}\n${row.split(',').map((cell, i) => (names[i] === 'nameplate_capacity_mw' ? '1' : cell)).join(',')}\n`);
    load([changed], ['--store', service.store]);
    let held = await sheetOf('held');
    for (const end = Date.now() + 30_000; !held && Date.now() < end;) held = await sheetOf('held'); // another process loaded it
    const of = `.held:has([data-load="${held.stage}"])`;
    await open('?view=changes');
    await keys.to('#token');
    await keys.type('a key for one walk only');
    await keys.press('Enter');
    await keys.stays('#token-forget');
    await settled(page);
    await keys.to(`${of} details summary`);
    await keys.press('Enter');
    await until(`document.querySelector('${of} details')?.innerText.includes('ameplate capacity')`);
    await settled(page);
    await keys.to(`${of} [data-do=publish]`);
    assert.deepEqual(said, []);
    await service.stop();
    await keys.press('Enter');
    await until("document.querySelector('#decided .problem')");
    await service.start();
    await keys.to('#decided .retry', { back: true });
    await keys.press('Enter');
    await until("document.querySelector('#decided')?.innerText.includes('published')");
    await settled(page);
    assert.notEqual((await keys.here()).flaws[0], 'nothing has the focus');
    assert.notEqual((await sheetOf('published')).id, published.id);
    assert.equal((await (await ask('levels/US/rows?year=2023')).json()).data[0].nameplate_capacity_mw, 1);
    said.length = 0; // that the API was away is said in the console
  });

  test('nothing was complained of', () => assert.deepEqual(said, []));
});
