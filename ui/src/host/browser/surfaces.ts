// Numbers for tracks and the elements that show them. A slot keeps its number while the page lives, also when the
// track behind it is replaced; whoever shows it sees the new one.

import type { SeatId, TrackInfo, TrackSource } from '../../wire/generated';

/** A picture with a number. */
export interface Shown extends Omit<TrackInfo, 'slot'> {
  track: MediaStreamTrack | null;
}

/** All slots of this page. */
export class Surfaces {
  private readonly slots = new Map<string, number>();
  private tracks = new Map<number, MediaStreamTrack | null>();
  private readonly boxes = new Map<HTMLVideoElement, number>();

  /** The number of a source of a seat. */
  slot(seat: SeatId, source: TrackSource, own: boolean): number {
    const key = `${own ? 'own' : 'other'}/${seat}/${source}`;
    const known = this.slots.get(key);
    if (known !== undefined) return known;
    const next = this.slots.size + 1;
    this.slots.set(key, next);
    return next;
  }

  /** Takes all pictures there are now and numbers them. */
  update(shown: readonly Shown[]): TrackInfo[] {
    const infos = shown.map(({ track, ...info }) => ({ ...info, slot: this.slot(info.seat, info.source, info.own), track }));
    this.tracks = new Map(infos.map((info) => [info.slot, info.track]));
    for (const [video, slot] of this.boxes) this.show(video, slot);
    return infos.map(({ slot, seat, source, own, muted, width, height }) => ({ slot, seat, source, own, muted, width, height }));
  }

  /** Shows a slot in a box until the returned function is called. */
  attach(slot: number, box: HTMLElement): () => void {
    const video = document.createElement('video');
    video.className = 'picture';
    video.autoplay = video.muted = video.playsInline = true;
    video.disablePictureInPicture = true;
    this.boxes.set(video, slot);
    this.show(video, slot);
    box.append(video);
    return () => {
      this.boxes.delete(video);
      video.srcObject = null;
      video.remove();
    };
  }

  private show(video: HTMLVideoElement, slot: number): void {
    const track = this.tracks.get(slot) ?? null;
    const current = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
    if (current === (track ?? undefined)) return;
    video.srcObject = track === null ? null : new MediaStream([track]);
    if (track !== null) void video.play().catch(() => undefined);
  }
}
