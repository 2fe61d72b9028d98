import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changed, href, viewOf } from '../../../httpapi/dashboard/page/assets/core/router.js';

/** @param {string} query */
const at = (query) => new URLSearchParams(query);

test('the view of an address', () => {
  for (const [query, want] of [
    ['', 'overview'], ['state=TX&year=2021', 'overview'], ['view=plants', 'plants'], ['view=nobody', 'nobody'],
    ['plant=9100', 'plant'], ['q=palo', 'plants'], ['view=map&q=palo&plant=1', 'map'], ['plant=&q=', 'overview'],
  ]) {
    assert.equal(viewOf(at(query)), want, query);
  }
});

test('changes of an address', () => {
  assert.equal(href(changed(at(''), {})), './');
  assert.equal(href(changed(at('state=TX'), { state: null, q: '' })), './');
  assert.equal(href(changed(at('state=TX'), { state: 'OK', year: 2021 })), './?state=OK&year=2021');
  assert.equal(href(changed(at('view=plants&columns=a,b'), { sort: '-a' })), './?view=plants&columns=a%2Cb&sort=-a');
  // What an old address meant stays, written out.
  assert.equal(href(changed(at('q=palo'), { state: 'AZ' })), './?view=plants&q=palo&state=AZ');
  // A view of its own keeps what all views share.
  assert.equal(href(changed(at('view=plants&year=2021&release=v2&state=TX&q=x'), { plant: '1' }, 'plant')), './?view=plant&year=2021&release=v2&plant=1');
  assert.equal(href(changed(at('view=plants&year=2021&state=TX'), {}, 'overview')), './?year=2021');
});

test('an address is not changed in place', () => {
  const address = at('view=plants&state=TX');
  changed(address, { state: 'OK' }, 'map');
  assert.equal(address.toString(), 'view=plants&state=TX');
});

test('names and values are escaped', () => {
  const address = changed(at(''), { plant: 'TX-Beta ~ 1/2, East&x=1' }, 'plant');
  assert.equal(new URL(href(address), 'http://localhost/').searchParams.get('plant'), 'TX-Beta ~ 1/2, East&x=1');
});
