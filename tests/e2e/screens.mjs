// Walks a whole hearing in Chromium and holds axe-core against every screen on the way: no serious or critical fault, with
// contrast in all three themes and in the size for the elderly. The party goes from the code to court by keyboard alone.
// usage: node screens.mjs --url URL --people JSON --folder FOLDER [--shots]
// `people`: {"judge":{"code","name"},"clerk":…,"party":…}. A native participant is the other party.
// Says {"type":"screen","name","faults":[…]} for each, and {"type":"done"}. --shots leaves pictures in three sizes.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, newPage, say, takeSeat } from './chromium.mjs';

const { values: args } = parseArgs({
  options: {
    url: { type: 'string' },
    people: { type: 'string' },
    folder: { type: 'string' },
    shots: { type: 'boolean', default: false },
  },
});
const people = JSON.parse(args.people);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** [theme, scale] in which a screen is looked at. */
const LOOKS = [['light', 'normal'], ['light', 'elder'], ['dark', 'normal'], ['contrast', 'normal']];
const SIZES = [[1366, 768], [1920, 1080], [390, 844]];

/** Runs inside the page. */
async function inspect() {
  const { violations } = await window.axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.split('\n').slice(1).join(';').trim()}`));
}

/** Words that are cut off, a page that scrolls as a whole (only panes do), and a bug that was told. Runs inside the page. */
function overflows() {
  const cut = [...document.querySelectorAll('button, h1, h2, h3, .mark, .tab, label, .dock b')].filter(
    (one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 && getComputedStyle(one).overflowX !== 'visible',
  );
  const { scrollWidth, scrollHeight } = document.documentElement;
  const wide = scrollWidth > innerWidth ? ['the page is wider than the window'] : [];
  const high = scrollHeight > innerHeight ? ['the page is higher than the window'] : [];
  const failed = document.querySelector('.failure') ? ['the page says that it failed'] : [];
  return [...cut.map((one) => `cut: ${one.textContent.trim()}`), ...wide, ...high, ...failed];
}

/** Looks at what is shown now, in every theme and size of type. */
async function look(page, name, looks = LOOKS) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const faults = [];
  const root = page.locator('html');
  const before = await root.evaluate(({ dataset }) => [dataset.theme, dataset.scale]);
  const wear = ([theme, scale]) => root.evaluate(({ dataset }, to) => Object.assign(dataset, to), { theme, scale });
  for (const one of looks) {
    await wear(one);
    // Colours change over a moment.
    await page.evaluate(() => Promise.all(document.getAnimations().map((a) => (a.effect?.getTiming().iterations === Infinity ? null : a.finished.catch(() => null)))));
    for (const check of [inspect, overflows]) faults.push(...(await page.evaluate(check)).map((fault) => `${one.join(' ')}: ${fault}`));
    if (args.shots) {
      for (const [width, height] of one[1] === 'elder' || one[0] === 'light' ? SIZES : [SIZES[0]]) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(250);
        await page.screenshot({ path: join(args.folder, `${name}-${one.join('-')}-${width}.png`) });
        faults.push(...(await page.evaluate(overflows)).map((fault) => `${one.join(' ')} ${width}: ${fault}`));
      }
      await page.setViewportSize({ width: 1366, height: 768 });
    }
  }
  await wear(before);
  say('screen', { name, faults: [...new Set(faults)] });
}

/** What has the focus, and whether that can be seen. Runs inside the page. */
function focused() {
  const at = document.activeElement;
  const words = at.matches('button, a, summary') ? at.textContent : '';
  const name = [at.getAttribute('aria-label'), ...[...(at.labels ?? [])].map((label) => label.textContent), words].join(' ');
  const ringed = (one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  };
  // A hidden input shows its focus on its label or on the box beside it.
  const around = [at, at.parentElement, ...(at.labels ?? []), ...(at.parentElement?.children ?? [])];
  // Between the last and the first, nothing has it.
  const seen = at === document.body || around.some((one) => one && ringed(one));
  return { name: name.replaceAll(/\s+/gu, ' '), seen };
}

/** Presses Tab until something with `name` has the focus. */
async function tabTo(page, name) {
  const passed = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(focused);
    if (!at.seen) throw new Error(`the focus cannot be seen on ${at.name}`);
    if (at.name.includes(name)) return;
    passed.push(at.name.trim());
  }
  throw new Error(`the keyboard does not reach ${name}, only ${passed.join(' | ')}`);
}

async function press(page, name, key = 'Enter') {
  const button = page.getByText(name).first();
  await button.waitFor();
  await tabTo(page, name);
  await page.keyboard.press(key);
}

/** A dialog is opened by `open`, looked at, and closed again. */
async function lookAtDialog(page, name, open) {
  await open();
  await page.getByRole('dialog').or(page.getByRole('alertdialog')).first().waitFor();
  await look(page, name, LOOKS.slice(0, 2));
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').or(page.getByRole('alertdialog')).first().waitFor({ state: 'detached' });
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

/** An act of the court, in the strip. */
const act = (page, name) => page.locator('.strip').getByRole('button', { name, exact: true });

async function walk(browser) {
  const [party, judge, clerk] = [await newPage(browser), await newPage(browser), await newPage(browser)];

  await party.goto(args.url);
  await party.getByLabel('8 位庭审码').waitFor();
  await look(party, 'sign-in');
  await party.getByRole('tab', { name: '账号登录' }).click();
  await look(party, 'account', LOOKS.slice(0, 2));
  await button(party, '设备自检').click();
  await look(party, 'self-check');
  await button(party, '开始检测').click();
  // Nothing takes longer than the test's own limit.
  await button(party, '重新检测').waitFor({ timeout: 40_000 });
  await look(party, 'self-check-report');
  await button(party, '逐项检测').click();
  await look(party, 'self-check-single');
  await button(party, '返回').click();
  await button(party, '练习').click();
  await look(party, 'practice', LOOKS.slice(0, 2));
  await button(party, '结束练习').click();
  await button(party, '返回首页').click();

  await tabTo(party, '8 位庭审码');
  await party.keyboard.type(people.party.code.replace(/.$/u, (last) => String((Number(last) + 1) % 10)));
  await party.keyboard.press('Enter');
  await party.getByRole('alert').first().waitFor();
  await look(party, 'sign-in-refused', LOOKS);
  await party.getByLabel('8 位庭审码').fill('');
  await party.keyboard.type(people.party.code);
  await press(party, '进入庭审');
  await party.getByLabel('姓名').waitFor();
  await look(party, 'case');
  await tabTo(party, '姓名');
  await party.keyboard.type(people.party.name);
  await press(party, '信息无误，下一步');

  await party.getByRole('tab', { name: '摄像头' }).waitFor();
  for (const tab of ['摄像头', '麦克风', '扬声器', '网络', '结果']) {
    await party.getByRole('tab', { name: tab }).click();
    await look(party, `check-${tab}`, LOOKS.slice(0, tab === '摄像头' ? 4 : 2));
  }
  await press(party, '继续');
  await party.getByText('我已阅读，并遵守法庭纪律').waitFor();
  await look(party, 'discipline');
  await press(party, '我已阅读，并遵守法庭纪律', 'Space');
  await press(party, '确认，进入候庭');

  await takeSeat(judge, args.url, people.judge);
  await takeSeat(clerk, args.url, people.clerk);
  await act(judge, '开启候庭').waitFor();
  await look(judge, 'court-before', LOOKS.slice(0, 2));
  await act(judge, '开启候庭').click();
  await party.locator('.wplan, .plan, main').first().waitFor();
  await look(party, 'waiting');
  await act(judge, '开庭').click();
  await party.locator('.hearing .tile').first().waitFor();
  await party.locator('.video > .picture').first().waitFor();

  await look(party, 'court-party');
  await look(judge, 'court-judge');
  await look(clerk, 'court-clerk', LOOKS.slice(0, 2));
  for (const tab of ['举证质证', '消息', '参与人']) {
    await party.getByRole('tab', { name: tab }).click();
    await look(party, `court-party-${tab}`, LOOKS.slice(0, 2));
  }
  await judge.getByRole('tab', { name: '参与人' }).click();
  await judge.locator('.roll button').last().click();
  await judge.getByRole('menu').waitFor();
  await look(judge, 'menu', LOOKS.slice(0, 2));
  await judge.keyboard.press('Escape');
  await lookAtDialog(party, 'devices', () => button(party, '设备').click());
  await lookAtDialog(party, 'help', () => button(party, '求助').click());
  await lookAtDialog(party, 'leave', () => button(party, '申请退庭').click());
  await lookAtDialog(judge, 'recess', () => act(judge, '休庭').click());
  await lookAtDialog(judge, 'close', () => act(judge, '闭庭').click());

  await judge.locator('.roll li', { hasText: people.party.name }).getByRole('button').click();
  await judge.getByRole('menuitem', { name: '隔离' }).click();
  await lookAtDialogAnd(judge, 'isolate', async (dialog) => {
    await dialog.getByRole('textbox').fill('法庭合议，请等待传唤。');
    await dialog.getByRole('button', { name: '隔离', exact: true }).click();
  });
  await party.getByText('您已被屏蔽').waitFor();
  await look(party, 'isolated');
  await judge.locator('.roll li', { hasText: people.party.name }).getByRole('button').click();
  await judge.getByRole('menuitem', { name: '传唤' }).click();
  await party.locator('.hearing').waitFor();

  await act(judge, '休庭').click();
  await lookAtDialogAnd(judge, 'recess-asked', async (dialog) => {
    const box = dialog.getByRole('textbox');
    if (await box.count()) await box.first().fill('休庭十五分钟。');
    await dialog.getByRole('button', { name: '休庭' }).click();
  });
  await party.locator('.pause').waitFor();
  await look(party, 'recess-party');
  await look(judge, 'recess-judge', LOOKS.slice(0, 2));
  await act(judge, '恢复').click();

  await party.locator('.pause').waitFor({ state: 'detached' });
  await party.context().setOffline(true);
  await party.getByText('断线不等于退庭').waitFor({ timeout: 60_000 });
  await look(party, 'reconnecting');
  await party.context().setOffline(false);
  await party.locator('.hearing').waitFor({ timeout: 60_000 });

  await act(judge, '闭庭').click();
  await lookAtDialogAnd(judge, 'close-asked', async (dialog) => {
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: '确认闭庭' }).click();
  });
  await party.getByText('庭审已结束').first().waitFor();
  await look(party, 'ended', LOOKS.slice(0, 2));
}

async function lookAtDialogAnd(page, name, act) {
  const dialog = page.getByRole('dialog').or(page.getByRole('alertdialog')).first();
  await dialog.waitFor();
  await look(page, name, LOOKS.slice(0, 1));
  await act(dialog);
  await dialog.waitFor({ state: 'detached' });
}

const browser = await launch(args.folder, 523);
try {
  await walk(browser);
  say('done');
} catch (error) {
  for (const [i, page] of browser.contexts().flatMap((one) => one.pages()).entries()) {
    await page.screenshot({ path: join(args.folder, `failed-${i}.png`) }).catch(() => undefined);
  }
  say('failed', { message: String(error) });
  process.exitCode = 1;
} finally {
  await browser.close();
}
