/**
 * What follows from the facts of a self-test: findings, a score for each part, and steps that help.
 *
 * Pure: figures in, codes out. The desktop program has the same policy (`crates/client/src/selftest/judge.rs`); both are
 * held against its `cases.json`, so neither changes alone. Never measures, and never keeps anybody out of court.
 */
import type {
  CameraFacts,
  CodecSpeed,
  ComputerFacts,
  DeviceFault,
  MicrophoneFacts,
  NetworkFacts,
  PermissionFacts,
  SpeakerFacts,
  TestFacts,
  TestFinding,
  TestPart,
  TestPath,
  TestRemedy,
  TestScore,
} from '../wire/generated';

/** Steps that a person is told of one part, at most: nobody follows more. */
export const MAX_REMEDIES = 3;

/** A picture darker than this with less contrast than `BLACK_CONTRAST` shows nothing. */
const BLACK = 0.08;
/** A dark room still has lamps and edges; a covered lens has noise. */
const BLACK_CONTRAST = 0.03;
/** Below this mean luma a face is hard to make out. */
const DARK = 0.2;
/** Above this, or with more than `BURNT` of it burnt out, a face is washed out. */
const BRIGHT = 0.85;
/** See `BRIGHT`. A white wall or a window at the edge stays below. */
const BURNT = 0.3;
/** Below this variance of the Laplacian there is hardly an edge in the picture. */
const BLURRED = 20;
/** A camera's noise changes every picture; repeated ones are a frozen driver. */
const FROZEN = 0.9;
/** Below this many pictures a second movement is seen in jerks. */
const SLOW_FPS = 12;
/** Lines below which a face is hard to make out in a large tile. */
const SMALL_LINES = 360;

/** Even a quiet microphone has noise above this; below it nothing is connected, or a switch is off. In dBFS. */
const DEAD_PEAK_DB = -80;
/** Speech below this is heard with effort, in dBFS. */
const QUIET_DB = -36;
/** Part of the samples at full scale from which words are distorted. */
const CLIPPED = 0.001;
/** Background above this is heard all the time, in dBFS. */
const NOISY_DB = -40;
/** Speech must stand out of the background by this much, in dB. */
const OVER_NOISE_DB = 12;

/** What comes back above this after the canceller is heard by the others, in dB of what was played. */
export const ECHO_DB = -30;

/** Round trip from which people begin to talk at the same time, in milliseconds (ITU-T G.114). */
const SLOW_RTT_MS = 400;
/** Variation of the delay from which sound waits noticeably, in milliseconds. */
const UNEVEN_MS = 50;
/** Part of packets lost from which pictures suffer. */
const LOSSY = 0.03;
/** Part of packets lost from which sound suffers too. */
const VERY_LOSSY = 0.2;
/** Sound with redundancy and the smallest picture, in bits a second. */
const LEAST_UP_BPS = 300_000;
/** All three layers of the picture, sound and repairs, in bits a second. */
const GOOD_UP_BPS = 2_500_000;
/** Everybody's voice and the smallest picture of who speaks, in bits a second. */
const LEAST_DOWN_BPS = 300_000;
/** Five small pictures, a shared screen, sound and repairs, in bits a second. */
const GOOD_DOWN_BPS = 2_500_000;
/** A clock further off than this spoils times on the record and signatures, in milliseconds. */
const CLOCK_MS = 60_000;

/** Pictures a second that are sent of each layer. */
const SENT_FPS = 30;
/** Part of one core that encoding may take: the rest is for the others' pictures and the page. */
const ENCODING_SHARE = 0.8;
/** Lines of the largest layer that a slow computer is still to send. */
const MODEST_LINES = 360;
/** More of the processors than this was busy before anything began. */
const BUSY = 0.7;
/** Less than this and the system begins to swap, in MiB. */
const MEMORY_MIB = 400;
/** Logs and files of a hearing, in MiB. */
const DISK_MIB = 500;
/** Less than this does not last a hearing, in percent. */
const BATTERY_PERCENT = 40;

/** Everything that follows from the facts, part by part and as a whole. */
export interface Verdict {
  camera: TestPart;
  microphone: TestPart;
  speaker: TestPart;
  network: TestPart;
  computer: TestPart;
  permissions: TestPart;
  overall: TestPart;
}

