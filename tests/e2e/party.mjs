// A party in Chromium: walks through the page as a person would, from the code to a seat, then says every half second what
// it sees and hears, as JSON lines. It reads the picture and the sound, never the page's own claims.
// usage: node party.mjs --url URL --code CODE --name NAME --folder FOLDER --send-hz HZ --listen-hz HZ [--phone]
// Ends when its standard input ends.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { writeCamera, writeMicrophone } from './devices.mjs';
import { readStamp } from './stamp.mjs';

const { values: args } = parseArgs({
  options: {
    url: { type: 'string' },
    code: { type: 'string' },
    name: { type: 'string' },
    folder: { type: 'string' },
    'send-hz': { type: 'string' },
    'listen-hz': { type: 'string' },
    phone: { type: 'boolean', default: false },
  },
});

const say = (type, fields = {}) => process.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);

await mkdir(args.folder, { recursive: true });
const camera = join(args.folder, 'camera.y4m');
const microphone = join(args.folder, 'microphone.wav');
await writeCamera(camera);
await writeMicrophone(microphone, Number(args['send-hz']));

const browser = await chromium.launch({
  executablePath: process.env.MINGTING_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${camera}`,
    `--use-file-for-fake-audio-capture=${microphone}`,
  ],
});
const context = await browser.newContext({
  locale: 'zh-CN',
  permissions: ['camera', 'microphone'],
  viewport: args.phone ? { width: 390, height: 844 } : { width: 1366, height: 768 },
  hasTouch: args.phone,
});
const page = await context.newPage();
page.on('pageerror', (error) => say('pageError', { message: String(error) }));
page.setDefaultTimeout(30_000);

// What arrives is heard at the connection itself, before the page does anything with it.
await page.addInitScript(() => {
  window.heardTracks = new Set();
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...all) {
      super(...all);
      this.addEventListener('track', ({ track }) => {
        if (track.kind !== 'audio') return;
        window.heardTracks.add(track);
        track.addEventListener('ended', () => window.heardTracks.delete(track));
      });
    }
  };
});

/** The share of one tone in what arrives now, of the track that has most of it. Runs inside the page. */
async function listen(hz) {
  window.listening ??= new AudioContext();
  const context = window.listening;
  await context.resume();
  window.ears ??= new Map();
  for (const track of window.heardTracks) {
    if (window.ears.has(track)) continue;
    const ear = context.createAnalyser();
    ear.fftSize = 8192;
    context.createMediaStreamSource(new MediaStream([track])).connect(ear);
    window.ears.set(track, ear);
  }
  let best = 0;
  for (const ear of window.ears.values()) {
    const samples = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(samples);
    const energy = samples.reduce((sum, x) => sum + x * x, 0);
    if (energy < 1e-6 * samples.length) continue;
    let real = 0;
    let imaginary = 0;
    samples.forEach((x, i) => {
      const angle = (2 * Math.PI * hz * i) / context.sampleRate;
      real += x * Math.cos(angle);
      imaginary += x * Math.sin(angle);
    });
    best = Math.max(best, Math.min(1, (2 * (real * real + imaginary * imaginary)) / (samples.length * energy)));
  }
  return best;
}

/** What every tile shows: its label and the stamp read from its picture. Runs inside the page. */
function look(read) {
  const readStamp = new Function(`return ${read}`)();
  return [...document.querySelectorAll('.video > .picture')].map((picture) => ({
    label: picture.closest('figure')?.querySelector('figcaption')?.textContent?.trim() ?? '',
    own: picture.closest('.mirrored') !== null,
    stamp: readStamp(picture),
  }));
}

async function walkIn() {
  await page.goto(args.url);
  await page.getByLabel('8 位庭审码').fill(args.code);
  await page.getByRole('button', { name: '进入庭审' }).click();
  say('step', { name: 'case' });
  await page.getByLabel('姓名').fill(args.name);
  await page.getByRole('button', { name: '信息无误，下一步' }).click();
  say('step', { name: 'check' });
  await page.getByRole('button', { name: '跳过检测' }).click();
  await page.getByRole('button', { name: '继续' }).click();
  say('step', { name: 'discipline' });
  await page.getByText('我已阅读，并遵守法庭纪律').click();
  await page.getByRole('button', { name: '确认，进入候庭' }).click();
  say('step', { name: 'waiting' });
  await page.locator('.video > .picture').first().waitFor({ timeout: 60_000 });
}

let open = true;
process.stdin.on('end', () => (open = false)).resume();
try {
  await walkIn();
  while (open) {
    for (const seen of await page.evaluate(look, readStamp.toString())) say('seen', seen);
    say('heard', { tone: await page.evaluate(listen, Number(args['listen-hz'])) });
    await page.waitForTimeout(500);
  }
} catch (error) {
  await page.screenshot({ path: join(args.folder, 'failed.png') }).catch(() => undefined);
  say('failed', { message: String(error) });
  process.exitCode = 1;
} finally {
  await browser.close();
}
