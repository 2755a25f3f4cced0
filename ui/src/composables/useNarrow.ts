/** The page is as narrow as a phone. */
import { onScopeDispose, ref, type Ref } from 'vue';

const NARROW = '(max-width: 720px)';

export function useNarrow(): Ref<boolean> {
  const query = matchMedia(NARROW);
  const narrow = ref(query.matches);
  const follow = () => (narrow.value = query.matches);
  query.addEventListener('change', follow);
  onScopeDispose(() => query.removeEventListener('change', follow));
  return narrow;
}
