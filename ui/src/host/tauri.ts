/** The desktop shell: one Tauri command, one Tauri event, and the frame socket. */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { HostCommands, HostError, HostEvent } from '../wire/generated';
import { Pictures } from './desktop/pictures';
import { HostFailure, type Host } from './host';

const ERRORS: readonly string[] = ['api', 'unreachable', 'device', 'noSession', 'shareDenied', 'internal'] satisfies HostError['name'][];

/** What Tauri rejects with: our error, or its own words about a broken bridge, which are a bug. */
function failure(reason: unknown): HostFailure {
  const ours = typeof reason === 'object' && reason !== null && 'name' in reason && ERRORS.includes(String(reason.name));
  return new HostFailure(ours ? (reason as HostError) : { name: 'internal' });
}

export async function createTauriHost(): Promise<Host> {
  const listeners = new Set<(e: HostEvent) => void>();
  // Before the first command, so that nothing said in reply is missed.
  await listen<HostEvent>('host', ({ payload }) => listeners.forEach((l) => l(payload)));

  async function call<K extends keyof HostCommands>(name: K, args: HostCommands[K]['args']): Promise<HostCommands[K]['reply']> {
    try {
      const reply = await invoke<HostCommands[K]['reply']>('host_call', { name, args });
      if (name === 'app.start') void pictures.open((reply as HostCommands['app.start']['reply']).frames);
      return reply;
    } catch (reason) {
      throw failure(reason);
    }
  }
  const pictures = new Pictures(async () => (await invoke<HostCommands['app.start']['reply']>('host_call', { name: 'app.start', args: null })).frames);

  return {
    kind: 'desktop',
    can: { share: 'picker', chooseSpeaker: true, checkBeforeSeat: true, selfTest: true, openSettings: true, cannotKnow: [] },
    call,
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    attach: (slot, box) => pictures.attach(slot, box),
  };
}
