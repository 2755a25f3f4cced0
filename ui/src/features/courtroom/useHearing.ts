/** The hearing for the parts of the courtroom, which exist only while there is one. */
import { computed } from 'vue';
import { rightsOf } from '../../model/rights';
import { useSession } from '../../stores/session';

export function useHearing() {
  const session = useSession();
  const hearing = computed(() => {
    if (!session.snapshot) throw new Error('the courtroom is shown only with a hearing');
    return session.snapshot;
  });
  const you = computed(() => {
    if (!session.you) throw new Error('a snapshot always contains its viewer');
    return session.you;
  });
  const rights = computed(() => rightsOf(you.value.seat.role, hearing.value.settings));
  return { hearing, you, rights };
}
