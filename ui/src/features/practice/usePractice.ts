/** A stay in a practice room: begins with the screen, ends with it, and says why there is none. */
import { computed, onMounted, onScopeDispose, ref } from 'vue';
import { HostFailure, useHost } from '../../host/host';
import { useMedia } from '../../stores/media';

/** `over`: the room was open for its time. */
export type PracticeState = 'opening' | 'on' | 'over' | 'busy' | 'unreachable' | 'failed';

export function usePractice() {
  const host = useHost();
  const media = useMedia();
  const state = ref<PracticeState>('opening');
  const listening = host.on((event) => {
    if (event.type === 'mediaLink' && event.state.name === 'ended' && state.value === 'on') state.value = 'over';
  });
  /** What comes back from the court's server. */
  const returned = computed(() => media.tracks.find((track) => !track.own && track.source === 'camera' && !track.muted) ?? null);

  async function start() {
    state.value = 'opening';
    try {
      await host.call('practice.start', null);
      state.value = 'on';
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
    void host.call('practice.stop', null);
  });
  return { state, returned, start };
}
