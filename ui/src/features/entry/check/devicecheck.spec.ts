// 庭前检测 as a person goes through it: from the first picture to the report that the court may see.
import { fireEvent, screen, waitFor, within } from '@testing-library/vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import { TESTED } from '../../../host/fake/selftest';
import { HostFailure } from '../../../host/host';
import { createWords, type Locale } from '../../../i18n';
import { judge } from '../../../model/judge';
import { useDevices } from '../../../stores/devices';
import { useSession } from '../../../stores/session';
import { fakeHost } from '../../../testing/fakeHost';
import { mountApp } from '../../../testing/mountApp';
import type { CameraFacts, DeviceFault, HostCommands, MicrophoneFacts, SelfTest, SendSelfTest, SpeakerFacts, TestFacts, TestFinding, TestPart, Voice } from '../../../wire/generated';
import DeviceCheck from './DeviceCheck.vue';
import { OPENING_LIMIT_MS } from './useOpening';

type Answers = Parameters<typeof fakeHost>[0];
type Replies = { [K in keyof HostCommands]: HostCommands[K]['reply'] };

interface Case extends TestPart {
  what: string;
  part: keyof TestFacts | 'overall';
  facts: Partial<TestFacts>;
}
const cases = Object.values(import.meta.glob<Case[]>('../../../../../crates/client/src/selftest/cases.json', { eager: true, import: 'default' }))[0] ?? [];

const LIST: Replies['devices.list'] = {
  devices: [
    { id: 'c', kind: 'camera', name: '集成摄像头', default: true },
    { id: 'm1', kind: 'microphone', name: '麦克风阵列', default: true },
    { id: 'm2', kind: 'microphone', name: 'USB 耳机麦克风', default: false },
    { id: 's', kind: 'speaker', name: '扬声器', default: true },
  ],
  camera: 'c', microphone: 'm1', speaker: 's',
};
const good = TESTED().facts;
const seen: CameraFacts = good.camera ?? { name: 'failed', fault: 'missing', device: null, heldBy: [] };
const heard = (set: Partial<Extract<MicrophoneFacts, { name: 'heard' }>> = {}): Voice => ({
  facts: { name: 'heard', device: '麦克风阵列', speechDb: -24, noiseDb: -62, peakDb: -9, clipped: 0, live: null, ...set },
  shape: [0.2, 0.9, 0.4],
});
const fails = (fault: DeviceFault) => {
  throw new HostFailure({ name: 'device', fault });
};

/** Devices that run, unless `fault` says why one does not. */
function open(answers: Answers = {}, options: { fault?: { camera?: DeviceFault; microphone?: DeviceFault }; locale?: Locale; seat?: boolean } = {}) {
  const fake = fakeHost({
    'app.start': () => ({ version: '0.1.0', server: '', code: null, frames: { url: '', token: '' }, session: null }),
    'hearing.join': () => null,
    'devices.list': () => LIST,
    'devices.choose': ({ kind, id }) => {
      if (kind !== 'speaker') fake.say({ type: 'device', kind, state: { name: 'on', device: id ?? '', width: 1280, height: 720, fps: 30 } });
      return LIST;
    },
    'media.switch': ({ kind, on }) => {
      const which = kind === 'audio' ? 'microphone' : 'camera';
      const fault = options.fault?.[which];
      if (on && fault) {
        fake.say({ type: 'device', kind: which, state: { name: 'failed', fault } });
        return fails(fault);
      }
      fake.say({ type: 'device', kind: which, state: on ? { name: 'on', device: which === 'camera' ? 'c' : 'm1', width: 1280, height: 720, fps: 30 } : { name: 'off' } });
      return null;
    },
    'check.start': () => null,
    'check.stop': () => null,
    'check.keep': () => null,
    'check.send': () => null,
    'check.look': () => seen,
    'check.hear': () => heard(),
    'check.replay': () => null,
    'check.playSound': () => null,
    'check.loop': () => ({ name: 'played', device: '扬声器', heard: null, headset: null, echo: null }),
    'check.permissions': () => ({ camera: 'granted', microphone: 'granted' }),
    'check.settings': () => null,
    'camera.turn': () => null,
    ...answers,
  });
  const mounted = mountApp(DeviceCheck, fake.host, options.seat ? {} : { alone: true }, options.locale);
  if (options.seat) void useSession(mounted.pinia).join({ hearing: 'h', seat: 'p', token: 't' });
  const measured = (facts: Partial<TestFacts>, done = true) => fake.say({ type: 'selfTest', progress: { over: [], running: [], report: { ...TESTED(), facts: { ...good, network: null, computer: null, ...facts } }, done } });
  const calls = (name: keyof HostCommands) => fake.asked.filter((one) => one.name === name).map((one) => one.args);
  return { ...mounted, ...fake, measured, calls };
}
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }));
const tab = (name: RegExp) => fireEvent.mouseDown(screen.getByRole('tab', { name }), { button: 0 });
const line: TestFacts['network'] = good.network && { ...good.network, udp: 'open', loss: 0 };

