/** One's own camera, microphone and loudspeaker: what there is, what is in use, how it runs, how loud it is. */
import { defineStore } from 'pinia';
import { onScopeDispose, reactive, ref, shallowRef } from 'vue';
import { useHost } from '../host/host';
import type { DeviceKind, DeviceList, DeviceState, MediaKind } from '../wire/generated';

export const useDevices = defineStore('devices', () => {
  const host = useHost();
  const list = shallowRef<DeviceList>({ devices: [], camera: null, microphone: null, speaker: null });
  const states = reactive<Record<DeviceKind, DeviceState>>({
    camera: { name: 'off' },
    microphone: { name: 'off' },
    speaker: { name: 'off' },
  });
  /** Loudness of the last 100 ms, in dB below full scale. */
  const level = shallowRef({ rmsDb: -90, peakDb: -90 });
  const talkingWhileMuted = ref(false);

  onScopeDispose(
    host.on((event) => {
      if (event.type === 'devices') list.value = event.list;
      else if (event.type === 'device') states[event.kind] = event.state;
      else if (event.type === 'level') {
        level.value = event;
        talkingWhileMuted.value = event.talkingWhileMuted;
      }
    }),
  );

  async function refresh() {
    list.value = await host.call('devices.list', null);
  }
  async function choose(kind: DeviceKind, id: string | null) {
    list.value = await host.call('devices.choose', { kind, id });
  }
  /** Turns one's own microphone or camera on or off. The state shown follows from what the device then says. */
  async function turn(kind: MediaKind, on: boolean) {
    await host.call('media.switch', { kind, on });
  }

  /** The own picture is turned upside down, for as long as the program runs; the host does the same. */
  const turned = ref(false);
  async function turnPicture() {
    const next = !turned.value;
    await host.call('camera.turn', next);
    turned.value = next;
  }

  return { list, states, level, talkingWhileMuted, turned, refresh, choose, turn, turnPicture };
});
