// Chromium with a moving picture and a tone for devices, and the way in that every person takes.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { writeCamera, writeMicrophone } from './devices.mjs';

export const EXECUTABLE = process.env.MINGTING_CHROMIUM ?? '/usr/bin/chromium';

/** A browser that asks nobody anything and calls nobody; its devices come from whoever starts it. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
];

/** One line of JSON for whoever started this. */
export const say = (type, fields = {}) => process.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);

/** Starts Chromium; its camera and microphone are files in `folder`. */
export async function launch(folder, hz, more = []) {
  await mkdir(folder, { recursive: true });
  const camera = join(folder, 'camera.y4m');
  const microphone = join(folder, 'microphone.wav');
  await writeCamera(camera);
  await writeMicrophone(microphone, hz);
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      ...FLAGS,
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${camera}`,
      `--use-file-for-fake-audio-capture=${microphone}`,
      ...more,
    ],
  });
}

/** A page of its own person: nothing is shared with the others. */
export async function newPage(browser, phone = false) {
  const context = await browser.newContext({
    locale: 'zh-CN',
    permissions: ['camera', 'microphone'],
    viewport: phone ? { width: 390, height: 844 } : { width: 1366, height: 768 },
    hasTouch: phone,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => say('pageError', { message: String(error) }));
  page.setDefaultTimeout(30_000);
  return page;
}

/** Types the code and the name: after it, whoever belongs to the court is in it. */
export async function takeSeat(page, url, { code, name }) {
  await page.goto(url);
  await page.getByLabel('8 位庭审码').fill(code);
  await page.getByRole('button', { name: '进入庭审' }).click();
  await page.getByLabel('姓名').fill(name);
  await page.getByRole('button', { name: '信息无误，下一步' }).click();
}

/** From the code into the waiting room, as a party goes. */
export async function walkIn(page, url, person) {
  await takeSeat(page, url, person);
  await page.getByRole('button', { name: '跳过检测' }).click();
  await page.getByRole('button', { name: '继续' }).click();
  await page.getByText('我已阅读，并遵守法庭纪律').click();
  await page.getByRole('button', { name: '确认，进入候庭' }).click();
}
