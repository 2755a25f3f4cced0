// Gives a Channel its socket, timer and clock. The only place of this host that opens a WebSocket.

import type { ClientFrame, Outcome, SendCommand, ServerFrame } from '../../wire/generated';
import type { Channel, ChannelInput, ChannelOutput } from './channel';

/** Who hears what the channel says. */
export interface ChannelListener {
  link(state: Extract<ChannelOutput, { name: 'link' }>['state']): void;
  frame(frame: ServerFrame): void;
  measured(rttMs: number): void;
}

/** Runs one channel until it ends. */
export class ChannelDriver {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly replies = new Map<string, (result: Outcome | 'ended') => void>();
  private readonly aborter = new AbortController();

  constructor(
    private readonly channel: Channel,
    private readonly url: string,
    private readonly listener: ChannelListener,
  ) {
    const signal = this.aborter.signal;
    addEventListener('online', () => this.feed({ name: 'retryNow' }), { signal });
    addEventListener('pagehide', () => this.feed({ name: 'leaving', cause: 'windowClosed' }), { signal });
  }

  /** Opens the channel. */
  start(): void {
    this.feed({ name: 'start' });
  }

  /** Sends a command and waits for its reply, over reconnects too; `'ended'` when none can come any more. */
  command(send: SendCommand): Promise<Outcome | 'ended'> {
    return new Promise((resolve) => {
      this.replies.set(send.commandId, resolve);
      this.feed({ name: 'command', send });
    });
  }

  /** Sends a frame that needs no reply; lost when the channel is down. */
  tell(frame: ClientFrame): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Tries a lost connection again without waiting. */
  retryNow(): void {
    this.feed({ name: 'retryNow' });
  }

  /** Closes the channel for good. */
  end(): void {
    this.feed({ name: 'end' });
    this.aborter.abort();
  }

  private feed(input: ChannelInput): void {
    for (const output of this.channel.handle(input, steadyNow())) this.carryOut(output);
    clearTimeout(this.timer);
    const at = this.channel.wakeAt();
    if (at !== null) this.timer = setTimeout(() => this.feed({ name: 'tick' }), Math.max(0, at - steadyNow()));
  }

  private carryOut(output: ChannelOutput): void {
    switch (output.name) {
      case 'connect':
        return this.connect();
      case 'disconnect':
        return this.disconnect();
      case 'send':
        return this.tell(output.frame);
      case 'link':
        return this.listener.link(output.state);
      case 'deliver':
        return this.listener.frame(output.frame);
      case 'measured':
        return this.listener.measured(output.rttMs);
      case 'settled':
        this.replies.get(output.commandId)?.(output.result);
        this.replies.delete(output.commandId);
        return;
      default:
        return output satisfies never;
    }
  }

  private connect(): void {
    this.disconnect();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // A socket that was given up says nothing any more.
    const current = (input: () => ChannelInput) => {
      if (this.socket === socket) this.feed(input());
    };
    socket.onopen = () => current(() => ({ name: 'opened' }));
    socket.onclose = () => current(() => ({ name: 'closed' }));
    socket.onmessage = (message: MessageEvent<unknown>) => {
      const frame = readFrame(message.data);
      if (frame === null) current(() => ({ name: 'closed' }));
      else current(() => ({ name: 'frame', frame }));
    };
  }

  private disconnect(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

/** Milliseconds since the epoch on a clock that does not jump while the page lives. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Reads a frame; `null` for what is not one, which ends the connection. */
export function readFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    const isFrame = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return isFrame ? (value as ServerFrame) : null;
  } catch {
    return null;
  }
}
