/** A self-test as it goes: what the host says of it, and the reports that were made on this computer. */
import { computed, onMounted, onScopeDispose, ref, shallowRef } from 'vue';
import { HostFailure, useHost } from '../../host/host';
import type { SelfTest, SelfTestProgress } from '../../wire/generated';

export function useSelfTest() {
  const host = useHost();
  const progress = shallowRef<SelfTestProgress | null>(null);
  const started = ref(false);
  const failed = ref(false);
  const interrupted = ref(false);
  const earlier = shallowRef<SelfTest[]>([]);
  const chosen = shallowRef<SelfTest | null>(null);
  const running = computed(() => started.value && !progress.value?.done);
  /** What is shown: an earlier report, or the one of the test that is over. */
  const report = computed(() => chosen.value ?? (progress.value?.done ? progress.value.report : null));

  const listening = host.on((event) => {
    // A check that somebody else started, or one that is over, says nothing here.
    if (event.type !== 'selfTest' || !started.value) return;
    progress.value = event.progress;
    if (event.progress.done) {
      started.value = false;
      void history();
    }
  });

  async function history() {
    try {
      earlier.value = await host.call('check.history', null);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  async function start() {
    failed.value = interrupted.value = false;
    progress.value = chosen.value = null;
    started.value = true;
    try {
      await host.call('check.start', { camera: true, sound: true, network: true });
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      started.value = false;
      failed.value = true;
    }
  }
  async function stop() {
    interrupted.value = true;
    await host.call('check.stop', null);
  }

  onMounted(history);
  onScopeDispose(() => {
    listening();
    // Devices are closed when nobody looks any more.
    if (running.value) void host.call('check.stop', null);
  });
  return { progress, running, failed, interrupted, earlier, chosen, report, history, start, stop };
}
