import { afterEach, expect, test, vi } from 'vitest';
import { Awake } from './awake';

/** Locks that hold the screen on. */
const held = new Set<object>();
const settle = () => new Promise((resolve) => setTimeout(resolve));
function browser(visible: { now: boolean }) {
  held.clear();
  const lock = () => {
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
  await settle();
  expect(held.size).toBe(1);
  visible.now = false;
  document.dispatchEvent(new Event('visibilitychange'));
  held.clear(); // the browser takes it back
  visible.now = true;
  document.dispatchEvent(new Event('visibilitychange'));
  await settle();
  expect(held.size).toBe(1);
  awake.release();
  await settle();
  expect(held.size).toBe(0);
});

test('a lock that comes after the seat was given up is let go', async () => {
  browser({ now: true });
  const awake = new Awake();
  awake.keep();
  awake.release();
  await settle();
  expect(held.size).toBe(0);
});
