// Each task of docs/explorer.md takes no more steps than the page there says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launch, settled } from './browser.js';
import { serve, skipped } from './service.js';
import { Steps, tasks } from './steps.js';

const document = readFileSync(new URL('../../../docs/explorer.md', import.meta.url), 'utf8');

describe('tasks in steps', { skip: skipped('chrome', true) }, () => {
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
  for (const [name, { most, walk }] of Object.entries(tasks)) {
    test(name, async (t) => {
      assert.ok(document.includes(`| ${name} | ${most} |`), `docs/explorer.md does not say that “${name}” takes ${most}`);
      const page = await browser.newPage();
      await page.evaluateOnNewDocument(() => {
        window.print = () => { globalThis.document.documentElement.dataset.printed = 'yes'; };
      });
      await page.goto(service.url);
      await settled(page);
      const steps = new Steps(page);
      await walk(steps);
      t.diagnostic(`${steps.made.length}: ${steps.made.join('; ')}`);
      assert.ok(steps.made.length <= most, steps.made.join('; '));
      await page.close();
    });
  }
});
