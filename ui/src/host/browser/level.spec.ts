/** The meter of one's own microphone, on a context that the test runs. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LevelWatch } from './level';

let state: AudioContextState = 'suspended';
const resumed = vi.fn(async () => undefined);
const track = { clone: () => ({ stop: () => undefined }) } as unknown as MediaStreamTrack;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('MediaStream', vi.fn());
  vi.stubGlobal('AudioContext', class {
    get state() {
      return state;
    }
    createAnalyser = () => ({ getFloatTimeDomainData: (samples: Float32Array) => samples.fill(0.5) });
    createMediaStreamSource = () => ({ connect: () => undefined });
    resume = resumed;
    close = async () => undefined;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('what does not run yet hears nothing, which is not silence', () => {
  state = 'suspended';
  const heard = vi.fn();
  const watch = new LevelWatch(track, heard);
  vi.advanceTimersByTime(1_000);
  expect(heard).not.toHaveBeenCalled();
  expect(resumed).toHaveBeenCalled();
  state = 'running';
  vi.advanceTimersByTime(1_000);
  expect(heard).toHaveBeenCalledTimes(30);
  expect(heard.mock.calls[0]?.[0].peakDb).toBeCloseTo(-6, 0);
  watch.stop();
  vi.advanceTimersByTime(1_000);
  expect(heard).toHaveBeenCalledTimes(30);
});
