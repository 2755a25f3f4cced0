/** What a person was doing in the right panel: it outlives a drop, an isolation and a change of tab. */
import { defineStore } from 'pinia';
import { ref, watch } from 'vue';
import type { Seq } from '../wire/generated';
import { useSession } from './session';

export type Tab = 'transcript' | 'evidence' | 'messages' | 'people';

export const usePanel = defineStore('panel', () => {
  const session = useSession();
  const tab = ref<Tab>('transcript');
  /** Somebody is on the way to the tab from elsewhere: it takes the keyboard when it is there. */
  const takesFocus = ref(false);
  /** Words after this are news. None until the hearing is there. */
  const readUpTo = ref<Seq | null>(null);
  /** The message that is being written. */
  const draft = ref('');
  /** The call for help that is being written. */
  const help = ref('');
  // Another seat is another person's panel.
  watch(
    () => session.seat,
    () => {
      tab.value = 'transcript';
      takesFocus.value = false;
      readUpTo.value = null;
      draft.value = '';
      help.value = '';
    },
  );
  return { tab, takesFocus, readUpTo, draft, help };
});
