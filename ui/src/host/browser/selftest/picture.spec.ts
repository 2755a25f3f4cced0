/** A camera's pictures in figures, as the desktop program has them (`crates/media/src/video/look.rs`). */
import { describe, expect, it } from 'vitest';
import { Look, laplacianVariance, lumaOf, measuredSize, type Small } from './look';

const WIDTH = 64;
const drawn = (luma: (x: number, y: number) => number): Small => ({
  luma: Uint8Array.from({ length: WIDTH * 36 }, (_, i) => luma(i % WIDTH, Math.floor(i / WIDTH))),
  width: WIDTH,
});
/** Two seconds at 25 a second. */
function watch(next: (n: number) => Small) {
  const look = new Look();
  for (let n = 0; n <= 50; n += 1) look.take(next(n), [1280, 720], n * 40);
  const seen = look.seen(2_040);
  if (seen === null) throw new Error('pictures came');
  return seen;
}

describe('a look at a camera', () => {
  it('finds a black picture black, and standing still', () => {
    const seen = watch(() => drawn(() => 0));
    expect(seen).toMatchObject({ width: 1280, height: 720, brightness: 0, burnt: 0, contrast: 0, sharpness: 0, frozen: 1 });
    expect(seen.fps).toBeCloseTo(25);
  });
  it('gives half black and half white the highest contrast', () => {
    const seen = watch((n) => drawn((x) => (x < WIDTH / 2 ? n % 2 : 255)));
    expect(seen.contrast).toBeCloseTo(0.5, 2);
    expect(seen.burnt).toBeCloseTo(0.5, 2);
    expect(seen.frozen).toBe(0);
  });
  it('counts every second picture doubled as half frozen', () => {
    expect(watch((n) => drawn(() => Math.floor(n / 2))).frozen).toBeCloseTo(0.5, 1);
  });
  it('counts pictures that were shown and not looked at, and time without any against the rate', () => {
    const look = new Look();
    expect(look.seen(5_000)).toBeNull();
    for (let n = 0; n < 11; n += 1) look.take(drawn(() => n), [320, 180], n * 100, 1);
    expect(look.seen(1_050)?.fps).toBeCloseTo(20);
    expect(look.seen(5_000)?.fps).toBeCloseTo(4);
  });
  it('leaves out what came before the exposure settled', () => {
    const seen = watch((n) => drawn(() => (n < 17 ? 255 : 128)));
    expect(seen.brightness).toBeCloseTo(0.5, 2);
    expect(seen.burnt).toBe(0);
  });
  it('measures sharpness by edges: a single bright pixel by hand, a slope not at all', () => {
    const point: Small = { luma: Uint8Array.from([0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0]), width: 4 };
    // Inner pixels: the point itself -400, two neighbours 100, one 0; mean -50.
    expect(laplacianVariance(point)).toBeCloseTo((400 ** 2 + 2 * 100 ** 2) / 4 - 50 ** 2);
    expect(laplacianVariance(drawn((x) => x))).toBe(0);
  });
  it('takes luma of pixels, and a size in proportion', () => {
    expect([...lumaOf(Uint8ClampedArray.from([255, 255, 255, 255, 255, 0, 0, 255]))]).toEqual([255, 76]);
    expect([measuredSize(1280, 720), measuredSize(160, 120), measuredSize(100, 10_000)]).toEqual([[320, 180], [160, 120], [100, 640]]);
  });
});
