// One seat in one hearing: follows the channel, applies the court's control to the devices before the page hears of
// it, keeps the media room, and tells the court how switches and network are.

import type { Command, DeviceConditions, HostEvent, Outcome, SeatTaken, SendCommand, ServerFrame, TrackView } from '../../wire/generated';
import { Awake } from './awake';
import type { Capture } from './capture';
import { Channel } from './channel';
import { Follower, Teller } from './condition';
import { follow, inLiveRoom, receives, reportsSwitches, sendingOf, type Standing } from './control';
import { MediaRoom } from './media';
import { look, measure, NETWORK_EVERY_MS, type Counters } from './network';
import { SwitchReport } from './report';
import { ChannelDriver } from './socket';
import type { Shown, Surfaces } from './surfaces';

/** The own devices are looked at so often. */
const LOOK_EVERY_MS = 500;

/** What a session needs of the host around it. */
export interface Around {
  capture: Capture;
  surfaces: Surfaces;
  /** Program and version, for the technician. */
  client: string;
  say(event: HostEvent): void;
  /** The pictures to be shown changed. */
  show(): void;
  /** The court ended this seat's part; the program must not come back by itself. */
  over(): void;
}

/** A seat that is held. */
export class HearingSession {
  private readonly driver: ChannelDriver;
  private readonly room: MediaRoom;
  private readonly report = new SwitchReport((which, on) => this.tell({ type: which === 'mic' ? 'self.mic' : 'self.camera', on }));
  private readonly awake = new Awake();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly looking: ReturnType<typeof setInterval>;
  private readonly conditions = new Follower();
  private readonly teller = new Teller();
  /** How the devices are, as the court has it. */
  private onRecord: DeviceConditions | null = null;
  private standing: Standing | null = null;
  /** What the page shows, once it has said so. */
  private shown: readonly TrackView[] | null = null;
  private channelRttMs = 0;
  private counters: Counters | null = null;
  /** The page goes away and the browser takes its devices: no act of the person, and after a reload they are to come back. */
  private leaving = false;
  private readonly aborter = new AbortController();

  constructor(
    readonly seat: SeatTaken,
    private readonly around: Around,
  ) {
    this.room = new MediaRoom({
      link: (state) => around.say({ type: 'mediaLink', state }),
      pictures: () => {
        this.askForSizes();
        around.show();
      },
      speakers: (seats) => around.say({ type: 'speakers', seats }),
      playback: (blocked) => around.say({ type: 'playback', blocked }),
      cannotSend: (source) => around.capture.cannotSend(source),
    });
    this.driver = new ChannelDriver(new Channel(seat, around.client, Math.random), channelUrl(seat.hearing), {
      link: (state) => {
        if (state.name === 'ended') around.over();
        around.say({ type: 'link', state });
      },
      frame: (frame) => this.hear(frame),
      measured: (rttMs) => (this.channelRttMs = rttMs),
    });
    this.timer = setInterval(() => void this.measureNetwork(), NETWORK_EVERY_MS);
    this.looking = setInterval(() => this.tellDevices(), LOOK_EVERY_MS);
    if (around.capture.speaker !== null) void this.playOn(around.capture.speaker);
    const { signal } = this.aborter;
    addEventListener('pagehide', () => (this.leaving = true), { signal });
    // A page that was kept, and is shown again.
    addEventListener('pageshow', () => ((this.leaving = false), this.apply()), { signal });
  }

  /** Opens the channel. */
  start(): void {
    this.awake.keep();
    this.driver.start();
  }

  /** Tries the lost way again now. */
  retryNow(): void {
    this.driver.retryNow();
  }

  /** Sends a command of the page. */
  command(send: SendCommand): Promise<Outcome | 'ended'> {
    return this.driver.command(send);
  }

  /** Which loudspeaker plays the others. */
  playOn(speaker: string | null): Promise<void> {
    return this.room.playOn(speaker);
  }

  /** Closes channel and media room. */
  end(): void {
    clearInterval(this.timer);
    clearInterval(this.looking);
    this.aborter.abort();
    this.awake.release();
    this.driver.end();
    this.room.close();
  }

  /** Something about one's own devices changed: brings what is sent and reported in line. */
  apply(): void {
    const { capture } = this.around;
    capture.keepEar(this.standing !== null && inLiveRoom(this.standing));
    this.room.receive(receives(this.standing));
    this.room.send(capture.plans(this.standing));
    if (this.leaving || this.standing === null || !reportsSwitches(this.standing)) return;
    const { media } = this.standing;
    const again = () => this.apply();
    // A device that is being opened says nothing yet; a locked one has nothing to say.
    const mic = capture.switchedOn('microphone');
    if (mic !== null && !(mic && media.micLocked)) this.report.compare('mic', media.mic, mic, again);
    const camera = capture.switchedOn('camera');
    if (camera !== null && !(camera && media.cameraLocked)) this.report.compare('camera', media.camera, camera, again);
  }

