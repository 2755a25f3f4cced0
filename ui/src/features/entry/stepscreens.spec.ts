// The steps after the seat is taken, driven by what the server says.
import { fireEvent, screen, waitFor } from '@testing-library/vue';
import { describe, expect, it } from 'vitest';
import type { Component } from 'vue';
import { TESTED } from '../../host/fake/selftest';
import { HostFailure } from '../../host/host';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import { useSession } from '../../stores/session';
import type { Command, DeviceFault, HearingState, HostEvent, Participant, ParticipantState, Role, Snapshot } from '../../wire/generated';
import App from '../../App.vue';
import StepsScreen from './StepsScreen.vue';
import { useEntry } from './useEntry';

const media = { mic: false, camera: false, micLocked: false, cameraLocked: false, audioBlocked: false, videoBlocked: false, askedToUnmute: false };
function person(id: string, role: Role, title: string, side: string, state: ParticipantState): Participant {
  return { seat: { id, role, title, name: `${title}名`, represents: null, side } as Participant['seat'], state, media, hand: false, sharing: false, identity: 'none', test: 'unknown', net: 'good', devices: { camera: { name: 'unknown' }, microphone: { name: 'unknown' }, speaker: { name: 'unknown' } }, fix: null, findings: [] };
}
function snapshot(state: ParticipantState, hearing: HearingState = { name: 'open' }): Snapshot {
  return {
    hearing: 'h', seq: 3, serverTime: Date.now(), you: 'me', state: hearing, stateSince: 0, startedAt: null,
    case: { number: '（2026）示0101民初1234号', cause: '纠纷', court: '法院', courtroom: '法庭', startsAt: Date.now() + 600_000, public: true },
    settings: { identityStep: true } as Snapshot['settings'],
    participants: [person('me', 'plaintiff', '原告', 'plaintiff', state), person('j', 'presidingJudge', '审判长', 'bench', { name: 'invited' }), person('w', 'witness', '证人', 'witness', { name: 'witnessRoom' })],
    floor: null, requests: [], recording: { name: 'unavailable' }, broadcasting: false, log: [],
  };
}
const quick = { camera: { name: 'off' as const }, microphone: { name: 'off' as const }, loudestDb: -90, serverReachable: true, rttMs: 12, mediaReachable: null };

async function open(state: ParticipantState, options: { hearing?: HearingState; fault?: DeviceFault; root?: Component; refuse?: Command['type'] } = {}) {
  const commands: unknown[] = [];
  const fake = fakeHost({
    'app.start': () => ({ version: '0', server: '', code: null, frames: { url: '', token: '' }, session: null }),
    'hearing.join': () => null,
    'hearing.end': () => null,
    'check.quick': () => quick,
    'check.playSound': () => null,
    'check.start': () => null,
    'check.stop': () => null,
    'check.keep': () => null,
    'check.look': () => TESTED().facts.camera ?? { name: 'failed', fault: 'missing', device: null, heldBy: [] },
    'check.permissions': () => ({ camera: 'unknown', microphone: 'unknown' }),
    'devices.list': () => ({ devices: [], camera: null, microphone: null, speaker: null }),
    'media.switch': ({ kind, on }) => {
      const which = kind === 'audio' ? 'microphone' : 'camera';
      if (on && options.fault) {
        fake.say({ type: 'device', kind: which, state: { name: 'failed', fault: options.fault } });
        throw new HostFailure({ name: 'device', fault: options.fault });
      }
      fake.say({ type: 'device', kind: which, state: on ? { name: 'on', device: 'd', width: 1280, height: 720, fps: 25 } : { name: 'off' } });
      return null;
    },
    'hearing.command': ({ command }) => {
      commands.push(command);
      if (command.type === options.refuse) return { name: 'rejected', code: 'tooFast' };
      return { name: 'accepted', seq: 4 };
    },
  });
  const { pinia } = mountApp(options.root ?? StepsScreen, fake.host);
  await useSession(pinia).join({ hearing: 'h', seat: 'me', token: 't' });
  const frame = (next: ParticipantState): HostEvent => ({
    type: 'channel', frame: { type: 'welcome', connection: 'c', snapshot: snapshot(next, options.hearing), media: null },
  });
  fake.say({ type: 'link', state: { name: 'live' } });
  fake.say(frame(state));
  return { commands, entry: useEntry(pinia), move: (next: ParticipantState) => fake.say(frame(next)), say: fake.say, calls: fake.asked, attached: fake.attached };
}

