/**
 * The host of a plain browser: the court's server over HTTP and WebSocket, sound and picture through livekit-client.
 * The parts are in `browser/`; this maps the commands of the page to them.
 */
import type { DeviceKind, DeviceList, HostCommands, HostEvent, QuickCheck, SeatTaken, StaffSignedIn } from '../wire/generated';
import { post, roundTrip } from './browser/api';
import { Capture } from './browser/capture';
import { Checks, seatTests, sendReport } from './browser/checks';
import { faultOf } from './browser/devices';
import { apply } from './browser/fixes';
import { PracticeSession } from './browser/practice';
import { heldSeat, holdSeat } from './browser/seat';
import { cannotKnow } from './browser/selftest/computer';
import { keepReport, keptReports } from './browser/selftest/history';
import { readPermissions } from './browser/selftest/permissions';
import { HearingSession } from './browser/session';
import { playGavel } from './browser/sound';
import { Surfaces, type Shown } from './browser/surfaces';
import { HostFailure, type Host, type HostCan } from './host';

type Handlers = { [K in keyof HostCommands]: (args: HostCommands[K]['args']) => Promise<HostCommands[K]['reply']> };

/** How long `check.quick` watches a running device. */
const CHECK_MS = 3_000;
/** A channel that is not live again after this did not come back. */
const RECONNECT_MS = 10_000;
const VERSION: string = import.meta.env['VITE_VERSION'];

class BrowserHost implements Host {
  readonly kind = 'browser';
  readonly can: HostCan = {
    share: typeof navigator.mediaDevices?.getDisplayMedia === 'function' ? 'browser' : 'no',
    chooseSpeaker: 'setSinkId' in HTMLMediaElement.prototype,
    checkBeforeSeat: true,
    selfTest: true,
    openSettings: false,
    cannotKnow: cannotKnow(),
  };
  private readonly listeners = new Set<(event: HostEvent) => void>();
  private readonly surfaces = new Surfaces();
  private session: HearingSession | null = null;
  private practice: PracticeSession | null = null;
  /** Of a signed-in member of staff; never stored. */
  private bearer = '';
  private readonly capture = new Capture(
    (event) => this.say(event),
    () => {
      this.session?.apply();
      void this.practice?.apply();
      this.show();
    },
  );
  private readonly checks = new Checks(
    this.capture,
    VERSION,
    (event) => this.say(event),
    () => this.session?.isHeard ?? false,
  );

  private readonly handlers: Handlers = {
    'app.start': async () => ({
      version: VERSION,
      server: location.origin,
      code: codeInAddress(),
      // Pictures are attached as elements; nothing is fetched over a socket here.
      frames: { url: '', token: '' },
      session: heldSeat(),
    }),
    'court.enter': (args) => post('/enter', args),
    'court.takeSeat': (args) => post('/seat', args),
    'court.signIn': async (args) => {
      const signedIn = await post<StaffSignedIn>('/staff/sign-in', args);
      this.bearer = signedIn.token;
      return signedIn;
    },
    'court.staffSeat': (args) => post('/staff/seat', args, this.bearer),
    'hearing.join': async (seat) => {
      this.join(seat);
      return null;
    },
    'hearing.command': async (send) => {
      const outcome = await this.need().command(send);
      if (outcome === 'ended') throw new HostFailure({ name: 'noSession' });
      return outcome;
    },
    'hearing.retryNow': async () => {
      this.need().retryNow();
      return null;
    },
    'hearing.end': async () => {
      this.leave();
      return null;
    },
    'devices.list': () => this.capture.list(),
    'devices.choose': ({ kind, id }) => this.choose(kind, id),
    'media.switch': async ({ kind, on }) => {
      this.throwIf(await this.capture.turn(kind, on));
      return null;
    },
    'media.views': async (views) => {
      this.session?.views(views);
      return null;
    },
    'check.playSound': async () => {
      await playGavel(this.capture.speaker).catch((error: unknown) => this.throwIf(faultOf(error)));
      return null;
    },
    'check.quick': () => this.check(),
    'check.start': async (plan) => {
      this.checks.start(plan);
      return null;
    },
    'check.stop': async () => {
      this.checks.stop();
      return null;
    },
    'check.history': async () => keptReports(),
    'check.keep': async (report) => {
      keepReport(report);
      return null;
    },
    'check.send': async (report) => {
      await sendReport(report);
      return null;
    },
    'check.look': () => this.checks.look(),
    'check.hear': () => this.checks.hear(),
    'check.replay': async () => {
      await this.checks.replay();
      return null;
    },
    'check.loop': () => this.checks.loop(),
    'check.permissions': () => readPermissions(),
    // Declared in `can`: the page does not ask.
    'check.settings': async () => {
      throw new HostFailure({ name: 'internal' });
    },
    'camera.turn': async (on) => {
      this.capture.turnPicture(on);
      return null;
    },
    'court.selfTests': async () => seatTests(this.need().seat),
    'fix.apply': async (fix) => {
      await apply(fix, { capture: this.capture, choose: (kind, id) => this.choose(kind, id), reconnect: () => this.reconnect() });
      return null;
    },
    'practice.start': async () => {
      const before = this.practice;
      const practice = new PracticeSession(
        this.capture,
        () => this.show(),
        (reason) => {
          if (this.practice === practice) this.practice = null;
          this.say({ type: 'mediaLink', state: { name: 'ended', reason } });
        },
      );
      this.practice = practice;
      await before?.end();
      await practice.start().catch((error: unknown) => {
        if (this.practice === practice) this.practice = null;
        throw error;
      });
      return null;
    },
    'practice.stop': async () => {
      const { practice } = this;
      this.practice = null;
      await practice?.end();
      return null;
    },
    'share.sources': async () => [],
    'share.start': () => this.share(),
    'share.stop': async () => {
      this.capture.unshare();
      await this.need().tell({ type: 'share.stop', seat: null });
      return null;
    },
  };