  /** What the microphone hears now is heard in court. */
  get isHeard(): boolean {
    return sendingOf(this.standing, this.around.capture.wants, false).mic;
  }

  /** The pictures of the others. */
  pictures(): Shown[] {
    return this.room.pictures().map(({ seat, source, muted, width, height, track }) => ({ seat, source, own: false, muted, width, height, track }));
  }

  /** How large each picture is shown; those left out are not sent to us. */
  views(views: readonly TrackView[]): void {
    this.shown = views;
    this.askForSizes();
  }

  /** Somebody who came back has a new track behind the old slot, and it knows nothing of sizes yet. */
  private askForSizes(): void {
    if (this.shown === null) return;
    const wanted = new Map(this.shown.map((view) => [view.slot, view]));
    for (const { seat, source, publication } of this.room.pictures()) {
      const view = wanted.get(this.around.surfaces.slot(seat, source, false));
      const shown = view !== undefined && view.width > 0 && view.height > 0;
      publication.setEnabled(shown);
      if (shown) publication.setVideoDimensions({ width: view.width, height: view.height });
    }
  }

  /** Sends a command of the host itself; false when the court refused it. */
  async tell(command: Command): Promise<boolean> {
    const outcome = await this.driver.command({ commandId: crypto.randomUUID(), expectedSeq: null, command });
    return outcome !== 'ended' && (outcome.name === 'accepted' || outcome.code === 'nothingToDo');
  }

  private hear(frame: ServerFrame): void {
    const { capture } = this.around;
    const before = this.standing;
    const after = follow(before, frame);
    // The devices are asked for before anything is reported, so that a reload does not report them off.
    if (before === null && after !== null) this.resume(after);
    this.standing = after;
    if (after !== null && after !== before) {
      capture.obey(after);
      this.apply();
    }
    this.noteRecord(frame);
    if (this.stoppedMyShare(frame)) {
      capture.unshare();
      this.around.say({ type: 'shareEnded' });
    }
    const media = frame.type === 'welcome' || frame.type === 'media' ? frame.media : null;
    if (media !== null) this.room.enter(media);
    this.around.say({ type: 'channel', frame });
  }

  /** How the court has the own devices. */
  private noteRecord(frame: ServerFrame): void {
    if (frame.type === 'welcome' || frame.type === 'snapshot') {
      const { snapshot } = frame;
      this.onRecord = snapshot.participants.find(({ seat }) => seat.id === snapshot.you)?.devices ?? null;
      this.teller.refreshed();
    } else if (frame.type === 'event' && frame.envelope.type === 'participant.devices') {
      const { seat, devices } = frame.envelope.payload;
      if (seat === this.seat.seat) this.onRecord = devices;
    }
  }

  /** Tells the court how the own devices are, when that changed. */
  private tellDevices(): void {
    const { capture } = this.around;
    const now = performance.now();
    const moment = { camera: capture.stateOf('camera'), microphone: capture.stateOf('microphone'), peakDb: capture.takePeak() };
    const devices = this.conditions.look(now, moment);
    if (this.leaving || this.onRecord === null || !this.teller.isDue(now, devices, this.onRecord)) return;
    this.teller.told(now, devices);
    void this.tell({ type: 'self.devices', devices }).then((taken) => this.teller.answered(taken));
  }

  /** After a reload the devices come back as the court last knew them. */
  private resume(standing: Standing): void {
    const { capture } = this.around;
    const { mic, camera, micLocked, cameraLocked } = standing.media;
    if (camera && !cameraLocked && !capture.wants.camera) void capture.turn('video', true);
    if (mic && !micLocked && !capture.wants.mic) void capture.turn('audio', true);
  }

  private stoppedMyShare(frame: ServerFrame): boolean {
    if (frame.type !== 'event' || frame.envelope.type !== 'share.state' || this.around.capture.screen === null) return false;
    return frame.envelope.payload.seat === this.standing?.seat && !frame.envelope.payload.on;
  }

  private async measureNetwork(): Promise<void> {
    const room = this.room.connected;
    if (room === null) {
      this.counters = null;
      return;
    }
    const before = this.counters;
    this.counters = await look(room);
    if (before === null) return;
    const { quality: measured, rttMs, loss, jitterMs, sendingKbps, receivingKbps } = measure(before, this.counters, this.channelRttMs);
    // What holds one's own voice up is the network, whatever the packets that do arrive look like.
    const quality = this.room.voiceStuck ? 'bad' : measured;
    this.around.say({ type: 'network', quality, rttMs, loss, sendingKbps, receivingKbps });
    this.driver.tell({ type: 'netReport', rttMs, loss, jitterMs });
  }
}

/** The hearing channel's address on the court's own server. */
export function channelUrl(hearing: string): string {
  const url = new URL(`/api/v1/hearings/${encodeURIComponent(hearing)}/channel`, location.origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