describe('庭前检测', () => {
  it('ends well when all four are well, and keeps the report', async () => {
    const { measured, emitted, calls, unmount } = open();
    expect(calls('check.start')).toEqual([{ camera: false, sound: false, network: true }]);
    measured({ network: line, computer: good.computer });
    expect(await screen.findByText('画面清楚，光线合适')).toBeTruthy();
    await press('看得清');
    await fireEvent.click(await screen.findByRole('button', { name: /开始录音/ }));
    expect(await screen.findByText('说话音量 100 分')).toBeTruthy();
    await press('播放');
    await waitFor(() => expect(calls('check.replay')).toHaveLength(1));
    await press('听得清');
    await fireEvent.click(await screen.findByRole('button', { name: '听到了' }));
    await fireEvent.click(await screen.findByRole('button', { name: '戴着耳机' }));
    await fireEvent.click(await screen.findByRole('button', { name: '下一项' }));
    await fireEvent.click(await screen.findByRole('button', { name: /看结果/ }));
    expect((await screen.findAllByRole('heading', { name: '可以参加庭审' })).length).toBeGreaterThan(0);
    await press('完成');
    expect(emitted('done')).toEqual([['good']]);
    unmount();
    const [kept] = calls('check.keep') as SelfTest[];
    expect(kept?.facts.speaker).toMatchObject({ heard: true, headset: true });
    expect(kept?.overall.score).toBe('good');
  });

  it('can be skipped at every part, and never says good of what was not tried', async () => {
    const { measured, emitted } = open();
    measured({ network: line });
    await tab(/结果/);
    // On the screen, and on the sheet that is printed.
    expect(await screen.findAllByText(/有的项目没有检测/)).toHaveLength(2);
    await press('完成');
    expect(emitted('done')).toEqual([['usable']]);
  });

  it('goes on without any device at all, with a sentence for each', async () => {
    const { emitted, measured } = open({}, { fault: { camera: 'missing', microphone: 'missing' } });
    measured({});
    await tab(/结果/);
    expect(await screen.findByText('没有找到摄像头，法庭看不到您。', { selector: '.score b' })).toBeTruthy();
    expect(screen.getByText('没有找到麦克风，法庭听不到您。', { selector: '.score b' })).toBeTruthy();
    await press('完成');
    expect(emitted('done')).toEqual([['bad']]);
  });

  it('takes the microphone that hears, and listens to it', async () => {
    let live: string | null = 'USB 耳机麦克风';
    const { calls } = open({ 'check.hear': () => (live ? heard({ speechDb: null, peakDb: -58, live }) : heard()) });
    await tab(/麦克风/);
    await fireEvent.click(await screen.findByRole('button', { name: /开始录音/ }));
    expect(await screen.findByText('现在用的麦克风听不到您，另一个麦克风（USB 耳机麦克风）有声音。')).toBeTruthy();
    live = null;
    await press('改用这个麦克风');
    await waitFor(() => expect(calls('devices.choose')).toEqual([{ kind: 'microphone', id: 'm2' }]));
    expect(await screen.findByText('播放后，能听清自己的声音吗？')).toBeTruthy();
    expect(calls('check.hear')).toHaveLength(2);
  });

  it('writes the level onto its bar, and draws nothing else anew', async () => {
    const { say } = open();
    await screen.findByText('画面清楚，光线合适');
    await tab(/麦克风/);
    await screen.findByText('麦克风阵列');
    const level = (rmsDb: number) => say({ type: 'level', rmsDb, peakDb: rmsDb + 12, talkingWhileMuted: false });
    level(-24);
    expect(await screen.findAllByText('听到您的声音，大小合适')).toHaveLength(1);
    // The new page settles in the next two frames.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const changed = new Set<string>();
    const observer = new MutationObserver((all) => all.forEach((one) => changed.add(`${(one.target as HTMLElement).className} ${one.attributeName ?? one.type}`)));
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    for (let i = 0; i < 30; i += 1) {
      level(-24 - (i % 7));
      await nextTick();
    }
    await new Promise((done) => setTimeout(done));
    observer.disconnect();
    expect([...changed].sort()).toEqual(['bar tall aria-valuenow', 'bar tall style']);
  });

  it('goes on reading on the page that a button led to', async () => {
    open();
    await fireEvent.click(await screen.findByRole('button', { name: '看得清' }));
    await waitFor(() => expect(document.activeElement?.getAttribute('role')).toBe('tabpanel'));
    expect(within(document.activeElement as HTMLElement).getByRole('heading', { name: '麦克风' })).toBeTruthy();
  });

  it('believes the person who does not hear themselves', async () => {
    open();
    await tab(/麦克风/);
    await fireEvent.click(await screen.findByRole('button', { name: /开始录音/ }));
    await fireEvent.click(await screen.findByRole('button', { name: '听不清' }));
    expect(screen.getByText(/请靠近麦克风，重新录一次/)).toBeTruthy();
    await tab(/结果/);
    expect(await screen.findByText('您说听不清自己的声音')).toBeTruthy();
  });

  it('turns the picture, and looks at it again', async () => {
    const { calls } = open();
    await screen.findByText('画面清楚，光线合适');
    await press('翻转画面');
    await waitFor(() => expect(calls('check.look')).toHaveLength(2));
    await press('翻转画面');
    expect(calls('camera.turn')).toEqual([true, false]);
  });

  it('looks at one picture at a time, and believes the last only', async () => {
    const looks: ((facts: CameraFacts) => void)[] = [];
    const { calls, say } = open({ 'check.look': () => new Promise<CameraFacts>((done) => looks.push(done)) });
    await waitFor(() => expect(looks).toHaveLength(1));
    for (const device of ['c2', 'c3']) {
      say({ type: 'device', kind: 'camera', state: { name: 'on', device, width: 1280, height: 720, fps: 30 } });
      await nextTick();
    }
    expect(calls('check.look')).toHaveLength(1);
    looks[0]?.({ name: 'failed', fault: 'busy', device: null, heldBy: [] });
    await waitFor(() => expect(looks).toHaveLength(2));
    expect(screen.queryByText(/正被其他软件使用/)).toBeNull();
    looks[1]?.(seen);
    expect(await screen.findByText('画面清楚，光线合适')).toBeTruthy();
    expect(calls('check.look')).toHaveLength(2);
  });

  it('opens a camera that is plugged in while the person looks on', async () => {
    const fault: { camera?: DeviceFault } = { camera: 'missing' };
    const { say } = open({ 'devices.list': () => ({ ...LIST, devices: LIST.devices.slice(1), camera: null }) }, { fault });
    expect(await screen.findByText('没有找到摄像头。')).toBeTruthy();
    await waitFor(() => expect(screen.getByRole('combobox', { name: '使用哪个摄像头' }).textContent).toBe('没有找到设备'));
    delete fault.camera;
    say({ type: 'devices', list: LIST });
    expect(await screen.findByText('画面清楚，光线合适')).toBeTruthy();
  });

  it('keeps the picture turned for the next check', async () => {
    const { pinia } = open();
    await screen.findByText('画面清楚，光线合适');
    await press('翻转画面');
    await waitFor(() => expect(screen.getByRole('button', { name: '翻转画面' }).getAttribute('aria-pressed')).toBe('true'));
    expect(useDevices(pinia).turned).toBe(true);
  });

  it('opens the system’s settings where leave is missing, and the camera when the person comes back with it', async () => {
    const fault: { camera?: DeviceFault } = { camera: 'denied' };
    const grants = { camera: 'denied' as 'denied' | 'granted', microphone: 'granted' as const };
    const { calls } = open({ 'check.permissions': () => ({ ...grants }) }, { fault });
    await fireEvent.click(await screen.findByRole('button', { name: '打开系统设置' }));
    expect(calls('check.settings')).toEqual(['camera']);
    delete fault.camera;
    grants.camera = 'granted';
    window.dispatchEvent(new Event('focus'));
    expect(await screen.findByText('画面清楚，光线合适')).toBeTruthy();
  });

  it('asks the person who hears nothing to try again, with what to do', async () => {
    open();
    await tab(/扬声器/);
    await fireEvent.click(await screen.findByRole('button', { name: '没听到' }));
    expect(screen.getByText('您没有听到测试的声音。')).toBeTruthy();
    expect(screen.getByText(/把电脑音量调大/)).toBeTruthy();
    await press('播放法槌声');
    await waitFor(() => expect(screen.queryByText('您没有听到测试的声音。')).toBeNull());
  });
});

