/** 庭前检测 on the devices as they run: puts together what each part found, judges all of it, and keeps the report. */
import { computed, onMounted, onScopeDispose, reactive, shallowReactive, watch } from 'vue';
import { HostFailure, useHost } from '../../../host/host';
import { judge as judgeFacts, type Verdict } from '../../../model/judge';
import { useDevices } from '../../../stores/devices';
import { useSession } from '../../../stores/session';
import type { DeviceKind, MediaKind, SelfTest, TestFacts } from '../../../wire/generated';
import { NOTHING_MEASURED, scoreOf, standingOf, type CheckItem, type Standing } from '../check';
import { inTurn } from './inTurn';
import { useLine } from './useLine';
import { useLook } from './useLook';
import { useLoudspeaker } from './useLoudspeaker';
import { usePermissions } from './usePermissions';
import { useVoice } from './useVoice';

/** `alone`: outside of a hearing; the devices are closed again afterwards. */
export function useDeviceCheck(alone: boolean, judge: (facts: TestFacts) => Verdict = judgeFacts) {
  const host = useHost();
  const devices = useDevices();
  const session = useSession();
  const facts = shallowReactive<TestFacts>({ ...NOTHING_MEASURED });
  const verdict = computed(() => judge({ ...facts }));
  /** 看不清, 听不清: what the person says of picture and sound. */
  const unclear = reactive({ camera: false, microphone: false });

  const camera = useLook(facts, () => verdict.value.camera.findings.length > 0);
  /** What plays would be heard by what listens. */
  const sound = inTurn();
  const voice = useVoice(facts, sound);
  const speaker = useLoudspeaker(facts, sound);
  const line = useLine(facts);
  const { openSettings } = usePermissions(facts, () => void returned());

  const standings = computed<Record<CheckItem, Standing>>(() => ({
    camera: standingOf(verdict.value.camera, camera.looking.value, unclear.camera),
    microphone: standingOf(verdict.value.microphone, voice.left.value !== null, unclear.microphone),
    speaker: standingOf(verdict.value.speaker, speaker.playing.value || speaker.looping.value, false),
    network: standingOf(verdict.value.network, line.running.value, false),
  }));
  const score = computed(() => scoreOf(verdict.value, standings.value));
  const measured = computed(() => verdict.value.overall.score !== 'unknown');

  /** A device that does not open says so itself; the check goes on. */
  async function quietly(work: Promise<unknown>) {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  const turn = (kind: MediaKind, on: boolean) => quietly(devices.turn(kind, on));
  async function choose(kind: DeviceKind, id: string) {
    if (kind === 'speaker') speaker.forget();
    else unclear[kind] = false;
    await quietly(devices.choose(kind, id));
  }
  /** Opens a device again, after the person has put it right. */
  async function again(kind: 'camera' | 'microphone') {
    unclear[kind] = false;
    await turn(kind === 'camera' ? 'video' : 'audio', true);
    await quietly(devices.refresh());
  }
  /** Somebody comes back from the system's settings, or has plugged something in: what is allowed now is opened. */
  async function returned() {
    await quietly(devices.refresh());
    for (const kind of ['camera', 'microphone'] as const) {
      const found = facts[kind];
      if (found?.name === 'failed' && found.fault === 'denied' && facts.permissions?.[kind] === 'granted') await again(kind);
    }
  }
  /** Plugged in again while the person looks on: opened without being asked. */
  for (const kind of ['camera', 'microphone'] as const) {
    watch(
      () => devices.list.devices.filter((one) => one.kind === kind).length,
      (now, before) => {
        const found = facts[kind];
        if (now > before && found?.name === 'failed' && (found.fault === 'missing' || found.fault === 'unplugged')) void again(kind);
      },
    );
  }
  /** 翻转画面. */
  async function turnPicture() {
    await quietly(devices.turnPicture());
    await camera.look();
  }
  const listen = () => {
    unclear.microphone = false;
    return voice.hear();
  };
  /** What the person answers when asked whether picture or sound is clear. */
  function answer(kind: 'camera' | 'microphone', clear: boolean) {
    unclear[kind] = !clear;
  }

  /** The report as it stands. One that was kept is not changed any more: what is measured later is another. */
  let takenAt = Date.now();
  let kept = false;
  watch(
    facts,
    () => {
      if (kept) takenAt = Date.now();
      kept = false;
    },
    { flush: 'sync' },
  );
  const report = (): SelfTest => ({ takenAt, tookMs: Math.max(0, Date.now() - takenAt), version: session.start?.version ?? '', facts: { ...facts }, ...verdict.value });
  async function keep() {
    if (!measured.value || kept) return;
    kept = true;
    await quietly(host.call('check.keep', report()));
  }

  onMounted(async () => {
    await Promise.all([turn('video', true), turn('audio', true), line.start()]);
    // Names of devices are known only once one may be used.
    await quietly(devices.refresh());
  });
  onScopeDispose(() => {
    void keep();
    // What is still being listened to or played ends with the check.
    void host.call('check.stop', null).catch(() => undefined);
    // Nobody enters court with an open microphone that they did not open there themselves.
    void turn('audio', false);
    if (alone) void turn('video', false);
  });
  return { facts, verdict, unclear, camera, voice, speaker, line, standings, score, measured, choose, again, turnPicture, listen, answer, openSettings, report, keep };
}

/** What the panels of the check share. */
export type DeviceCheckState = ReturnType<typeof useDeviceCheck>;
