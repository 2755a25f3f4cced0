/** An error of the program itself that nobody expected: what it broke, and whether the person was told. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

/** `screen`: what is shown cannot be trusted any more. `act`: something was not done. */
export type Broken = 'screen' | 'act';

/** Whoever closed the notice is not told again at every beat of a broken timer. */
const QUIET_MS = 60_000;

export const useFailure = defineStore('failure', () => {
  const now = ref<Broken | null>(null);
  /** What the person ought to know should the screen break, as it last was. */
  const stake = shallowRef({ seat: false, devices: false });
  let quietUntil = 0;

  function happened(broken: Broken, atMs: number) {
    if (now.value === 'screen' || (broken === 'act' && atMs < quietUntil)) return;
    now.value = broken;
  }
  function dismiss() {
    now.value = null;
    quietUntil = Date.now() + QUIET_MS;
  }
  return { now, stake, happened, dismiss };
});
