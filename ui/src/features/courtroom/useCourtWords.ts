/** What the court said and this person has not looked at: until it is closed, or stands in 消息 before them. */
import { computed, ref, watch } from 'vue';
import { courtWords } from '../../model/words';
import { usePanel } from '../../stores/panel';
import { useHearing } from './useHearing';

/** Of several at once the latest. In court the others are counted at 消息. */
const AT_ONCE = 3;

/** `panelThere`: the right panel is on the screen. */
export function useCourtWords(panelThere: () => boolean) {
  const { hearing } = useHearing();
  const panel = usePanel();
  const seen = ref(hearing.value.seq);
  const words = computed(() => courtWords(hearing.value.log, hearing.value.you, seen.value).slice(-AT_ONCE));
  const close = () => (seen.value = hearing.value.seq);
  watch(
    () => panelThere() && panel.tab === 'messages' && hearing.value.seq,
    (read) => read !== false && close(),
    { immediate: true },
  );

  /** Leads to 消息, and the keyboard with it: what was pressed is gone then. */
  function open() {
    panel.takesFocus = true;
    panel.tab = 'messages';
  }
  return { words, open, close };
}
