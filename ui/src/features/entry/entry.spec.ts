// The screens before a seat is taken, by role, with a host that answers what the test says.
import { fireEvent, screen, waitFor, within } from '@testing-library/vue';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HostFailure } from '../../host/host';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import type { ApiErrorCode, Entered, Role, Seat, SeatTaken } from '../../wire/generated';
import { useSession } from '../../stores/session';
import { hearing } from '../../testing/build';
import EntryScreen from './EntryScreen.vue';
import { useEntry } from './useEntry';

afterEach(() => void vi.useRealTimers());

const CODE = '26031807';
const seat = (id: string, role: Role, title: string, name: string, represents: string | null = null): Seat => ({ id, role, title, name, represents, side: 'plaintiff' });
const info = { number: '（2026）示0101民初1234号', cause: '房屋租赁合同纠纷', court: '示范市样例区人民法院', courtroom: '第三互联网法庭', startsAt: Date.UTC(2026, 2, 18, 1, 30), public: true };
const entered = (role: Role, inUse = false): Entered => ({
  ticket: 'ticket', hearing: 'h', case: info, state: { name: 'open' }, seat: seat('me', role, role === 'agent' ? '原告代理人' : '原告', '张示例', role === 'agent' ? 'd' : null),
  others: [seat('d', 'defendant', '被告', '李样本')], inUse, identityStep: false,
});
const taken: SeatTaken = { hearing: 'h', seat: 'me', token: 'token' };
const refuse = (code: ApiErrorCode, retryAfterMs: number | null = null) => () => Promise.reject(new HostFailure({ name: 'api', error: { code, retryAfterMs, validFrom: null } }));
const reachable = () => ({ camera: { name: 'off' as const }, microphone: { name: 'off' as const }, loudestDb: -90, serverReachable: true, rttMs: 12, mediaReachable: null });

function open(answers: Parameters<typeof fakeHost>[0]) {
  const fake = fakeHost({ 'check.quick': reachable, 'hearing.join': () => null, ...answers });
  const { pinia } = mountApp(EntryScreen, fake.host);
  return { ...fake, pinia, calls: (name: string) => fake.asked.filter((one) => one.name === name).map((one) => one.args) };
}
async function enterCode(text = CODE) {
  const boxes = screen.getByRole('textbox', { name: /庭审码/ });
  await fireEvent.update(boxes, text);
  await fireEvent.click(screen.getByRole('button', { name: '进入庭审' }));
}
const next = () => fireEvent.click(screen.getByRole('button', { name: /信息无误/ }));

describe('输入庭审码', () => {
  it('takes the code as it is typed and leads to the case', async () => {
    const { calls } = open({ 'court.enter': () => entered('plaintiff') });
    await enterCode('２６０３ 1807');
    expect(await screen.findByRole('heading', { name: info.number })).toBeTruthy();
    expect(calls('court.enter')).toEqual([{ code: CODE }]);
  });

  it('says that the code is wrong, not where, and costs no try for a slip', async () => {
    const { calls } = open({ 'court.enter': refuse('codeNotAccepted') });
    await enterCode('26031806');
    const slip = (await screen.findByRole('alert')).textContent;
    expect(calls('court.enter')).toEqual([]);
    await enterCode(CODE);
    await waitFor(() => expect(calls('court.enter')).toHaveLength(1));
    expect((await screen.findByRole('alert')).textContent).toBe(slip);
    expect(screen.getByRole('textbox', { name: /庭审码/ }).getAttribute('aria-invalid')).toBe('true');
  });

  it.each<[ApiErrorCode, RegExp]>([
    ['codeExpired', /已经结束/],
    ['codeNotYetValid', /设备自检/],
    ['internal', /没有生效/],
  ])('%s has its own sentence with a way out', async (code, words) => {
    open({ 'court.enter': refuse(code) });
    await enterCode();
    expect((await screen.findByRole('alert')).textContent).toMatch(words);
  });

  it('begins anew with the first digit typed after a whole code was refused, and overwrites the box that was clicked', async () => {
    const { calls } = open({ 'court.enter': () => entered('plaintiff') });
    await enterCode('26031806');
    await screen.findByRole('alert');
    const field = screen.getByRole<HTMLInputElement>('textbox', { name: /庭审码/ });
    await fireEvent.update(field, '260318062');
    expect(field.value).toBe('2');
    await fireEvent.update(field, '26031806');
    // Boxes 100 wide each: a click into the last one, and its digit is what the next one replaces.
    for (const [i, box] of [...(field.parentElement?.querySelectorAll('span') ?? [])].entries()) {
      box.getBoundingClientRect = () => ({ right: 100 * (i + 1) }) as DOMRect;
    }
    await fireEvent.click(field, { clientX: 750 });
    expect([field.selectionStart, field.selectionEnd]).toEqual([7, 8]);
    field.setRangeText('7');
    await fireEvent.input(field);
    await fireEvent.click(screen.getByRole('button', { name: '进入庭审' }));
    await waitFor(() => expect(calls('court.enter')).toEqual([{ code: CODE }]));
  });

  it('overwrites the box that the keys went to, deletes backwards, and takes a digit in the middle for no new code', async () => {
    open({});
    await enterCode('26031806');
    await screen.findByRole('alert');
    const field = screen.getByRole<HTMLInputElement>('textbox', { name: /庭审码/ });
    const caret = () => [field.selectionStart, field.selectionEnd];
    await fireEvent.keyDown(field, { key: 'Home' });
    expect(caret()).toEqual([0, 1]);
    await fireEvent.keyDown(field, { key: 'ArrowRight' });
    await fireEvent.keyDown(field, { key: 'ArrowRight' });
    await fireEvent.keyDown(field, { key: 'ArrowLeft' });
    expect(caret()).toEqual([1, 2]);
    expect(field.parentElement?.querySelector('.next')?.textContent).toBe('6');
    field.value = '2031806';
    field.setSelectionRange(1, 1);
    await fireEvent.input(field, { inputType: 'deleteContentBackward' });
    expect([field.value, ...caret()]).toEqual(['2031806', 1, 1]);
    await fireEvent.update(field, '26031806');
    // Before the last digit, one like it: nine digits, and the caret is not behind the ninth.
    field.value = '260318066';
    field.setSelectionRange(8, 8);
    await fireEvent.input(field);
    expect(field.value).toBe('26031806');
  });

  it('holds back after too many tries, and lets go by itself', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    open({ 'court.enter': refuse('tooManyTries', 5_000) });
    await enterCode();
    expect((await screen.findByRole('alert')).textContent).toMatch(/等 5 秒/);
    const button = screen.getByRole<HTMLButtonElement>('button', { name: '进入庭审' });
    expect(button.disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(button.disabled).toBe(false);
  });

  it('tells an unreachable server from a wrong code', async () => {
    open({ 'court.enter': () => Promise.reject(new HostFailure({ name: 'unreachable' })) });
    await enterCode();
    expect((await screen.findByRole('alert')).textContent).toMatch(/检查网络/);
  });
});

