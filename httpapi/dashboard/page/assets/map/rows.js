// All rows of an answer at once: as CSV, which comes whole and is short.

import { address, get, Problem } from '../core/api.js';

/** @import { Meta } from '../core/types.js' */

/**
 * csvRows reads CSV with a header, as of RFC 4180. Every value is a text.
 * @param {string} text
 * @returns {Record<string, string>[]}
 */
export function csvRows(text) {
  /** @type {string[][]} */
  const lines = [];
  /** @type {string[]} */
  let line = [];
  // A field with its end: quoted, with quotes doubled, or plain.
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) throw new Error('a quote is not closed');
    line.push(match[1].startsWith('"') ? match[1].slice(1, -1).replaceAll('""', '"') : match[1]);
    if (match[2] !== ',') {
      lines.push(line);
      line = [];
      if (match[2] === '') break;
    }
  }
  const [head = [], ...rest] = lines;
  return rest.map((values) => Object.fromEntries(head.map((name, i) => [name, values[i] ?? ''])));
}

/**
 * allRows asks for every row of a path with the given columns, and what is said
 * of them. The rows are those of the snapshots that the first answer is from.
 * @param {string} path
 * @param {Record<string, string | number | string[]>} question
 * @param {string[]} columns
 * @param {AbortSignal} signal
 * @returns {Promise<{rows: Record<string, string>[], meta: Meta}>}
 */
export async function allRows(path, question, columns, signal) {
  const { meta, links } = await get(path, { ...question, columns: columns.join(','), limit: 1 }, signal);
  const permanent = links.permanent ? Object.fromEntries(new URL(links.permanent, document.baseURI).searchParams) : { ...question, year: meta.year ?? '', release: meta.release || 'none' };
  const url = address(path, { ...permanent, columns: columns.join(','), limit: '', format: 'csv' });
  let response;
  let text;
  try {
    response = await fetch(url, { signal, cache: 'no-cache', credentials: 'same-origin' });
    text = await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem('The rows did not come', `The connection to ${url.host} broke off. Check that the server runs, then try again.`);
  }
  const request = response.headers.get('X-Request-Id');
  if (!response.ok) throw new Problem('The rows did not come', `The API answered with status ${response.status}.`, { status: response.status, request });
  const rows = csvRows(text);
  if (typeof meta.total === 'number' && rows.length !== meta.total) {
    throw new Problem('The answer is not whole', `${rows.length} of ${meta.total} rows came. Try again.`, { request });
  }
  return { rows, meta };
}

/**
 * numberOf is the number in a field, or null where it is empty.
 * @param {string | undefined} text
 */
export const numberOf = (text) => (text === undefined || text === '' || !Number.isFinite(Number(text)) ? null : Number(text));
