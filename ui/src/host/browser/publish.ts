// How tracks are sent: one codec for everybody (H.264, constrained baseline), layers by size.

import type { Track } from 'livekit-client';
import { type RoomOptions, type TrackPublishOptions, VideoPreset } from 'livekit-client';
import type { TrackSource } from '../../wire/generated';

/** Smaller copies of the camera, for tiles and for slow lines: width, height, bits a second, pictures a second. */
const CAMERA_LAYERS = [new VideoPreset(320, 180, 140_000, 15), new VideoPreset(640, 360, 450_000, 25)];
const CAMERA_BITRATE = 1_500_000;
const CAMERA_RATE = 25;
/** A screen is read: sharp rather than smooth. */
const SCREEN_BITRATE = 2_000_000;
const SCREEN_RATE = 10;
const SPEECH_BITRATE = 40_000;

/** The room as the page wants it. Sizes are asked for by the page (`media.views`), not guessed from elements. */
export function roomOptions(): RoomOptions {
  return {
    adaptiveStream: false,
    dynacast: false,
    stopLocalTrackOnUnpublish: false,
    disconnectOnPageLeave: true,
  };
}

/** The court's one codec can be made here. A browser that does not say is tried. */
export function encodesH264(): boolean {
  const can = typeof RTCRtpSender === 'undefined' ? null : RTCRtpSender.getCapabilities?.('video');
  return !can || can.codecs.some(({ mimeType }) => mimeType.toLowerCase() === 'video/h264');
}

/** Options for one source. */
export function publishOptions(name: TrackSource, source: Track.Source): TrackPublishOptions {
  const common = { name, source, stream: name === 'screen' ? 'screen' : 'camera' };
  switch (name) {
    case 'microphone':
      return { ...common, dtx: true, red: true, audioPreset: { maxBitrate: SPEECH_BITRATE } };
    case 'camera':
      return {
        ...common,
        videoCodec: 'h264',
        backupCodec: false,
        simulcast: true,
        videoSimulcastLayers: CAMERA_LAYERS,
        videoEncoding: { maxBitrate: CAMERA_BITRATE, maxFramerate: CAMERA_RATE },
        degradationPreference: 'balanced',
      };
    case 'screen':
      return {
        ...common,
        videoCodec: 'h264',
        backupCodec: false,
        simulcast: false,
        screenShareEncoding: { maxBitrate: SCREEN_BITRATE, maxFramerate: SCREEN_RATE },
        degradationPreference: 'maintain-resolution',
      };
    default:
      return name satisfies never;
  }
}
