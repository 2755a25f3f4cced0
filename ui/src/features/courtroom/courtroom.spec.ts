/** The courtroom on the scripted host, found by role, as people and screen readers find it. */
import { fireEvent, screen, waitFor, within } from '@testing-library/vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import App from '../../App.vue';
import { createFakeHost } from '../../host/fake';
import { HostFailure } from '../../host/host';
import EN from '../../locales/en/courtroom.json';
import { apply } from '../../model/hearing';
import { useDevices } from '../../stores/devices';
import { useFailure } from '../../stores/failure';
import { useNotices } from '../../stores/notices';
import { useSession } from '../../stores/session';
import { event } from '../../testing/build';
import { mountApp } from '../../testing/mountApp';
import type { Event, HostCommands, PendingRequest, SeatId } from '../../wire/generated';

async function enter(as: string, scene = 'court') {
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
  const host = await createFakeHost(`?host=fake&as=${as}&scene=${scene}`);
  const call = vi.spyOn(host, 'call');
  const { pinia } = mountApp(App, host);
  const commands = () => call.mock.calls.filter(([name]) => name === 'hearing.command').map(([, args]) => (args as HostCommands['hearing.command']['args']).command);
  return { commands, call, host, pinia };
}
/** One more event of the hearing. */
async function happens(actor: SeatId | null, what: Event) {
  const session = useSession();
  if (!session.snapshot) throw new Error('the scene has a hearing');
  session.snapshot = apply(session.snapshot, event(session.snapshot, actor, what));
  await nextTick();
}
const button = (name: string | RegExp) => screen.findByRole('button', { name });
const press = async (name: string | RegExp) => fireEvent.click(await button(name));

