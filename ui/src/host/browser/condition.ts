// How one's own devices are, for the court, and when the court is told: the policy of `crates/client/src/session/condition.rs`, as
// far as a browser can know. Pure: time is an argument. Of the loudspeaker no browser says anything.

import type { DeviceCondition, DeviceConditions, DeviceState } from '../../wire/generated';

/** A microphone that is on and gives nothing for so long is switched off by a switch of its own. */
export const SILENT_AFTER_MS = 8_000;
/** Nothing: less than the noise of a converter, in dBFS. */
const DEAD_DB = -80;
/** The court is told at most this often. */
export const TOLD_EVERY_MS = 2_000;
/** Looks that are further apart say nothing of the time between them: the computer slept. */
const LOOK_LIMIT_MS = 3_000;

/** The devices at one moment. */
export interface Moment {
  camera: DeviceState;
  /** Off where its owner has it closed to the others. */
  microphone: DeviceState;
  /** Loudest since the last look; `null` where nobody listened. */
  peakDb: number | null;
}

const UNKNOWN: DeviceConditions = { camera: { name: 'unknown' }, microphone: { name: 'unknown' }, speaker: { name: 'unknown' } };

/** What a device says of itself. While it is being opened the last word holds. */
function plain(state: DeviceState, known: DeviceCondition): DeviceCondition {
  switch (state.name) {
    case 'off':
      return { name: 'off' };
    case 'opening':
      return known;
    case 'on':
      return { name: 'fine' };
    case 'failed':
      return { name: 'failed', fault: state.fault };
    default:
      return state satisfies never;
  }
}

/** Follows the devices. */
export class Follower {
  private known = UNKNOWN;
  private silentSince: number | null = null;
  private lookedMs = 0;

  /** How the devices are now, given how they were at all looks before. */
  look(nowMs: number, { camera, microphone, peakDb }: Moment): DeviceConditions {
    if (nowMs - this.lookedMs > LOOK_LIMIT_MS) this.silentSince = null;
    this.lookedMs = nowMs;
    const silent = microphone.name === 'on' && peakDb !== null && peakDb < DEAD_DB;
    this.silentSince = silent ? (this.silentSince ?? nowMs) : null;
    const dead = this.silentSince !== null && nowMs - this.silentSince >= SILENT_AFTER_MS;
    this.known = {
      camera: plain(camera, this.known.camera),
      microphone: dead ? { name: 'silent' } : plain(microphone, this.known.microphone),
      speaker: this.known.speaker,
    };
    return this.known;
  }
}

const isSame = (one: DeviceCondition, other: DeviceCondition): boolean =>
  one.name === other.name && (one.name !== 'failed' || other.name !== 'failed' || one.fault === other.fault);
const areSame = (one: DeviceConditions, other: DeviceConditions): boolean =>
  isSame(one.camera, other.camera) && isSame(one.microphone, other.microphone) && isSame(one.speaker, other.speaker);

/** When the court is told. */
export class Teller {
  private toldMs: number | null = null;
  private underWay: DeviceConditions | null = null;
  /** What it did not take. Asking again and again would not help. */
  private refused: DeviceConditions | null = null;

  /** Whether the court is to be told of devices that are as `measured`, while it has `onRecord`. */
  isDue(nowMs: number, measured: DeviceConditions, onRecord: DeviceConditions): boolean {
    const rested = this.toldMs === null || nowMs >= this.toldMs + TOLD_EVERY_MS;
    const wasRefused = this.refused !== null && areSame(this.refused, measured);
    return rested && this.underWay === null && !wasRefused && !areSame(measured, onRecord);
  }

  /** The court was told. */
  told(nowMs: number, measured: DeviceConditions): void {
    this.toldMs = nowMs;
    this.underWay = measured;
    this.refused = null;
  }

  /** The court has answered. */
  answered(taken: boolean): void {
    this.refused = taken ? null : this.underWay;
    this.underWay = null;
  }

  /** A snapshot came: what was refused may be taken now. */
  refreshed(): void {
    this.refused = null;
  }
}
