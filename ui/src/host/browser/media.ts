// The media room of one seat through livekit-client: keeps the connection, sends what it is told to send, and shows
// what comes. It decides nothing about what may be sent; that is `control`.

import {
  ConnectionState,
  DisconnectReason,
  type LocalTrack,
  type LocalTrackPublication,
  PublishTrackError,
  type RemoteTrack,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
} from 'livekit-client';
import type { LinkState, MediaAccess, SeatId, TrackSource } from '../../wire/generated';
import { retryDelayMs } from './backoff';
import { encodesH264, publishOptions, roomOptions } from './publish';

/** What one source is to do. */
export type Plan = { name: 'none' } | { name: 'muted' } | { name: 'on'; track: MediaStreamTrack };
export type Plans = Record<TrackSource, Plan>;

/** What needs the court's codec for pictures. Sound can always be sent. */
export type PictureSource = Exclude<TrackSource, 'microphone'>;

/** A picture that comes from somebody else. */
export interface Picture {
  seat: SeatId;
  source: TrackSource;
  muted: boolean;
  width: number;
  height: number;
  track: MediaStreamTrack | null;
  publication: RemoteTrackPublication;
}

/** Who hears what the room says. */
export interface MediaListener {
  link(state: LinkState): void;
  /** Pictures came, went, or were muted. */
  pictures(): void;
  speakers(seats: SeatId[]): void;
  /** Whether the browser holds the others' sound back until the person touches the page. */
  playback(blocked: boolean): void;
  /** This browser cannot send that picture. */
  cannotSend(source: PictureSource): void;
}

const SOURCES: Record<TrackSource, Track.Source> = {
  microphone: Track.Source.Microphone,
  camera: Track.Source.Camera,
  screen: Track.Source.ScreenShare,
};
/** What counts as a touch for the browser: with a finger not the touching but the letting go; a screen reader sends `click` alone. */
const TOUCHES = ['pointerup', 'click', 'keydown'];
const ALL: readonly TrackSource[] = ['microphone', 'camera', 'screen'];
/** A picture that fails so often on a live connection is one that this browser cannot send. */
const GIVE_UP_AFTER = 2;
/** A voice that fails so often is held up by the connection: it goes on trying, and its owner is told. */
const STUCK_AFTER = 3;
/** What the library says while the right to send is still on its way. */
const NO_RIGHT_YET = 403;
/** After these the room is not to be entered again by oneself; the hearing channel says what comes next. */
const FINAL = [DisconnectReason.DUPLICATE_IDENTITY, DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED];

// The library's own log would carry names and addresses.
setLogLevel('silent');

/** One seat in the media room. */
export class MediaRoom {
  private room: Room | null = null;
  private access: MediaAccess | null = null;
  private plans: Plans = { microphone: { name: 'none' }, camera: { name: 'none' }, screen: { name: 'none' } };
  private attempt = 0;
  private lostAt: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settling = false;
  private dirty = false;
  /** Failures in a row to send each source, on a live connection. */
  private readonly failures: Record<TrackSource, number> = { microphone: 0, camera: 0, screen: 0 };
  private tries = 0;
  private blocked = false;
  private closed = false;
  private speaker: string | null = null;
  private receiving = false;
  /** The elements that play the others. */
  private readonly voices = new Map<RemoteTrack, HTMLMediaElement>();
  private readonly gestures = new AbortController();

  constructor(
    private readonly listener: MediaListener,
    private readonly newRoom: () => Room = () => new Room(roomOptions()),
  ) {
    // A page that was reloaded may not make a sound before the person has touched it. Any touch will do.
    const start = () => void this.room?.startAudio().catch(() => undefined);
    for (const kind of TOUCHES) addEventListener(kind, start, { signal: this.gestures.signal });
  }

  /** The room that is connected now, for measuring. */
  get connected(): Room | null {
    return this.room;
  }

  /** One's own voice is wanted on and does not get through. */
  get voiceStuck(): boolean {
    return this.failures.microphone >= STUCK_AFTER;
  }

