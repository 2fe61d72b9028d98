// When a choice in a list counts: at once by a pointer; by keys, which pass over others
// on the way, after a pause, with Enter, or when the list is left.

const pause = 600; // milliseconds without a key

/**
 * whenChosen calls act when something is chosen in a list.
 * @param {HTMLSelectElement} select
 * @param {() => void} act
 * @param {{leave?: boolean}} [o] leave: keys count with Enter or when the list is left, and not before
 */
export function whenChosen(select, act, { leave = false } = {}) {
  let keys = false;
  let waits = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const now = () => {
    clearTimeout(timer);
    if (!waits) return;
    waits = false;
    act();
  };
  select.addEventListener('pointerdown', () => { keys = false; });
  select.addEventListener('keydown', (event) => {
    keys = true;
    if (event.key !== 'Enter' || !waits) return;
    event.preventDefault(); // Chromium would open the list
    now();
  });
  select.addEventListener('change', () => {
    clearTimeout(timer);
    waits = true;
    if (!keys) return now();
    if (!leave) timer = setTimeout(now, pause);
    return undefined;
  });
  select.addEventListener('blur', now);
}