/** Judges what was measured. A part without facts was not tested. */
export function judge(facts: Partial<TestFacts>): Verdict {
  const camera = part(facts.camera && ofCamera(facts.camera));
  const microphone = part(facts.microphone && ofMicrophone(facts.microphone));
  const speaker = part(facts.speaker && (isSilent(facts.speaker) ? null : ofSpeaker(facts.speaker)));
  const network = part(facts.network && ofNetwork(facts.network));
  const computer = part(facts.computer && ofComputer(facts.computer));
  const permissions = part(facts.permissions && ofPermissions(facts.permissions));
  // The order in which somebody would put it right.
  const parts = [permissions, camera, microphone, speaker, network, computer];
  const tested = parts.some(({ score }) => score !== 'unknown');
  // Whoever is neither seen nor heard takes no part.
  const unfinished: TestFinding[] = [camera, microphone, network].some(({ score }) => score === 'unknown') ? ['unfinished'] : [];
  const overall = part(tested ? [...parts.flatMap(({ findings }) => findings), ...unfinished] : null);
  return { camera, microphone, speaker, network, computer, permissions, overall };
}

/** Played, and nobody said whether it was heard: nothing is known of it. */
function isSilent(facts: SpeakerFacts): boolean {
  return facts.name === 'played' && facts.heard === null && facts.echo === null;
}

const RANK: Record<TestScore, number> = { bad: 0, usable: 1, good: 2, unknown: 2 };

/** Sums findings up; none is a part that was not tested. */
function part(found: TestFinding[] | null | undefined): TestPart {
  if (!found) return { score: 'unknown', findings: [], remedies: [] };
  // Stable: within one gravity the order of the part stays.
  const findings = [...found].sort((a, b) => RANK[gravity(a)] - RANK[gravity(b)]);
  const remedies = [...new Set(findings.flatMap(steps))].slice(0, MAX_REMEDIES);
  const [gravest] = findings;
  return { score: gravest === undefined ? 'good' : gravity(gravest), findings, remedies };
}

/** Those findings that are the case, in this order. */
function noted(rows: [boolean, TestFinding][]): TestFinding[] {
  return rows.filter(([is]) => is).map(([, finding]) => finding);
}

const CAMERA_FAULTS: Record<DeviceFault, TestFinding> = {
  missing: 'cameraMissing',
  busy: 'cameraBusy',
  denied: 'cameraDenied',
  unplugged: 'cameraUnplugged',
  hung: 'cameraBroken',
  broken: 'cameraBroken',
  notSent: 'cameraBroken',
};
const MICROPHONE_FAULTS: Record<DeviceFault, TestFinding> = {
  missing: 'microphoneMissing',
  busy: 'microphoneBusy',
  denied: 'microphoneDenied',
  unplugged: 'microphoneUnplugged',
  hung: 'microphoneBroken',
  broken: 'microphoneBroken',
  notSent: 'microphoneBroken',
};
const SPEAKER_FAULTS: Record<DeviceFault, TestFinding> = {
  missing: 'speakerMissing',
  busy: 'speakerBusy',
  denied: 'speakerBroken',
  unplugged: 'speakerBroken',
  hung: 'speakerBroken',
  broken: 'speakerBroken',
  notSent: 'speakerBroken',
};

function ofCamera(facts: CameraFacts): TestFinding[] {
  if (facts.name === 'failed') return [CAMERA_FAULTS[facts.fault]];
  const { brightness, burnt, contrast, sharpness, frozen, fps, height, flipped } = facts;
  const black = brightness < BLACK && contrast < BLACK_CONTRAST;
  const dark = !black && brightness < DARK;
  const bright = brightness > BRIGHT || burnt > BURNT;
  // Without light there are no edges.
  const lit = !black && !dark && !bright;
  return noted([
    [black, 'cameraBlack'],
    // Nothing changes in a black picture either.
    [!black && frozen > FROZEN, 'cameraFrozen'],
    [dark, 'cameraDark'],
    [bright, 'cameraBright'],
    [lit && sharpness < BLURRED, 'cameraBlurred'],
    [fps < SLOW_FPS, 'cameraSlow'],
    [height < SMALL_LINES, 'cameraSmall'],
    [flipped, 'cameraUpsideDown'],
  ]);
}

function ofMicrophone(facts: MicrophoneFacts): TestFinding[] {
  if (facts.name === 'failed') return [MICROPHONE_FAULTS[facts.fault]];
  const { speechDb, noiseDb, peakDb, clipped } = facts;
  const live = facts.live !== null;
  const dead = peakDb < DEAD_PEAK_DB;
  const silent = speechDb === null;
  const drowned = !silent && speechDb - noiseDb < OVER_NOISE_DB;
  return noted([
    [live && silent, 'microphoneOther'],
    [dead, 'microphoneDead'],
    [!dead && !live && silent, 'microphoneNoSpeech'],
    [clipped > CLIPPED, 'microphoneClipped'],
    [!silent && speechDb < QUIET_DB, 'microphoneQuiet'],
    [noiseDb > NOISY_DB || drowned, 'microphoneNoisy'],
  ]);
}

