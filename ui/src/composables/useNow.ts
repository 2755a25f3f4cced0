/** The server's clock, ticking once a second, in milliseconds. One timer for each component that asks. */
import { onScopeDispose, ref, type Ref } from 'vue';
import { useSession } from '../stores/session';

export function useNow(everyMs = 1000): Ref<number> {
  const session = useSession();
  const now = ref(Date.now() + session.clockOffsetMs);
  const timer = setInterval(() => {
    now.value = Date.now() + session.clockOffsetMs;
  }, everyMs);
  onScopeDispose(() => clearInterval(timer));
  return now;
}
