// The browser peer of the benches: takes a seat of the hearing as the real page does (code, seat, hearing channel, steps),
// enters its media room with livekit-client, and shows what comes. No framework and no interface: the leanest browser
// client that takes part. Measures with what the browser itself offers.
const { Room, RoomEvent, Track, VideoPreset, VideoPresets } = globalThis.LivekitClient;

/** The reader of a freeze, as mingting-participant has it (watch.rs): much longer than usual is a freeze. */
const SLACK_MS = 150;

const room = new Room({ adaptiveStream: false, dynacast: true });
let socket;
let commands = 0;
let seat;
let state;
/** Resolves when the person stands where the name says. */
const standing = new Map();
const videos = new Map();
let publishing = false;
let firstPicture;
const firstPictureAt = new Promise((resolve) => (firstPicture = resolve));

async function post(path, body) {
  const answer = await fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const send = (frame) => socket.send(JSON.stringify(frame));
const command = (it) => send({ type: 'command', commandId: `bench-${Date.now()}-${++commands}`, expectedSeq: null, command: it });

const STEPS = {
  coded: { type: 'step.begin' },
  testing: { type: 'step.tested', payload: { score: 'good' } },
  identifying: { type: 'step.identified', payload: { skipped: true } },
  acknowledging: { type: 'step.acknowledged' },
};

function stands(to) {
  if (state === to.name) return;
  state = to.name;
  if (STEPS[state]) command(flat(STEPS[state]));
  if (state === 'inCourt' && publishing) {
    command({ type: 'self.mic', on: true });
    command({ type: 'self.camera', on: true });
  }
  standing.get(state)?.();
}

const flat = ({ type, payload }) => ({ type, ...payload });

function hear(frame) {
  const media = frame.type === 'welcome' || frame.type === 'media' ? frame.media : null;
  if (media && room.state === 'disconnected') void enter(media);
  if (frame.type === 'welcome' || frame.type === 'snapshot') {
    const me = frame.snapshot.participants.find((one) => one.seat.id === frame.snapshot.you);
    if (me) stands(me.state);
  } else if (frame.type === 'event' && frame.envelope.type === 'participant.state') {
    if (frame.envelope.payload.seat === seat.seat) stands(frame.envelope.payload.to);
  } else if (frame.type === 'bye') {
    throw new Error(`bye: ${frame.reason}`);
  }
}

async function enter({ url, token }) {
  const base = new URL(location.origin);
  base.protocol = 'ws:';
  await room.connect(new URL(url || '/', base).href.replace(/\/$/u, ''), token);
}

/** Takes the seat; resolves in the waiting room, or in court. */
globalThis.takeSeat = async ({ code, name, publish = true }) => {
  publishing = publish;
  const entered = await post('/enter', { code });
  const party = ['plaintiff', 'defendant', 'thirdParty'].includes(entered.seat.role);
  const capacity = party ? { name: 'party', idNumber: null } : { name: 'other' };
  seat = await post('/seat', { ticket: entered.ticket, name, capacity, takeOver: true });
  socket = new WebSocket(`ws://${location.host}/api/v1/hearings/${encodeURIComponent(seat.hearing)}/channel`);
  const waiting = Promise.race(['waiting', 'inCourt'].map((name) => new Promise((resolve) => standing.set(name, resolve))));
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onopen = () => send({ type: 'hello', protocol: 1, token: seat.token, resumeAfter: null, dropCause: null, client: 'bench' });
  setInterval(() => send({ type: 'ping', sentAt: Date.now() }), 3000);
  await waiting;
};

/** From the code to the first picture of somebody else, in milliseconds. */
globalThis.join = async (invited) => {
  const began = performance.now();
  await globalThis.takeSeat({ ...invited, publish: false });
  return (await firstPictureAt) - began;
};

globalThis.leave = async () => {
  await room.disconnect();
  socket.close();
};

/** Sends a camera of 720 lines in three sizes, and sound. */
globalThis.publish = async () => {
  const layers = [new VideoPreset(320, 180, 140_000, 20), new VideoPreset(640, 360, 450_000, 20)];
  await room.localParticipant.setCameraEnabled(
    true,
    { resolution: { ...VideoPresets.h720.resolution, frameRate: 30 } },
    { videoCodec: 'h264', backupCodec: false, simulcast: true, videoSimulcastLayers: layers, videoEncoding: { maxBitrate: 1_500_000, maxFramerate: 30 } },
  );
  await room.localParticipant.setMicrophoneEnabled(true);
};

room.on(RoomEvent.TrackSubscribed, (track) => {
  const element = track.attach();
  document.body.append(element);
  if (track.kind !== Track.Kind.Video) return;
  const seen = { track, frames: 0, last: null, usual: 0, freezeMs: 0, longestFreezeMs: 0 };
  videos.set(element, seen);
  const presented = (now) => {
    firstPicture(performance.now());
    seen.frames += 1;
    if (seen.last !== null) distance(seen, now - seen.last);
    seen.last = now;
    element.requestVideoFrameCallback(presented);
  };
  element.requestVideoFrameCallback(presented);
});
room.on(RoomEvent.TrackUnsubscribed, (track) => {
  for (const element of track.detach()) {
    videos.delete(element);
    element.remove();
  }
});

const frozen = (seen, ms) => ms > Math.max(3 * seen.usual, seen.usual + SLACK_MS);

function distance(seen, ms) {
  if (seen.usual === 0) seen.usual = ms;
  if (frozen(seen, ms)) {
    seen.freezeMs += ms - seen.usual;
    seen.longestFreezeMs = Math.max(seen.longestFreezeMs, ms - seen.usual);
  } else {
    seen.usual = seen.usual * 0.9 + ms * 0.1;
  }
}

/** How large the pictures are that arrive. */
globalThis.sizes = () =>
  [...videos.keys()]
    .map((video) => `${video.videoWidth}x${video.videoHeight}`)
    .sort()
    .join(' ');

/** Shows one picture alone in the upper left corner, at 640 by 360. */
globalThis.alone = () => {
  const [first] = videos.keys();
  first.className = 'alone';
};

/** Sums so far over everything that is received. */
globalThis.received = async () => {
  const sum = { videos: videos.size, frames: 0, freezeMs: 0, longestFreezeMs: 0, audioMs: 0, concealedMs: 0 };
  const now = performance.now();
  for (const seen of videos.values()) {
    const still = seen.last === null ? 0 : now - seen.last;
    const lasting = frozen(seen, still) ? still - seen.usual : 0;
    sum.frames += seen.frames;
    sum.freezeMs += seen.freezeMs + lasting;
    sum.longestFreezeMs = Math.max(sum.longestFreezeMs, seen.longestFreezeMs, lasting);
  }
  let loudest = 0;
  for (const participant of room.remoteParticipants.values()) {
    for (const publication of participant.audioTrackPublications.values()) {
      const report = await publication.track?.receiver?.getStats();
      for (const stat of report?.values() ?? []) {
        if (stat.type !== 'inbound-rtp' || (stat.totalAudioEnergy ?? 0) < loudest) continue;
        loudest = stat.totalAudioEnergy ?? 0;
        sum.audioMs = (stat.totalSamplesReceived ?? 0) / 48;
        sum.concealedMs = (stat.concealedSamples ?? 0) / 48;
      }
    }
  }
  return sum;
};
