// The hearing channel of one seat as a state machine: hello, resume, ping, retry, and commands that are carried out
// once whatever happens to the connection. No socket, no timer, no clock: `ChannelDriver` has those.

import {
  PROTOCOL_VERSION,
  type ByeReason,
  type ClientFrame,
  type DropCause,
  type LinkState,
  type Outcome,
  type SeatTaken,
  type SendCommand,
  type Seq,
  type ServerFrame,
} from '../../wire/generated';
import { retryDelayMs } from './backoff';

/** The server takes a client as gone after this silence; we take the server as gone likewise. */
export const SILENCE_LIMIT_MS = 9_000;
/** We ping three times as often. */
export const PING_EVERY_MS = SILENCE_LIMIT_MS / 3;
/** From opening a socket to the welcome. */
export const WELCOME_LIMIT_MS = 10_000;

/** What happens to the channel. */
export type ChannelInput =
  | { name: 'start' }
  | { name: 'opened' }
  | { name: 'frame'; frame: ServerFrame }
  | { name: 'closed' }
  /** A deadline that was asked for by `wakeAt` has passed, or may have. */
  | { name: 'tick' }
  /** The system says that the network is back, or the person asks for it: try at once. */
  | { name: 'retryNow' }
  /** The page goes away. */
  | { name: 'leaving'; cause: DropCause }
  | { name: 'command'; send: SendCommand }
  | { name: 'end' };

/** What is to be done about it, in order. */
export type ChannelOutput =
  | { name: 'connect' }
  | { name: 'disconnect' }
  | { name: 'send'; frame: ClientFrame }
  | { name: 'link'; state: LinkState }
  | { name: 'deliver'; frame: ServerFrame }
  | { name: 'settled'; commandId: string; result: Outcome | 'ended' }
  /** Round trip of a ping. */
  | { name: 'measured'; rttMs: number };

type Phase =
  | { name: 'idle' }
  | { name: 'connecting'; deadline: number }
  | { name: 'greeting'; deadline: number }
  | { name: 'live'; heardAt: number; pingAt: number }
  | { name: 'waiting'; retryAt: number }
  | { name: 'ended' };

/** Byes after which the program must not come back by itself. */
const FINAL: readonly ByeReason[] = ['replaced', 'removed', 'left', 'hearingEnded', 'badToken', 'updateNeeded'];

/** One seat's channel. */
export class Channel {
  private phase: Phase = { name: 'idle' };
  private attempt = 0;
  private lostAt: number | null = null;
  private dropCause: DropCause | null = null;
  private lastSeq: Seq | null = null;
  private readonly pending = new Map<string, SendCommand>();

  constructor(
    private readonly seat: SeatTaken,
    /** Program, version and system, for the technician. */
    private readonly client: string,
    /** In [0, 1). */
    private readonly random: () => number,
  ) {}

  /** When `tick` is wanted, on the clock of `handle`; `null` when nothing is due. */
  wakeAt(): number | null {
    switch (this.phase.name) {
      case 'connecting':
      case 'greeting':
        return this.phase.deadline;
      case 'live':
        return Math.min(this.phase.pingAt, this.phase.heardAt + SILENCE_LIMIT_MS);
      case 'waiting':
        return this.phase.retryAt;
      default:
        return null;
    }
  }

  /** Takes one input at `now` (milliseconds on any steady clock). */
  handle(input: ChannelInput, now: number): ChannelOutput[] {
    if (this.phase.name === 'ended') return this.afterTheEnd(input);
    switch (input.name) {
      case 'start':
        return [{ name: 'link', state: { name: 'connecting' } }, ...this.connect(now)];
      case 'opened':
        return this.hello(now);
      case 'frame':
        return this.receive(input.frame, now);
      case 'closed':
        return this.phase.name === 'waiting' ? [] : this.lost('connectionReset', now);
      case 'tick':
        return this.tick(now);
      case 'retryNow':
        return this.phase.name === 'waiting' ? this.connect(now) : [];
      case 'leaving':
        return this.goodbye(input.cause);
      case 'command':
        return this.command(input.send);
      case 'end':
        // Going by one's own will is not a failing network.
        return this.finish([...this.goodbye('windowClosed'), { name: 'disconnect' }]);
      default:
        return input satisfies never;
    }
  }

  private goodbye(cause: DropCause): ChannelOutput[] {
    this.dropCause = cause;
    return this.phase.name === 'live' ? [{ name: 'send', frame: { type: 'goodbye', cause } }] : [];
  }

  private afterTheEnd(input: ChannelInput): ChannelOutput[] {
    return input.name === 'command'
      ? [{ name: 'settled', commandId: input.send.commandId, result: 'ended' }]
      : [];
  }

  private connect(now: number): ChannelOutput[] {
    this.phase = { name: 'connecting', deadline: now + WELCOME_LIMIT_MS };
    return [{ name: 'connect' }];
  }