describe('the steps follow the server', () => {
  it('shows each step when the server says so, also backwards', async () => {
    const { move } = await open({ name: 'acknowledging' });
    expect(await screen.findByRole('heading', { name: '法庭纪律' })).toBeTruthy();
    move({ name: 'identifying' });
    expect(await screen.findByRole('heading', { name: '身份验证' })).toBeTruthy();
    move({ name: 'waiting' });
    expect(await screen.findByText(/您会自动进入法庭/)).toBeTruthy();
    expect(screen.queryByText(/证人名/)).toBeNull();
    move({ name: 'testing' });
    expect(await screen.findByRole('tab', { name: /摄像头/ })).toBeTruthy();
  });

  it('asks again for the case after a reload, and goes on', async () => {
    const { commands } = await open({ name: 'coded' });
    await fireEvent.click(await screen.findByRole('button', { name: /信息无误/ }));
    await waitFor(() => expect(commands).toEqual([{ type: 'step.begin' }]));
  });

  it('lets nobody past the rules without the tick', async () => {
    const { commands } = await open({ name: 'acknowledging' });
    const button = await screen.findByRole<HTMLButtonElement>('button', { name: /确认，进入候庭/ });
    expect(button.disabled).toBe(true);
    await fireEvent.click(screen.getByRole('checkbox', { name: /我已阅读/ }));
    await fireEvent.click(button);
    await waitFor(() => expect(commands).toEqual([{ type: 'step.acknowledged' }]));
  });

  it('identity can be skipped, and the court is told', async () => {
    const { commands } = await open({ name: 'identifying' });
    await fireEvent.click(await screen.findByRole('button', { name: '跳过' }));
    await waitFor(() => expect(commands).toEqual([{ type: 'step.identified', skipped: true }]));
  });

  it('says that the line is down, and that nothing is lost', async () => {
    const { say } = await open({ name: 'acknowledging' });
    say({ type: 'link', state: { name: 'retrying', attempt: 2, retryInMs: 900, lostForMs: 4_000 } });
    expect((await screen.findByText(/第 2 次重新连接/)).textContent).toMatch(/不会丢失/);
  });

  it('tells the one who waits that the hearing was adjourned, with the court’s reason', async () => {
    await open({ name: 'waiting' }, { hearing: { name: 'adjourned', reason: '被告突发疾病' }, root: App });
    await waitFor(() => expect(document.title).toContain('本次庭审已结束'));
    expect((await screen.findByRole('alert')).textContent).toMatch(/延期审理/);
    expect(screen.getByText(/被告突发疾病/)).toBeTruthy();
  });
});

describe('the device check', () => {
  it.each<[DeviceFault, RegExp, RegExp]>([
    ['missing', /没有找到摄像头/, /插上摄像头；笔记本电脑请打开镜头开关/],
    ['busy', /正被其他软件使用/, /关掉微信、钉钉/],
    ['denied', /还没有允许/, /打开系统设置的“隐私”/],
    ['unplugged', /被拔掉了/, /拔下来，等五秒，再插紧/],
    ['hung', /没有响应/, /拨打书记员电话/],
  ])('%s has its own sentence and remedy, and one may go on', async (fault, sentence, remedy) => {
    const { commands } = await open({ name: 'testing' }, { fault });
    expect(await screen.findByText(sentence)).toBeTruthy();
    expect(screen.getByText(remedy)).toBeTruthy();
    expect(screen.getByText(/没有摄像头也可以进入/)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: '跳过检测' }));
    await fireEvent.click(await screen.findByRole('button', { name: /继续/ }));
    await waitFor(() => expect(commands).toEqual([{ type: 'step.tested', score: 'bad' }]));
  });

  it('shows one’s own picture, and words while there is none', async () => {
    const { say, attached } = await open({ name: 'testing' });
    const own = (muted: boolean) => say({ type: 'tracks', tracks: [{ slot: 7, seat: 'me', source: 'camera', own: true, muted, width: 640, height: 480 }] });
    own(false);
    await waitFor(() => expect(attached).toEqual([7]));
    expect(document.querySelector('.own-picture')?.textContent).toBe('');
    own(true);
    await waitFor(() => expect(attached).toEqual([]));
    expect(document.querySelector('.own-picture')?.textContent).not.toBe('');
  });

  it.each<[string, DeviceFault | undefined, string]>([
    ['runs', undefined, '正在使用的设备'],
    ['is forbidden', 'denied', '没有可选的设备'],
    ['is not there', 'missing', '没有找到设备'],
  ])('a list of cameras that is empty says that the camera %s', async (_, fault, words) => {
    await open({ name: 'testing' }, { fault });
    await waitFor(() => expect(screen.getByRole('combobox', { name: '使用哪个摄像头' }).textContent).toBe(words));
  });
});

it('a note to the clerk goes out from the waiting room', async () => {
  const { commands } = await open({ name: 'waiting' });
  await fireEvent.update(await screen.findByRole('textbox', { name: '写给书记员' }), '身份证要原件吗？');
  await fireEvent.click(screen.getByRole('button', { name: '发送' }));
  await waitFor(() => expect(commands).toEqual([{ type: 'help.ask', text: '身份证要原件吗？', to: null }]));
});

it('a note from before the seat that did not get through stands in the waiting room, to be sent again', async () => {
  const { commands, entry, move } = await open({ name: 'coded' }, { refuse: 'help.ask' });
  entry.note = '住址已变更';
  await fireEvent.click(await screen.findByRole('button', { name: /下一步/ }));
  await waitFor(() => expect(commands.map((one) => (one as Command).type)).toEqual(['help.ask', 'step.begin']));
  move({ name: 'testing' });
  expect(await screen.findByText(/留言没有送达/)).toBeTruthy();
  move({ name: 'waiting' });
  expect(await screen.findByRole('textbox', { name: '写给书记员' })).toHaveProperty('value', '住址已变更');
});

it.each([
  ['was told', undefined, '已告知法庭'],
  ['was not told', 'identity.submit', '操作太快，请稍候再试'],
] as const)('the court asks in the waiting room who one is; the answer says there that it %s', async (_, refuse, words) => {
  const { commands, say } = await open({ name: 'waiting' }, { root: App, ...(refuse && { refuse }) });
  const asked = snapshot({ name: 'waiting' });
  asked.participants = asked.participants.map((p) => (p.seat.id === 'me' ? { ...p, identity: 'requested' } : p));
  say({ type: 'channel', frame: { type: 'snapshot', snapshot: asked } });
  await fireEvent.click(await screen.findByRole('button', { name: '我准备好了' }));
  await waitFor(() => expect(document.querySelector('.toast')?.textContent).toMatch(words));
  expect(commands).toContainEqual({ type: 'identity.submit' });
});
