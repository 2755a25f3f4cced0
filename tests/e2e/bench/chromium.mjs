// Runs Chromium with the bench's page as a peer. Reads lines {"call": FUNCTION, "with": ARGUMENT} on its standard input,
// calls that function of the page, and prints {"value": …} or {"error": …}. Ends when its standard input ends.
// usage: node chromium.mjs --url http://… [--window]
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { EXECUTABLE, FLAGS } from '../chromium.mjs';

const { values: args } = parseArgs({
  options: { url: { type: 'string' }, window: { type: 'boolean', default: false } },
});

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const browser = await chromium.launchServer({
  executablePath: EXECUTABLE,
  headless: !args.window,
  args: [
    ...FLAGS,
    '--use-fake-device-for-media-stream=fps=30',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    '--lang=zh-CN',
    '--window-position=0,0',
    '--window-size=1366,768',
    '--kiosk',
  ],
});
try {
  const client = await chromium.connect(browser.wsEndpoint());
  // The page is as large as the window lets it be.
  const context = await client.newContext(args.window ? { viewport: null } : { viewport: { width: 1366, height: 768 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => process.stderr.write(`page: ${error}\n`));
  page.on('console', (message) => process.stderr.write(`console: ${message.text()}\n`));
  await page.goto(args.url);
  await page.waitForFunction('globalThis.takeSeat !== undefined');
  say({ value: { pid: browser.process().pid } });
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, with: argument } = JSON.parse(line);
    try {
      if (call === 'reload') {
        await page.reload();
        await page.waitForFunction('globalThis.takeSeat !== undefined');
        say({ value: null });
      } else {
        say({ value: (await page.evaluate(([name, a]) => globalThis[name](a), [call, argument])) ?? null });
      }
    } catch (error) {
      say({ error: String(error) });
    }
  }
} finally {
  await browser.close();
}
