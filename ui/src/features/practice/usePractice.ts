/** A stay in a practice room: begins with the screen, ends with it, and says why there is none. */
import { computed, onMounted, onScopeDispose, ref, watch } from 'vue';
import { HostFailure, useHost } from '../../host/host';
import { useMedia } from '../../stores/media';

/** `over`: the room was open for its time. `notSent`: this browser can send no picture. */
export type PracticeState = 'opening' | 'on' | 'over' | 'notSent' | 'busy' | 'unreachable' | 'failed';

/** A picture that did not come back in this time needs the person's help. */
const LATE_MS = 10_000;

export function usePractice() {
  const host = useHost();
  const media = useMedia();
  const state = ref<PracticeState>('opening');
  const listening = host.on((event) => {
    if (event.type !== 'mediaLink' || event.state.name !== 'ended') return;
    if (state.value === 'opening' || state.value === 'on') state.value = event.state.reason === 'updateNeeded' ? 'notSent' : 'over';
  });
  /** What comes back from the court's server. */
  const returned = computed(() => media.tracks.find((track) => !track.own && track.source === 'camera' && !track.muted) ?? null);

  /** Practice is on, and no picture comes back. */
  const late = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const awaits = computed(() => state.value === 'on' && returned.value === null);
  watch(awaits, (is) => {
    clearTimeout(timer);
    late.value = false;
    if (is) timer = setTimeout(() => (late.value = true), LATE_MS);
  });

  async function start() {
    state.value = 'opening';
    try {
      await host.call('practice.start', null);
      // It may be over before the answer is there.
      if (state.value === 'opening') state.value = 'on';
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      const why = error.error;
      const full = why.name === 'api' && (why.error.code === 'busy' || why.error.code === 'tooManyTries');
      state.value = full ? 'busy' : why.name === 'unreachable' ? 'unreachable' : 'failed';
    }
  }

  onMounted(start);
  onScopeDispose(() => {
    listening();
    clearTimeout(timer);
    void host.call('practice.stop', null);
  });
  return { state, returned, late, start };
}
