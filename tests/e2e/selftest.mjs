// 设备自检 in Chromium with its own fake devices, from the first screen to the report: says what was measured, and whether anything was
// left running. It presses what a person presses; the report's figures are read from where the page keeps them.
// usage: node selftest.mjs --url URL --folder FOLDER [--denied]

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { EXECUTABLE, FLAGS, say } from './chromium.mjs';

const { values: args } = parseArgs({
  options: { url: { type: 'string' }, folder: { type: 'string' }, denied: { type: 'boolean', default: false } },
});
/** The longest that a whole test takes, and what a page takes to show it. */
const LIMIT_MS = 30_000;

await mkdir(args.folder, { recursive: true });
// Chromium answers for the person: here it refuses.
const flags = FLAGS.filter((flag) => !args.denied || flag !== '--use-fake-ui-for-media-stream');
const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  args: [...flags, '--use-fake-device-for-media-stream', ...(args.denied ? ['--deny-permission-prompts'] : [])],
});
const context = await browser.newContext({ locale: 'zh-CN', permissions: args.denied ? [] : ['camera', 'microphone'] });
const page = await context.newPage();
page.on('pageerror', (error) => say('pageError', { message: String(error) }));

/** Everything that was opened, so that it can be told what was left open. Runs inside the page. */
function keepBook() {
  const book = { tracks: new Set(), connections: new Set(), contexts: new Set() };
  window.openThings = book;
  const media = navigator.mediaDevices;
  const ask = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    for (const track of stream.getTracks()) book.tracks.add(track);
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    book.tracks.add(copy);
    return copy;
  };
  for (const [name, into] of [['RTCPeerConnection', book.connections], ['AudioContext', book.contexts]]) {
    const Real = window[name];
    window[name] = class extends Real {
      constructor(...all) {
        super(...all);
        into.add(this);
      }
    };
  }
}
await page.addInitScript(keepBook);

/** What still runs. */
const leftOpen = () =>
  page.evaluate(() => {
    const { tracks, connections, contexts } = window.openThings;
    const live = (set, is) => [...set].filter(is).length;
    return {
      opened: { tracks: tracks.size, connections: connections.size, contexts: contexts.size },
      left: live(tracks, (one) => one.readyState === 'live') + live(connections, (one) => one.connectionState !== 'closed') + live(contexts, (one) => one.state !== 'closed'),
    };
  });

try {
  await page.goto(args.url);
  await page.getByRole('button', { name: '设备自检' }).click();
  const begun = Date.now();
  await page.getByRole('button', { name: '开始检测' }).click();
  await page.getByRole('heading', { name: '设备自检报告' }).waitFor({ timeout: LIMIT_MS });
  const tookMs = Date.now() - begun;
  const report = await page.evaluate(() => JSON.parse(localStorage.getItem('mingting.selfTests'))[0]);
  const rows = await page.locator('table.rep tbody tr').allInnerTexts();
  // Connections close a moment after they said goodbye.
  await page.waitForFunction(() => [...window.openThings.connections].every((one) => one.connectionState === 'closed'));
  await page.screenshot({ path: join(args.folder, 'report.png'), fullPage: true });
  say('report', { tookMs, report, rows, ...(await leftOpen()) });
} catch (error) {
  await page.screenshot({ path: join(args.folder, 'failed.png') }).catch(() => undefined);
  say('failed', { message: String(error) });
  process.exitCode = 1;
} finally {
  await browser.close();
}
