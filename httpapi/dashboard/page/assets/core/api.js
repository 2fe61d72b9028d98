// Questions to the API. Every answer is {data, meta, links}; whatever goes
// wrong is a Problem with a text for people.

import { setting } from './dom.js';

/** @import { Answer } from './types.js' */

/** @typedef {Record<string, string | number | boolean | string[] | null | undefined>} Parameters */

const base = () => new URL(setting('egrid-api'), document.baseURI);
const patience = 30_000; // milliseconds

export class Problem extends Error {
  /**
   * passing says that the same question may be answered later; request is the id
   * under which the API has logged it.
   * @param {string} title
   * @param {string} detail
   * @param {{status?: number, passing?: boolean, request?: string | null}} [o]
   */
  constructor(title, detail, { status = 0, passing = true, request = null } = {}) {
    super(detail);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.passing = passing;
    this.request = request;
  }
}

/**
 * address is the URL of a question. Parameters without a value are left out.
 * @param {string} path
 * @param {Parameters} [parameters]
 */
export function address(path, parameters = {}) {
  const url = new URL(path, base());
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== '' && one !== null && one !== undefined) url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/**
 * plantPath is the path of a plant, or of a part of it, as "/generators".
 * @param {string} id
 * @param {string} [part]
 */
export const plantPath = (id, part = '') => `plants/${encodeURIComponent(id)}${part}`;

/** @typedef {{answer: Promise<Answer>, ended: AbortController, waiting: number}} Asked */

/** @type {Map<string, Asked>} questions that are under way, by address */
const asked = new Map();

/**
 * get asks. Parts that ask the same at the same time share the answer, which
 * nobody may change; the question ends when nobody waits for it any more. The
 * browser sends along the ETag of the answer that it keeps, and takes that again
 * when the API says that it is still true.
 * @param {string} path
 * @param {Parameters} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
export function get(path, parameters = {}, signal = undefined) {
  const { href } = address(path, parameters);
  let one = asked.get(href);
  if (!one) {
    const ended = new AbortController();
    const made = { ended, waiting: 0, answer: send(path, { parameters, signal: ended.signal }).finally(() => asked.get(href) === made && asked.delete(href)) };
    made.answer.catch(() => {}); // those who wait are told
    asked.set(href, made);
    one = made;
  }
  return joined(href, one, signal);
}

/**
 * joined waits for an answer until the signal ends that.
 * @param {string} href
 * @param {Asked} one
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
function joined(href, one, signal) {
  one.waiting++;
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal?.reason);
      if (--one.waiting > 0) return;
      if (asked.get(href) === one) asked.delete(href);
      one.ended.abort();
    };
    if (signal?.aborted) return leave();
    signal?.addEventListener('abort', leave, { once: true });
    return one.answer.then(resolve, reject).finally(() => signal?.removeEventListener('abort', leave));
  });
}

/** @typedef {{parameters?: Parameters, method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} Sent */

/**
 * send asks with a method, a body and headers of its own.
 * @param {string} path
 * @param {Sent} [o]
 * @returns {Promise<Answer>}
 */
export async function send(path, o = {}) {
  const { url, text } = await respond(path, o, (response) => response.text());
  const answer = parse(text);
  if (!answer || !('data' in answer) || !answer.meta) {
    throw new Problem('The answer is not understood', `${url.host} answered something that is not eGRID data. Check the address of the API, or whether a proxy stands in between.`);
  }
  return answer;
}

/**
 * sendFor asks for a file, which may take longer.
 * @param {string} path
 * @param {Sent} [o]
 * @returns {Promise<Blob>}
 */
export const sendFor = async (path, o = {}) => (await respond(path, o, (response) => response.blob(), 10 * patience)).text;

/**
 * respond asks, and reads the answer. Anything but success is a Problem.
 * @template T
 * @param {string} path
 * @param {Sent} o
 * @param {(response: Response) => Promise<T>} read
 * @param {number} [wait]   milliseconds
 * @returns {Promise<{url: URL, text: T}>}
 */
async function respond(path, { parameters = {}, method = 'GET', body, headers = {}, signal }, read, wait = patience) {
  const url = address(path, parameters);
  const late = AbortSignal.timeout(wait);
  try {
    const response = await fetch(url, {
      method, body, headers: { Accept: 'application/json', ...headers }, cache: 'no-cache', credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    if (!response.ok) throw problemOf(response, parse(await response.text()));
    return { url, text: await read(response) };
  } catch (error) {
    if (signal?.aborted || error instanceof Problem) throw error;
    if (late.aborted) {
      throw new Problem('The API does not answer', `There was no answer within ${wait / 1000} seconds. It may be busy: try again in a moment.`);
    }
    throw new Problem('The API cannot be reached', unreachable(url));
  }
}

/** @param {URL} url */
function unreachable(url) {
  if (!navigator.onLine) return 'This computer is offline. Connect it to the network, then try again.';
  const elsewhere = url.origin !== location.origin;
  return `Nothing answers at ${url.host}${elsewhere ? ', or it does not let this page ask (CORS)' : ''}. Check that the server runs (egrid serve), then try again.`;
}

/**
 * next asks for the page behind an answer. Only the query of the link counts:
 * in front of a proxy the path may be another.
 * @param {string} path
 * @param {Answer} answer
 * @param {AbortSignal} [signal]
 */
export function next(path, answer, signal) {
  const query = new URL(answer.links.next ?? '', base()).searchParams;
  return get(path, Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)])), signal);
}

/** @type {Promise<any> | null} */
let description = null;

/**
 * formatsOf lists the representations in which this API has a path: a service may
 * leave some out. The description is asked for once.
 * @param {string} path   as the description has it, such as "/plants/search"
 * @returns {Promise<string[]>}
 */
export async function formatsOf(path) {
  description ??= fetch(address('openapi.json'), { credentials: 'same-origin' }).then((response) => response.json());
  try {
    const { paths } = await description;
    return paths[path].get.parameters.find((/** @type {any} */ one) => one.name === 'format').schema.enum;
  } catch (error) {
    description = null;
    throw new Problem('The description of the API is missing', error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * problemOf reads application/problem+json, and makes do without.
 * @param {Response} response
 * @param {any} body
 */
function problemOf(response, body) {
  const { status } = response;
  const passing = status >= 500 || status === 408 || status === 429 || status === 410;
  /** @type {Record<number, string>} */
  const titles = { 400: 'This cannot be asked', 401: 'You are not signed in', 403: 'You are not allowed to see this', 404: 'Not found', 410: 'The data have changed since', 429: 'Too many questions', 503: 'The API is not ready' };
  const title = titles[status] ?? (status >= 500 ? 'The API failed' : body?.title ?? `Status ${status}`);
  const detail = typeof body?.detail === 'string' && body.detail ? sentence(body.detail)
    : `The API answered with status ${status}. ${passing ? 'Try again in a moment.' : ''}`;
  return new Problem(title, detail, { status, passing, request: response.headers.get('X-Request-Id') });
}

/**
 * sentence makes one of a detail; a parameter's name in front stays as it is.
 * @param {string} text
 */
function sentence(text) {
  const begun = /^[a-z]+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}
