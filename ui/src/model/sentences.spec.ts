import { describe, expect, it } from 'vitest';
import { away, event, hearing, person, T0 } from '../testing/build';
import type { Event, MediaSwitches, ParticipantState, SeatId } from '../wire/generated';
import { createWords } from '../i18n';
import { apply } from './hearing';
import { linesOf } from './sentences';

const { t } = createWords().global;

/** The log of these events, as the messages panel writes it. */
function written(...events: [SeatId | null, Event][]): string[] {
  let h = hearing();
  for (const [actor, what] of events) h = apply(h, event(h, actor, what));
  return linesOf(h.log, h.participants, h.you).map((l) => {
    if (l.kind !== 'event') return `${l.who}：${l.text}${l.mine ? '（我）' : ''}`;
    const { phase, ...words } = l.words;
    return t(`courtroom.log.${l.key}`, phase ? { phase: t(`courtroom.phase.${phase}`), ...words } : words);
  });
}
const media = (set: Partial<MediaSwitches>): Event => ({ type: 'participant.media', payload: { seat: 'd', media: { ...person('d', 'defendant').media, ...set } } });

describe('the log in sentences', () => {
  it('writes the course of the hearing', () => {
    expect(
      written(
        ['c', { type: 'hearing.state', payload: { from: { name: 'scheduled' }, to: { name: 'open' } } }],
        ['j', { type: 'hearing.state', payload: { from: { name: 'open' }, to: { name: 'inSession', phase: 'opening' } } }],
        ['j', { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'opening' }, to: { name: 'inSession', phase: 'debate' } } }],
        ['j', { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'debate' }, to: { name: 'recess', phase: 'debate', reason: '合议庭评议', until: null } } }],
        ['j', { type: 'hearing.state', payload: { from: { name: 'recess', phase: 'debate', reason: '', until: null }, to: { name: 'inSession', phase: 'debate' } } }],
        [null, { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'debate' }, to: { name: 'suspended', phase: 'debate', cause: { name: 'judgeLost' } } } }],
        ['j', { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'debate' }, to: { name: 'closed' } } }],
      ),
    ).toEqual([
      '书记员 孙演示 开启候庭',
      '审判长 王示范 宣布开庭',
      '审判长 王示范 宣布进入“法庭辩论”阶段',
      '审判长 王示范 宣布休庭：合议庭评议',
      '审判长 王示范 宣布恢复庭审',
      '审判长连接中断，庭审技术中断',
      '审判长 王示范 宣布闭庭',
    ]);
  });

  it('writes a drop as a fact, never as leaving', () => {
    const inCourt = { name: 'inCourt' } as const;
    expect(
      written([null, { type: 'participant.state', payload: { seat: 'd', from: inCourt, to: away() } }], [null, { type: 'participant.state', payload: { seat: 'd', from: away(), to: inCourt } }]),
    ).toEqual(['被告 李样本 断线（网络没有响应）', '被告 李样本 恢复连接']);
  });

  it('keeps what was seen of a drop apart from what the person’s program says of it', () => {
    const inCourt = { name: 'inCourt' } as const;
    const told = { ...away(), told: 'sleep' } as const;
    const seen = '被告 李样本 断线（网络没有响应）';
    const said = '被告 李样本 的软件报告断线原因：电脑进入睡眠';
    const state = (from: ParticipantState, to: ParticipantState): [null, Event] => [null, { type: 'participant.state', payload: { seat: 'd', from, to } }];
    expect(written(state(inCourt, told))).toEqual([seen, said]);
    expect(written(state(inCourt, away()), state(away(), told))).toEqual([seen, said]);
  });

  it('writes what the court did to a microphone, and not what people do to their own', () => {
    expect(written(['d', media({ mic: true })], ['j', media({ mic: false, micLocked: true })], ['j', media({})])).toEqual([
      '审判长 王示范 将 被告 李样本 静音并锁定',
      '审判长 王示范 解除 被告 李样本 的静音锁定',
    ]);
  });

  it('calls isolation by the word that the one concerned has on the screen, and by the court’s own for everybody else', () => {
    const isolated = (seat: SeatId): [SeatId, Event] => ['j', { type: 'participant.state', payload: { seat, from: { name: 'inCourt' }, to: { name: 'isolated', reason: '证人作证', since: T0 } } }];
    expect(written(isolated('p'), isolated('d'))).toEqual(['审判长 王示范 将 原告 张示例 屏蔽：证人作证', '审判长 王示范 将 被告 李样本 隔离：证人作证']);
  });

  it('names the request in its outcome', () => {
    const request = { id: 'r', seat: 'p', request: { name: 'leave' as const, note: '' }, at: T0 };
    expect(written(['p', { type: 'request.made', payload: { request } }], ['j', { type: 'request.ended', payload: { id: 'r', seat: 'p', outcome: 'refused' } }])).toEqual([
      '原告 张示例 申请退庭',
      '审判长 王示范 不同意 原告 张示例 退庭',
    ]);
    expect(written(['j', { type: 'request.ended', payload: { id: 'older', seat: 'p', outcome: 'granted' } }])).toEqual(['审判长 王示范 同意 原告 张示例 的申请']);
  });

  it('writes once what one command did', () => {
    const request = { id: 'r', seat: 'p', request: { name: 'floor' as const }, at: T0 };
    let h = hearing();
    const did = (command: string, actor: SeatId, what: Event) => (h = apply(h, { ...event(h, actor, what), causedBy: command }));
    did('c1', 'p', { type: 'request.made', payload: { request } });
    did('c1', 'p', { type: 'participant.hand', payload: { seat: 'p', up: true } });
    did('c2', 'j', { type: 'request.ended', payload: { id: 'r', seat: 'p', outcome: 'granted' } });
    did('c2', 'j', { type: 'floor', payload: { floor: { seat: 'p', since: T0 } } });
    expect(linesOf(h.log, h.participants, 'p').map((l) => l.kind === 'event' && l.key)).toEqual(['asks.floor', 'granted.floor']);
  });

  it('says once that a network is weak, and once that it recovered', () => {
    const net = (n: 'poor' | 'bad' | 'good'): [null, Event] => [null, { type: 'net.health', payload: { seat: 'd', net: n } }];
    expect(written(net('good'), net('poor'), net('bad'), net('good'))).toEqual(['被告 李样本 网络不稳', '被告 李样本 网络恢复']);
  });

  it('keeps words apart from events', () => {
    expect(written(['p', { type: 'message', payload: { text: '听不清' } }], ['c', { type: 'help', payload: { seat: 'p', text: '请戴耳机' } }])).toEqual(['原告 张示例：听不清（我）', '书记员 孙演示：请戴耳机']);
  });

  it('leaves mechanics out', () => {
    expect(
      written(['p', { type: 'participant.test', payload: { seat: 'p', score: 'good' } }], ['p', { type: 'participant.hand', payload: { seat: 'p', up: false } }], [null, { type: 'floor', payload: { floor: null } }]),
    ).toEqual([]);
  });
});