describe('for a party', () => {
  it('shows the court in its places, oneself marked, nobody who waits to be called', async () => {
    await enter('plaintiff');
    const seat = async (name: string) => within(await screen.findByRole('region', { name }));
    expect((await seat('审判席')).getAllByRole('figure')).toHaveLength(3);
    expect((await seat('原告席')).getByRole('figure', { name: '原告 张示例' }).textContent).toContain('我');
    expect((await seat('被告席')).getByRole('figure', { name: '被告代理人 吴范例，正在发言' })).toBeTruthy();
    expect(screen.queryByText(/钱假设/)).toBeNull();
    expect(screen.queryByRole('toolbar')).toBeNull();
  });

  it('enlarges a picture by Enter, and restores it by Enter', async () => {
    await enter('plaintiff');
    const tile = await screen.findByRole('figure', { name: '审判长 王示范' });
    await fireEvent.keyDown(tile, { key: 'Enter' });
    expect(tile.classList).toContain('big');
    expect([...document.querySelectorAll('.court .tile')].filter((one) => !one.closest('[inert]'))).toEqual([tile]);
    await fireEvent.keyDown(tile, { key: 'Enter' });
    expect(tile.classList).not.toContain('big');
    await fireEvent.keyDown(tile, { key: 'Enter' });
    await fireEvent.keyDown(tile, { key: 'Escape' });
    expect(tile.classList).not.toContain('big');
  });

  it('opens the microphone only by the person, and shows it open when the court knows', async () => {
    const { call } = await enter('plaintiff', 'asked');
    expect((await screen.findByRole('alert')).textContent).toContain('法庭请您打开麦克风');
    expect(call.mock.calls.some(([name]) => name === 'media.switch')).toBe(false);
    await press('打开麦克风');
    expect(await button('麦克风：已打开')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('says that nothing comes from a microphone that is on, and leads to the devices', async () => {
    await enter('plaintiff', 'asked');
    await press('打开麦克风');
    await button('麦克风：已打开');
    const level = (peakDb: number) => {
      useDevices().level = { rmsDb: peakDb - 12, peakDb };
      return nextTick();
    };
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await level(-90);
      vi.advanceTimersByTime(7_999);
      await level(-90);
      expect(screen.queryByText(/法庭听不到您说话/)).toBeNull();
      vi.advanceTimersByTime(1);
      await level(-90);
      expect(screen.getByText(/法庭听不到您说话/)).toBeTruthy();
      await level(-40);
      expect(screen.queryByText(/法庭听不到您说话/)).toBeNull();
    } finally {
      vi.useRealTimers();
    }
    // The court's server may notice it first.
    await happens(null, { type: 'participant.devices', payload: { seat: 'plaintiff', devices: { camera: { name: 'fine' }, microphone: { name: 'silent' }, speaker: { name: 'unknown' } } } });
    await press('换一个麦克风');
    expect(await screen.findByRole('dialog')).toBeTruthy();
  });

  it('cannot open a microphone that the court has locked', async () => {
    const { call } = await enter('plaintiff', 'locked');
    const mic = await button('麦克风：法庭已锁定');
    await fireEvent.click(mic);
    expect(call.mock.calls.some(([name]) => name === 'media.switch')).toBe(false);
    expect(await screen.findByText(/需要发言请举手/)).toBeTruthy();
  });

  it('says aloud when speaking while muted', async () => {
    await enter('plaintiff', 'muted');
    expect((await screen.findByRole('alert')).textContent).toContain('法庭听不到您');
  });

  it('raises a hand and waits for the server to say so', async () => {
    const { commands } = await enter('plaintiff');
    await press('举手');
    expect(commands()).toEqual([{ type: 'self.hand', up: true }]);
    expect((await button('放下手')).getAttribute('aria-pressed')).toBe('true');
  });

  it('asks for leave with a reason instead of leaving', async () => {
    const { commands } = await enter('plaintiff');
    await press('申请退庭');
    await fireEvent.update(await screen.findByRole('textbox', { name: '退庭理由' }), '身体不适');
    await press('提出申请');
    expect(commands()).toEqual([{ type: 'request.make', request: { name: 'leave', note: '身体不适' } }]);
    expect(await button('已申请退庭')).toBeTruthy();
  });

  it('asks for a recess with a reason, and takes it back', async () => {
    const { commands } = await enter('plaintiff');
    await press('申请');
    await fireEvent.update(await screen.findByRole('textbox', { name: '理由' }), '身体不适');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('textbox', { name: '理由' })));
    await press('提出申请');
    await waitFor(() => expect(useNotices().notice?.key).toBe('courtroom.ask.made'));
    await press('申请');
    expect(await screen.findByText('申请已提出，正在等待法官决定。')).toBeTruthy();
    expect(await button('保留申请')).toBeTruthy();
    await press('撤回申请');
    await waitFor(() => expect(useNotices().notice?.key).toBe('courtroom.ask.withdrawn'));
    expect(commands()).toEqual([
      { type: 'request.make', request: { name: 'recess', note: '身体不适' } },
      { type: 'request.withdraw', request: 'made-1' },
    ]);
  });

  it('asks for another phase, and not for the one that is on', async () => {
    const { commands } = await enter('plaintiff');
    await press('申请');
    await fireEvent.click(await screen.findByRole('radio', { name: '进入其他庭审阶段' }));
    expect(await button('提出申请')).toHaveProperty('disabled', true);
    expect(screen.queryByRole('option', { name: '举证质证' })).toBeNull();
    await fireEvent.update(screen.getByRole('combobox', { name: '进入哪个阶段' }), 'debate');
    await press('提出申请');
    expect(commands()).toEqual([{ type: 'request.make', request: { name: 'phase', phase: 'debate' } }]);
  });

  it('says that one is ready for the identity check, when asked', async () => {
    const { commands } = await enter('plaintiff', 'identity');
    expect((await screen.findByRole('alert')).textContent).toContain('核验身份');
    await press('我准备好了');
    expect(commands()).toEqual([{ type: 'identity.submit' }]);
    await waitFor(() => expect(screen.queryByRole('button', { name: '我准备好了' })).toBeNull());
  });

  it('writes to the court', async () => {
    const { commands } = await enter('plaintiff');
    const tab = await screen.findByRole('tab', { name: '消息' });
    await fireEvent.mouseDown(tab, { button: 0 });
    const log = await screen.findByRole('log');
    expect(log.textContent).toContain('审判长 王示范 宣布进入“举证质证”阶段');
    // Read out in the order in which it happened.
    expect(log.textContent.indexOf('声音有点断')).toBeLessThan(log.textContent.indexOf('已看到，听不清'));
    await fireEvent.update(screen.getByRole('textbox', { name: '消息' }), '声音断了');
    await press('发送');
    expect(commands()).toEqual([{ type: 'message.send', text: '声音断了' }]);
    await waitFor(() => expect(log.textContent).toContain('声音断了'));
  });

  it('shows the device in use again when another one could not be opened', async () => {
    const { host } = await enter('plaintiff');
    await press('设备');
    const select = await screen.findByRole('combobox', { name: '麦克风' });
    const call = host.call.bind(host);
    vi.spyOn(host, 'call').mockImplementation((name, args) => (name === 'devices.choose' ? Promise.reject(new HostFailure({ name: 'device', fault: 'busy' })) : call(name, args as never)));
    await fireEvent.update(select, 'mic-2');
    await waitFor(() => expect(select).toHaveProperty('value', 'mic-1'));
  });

  it('shares a screen only after choosing one', async () => {
    const { call } = await enter('plaintiff');
    await press('共享');
    const start = await button('开始共享');
    expect(start).toHaveProperty('disabled', true);
    await fireEvent.click(await screen.findByRole('radio', { name: '房屋交接单.pdf' }));
    await fireEvent.click(start);
    await waitFor(() => expect(call).toHaveBeenCalledWith('share.start', 'window-1'));
    // The dialog hides what is behind it until it has closed.
    const dock = within(await screen.findByRole('contentinfo'));
    expect(await dock.findByRole('button', { name: '停止共享' })).toBeTruthy();
  });

  it('is told as long as one’s own screen is seen, and ends that by one press', async () => {
    const { call } = await enter('plaintiff');
    await button('共享');
    expect(screen.queryByText(/您正在共享屏幕/)).toBeNull();
    // It is read out only if the place was there before the words.
    const places = screen.getAllByRole('status');
    await happens('plaintiff', { type: 'share.state', payload: { seat: 'plaintiff', on: true } });
    const words = screen.getByText(/您正在共享屏幕/);
    expect(places).toContain(words);
    const bar = words.parentElement as HTMLElement;
    await fireEvent.click(within(bar).getByRole('button', { name: '停止共享' }));
    expect(call).toHaveBeenCalledWith('share.stop', null);
    await happens('plaintiff', { type: 'share.state', payload: { seat: 'plaintiff', on: false } });
    expect(screen.queryByText(/您正在共享屏幕/)).toBeNull();
  });
});