describe('核对案件', () => {
  it('asks for what is missing and puts the cursor there', async () => {
    const { calls } = open({ 'court.enter': () => entered('plaintiff') });
    await enterCode();
    const name = await screen.findByRole('textbox', { name: '姓名' });
    name.blur();
    await next();
    expect((await screen.findByRole('alert')).textContent).toMatch('请填写姓名');
    await waitFor(() => expect(document.activeElement).toBe(name));
    expect(calls('court.takeSeat')).toEqual([]);
  });

  it('begins in the name, with the case and the question read out around it', async () => {
    open({ 'court.enter': () => entered('plaintiff') });
    await enterCode();
    const name = await screen.findByRole('textbox', { name: '姓名' });
    await waitFor(() => expect(document.activeElement).toBe(name));
    expect(screen.getByRole('group', { name: `${info.number} 您以什么身份参加庭审？` }).contains(name)).toBe(true);
  });

  it('begins at the head on a phone, where a keyboard would cover the case', async () => {
    const narrow = { matches: true, addEventListener: () => undefined, removeEventListener: () => undefined } as unknown as MediaQueryList;
    vi.spyOn(globalThis, 'matchMedia').mockReturnValue(narrow);
    open({ 'court.enter': () => entered('plaintiff') });
    await enterCode();
    expect(document.activeElement).not.toBe(await screen.findByRole('textbox', { name: '姓名' }));
  });

  it('takes the seat as a party', async () => {
    const { calls } = open({ 'court.enter': () => entered('plaintiff'), 'court.takeSeat': () => taken });
    await enterCode();
    await fireEvent.update(await screen.findByRole('textbox', { name: '姓名' }), ' 张示例 ');
    await next();
    await waitFor(() => expect(calls('hearing.join')).toEqual([taken]));
    expect(calls('court.takeSeat')).toEqual([{ ticket: 'ticket', name: '张示例', capacity: { name: 'party', idNumber: null }, takeOver: false }]);
  });

  it('takes the seat as a lawyer with the licence', async () => {
    const { calls } = open({ 'court.enter': () => entered('agent'), 'court.takeSeat': () => taken });
    await enterCode();
    await fireEvent.update(await screen.findByRole('textbox', { name: '姓名' }), '张示例');
    await fireEvent.update(screen.getByRole('textbox', { name: '执业证号' }), '0000 0000');
    await next();
    expect((await screen.findByRole('alert')).textContent).toMatch(/17 位/);
    await fireEvent.update(screen.getByRole('textbox', { name: '执业证号' }), '12345678901234567');
    await next();
    await waitFor(() => expect(calls('court.takeSeat')).toHaveLength(1));
    expect(calls('court.takeSeat')[0]).toMatchObject({ capacity: { name: 'agent', represents: 'd', kind: 'lawyer', licence: '12345678901234567' } });
  });

  it('says at once that a party’s code is not for an agent', async () => {
    open({ 'court.enter': () => entered('plaintiff') });
    await enterCode();
    await fireEvent.click(await screen.findByRole('radio', { name: /我是代理人/ }));
    expect((await screen.findByText(/发给当事人本人的/)).textContent).toBeTruthy();
  });

  it('asks before it takes a seat that is in use elsewhere', async () => {
    const { calls } = open({ 'court.enter': () => entered('plaintiff', true), 'court.takeSeat': () => taken });
    await enterCode();
    await fireEvent.update(await screen.findByRole('textbox', { name: '姓名' }), '张示例');
    await next();
    const dialog = await screen.findByRole('dialog', { name: /另一台设备/ });
    expect(calls('court.takeSeat')).toEqual([]);
    await fireEvent.click(within(dialog).getByRole('button', { name: '改用这台设备' }));
    await waitFor(() => expect(calls('court.takeSeat')).toMatchObject([{ takeOver: true }]));
  });

  it('a name that does not match is told at the name', async () => {
    open({ 'court.enter': () => entered('plaintiff'), 'court.takeSeat': refuse('nameMismatch') });
    await enterCode();
    await fireEvent.update(await screen.findByRole('textbox', { name: '姓名' }), '李四');
    await next();
    expect((await screen.findByRole('alert')).textContent).toMatch(/登记的不一致/);
    expect(screen.getByRole('textbox', { name: '姓名' }).getAttribute('aria-invalid')).toBe('true');
  });
});

