// A practice room with both ends in this page: one connection sends, the other receives the same back from the server. It is the
// connection of a hearing (livekit-client); it does not come back by itself when it is lost.

import { Room, RoomEvent, Track } from 'livekit-client';
import type { Practice } from '../../../wire/generated';
import { signalUrl } from '../media';
import { encodesH264, roomOptions } from '../publish';
import type { Stat } from './paths';
import { within } from './within';

/** Why no media comes back. */
export type NoRoom = 'signal' | 'media';

/** Both ends. */
export class Mirror {
  private readonly me = new Room(roomOptions());
  private readonly back = new Room(roomOptions());
  private sender: RTCRtpSender | undefined;
  private signalled = false;

  /** Enters with both ends. Rejects in time; `why` then says how far it came. */
  async enter({ media, mirror }: Practice, ms: number, signal?: AbortSignal): Promise<void> {
    const url = signalUrl(media.url);
    this.me.once(RoomEvent.SignalConnected, () => (this.signalled = true));
    const both = Promise.all([
      this.me.connect(url, media.token, { maxRetries: 0 }),
      this.back.connect(url, mirror, { maxRetries: 0 }),
    ]);
    await within(both, ms, signal);
  }

  /** Calls `lost` when either end is out of the room, for whatever reason. */
  onLost(lost: () => void): void {
    for (const end of [this.me, this.back]) end.once(RoomEvent.Disconnected, lost);
  }

  /** How far entering came. */
  get why(): NoRoom {
    return this.signalled ? 'media' : 'signal';
  }

  /** Sends sound and, where this browser can encode it, a picture. `bps` is the most at the beginning. */
  async send(sound: MediaStreamTrack | null, picture: MediaStreamTrack | null, bps: number): Promise<void> {
    const { localParticipant } = this.me;
    if (sound !== null) {
      await localParticipant.publishTrack(sound, { name: 'microphone', source: Track.Source.Microphone, dtx: false, red: false });
    }
    if (picture === null || !encodesH264()) return;
    const published = await localParticipant.publishTrack(picture, {
      name: 'camera',
      source: Track.Source.Camera,
      videoCodec: 'h264',
      backupCodec: false,
      simulcast: false,
      videoEncoding: { maxBitrate: bps, maxFramerate: 30 },
      degradationPreference: 'maintain-resolution',
    });
    this.sender = published.track?.sender;
  }

  /** Sends these from now on, where something of the kind was sent before. */
  async follow(sound: MediaStreamTrack | null, picture: MediaStreamTrack | null): Promise<void> {
    for (const [source, track] of [[Track.Source.Microphone, sound], [Track.Source.Camera, picture]] as const) {
      const sent = this.me.localParticipant.getTrackPublication(source)?.track;
      if (!sent || track === null || sent.mediaStreamTrack.id === track.id) continue;
      await sent.replaceTrack(track, true).catch(() => undefined);
    }
  }

  /** A picture is sent. */
  get sendsPicture(): boolean {
    return this.sender !== undefined;
  }

  /** Asks for another rate of pictures. */
  async ask(bps: number): Promise<void> {
    const parameters = this.sender?.getParameters();
    for (const encoding of parameters?.encodings ?? []) encoding.maxBitrate = bps;
    if (parameters) await this.sender?.setParameters(parameters);
  }

  /** Statistics of the sending end. */
  sent(): Promise<Stat[]> {
    return statsOf(this.me);
  }

  /** Statistics of the receiving end. */
  came(): Promise<Stat[]> {
    return statsOf(this.back);
  }

  /** What comes back, for whoever wants to see and hear himself. */
  get receiving(): Room {
    return this.back;
  }

  /** Leaves by its own word, so that the room ends at once. What was sent is its owner's, and goes on. */
  async leave(): Promise<void> {
    await Promise.allSettled([this.me.disconnect(false), this.back.disconnect(false)]);
  }
}

async function statsOf(room: Room): Promise<Stat[]> {
  const { publisher, subscriber } = room.engine.pcManager ?? {};
  const stats: Stat[] = [];
  for (const transport of [publisher, subscriber]) {
    const report = await transport?.getStats()?.catch(() => undefined);
    report?.forEach((stat: Stat) => stats.push(stat));
  }
  return stats;
}
