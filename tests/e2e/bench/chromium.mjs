// Runs Chromium with livekit-client as a peer of the benches and prints one JSON line.
// usage: node chromium.mjs --url ws://… --token JWT --seconds N [--publish] [--window] [--y4m FILE] [--wav FILE]
import { chromium } from 'playwright-core';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';

const { values: args } = parseArgs({
  options: {
    url: { type: 'string' },
    token: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    publish: { type: 'boolean', default: false },
    window: { type: 'boolean', default: false },
    y4m: { type: 'string' },
    wav: { type: 'string' },
  },
});

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const files = {
  '/': ['text/html', here('page.html')],
  '/page.js': ['text/javascript', here('page.js')],
  '/livekit-client.js': ['text/javascript', here('../../../ui/node_modules/livekit-client/dist/livekit-client.umd.js')],
};
const server = createServer(async (request, response) => {
  const [type, path] = files[request.url] ?? [];
  if (!path) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': type }).end(await readFile(path));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const browser = await chromium.launchServer({
  executablePath: '/usr/bin/chromium',
  headless: !args.window,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    ...(args.y4m ? [`--use-file-for-fake-video-capture=${args.y4m}`] : []),
    ...(args.wav ? [`--use-file-for-fake-audio-capture=${args.wav}`] : []),
  ],
});
try {
  const client = await chromium.connect(browser.wsEndpoint());
  const page = await client.newPage({ viewport: { width: 1366, height: 768 } });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction('globalThis.join !== undefined');
  const joined = await page.evaluate((a) => globalThis.join(a), { url: args.url, token: args.token, publish: args.publish });
  await pause(2000);
  const [before, cpuBefore] = [await page.evaluate('received()'), await cpuSeconds(browser.process().pid)];
  const seconds = Number(args.seconds);
  await pause(1000 * seconds);
  const [after, cpuAfter] = [await page.evaluate('received()'), await cpuSeconds(browser.process().pid)];
  const latencies = after.latencies.slice(before.latencies.length).sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))] ?? null;
  console.log(
    JSON.stringify({
      connect_ms: joined.connectMs,
      first_video_ms: joined.firstVideoMs,
      videos: after.videos,
      frames: after.frames - before.frames,
      freezes: after.freezes - before.freezes,
      freeze_ms: after.freezeMs - before.freezeMs,
      audio_ms: after.audioMs - before.audioMs,
      concealed_ms: after.concealedMs - before.concealedMs,
      latency_p50_ms: at(0.5),
      latency_p95_ms: at(0.95),
      cpu_cores: (cpuAfter - cpuBefore) / seconds,
      pss_mib: await pssMib(browser.process().pid),
    }),
  );
} finally {
  await browser.close();
  server.close();
}

/** Ids of a process and everything below it. */
async function tree(root) {
  const parents = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const inside = (pid) => pid === root || (parents.get(pid) > 1 && inside(parents.get(pid)));
  return [...parents.keys()].filter(inside);
}

/** User and system time of the whole tree (proc(5), `stat`, ticks of 1/100 s). */
async function cpuSeconds(root) {
  let ticks = 0;
  for (const pid of await tree(root)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / 100;
}

/** Proportional set size of the whole tree. */
async function pssMib(root) {
  let kib = 0;
  for (const pid of await tree(root)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kib += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kib / 1024;
}
