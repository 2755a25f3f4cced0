/** One short notice at a time: an act that was refused, something that ended by itself. The newer replaces the older. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

/** Long enough to read twice. */
const SHOWN_MS = 8000;

export interface Notice {
  kind: 'ok' | 'warn' | 'bad';
  /** A key of the locale. */
  key: string;
}

export const useNotices = defineStore('notices', () => {
  const notice = shallowRef<Notice | null>(null);
  const count = ref(0);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(next: Notice) {
    clearTimeout(timer);
    notice.value = next;
    count.value += 1;
    timer = setTimeout(clear, SHOWN_MS);
  }
  function clear() {
    clearTimeout(timer);
    notice.value = null;
  }
  return { notice, count, show, clear };
});
