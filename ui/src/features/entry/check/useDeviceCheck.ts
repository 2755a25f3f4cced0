/** The short device check: opens camera and microphone, listens, asks the network, and sums up. */
import { computed, onMounted, onScopeDispose, reactive, ref, watch } from 'vue';
import { HostFailure, useHost } from '../../../host/host';
import { useDevices } from '../../../stores/devices';
import type { DeviceKind, MediaKind } from '../../../wire/generated';
import { cameraFinding, microphoneFinding, networkFinding, scoreOf, type CheckItem, type Finding } from '../check';

const SILENT = { loudestDb: -90, peakDb: -90 };

/** `alone`: outside of a hearing; the devices are closed again afterwards. */
export function useDeviceCheck(alone: boolean) {
  const host = useHost();
  const devices = useDevices();
  const heard = reactive({ ...SILENT });
  /** What the person said; it outweighs what was measured. */
  const said = reactive<Record<'camera' | 'speaker', 'good' | 'bad' | null>>({ camera: null, speaker: null });
  const network = ref<{ finding: Finding; rttMs: number | null }>({ finding: { name: 'untested' }, rttMs: null });
  const playing = ref(false);
  const soundFailed = ref(false);

  const findings = computed<Record<CheckItem, Finding>>(() => {
    const camera = cameraFinding(devices.states.camera);
    return {
      camera: camera.name === 'good' && said.camera === 'bad' ? { name: 'usable', why: 'unclear' } : camera,
      microphone: microphoneFinding(devices.states.microphone, heard.loudestDb, heard.peakDb),
      speaker: said.speaker === null ? { name: 'untested' } : said.speaker === 'good' ? { name: 'good' } : { name: 'bad', why: 'notHeard' },
      network: network.value.finding,
    };
  });
  const score = computed(() => scoreOf(findings.value));

  watch(
    () => devices.level,
    ({ rmsDb, peakDb }) => {
      heard.loudestDb = Math.max(heard.loudestDb, rmsDb);
      heard.peakDb = Math.max(heard.peakDb, peakDb);
    },
  );

  /** A device that does not open says so itself; the check goes on. */
  async function turn(kind: MediaKind, on: boolean) {
    try {
      await devices.turn(kind, on);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  async function choose(kind: DeviceKind, id: string) {
    if (kind === 'microphone') Object.assign(heard, SILENT);
    if (kind === 'camera') said.camera = null;
    try {
      await devices.choose(kind, id);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
    }
  }
  /** Opens a device again, after the person has put it right. */
  async function again(kind: 'camera' | 'microphone') {
    if (kind === 'microphone') Object.assign(heard, SILENT);
    else said.camera = null;
    await turn(kind === 'camera' ? 'video' : 'audio', true);
    await devices.refresh();
  }
  /** What the person answers to a question of the check. */
  function answer(kind: 'camera' | 'speaker', well: boolean) {
    said[kind] = well ? 'good' : 'bad';
  }
  async function play() {
    playing.value = true;
    soundFailed.value = false;
    try {
      await host.call('check.playSound', null);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      soundFailed.value = true;
    } finally {
      playing.value = false;
    }
  }
  async function measure() {
    network.value = { finding: { name: 'running' }, rttMs: null };
    try {
      const { serverReachable, rttMs } = await host.call('check.quick', null);
      network.value = { finding: networkFinding(serverReachable, rttMs), rttMs };
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      network.value = { finding: networkFinding(false, null), rttMs: null };
    }
  }

  onMounted(async () => {
    await Promise.all([turn('video', true), turn('audio', true), measure()]);
    // Names of devices are known only once one may be used.
    await devices.refresh();
  });
  onScopeDispose(() => {
    // Nobody enters court with an open microphone that they did not open there themselves.
    void turn('audio', false);
    if (alone) void turn('video', false);
  });
  return { heard, said, findings, score, network, playing, soundFailed, choose, again, answer, play, measure };
}

/** What the panels of the check share. */
export type DeviceCheckState = ReturnType<typeof useDeviceCheck>;