  /**
   * Where and how to enter; also a renewed token. A way in that comes while the library is still trying to repair the
   * old connection is taken at once: after a restart of the server there is nothing to repair.
   */
  enter(access: MediaAccess): void {
    this.access = access;
    const repairing = [ConnectionState.Reconnecting, ConnectionState.SignalReconnecting];
    if (this.room !== null && repairing.includes(this.room.state)) this.abandon();
    if (this.room === null && !this.closed) void this.connect();
  }

  /** What is to be sent from now on. */
  send(plans: Plans): void {
    this.plans = plans;
    void this.settle();
  }

  /** Whether the others are heard and seen; the media server enforces the same. */
  receive(on: boolean): void {
    if (this.receiving === on) return;
    this.receiving = on;
    for (const element of this.voices.values()) element.muted = !on;
    this.listener.pictures();
  }

  /** Which loudspeaker plays the others. */
  async playOn(speaker: string | null): Promise<void> {
    this.speaker = speaker;
    await this.room?.switchActiveDevice('audiooutput', speaker ?? 'default').catch(() => undefined);
  }

  /** All pictures of the others. */
  pictures(): Picture[] {
    const found: Picture[] = [];
    if (!this.receiving) return found;
    for (const participant of this.room?.remoteParticipants.values() ?? []) {
      for (const publication of participant.trackPublications.values()) {
        const source = ALL.find((one) => SOURCES[one] === publication.source);
        if (source === undefined || publication.kind !== Track.Kind.Video) continue;
        const { width = 0, height = 0 } = publication.dimensions ?? {};
        const track = publication.track?.mediaStreamTrack ?? null;
        found.push({ seat: participant.identity, source, muted: publication.isMuted, width, height, track, publication });
      }
    }
    return found;
  }

  /** Leaves the room for good. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.gestures.abort();
    this.abandon();
  }

  private abandon(): void {
    const { room } = this;
    this.room = null;
    this.silence();
    void room?.disconnect(false).catch(() => undefined);
  }

  private async connect(): Promise<void> {
    if (this.access === null || this.closed) return;
    clearTimeout(this.timer);
    const room = this.newRoom();
    this.room = room;
    this.listen(room);
    this.listener.link(this.lostAt === null ? { name: 'connecting' } : this.retrying(0));
    try {
      await room.connect(signalUrl(this.access.url), this.access.token, { maxRetries: 0 });
      if (this.room !== room) return;
      this.arrived();
      if (this.speaker !== null) await this.playOn(this.speaker);
    } catch {
      if (this.room === room) this.lost();
    }
  }

  private arrived(): void {
    this.attempt = 0;
    this.lostAt = null;
    this.listener.link({ name: 'live' });
    this.listener.pictures();
    void this.room?.startAudio().catch(() => undefined);
    void this.settle();
  }

  private lost(): void {
    this.room = null;
    this.silence();
    if (this.closed) return;
    this.listener.pictures();
    this.listener.speakers([]);
    this.lostAt ??= performance.now();
    this.attempt += 1;
    const wait = retryDelayMs(this.attempt, Math.random());
    this.listener.link(this.retrying(wait));
    this.timer = setTimeout(() => void this.connect(), wait);
  }

  private retrying(retryInMs: number): LinkState {
    const lostForMs = Math.round(performance.now() - (this.lostAt ?? performance.now()));
    return { name: 'retrying', attempt: Math.max(1, this.attempt), retryInMs, lostForMs };
  }

  private listen(room: Room): void {
    const pictures = () => this.room === room && this.listener.pictures();
    room.on(RoomEvent.Disconnected, (reason) => {
      if (this.room !== room) return;
      if (reason === undefined || !FINAL.includes(reason)) return this.lost();
      this.room = null;
      this.silence();
      this.listener.pictures();
    });
    room.on(RoomEvent.Reconnecting, () => {
      this.lostAt ??= performance.now();
      this.listener.link(this.retrying(0));
    });
    room.on(RoomEvent.Reconnected, () => this.room === room && this.arrived());
    room.on(RoomEvent.AudioPlaybackStatusChanged, () => this.room === room && this.playback(!room.canPlaybackAudio));
    room.on(RoomEvent.ActiveSpeakersChanged, (speakers) => this.listener.speakers(speakers.map((one) => one.identity)));
    room.on(RoomEvent.ParticipantPermissionsChanged, (_, participant) => {
      if (participant === room.localParticipant) void this.settle();
    });
    room.on(RoomEvent.LocalTrackUnpublished, () => void this.settle());
    room.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) this.play(track);
      pictures();
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => {
      this.voices.get(track)?.remove();
      this.voices.delete(track);
      pictures();
    });
    for (const event of [
      RoomEvent.TrackPublished,
      RoomEvent.TrackUnpublished,
      RoomEvent.TrackMuted,
      RoomEvent.TrackUnmuted,
      RoomEvent.ParticipantDisconnected,
    ] as const) {
      room.on(event, pictures);
    }
  }

  /** Brings what is sent in line with the plans, one change at a time; a source that fails holds no other back. */
  private async settle(): Promise<void> {
    this.dirty = true;
    if (this.settling) return;
    this.settling = true;
    let open = false;
    while (this.dirty && this.room !== null) {
      const { room } = this;
      this.dirty = false;
      open = false;
      for (const source of ALL) {
        if (this.room === room) open = !(await this.settled(room, source)) || open;
      }
    }
    this.settling = false;
    this.tries = open ? this.tries + 1 : 0;
    // Rights that are on their way, a connection that is being repaired: the same again a little later.
    if (open && !this.closed) setTimeout(() => void this.settle(), retryDelayMs(this.tries, Math.random()));
  }