describe('what does not answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());
  const never = () => new Promise<never>(() => undefined);

  it('a camera that opens for ever is said to hang', async () => {
    const { say } = open({ 'media.switch': never });
    say({ type: 'device', kind: 'camera', state: { name: 'opening' } });
    await vi.advanceTimersByTimeAsync(OPENING_LIMIT_MS);
    expect(screen.getByText('摄像头没有响应。')).toBeTruthy();
  });
  it('a camera that gives nothing to look at is said to hang', async () => {
    open({ 'check.look': never });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(screen.getByText('摄像头没有响应。')).toBeTruthy();
  });
  it('a recording, a test sound and an echo that never end', async () => {
    open({ 'check.hear': never, 'check.loop': never });
    await tab(/麦克风/);
    await vi.advanceTimersByTimeAsync(10);
    await press(/开始录音/);
    expect(screen.getByText('正在录音，请读上面这句话')).toBeTruthy();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(screen.getByText('麦克风没有响应。')).toBeTruthy();
    await tab(/扬声器/);
    await vi.advanceTimersByTimeAsync(10);
    await press('听到了');
    await press('没戴，用的是扬声器');
    expect(screen.getByText(/正在检查有没有回声/)).toBeTruthy();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(screen.getByText('听得到，没有回声')).toBeTruthy();
  });
  it('a network test that never ends is said to have failed, and can be begun again', async () => {
    const { calls } = open();
    await tab(/网络/);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(screen.getByText(/网络检测没有完成/)).toBeTruthy();
    await press('重新检测网络');
    expect(calls('check.start')).toHaveLength(2);
  });
});