  private hello(now: number): ChannelOutput[] {
    if (this.phase.name !== 'connecting') return [];
    this.phase = { name: 'greeting', deadline: now + WELCOME_LIMIT_MS };
    const frame: ClientFrame = {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      token: this.seat.token,
      resumeAfter: this.lastSeq,
      dropCause: this.dropCause,
      client: this.client,
    };
    return [{ name: 'send', frame }];
  }

  private receive(frame: ServerFrame, now: number): ChannelOutput[] {
    if (frame.type === 'bye') return this.bye(frame.reason, frame, now);
    if (frame.type === 'welcome') return this.welcome(frame, now);
    if (this.phase.name !== 'live') return [];
    this.phase = { ...this.phase, heardAt: now };
    switch (frame.type) {
      case 'pong':
        return [{ name: 'measured', rttMs: Math.max(0, now - frame.sentAt) }, { name: 'deliver', frame }];
      case 'event':
        this.seen(frame.envelope.seq);
        return [{ name: 'deliver', frame }];
      case 'snapshot':
        this.seen(frame.snapshot.seq);
        return [{ name: 'deliver', frame }];
      case 'reply':
        this.pending.delete(frame.commandId);
        return [
          { name: 'deliver', frame },
          { name: 'settled', commandId: frame.commandId, result: frame.outcome },
        ];
      case 'media':
        return [{ name: 'deliver', frame }];
      default:
        return frame satisfies never;
    }
  }

  private welcome(frame: ServerFrame & { type: 'welcome' }, now: number): ChannelOutput[] {
    if (this.phase.name !== 'greeting') return [];
    this.phase = { name: 'live', heardAt: now, pingAt: now };
    this.attempt = 0;
    this.lostAt = null;
    this.dropCause = null;
    this.seen(frame.snapshot.seq);
    const again = [...this.pending.values()].map((send): ChannelOutput => ({ name: 'send', frame: commandFrame(send) }));
    return [{ name: 'link', state: { name: 'live' } }, { name: 'deliver', frame }, ...again, ...this.tick(now)];
  }

  private bye(reason: ByeReason, frame: ServerFrame, now: number): ChannelOutput[] {
    if (!FINAL.includes(reason)) {
      // The seat came too often: the line and the court are well, and the cause it knew stays.
      if (reason === 'tooOften') return [{ name: 'disconnect' }, ...this.lost(null, now)];
      const cause = reason === 'restarting' ? 'serverRestart' : reason === 'tooSlow' ? 'silence' : 'protocolError';
      return [{ name: 'disconnect' }, ...this.lost(cause, now)];
    }
    return this.finish([
      { name: 'disconnect' },
      { name: 'deliver', frame },
      { name: 'link', state: { name: 'ended', reason } },
    ]);
  }

  private finish(outputs: ChannelOutput[]): ChannelOutput[] {
    const open = [...this.pending.keys()];
    this.pending.clear();
    this.phase = { name: 'ended' };
    return [...outputs, ...open.map((commandId): ChannelOutput => ({ name: 'settled', commandId, result: 'ended' }))];
  }

  private lost(cause: DropCause | null, now: number): ChannelOutput[] {
    this.lostAt ??= now;
    this.dropCause ??= cause;
    this.attempt += 1;
    const retryInMs = retryDelayMs(this.attempt, this.random());
    this.phase = { name: 'waiting', retryAt: now + retryInMs };
    const state: LinkState = { name: 'retrying', attempt: this.attempt, retryInMs, lostForMs: now - this.lostAt };
    return [{ name: 'link', state }];
  }

  private tick(now: number): ChannelOutput[] {
    const phase = this.phase;
    switch (phase.name) {
      case 'connecting':
      case 'greeting':
        return now >= phase.deadline ? [{ name: 'disconnect' }, ...this.lost('silence', now)] : [];
      case 'waiting':
        return now >= phase.retryAt ? this.connect(now) : [];
      case 'live':
        if (now >= phase.heardAt + SILENCE_LIMIT_MS) {
          // The silence began when the last frame came, not when it was noticed.
          this.lostAt = phase.heardAt;
          return [{ name: 'disconnect' }, ...this.lost('silence', now)];
        }
        if (now < phase.pingAt) return [];
        this.phase = { ...phase, pingAt: now + PING_EVERY_MS };
        return [{ name: 'send', frame: { type: 'ping', sentAt: Math.round(now) } }];
      default:
        return [];
    }
  }

  private command(send: SendCommand): ChannelOutput[] {
    this.pending.set(send.commandId, send);
    return this.phase.name === 'live' ? [{ name: 'send', frame: commandFrame(send) }] : [];
  }

  private seen(seq: Seq): void {
    this.lastSeq = Math.max(this.lastSeq ?? 0, seq);
  }
}

function commandFrame(send: SendCommand): ClientFrame {
  return { type: 'command', commandId: send.commandId, expectedSeq: send.expectedSeq, command: send.command };
}
