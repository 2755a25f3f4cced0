/** 一键修复 from both sides, on the scripted host. */
import { fireEvent, screen, waitFor, within } from '@testing-library/vue';
import { describe, expect, it, vi } from 'vitest';
import App from '../../App.vue';
import { createFakeHost } from '../../host/fake';
import { HostFailure } from '../../host/host';
import { apply } from '../../model/hearing';
import { useSession } from '../../stores/session';
import { event } from '../../testing/build';
import { mountApp } from '../../testing/mountApp';
import type { FixOffer, HostCommands } from '../../wire/generated';

async function enter(as: string, applied: () => Promise<null> = () => Promise.resolve(null)) {
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
  const host = await createFakeHost(`?host=fake&as=${as}`);
  const real = host.call.bind(host);
  const call = vi.spyOn(host, 'call').mockImplementation(async (name, args) => {
    if (name === 'fix.apply') return (await applied()) as never;
    const answer = await real(name, args);
    // The scripted hearing knows nothing of what the test says happened: the answer is the event it would send.
    const command = name === 'hearing.command' ? (args as HostCommands['hearing.command']['args']).command : null;
    if (command?.type === 'fix.answer') offered(as, { ...useSession().you?.fix, state: command.agreed ? 'agreed' : 'declined' });
    return command?.type.startsWith('fix.') ? ({ name: 'accepted', seq: 0 } as never) : answer;
  });
  mountApp(App, host);
  await screen.findAllByRole('region');
  const sent = () => call.mock.calls.filter(([name]) => name === 'hearing.command').map(([, args]) => (args as HostCommands['hearing.command']['args']).command);
  return { sent, call };
}
function offered(seat: string, fix: Partial<FixOffer> = {}) {
  const session = useSession();
  if (!session.snapshot) throw new Error('the scene has a hearing');
  const offer: FixOffer = { fix: 'restartMicrophone', state: 'offered', by: 'clerk', at: 0, ...fix };
  session.snapshot = apply(session.snapshot, event(session.snapshot, 'clerk', { type: 'participant.fix', payload: { seat, fix: offer } }));
}
const press = async (name: string) => fireEvent.click(await screen.findByRole('button', { name }));

describe('the person', () => {
  it('agrees: the program does it and tells the court that it worked', async () => {
    const { sent, call } = await enter('plaintiff');
    offered('plaintiff');
    expect(await screen.findByText(/建议重新打开您的麦克风/)).toBeTruthy();
    await press('同意');
    await waitFor(() => expect(call).toHaveBeenCalledWith('fix.apply', 'restartMicrophone'));
    await waitFor(() => expect(sent()).toEqual([{ type: 'fix.answer', agreed: true }, { type: 'fix.done', worked: true }]));
    expect(screen.queryByRole('button', { name: '同意' })).toBeNull();
  });
  it('is told, as the court is, when it did not work', async () => {
    const { sent } = await enter('plaintiff', () => Promise.reject(new HostFailure({ name: 'device', fault: 'missing' })));
    offered('plaintiff', { fix: 'nextCamera' });
    await press('同意');
    await waitFor(() => expect(sent()).toContainEqual({ type: 'fix.done', worked: false }));
    expect(await screen.findByText('这次没有处理好。请稍等书记员安排，或者拨打书记员电话。')).toBeTruthy();
  });
  it('has it done once, whatever the screen does meanwhile', async () => {
    let finish: (done: null) => void = () => undefined;
    const { sent, call } = await enter('plaintiff', () => new Promise((done) => (finish = done)));
    offered('plaintiff', { fix: 'reconnect' });
    await press('同意');
    await waitFor(() => expect(call).toHaveBeenCalledWith('fix.apply', 'reconnect'));
    const session = useSession();
    const before = session.snapshot;
    // A drop takes the courtroom off the screen, and brings it back with a new snapshot.
    session.link = { name: 'retrying', attempt: 1, retryInMs: 0, lostForMs: 5_000 };
    await screen.findAllByText(/连接/);
    session.link = { name: 'live' };
    session.snapshot = before && { ...before };
    finish(null);
    await waitFor(() => expect(sent()).toContainEqual({ type: 'fix.done', worked: true }));
    expect(call.mock.calls.filter(([name]) => name === 'fix.apply')).toHaveLength(1);
  });
  it('declines, and nothing is touched', async () => {
    const { sent, call } = await enter('plaintiff');
    offered('plaintiff', { fix: 'reconnect' });
    await press('暂不需要');
    await waitFor(() => expect(sent()).toEqual([{ type: 'fix.answer', agreed: false }]));
    expect(call).not.toHaveBeenCalledWith('fix.apply', expect.anything());
  });
  it('has what was agreed to before a reload carried out after it', async () => {
    const { sent, call } = await enter('plaintiff');
    offered('plaintiff', { state: 'agreed' });
    await waitFor(() => expect(call).toHaveBeenCalledWith('fix.apply', 'restartMicrophone'));
    await waitFor(() => expect(sent()).toEqual([{ type: 'fix.done', worked: true }]));
  });
  it('is not asked about another person\'s devices', async () => {
    await enter('plaintiff');
    offered('defendant');
    expect(screen.queryByRole('button', { name: '同意' })).toBeNull();
  });
});

describe('the clerk', () => {
  it('sees whose microphone is silent, offers what helps, and follows it', async () => {
    const { sent } = await enter('clerk');
    const health = within(await screen.findByRole('complementary', { name: '参与人状态' }));
    expect(health.getByText(/麦克风：没有声音/)).toBeTruthy();
    const menu = await screen.findAllByRole('button', { name: /被告 李样本/ });
    await fireEvent.keyDown(menu.find((one) => one.getAttribute('aria-haspopup') === 'menu') as HTMLElement, { key: 'Enter' });
    await fireEvent.click(await screen.findByRole('menuitem', { name: '设备检测与修复' }));
    const dialog = within(await screen.findByRole('dialog', { name: '设备检测：被告 李样本' }));
    const offers = dialog.getAllByRole('button').filter((one) => one.classList.contains('btn-main'));
    expect(offers.map((one) => one.textContent.trim())).toEqual(['重新打开麦克风', '换一个麦克风', '重新连接']);
    await fireEvent.click(dialog.getByRole('button', { name: '重新打开麦克风' }));
    expect(await dialog.findByText('已建议重新打开麦克风，等待本人同意。')).toBeTruthy();
    expect(sent()).toEqual([{ type: 'fix.offer', seat: 'defendant', fix: 'restartMicrophone' }]);
    offered('defendant', { state: 'failed' });
    expect(await dialog.findByText(/未成功：重新打开麦克风/)).toBeTruthy();
  });
  it('reads what the check before the hearing said', async () => {
    await enter('clerk');
    const menu = await screen.findAllByRole('button', { name: /原告 张示例/ });
    await fireEvent.keyDown(menu.find((one) => one.getAttribute('aria-haspopup') === 'menu') as HTMLElement, { key: 'Enter' });
    await fireEvent.click(await screen.findByRole('menuitem', { name: '设备检测与修复' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText(/丢包 6.1%/)).toBeTruthy();
  });
});
