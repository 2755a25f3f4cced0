// The hands of a judge in Chromium: takes the seat through the page, then does what standard input says, one JSON line each,
// and answers {"type":"did"} or {"type":"failed"}. It acts through what a person sees and never through the page's code.
// usage: node judge.mjs --url URL --code CODE --name NAME --folder FOLDER
//   {"do":"press","name":…,"in":CSS?}    {"do":"menu","who":NAME,"item":…}     a person's menu in 参与人状态
//   {"do":"dialog","text":…?,"choose":…?,"press":…}                          in the dialog that is open
//   {"do":"message","text":…}            {"do":"read","text":…,"in":CSS?}      waits until the words are shown
//   {"do":"watch"}                                                           waits until the shared screen's clock moves

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { launch, newPage, say, takeSeat } from './chromium.mjs';
import { readStamp } from './stamp.mjs';

const { values: args } = parseArgs({
  options: { url: { type: 'string' }, code: { type: 'string' }, name: { type: 'string' }, folder: { type: 'string' } },
});
const browser = await launch(args.folder, 440);
const page = await newPage(browser);

const dialog = () => page.getByRole('dialog').or(page.getByRole('alertdialog')).first();

/** One more than the frame number of the shared screen; 0 while there is none. Runs inside the page. */
function sharedFrame(read) {
  const picture = document.querySelector('.shared-screen .picture');
  const stamp = picture && new Function(`return ${read}`)()(picture);
  return stamp ? stamp.frame + 1 : 0;
}

/** Asks again until there is an answer. */
async function until(question, limitMs = 30_000) {
  for (const end = Date.now() + limitMs; Date.now() < end; await page.waitForTimeout(200)) {
    const answer = await question();
    if (answer) return answer;
  }
  throw new Error('the shared screen does not move');
}

const acts = {
  press: ({ name, in: scope = 'body' }) => page.locator(scope).getByRole('button', { name, exact: true }).click(),
  async menu({ who, item }) {
    await page.locator('.health li', { hasText: who }).getByRole('button').click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  },
  async dialog({ text, choose, press }) {
    if (text) await dialog().getByRole('textbox').fill(text);
    if (choose) await dialog().getByText(choose).click();
    await dialog().getByRole('button', { name: press, exact: true }).click();
    await dialog().waitFor({ state: 'detached' });
  },
  async message({ text }) {
    await page.getByRole('tab', { name: '消息' }).click();
    await page.getByRole('textbox', { name: '消息' }).fill(text);
    await page.getByRole('button', { name: '发送', exact: true }).click();
  },
  read: ({ text, in: scope = 'body' }) => page.locator(scope).getByText(text).first().waitFor(),
  async watch() {
    const first = await until(() => page.evaluate(sharedFrame, readStamp.toString()));
    await until(async () => (await page.evaluate(sharedFrame, readStamp.toString())) > first);
  },
};

try {
  await takeSeat(page, args.url, args);
  await page.locator('.strip').waitFor();
  say('did');
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...rest } = JSON.parse(line);
    await acts[name](rest);
    say('did');
  }
} catch (error) {
  await page.screenshot({ path: join(args.folder, 'failed.png') }).catch(() => undefined);
  say('failed', { message: String(error) });
  process.exitCode = 1;
} finally {
  await browser.close();
}
