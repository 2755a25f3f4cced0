/** A host that answers what the test says and records what it was asked. */
import type { Host } from '../host/host';
import type { HostCommands, HostEvent } from '../wire/generated';

type Answers = { [K in keyof HostCommands]?: (args: HostCommands[K]['args']) => HostCommands[K]['reply'] | Promise<HostCommands[K]['reply']> };
export interface Asked {
  name: keyof HostCommands;
  args: unknown;
}

export function fakeHost(answers: Answers = {}, can: Partial<Host['can']> = {}) {
  const listeners = new Set<(e: HostEvent) => void>();
  const asked: Asked[] = [];
  const attached: number[] = [];
  const host: Host = {
    kind: 'fake',
    can: { share: 'picker', chooseSpeaker: true, checkBeforeSeat: true, selfTest: true, openSettings: true, cannotKnow: [], ...can },
    async call(name, args) {
      asked.push({ name, args });
      const answer = answers[name];
      if (!answer) throw new Error(`the test gives no answer to ${name}`);
      return answer(args as never) as never;
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    attach(slot) {
      attached.push(slot);
      return () => attached.splice(attached.indexOf(slot), 1);
    },
  };
  return { host, asked, attached, say: (event: HostEvent) => listeners.forEach((l) => l(event)) };
}
