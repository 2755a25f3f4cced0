/** Whose screen is shown to everybody now; one's own is not shown to oneself. */
import { computed } from 'vue';
import { inCourt } from '../../model/people';
import { useMedia } from '../../stores/media';
import { useHearing } from './useHearing';

export function useShared() {
  const { hearing, you } = useHearing();
  const media = useMedia();
  return computed(
    () => hearing.value.participants.find((p) => p.sharing && inCourt(p) && p.seat.id !== you.value.seat.id && media.track(p.seat.id, 'screen')) ?? null,
  );
}
