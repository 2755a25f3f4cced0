/** The reports of a hearing, for the court: of two answers the later question's counts. */
import { createPinia, setActivePinia } from 'pinia';
import { createApp } from 'vue';
import { expect, it } from 'vitest';
import { hostKey, HostFailure } from '../host/host';
import { TESTED } from '../host/fake/selftest';
import { fakeHost } from '../testing/fakeHost';
import type { SeatTest } from '../wire/generated';
import { useReports } from './reports';

it('an answer that was overtaken changes nothing', async () => {
  const answers: { give: (tests: SeatTest[]) => void; fail: (error: HostFailure) => void }[] = [];
  const { host } = fakeHost({ 'court.selfTests': () => new Promise<SeatTest[]>((give, fail) => answers.push({ give, fail })) });
  const pinia = createPinia();
  createApp({}).use(pinia).provide(hostKey, host);
  setActivePinia(pinia);
  const reports = useReports();
  const test = (sentAt: number): SeatTest => ({ seat: 'a', sentAt, report: TESTED() });
  const loads = [reports.load(), reports.load(), reports.load()];
  answers[2]?.give([test(3)]);
  await loads[2];
  answers[1]?.give([test(2)]);
  answers[0]?.fail(new HostFailure({ name: 'unreachable' }));
  await Promise.all(loads);
  expect(reports.of('a').map(({ sentAt }) => sentAt)).toEqual([3]);
  expect(reports.failed).toBe(false);
});
