import { expect, it } from 'vitest';
import { event, hearing } from '../testing/build';
import type { Event, SeatId } from '../wire/generated';
import { apply } from './hearing';
import { courtWords, readingMs } from './words';

const message = (text: string): Event => ({ type: 'message', payload: { text } });
const help = (seat: SeatId, text: string): Event => ({ type: 'help', payload: { seat, text } });

/** What `you` is told of these, after the first `seen` events of the log. */
function told(you: SeatId, seen: number, ...events: [SeatId | null, Event][]): string[] {
  let h = hearing({ you });
  for (const [actor, what] of events) h = apply(h, event(h, actor, what));
  return courtWords(h.log, you, 10 + seen).map(({ who, text }) => `${who}：${text}`);
}

it('tells what the court said, and nothing of what the parties say or of one’s own', () => {
  const log: [SeatId | null, Event][] = [['d', message('听不清')], ['p', message('我也是')], ['j', message('请靠近话筒')], ['c', message('已联系技术人员')], [null, message('录制即将结束')]];
  expect(told('p', 0, ...log)).toEqual(['审判长 王示范：请靠近话筒', '书记员 孙演示：已联系技术人员', '：录制即将结束']);
  expect(told('j', 0, ...log)).toEqual(['书记员 孙演示：已联系技术人员', '：录制即将结束']);
  expect(told('p', 3, ...log)).toEqual(['书记员 孙演示：已联系技术人员', '：录制即将结束']);
});

it('tells an answer to a call for help to the one who called, and a call to nobody', () => {
  const log: [SeatId | null, Event][] = [['p', help('p', '没有声音')], ['c', help('p', '请戴耳机')], ['c', help('d', '请稍候')]];
  expect(told('p', 0, ...log)).toEqual(['书记员 孙演示：请戴耳机']);
  expect(told('j', 0, ...log)).toEqual([]);
});

it('leaves time to read, within bounds', () => {
  const of = (n: number) => readingMs([{ seq: 1, who: '', text: '请'.repeat(n) }]);
  expect(of(3)).toBe(8_000);
  expect(of(60)).toBe(15_000);
  expect(of(500)).toBe(24_000);
});
