/**
 * One track on screen: its decoder and the canvases that show it. Decodes and draws on the main thread: in WebKitGTK a
 * worker with OffscreenCanvas kills the web process, and elsewhere it gains nothing that was measured.
 */
import { closedGate, pass, wait, type Passage } from './gate';
import { codecOf, type Frame } from './frame';
import { resize, yuvPainter, type Painter } from './yuv';

/** What a screen asks of the socket. */
export interface Asks {
  key(): void;
  /** The decoder fails again and again: send pictures instead of access units. */
  giveUp(): void;
}

/** Failures without one picture between them before the decoder is given up. */
const FAILURES = 3;

interface Surface {
  box: HTMLElement;
  canvas: HTMLCanvasElement | null;
  /** A canvas has one kind of context for life; another kind needs another canvas. */
  paints: 'video' | 'planes' | null;
  painter: Painter | null;
}

export class Screen {
  private readonly surfaces = new Set<Surface>();
  private gate = closedGate;
  private decoder: VideoDecoder | null = null;
  private configured = '';
  private failures = 0;

  constructor(
    private readonly asks: Asks,
    private readonly now: () => number,
  ) {}

  /** Shows the track in `box` from the next key frame on. */
  attach(box: HTMLElement): () => void {
    const surface: Surface = { box, canvas: null, paints: null, painter: null };
    this.surfaces.add(surface);
    this.take(wait(this.gate, this.now()));
    return () => {
      this.surfaces.delete(surface);
      surface.canvas?.remove();
      if (this.surfaces.size === 0) this.reset();
    };
  }

  get idle(): boolean {
    return this.surfaces.size === 0;
  }

  show(frame: Frame): void {
    if (this.idle) return;
    if (frame.kind === 'i420') {
      this.reset();
      for (const s of this.surfaces) {
        const painter = s.painter ?? (s.painter = yuvPainter(this.canvas(s, 'planes')));
        painter(frame.payload, frame.width, frame.height);
      }
      return;
    }
    const passage = pass(this.gate, frame, this.decoder?.decodeQueueSize ?? 0, this.now());
    this.take(passage);
    if (passage.decode) this.decode(frame);
  }

  private take(passage: Passage): void {
    this.gate = passage.gate;
    if (passage.ask) this.asks.key();
  }

  private decode(frame: Frame): void {
    try {
      if (frame.key) this.prepare(frame);
      this.decoder?.decode(new EncodedVideoChunk({ type: frame.key ? 'key' : 'delta', timestamp: frame.capturedUs, data: frame.payload }));
    } catch {
      this.fail();
    }
  }

  /** A decoder for this key frame: a new one only when the stream changed its profile or size. */
  private prepare(frame: Frame): void {
    const codec = codecOf(frame.payload);
    if (codec === null) return;
    const wanted = `${codec} ${frame.width}x${frame.height}`;
    if (this.decoder?.state === 'configured' && this.configured === wanted) return;
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = new VideoDecoder({ output: (picture) => this.draw(picture), error: () => this.fail() });
    this.decoder.configure({ codec, codedWidth: frame.width, codedHeight: frame.height, optimizeForLatency: true });
    this.configured = wanted;
  }

  private draw(picture: VideoFrame): void {
    this.failures = 0;
    for (const s of this.surfaces) {
      const canvas = this.canvas(s, 'video');
      resize(canvas, picture.displayWidth, picture.displayHeight);
      canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0);
    }
    picture.close();
  }

  private canvas(s: Surface, paints: 'video' | 'planes'): HTMLCanvasElement {
    if (s.canvas && s.paints === paints) return s.canvas;
    s.canvas?.remove();
    const canvas = document.createElement('canvas');
    canvas.className = 'picture';
    s.box.append(canvas);
    Object.assign(s, { canvas, paints, painter: null });
    return canvas;
  }

  private fail(): void {
    this.reset();
    this.failures += 1;
    if (this.failures >= FAILURES) this.asks.giveUp();
    else this.take(wait(this.gate, this.now()));
  }

  private reset(): void {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = null;
    this.configured = '';
    this.gate = { ...this.gate, next: null };
  }
}
