/** For the court: the reports of device checks that people have sent in this hearing. Asked for again when a score changes. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { HostFailure, useHost } from '../host/host';
import { isCourt } from '../model/people';
import type { SeatId, SeatTest } from '../wire/generated';
import { useSession } from './session';

export const useReports = defineStore('reports', () => {
  const host = useHost();
  const session = useSession();
  /** The newest first. */
  const tests = shallowRef<SeatTest[]>([]);
  const failed = ref(false);

  /** An answer that was overtaken by a later question is old. */
  let asked = 0;

  async function load() {
    asked += 1;
    const mine = asked;
    try {
      const answer = await host.call('court.selfTests', null);
      if (mine !== asked) return;
      tests.value = answer;
      failed.value = false;
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      if (mine === asked) failed.value = true;
    }
  }
  const scores = computed(() => {
    const { you, snapshot, link } = session;
    if (!you || !snapshot || !isCourt(you.seat.role) || link.name !== 'live') return null;
    return `${snapshot.hearing} ${you.seat.id} ${snapshot.participants.map((p) => p.test).join(' ')}`;
  });
  watch(
    scores,
    (now) => {
      if (now !== null) void load();
    },
    { immediate: true },
  );
  const of = (seat: SeatId) => tests.value.filter((test) => test.seat === seat);

  return { tests, failed, load, of };
});