function ofSpeaker(facts: SpeakerFacts): TestFinding[] {
  if (facts.name === 'failed') return [SPEAKER_FAULTS[facts.fault]];
  const { echo } = facts;
  const echoes = echo !== null && echo.residualDb > ECHO_DB;
  return noted([
    [facts.heard === false, 'speakerNotHeard'],
    [echoes, 'echo'],
    [echo !== null && !echoes && facts.headset !== true, 'loudspeakerHeard'],
  ]);
}

/** None where nothing was found because no media went anywhere: nothing is known of the line then. */
function ofNetwork(facts: NetworkFacts): TestFinding[] | null {
  const closed = (path: TestPath) => path === 'closed';
  // The first step that fails explains all that follow.
  const steps: [TestPath, TestFinding][] = [
    [facts.name, 'nameUnknown'],
    [facts.reach, 'serverUnreachable'],
    [facts.tls, 'tlsRefused'],
    [facts.answer, 'notTheCourt'],
    [facts.channel, 'channelClosed'],
  ];
  const first = steps.find(([path]) => closed(path))?.[1];
  const reached = first === undefined || first === 'channelClosed';
  const neither = closed(facts.udp) && closed(facts.tcp);
  const above = (value: number | null, limit: number) => value !== null && value > limit;
  const below = (value: number | null, limit: number) => value !== null && value < limit;
  const [lost, hardly] = [above(facts.loss, LOSSY), above(facts.loss, VERY_LOSSY)];
  const [hardlyUp, hardlyDown] = [below(facts.upBps, LEAST_UP_BPS), below(facts.downBps, LEAST_DOWN_BPS)];
  const found = [
    ...(first === undefined ? [] : [first]),
    ...noted([
      [reached && closed(facts.udp) && facts.tcp === 'open', 'udpClosed'],
      [reached && neither && facts.tunnel === 'open', 'onlyTunnel'],
      [reached && neither && facts.tunnel !== 'open', 'mediaClosed'],
      [hardly, 'networkVeryLossy'],
      [lost && !hardly, 'networkLossy'],
      [above(facts.rttMs, SLOW_RTT_MS), 'networkSlow'],
      [above(facts.jitterMs, UNEVEN_MS), 'networkUneven'],
      [hardlyUp, 'uplinkTooNarrow'],
      [!hardlyUp && below(facts.upBps, GOOD_UP_BPS), 'uplinkNarrow'],
      [hardlyDown, 'downlinkTooNarrow'],
      [!hardlyDown && below(facts.downBps, GOOD_DOWN_BPS), 'downlinkNarrow'],
      [facts.skewMs !== null && Math.abs(facts.skewMs) > CLOCK_MS, 'clockWrong'],
    ]),
  ];
  const tried = [facts.udp, facts.tcp, facts.tunnel].some((path) => path === 'open' || path === 'closed');
  return tried || found.length > 0 ? found : null;
}

/** Part of one core that encoding all layers up to `lines` takes; 0 where no layer was measured. */
function encoding(codec: CodecSpeed[], lines: number): number {
  return codec.filter(({ height }) => height <= lines).reduce((sum, { encodeFps }) => sum + SENT_FPS / Math.max(encodeFps, 0.1), 0);
}

function ofComputer(facts: ComputerFacts): TestFinding[] {
  const tooMuch = (lines: number) => encoding(facts.codec, lines) > ENCODING_SHARE;
  const tooSlow = tooMuch(MODEST_LINES);
  const { busy, freeMemoryMib, freeDiskMib, power } = facts;
  return noted([
    [tooSlow, 'computerTooSlow'],
    [!tooSlow && tooMuch(Infinity), 'computerSlow'],
    [busy !== null && busy > BUSY, 'computerBusy'],
    [freeMemoryMib !== null && freeMemoryMib < MEMORY_MIB, 'memoryShort'],
    [freeDiskMib !== null && freeDiskMib < DISK_MIB, 'diskShort'],
    [power?.name === 'battery' && power.percent < BATTERY_PERCENT, 'batteryLow'],
    [facts.saver === true, 'powerSaving'],
  ]);
}

/** None where the system has no switches, or tells nothing of them. */
function ofPermissions(facts: PermissionFacts): TestFinding[] | null {
  if (facts.camera === 'unknown' && facts.microphone === 'unknown') return null;
  return noted([
    [facts.camera === 'denied', 'permissionCamera'],
    [facts.microphone === 'denied', 'permissionMicrophone'],
  ]);
}

/** How grave a finding is. */
export function gravity(finding: TestFinding): TestScore {
  return ABOUT[finding][0];
}

/** What helps, the likeliest first. */
export function steps(finding: TestFinding): readonly TestRemedy[] {
  return ABOUT[finding][1];
}

