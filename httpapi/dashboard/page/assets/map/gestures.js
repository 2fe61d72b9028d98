// What pointers do to the map: drag, pinch, wheel with Ctrl; a click or a tap that
// was none of these is passed on.

import { moved, zoomed } from './glide.js';

/** @typedef {import('./glide.js').Sight} Sight */

export class Gestures {
  /**
   * @param {HTMLElement} surface
   * @param {{scale: () => number, sight: () => Sight, look: (sight: Sight) => void, tap: (event: MouseEvent) => void, hover: (event: PointerEvent) => void, rest: () => void}} o
   *   scale: units of the frame per pixel
   */
  constructor(surface, o) {
    this.surface = surface;
    this.o = o;
    this.touch = false;
    this.dragged = false;
    /** @type {Map<number, {x: number, y: number}>} */
    this.down = new Map();
    surface.addEventListener('pointerdown', (event) => this.#press(event));
    surface.addEventListener('pointermove', (event) => this.#move(event));
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) surface.addEventListener(name, (event) => this.#release(event));
    surface.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse' && this.down.size === 0) o.rest();
    });
    surface.addEventListener('click', (event) => this.#click(event), { capture: true });
    surface.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    surface.addEventListener('dragstart', (event) => event.preventDefault());
    surface.addEventListener('keydown', () => { this.touch = false; });
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.target instanceof Element && event.target.closest('.tip')) return;
    if (this.down.size === 0) this.dragged = false;
    this.touch = event.pointerType !== 'mouse';
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    this.down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.start = { x: event.clientX, y: event.clientY };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') this.o.hover(event);
      return;
    }
    const here = { x: event.clientX, y: event.clientY };
    if (!this.dragged && this.down.size === 1 && Math.hypot(here.x - (this.start?.x ?? 0), here.y - (this.start?.y ?? 0)) < 5) return;
    const scale = this.o.scale();
    const sight = this.o.sight();
    if (this.down.size === 1) {
      if (sight.k > 1) {
        if (!this.dragged) this.surface.setPointerCapture(event.pointerId);
        this.o.look(moved(sight, (here.x - before.x) * scale, (here.y - before.y) * scale));
      }
    } else {
      const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1] ?? before;
      const [far, near] = [Math.hypot(here.x - other.x, here.y - other.y), Math.hypot(before.x - other.x, before.y - other.y)];
      const box = this.surface.getBoundingClientRect();
      const next = zoomed(sight, near > 0 ? far / near : 1, ((here.x + other.x) / 2 - box.left) * scale, ((here.y + other.y) / 2 - box.top) * scale);
      this.o.look(moved(next, ((here.x - before.x) / 2) * scale, ((here.y - before.y) / 2) * scale));
    }
    this.dragged = true;
    this.down.set(event.pointerId, here);
  }

  /** @param {PointerEvent} event */
  #release(event) { this.down.delete(event.pointerId); }

  /** @param {MouseEvent} event */
  #click(event) {
    if (event.target instanceof Element && event.target.closest('.tip')) return;
    // A click that a finger made says so itself; where it does not, the last press counts.
    if (event instanceof PointerEvent && event.pointerType) this.touch = event.pointerType !== 'mouse';
    if (this.dragged && event.detail > 0) { // the end of a drag
      this.dragged = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    this.o.tap(event);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const box = this.surface.getBoundingClientRect();
    const scale = this.o.scale();
    this.o.look(zoomed(this.o.sight(), Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.004)), (event.clientX - box.left) * scale, (event.clientY - box.top) * scale));
  }
}
