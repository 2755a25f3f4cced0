/** The offer to put one's own device right: agreeing carries it out and tells the court how it went. */
import { computed, ref, watch } from 'vue';
import { useAct } from '../../composables/useAct';
import { HostFailure, useHost } from '../../host/host';
import { useNotices } from '../../stores/notices';
import { useSession } from '../../stores/session';
import type { DeviceFix } from '../../wire/generated';

export function useOwnFix() {
  const host = useHost();
  const session = useSession();
  const notices = useNotices();
  const { act, busy } = useAct();
  const fix = computed(() => session.you?.fix ?? null);
  const offered = computed(() => (fix.value?.state === 'offered' ? fix.value.fix : null));
  const agreed = computed(() => (fix.value?.state === 'agreed' ? fix.value.fix : null));
  const working = ref<DeviceFix | null>(null);

  const agree = () => act({ type: 'fix.answer', agreed: true });
  const decline = () => act({ type: 'fix.answer', agreed: false });

  async function carryOut(what: DeviceFix) {
    if (working.value) return;
    working.value = what;
    let worked = true;
    try {
      await host.call('fix.apply', what);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      worked = false;
    }
    notices.show(worked ? { kind: 'ok', key: 'courtroom.fixBar.done' } : { kind: 'warn', key: 'courtroom.fixBar.failed' });
    working.value = null;
    await act({ type: 'fix.done', worked });
  }
  // Also what was agreed to before the page was loaded again.
  watch(
    agreed,
    (what) => {
      if (what) void carryOut(what);
    },
    { immediate: true },
  );
  return { offered, working, busy, agree, decline };
}
