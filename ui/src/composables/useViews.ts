/**
 * Tells the host how large every track is on screen, in device pixels, so that the layer sent follows the tile; the own
 * previews too.
 * A track that is not on screen is told as 0 × 0. Told at most every 200 ms, and only when something changed.
 */
import { inject, onScopeDispose, provide, watch, type InjectionKey, type Ref } from 'vue';
import { useHost } from '../host/host';
import { useMedia } from '../stores/media';
import type { TrackView } from '../wire/generated';

const SETTLE_MS = 200;

interface Views {
  add(slot: number, box: HTMLElement): () => void;
}
const viewsKey: InjectionKey<Views> = Symbol('views');

/** Once, at the screen that shows tracks. */
export function provideViews(): void {
  const host = useHost();
  const media = useMedia();
  const boxes = new Map<HTMLElement, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let told = '';

  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLE_MS);
  };
  const sizes = new ResizeObserver(settle);

  function tell() {
    const views = viewsOf(
      media.tracks.filter((t) => t.source !== 'microphone').map((t) => t.slot),
      [...boxes].map(([box, slot]) => ({ slot, width: box.clientWidth, height: box.clientHeight })),
      devicePixelRatio,
    );
    const text = JSON.stringify(views);
    if (text === told) return;
    told = text;
    // A host that lost its session is told again when the tracks come back.
    host.call('media.views', views).catch(() => (told = ''));
  }

  provide(viewsKey, {
    add(slot, box) {
      boxes.set(box, slot);
      sizes.observe(box);
      settle();
      return () => {
        boxes.delete(box);
        sizes.unobserve(box);
        settle();
      };
    },
  });
  watch(() => media.tracks, settle);
  onScopeDispose(() => {
    clearTimeout(timer);
    sizes.disconnect();
  });
}

/** The largest box of each track; 0 × 0 for a track without one. */
export function viewsOf(slots: number[], boxes: TrackView[], ratio: number): TrackView[] {
  return slots.map((slot) => {
    const shown = boxes.filter((b) => b.slot === slot);
    return {
      slot,
      width: Math.round(Math.max(0, ...shown.map((b) => b.width)) * ratio),
      height: Math.round(Math.max(0, ...shown.map((b) => b.height)) * ratio),
    };
  });
}

/** A box that shows a track, for as long as both are there. */
export function useView(box: Readonly<Ref<HTMLElement | null>>, slot: () => number | null): void {
  const views = inject(viewsKey, null);
  watch(
    [box, slot] as const,
    ([element, number], _, onCleanup) => {
      if (views && element && number !== null) onCleanup(views.add(number, element));
    },
    { immediate: true, flush: 'post' },
  );
}
