// The address as the state of the page: /?view=plants&state=TX. A view owns the
// parameters beside "view"; without one the overview is shown.

/** @import { Changes } from './types.js' */

// What stays when another view is opened.
const shared = ['year', 'release'];

/**
 * viewOf is the view that an address asks for. Addresses from before there were
 * views name a plant, or words to search for.
 * @param {URLSearchParams} address
 */
export function viewOf(address) {
  const view = address.get('view');
  if (view) return view;
  if (address.get('plant')) return 'plant';
  return address.get('q') ? 'plants' : 'overview';
}

/**
 * changed is an address with changes: null, undefined, '' and []
 * remove a parameter. With view, it is of that view, and keeps only what all views share.
 * @param {URLSearchParams} address
 * @param {Changes} changes
 * @param {string} [view]
 */
export function changed(address, changes, view) {
  const next = new URLSearchParams();
  const id = view ?? viewOf(address);
  if (id !== 'overview') next.set('view', id);
  for (const [name, value] of address) {
    if (name !== 'view' && (view === undefined || shared.includes(name))) next.append(name, value);
  }
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') next.append(name, String(one));
    }
  }
  return next;
}

/**
 * href is an address as a link relative to the page, which is a folder.
 * @param {URLSearchParams} address
 */
export function href(address) {
  const query = address.toString();
  return query ? `./?${query}` : './';
}
