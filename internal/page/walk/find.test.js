// The search at the head of every view: from what a person types to the place, by keys
// and by pointer; with and without a crosswalk; while the API is away.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { complaints, launch, settled } from './browser.js';
import { Keyboard } from './keys.js';
import { load, serve, skipped } from './service.js';

/** @import { Browser, Page } from 'puppeteer-core' */

// Invented, in the form of the table of EPA's Power Profiler: a row for each utility.
const crosswalk = `zip,state,eiaid,UtilName,SUBRGN,Predominant Utility
97201,OR,1,Invented Light,NWPP,1
97201,OR,2,Invented Power,CAMX,0
03850,NH,3,Invented Coast,NEWE,1
`;

describe('search', { skip: skipped('chrome', true) }, () => {
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
    service = await serve('real');
    browser = await launch('chrome');
    page = await browser.newPage();
    keys = new Keyboard(page);
    said = complaints(page, new URL(service.url).origin);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
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
  /** @param {string} path */
  const ask = async (path) => (await fetch(new URL(path, service.url))).json();
  /** @param {string} condition an expression of the page */
  const until = (condition) => page.waitForFunction(condition, { timeout: 30_000 }).catch(async (error) => { throw new Error(`${condition}, at ${page.url()}: ${await shown()}`, { cause: error }); });
  /** @param {string} name @param {string} value */
  const addressed = (name, value) => until(`new URLSearchParams(location.search).get(${JSON.stringify(name)}) === ${JSON.stringify(value)}`);
  const shown = () => page.$eval('#found-sheet', (sheet) => (/** @type {HTMLElement} */ (sheet).hidden ? '' : /** @type {HTMLElement} */ (sheet).innerText));
  const says = (/** @type {string} */ text) => until(`document.querySelector('#found-sheet').innerText.includes(${JSON.stringify(text)})`);
  const closed = () => until("document.querySelector('#found-sheet').hidden && document.querySelector('#find').getAttribute('aria-expanded') === 'false'");
  /** @param {string} text */
  const fresh = async (text) => {
    await page.$eval('#find', (box) => { /** @type {HTMLInputElement} */ (box).value = ''; });
    await page.type('#find', text);
  };
  /** choose clicks a place once the whole list is there. @param {RegExp} option */
  const choose = async (option) => {
    await until(`document.querySelector('#found:not([aria-busy=true])') && [...document.querySelectorAll('#found li')].some((li) => ${option}.test(li.innerText))`);
    const at = await page.$$eval('#found li', (list, pattern) => list.findIndex((li) => new RegExp(pattern).test(/** @type {HTMLElement} */ (li).innerText)), option.source);
    await page.click(`#found-${at}`);
  };

  test('the first view does not ask for it; a slash leads to it', async () => {
    await open('');
    const scripts = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/views/find')).length);
    assert.equal(await scripts(), 0);
    await page.click('h1');
    await keys.press('/');
    await keys.stays('#find');
    assert.equal(await page.$eval('#find', (box) => /** @type {HTMLInputElement} */ (box).value), '');
    await until("performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/views/find.js'))");
    await keys.type('a/b'); // in the box a slash is a slash
    assert.equal(await page.$eval('#find', (box) => /** @type {HTMLInputElement} */ (box).value), 'a/b');
  });

  test('a subregion by its code: the factor stands in the list, and is the API’s; Enter opens it', async () => {
    await open('');
    await keys.press('/');
    await keys.type('camx');
    const { data } = await ask('factors?subregion=CAMX');
    await says(`${data.value.toFixed(1)}`);
    assert.match(await shown(), new RegExp(`${data.unit} CO2e, eGRID${data.year}`));
    await until("document.querySelectorAll('#found li').length >= 2");
    await keys.press('ArrowDown', 'ArrowDown');
    assert.match(await page.$eval('#find', (box) => document.getElementById(box.getAttribute('aria-activedescendant') ?? '')?.innerText ?? ''), /Figures/);
    assert.equal(await page.$$eval('#found [aria-selected=true]', (list) => list.length), 1);
    await keys.press('ArrowUp', 'Enter');
    await addressed('subregion', 'CAMX');
    await keys.stays('#view h2');
    await settled(page);
    await closed();
    assert.match(await page.$eval('#factor .large', (e) => /** @type {HTMLElement} */ (e).innerText), new RegExp(String(Math.round(data.value)).slice(0, 3)));
  });

  test('names of every kind lead to figures and factors; several of them stand side by side', async () => {
    for (const [text, option, name, value] of /** @type {[string, RegExp, string, string][]} */ ([
      ['Texas', /^Texas \(TX\)\s+Figures/, 'code', 'TX'], ['ny', /^New York \(NY\)\s+Emission factor/, 'state', 'NY'], ['WECC', /\(WECC\)\s+Figures/, 'code', 'WECC'],
      ['tennessee valley authority', /\(TVA\)\s+Emission factor/, 'ba', 'TVA'], ['usa', /^United States\s+Emission factor/, 'us', 'true'], ['CA, TX', /^California and Texas\s+Side by side/, 'code', 'CA,TX'],
      ['ohio vs new york', /^Ohio and New York\s+Side by side/, 'code', 'OH,NY'],
    ])) {
      await fresh(text);
      await choose(option);
      await addressed(name, value);
      await closed();
      await settled(page);
    }
  });

  test('a plant by its name and by its ORIS code; more of them in the view Plants', async () => {
    await open('?year=2018');
    for (const text of ['palo verde', '6008']) {
      await fresh(text);
      await choose(/^Palo Verde\s+Plant\s+ORIS 6008/);
      await addressed('view', 'plant');
      await addressed('plant', '6008');
      await addressed('year', '2018');
      await settled(page);
    }
    await fresh('solar');
    await until("document.querySelector('#found:not([aria-busy=true])')?.lastElementChild?.innerText.startsWith('All ')");
    await keys.press('ArrowUp'); // the last one
    await keys.press('Enter');
    await addressed('q', 'solar');
  });

  test('Enter before the list is there waits for it; Escape closes, then clears; Tab leaves', async () => {
    await open('');
    await keys.to('#find');
    await keys.type('erct');
    await keys.press('Enter');
    await addressed('subregion', 'ERCT');
    await settled(page);
    await keys.press('/');
    await keys.type('texas');
    await until("document.querySelector('#find').getAttribute('aria-expanded') === 'true'");
    await keys.press('Escape');
    await closed();
    assert.equal(await page.$eval('#find', (box) => /** @type {HTMLInputElement} */ (box).value), 'texas');
    await keys.stays('#find');
    await keys.press('ArrowDown');
    // All of it, which is longer than its box: a browser lets Tab into what scrolls.
    await until("document.querySelector('#find').getAttribute('aria-expanded') === 'true' && document.querySelector('#found').ariaBusy !== 'true'");
    await page.$eval('#found', (list) => { /** @type {HTMLElement} */ (list).style.maxHeight = '6rem'; });
    await keys.tab();
    await closed();
  });

  test('nothing found, and a ZIP code without a crosswalk, say so', async () => {
    await fresh('qzxqzx');
    await says('Nothing is found for “qzxqzx”');
    assert.equal(await page.$eval('#find', (box) => box.getAttribute('aria-expanded')), 'false');
    await fresh('97201');
    await says('No ZIP code crosswalk is loaded');
    await says('egrid load --year 2023 zip.csv');
    await fresh('<"&');
    await says('Nothing is found for “<"&”');
  });

  test('with a crosswalk a ZIP code leads to its factor in two steps; all candidates are there', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'egrid-zip-')), 'zip.csv');
    writeFileSync(file, crosswalk);
    load([file], ['--store', service.store, '--year', '2023']);
    for (const end = Date.now() + 30_000; (await fetch(new URL('crosswalk/zip/97201', service.url))).status !== 200;) assert.ok(Date.now() < end, 'another process loaded it');
    await open('');
    await fresh('97201');
    const { data } = await ask('factors?subregion=NWPP');
    await says(`${data.value.toFixed(1)}`);
    await until("document.querySelectorAll('#found li').length === 2");
    assert.match(await shown(), /predominant, through Invented Light[^]*CAMX[^]*also serves the ZIP code/);
    await keys.press('Enter');
    await addressed('zip', '97201');
    await settled(page);
    assert.match(await page.$eval('#factor', (e) => /** @type {HTMLElement} */ (e).innerText), /2 subregions serve it/);
    await fresh('00000');
    await says('00000');
    assert.equal(await page.$eval('#find', (box) => box.getAttribute('aria-expanded')), 'false');
  });

  test('while the API is away the search says so, and goes on when it is back', async () => {
    said.splice(0, said.length, ...said.filter((line) => !line.includes('404')));
    assert.deepEqual(said, []);
    await open('?view=regions');
    await service.stop();
    await fresh('nev');
    await says('The search cannot be loaded');
    await service.start();
    await Promise.all([page.waitForNavigation(), page.click('#found-sheet .retry')]);
    await settled(page);
    await fresh('nevada');
    await until("[...document.querySelectorAll('#found li')].some((li) => /^Nevada/.test(li.innerText))");
    await service.stop();
    await fresh('nevada');
    await until("document.querySelector('#found-sheet .problem')");
    await service.start();
    await page.click('#found-sheet .retry');
    await until("[...document.querySelectorAll('#found li')].some((li) => /^Nevada/.test(li.innerText))");
    await keys.press('Enter');
    await addressed('state', 'NV');
  });
});
