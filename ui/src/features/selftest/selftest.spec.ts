// 设备自检 as a person sees it: from the button to the sentences of the report.
import { fireEvent, screen, waitFor, within } from '@testing-library/vue';
import { describe, expect, it } from 'vitest';
import { TESTED } from '../../host/fake/selftest';
import { HostFailure } from '../../host/host';
import { createWords } from '../../i18n';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import type { SelfTest, SelfTestProgress } from '../../wire/generated';
import { numberOf, rowsOf } from './rows';
import SelfTestScreen from './SelfTestScreen.vue';
import { reportText } from './text';

const wire = import.meta.glob<SelfTest[]>('../../../../crates/protocol/tests/wire/self_test.json', { eager: true, import: 'default' });
const examples = Object.values(wire)[0] ?? [];
const { t, te } = createWords().global;

const at = (done: boolean, over: SelfTestProgress['over'] = [], running: SelfTestProgress['running'] = []): SelfTestProgress => ({ over, running, report: TESTED(), done });

function open(answers: Parameters<typeof fakeHost>[0] = {}) {
  const fake = fakeHost({ 'check.start': () => null, 'check.stop': () => null, 'check.history': () => [], ...answers });
  return { ...mountApp(SelfTestScreen, fake.host), ...fake };
}
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));

describe('设备自检', () => {
  it('says what it will do, then how far it is, then what was found and what to do', async () => {
    const { say } = open();
    await press('开始检测');
    say({ type: 'selfTest', progress: at(false, ['computer'], ['camera']) });
    const steps = await screen.findAllByRole('listitem');
    expect(steps.map((step) => step.textContent)).toEqual(['电脑性能完成', '摄像头正在检测', '麦克风和扬声器等待', '网络等待']);
    say({ type: 'selfTest', progress: at(true) });
    expect(await screen.findByText('可以参加庭审，建议先改善')).toBeTruthy();
    const network = screen.getByRole('row', { name: /^网络/ });
    expect(within(network).getByText('网络拦住了传画面和声音的快速通道（UDP），改走备用通道（TCP），网络不好时容易卡顿。')).toBeTruthy();
    expect(within(network).getByText('上传 3.2、下载 9.6（兆比特每秒），时延 64 毫秒，丢包 6.1%')).toBeTruthy();
  });

  it('can be stopped, and then says that it was', async () => {
    const { say, asked } = open();
    await press('开始检测');
    say({ type: 'selfTest', progress: at(false) });
    await fireEvent.click(await screen.findByRole('button', { name: '停止检测' }));
    expect(asked.map(({ name }) => name)).toContain('check.stop');
    say({ type: 'selfTest', progress: at(true) });
    expect(await screen.findByText('检测中途停止，下面是已经检测到的。')).toBeTruthy();
  });

  it('closes the devices when somebody goes elsewhere in the middle of it', async () => {
    const { say, asked, unmount } = open();
    await press('开始检测');
    say({ type: 'selfTest', progress: at(false) });
    unmount();
    expect(asked.at(-1)?.name).toBe('check.stop');
  });

  it('that does not begin says so and can be begun again', async () => {
    open({
      'check.start': () => {
        throw new HostFailure({ name: 'internal' });
      },
    });
    await press('开始检测');
    expect(await screen.findByText('检测没有开始，请再试一次。')).toBeTruthy();
    expect(screen.getByRole('button', { name: '开始检测' })).toBeTruthy();
  });

  it('says nothing of a test that it did not start', async () => {
    const { say } = open();
    say({ type: 'selfTest', progress: at(false, [], ['network']) });
    say({ type: 'selfTest', progress: at(true) });
    await Promise.resolve();
    expect(screen.queryByRole('heading', { name: '设备自检报告' })).toBeNull();
    expect(screen.getByRole('button', { name: '开始检测' })).toBeTruthy();
  });

  it('shows the report of 逐项检测 among the earlier ones when that closes', async () => {
    const kept: SelfTest[] = [];
    const { asked, say } = open({
      'check.history': () => [...kept],
      'check.keep': (report) => (kept.push({ ...report, takenAt: new Date(2026, 2, 17, 20, 14).getTime() }), null),
      'check.permissions': () => ({ camera: 'granted', microphone: 'granted' }),
      'media.switch': () => null,
      'devices.list': () => ({ devices: [], camera: null, microphone: null, speaker: null }),
    });
    await press('逐项检测');
    say({ type: 'selfTest', progress: at(true) });
    await fireEvent.click(await screen.findByRole('button', { name: /返回/ }));
    expect(await screen.findByRole('button', { name: /2026年3月17日/ })).toBeTruthy();
    expect(asked.map(({ name }) => name)).toContain('check.stop');
  });

  it('shows an earlier report', async () => {
    const earlier = { ...TESTED(), takenAt: new Date(2026, 2, 17, 20, 14).getTime() };
    open({ 'check.history': () => [earlier] });
    await fireEvent.click(await screen.findByRole('button', { name: /2026年3月17日/ }));
    await waitFor(() => expect(screen.getByText(/20260317-2014/)).toBeTruthy());
    // Who does not see the page is taken to it.
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: '设备自检报告' }));
  });
});

describe('a report', () => {
  it('has a sentence for every finding and every remedy there is', () => {
    const codes = examples.flatMap(({ overall }) => overall);
    expect(codes.flatMap(({ findings }) => findings).filter((code) => !te(`selftest.finding.${code}`))).toEqual([]);
    expect(codes.flatMap(({ remedies }) => remedies).filter((code) => !te(`selftest.remedy.${code}`))).toEqual([]);
    expect(codes.flatMap(({ findings }) => findings).length).toBeGreaterThan(50);
  });

  it('names the program that holds the camera, and says nothing where nothing is known', () => {
    const [, failed, empty] = examples;
    if (!failed || !empty) throw new Error('three examples');
    expect(rowsOf(failed)[0]).toMatchObject({ device: 'HD Camera', facts: [{ key: 'heldBy', values: { names: 'meeting.exe' } }] });
    expect(rowsOf(empty).flatMap(({ facts }) => facts)).toEqual([]);
  });

  it('as text is one line a part, and the steps', () => {
    const report = TESTED();
    const lines = reportText(report, t, 'fake').trimEnd().split('\n');
    expect(lines).toContain('摄像头 [良好] 集成摄像头 1280×720，每秒 30 帧');
    expect(lines.at(-3)).toBe('1. 在单位上网的，请网管放行到法院服务器的 UDP 端口。');
    expect(lines[1]).toBe(`报告编号　${numberOf(report.takenAt)}`);
  });
});
