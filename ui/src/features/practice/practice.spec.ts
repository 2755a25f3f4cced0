/** 练习 on the scripted host. */
import { fireEvent, screen, waitFor } from '@testing-library/vue';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HostFailure } from '../../host/host';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import type { HostError, TrackInfo } from '../../wire/generated';
import PracticeScreen from './PracticeScreen.vue';

function open(failures: HostError[] = []) {
  const left = [...failures];
  const fake = fakeHost({
    'practice.start': () => {
      const error = left.shift();
      if (error) throw new HostFailure(error);
      return null;
    },
    'practice.stop': () => null,
    'media.views': () => null,
  });
  const { unmount } = mountApp(PracticeScreen, fake.host);
  return { ...fake, unmount };
}
const track = (slot: number, own: boolean): TrackInfo => ({ slot, own, seat: own ? 'own' : 'me', source: 'camera', muted: false, width: 640, height: 360 });
const busy: HostError = { name: 'api', error: { code: 'busy', retryAfterMs: 10_000, validFrom: null } };

afterEach(() => void vi.useRealTimers());

describe('practising', () => {
  it('shows oneself, and what comes back', async () => {
    const { say, attached, asked, unmount } = open();
    await waitFor(() => expect(asked.map((one) => one.name)).toContain('practice.start'));
    expect(screen.getByText(/正在等/)).toBeTruthy();
    say({ type: 'tracks', tracks: [track(1, true), track(17, false)] });
    await waitFor(() => expect([...attached].sort()).toEqual([1, 17]));
    unmount();
    expect(asked.at(-1)?.name).toBe('practice.stop');
  });
  it('says that the room was open for its time, and opens another', async () => {
    const { say, asked } = open();
    await waitFor(() => expect(asked.map((one) => one.name)).toContain('practice.start'));
    await Promise.resolve();
    say({ type: 'mediaLink', state: { name: 'ended', reason: 'hearingEnded' } });
    await fireEvent.click(await screen.findByRole('button', { name: '再练一次' }));
    expect(asked.filter((one) => one.name === 'practice.start')).toHaveLength(2);
  });
  it('says what to do when no picture comes back, and begins again', async () => {
    vi.useFakeTimers();
    const { say, asked } = open();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(screen.queryByText(/画面还没有传回来/)).toBeNull();
    await vi.advanceTimersByTimeAsync(200);
    expect(screen.getByText(/画面还没有传回来。请检查摄像头和网络，再练一次。/)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: '再练一次' }));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.filter((one) => one.name === 'practice.start')).toHaveLength(2);
    say({ type: 'tracks', tracks: [track(17, false)] });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(screen.queryByText(/画面还没有传回来/)).toBeNull();
  });
  it('says that this browser sends no picture, also before the room is open', async () => {
    const { say } = open();
    say({ type: 'mediaLink', state: { name: 'ended', reason: 'updateNeeded' } });
    expect(await screen.findByText(/无法发送画面/)).toBeTruthy();
    expect(screen.queryByText(/正在等/)).toBeNull();
  });
  it.each<[HostError, RegExp]>([
    [busy, /练习的人多/],
    [{ name: 'unreachable' }, /连不上法庭/],
    [{ name: 'internal' }, /没有开始/],
  ])('says why there is no room: %j', async (error, words) => {
    open([error]);
    expect(await screen.findByText(words)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: '再练一次' }));
    await waitFor(() => expect(screen.queryByText(words)).toBeNull());
  });
});
