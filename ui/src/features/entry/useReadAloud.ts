/** Reads words aloud with a voice of the computer, and says when there is none that speaks the language. */
import { computed, onScopeDispose, ref, shallowRef, type Ref } from 'vue';
import type { Locale } from '../../i18n';

/** Voices may come after the page; a computer that has named none by then has none. */
const VOICES_LATE_MS = 2000;
/** How voices name the languages of this page, the fittest first. Mandarin goes by several tags; zh-HK is Cantonese. */
const SPEAKS: Record<Locale, RegExp[]> = { 'zh-CN': [/^(zh-(cn|hans|cmn)|cmn)/i, /^(zh|chi)(?!-(hk|mo|yue|hant-hk))/i], en: [/^en/i] };
/** What says that there is no such voice. Anything else, a line that was busy or cut off, may go well the next time. */
const NO_VOICE: readonly string[] = ['synthesis-unavailable', 'synthesis-failed', 'language-unavailable', 'voice-unavailable'] satisfies SpeechSynthesisErrorCode[];

export function useReadAloud(locale: Readonly<Ref<string>>) {
  /** Without the interface there is nothing that could ever read. */
  const can = 'speechSynthesis' in window && 'SpeechSynthesisUtterance' in window;
  const voices = shallowRef<readonly SpeechSynthesisVoice[]>([]);
  const late = ref(false);
  const failed = ref(false);
  const reading = shallowRef<SpeechSynthesisUtterance | null>(null);
  const speaking = computed(() => reading.value !== null);
  const voice = computed(() => {
    const speaks = (tag: RegExp) => voices.value.find(({ lang }) => tag.test(lang.replace('_', '-')));
    return SPEAKS[locale.value as Locale].map(speaks).find((one) => one !== undefined) ?? null;
  });
  const silent = computed(() => failed.value || (late.value && voice.value === null));
  const ready = computed(() => voice.value !== null && !failed.value);

  function toggle(text: string) {
    const stop = speaking.value;
    // What is let go of first says nothing more by being cut off.
    reading.value = null;
    speechSynthesis.cancel();
    if (stop || voice.value === null) return;
    const words = new SpeechSynthesisUtterance(text);
    words.lang = voice.value.lang;
    words.voice = voice.value;
    const over = (error: boolean) => {
      if (reading.value !== words) return;
      reading.value = null;
      failed.value = error;
    };
    words.onend = () => over(false);
    words.onerror = ({ error }) => over(NO_VOICE.includes(error));
    reading.value = words;
    speechSynthesis.speak(words);
  }

  if (can) {
    const look = () => {
      voices.value = speechSynthesis.getVoices();
      failed.value = false;
    };
    look();
    speechSynthesis.onvoiceschanged = look;
    const timer = setTimeout(() => (late.value = true), VOICES_LATE_MS);
    onScopeDispose(() => {
      clearTimeout(timer);
      speechSynthesis.onvoiceschanged = null;
      reading.value = null;
      speechSynthesis.cancel();
    });
  }
  return { can, ready, silent, speaking, toggle };
}
