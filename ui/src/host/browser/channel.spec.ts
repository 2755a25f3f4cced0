// The channel as timelines on a virtual clock.
import { describe, expect, it } from 'vitest';
import type { ByeReason, ServerFrame } from '../../wire/generated';
import { FIRST_WAIT_MS, LONGEST_WAIT_MS, retryDelayMs } from './backoff';
import { Channel, PING_EVERY_MS, SILENCE_LIMIT_MS, WELCOME_LIMIT_MS, type ChannelInput, type ChannelOutput } from './channel';
import { readFrame } from './socket';

const START = 1_000_000;
const welcome = (seq: number) => ({ type: 'welcome', connection: 'c', snapshot: { seq }, media: null }) as unknown as ServerFrame;
const event = (seq: number) => ({ type: 'event', envelope: { seq } }) as unknown as ServerFrame;
const reply = (commandId: string): ServerFrame => ({ type: 'reply', commandId, outcome: { name: 'accepted', seq: 9 } });
const command = (commandId: string): ChannelInput => ({ name: 'command', send: { commandId, expectedSeq: null, command: { type: 'self.hand', up: true } } });

/** An output in a few words. */
function words(output: ChannelOutput): string {
  switch (output.name) {
    case 'send':
      return output.frame.type === 'command' ? `send ${output.frame.commandId}` : `send ${output.frame.type}`;
    case 'link':
      return output.state.name === 'ended' ? `ended ${output.state.reason}` : output.state.name;
    case 'deliver':
      return `deliver ${output.frame.type}`;
    case 'settled':
      return `settled ${output.commandId} ${output.result === 'ended' ? 'ended' : output.result.name}`;
    default:
      return output.name;
  }
}

class Bench {
  now = START;
  readonly channel = new Channel({ hearing: 'h', seat: 's', token: 't' }, 'test', () => 0);
  sent: ChannelOutput[] = [];
  do(input: ChannelInput): string[] {
    this.sent = this.channel.handle(input, this.now);
    return this.sent.map(words);
  }
  frame(frame: ServerFrame): string[] {
    return this.do({ name: 'frame', frame });
  }
  /** Runs the clock to the next deadline and ticks. */
  wake(): string[] {
    this.now = this.channel.wakeAt() ?? this.now;
    return this.do({ name: 'tick' });
  }
  live(seq = 5): this {
    this.do({ name: 'start' });
    this.do({ name: 'opened' });
    this.frame(welcome(seq));
    return this;
  }
}

