/** What is said to work, works: a server behind a proxy, and a loudspeaker that went away. */
import { afterEach, expect, it, vi } from 'vitest';
import { roundTrip } from './api';
import { playGavel } from './sound';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('a proxy that answers for a dead server is no connection to the court', async () => {
  vi.stubGlobal('fetch', async () => new Response('bad gateway', { status: 502 }));
  expect(await roundTrip()).toBeNull();
  vi.stubGlobal('fetch', async () => new Response('ok'));
  expect(await roundTrip()).not.toBeNull();
});

it('a test sound that never ends is a fault and not a busy button for ever', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:', revokeObjectURL: () => undefined });
  vi.stubGlobal('Audio', class extends EventTarget {
    play = async () => undefined;
  });
  const played = expect(playGavel(null)).rejects.toMatchObject({ name: 'TimeoutError' });
  await vi.advanceTimersByTimeAsync(10_000);
  await played;
});
