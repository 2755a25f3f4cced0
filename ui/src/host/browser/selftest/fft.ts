// The fast Fourier transform of complex samples, in place. Pure.

/** Complex samples; both have the same length, a power of two. */
export interface Complex {
  re: Float64Array;
  im: Float64Array;
}

/** Nothing but zeros. */
export const zeros = (size: number): Complex => ({ re: new Float64Array(size), im: new Float64Array(size) });

/** Transforms in place: forward, or back without dividing by the size. */
export function fft({ re, im }: Complex, back = false): void {
  const size = re.length;
  const at = (of: Float64Array, i: number) => of[i] ?? 0;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [at(re, j), at(re, i)];
      [im[i], im[j]] = [at(im, j), at(im, i)];
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const turn = ((back ? 2 : -2) * Math.PI) / length;
    const half = length / 2;
    for (let k = 0; k < half; k += 1) {
      const [wr, wi] = [Math.cos(turn * k), Math.sin(turn * k)];
      for (let i = k; i < size; i += length) {
        const j = i + half;
        const r = at(re, j) * wr - at(im, j) * wi;
        const m = at(re, j) * wi + at(im, j) * wr;
        re[j] = at(re, i) - r;
        im[j] = at(im, i) - m;
        re[i] = at(re, i) + r;
        im[i] = at(im, i) + m;
      }
    }
  }
}