/** Each finding's gravity and steps. */
const ABOUT: Record<TestFinding, readonly [TestScore, readonly TestRemedy[]]> = {
  cameraMissing: ['bad', ['connectCamera', 'callClerk']],
  cameraBusy: ['bad', ['closeCameraPrograms', 'chooseOther']],
  cameraDenied: ['bad', ['allowCamera', 'checkAntivirus']],
  cameraUnplugged: ['bad', ['replug', 'chooseOther']],
  cameraBroken: ['bad', ['replug', 'chooseOther', 'callClerk']],
  cameraBlack: ['bad', ['openCover', 'checkAntivirus', 'chooseOther']],
  cameraFrozen: ['bad', ['closeCameraPrograms', 'replug', 'chooseOther']],
  cameraDark: ['usable', ['moreLight']],
  cameraBright: ['usable', ['lessLight']],
  cameraBlurred: ['usable', ['wipeLens']],
  cameraSlow: ['usable', ['moreLight', 'closePrograms']],
  cameraSmall: ['usable', ['chooseOther']],
  cameraUpsideDown: ['usable', ['turnPicture']],
  microphoneMissing: ['bad', ['connectMicrophone', 'callClerk']],
  microphoneBusy: ['bad', ['closeMicrophonePrograms', 'chooseOther']],
  microphoneDenied: ['bad', ['allowMicrophone', 'checkAntivirus']],
  microphoneUnplugged: ['bad', ['replug', 'chooseOther']],
  microphoneBroken: ['bad', ['replug', 'chooseOther', 'callClerk']],
  microphoneDead: ['bad', ['hardwareSwitch', 'chooseOther', 'replug']],
  microphoneOther: ['bad', ['takeLiveMicrophone']],
  microphoneNoSpeech: ['usable', ['speakAgain', 'hardwareSwitch']],
  microphoneQuiet: ['usable', ['raiseLevel']],
  microphoneClipped: ['usable', ['lowerLevel']],
  microphoneNoisy: ['usable', ['quietRoom', 'useHeadset']],
  speakerMissing: ['bad', ['connectSpeaker', 'callClerk']],
  speakerBusy: ['bad', ['closePrograms', 'chooseOther']],
  speakerBroken: ['bad', ['replug', 'chooseOther', 'callClerk']],
  speakerNotHeard: ['bad', ['turnUp', 'chooseOther']],
  echo: ['usable', ['useHeadset']],
  loudspeakerHeard: ['good', ['useHeadset']],
  nameUnknown: ['bad', ['checkInternet', 'askAddress']],
  serverUnreachable: ['bad', ['checkInternet', 'leaveProxy', 'askAdministrator']],
  tlsRefused: ['bad', ['setClock', 'leaveProxy', 'askAddress']],
  notTheCourt: ['bad', ['checkInternet', 'askAddress']],
  channelClosed: ['bad', ['leaveProxy', 'askAdministrator', 'usePhoneNetwork']],
  udpClosed: ['usable', ['askAdministratorUdp', 'usePhoneNetwork']],
  onlyTunnel: ['usable', ['askAdministrator', 'usePhoneNetwork']],
  mediaClosed: ['bad', ['askAdministratorUdp', 'usePhoneNetwork', 'callClerk']],
  networkSlow: ['usable', ['leaveProxy', 'useCable']],
  networkUneven: ['usable', ['useCable', 'stopDownloads', 'usePhoneNetwork']],
  networkLossy: ['usable', ['useCable', 'stopDownloads', 'usePhoneNetwork']],
  networkVeryLossy: ['bad', ['useCable', 'usePhoneNetwork', 'callClerk']],
  uplinkNarrow: ['usable', ['stopDownloads', 'useCable', 'usePhoneNetwork']],
  uplinkTooNarrow: ['bad', ['stopDownloads', 'useCable', 'usePhoneNetwork']],
  downlinkNarrow: ['usable', ['stopDownloads', 'useCable', 'usePhoneNetwork']],
  downlinkTooNarrow: ['bad', ['stopDownloads', 'useCable', 'usePhoneNetwork']],
  clockWrong: ['usable', ['setClock']],
  computerSlow: ['usable', ['closePrograms', 'plugIn']],
  computerTooSlow: ['bad', ['closePrograms', 'plugIn', 'useOtherComputer']],
  computerBusy: ['usable', ['closePrograms']],
  memoryShort: ['usable', ['closePrograms']],
  diskShort: ['usable', ['freeDisk']],
  batteryLow: ['usable', ['plugIn']],
  powerSaving: ['usable', ['plugIn', 'leavePowerSaving']],
  unfinished: ['usable', ['testAgain']],
  permissionCamera: ['bad', ['allowCamera', 'checkAntivirus']],
  permissionMicrophone: ['bad', ['allowMicrophone', 'checkAntivirus']],
};

/** Everything that can be found. */
export const FINDINGS = Object.keys(ABOUT) as TestFinding[];