describe('发送给法庭', () => {
  const result = async (answers: Answers, seat: boolean) => {
    const all = open(answers, { seat });
    all.measured({ network: line });
    await screen.findByText('画面清楚，光线合适');
    await tab(/结果/);
    await screen.findByRole('button', { name: '发送给法庭' });
    return all;
  };

  it('sends nothing before the person says so, and then the report for their seat', async () => {
    const { calls } = await result({}, true);
    expect(screen.getByText(/没有声音和画面/)).toBeTruthy();
    expect(calls('check.send')).toEqual([]);
    await press('发送给法庭');
    expect(await screen.findByText('已发送给法庭，书记员可以看到。')).toBeTruthy();
    const [sent] = calls('check.send') as SendSelfTest[];
    expect(sent?.by).toEqual({ name: 'seat', seat: { hearing: 'h', seat: 'p', token: 't' } });
    expect(sent?.report.facts.camera).toEqual(seen);
    await waitFor(() => expect((calls('check.keep') as SelfTest[]).map((one) => one.takenAt)).toEqual([sent?.report.takenAt]));
  });

  it('names the programs that the report tells of, before it is sent', async () => {
    const { measured } = open({ 'check.look': () => ({ name: 'failed', fault: 'busy', device: null, heldBy: ['meeting.exe'] }) });
    measured({ network: line });
    await screen.findByText('正在使用的软件：meeting.exe');
    await tab(/结果/);
    expect(await screen.findByText(/还有正在使用摄像头的软件名称：meeting.exe。/)).toBeTruthy();
  });

  it.each([
    ['codeNotAccepted', /庭审码不对/],
    ['codeExpired', /已经结束/],
    ['tooManyTries', /分钟|秒/],
  ] as const)('asks who has no seat for the code, and says %s', async (code, words) => {
    const refuse = () => {
      throw new HostFailure({ name: 'api', error: { code, retryAfterMs: 30_000, validFrom: null } });
    };
    const { calls } = await result({ 'check.send': refuse }, false);
    await press('发送给法庭');
    await fireEvent.update(await screen.findByRole('textbox', { name: /庭审码/ }), '1234 5674');
    await press('同意并发送');
    await waitFor(() => expect(document.querySelector('.problem')?.textContent).toMatch(words));
    if (calls('check.send').length > 0) expect(calls('check.send')[0]).toMatchObject({ by: { name: 'code', code: '12345674' } });
    expect(screen.queryByText(/已发送给法庭/)).toBeNull();
  });
});

