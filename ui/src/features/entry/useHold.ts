/** Counts down while trying again makes no sense yet. */
import { onScopeDispose, ref, watch, type Ref } from 'vue';
import { holdMs, type Problem } from './problem';

/** Milliseconds left, once a second; 0 when nothing holds back. */
export function useHold(problem: Readonly<Ref<Problem | null>>): Ref<number> {
  const left = ref(0);
  let timer: ReturnType<typeof setInterval> | undefined;
  const look = () => {
    left.value = holdMs(problem.value, Date.now());
    if (left.value === 0) clearInterval(timer);
  };
  watch(
    problem,
    () => {
      clearInterval(timer);
      look();
      if (left.value > 0) timer = setInterval(look, 1_000);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearInterval(timer));
  return left;
}
