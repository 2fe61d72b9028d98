// Plants on a canvas: thousands of dots are drawn in some milliseconds, and found
// again by where they lie.

import { el, svg } from '../core/dom.js';
import { round } from '../charts/text.js';
import { index } from '../charts/nearest.js';
import { frame } from './projection.js';

/** @import { Dot } from './types.js' */

const bands = [12, 7, 4, 2.2, 0]; // radii in pixels: the large are drawn first, the small on them

export class Dots {
  /** @param {HTMLElement} surface */
  constructor(surface) {
    this.surface = surface;
    this.canvas = el('canvas', { class: 'map-dots', 'aria-hidden': 'true' });
    surface.append(this.canvas);
    /** @type {Dot[]} */
    this.dots = [];
    this.sight = { k: 1, x: 0, y: 0 };
    /** @type {Map<string, number[]>[]} */
    this.groups = [];
    this.find = index(/** @type {number[]} */ ([]), () => ({ x: 0, y: 0 }), 8);
    /** @type {number[]} */
    this.large = [];
  }

  /** @param {Dot[]} dots */
  show(dots) {
    this.dots = dots;
    this.find = index(dots.map((_, n) => n), (n) => dots[n].at, 8);
    this.groups = bands.map(() => new Map());
    dots.forEach((dot, n) => {
      const groups = this.groups[bands.findIndex((least) => dot.radius >= least)];
      const key = `${dot.hollow ? 'ring' : 'disc'} ${dot.colour}`;
      const list = groups.get(key);
      if (list) list.push(n);
      else groups.set(key, [n]);
    });
    this.large = dots.map((_, n) => n).filter((n) => dots[n].radius >= bands[2]).sort((a, b) => dots[a].radius - dots[b].radius);
  }

  // #growth makes dots a little larger as the map is zoomed.
  #growth() { return Math.max(0.6, Math.min(1.3, this.surface.clientWidth / frame.width)) * this.sight.k ** 0.35; }

  /** @param {{k: number, x: number, y: number}} sight */
  draw(sight) {
    this.sight = sight;
    const [width, height] = [this.surface.clientWidth, this.surface.clientHeight];
    const dense = Math.min(2, devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(width * dense) || this.canvas.height !== Math.round(height * dense)) {
      this.canvas.width = Math.round(width * dense);
      this.canvas.height = Math.round(height * dense);
    }
    const pen = this.canvas.getContext('2d');
    if (!pen || width === 0) return;
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    const scale = width / frame.width;
    const growth = this.#growth();
    // A canvas knows no variables: what the scheme makes of one is read as a colour.
    const style = getComputedStyle(this.canvas);
    const colourOf = (/** @type {string} */ name) => {
      this.canvas.style.color = `var(${name})`;
      return style.color;
    };
    const edge = colourOf('--plot-ground');
    const full = Math.PI * 2;
    this.groups.forEach((groups, band) => {
      for (const [key, list] of groups) {
        const ring = key.startsWith('ring');
        const colour = colourOf(key.slice(5));
        pen.beginPath();
        for (const n of list) {
          const { at, radius } = this.dots[n];
          const [x, y, r] = [(sight.x + at.x * sight.k) * scale, (sight.y + at.y * sight.k) * scale, radius * growth];
          if (x < -r || y < -r || x > width + r || y > height + r) continue;
          pen.moveTo(x + r, y);
          pen.arc(x, y, r, 0, full);
        }
        pen.fillStyle = pen.strokeStyle = colour;
        pen.globalAlpha = band < 3 ? 0.8 : 0.9;
        pen.lineWidth = 1;
        if (ring) pen.stroke();
        else pen.fill();
        if (!ring && band < 4) {
          pen.strokeStyle = edge;
          pen.lineWidth = 0.75;
          pen.stroke();
        }
      }
    });
    pen.globalAlpha = 1;
  }

  /**
   * shapes are the dots as paths of SVG, in the map's unit.
   * @param {{k: number, x: number, y: number}} sight
   */
  shapes(sight) {
    const growth = sight.k ** 0.35;
    return this.groups.flatMap((groups) => [...groups].map(([key, list]) => {
      const d = list.map((n) => {
        const { at, radius } = this.dots[n];
        const r = round(radius * growth);
        return `M${round(sight.x + at.x * sight.k - r)},${round(sight.y + at.y * sight.k)}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`;
      }).join('');
      const ring = key.startsWith('ring');
      const node = svg('path', { class: ring ? 'ring' : 'disc', d });
      node.style[ring ? 'stroke' : 'fill'] = `var(${key.slice(5)})`;
      return node;
    }));
  }

  /**
   * under is the number of the dot at a place on screen, in pixels, or null: the
   * smallest one that holds it, else the nearest within reach.
   * @param {number} px @param {number} py @param {number} reach
   */
  under(px, py, reach) {
    const scale = (this.surface.clientWidth || frame.width) / frame.width;
    const { k } = this.sight;
    const [x, y] = [(px / scale - this.sight.x) / k, (py / scale - this.sight.y) / k];
    const unit = 1 / (scale * k);
    const close = this.find(x, y, 3 * unit);
    if (close !== null) return close;
    const growth = this.#growth() * unit;
    const held = this.large.find((n) => Math.hypot(this.dots[n].at.x - x, this.dots[n].at.y - y) <= this.dots[n].radius * growth);
    return held ?? this.find(x, y, reach * unit);
  }
}