describe('words of the court', () => {
  afterEach(() => void vi.useRealTimers());
  const says = (actor: SeatId, text: string) => happens(actor, { type: 'message', payload: { text } });
  const notice = () => screen.queryByText('审判长 王示范：')?.closest('[role=status]');

  it('are told over the court while 消息 is not open, those of parties are not', async () => {
    await enter('plaintiff');
    await button('举手');
    await says('defendant', '我没有听清');
    expect(screen.queryByRole('button', { name: '查看消息' })).toBeNull();
    await says('judge', '请原告最后陈述');
    expect(notice()?.textContent).toBe('审判长 王示范：请原告最后陈述');
    expect(notice()?.getAttribute('aria-live')).toBe('polite');
    await press('关闭');
    expect(notice()).toBeUndefined();
  });

  it('lead to 消息 with the keyboard, where they are not told again', async () => {
    await enter('plaintiff');
    await button('举手');
    await says('judge', '请原告最后陈述');
    await press('查看消息');
    const log = await screen.findByRole('log');
    expect(log.textContent).toContain('请原告最后陈述');
    expect(document.activeElement).toBe(log);
    expect(screen.queryByRole('button', { name: '查看消息' })).toBeNull();
    await says('clerk', '请靠近话筒');
    expect(screen.queryByRole('button', { name: '查看消息' })).toBeNull();
  });

  it('stay for eight seconds, not counted under a dialog, and no longer', async () => {
    await enter('plaintiff');
    await button('举手');
    vi.useFakeTimers({ shouldAdvanceTime: true });
    await press('申请退庭');
    await screen.findByRole('dialog');
    await says('judge', '请稍候');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(notice()).toBeTruthy();
    await press('取消');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(notice()).toBeTruthy();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(notice()).toBeUndefined();
    // It was not looked at: 消息 still counts it.
    expect(screen.getByRole('img', { name: '1 条新内容' })).toBeTruthy();
  });

  it('reach an isolated person, who has no panel, and stay until closed', async () => {
    await enter('plaintiff', 'isolated');
    await screen.findByText(/请等待法官传唤/);
    vi.useFakeTimers({ shouldAdvanceTime: true });
    await happens('clerk', { type: 'help', payload: { seat: 'plaintiff', text: '请继续等候' } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(screen.getByText('书记员 孙演示：').closest('[role=status]')?.textContent).toContain('请继续等候');
    expect(screen.queryByRole('button', { name: '查看消息' })).toBeNull();
    await press('关闭');
    expect(screen.queryByText('书记员 孙演示：')).toBeNull();
  });
});

describe('when held', () => {
  it('shows an isolated person nothing of the hearing', async () => {
    await enter('plaintiff', 'isolated');
    expect((await screen.findByRole('alert')).textContent).toContain('您已被屏蔽');
    expect(screen.getAllByRole('figure').map((f) => f.getAttribute('aria-label'))).toEqual(['原告 张示例']);
    expect(screen.queryByRole('tab')).toBeNull();
    expect(document.body.textContent).not.toMatch(/王示范|李样本/);
    expect(await button('麦克风：已屏蔽')).toBeTruthy();
    // One word for one thing: 隔离 is what the court's strip calls the act, 锁定 is another act.
    expect(document.body.textContent).not.toMatch(/隔离|锁定/);
    await press('麦克风：已屏蔽');
    expect((await screen.findAllByText(/您已被屏蔽。法庭传唤后/)).length).toBe(1);
  });

  it('claims nothing it cannot know while the way is lost', async () => {
    await enter('plaintiff', 'lost');
    expect((await screen.findByRole('alert')).textContent).toBe('网络断开，正在重新连接');
    expect(document.body.textContent).toContain('断线不等于退庭');
    expect(document.body.textContent).not.toMatch(/录制/);
    expect(await button('麦克风：连上后恢复')).toBeTruthy();
  });

  it('tries the lost way at once when asked, and shows the way out after half a minute', async () => {
    const { call } = await enter('plaintiff', 'lost');
    await press('现在重试');
    expect(call).toHaveBeenCalledWith('hearing.retryNow', null);
    expect(document.body.textContent).toContain('您的席位仍保留');
    await press('返回首页');
    expect(call).toHaveBeenCalledWith('hearing.end', null);
    expect(await screen.findByRole('tab', { name: /庭审码/ })).toBeTruthy();
  });

  it('keeps the way out from whoever was lost for seconds only', async () => {
    await enter('plaintiff', 'lostNow');
    expect(await button('现在重试')).toBeTruthy();
    expect(screen.queryByRole('button', { name: '返回首页' })).toBeNull();
  });

  it('asks for a touch while the browser plays nothing', async () => {
    await enter('plaintiff', 'silent');
    expect((await screen.findByRole('alert')).textContent).toContain('继续听庭审');
    await press(/点一下这里，继续听庭审/);
    await waitFor(() => expect(screen.queryByRole('button', { name: /继续听庭审/ })).toBeNull());
  });

  it('covers the court in a recess and says when it goes on', async () => {
    await enter('plaintiff', 'recess');
    expect(await screen.findByRole('heading', { name: '休庭' })).toBeTruthy();
    // What lies under the veil is out of the keyboard's way.
    expect([...document.querySelectorAll('.court .tile')].every((tile) => tile.closest('[inert]'))).toBe(true);
    expect(screen.getByText(/合议庭评议，预计 \d\d:\d\d 继续/)).toBeTruthy();
  });

  it.each([
    ['closed', '庭审已结束'],
    ['removed', '您已被责令退出法庭'],
    ['replaced', '您已在另一台设备上进入庭审'],
  ])('ends with words of its own: %s', async (scene, title) => {
    await enter('plaintiff', scene);
    expect((await screen.findByRole('alert')).textContent).toBe(title);
  });
});

describe('on a phone', () => {
  beforeEach(() => {
    const narrow = { matches: true, addEventListener: () => undefined, removeEventListener: () => undefined } as unknown as MediaQueryList;
    const asks = vi.spyOn(globalThis, 'matchMedia').mockReturnValue(narrow);
    return () => asks.mockRestore();
  });

  it('offers no request to who is isolated: the court would refuse it', async () => {
    await enter('plaintiff', 'isolated');
    await press('求助');
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByRole('button', { name: '设备与显示' })).toBeTruthy();
    expect(dialog.queryByRole('button', { name: '向法庭申请' })).toBeNull();
  });

  it('keeps a call for help that is being written while devices are looked at', async () => {
    const { commands } = await enter('plaintiff');
    await press('求助');
    const text = () => within(screen.getByRole('dialog')).getByRole('textbox');
    await screen.findByRole('dialog');
    expect(screen.getByRole('button', { name: '向法庭申请' })).toBeTruthy();
    await fireEvent.update(text(), '听不到审判长');
    await fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: '设备与显示' }));
    await press('关闭');
    await press('求助');
    await waitFor(() => expect(text()).toHaveProperty('value', '听不到审判长'));
    await press('发送求助');
    expect(commands()).toEqual([{ type: 'help.ask', text: '听不到审判长', to: null }]);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await press('求助');
    await waitFor(() => expect(text()).toHaveProperty('value', ''));
  });
});

