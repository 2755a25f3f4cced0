/** A dialog of the courtroom: open from the start, and done when it closes or its act went through. */
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { useAct } from '../../../composables/useAct';
import type { Command } from '../../../wire/generated';

export function useDialog(done: () => void) {
  const { act, attempt, busy } = useAct();
  const { t } = useI18n();
  const open = computed({ get: () => true, set: (o) => o || done() });
  const cancel = computed(() => t('courtroom.cancel'));

  /** Sends the command; a refusal leaves the dialog open, with its notice. */
  async function confirm(command: Command) {
    if (await act(command)) done();
  }
  return { open, cancel, confirm, attempt, act, busy, t };
}
