// Reaching marks: the arrow keys, a pointer, a finger; and the note that shows
// what a mark says.

import { el, svg } from '../core/dom.js';

/** @typedef {import('./types.js').Mark} Mark */
/** @typedef {import('./types.js').Drawing} Drawing */

/**
 * step is the mark that a key leads to, or null when the key is none of these.
 * @param {Mark[][]} grid @param {Mark} from @param {string} key
 * @returns {Mark | null}
 */
export function step(grid, from, key) {
  const r = Math.max(0, grid.findIndex((row) => row.includes(from)));
  const c = Math.max(0, grid[r].indexOf(from));
  const lone = grid.length === 1;
  const all = grid.flat();
  /** @type {Record<string, () => Mark | undefined>} */
  const ways = {
    ArrowLeft: () => grid[r][c - 1], ArrowRight: () => grid[r][c + 1],
    ArrowUp: () => (lone ? grid[r][c - 1] : grid[r - 1]?.[Math.min(c, grid[r - 1].length - 1)]),
    ArrowDown: () => (lone ? grid[r][c + 1] : grid[r + 1]?.[Math.min(c, grid[r + 1].length - 1)]),
    PageUp: () => all[Math.max(0, all.indexOf(from) - 10)], PageDown: () => all[Math.min(all.length - 1, all.indexOf(from) + 10)],
    Home: () => all[0], End: () => all[all.length - 1],
  };
  return key in ways ? ways[key]() ?? from : null;
}

/**
 * act does what a mark is for.
 * @param {{href?: string | null, choose?: (() => void) | null}} mark @param {Element} root where a link is made when the mark has none of its own
 */
export function act(mark, root) {
  if (mark.href) {
    const link = el('a', { href: mark.href, hidden: true });
    root.append(link);
    link.click();
    link.remove();
  } else mark.choose?.();
}

