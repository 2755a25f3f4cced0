// The browser peer of the benches: joins a room with livekit-client, shows every remote video at 640x360, and measures.
const { Room, RoomEvent, Track, VideoPresets } = globalThis.LivekitClient;

const STAMP = { columns: 32, rows: 2, rowFraction: 30, frameBits: 20, clockBits: 32, crcBits: 12 };

/** Joins, and resolves with the times in milliseconds from the call. */
globalThis.join = async ({ url, token, publish }) => {
  const room = new Room({ adaptiveStream: false, dynacast: true, publishDefaults: { simulcast: true, videoCodec: 'h264' } });
  globalThis.room = room;
  const began = performance.now();
  const firstVideo = new Promise((resolve) => {
    room.on(RoomEvent.TrackSubscribed, (track) => {
      const element = track.attach();
      document.body.append(element);
      if (track.kind === Track.Kind.Video) {
        element.requestVideoFrameCallback(() => resolve(performance.now() - began));
        if (!globalThis.watched) watchLatency((globalThis.watched = element));
      }
    });
  });
  await room.connect(url, token);
  const connectMs = performance.now() - began;
  if (publish) {
    await room.localParticipant.setCameraEnabled(true, { resolution: VideoPresets.h720.resolution });
    await room.localParticipant.setMicrophoneEnabled(true);
  }
  return { connectMs, firstVideoMs: await firstVideo };
};

/** Sums of the receivers' statistics (W3C webrtc-stats, inbound-rtp) so far. */
globalThis.received = async () => {
  const sum = { frames: 0, freezes: 0, freezeMs: 0, concealedMs: 0, audioMs: 0, videos: 0 };
  for (const participant of globalThis.room.remoteParticipants.values()) {
    for (const publication of participant.trackPublications.values()) {
      const report = await publication.track?.receiver?.getStats();
      for (const stat of report?.values() ?? []) {
        if (stat.type !== 'inbound-rtp') continue;
        if (stat.kind === 'video') {
          sum.videos += 1;
          sum.frames += stat.framesDecoded ?? 0;
          sum.freezes += stat.freezeCount ?? 0;
          sum.freezeMs += 1000 * (stat.totalFreezesDuration ?? 0);
        } else {
          sum.audioMs += (stat.totalSamplesReceived ?? 0) / 48;
          sum.concealedMs += ((stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0)) / 48;
        }
      }
    }
  }
  return { ...sum, latencies: globalThis.latencies ?? [] };
};

/** Reads the burned-in clock of every presented frame; the age is taken before the reading costs time. */
function watchLatency(video) {
  globalThis.latencies = [];
  const canvas = new OffscreenCanvas(STAMP.columns * 4, STAMP.rows * 4);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const look = () => {
    const now = Date.now();
    const stripHeight = (video.videoHeight * STAMP.rows) / STAMP.rowFraction;
    context.drawImage(video, 0, video.videoHeight - stripHeight, video.videoWidth, stripHeight, 0, 0, canvas.width, canvas.height);
    const clock = readClock(context.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width);
    if (clock !== undefined) {
      const age = ((now % 2 ** 32) - clock + 2 ** 32) % 2 ** 32;
      if (age < 10_000) globalThis.latencies.push(age);
    }
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}

/** The clock of the stamp, or undefined when the checksum does not hold (layout: crates/media, video::stamp). */
function readClock(pixels, width) {
  const bits = [];
  for (let row = 0; row < STAMP.rows; row++) {
    for (let column = 0; column < STAMP.columns; column++) {
      const luma = pixels[4 * ((row * 4 + 2) * width + column * 4 + 2) + 1];
      bits.push(luma > 128 ? 1 : 0);
    }
  }
  const payload = bits.slice(0, STAMP.frameBits + STAMP.clockBits);
  let crc = 0xfff;
  for (const bit of payload) {
    const top = ((crc >> 11) & 1) ^ bit;
    crc = (crc << 1) & 0xfff;
    if (top) crc ^= 0x80f;
  }
  if (crc !== bits.slice(-STAMP.crcBits).reduce((n, bit) => n * 2 + bit, 0)) return undefined;
  let last = 0;
  return payload.slice(STAMP.frameBits).reduce((n, bit) => n * 2 + (last ^= bit), 0);
}
