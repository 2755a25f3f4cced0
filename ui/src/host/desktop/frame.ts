/**
 * The header of one picture on the frame socket (protocol: FrameSocket), and what an access unit says about itself.
 * Little endian; 24 bytes, then the payload.
 */

export const HEADER_BYTES = 24;

interface Head {
  key: boolean;
  width: number;
  height: number;
  slot: number;
  /** Number of the frame on this slot, from 0. A gap means that frames were dropped up to this key frame. */
  number: number;
  /** Capture time, in microseconds. */
  capturedUs: number;
  payload: Uint8Array<ArrayBuffer>;
}
export type Frame = Head & { kind: 'h264' | 'i420' };

/** The frame, or null for a message that is none. */
export function readFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength <= HEADER_BYTES) return null;
  const view = new DataView(message);
  const kind = ([`h264`, `i420`] as const)[view.getUint8(0)];
  if (!kind) return null;
  const width = view.getUint16(2, true);
  const height = view.getUint16(4, true);
  const payload = new Uint8Array(message, HEADER_BYTES);
  if (kind === 'i420' && payload.length < planeBytes(width, height)) return null;
  return {
    kind,
    key: (view.getUint8(1) & 1) === 1,
    width,
    height,
    slot: view.getUint32(8, true),
    number: view.getUint32(12, true),
    capturedUs: Number(view.getBigUint64(16, true)),
    payload,
  };
}

/** Bytes of the three planes; odd sizes round the chroma up. */
export function planeBytes(width: number, height: number): number {
  return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
}

const NAL_SPS = 7;
/** Bytes searched for the parameter set; it stands first in a key frame. */
const SEARCHED = 256;

/** The codec string of a key frame, from its sequence parameter set (RFC 6381: avc1.PPCCLL), or null. */
export function codecOf(annexB: Uint8Array): string | null {
  const end = Math.min(annexB.length, SEARCHED) - 4;
  for (let i = 0; i < end; i += 1) {
    if (annexB[i] !== 0 || annexB[i + 1] !== 0 || annexB[i + 2] !== 1) continue;
    if (((annexB[i + 3] ?? 0) & 0x1f) !== NAL_SPS) continue;
    const bytes = [...annexB.subarray(i + 4, i + 7)];
    return bytes.length === 3 ? `avc1.${bytes.map((b) => b.toString(16).padStart(2, '0')).join('')}` : null;
  }
  return null;
}
