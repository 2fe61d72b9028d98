// Pictures of every view: node walk/screenshots.js FOLDER

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { everything, launch, settled } from './browser.js';
import { files, serve } from './service.js';
import { views } from './views.js';

const folder = resolve(process.argv[2] ?? 'screenshots');
const content = files === null ? 'sample' : 'real';
mkdirSync(folder, { recursive: true });

const service = await serve(content);
const browser = await launch('chrome');
try {
  for (const scheme of ['light', 'dark']) {
    for (const width of [390, 1280, 1920]) {
      const page = await browser.newPage();
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
      await page.setViewport({ width, height: width === 390 ? 844 : 1000 });
      await page.goto(service.url);
      await settled(page);
      for (const view of await views(page)) {
        await page.goto(new URL(view.search || '?', service.url).href);
        await settled(page);
        await everything(page);
        const path = join(folder, `${view.name}-${width}-${scheme}.png`);
        await page.screenshot({ path: /** @type {`${string}.png`} */ (path), fullPage: true });
        console.log(path);
      }
      await page.close();
    }
  }
} finally {
  await browser.close();
  await service.stop();
}