describe('账号登录', () => {
  it('lists the hearings of a member of staff and takes the seat', async () => {
    const hearing = { hearing: 'h', case: info, state: { name: 'open' as const }, seat: 'judge', role: 'presidingJudge' as const, inUse: false };
    const over = { ...hearing, hearing: 'old', state: { name: 'archived' as const } };
    const { calls } = open({ 'court.signIn': () => ({ token: 'b', name: '王示范', hearings: [hearing, over] }), 'court.staffSeat': () => taken });
    const tab = screen.getByRole('tab', { name: '账号登录' });
    await fireEvent.mouseDown(tab, { button: 0 });
    await fireEvent.update(await screen.findByLabelText('账号'), 'judge');
    await fireEvent.update(screen.getByLabelText('密码'), 'secret');
    await fireEvent.click(screen.getByRole('button', { name: /登录/ }));
    expect(await screen.findByRole('heading', { name: /王示范/ })).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: '已结束' }).disabled).toBe(true);
    await fireEvent.click(screen.getByRole('button', { name: '进入法庭' }));
    await waitFor(() => expect(calls('court.staffSeat')).toEqual([{ hearing: 'h', takeOver: false }]));
  });
});

it('a wait that counts down is read out once, not at every second', async () => {
  vi.useFakeTimers();
  open({ 'court.enter': refuse('tooManyTries', 30_000) });
  const counting = enterCode();
  await vi.advanceTimersByTimeAsync(10);
  await counting;
  const said = screen.getByRole('alert').textContent;
  const shown = () => document.querySelector('.problem [aria-hidden] + span, .problem span[aria-hidden]')?.textContent;
  const before = shown();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(shown()).not.toBe(before);
  expect(screen.getByRole('alert').textContent).toBe(said);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(screen.getByRole('alert').textContent).not.toBe(said);
});

it.each([
  ['clerk', 'closed', '归档', false],
  ['assistant', 'closed', '归档', false],
  ['panelMember', 'closed', '已结束', true],
  ['clerk', 'archived', '已结束', true],
] as const)('the %s of a hearing that is %s is offered %s', async (role, name, label, shut) => {
  const { pinia } = open({ 'court.signIn': () => ({ token: 'b', name: '孙演示', hearings: [{ hearing: 'h', case: info, state: { name }, seat: 's', role, inUse: false }] }) });
  await useEntry(pinia).signIn({ account: 'a', password: 'p' });
  expect(await screen.findByRole('button', { name: label })).toHaveProperty('disabled', shut);
});

it('staff come back to their hearings after one of them, without signing in again', async () => {
  const hearings = [{ hearing: 'h', case: info, state: { name: 'inSession' as const, phase: 'evidence' as const }, seat: 's', role: 'clerk' as const, inUse: false }];
  const { host, pinia, say, calls } = open({ 'court.signIn': () => ({ token: 'b', name: '孙演示', hearings }), 'court.staffSeat': () => ({ hearing: 'h', seat: 's', token: 't' }), 'hearing.end': () => null });
  const entry = useEntry(pinia);
  await entry.signIn({ account: 'clerk', password: 'p' });
  await fireEvent.click(await screen.findByRole('button', { name: '进入法庭' }));
  const session = useSession(pinia);
  await waitFor(() => expect(session.seat).not.toBeNull());
  say({ type: 'channel', frame: { type: 'welcome', connection: 'c', snapshot: hearing({ state: { name: 'closed' } }), media: null } });
  await session.end();
  expect(await screen.findByRole('heading', { name: /孙演示/ })).toBeTruthy();
  // The last page offers the way home beside 归档: whoever took it finds the act again in the list.
  await fireEvent.click(await screen.findByRole('button', { name: '归档' }));
  await waitFor(() => expect(calls('court.staffSeat')).toHaveLength(2));
  await session.end();
  await fireEvent.click(await screen.findByRole('button', { name: '返回' }));
  await session.end();
  expect(entry.flow.name).toBe('signIn');
  expect(host.kind).toBe('fake');
});
