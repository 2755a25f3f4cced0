// Files for Chromium's fake camera and microphone: a moving picture with a burned-in clock, and a tone.

import { open, writeFile } from 'node:fs/promises';
import { burn } from './stamp.mjs';

const RATE = 48_000;

/** Writes a Y4M file. Chromium loops it, so the frame numbers jump back once in a while. */
export async function writeCamera(path, { width = 640, height = 360, fps = 15, seconds = 12 } = {}) {
  const file = await open(path, 'w');
  await file.write(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < fps * seconds; frame++) {
    const picture = Buffer.alloc((width * height * 3) / 2, 128);
    const luma = picture.subarray(0, width * height);
    const bar = (frame * 8) % (width - 40);
    for (let y = 0; y < height; y++) luma.fill(210, y * width + bar, y * width + bar + 40);
    burn(luma, width, height, frame, Math.round((frame * 1000) / fps));
    await file.write('FRAME\n');
    await file.write(picture);
  }
  await file.close();
}

/** Writes a mono 16-bit WAV file with whole periods of a tone. */
export async function writeMicrophone(path, hz, seconds = 4) {
  const samples = Buffer.alloc(RATE * seconds * 2);
  for (let i = 0; i < RATE * seconds; i++) {
    samples.writeInt16LE(Math.round(0.3 * 32_767 * Math.sin((2 * Math.PI * hz * i) / RATE)), i * 2);
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.length, 40);
  await writeFile(path, Buffer.concat([header, samples]));
}