  call<K extends keyof HostCommands>(name: K, args: HostCommands[K]['args']): Promise<HostCommands[K]['reply']> {
    return this.handlers[name](args);
  }

  on(listener: (event: HostEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  attach(slot: number, box: HTMLElement): () => void {
    return this.surfaces.attach(slot, box);
  }

  private say(event: HostEvent): void {
    // The browser ended the share by itself: the court is told, too.
    if (event.type === 'shareEnded') void this.session?.tell({ type: 'share.stop', seat: null });
    for (const listener of this.listeners) listener(event);
  }

  private join(seat: SeatTaken): void {
    this.session?.end();
    holdSeat(seat);
    const around = {
      capture: this.capture,
      surfaces: this.surfaces,
      client: `mingting-web/${VERSION}`,
      say: (event: HostEvent) => this.say(event),
      show: () => this.show(),
      over: () => this.leave(),
    };
    this.session = new HearingSession(seat, around);
    this.session.start();
  }

  private async choose(kind: DeviceKind, id: string | null): Promise<DeviceList> {
    if (kind === 'speaker') await this.session?.playOn(id);
    this.throwIf(await this.capture.choose(kind, id));
    return this.capture.list();
  }

  /** Drops channel and media of the seat and opens both again. */
  private async reconnect(): Promise<void> {
    const { seat } = this.need();
    const live = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => (stop(), reject(new HostFailure({ name: 'unreachable' }))), RECONNECT_MS);
      const stop = this.on((event) => {
        if (event.type !== 'link' || event.state.name !== 'live') return;
        clearTimeout(late);
        stop();
        resolve();
      });
    });
    this.join(seat);
    await live;
  }

  private need(): HearingSession {
    if (this.session === null) throw new HostFailure({ name: 'noSession' });
    return this.session;
  }

  private throwIf(fault: Parameters<typeof deviceFailure>[0] | null): void {
    if (fault !== null) throw deviceFailure(fault);
  }

  private leave(): void {
    const { session } = this;
    this.session = null;
    this.checks.stop();
    holdSeat(null);
    session?.end();
    this.capture.close();
    this.show();
  }

  private show(): void {
    const seat = this.session?.seat.seat ?? '';
    const own: Shown[] = [];
    const add = (source: 'camera' | 'screen', track: MediaStreamTrack | null) => {
      const { width = 0, height = 0 } = track?.getSettings() ?? {};
      if (track !== null) own.push({ seat, source, own: true, muted: false, width, height, track });
    };
    add('camera', this.capture.picture);
    add('screen', this.capture.screen);
    this.say({ type: 'tracks', tracks: this.surfaces.update([...own, ...(this.session?.pictures() ?? this.practice?.pictures() ?? [])]) });
  }

  private async check(): Promise<QuickCheck> {
    const { capture } = this;
    capture.listenAnew();
    const running = capture.stateOf('camera').name === 'on' || capture.stateOf('microphone').name === 'on';
    const watched = running ? new Promise((resolve) => setTimeout(resolve, CHECK_MS)) : Promise.resolve();
    const [rttMs] = await Promise.all([roundTrip(), watched]);
    return {
      camera: capture.stateOf('camera'),
      microphone: capture.stateOf('microphone'),
      loudestDb: capture.loudestDb,
      serverReachable: rttMs !== null,
      rttMs,
      mediaReachable: null,
    };
  }

  private async share(): Promise<null> {
    const session = this.need();
    await this.capture.share().catch(() => {
      throw new HostFailure({ name: 'shareDenied' });
    });
    if (await session.tell({ type: 'share.start' })) return null;
    this.capture.unshare();
    throw new HostFailure({ name: 'shareDenied' });
  }
}

function deviceFailure(fault: ReturnType<typeof faultOf>): HostFailure {
  return new HostFailure({ name: 'device', fault });
}

/** The code of a link `/join/12345678`; taken out of the address, so that a shared screen or a history keeps none. */
function codeInAddress(): string | null {
  const code = /^\/join\/([^/]+)$/u.exec(location.pathname)?.[1];
  if (code === undefined) return null;
  history.replaceState(null, '', '/');
  try {
    return decodeURIComponent(code);
  } catch {
    return null;
  }
}

export async function createBrowserHost(): Promise<Host> {
  return new BrowserHost();
}
