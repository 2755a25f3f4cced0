/** 网络 and 电脑: measured by the host by itself while the person is busy with camera and microphone. */
import { onScopeDispose, ref, shallowRef } from 'vue';
import { HostFailure, useHost } from '../../../host/host';
import type { TestFacts, TestStep } from '../../../wire/generated';

/** The host ends a self-test after 25 seconds. */
const LIMIT_MS = 40_000;

export function useLine(facts: TestFacts) {
  const host = useHost();
  const running = ref(false);
  /** It did not begin, or did not end. */
  const failed = ref(false);
  const step = shallowRef<TestStep | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function over(well: boolean) {
    clearTimeout(timer);
    running.value = false;
    failed.value = !well;
    step.value = null;
  }
  const listening = host.on((event) => {
    if (event.type !== 'selfTest' || !running.value) return;
    const { progress } = event;
    step.value = progress.running[0] ?? null;
    facts.network = progress.report.facts.network ?? facts.network;
    facts.computer = progress.report.facts.computer ?? facts.computer;
    if (progress.done) over(true);
  });
  async function start() {
    facts.network = facts.computer = null;
    running.value = true;
    failed.value = false;
    clearTimeout(timer);
    timer = setTimeout(() => over(false), LIMIT_MS);
    try {
      await host.call('check.start', { camera: false, sound: false, network: true });
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      over(false);
    }
  }
  onScopeDispose(() => {
    listening();
    clearTimeout(timer);
  });
  return { running, failed, step, start };
}