/** Walk leads over the marks of one drawing. */
export class Walk {
  /**
   * @param {HTMLElement} canvas around the drawing
   * @param {SVGSVGElement} picture
   * @param {Drawing} drawing
   */
  constructor(canvas, picture, drawing) {
    this.canvas = canvas;
    this.picture = picture;
    this.drawing = drawing;
    this.grid = drawing.grid.map((row) => row.filter((mark) => drawing.spots || drawing.nodeOf?.(mark))).filter((row) => row.length);
    /** @type {Mark | null} */
    this.current = this.grid[0]?.[0] ?? null;
    this.tip = el('div', { class: 'tip', hidden: true });
    /** @type {SVGElement | null} */
    this.cursor = drawing.spots && this.current ? this.#cursor() : null;
    this.touched = false;
    /** @type {Mark[] | undefined} by the first measure of a scatter */
    this.byX = undefined;
    /** @type {Mark[] | undefined} by the second */
    this.byY = undefined;
    /** @type {Map<Element, Mark>} */
    this.owners = new Map();
    if (!drawing.spots) {
      for (const mark of this.grid.flat()) {
        const node = drawing.nodeOf?.(mark);
        if (node) this.owners.set(node, mark);
      }
      if (this.current) drawing.nodeOf?.(this.current)?.setAttribute('tabindex', '0');
    }
    canvas.append(this.tip);
    picture.addEventListener('keydown', (event) => this.#key(event));
    picture.addEventListener('pointermove', (event) => this.#point(event));
    picture.addEventListener('pointerdown', (event) => { this.touched = event.pointerType !== 'mouse'; });
    canvas.addEventListener('pointerleave', () => this.#rest());
    picture.addEventListener('click', (event) => this.#click(event));
    picture.addEventListener('focusin', (event) => this.#focused(event));
    picture.addEventListener('focusout', () => this.#rest());
  }

  // #cursor is the one thing of a scatter that has the focus; it goes from
  // point to point. A slider, because what that says is spoken when it moves.
  #cursor() {
    const cursor = svg('g', { class: 'cursor', role: 'slider', tabindex: '0', 'aria-label': 'Point', 'aria-valuemin': 1, 'aria-valuemax': this.grid[0].length, 'aria-valuenow': 1, 'aria-valuetext': this.current?.says }, svg('circle', { r: 8 }));
    this.picture.append(cursor);
    return cursor;
  }

  /** @param {Mark} mark @returns {{x: number, y: number}} */
  #place(mark) {
    if (this.drawing.spots) return this.drawing.spots.at(mark);
    const shape = /** @type {SVGGraphicsElement | undefined} */ (this.drawing.nodeOf?.(mark)?.querySelector('.fill, text') ?? this.drawing.nodeOf?.(mark));
    if (!shape) return { x: 0, y: 0 };
    const [box, frame] = [shape.getBoundingClientRect(), this.picture.getBoundingClientRect()];
    const scale = this.drawing.width / (frame.width || 1);
    return { x: (box.left + box.width / 2 - frame.left) * scale, y: (box.top - frame.top) * scale };
  }

  /** @param {Mark} mark @param {{focus?: boolean, buttons?: boolean}} [o] */
  go(mark, { focus = false, buttons = false } = {}) {
    if (this.cursor) {
      const { x, y } = this.#place(mark);
      this.cursor.setAttribute('transform', `translate(${x},${y})`);
      this.cursor.setAttribute('aria-valuenow', String(this.grid[0].indexOf(mark) + 1));
      this.cursor.setAttribute('aria-valuetext', mark.says);
    } else {
      if (this.current) this.drawing.nodeOf?.(this.current)?.setAttribute('tabindex', '-1');
      this.drawing.nodeOf?.(mark)?.setAttribute('tabindex', '0');
    }
    this.current = mark;
    if (focus) (this.cursor ?? this.drawing.nodeOf?.(mark))?.focus({ preventScroll: true });
    this.show(mark, buttons);
  }

  /** @param {Mark} mark @param {boolean} [buttons] */
  show(mark, buttons = false) {
    const lead = mark.choose || mark.href ? 'Tap again to open it.' : '';
    const way = (/** @type {string} */ key, /** @type {string} */ text, /** @type {string} */ name) => el('button', { type: 'button', 'aria-label': name, click: () => this.go(step(this.#order(key), mark, key) ?? mark, { focus: true, buttons: true }) }, text);
    this.tip.replaceChildren(...(buttons ? [way('ArrowLeft', '‹', 'Before')] : []), el('span', {}, mark.says, ...(buttons && lead ? [el('small', {}, ` ${lead}`)] : [])), ...(buttons ? [way('ArrowRight', '›', 'Next')] : []));
    this.tip.classList.toggle('touch', buttons);
    this.tip.hidden = false;
    const { x, y } = this.#place(mark);
    const scale = this.canvas.clientWidth / this.drawing.width;
    const half = this.tip.offsetWidth / 2;
    const [cx, cy] = [Math.min(Math.max(x * scale, half), Math.max(half, this.canvas.clientWidth - half)), y * scale];
    this.tip.style.left = `${Math.round(cx - half)}px`;
    this.tip.style.top = `${Math.round(cy - this.tip.offsetHeight - 10 < -40 ? cy + 22 : cy - this.tip.offsetHeight - 10)}px`;
  }

  // #order is the way the arrow keys take: over the points of a scatter they
  // go by the one measure or by the other.
  /** @param {string} key @returns {Mark[][]} */
  #order(key) {
    if (!this.drawing.spots) return this.grid;
    const upright = key === 'ArrowUp' || key === 'ArrowDown';
    this.byX ??= this.grid[0].toSorted((a, b) => Number(a.x) - Number(b.x));
    this.byY ??= this.grid[0].toSorted((a, b) => Number(b.y) - Number(a.y));
    return [upright ? this.byY : this.byX];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.current || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') this.tip.hidden = true;
    if ((event.key === 'Enter' || event.key === ' ') && (this.cursor || !this.current.href)) {
      event.preventDefault();
      act(this.current, this.canvas);
    }
    const next = step(this.#order(event.key), this.current, event.key);
    if (!next) return;
    event.preventDefault();
    this.go(next, { focus: true });
  }

  /** @param {Event} event @returns {Mark | null} */
  #under(event) {
    if (this.drawing.spots && event instanceof MouseEvent) {
      const frame = this.picture.getBoundingClientRect();
      const scale = this.drawing.width / (frame.width || 1);
      return this.drawing.spots.nearest((event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale);
    }
    const node = event.target instanceof Element ? event.target.closest('.datum') : null;
    return node ? this.owners.get(node) ?? null : null;
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.pointerType !== 'mouse') return;
    const mark = this.#under(event);
    this.picture.classList.toggle('over', Boolean(mark && (mark.choose || mark.href)));
    if (mark) this.show(mark);
    else this.#rest();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const mark = this.#under(event);
    if (!mark) return;
    if (event instanceof PointerEvent && event.pointerType) this.touched = event.pointerType !== 'mouse';
    const again = this.current === mark && !this.tip.hidden && this.tip.classList.contains('touch');
    if (this.touched && !again) {
      // The first touch shows the value, the second does what the mark is for.
      event.preventDefault();
      event.stopPropagation();
      this.go(mark, { focus: true, buttons: true });
      return;
    }
    if (this.cursor || !mark.href) act(mark, this.canvas);
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    if (this.touched && !this.tip.hidden) return;
    const mark = this.cursor ? this.current : event.target instanceof Element ? this.owners.get(event.target) : null;
    if (mark) this.go(mark);
  }

  // #rest shows again what has the focus, or nothing.
  #rest() {
    if (this.tip.classList.contains('touch') && this.tip.matches(':focus-within')) return;
    const focused = document.activeElement;
    if (this.current && focused && (focused === this.cursor || focused === this.drawing.nodeOf?.(this.current))) this.show(this.current, this.tip.classList.contains('touch'));
    else setTimeout(() => { if (!this.canvas.contains(document.activeElement)) this.tip.hidden = true; });
  }
}
