/** Sends one command of this screen: says while it is under way, and whether it was refused or got lost. */
import { ref } from 'vue';
import { HostFailure } from '../../host/host';
import { useSession } from '../../stores/session';
import type { Command, Refusal } from '../../wire/generated';

export function useSend() {
  const session = useSession();
  const busy = ref(false);
  /** Why the last command did nothing: the court's refusal, or `lost` when there is no way to the court. */
  const refused = ref<Refusal | 'lost' | null>(null);

  /** True when it was carried out. Doing what is done already counts as done. */
  async function send(command: Command): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    refused.value = null;
    try {
      const outcome = await session.command(command);
      if (outcome.name === 'rejected' && outcome.code !== 'nothingToDo') refused.value = outcome.code;
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      refused.value = 'lost';
    } finally {
      busy.value = false;
    }
    return refused.value === null;
  }
  return { send, busy, refused };
}