  /** False when the source has to be looked at again. */
  private async settled(room: Room, source: TrackSource): Promise<boolean> {
    const plan = this.plans[source];
    try {
      await this.settleOne(room, source, plan);
      this.failures[source] = 0;
      return true;
    } catch (error) {
      const rightful = !(error instanceof PublishTrackError && error.status === NO_RIGHT_YET);
      const live = this.room === room && room.state === ConnectionState.Connected;
      if (plan.name === 'on' && rightful && live) this.failures[source] += 1;
      if (source === 'microphone' || this.failures[source] < GIVE_UP_AFTER) return false;
      this.failures[source] = 0;
      this.listener.cannotSend(source);
      return true;
    }
  }

  private async settleOne(room: Room, source: TrackSource, plan: Plan): Promise<void> {
    const publication = room.localParticipant.getTrackPublication(SOURCES[source]);
    const sent = publication?.track;
    if (plan.name === 'on') {
      if (sent === undefined) await this.publish(room, source, plan.track);
      else await putOn(sent, plan.track);
    } else if (sent !== undefined) {
      if (plan.name === 'muted') await sent.mute();
      else await room.localParticipant.unpublishTrack(sent, false);
    }
  }

  private play(track: RemoteTrack): void {
    const element = track.attach();
    element.hidden = true;
    element.muted = !this.receiving;
    document.body.append(element);
    this.voices.set(track, element);
  }

  private silence(): void {
    for (const element of this.voices.values()) element.remove();
    this.voices.clear();
    this.playback(false);
  }

  private playback(blocked: boolean): void {
    if (this.blocked === blocked) return;
    this.blocked = blocked;
    this.listener.playback(blocked);
  }

  private async publish(room: Room, source: TrackSource, track: MediaStreamTrack): Promise<LocalTrackPublication> {
    // Without the codec the library would offer a section that nobody answers, and call it sent.
    if (source !== 'microphone' && !encodesH264()) throw new Error('this browser has no H.264 encoder');
    return room.localParticipant.publishTrack(track, publishOptions(source, SOURCES[source]));
  }
}

async function putOn(sent: LocalTrack, track: MediaStreamTrack): Promise<void> {
  if (sent.mediaStreamTrack !== track) await sent.replaceTrack(track, true);
  if (sent.isMuted) await sent.unmute();
}

/** The signalling address: the court's own server unless it says otherwise. */
export function signalUrl(url: string): string {
  const base = new URL(location.origin);
  base.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
  return new URL(url === '' ? '/' : url, base).href.replace(/\/$/u, '');
}
