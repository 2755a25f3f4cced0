// What a camera's picture is like, in figures: how many came, how light, how sharp, whether they move. Pure arithmetic on
// pictures and their times, with the definitions of `crates/media/src/video/look.rs`; it judges nothing.

/** Pictures are measured at this width: what is sharp must not depend on the camera's size, nor on its noise. */
export const WIDTH = 320;
/** Highest picture measured, in lines; only pictures of absurd shapes are squeezed. */
const MAX_LINES = 640;
/** Exposure and focus settle for this long; what came before is replaced by what comes after. In milliseconds. */
const SETTLING_MS = 700;
/** Without a picture for so long the camera has stopped, and the time counts against its rate. */
const STALL_MS = 500;
/** Luma from here on is burnt out, 98 % of white. */
const BURNT = 250;

/** A picture that was made small: luma, 0 to 255, line by line. */
export interface Small {
  luma: Uint8Array;
  width: number;
}

/** What was seen; luma figures are means over the pictures. */
export interface Seen {
  width: number;
  height: number;
  fps: number;
  brightness: number;
  burnt: number;
  contrast: number;
  sharpness: number;
  frozen: number;
}

/** The size at which a picture is measured. */
export function measuredSize(width: number, height: number): [number, number] {
  const small = Math.max(1, Math.min(width, WIDTH));
  return [small, Math.min(MAX_LINES, Math.max(1, Math.round((height * small) / Math.max(1, width))))];
}

/** Luma (BT.601) of pixels of four bytes. */
export function lumaOf(rgba: Uint8ClampedArray): Uint8Array {
  const luma = new Uint8Array(rgba.length / 4);
  for (let i = 0, at = 0; i < luma.length; i += 1, at += 4) {
    luma[i] = Math.round(0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0));
  }
  return luma;
}

/** Variance of the four-neighbour Laplacian over the inner pixels; 0 where there are none. */
export function laplacianVariance({ luma, width }: Small): number {
  const lines = Math.floor(luma.length / width);
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < lines - 1; y += 1) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at += 1) {
      const around = (luma[at - width] ?? 0) + (luma[at + width] ?? 0) + (luma[at - 1] ?? 0) + (luma[at + 1] ?? 0);
      const edge = around - 4 * (luma[at] ?? 0);
      sum += edge;
      squares += edge * edge;
      count += 1;
    }
  }
  const mean = sum / Math.max(1, count);
  return Math.max(0, squares / Math.max(1, count) - mean * mean);
}

interface Light {
  pictures: number;
  brightness: number;
  burnt: number;
  contrast: number;
  sharpness: number;
}
const DARKNESS: Light = { pictures: 0, brightness: 0, burnt: 0, contrast: 0, sharpness: 0 };

/** Looks at the pictures of one camera, one after another. */
export class Look {
  private firstMs: number | null = null;
  private newestMs = 0;
  private size: [number, number] = [0, 0];
  private compared: Small | null = null;
  private looked = 0;
  private same = 0;
  private shown = 0;
  private settled = false;
  private light = { ...DARKNESS };

  /** Takes in the next picture. `skipped` pictures came since the last one and were not looked at. */
  take(picture: Small, size: [number, number], atMs: number, skipped = 0): void {
    this.firstMs ??= atMs;
    this.newestMs = Math.max(this.newestMs, atMs);
    this.shown += 1 + (this.looked === 0 ? 0 : skipped);
    this.looked += 1;
    if (this.compared !== null && sameLuma(this.compared, picture)) this.same += 1;
    this.compared = picture;
    this.size = size;
    if (!this.settled && atMs - this.firstMs >= SETTLING_MS) {
      this.settled = true;
      this.light = { ...DARKNESS };
    }
    this.measure(picture);
  }

  /** What was seen up to `nowMs`; `null` before the first picture. */
  seen(nowMs: number): Seen | null {
    if (this.firstMs === null) return null;
    const end = nowMs - this.newestMs >= STALL_MS ? nowMs : this.newestMs;
    const seconds = (end - this.firstMs) / 1_000;
    const { pictures, brightness, burnt, contrast, sharpness } = this.light;
    return {
      width: this.size[0],
      height: this.size[1],
      fps: seconds > 0 ? (this.shown - 1) / seconds : 0,
      brightness: brightness / pictures,
      burnt: burnt / pictures,
      contrast: contrast / pictures,
      sharpness: sharpness / pictures,
      frozen: this.same / Math.max(1, this.looked - 1),
    };
  }

  private measure(picture: Small): void {
    let [sum, squares, burnt] = [0, 0, 0];
    for (const y of picture.luma) {
      sum += y;
      squares += y * y;
      if (y >= BURNT) burnt += 1;
    }
    const pixels = Math.max(1, picture.luma.length);
    const mean = sum / pixels;
    this.light.pictures += 1;
    this.light.brightness += mean / 255;
    this.light.burnt += burnt / pixels;
    this.light.contrast += Math.sqrt(Math.max(0, squares / pixels - mean * mean)) / 255;
    this.light.sharpness += laplacianVariance(picture);
  }
}

/** A sensor has noise: a living picture differs from the one before somewhere. */
function sameLuma(a: Small, b: Small): boolean {
  return a.width === b.width && a.luma.length === b.luma.length && a.luma.every((y, i) => y === b.luma[i]);
}
