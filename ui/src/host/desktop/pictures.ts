/**
 * The frame socket: pictures from the program to the screens. The token works once, so a socket that broke is opened
 * again with a new one. Sound does not pass here and goes on without it.
 */
import type { FrameRequest, FrameSocket } from '../../wire/generated';
import { readFrame } from './frame';
import { decodesH264 } from './probe';
import { Screen } from './screen';

const RETRY_MS = 500;

export class Pictures {
  private readonly screens = new Map<number, Screen>();
  private socket: WebSocket | null = null;
  private native: boolean | null = null;

  /** `fresh` asks the program for a new address and token. */
  constructor(private readonly fresh: () => Promise<FrameSocket>) {}

  /** Opens the socket; probes the decoder once. */
  async open(at: FrameSocket): Promise<void> {
    this.native ??= !(await decodesH264());
    this.socket?.close();
    const socket = new WebSocket(at.url);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket.send(at.token);
      if (this.native) this.ask({ type: 'nativeDecode', on: true });
      for (const [slot, screen] of this.screens) if (!screen.idle) this.ask({ type: 'key', slot });
    };
    socket.onmessage = ({ data }) => {
      // Asked whether this page lives. The answer is from here, where the page works, and not from the network's own ping.
      if (data === '') return this.ask({ type: 'alive' });
      const frame = data instanceof ArrayBuffer ? readFrame(data) : null;
      if (frame) this.screens.get(frame.slot)?.show(frame);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      setTimeout(() => void this.again(), RETRY_MS);
    };
  }

  attach(slot: number, box: HTMLElement): () => void {
    return this.screen(slot).attach(box);
  }

  private async again(): Promise<void> {
    if (this.socket) return;
    try {
      await this.open(await this.fresh());
    } catch {
      setTimeout(() => void this.again(), RETRY_MS);
    }
  }

  private screen(slot: number): Screen {
    const known = this.screens.get(slot);
    if (known) return known;
    const screen = new Screen(
      {
        key: () => this.ask({ type: 'key', slot }),
        giveUp: () => {
          if (this.native) return;
          this.native = true;
          this.ask({ type: 'nativeDecode', on: true });
        },
      },
      () => performance.now(),
    );
    this.screens.set(slot, screen);
    return screen;
  }

  private ask(request: FrameRequest): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }
}
