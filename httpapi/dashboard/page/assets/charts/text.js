// How much room a text takes, and texts cut or broken to the room there is.

/** @type {CanvasRenderingContext2D | null} */
let pen = null;

/**
 * widthOf is the width of a text in pixels. Outside of a browser it is a guess.
 * @param {string} text
 * @param {number} [size] of the letters, in pixels
 */
export function widthOf(text, size = 12) {
  if (typeof document === 'undefined') return text.length * size * 0.56;
  pen ??= document.createElement('canvas').getContext('2d');
  if (!pen) return text.length * size * 0.56;
  pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

/**
 * @param {string[]} texts
 * @param {number} [size]
 */
export const widest = (texts, size = 12) => Math.ceil(texts.reduce((most, text) => Math.max(most, widthOf(text, size)), 0));

/**
 * shorten cuts a text to the room there is, and shows that it did.
 * @param {string} text @param {number} room @param {number} [size]
 */
export function shorten(text, room, size = 12) {
  if (widthOf(text, size) <= room) return text;
  let letters = Math.min(text.length - 1, Math.max(1, Math.floor(room / (size * 0.4))));
  while (letters > 1 && widthOf(`${text.slice(0, letters)}…`, size) > room) letters--;
  return `${text.slice(0, letters).trimEnd()}…`;
}

/**
 * wrap breaks a text into lines at its blanks.
 * @param {string} text @param {number} room @param {number} [size]
 */
export function wrap(text, room, size = 12) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`, size) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * round leaves a tenth of a pixel: markup stays short.
 * @param {number} x
 */
export const round = (x) => Math.round(x * 10) / 10;
