// A party in Chromium: walks through the page as a person would, from the code to a seat, then says every half second what
// it sees and hears, as JSON lines. It reads the picture and the sound, never the page's own claims.
// usage: node party.mjs --url URL --code CODE --name NAME --folder FOLDER --send-hz HZ --listen-hz HZ [--phone]
// On a phone the system throws the tab away in the middle; what it says afterwards comes from the tab that was loaded anew.
// Ends when its standard input ends.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, newPage, say, walkIn } from './chromium.mjs';
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

// A phone's browser plays nothing that was not asked for by a touch.
const browser = await launch(args.folder, Number(args['send-hz']), args.phone ? ['--autoplay-policy=document-user-activation-required'] : []);
let page = await newPage(browser, args.phone);

/** What arrives is heard at the connection itself, before the page does anything with it. Runs inside the page. */
function eavesdrop() {
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
}
await page.addInitScript(eavesdrop);

/** Where the bar lies over the court of a phone; any touch of the page will do. */
const UPPER_COURT = [195, 140];

/** A finger that stays on the glass for a moment, as fingers do: browsers let a page play only once it is lifted. */
async function touch(page, [x, y], shown) {
  const device = await page.context().newCDPSession(page);
  await device.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
  await shown;
  await device.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

/** The tab is gone, and a new one has nothing of it but the seat: no touch was made in it. */
async function loadAnew() {
  const seat = await page.evaluate(() => ({ ...sessionStorage }));
  const { url } = args;
  await page.close();
  page = await newPage(browser, true);
  await page.addInitScript(eavesdrop);
  await page.addInitScript((kept) => Object.entries(kept).forEach(([key, value]) => sessionStorage.setItem(key, value)), seat);
  // To look into the page counts as a touch, so the page itself says when it asks for one.
  await page.addInitScript(() => {
    const look = () => document.querySelector('.touch') && console.log('asks for a touch');
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
    addEventListener('pointerdown', () => requestAnimationFrame(() => requestAnimationFrame(() => console.log('is touched'))));
  });
  const told = (words) => page.waitForEvent('console', { predicate: (said) => said.text() === words });
  const asked = told('asks for a touch');
  await page.goto(url);
  await asked;
  say('step', { name: 'silent' });
  await touch(page, UPPER_COURT, told('is touched'));
  await page.locator('.touch').waitFor({ state: 'hidden' });
}

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

let open = true;
process.stdin.on('end', () => (open = false)).resume();
try {
  await walkIn(page, args.url, args);
  say('step', { name: 'waiting' });
  await page.locator('.video > .picture').first().waitFor({ timeout: 60_000 });
  // A person enters with the microphone closed.
  await page.getByRole('button', { name: '麦克风：已静音' }).click();
  if (args.phone) {
    await page.getByRole('button', { name: '麦克风：已打开' }).waitFor();
    await loadAnew();
  }
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
