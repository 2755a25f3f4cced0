// 练习: a room in which a person sees and hears himself as the others will, his own voice a second later. Keeps nothing, and no
// hearing knows of it.

import { RoomEvent, Track } from 'livekit-client';
import type { ByeReason, Practice } from '../../wire/generated';
import { HostFailure } from '../host';
import { post } from './api';
import type { Capture } from './capture';
import { encodesH264 } from './publish';
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
    /** It is over, and nobody here ended it. */
    private readonly ended: (reason: ByeReason) => void,
  ) {}

  /** Enters, with the devices on. Whoever ends it meanwhile finds everything closed again. */
  async start(): Promise<void> {
    if (this.over) return;
    // Without the court's codec no picture would ever come back.
    if (!encodesH264()) return this.close('updateNeeded');
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
    const lost = new Promise<never>((_, reject) => mirror.onLost(() => reject(new HostFailure({ name: 'unreachable' }))));
    lost.catch(() => undefined);
    try {
      for (const [kind, on] of [['video', capture.wants.camera], ['audio', capture.wants.mic]] as const) {
        if (on) continue;
        this.opened.push(kind);
        await capture.turn(kind, true);
        if (this.over) return await this.release();
      }
      const practice = await post<Practice>('/practice', {});
      if (this.over) return await this.release();
      await Promise.race([mirror.enter(practice, ENTER_MS), lost]);
      if (this.over) return await this.release();
      await Promise.race([mirror.send(capture.running.microphone, capture.picture, PICTURE_BPS), lost]);
      if (this.over) return await this.release();
    } catch (error) {
      // What its owner has ended did not fail.
      if (this.over) return this.release();
      await this.end();
      throw error instanceof HostFailure ? error : new HostFailure({ name: 'unreachable' });
    }
    // The server ends a practice after its time.
    lost.catch(() => this.close('hearingEnded'));
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
    await this.release();
    this.changed();
  }

  /** Leaves, and says why. */
  private async close(reason: ByeReason): Promise<void> {
    if (this.over) return;
    await this.end();
    this.ended(reason);
  }

  /** Turns off what runs only for the practice, each once: a practice after this one has them for itself. */
  private async release(): Promise<void> {
    for (const kind of this.opened.splice(0)) await this.capture.turn(kind, false);
    await this.mirror.leave();
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
