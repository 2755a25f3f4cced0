import { describe, expect, it } from 'vitest';
import { codecOf, HEADER_BYTES, planeBytes, readFrame } from './frame';
import { ASK_EVERY_MS, closedGate, pass, QUEUE_LIMIT, wait, type Gate } from './gate';
import { toRgba } from './yuv';

function message(kind: number, flags: number, size: [number, number], slot: number, number: number, us: bigint, payload: number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + payload.length);
  const view = new DataView(buffer);
  view.setUint8(0, kind);
  view.setUint8(1, flags);
  view.setUint16(2, size[0], true);
  view.setUint16(4, size[1], true);
  view.setUint32(8, slot, true);
  view.setUint32(12, number, true);
  view.setBigUint64(16, us, true);
  new Uint8Array(buffer, HEADER_BYTES).set(payload);
  return buffer;
}

describe('readFrame', () => {
  it('reads the header as the program writes it', () => {
    expect(readFrame(message(0, 1, [1280, 720], 7, 42, 1_234_567n, [1, 2, 3]))).toEqual({
      kind: 'h264',
      key: true,
      width: 1280,
      height: 720,
      slot: 7,
      number: 42,
      capturedUs: 1_234_567,
      payload: new Uint8Array([1, 2, 3]),
    });
  });
  it('refuses what is none', () => {
    expect(readFrame(new ArrayBuffer(HEADER_BYTES))).toBeNull();
    expect(readFrame(message(9, 0, [2, 2], 1, 0, 0n, [1]))).toBeNull();
    expect(readFrame(message(1, 0, [4, 4], 1, 0, 0n, [1, 2]))).toBeNull();
  });
  it('counts planes with odd sizes rounded up', () => {
    expect(planeBytes(5, 3)).toBe(15 + 2 * 6);
  });
});

describe('codecOf', () => {
  it('reads the parameter set with long and short start codes', () => {
    expect(codecOf(new Uint8Array([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 9, 9, 9]))).toBe('avc1.42c01f');
    expect(codecOf(new Uint8Array([0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x0a, 9, 9]))).toBe('avc1.42e00a');
    expect(codecOf(new Uint8Array([0, 0, 0, 1, 0x41, 1, 2, 3, 4, 5]))).toBeNull();
  });
});

describe('the gate before a decoder', () => {
  /** Frames as K0 (key), 1 (delta); `+n` is the queue before it. Answers D decoded, a asked, . dropped. */
  function run(frames: string, stepMs = 40): string {
    let gate: Gate = closedGate;
    let now = 0;
    return frames
      .split(' ')
      .map((text) => {
        const [, k, n, q] = /^(K?)(\d+)(?:\+(\d+))?$/.exec(text) ?? [];
        now += stepMs;
        const p = pass(gate, { key: k === 'K', number: Number(n) }, Number(q ?? 0), now);
        gate = p.gate;
        return p.decode ? 'D' : p.ask ? 'a' : '.';
      })
      .join('');
  }
  it('starts at a key frame and asks for one, not too often', () => {
    expect(run('3 4 5 K6 7 8')).toBe('a..DDD');
    expect(run('3 4 5', ASK_EVERY_MS)).toBe('aaa');
  });
  it('does not decode over a gap', () => {
    expect(run('K0 1 3 4 K5 6')).toBe('DDa.DD');
  });
  it('drops to the next key frame when the decoder falls behind', () => {
    expect(run(`K0 1 2+${QUEUE_LIMIT} 3+${QUEUE_LIMIT + 1} 4 K5 6`)).toBe('DDDa.DD');
    expect(run(`K0 K1+${QUEUE_LIMIT + 1} K2`)).toBe('DaD');
  });
  it('waits after a failure', () => {
    expect(wait({ next: 5, askedAt: 0 }, 1000)).toEqual({ gate: { next: null, askedAt: 1000 }, decode: false, ask: true });
  });
});

describe('toRgba', () => {
  it('turns limited-range grey, white and red into what they are', () => {
    const rgba = new Uint8ClampedArray(4 * 4);
    const paint = (y: number, u: number, v: number) => {
      toRgba(new Uint8Array([y, y, y, y, u, v]), 2, 2, rgba);
      return [...rgba.slice(0, 3)];
    };
    expect(paint(16, 128, 128)).toEqual([0, 0, 0]);
    expect(paint(235, 128, 128)).toEqual([255, 255, 255]);
    const [r, g, b] = paint(81, 90, 240);
    expect(r).toBeGreaterThan(250);
    expect(Math.max(g ?? 255, b ?? 255)).toBeLessThan(5);
  });
});