describe.each(['zh-CN', 'en'] as const)('every finding is said in %s with what to do', (locale) => {
  const { t } = createWords(locale).global;
  const finding = (code: TestFinding) => t(`selftest.finding.${code}`);
  /** All that a part says on the page of the result. */
  const row = (name: string) => within(screen.getByText(name, { selector: '.score li > b' }).closest('li') as HTMLElement);

  it.each(cases.filter(({ part }) => part !== 'overall').map((one) => [`${one.part}: ${one.what}`, one] as const))('%s', async (_, one) => {
    const { camera, microphone, speaker } = one.facts;
    const fault = { ...(camera?.name === 'failed' && { camera: camera.fault }), ...(microphone?.name === 'failed' && { microphone: microphone.fault }) };
    const { measured } = open(
      {
        'check.look': () => camera ?? seen,
        'check.hear': () => ({ ...heard(), facts: microphone ?? heard().facts }),
        'check.loop': () => (speaker ?? good.speaker) as SpeakerFacts,
        'check.playSound': () => (speaker?.name === 'failed' ? fails(speaker.fault) : null),
        'check.permissions': () => one.facts.permissions ?? { camera: 'granted', microphone: 'granted' },
      },
      { fault, locale },
    );
    measured({ network: one.facts.network ?? line, computer: one.facts.computer ?? null });
    const [mic, loud, end] = [t('entry.item.microphone'), t('entry.item.speaker'), t('entry.result.tab')].map((name) => new RegExp(`^${name}`));
    if (microphone?.name === 'heard') {
      await tab(mic as RegExp);
      await fireEvent.click(await screen.findByRole('button', { name: t('entry.microphone.record', { n: 5 }) }));
    }
    if (speaker) {
      await tab(loud as RegExp);
      if (speaker.name === 'failed') await fireEvent.click(await screen.findByRole('button', { name: t('entry.speaker.play') }));
      else if (speaker.heard === false) await fireEvent.click(await screen.findByRole('button', { name: t('entry.speaker.no') }));
      else {
        await fireEvent.click(await screen.findByRole('button', { name: t('entry.speaker.yes') }));
        await fireEvent.click(await screen.findByRole('button', { name: t(speaker.headset ? 'entry.speaker.headsetYes' : 'entry.speaker.headsetNo') }));
      }
    }
    await tab(end as RegExp);
    const followed = judge(one.facts)[one.part];
    expect(followed).toMatchObject({ findings: one.findings, remedies: one.remedies });
    if (one.findings.length === 0) {
      await waitFor(() => expect(screen.getAllByRole('heading').length).toBeGreaterThan(0));
    } else {
      const name = one.part === 'permissions' || one.part === 'computer' ? t(`selftest.part.${one.part}`) : t(`entry.item.${one.part as 'camera'}`);
      const said = await waitFor(() => {
        const found = row(name);
        expect(found.getByText(finding(one.findings[0] as TestFinding))).toBeTruthy();
        return found;
      });
      for (const code of one.findings) expect(said.getByText(finding(code))).toBeTruthy();
      for (const remedy of one.remedies) expect(said.getByText(t(`selftest.remedy.${remedy}`))).toBeTruthy();
      expect(said.getAllByRole('listitem').length).toBeLessThanOrEqual(3);
    }
    expect(document.body.textContent).not.toMatch(/(entry|selftest)\.\w+/);
  });
});
