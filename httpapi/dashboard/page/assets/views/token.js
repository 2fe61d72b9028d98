// The token that decisions need: typed in, kept for this tab alone, and sent with
// orders and with nothing else.

import { send } from '../core/api.js';
import { el } from '../core/dom.js';
import { field } from './parts.js';

/** @import { Answer } from '../core/types.js' */

const name = 'egrid-token';
let kept = ''; // where the browser keeps nothing for a session

export const token = () => {
  try {
    return sessionStorage.getItem(name) ?? '';
  } catch {
    return kept;
  }
};

/** @param {string} text */
function keep(text) {
  kept = text;
  try {
    if (text) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
  } catch { /* then it is kept until the page is left */ }
}

/**
 * order asks the API to change something.
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<Answer>}
 */
export const order = (path, body) => send(path, {
  method: 'POST', body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${token()}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
});

/**
 * tokenForm takes the token and gives it up again.
 * @param {() => void} changed
 */
export function tokenForm(changed) {
  const input = el('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false' });
  const box = el('div', { class: 'token' });
  const set = (/** @type {string} */ text) => {
    keep(text);
    input.value = '';
    draw();
    changed();
    box.querySelector('button')?.focus();
  };
  const draw = () => box.replaceChildren(token()
    ? el('p', {}, 'A token is in use until this tab is closed. ', el('button', { type: 'button', id: 'token-forget', click: () => set('') }, 'Forget it'))
    : el('form', { submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      if (input.value.trim()) set(input.value.trim());
    } }, field('Token or API key with scope write', input, 'search'), el('button', { id: 'token-use' }, 'Use it')));
  draw();
  return box;
}
