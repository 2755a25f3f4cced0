/** The tracks that can be shown, who speaks, and how the network is. Pictures themselves never pass here. */
import { defineStore } from 'pinia';
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import { useHost } from '../host/host';
import type { HostEvent, SeatId, TrackInfo, TrackSource } from '../wire/generated';

export type Network = Omit<Extract<HostEvent, { type: 'network' }>, 'type'>;

const UNKNOWN: Network = { quality: 'unknown', rttMs: 0, loss: 0, sendingKbps: 0, receivingKbps: 0 };

export const useMedia = defineStore('media', () => {
  const host = useHost();
  const tracks = shallowRef<TrackInfo[]>([]);
  const speakers = shallowRef<SeatId[]>([]);
  const network = shallowRef<Network>(UNKNOWN);
  /** The browser plays nothing until the page is touched. */
  const playbackBlocked = ref(false);
  /** Counts how often the host ended a share by itself. */
  const sharesEnded = ref(0);

  onScopeDispose(
    host.on((event) => {
      if (event.type === 'tracks') tracks.value = event.tracks;
      else if (event.type === 'speakers') speakers.value = event.seats;
      else if (event.type === 'network') network.value = event;
      // What was measured on a way that is gone says nothing about the next.
      else if (event.type === 'mediaLink' && event.state.name !== 'live') network.value = UNKNOWN;
      else if (event.type === 'playback') playbackBlocked.value = event.blocked;
      else if (event.type === 'shareEnded') sharesEnded.value += 1;
    }),
  );

  const bySeat = computed(() => new Map(tracks.value.map((t) => [`${t.seat}/${t.source}`, t])));
  const track = (seat: SeatId, source: TrackSource) => bySeat.value.get(`${seat}/${source}`) ?? null;
  /** One's own camera preview. */
  const preview = computed(() => tracks.value.find((t) => t.own && t.source === 'camera') ?? null);

  return { tracks, speakers, network, playbackBlocked, sharesEnded, track, preview };
});
