/** The words of findings and remedies, by where they are read; and that a screen and its printout agree. */
import { screen, within } from '@testing-library/vue';
import { expect, it } from 'vitest';
import { TESTED } from '../../host/fake/selftest';
import { createWords } from '../../i18n';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import type { SelfTest, TestPart } from '../../wire/generated';
import PartFindings from './PartFindings.vue';
import ReportSheet from './ReportSheet.vue';
import { unknownOf } from './rows';
import { reportText } from './text';

const part: TestPart = { score: 'bad', findings: ['permissionCamera'], remedies: ['allowCamera', 'chooseOther', 'turnPicture', 'takeLiveMicrophone'] };
const report = (): SelfTest => ({ ...TESTED(), permissions: part, overall: part });
const { t } = createWords().global;
const hostOf = (kind: 'browser' | 'fake') => ({ ...fakeHost().host, kind });

it('in a browser leave is given in the address bar: on the sheet, in the text and beside the device', () => {
  mountApp(ReportSheet, hostOf('browser'), { report: report() });
  mountApp(PartFindings, hostOf('browser'), { part });
  const texts = [document.body.textContent, reportText(report(), t, 'browser')];
  for (const text of texts) {
    expect(text).toContain('地址栏');
    expect(text).not.toContain('系统设置');
  }
});

it('elsewhere it is given in the system settings', () => {
  mountApp(ReportSheet, hostOf('fake'), { report: report() });
  expect(document.body.textContent).toContain('打开系统设置的“隐私”');
  expect(reportText(report(), t, 'fake')).toContain('打开系统设置的“隐私”');
});

it('a report names the buttons of the check by where they are; the check itself does not need to', () => {
  const { unmount } = mountApp(ReportSheet, hostOf('fake'), { report: report() });
  for (const text of [document.body.textContent, reportText(report(), t, 'fake')]) {
    expect(text).toContain('点“逐项检测”，换一个设备试试。');
    expect(text).toContain('在“逐项检测”的摄像头一项点“翻转画面”。');
    expect(text).toContain('在“逐项检测”的麦克风一项点“改用这个麦克风”。');
  }
  unmount();
  mountApp(PartFindings, hostOf('fake'), { part });
  expect(document.body.textContent).not.toContain('逐项检测');
});

it('a sheet says what the screen beside it says', () => {
  mountApp(ReportSheet, hostOf('fake'), { report: TESTED(), outcome: 'untested' });
  const status = within(screen.getByRole('status'));
  expect(status.getByText('可以参加庭审')).toBeTruthy();
  expect(status.getByText(/有的项目没有检测/)).toBeTruthy();
});

it('the way of last resort and the speed of a codec are no business of the person', () => {
  const { computer, network, ...facts } = TESTED().facts;
  const bare: SelfTest = { ...TESTED(), facts: { ...facts, computer: computer && { ...computer, codec: [] }, network: network && { ...network, tunnel: 'untested' } } };
  for (const name of ['network', 'computer'] as const) expect(unknownOf(name, bare, ['tunnel', 'codec'])).toEqual([]);
});
