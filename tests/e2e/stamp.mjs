// The burned-in clock of crates/media/src/video/stamp.rs, a third time and on purpose: what native code wrote is read back
// by a browser, and the other way round. `readStamp` runs inside the page, so it stands alone.

const COLUMNS = 32;
const ROWS = 2;
const ROW_FRACTION = 30;

function crc12(bits) {
  let crc = 0xfff;
  for (const bit of bits) {
    const top = ((crc >> 11) & 1) ^ bit;
    crc = (crc << 1) & 0xfff;
    if (top) crc ^= 0x80f;
  }
  return crc;
}

function bitsOf(value, count) {
  return Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** (count - 1 - i)) % 2);
}

function gray(value) {
  return (value ^ (value >>> 1)) >>> 0;
}

/** Burns a stamp into a luma plane. */
export function burn(luma, width, height, frame, clockMs) {
  const payload = [...bitsOf(gray(frame % 2 ** 20), 20), ...bitsOf(gray(clockMs >>> 0), 32)];
  const bits = [...payload, ...bitsOf(crc12(payload), 12)];
  const top = height - Math.floor((height * ROWS) / ROW_FRACTION);
  const strip = height - top;
  bits.forEach((bit, index) => {
    const row = Math.floor(index / COLUMNS);
    const column = index % COLUMNS;
    const [x0, x1] = [Math.floor((column * width) / COLUMNS), Math.floor(((column + 1) * width) / COLUMNS)];
    const [y0, y1] = [top + Math.floor((row * strip) / ROWS), top + Math.floor(((row + 1) * strip) / ROWS)];
    for (let y = y0; y < y1; y++) luma.fill(bit ? 235 : 16, y * width + x0, y * width + x1);
  });
}

/** Reads the stamp of what an element shows (`video` or `canvas`), null when there is none. Runs inside the page. */
export function readStamp(element) {
  const width = element.videoWidth ?? element.width;
  const height = element.videoHeight ?? element.height;
  if (!width || !height) return null;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(element, 0, 0);
  const top = height - Math.floor((height * 2) / 30);
  const strip = height - top;
  if (strip < 2) return null;
  const { data } = context.getImageData(0, top, width, strip);
  const bits = [];
  for (let index = 0; index < 64; index++) {
    const row = Math.floor(index / 32);
    const column = index % 32;
    const [x0, x1] = [Math.floor((column * width) / 32), Math.floor(((column + 1) * width) / 32)];
    const [y0, y1] = [Math.floor((row * strip) / 2), Math.floor(((row + 1) * strip) / 2)];
    const margin = Math.floor((x1 - x0) / 4);
    let sum = 0;
    let count = 0;
    for (let y = y0; y < y1; y++) {
      for (let x = x0 + margin; x < x1 - margin; x++) {
        sum += data[(y * width + x) * 4 + 1];
        count++;
      }
    }
    const mean = sum / count;
    // Full range here, while the codec's is 16 to 235.
    if (mean > 85 && mean < 170) return null;
    bits.push(mean >= 170 ? 1 : 0);
  }
  let crc = 0xfff;
  for (const bit of bits.slice(0, 52)) {
    const first = ((crc >> 11) & 1) ^ bit;
    crc = (crc << 1) & 0xfff;
    if (first) crc ^= 0x80f;
  }
  const number = (from, to) => bits.slice(from, to).reduce((value, bit) => value * 2 + bit, 0);
  if (crc !== number(52, 64)) return null;
  const ungray = (code) => {
    let value = code;
    for (const shift of [1, 2, 4, 8, 16]) value = (value ^ (value >>> shift)) >>> 0;
    return value;
  };
  return { frame: ungray(number(0, 20)), clockMs: ungray(number(20, 52)), width, height };
}
