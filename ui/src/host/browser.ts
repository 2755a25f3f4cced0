/**
 * The host of a plain browser: the court's server over HTTP and WebSocket, sound and picture through livekit-client.
 * The parts are in `browser/`; this maps the commands of the page to them.
 */
import type { HostCommands, HostEvent, QuickCheck, StaffSignedIn } from '../wire/generated';
import { post, roundTrip } from './browser/api';
import { Capture } from './browser/capture';
import { faultOf } from './browser/devices';
import { heldSeat, holdSeat } from './browser/seat';
import { HearingSession } from './browser/session';
import { playGavel } from './browser/sound';
import { Surfaces, type Shown } from './browser/surfaces';
import { HostFailure, type Host, type HostCan } from './host';

type Handlers = { [K in keyof HostCommands]: (args: HostCommands[K]['args']) => Promise<HostCommands[K]['reply']> };

/** How long `check.quick` watches a running device. */
const CHECK_MS = 3_000;
const VERSION: string = import.meta.env['VITE_VERSION'];

class BrowserHost implements Host {
  readonly kind = 'browser';
  readonly can: HostCan = {
    share: typeof navigator.mediaDevices?.getDisplayMedia === 'function' ? 'browser' : 'no',
    chooseSpeaker: 'setSinkId' in HTMLMediaElement.prototype,
    checkBeforeSeat: true,
    selfTest: false, openSettings: false,
  };
  private readonly listeners = new Set<(event: HostEvent) => void>();
  private readonly surfaces = new Surfaces();
  private session: HearingSession | null = null;
  /** Of a signed-in member of staff; never stored. */
  private bearer = '';
  private readonly capture = new Capture(
    (event) => this.say(event),
    () => {
      this.session?.apply();
      this.show();
    },
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
    'devices.choose': async ({ kind, id }) => {
      if (kind === 'speaker') await this.session?.playOn(id);
      this.throwIf(await this.capture.choose(kind, id));
      return this.capture.list();
    },
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
    // Declared in `can`: the page does not ask.
    'check.start': async () => {
      throw new HostFailure({ name: 'internal' });
    },
    'check.stop': async () => null,
    'check.history': async () => [],
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
    this.say({ type: 'tracks', tracks: this.surfaces.update([...own, ...(this.session?.pictures() ?? [])]) });
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
