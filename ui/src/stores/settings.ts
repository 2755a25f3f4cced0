/** What the person prefers on this computer: size, colours, language. Kept by the page, not by the court. */
import { defineStore } from 'pinia';
import { ref, watchEffect } from 'vue';
import type { Locale } from '../i18n';

const KEY = 'mingting.settings';
const THEMES = ['light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

interface Kept {
  elder: boolean;
  theme: Theme;
  locale: Locale;
}

/** What was kept; anything unreadable falls back to the defaults. */
function kept(): Kept {
  const value: Kept = { elder: false, theme: 'light', locale: 'zh-CN' };
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof found !== 'object' || found === null) return value;
    if ('elder' in found) value.elder = found.elder === true;
    if ('theme' in found) value.theme = THEMES.find((t) => t === found.theme) ?? value.theme;
    if ('locale' in found) value.locale = found.locale === 'en' ? 'en' : 'zh-CN';
  } catch {
    // A damaged entry is worth no more than none.
  }
  return value;
}

export const useSettings = defineStore('settings', () => {
  const first = kept();
  const elder = ref(first.elder);
  const theme = ref<Theme>(first.theme);
  const locale = ref<Locale>(first.locale);

  watchEffect(() => {
    const root = document.documentElement;
    root.dataset.scale = elder.value ? 'elder' : 'normal';
    root.dataset.theme = theme.value;
    root.lang = locale.value;
    localStorage.setItem(KEY, JSON.stringify({ elder: elder.value, theme: theme.value, locale: locale.value }));
  });

  return { elder, theme, locale };
});
