// A person with a keyboard and nothing else: every key is pressed in the browser, no
// script clicks or moves the focus.

import assert from 'node:assert/strict';

/** @import { KeyInput, Page } from 'puppeteer-core' */
/** @typedef {{is: string, top: number, left: number, bottom: number, right: number, flaws: string[]}} Stop */

export class Keyboard {
  /** @param {Page} page */
  constructor(page) { this.page = page; }

  /**
   * press presses keys, one after the other. After each the focus is somewhere and is
   * seen.
   * @param {...KeyInput} keys
   */
  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** @param {string} text */
  async type(text) { await this.page.keyboard.type(text); }

  /**
   * to presses Tab, or Shift+Tab, until what has the focus matches a selector.
   * @param {string} selector
   * @param {{back?: boolean, most?: number}} [o]
   */
  async to(selector, { back = false, most = 250 } = {}) {
    for (let i = 0; i <= most; i++) {
      if (i > 0 || !(await this.on(selector))) await this.tab(back);
      if (await this.on(selector)) {
        const { is, flaws } = await this.here();
        assert.deepEqual(flaws, [], is);
        return;
      }
    }
    assert.fail(`${most} times Tab do not lead to ${selector}, but to ${(await this.here()).is}`);
  }

  /** @param {boolean} [back] */
  async tab(back = false) {
    if (back) await this.page.keyboard.down('Shift');
    await this.page.keyboard.press('Tab');
    if (back) await this.page.keyboard.up('Shift');
  }

  /** @param {string} selector */
  async on(selector) { return this.page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector); }

  /**
   * stays waits until what has the focus matches a selector, after something was drawn
   * anew.
   * @param {string} selector
   */
  async stays(selector) {
    try {
      await this.page.waitForFunction((s) => document.activeElement?.matches(s), { timeout: 20_000 }, selector);
    } catch {
      assert.fail(`the focus is on ${(await this.here()).is}; want ${selector}`);
    }
  }

  /** here is what has the focus, where, and what is wrong with how it is seen. @returns {Promise<Stop>} */
  here() { return this.page.evaluate(stop); }
}

/**
 * stop runs in the page. The focus is seen when its element is within the window, is not
 * covered, and it or a shape in it is drawn with an outline or a stroke of two pixels.
 * @returns {Stop}
 */
function stop() {
  const node = document.activeElement ?? document.body;
  const name = node.getAttribute('aria-label') ?? (node.textContent ?? '').trim();
  const is = `${node.localName}${node.id ? `#${node.id}` : ''}${node.classList.length ? `.${[...node.classList].join('.')}` : ''} “${name.slice(0, 50)}”`;
  const box = node.getBoundingClientRect();
  const place = { is, top: box.top + scrollY, left: box.left, bottom: box.bottom + scrollY, right: box.right };
  if (node === document.body) return { ...place, flaws: ['nothing has the focus'] };
  const flaws = [];
  const inside = { left: Math.max(0, box.left), right: Math.min(innerWidth, box.right), top: Math.max(0, box.top), bottom: Math.min(innerHeight, box.bottom) };
  if (inside.right <= inside.left || inside.bottom <= inside.top) flaws.push(`out of the window: ${JSON.stringify(box)}`);
  else {
    // Shapes are not where the middle of their box is: a few places are tried.
    const covered = [0.5, 0.25, 0.75, 0.05, 0.95].flatMap((x) => [0.5, 0.1, 0.9].map((y) => document.elementFromPoint(inside.left + (inside.right - inside.left) * x, inside.top + (inside.bottom - inside.top) * y)));
    const seen = covered.some((top) => top && (node.contains(top) || top.contains(node)));
    if (!seen && !(node instanceof SVGElement)) flaws.push(`covered by ${covered[0]?.localName}.${covered[0]?.getAttribute('class')}`);
  }
  const outlined = (/** @type {Element} */ one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
  };
  const stroked = (/** @type {Element} */ one) => {
    const { stroke, strokeWidth, strokeOpacity } = getComputedStyle(one);
    return stroke !== 'none' && parseFloat(strokeWidth) >= 2 && parseFloat(strokeOpacity) > 0.3;
  };
  if (!outlined(node) && !(node instanceof SVGElement && [...node.querySelectorAll('*')].some(stroked))) flaws.push('the focus is not seen');
  return { ...place, flaws };
}