describe('when a part of the screen breaks', () => {
  it('the court goes on beside it, and the part can be tried again', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const { pinia } = await enter('judge');
    await button('休庭');
    const session = useSession(pinia);
    const whole = session.snapshot;
    if (!whole) throw new Error('the scene has a hearing');
    session.snapshot = { ...whole, requests: [{ id: 'r', seat: 'plaintiff', request: null } as unknown as PendingRequest] };
    expect(await screen.findByText(/此处暂时无法显示/)).toBeTruthy();
    expect(said).toHaveBeenCalled();
    expect(screen.getByRole('figure', { name: '审判长 王示范' })).toBeTruthy();
    expect(screen.getByRole('button', { name: '休庭' })).toBeTruthy();
    expect(useFailure(pinia).now).toBe('act');
    session.snapshot = whole;
    await press('再试一次');
    expect(await screen.findByRole('tab', { name: '消息' })).toBeTruthy();
  });

  it('a dialog closes, and the next one opens', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const { pinia } = await enter('plaintiff');
    await button('设备');
    const devices = useDevices(pinia);
    const { list } = devices;
    devices.list = { ...list, devices: null as never };
    await press('设备');
    await waitFor(() => expect(useFailure(pinia).now).toBe('act'));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    devices.list = list;
    await press('设备');
    expect(await screen.findByRole('dialog', { name: /设备/ })).toBeTruthy();
  });

  it('what says so can be pressed over an open dialog, which stays', async () => {
    const { pinia } = await enter('judge');
    useFailure(pinia).happened('act', Date.now());
    const bar = await button('关闭提示');
    await press('休庭');
    const dialog = await screen.findByRole('dialog', { name: '确认休庭？' });
    // Not hidden from screen readers: found by its role.
    const close = await button('关闭提示');
    expect(close).toBe(bar);
    let stayed = false;
    // The dialog listens for what is pressed beside it from its next turn on; this reads what it made of the pressing.
    close.addEventListener('dismissableLayer.pointerDownOutside', (event) => queueMicrotask(() => (stayed = event.defaultPrevented)), { once: true });
    await waitFor(async () => {
      await fireEvent.pointerDown(close);
      expect(stayed).toBe(true);
    });
    await fireEvent.click(close);
    expect(screen.queryByRole('button', { name: '关闭提示' })).toBeNull();
    expect(dialog.isConnected).toBe(true);
  });
});

