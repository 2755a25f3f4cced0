/** Carries out a command and says in words when it was refused or did not get through. */
import { ref } from 'vue';
import { HostFailure } from '../host/host';
import { useNotices } from '../stores/notices';
import { useSession } from '../stores/session';
import type { Command } from '../wire/generated';

/** Acts of the court rest on what was seen: they are refused when the hearing or the person moved on meanwhile. */
const DELIBERATE = /^(hearing|phase|seat|floor|finding)\.|^request\.decide$/;

export function useAct() {
  const session = useSession();
  const notices = useNotices();
  const busy = ref(false);

  /** True when the server accepted it. */
  async function act(command: Command): Promise<boolean> {
    return attempt(async () => {
      const outcome = await session.command(command, DELIBERATE.test(command.type));
      if (outcome.name === 'rejected') notices.show({ kind: 'warn', key: `courtroom.refusal.${outcome.code}` });
      return outcome.name === 'accepted';
    });
  }

  /** Runs anything that goes through the host; true when it went well. A false from the work counts as not well. */
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    try {
      return (await work()) !== false;
    } catch (failure) {
      if (!(failure instanceof HostFailure)) throw failure;
      const { error } = failure;
      const key = error.name === 'device' ? `courtroom.fault.${error.fault}` : `courtroom.failure.${error.name}`;
      notices.show({ kind: 'bad', key });
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { act, attempt, busy };
}
