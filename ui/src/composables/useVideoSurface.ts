/** Shows a track inside an element for as long as both are there. */
import { watch, type Ref } from 'vue';
import { useHost } from '../host/host';

export function useVideoSurface(box: Readonly<Ref<HTMLElement | null>>, slot: () => number | null): void {
  const host = useHost();
  watch(
    [box, slot] as const,
    ([element, number], _, onCleanup) => {
      if (element && number !== null) onCleanup(host.attach(number, element));
    },
    { immediate: true, flush: 'post' },
  );
}