describe('a hearing channel', () => {
  it('says hello, is welcomed, and pings', () => {
    const bench = new Bench();
    expect(bench.do({ name: 'start' })).toEqual(['connecting', 'connect']);
    expect(bench.do({ name: 'opened' })).toEqual(['send hello']);
    expect(bench.frame(welcome(5))).toEqual(['live', 'deliver welcome', 'send ping']);
    expect(bench.wake()).toEqual(['send ping']);
    expect(bench.now).toBe(START + PING_EVERY_MS);
  });

  it('measures the round trip', () => {
    const bench = new Bench().live();
    bench.now += 40;
    expect(bench.frame({ type: 'pong', sentAt: START, serverTime: 0 })).toEqual(['measured', 'deliver pong']);
    expect(bench.sent[0]).toEqual({ name: 'measured', rttMs: 40 });
  });

  it('takes a silent server as gone, and says since when', () => {
    const bench = new Bench().live();
    const said: string[] = [];
    while (!said.includes('retrying')) said.push(...bench.wake());
    expect(bench.now).toBe(START + SILENCE_LIMIT_MS);
    expect(bench.sent.at(-1)).toMatchObject({ state: { name: 'retrying', attempt: 1, lostForMs: SILENCE_LIMIT_MS } });
    expect(said.slice(-2)).toEqual(['disconnect', 'retrying']);
  });

  it('resumes after the last event, with the cause of the drop', () => {
    const bench = new Bench().live(5);
    bench.frame(event(8));
    bench.do({ name: 'closed' });
    expect(bench.wake()).toEqual(['connect']);
    bench.do({ name: 'opened' });
    expect(bench.sent[0]).toMatchObject({ frame: { type: 'hello', resumeAfter: 8, dropCause: 'connectionReset' } });
    expect(bench.frame(welcome(8))).toEqual(['live', 'deliver welcome', 'send ping']);
  });

  it('sends a command again under the same id until it is answered, and not after', () => {
    const bench = new Bench().live();
    expect(bench.do(command('a'))).toEqual(['send a']);
    bench.do({ name: 'closed' });
    expect(bench.do(command('b'))).toEqual([]);
    bench.wake();
    bench.do({ name: 'opened' });
    expect(bench.frame(welcome(6))).toEqual(['live', 'deliver welcome', 'send a', 'send b', 'send ping']);
    expect(bench.frame(reply('a'))).toEqual(['deliver reply', 'settled a accepted']);
    bench.do({ name: 'closed' });
    bench.wake();
    bench.do({ name: 'opened' });
    expect(bench.frame(welcome(6))).toEqual(['live', 'deliver welcome', 'send b', 'send ping']);
  });

  it('tries at once when the network comes back', () => {
    const bench = new Bench().live();
    bench.do({ name: 'closed' });
    expect(bench.do({ name: 'retryNow' })).toEqual(['connect']);
    expect(bench.do({ name: 'retryNow' })).toEqual([]);
  });

  it('waits longer with every failed try, and starts over after a welcome', () => {
    const bench = new Bench().live();
    const waits: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      bench.do({ name: 'closed' });
      waits.push((bench.channel.wakeAt() ?? 0) - bench.now);
      bench.wake();
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    bench.do({ name: 'opened' });
    bench.frame(welcome(5));
    bench.do({ name: 'closed' });
    expect((bench.channel.wakeAt() ?? 0) - bench.now).toBe(FIRST_WAIT_MS);
  });

  it('gives up on a socket that opens and never welcomes', () => {
    const bench = new Bench();
    bench.do({ name: 'start' });
    bench.do({ name: 'opened' });
    expect(bench.wake()).toEqual(['disconnect', 'retrying']);
    expect(bench.now).toBe(START + WELCOME_LIMIT_MS);
  });

  it.each<ByeReason>(['replaced', 'removed', 'left', 'hearingEnded', 'badToken', 'updateNeeded'])('does not come back after %s', (reason) => {
    const bench = new Bench().live();
    bench.do(command('a'));
    expect(bench.frame({ type: 'bye', reason })).toEqual(['disconnect', 'deliver bye', `ended ${reason}`, 'settled a ended']);
    expect(bench.channel.wakeAt()).toBeNull();
    expect(bench.do({ name: 'retryNow' })).toEqual([]);
    expect(bench.do(command('b'))).toEqual(['settled b ended']);
  });

  it('comes back after a restart, and says so', () => {
    const bench = new Bench().live();
    expect(bench.frame({ type: 'bye', reason: 'restarting' })).toEqual(['disconnect', 'retrying']);
    bench.wake();
    bench.do({ name: 'opened' });
    expect(bench.sent[0]).toMatchObject({ frame: { dropCause: 'serverRestart' } });
  });

  it('takes being told that it came too often for no cause', () => {
    const dropped = new Bench().live();
    dropped.frame({ type: 'bye', reason: 'restarting' });
    dropped.wake();
    dropped.do({ name: 'opened' });
    const fresh = new Bench();
    fresh.do({ name: 'start' });
    fresh.do({ name: 'opened' });
    for (const bench of [dropped, fresh]) {
      expect(bench.frame({ type: 'bye', reason: 'tooOften' })).toEqual(['disconnect', 'retrying']);
      bench.wake();
      bench.do({ name: 'opened' });
      expect(bench.sent[0]).toMatchObject({ frame: { dropCause: bench === dropped ? 'serverRestart' : null } });
    }
  });

  it('explains the silence that follows a closed page', () => {
    const bench = new Bench().live();
    expect(bench.do({ name: 'leaving', cause: 'windowClosed' })).toEqual(['send goodbye']);
  });
});

it('the wait is jittered between half and all of its ceiling', () => {
  for (let attempt = 1; attempt < 40; attempt += 1) {
    const ceiling = retryDelayMs(attempt, 0);
    expect(ceiling).toBeLessThanOrEqual(LONGEST_WAIT_MS);
    expect(retryDelayMs(attempt, 0.999)).toBeGreaterThanOrEqual(ceiling / 2);
  }
});

it('what is no frame is not read as one', () => {
  for (const data of ['', '{', '[]', 'null', '{"type":3}', '"welcome"', new ArrayBuffer(3)]) expect(readFrame(data)).toBeNull();
  expect(readFrame('{"type":"bye","reason":"left"}')).toEqual({ type: 'bye', reason: 'left' });
});
