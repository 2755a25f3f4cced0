/** Tells of a camera or microphone as it opens, runs and fails; one that opens for ever has failed. */
import { onScopeDispose, watch } from 'vue';
import { useDevices } from '../../../stores/devices';
import type { DeviceFault } from '../../../wire/generated';

/** Longer than a person needs to answer the system's question, and an old camera to start. */
export const OPENING_LIMIT_MS = 20_000;

type Told = { name: 'idle' } | { name: 'opening' } | { name: 'on'; device: string } | { name: 'failed'; fault: DeviceFault };

export function useOpening(kind: 'camera' | 'microphone', tell: (now: Told) => void) {
  const devices = useDevices();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = (): Told => {
    const state = devices.states[kind];
    if (state.name === 'failed') return { name: 'failed', fault: state.fault };
    if (state.name === 'opening') return { name: 'opening' };
    if (state.name === 'off') return { name: 'idle' };
    // A camera runs once it gives a picture.
    return kind === 'camera' && state.height === 0 ? { name: 'opening' } : { name: 'on', device: state.device };
  };
  watch(
    // Sizes and rates change all the time and are no news.
    () => JSON.stringify(now()),
    () => {
      const told = now();
      clearTimeout(timer);
      if (told.name === 'opening') timer = setTimeout(() => tell({ name: 'failed', fault: 'hung' }), OPENING_LIMIT_MS);
      tell(told);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
}
