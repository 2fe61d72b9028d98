// The map: areas as SVG, plants on a canvas, zoomed and moved together; every
// mark is reached by pointer, finger and keyboard.

import { el, svg } from '../core/dom.js';
import { act } from '../charts/walk.js';
import { Dots } from './dots.js';
import { Gestures } from './gestures.js';
import { moved, reaching, whole, zoomed } from './glide.js';
import { middleOf, pathOf } from './outline.js';
import { frame, parts } from './projection.js';
import { toward } from './toward.js';

/** @import { Area, Dot, Scene } from './types.js' */
/** @typedef {import('./glide.js').Sight} Sight */
/** @typedef {import('./projection.js').Place} Place */
/** @typedef {{at: Place, says: string, href: string, node: SVGElement | null}} Mark */

export class PlantMap {
  /** @param {{sight?: Sight, seen?: (sight: Sight) => void}} [o] seen is told when the map was zoomed or moved */
  constructor({ sight = whole, seen = () => {} } = {}) {
    this.sight = sight;
    this.seen = seen;
    /** @type {Scene} */
    this.scene = { land: [], areas: [], dots: [], marks: 'marks', cut: false, borders: false };
    /** @type {Mark[]} */
    this.marks = [];
    /** @type {Mark | null} */
    this.current = null;
    this.ground = svg('g', { class: 'ground' });
    this.labels = svg('g', { class: 'labels', 'aria-hidden': 'true' });
    this.world = svg('g', {}, this.ground, this.labels);
    this.cursor = svg('g', { class: 'map-cursor', role: 'slider', tabindex: 0, 'aria-label': 'Plant', 'aria-valuemin': 1, 'aria-valuemax': 1, 'aria-valuenow': 1, hidden: true }, svg('circle', { r: 9 }), svg('circle', { r: 9 }));
    this.coast = svg('clipPath', { id: 'map-coast' });
    this.picture = svg('svg', { viewBox: `0 0 ${frame.width} ${frame.height}` }, svg('defs', {}, this.coast, svg('pattern', { id: 'map-missing', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, svg('rect', { class: 'missing-ground', width: 6, height: 6 }), svg('rect', { class: 'missing-line', width: 2, height: 6 }))), this.world);
    this.over = svg('svg', { class: 'map-over', viewBox: `0 0 ${frame.width} ${frame.height}` }, this.cursor);
    this.tip = el('div', { class: 'tip', hidden: true });
    this.surface = el('div', { class: 'map-surface', tabindex: 0, role: 'group', 'aria-label': 'Map. The arrow keys move it, plus and minus zoom, 0 shows all of it; Tab goes on to what is drawn.' }, this.picture);
    this.dots = new Dots(this.surface);
    this.surface.append(this.over, this.tip);
    const button = (/** @type {string} */ text, /** @type {string} */ name, /** @type {() => void} */ click) => el('button', { type: 'button', 'aria-label': name, title: name, click }, text);
    this.in = button('+', 'Zoom in', () => this.zoom(1.6));
    this.out = button('−', 'Zoom out', () => this.zoom(1 / 1.6));
    this.all = button('⤢', 'Show the whole map', () => this.look(whole));
    this.element = el('div', { class: 'map' }, this.surface, el('div', { class: 'map-buttons', role: 'group', 'aria-label': 'Zoom' }, this.in, this.out, this.all));
    this.gestures = new Gestures(this.surface, {
      scale: () => frame.width / (this.surface.clientWidth || frame.width), sight: () => this.sight, look: (next) => this.look(next),
      tap: (event) => this.#tap(event), hover: (event) => this.#hover(event), rest: () => this.#rest(),
    });
    this.surface.addEventListener('keydown', (event) => this.#key(event));
    this.surface.addEventListener('focusin', (event) => this.#focused(event));
    this.surface.addEventListener('focusout', () => this.#rest());
    new ResizeObserver(() => this.draw()).observe(this.surface);
    this.closed = new AbortController();
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) matchMedia(query).addEventListener('change', () => this.draw(), { signal: this.closed.signal });
    document.addEventListener('theme', () => this.draw(), { signal: this.closed.signal });
  }

  /** close lets go of the window: the map is not shown again. */
  close() { this.closed.abort(); }

  /** show draws something else; what is seen of the map stays. @param {Scene} scene */
  show(scene) {
    const before = this.current?.href;
    const focused = this.surface.contains(document.activeElement) && document.activeElement !== this.surface;
    this.scene = scene;
    /** @type {Map<Area, SVGElement>} */
    const nodes = new Map();
    for (const area of scene.areas) {
      nodes.set(area, svg('a', { class: ['area', area.colour, area.selected ? 'selected' : ''].filter(Boolean).join(' '), href: area.href, 'aria-label': area.says, tabindex: -1, 'data-code': area.code }, svg('path', { d: area.path ?? pathOf(area.rings), 'fill-rule': 'evenodd' })));
    }
    const land = (/** @type {string} */ kind) => scene.land.map(({ path }) => svg('path', { class: kind, d: path }));
    this.coast.replaceChildren(...(scene.cut ? scene.land.map(({ path }) => svg('path', { d: path })) : []));
    this.ground.replaceChildren(...land('land'), svg('g', { 'clip-path': scene.cut ? 'url(#map-coast)' : null }, [...nodes.values()]), ...(scene.borders ? land('border') : []),
      ...parts.filter(({ box }) => box && scene.land.length).map(({ box }) => svg('path', { class: 'inset', d: box ? `M${box[0]},${box[1]}H${box[2]}V${box[3]}` : '' })));
    this.labels.replaceChildren(...scene.areas.map((area) => {
      const middle = middleOf(area.rings);
      return svg('text', { class: area.colour, x: middle.x, y: middle.y, 'data-width': middle.width }, area.code, area.value ? svg('tspan', { class: 'value', x: middle.x, dy: '1.3em' }, area.value) : null);
    }));
    this.dots.show(scene.dots);
    this.marks = scene.areas.length
      ? scene.areas.map((area) => ({ at: middleOf(area.rings), says: area.says, href: area.href, node: nodes.get(area) ?? null }))
      : scene.dots.map((dot) => ({ at: dot.at, says: dot.says, href: dot.href, node: null }));
    const lone = scene.areas.length === 0 && scene.dots.length > 0;
    this.cursor.toggleAttribute('hidden', !lone);
    this.cursor.setAttribute('tabindex', lone ? '0' : '-1');
    this.cursor.setAttribute('aria-valuemax', String(Math.max(1, this.marks.length)));
    this.cursor.setAttribute('aria-label', `Chosen of the ${scene.marks}`);
    this.current = this.marks.find(({ href }) => href === before) ?? this.marks[0] ?? null;
    if (this.current) this.#choose(this.current);
    this.current?.node?.setAttribute('tabindex', '0');
    if (focused && this.current) (this.current.node ?? this.cursor).focus({ preventScroll: true });
    this.tip.hidden = true;
    this.draw();
  }

  /** look zooms and moves the map. @param {Sight} sight */
  look(sight) {
    this.sight = sight;
    if (!this.pending) {
      this.pending = requestAnimationFrame(() => {
        this.pending = 0;
        this.draw();
      });
    }
    this.seen(sight);
  }

  /** @param {number} times */
  zoom(times) {
    // With a mark in focus the map is zoomed around it, else around the middle.
    const here = this.current && this.surface.contains(document.activeElement) && document.activeElement !== this.surface ? this.#seenAt(this.current.at) : { x: frame.width / 2, y: frame.height / 2 };
    this.look(zoomed(this.sight, times, here.x, here.y));
  }

  draw() {
    const { k, x, y } = this.sight;
    const scale = (this.surface.clientWidth || frame.width) / frame.width;
    this.world.setAttribute('transform', `translate(${x},${y}) scale(${k})`);
    this.surface.classList.toggle('zoomed', k > 1);
    this.labels.style.fontSize = `${11 / (scale * k)}px`;
    for (const label of this.labels.children) label.toggleAttribute('hidden', Number(label.getAttribute('data-width')) * scale * k < 8 * (label.firstChild?.textContent?.length ?? 0));
    this.dots.draw(this.sight);
    if (this.current) this.#choose(this.current);
    this.in.disabled = k >= 40;
    this.out.disabled = this.all.disabled = k === 1;
  }

  /** @param {Place} place */
  #seenAt({ x, y }) { return { x: this.sight.x + x * this.sight.k, y: this.sight.y + y * this.sight.k }; }

  /** #choose makes a mark the one that the keys start from. @param {Mark} mark */
  #choose(mark) {
    this.current?.node?.setAttribute('tabindex', '-1');
    this.current = mark;
    mark.node?.setAttribute('tabindex', '0');
    if (mark.node) return;
    const { x, y } = this.#seenAt(mark.at);
    this.cursor.setAttribute('transform', `translate(${x},${y}) scale(${frame.width / (this.surface.clientWidth || frame.width)})`);
    this.cursor.setAttribute('aria-valuenow', String(this.marks.indexOf(mark) + 1));
    this.cursor.setAttribute('aria-valuetext', mark.says);
  }

  /** @param {Mark} mark @param {{pinned?: boolean}} [o] */
  #tell(mark, { pinned = false } = {}) {
    this.tip.replaceChildren(el('span', {}, mark.says), ...(pinned ? [' ', el('a', { href: mark.href }, 'Open')] : []));
    this.tip.classList.toggle('touch', pinned);
    this.tip.hidden = false;
    const scale = this.surface.clientWidth / frame.width;
    const { x, y } = this.#seenAt(mark.at);
    const half = this.tip.offsetWidth / 2;
    const left = Math.min(Math.max(x * scale, half), Math.max(half, this.surface.clientWidth - half)) - half;
    const above = y * scale - this.tip.offsetHeight - 12;
    this.tip.style.left = `${Math.round(left)}px`;
    this.tip.style.top = `${Math.round(above < 0 ? y * scale + 14 : above)}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = 60;
    /** @type {Record<string, () => void>} */
    const anywhere = { '+': () => this.zoom(1.6), '=': () => this.zoom(1.6), '-': () => this.zoom(1 / 1.6), 0: () => this.look(whole), Escape: () => { this.tip.hidden = true; } };
    /** @type {Record<string, () => void>} */
    const moves = { ArrowLeft: () => this.look(moved(this.sight, step, 0)), ArrowRight: () => this.look(moved(this.sight, -step, 0)), ArrowUp: () => this.look(moved(this.sight, 0, step)), ArrowDown: () => this.look(moved(this.sight, 0, -step)) };
    if (anywhere[event.key]) {
      event.preventDefault();
      anywhere[event.key]();
    } else if (event.target === this.surface) {
      if (!moves[event.key] || this.sight.k === 1) return; // the whole map has nowhere to go: the page scrolls
      event.preventDefault();
      moves[event.key]();
    } else if (this.current && event.target instanceof SVGElement) {
      if (event.key === 'Enter' && event.target === this.cursor) act({ href: this.current.href }, this.surface);
      const next = toward(this.marks, this.current, event.key) ?? (event.key === 'Home' ? this.marks[0] : event.key === 'End' ? this.marks[this.marks.length - 1] : null);
      if (!moves[event.key] && !next) return;
      event.preventDefault();
      if (!next) return;
      this.#choose(next);
      (next.node ?? this.cursor).focus({ preventScroll: true });
      this.look(reaching(this.sight, next.at));
      this.#tell(next);
    }
  }

  /** @param {Event} event @returns {Mark | null} */
  #under(event) {
    if (this.scene.areas.length) {
      const node = event.target instanceof Element ? event.target.closest('.area') : null;
      return this.marks.find((mark) => mark.node === node && node) ?? null;
    }
    if (!(event instanceof MouseEvent)) return null;
    const box = this.surface.getBoundingClientRect();
    const dot = this.dots.under(event.clientX - box.left, event.clientY - box.top, this.gestures.touch ? 22 : 10);
    return dot === null ? null : this.marks[dot];
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const mark = this.#under(event);
    this.surface.classList.toggle('over', Boolean(mark));
    if (mark) this.#tell(mark);
    else this.#rest();
  }

  /** @param {PointerEvent | MouseEvent} event */
  #tap(event) {
    const mark = this.#under(event);
    if (!mark) {
      this.tip.hidden = true;
      return;
    }
    if (this.gestures.touch) {
      // A finger first shows what is there; the note has the link.
      event.preventDefault();
      event.stopPropagation();
      this.#choose(mark);
      this.#tell(mark, { pinned: true });
    } else if (!mark.node) act({ href: mark.href }, this.surface);
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    if (this.gestures.touch || event.target === this.surface) return;
    const mark = event.target === this.cursor ? this.current : this.marks.find(({ node }) => node === event.target);
    if (!mark) return;
    this.#choose(mark);
    this.look(reaching(this.sight, mark.at));
    this.#tell(mark);
  }

  #rest() {
    if (this.tip.classList.contains('touch') && !this.tip.hidden) return;
    const focused = document.activeElement;
    if (this.current && (focused === this.cursor || (this.current.node && focused === this.current.node))) this.#tell(this.current);
    else this.tip.hidden = true;
  }
}

