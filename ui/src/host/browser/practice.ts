// 练习: a room in which a person sees and hears himself as the others will, his own voice a second later. Keeps nothing, and no
// hearing knows of it.

import { RoomEvent, Track } from 'livekit-client';
import type { Practice } from '../../wire/generated';
import { HostFailure } from '../host';
import { post } from './api';
import type { Capture } from './capture';
import { Mirror } from './selftest/room';
import type { Shown } from './surfaces';

/** Heard at once, nobody can speak; heard a second later, it is somebody else. */
const LATER_S = 1;
/** Until both ends are in the room. */
const ENTER_MS = 10_000;
/** As in a hearing. */
const PICTURE_BPS = 1_500_000;

export class PracticeSession {
  private readonly mirror = new Mirror();
  private readonly context = new AudioContext();
  private readonly mute = new Audio();
  private shown: MediaStreamTrack | null = null;
  /** Devices that ran only for the practice. */
  private readonly opened: ('video' | 'audio')[] = [];
  private over = false;

  constructor(
    private readonly capture: Capture,
    /** The picture that comes back is there, or gone. */
    private readonly changed: () => void,
  ) {}

  /** Enters, with the devices on. */
  async start(): Promise<void> {
    const { mirror, capture } = this;
    mirror.receiving.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) return this.play(track.mediaStreamTrack);
      this.shown = track.mediaStreamTrack;
      this.changed();
    });
    mirror.receiving.on(RoomEvent.TrackUnsubscribed, (track) => {
      if (this.shown === track.mediaStreamTrack) this.shown = null;
      this.changed();
    });
    for (const [kind, on] of [['video', capture.wants.camera], ['audio', capture.wants.mic]] as const) {
      if (on) continue;
      this.opened.push(kind);
      await capture.turn(kind, true);
    }
    const practice = await post<Practice>('/practice', {});
    try {
      await mirror.enter(practice, ENTER_MS);
      const { picture, running } = capture;
      if (!this.over) await mirror.send(running.microphone, picture, PICTURE_BPS);
    } catch {
      await this.end();
      throw new HostFailure({ name: 'unreachable' });
    }
    if (this.over) await mirror.leave();
  }

  /** What is sent follows the devices. */
  async apply(): Promise<void> {
    if (!this.over) await this.mirror.follow(this.capture.running.microphone, this.capture.picture);
  }

  /** The picture that comes back. */
  pictures(): Shown[] {
    const { shown: track } = this;
    if (track === null) return [];
    const { width = 0, height = 0 } = track.getSettings();
    return [{ seat: '', source: 'camera', own: false, muted: false, width, height, track }];
  }

  /** Leaves. */
  async end(): Promise<void> {
    if (this.over) return;
    this.over = true;
    this.shown = null;
    this.mute.srcObject = null;
    void this.context.close().catch(() => undefined);
    for (const kind of this.opened) await this.capture.turn(kind, false);
    await this.mirror.leave();
    this.changed();
  }

  private play(track: MediaStreamTrack): void {
    if (this.over) return;
    const stream = new MediaStream([track]);
    // Some browsers let a received sound run only where an element plays it.
    this.mute.muted = true;
    this.mute.srcObject = stream;
    void this.mute.play().catch(() => undefined);
    const later = this.context.createDelay(LATER_S);
    later.delayTime.value = LATER_S;
    this.context.createMediaStreamSource(stream).connect(later).connect(this.context.destination);
    void this.context.resume().catch(() => undefined);
  }
}
