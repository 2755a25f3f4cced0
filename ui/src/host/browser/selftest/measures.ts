// What a self-test in a browser measures, with the time each device has to open: a person who has not yet been asked needs longer.

import { measureCamera } from './camera';
import { measureComputer } from './computer';
import { measureNetwork } from './network';
import { readPermissions } from './permissions';
import type { Measures } from './run';
import { measureSound } from './sound';
import { pass } from './within';

/** A device that was allowed and does not open in this time hangs. */
export const OPEN_MS = 6_000;
/** The question must have been answered in this time, or the device is not tested. */
const ASKED_MS = 14_000;

/** Which devices are taken. */
export interface Devices {
  camera: string | null;
  microphone: string | null;
  speaker: string | null;
}

/** The measures on these devices. */
export function measuresOf(devices: Devices): Measures {
  /** How long to wait for a device, and whether nobody has answered yet when that is over. */
  const patience = async (kind: 'camera' | 'microphone') => {
    const asked = (await readPermissions())[kind] === 'notAsked';
    const unanswered = async () => asked && (await readPermissions())[kind] === 'notAsked';
    return { openMs: asked ? ASKED_MS : OPEN_MS, unanswered };
  };
  return {
    permissions: async (note) => note({ permissions: await readPermissions() }),
    computer: async (note, signal) => note({ computer: await measureComputer(signal) }),
    camera: async (note, signal) => {
      const { openMs, unanswered } = await patience('camera');
      const camera = await measureCamera(devices.camera, openMs, signal);
      // A question that nobody answered is no fault of the camera.
      if (camera.name === 'seen' || camera.fault !== 'hung' || !(await unanswered())) note({ camera });
    },
    sound: async (note, signal) => {
      const { openMs, unanswered } = await patience('microphone');
      const asked: Promise<void>[] = [];
      await measureSound(
        devices,
        openMs,
        ({ microphone, speaker }) => {
          note({ speaker });
          if (microphone?.name !== 'failed' || microphone.fault !== 'hung') note({ microphone });
          else asked.push(unanswered().then((is) => (is ? undefined : note({ microphone }))));
        },
        signal,
      );
      await Promise.all([...asked, pass(0)]);
    },
    network: (note, signal) => measureNetwork((network) => note({ network }), signal),
  };
}