describe('after the end', () => {
  it.each(['judge', 'clerk'])('the %s archives the hearing', async (as) => {
    const { commands } = await enter(as, 'closed');
    await press('归档');
    await fireEvent.click(within(await screen.findByRole('dialog', { name: '确认归档？' })).getByRole('button', { name: '归档' }));
    expect(commands()).toEqual([{ type: 'hearing.archive' }]);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('庭审已归档'));
  });

  it.each(['plaintiff', 'panel1'])('the %s does not', async (as) => {
    await enter(as, 'closed');
    expect((await screen.findByRole('alert')).textContent).toBe('庭审已结束');
    expect(screen.queryByRole('button', { name: '归档' })).toBeNull();
  });
});

describe('for the judge', () => {
  it('calls a recess with a reason, and starts on the cancel button', async () => {
    const { commands } = await enter('judge');
    await press('休庭');
    const dialog = within(await screen.findByRole('dialog', { name: '确认休庭？' }));
    await waitFor(() => expect(document.activeElement?.textContent).toContain('取消'));
    await fireEvent.click(dialog.getByRole('radio', { name: '其他原因' }));
    expect(dialog.getByRole('button', { name: '宣布休庭' })).toHaveProperty('disabled', true);
    await fireEvent.click(dialog.getByRole('radio', { name: '当事人申请' }));
    await fireEvent.click(dialog.getByRole('button', { name: '宣布休庭' }));
    expect(commands()).toEqual([{ type: 'hearing.recess', reason: '当事人申请', until: null }]);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    // Read out once, not by the seal, the veil and the sentence.
    expect([...document.querySelectorAll('[role=status]')].filter((one) => one.textContent.includes('休庭'))).toHaveLength(1);
  });

  it('puts the reason of a recess on record in the language of the court, whatever the page is shown in', async () => {
    const { commands } = await enter('judge');
    await press('设备');
    await press('English');
    await press('Close');
    await press('Recess');
    const dialog = within(await screen.findByRole('dialog', { name: /recess/i }));
    await fireEvent.click(dialog.getByRole('radio', { name: EN.courtroom.recess.request }));
    await fireEvent.click(dialog.getByRole('button', { name: EN.courtroom.recess.confirm }));
    expect(commands()).toEqual([{ type: 'hearing.recess', reason: '当事人申请', until: null }]);
  });

  it('closes only after a tick, and lists what is open', async () => {
    const { commands, call } = await enter('judge', 'queue');
    await press('闭庭');
    const dialog = within(await screen.findByRole('dialog', { name: '确认闭庭？' }));
    expect(dialog.getByText('还有 2 项申请未处理')).toBeTruthy();
    const confirm = dialog.getByRole('button', { name: '确认闭庭' });
    expect(confirm).toHaveProperty('disabled', true);
    await fireEvent.click(dialog.getByRole('checkbox'));
    await fireEvent.click(confirm);
    expect(commands()).toEqual([{ type: 'hearing.close' }]);
    // Refused by the server if the hearing moved on since the judge looked.
    expect(call.mock.calls.find(([name]) => name === 'hearing.command')?.[1]).toMatchObject({ expectedSeq: expect.any(Number) });
  });

  it('decides requests', async () => {
    const { commands } = await enter('judge', 'queue');
    const queue = within(await screen.findByRole('region', { name: '待处理申请' }));
    await waitFor(() => expect(queue.getByText('申请退庭 · 改用手机')).toBeTruthy());
    await fireEvent.click(queue.getAllByRole('button', { name: '不同意' })[1] as HTMLElement);
    expect(commands()).toEqual([{ type: 'request.decide', request: 'made-2', granted: false }]);
    await waitFor(() => expect(queue.queryByText('申请退庭 · 改用手机')).toBeNull());
  });

  it('calls the witness who waits to the stand', async () => {
    await enter('judge');
    const stand = within(await screen.findByRole('region', { name: '证人席' }));
    await fireEvent.click(stand.getByRole('button', { name: '传唤' }));
    expect(await stand.findByRole('figure', { name: '证人 钱假设' })).toBeTruthy();
  });

  it('keeps official acts in their place when they are not possible', async () => {
    await enter('judge');
    for (const [name, shut] of [['开庭', true], ['休庭', false], ['恢复', true], ['闭庭', false]] as const) {
      expect((await button(name)).getAttribute('aria-disabled')).toBe(shut ? 'true' : null);
    }
  });

  it('finds shut acts by keyboard, with the reason, and pressing them does nothing', async () => {
    const { commands } = await enter('judge');
    const resume = await button('恢复');
    expect(resume).toHaveProperty('disabled', false);
    expect(resume.title).not.toBe('');
    await fireEvent.click(resume);
    expect(commands()).toEqual([]);
  });

  it('finds the rest of the court alive when the enlarged person goes', async () => {
    const { commands } = await enter('judge');
    await fireEvent.keyDown(await screen.findByRole('figure', { name: '被告 李样本' }), { key: 'Enter' });
    const call = () => screen.getByRole('button', { name: '传唤', hidden: true });
    expect(call().closest('[inert]')).not.toBeNull();
    await press('隔离');
    const dialog = within(await screen.findByRole('dialog', { name: '隔离参与人' }));
    await fireEvent.click(dialog.getByRole('radio', { name: '被告 李样本' }));
    await fireEvent.update(dialog.getByRole('textbox'), '证人作证');
    await fireEvent.click(dialog.getByRole('button', { name: '隔离' }));
    await waitFor(() => expect(screen.queryByRole('figure', { name: '被告 李样本' })).toBeNull());
    expect(commands()).toHaveLength(1);
    expect(document.querySelectorAll('.court [inert]')).toHaveLength(0);
    expect(call().closest('[inert]')).toBeNull();
  });

  it('isolates with a reason', async () => {
    const { commands } = await enter('judge');
    await press('隔离');
    const dialog = within(await screen.findByRole('dialog', { name: '隔离参与人' }));
    await fireEvent.click(dialog.getByRole('radio', { name: '被告 李样本' }));
    await fireEvent.update(dialog.getByRole('textbox'), '证人作证');
    await fireEvent.click(dialog.getByRole('button', { name: '隔离' }));
    expect(commands()).toEqual([{ type: 'seat.isolate', seat: 'defendant', reason: '证人作证' }]);
  });
});
