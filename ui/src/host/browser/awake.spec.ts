import { afterEach, expect, test, vi } from 'vitest';
import { Awake } from './awake';

/** Locks that hold the screen on. */
const held = new Set<object>();
/** How many there have been. */
let given = 0;
function browser(visible: { now: boolean }) {
  held.clear();
  given = 0;
  const lock = () => {
    given += 1;
    const one = { release: async () => void held.delete(one) };
    held.add(one);
    return one;
  };
  vi.stubGlobal('navigator', { wakeLock: { request: async () => lock() } });
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => (visible.now ? 'visible' : 'hidden'));
}
afterEach(() => vi.unstubAllGlobals());

test('the screen stays on while the seat is held, also after the tab was hidden', async () => {
  const visible = { now: true };
  browser(visible);
  const awake = new Awake();
  awake.keep();
  await vi.waitFor(() => expect(held.size).toBe(1));
  visible.now = false;
  document.dispatchEvent(new Event('visibilitychange'));
  held.clear(); // the browser takes it back
  visible.now = true;
  document.dispatchEvent(new Event('visibilitychange'));
  await vi.waitFor(() => expect(held.size).toBe(1));
  awake.release();
  await vi.waitFor(() => expect(held.size).toBe(0));
});

test('a lock that comes after the seat was given up is let go', async () => {
  browser({ now: true });
  const awake = new Awake();
  awake.keep();
  awake.release();
  await vi.waitFor(() => expect(given).toBe(1));
  await vi.waitFor(() => expect(held.size).toBe(0));
});
