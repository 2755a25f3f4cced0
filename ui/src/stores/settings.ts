/** What the person prefers on this computer: size, colours, language. Kept by the page, not by the court. */
import { defineStore } from 'pinia';
import { ref, watchEffect } from 'vue';
import { useHost } from '../host/host';
import type { Locale } from '../i18n';

const KEY = 'mingting.settings';
export const THEMES = ['light', 'dark', 'contrast'] as const;
const LOCALES: readonly Locale[] = ['zh-CN', 'en'];
export type Theme = (typeof THEMES)[number];

interface Kept {
  elder: boolean;
  theme: Theme;
  locale: Locale;
}

/** The first language of the person's that the page speaks; the court's own where there is none. */
export function localeOf(languages: readonly string[]): Locale {
  const spoken = languages.map((tag) => /^(zh|en)\b/i.exec(tag)?.[1]?.toLowerCase()).find((one) => one !== undefined);
  return spoken === 'en' ? 'en' : 'zh-CN';
}

/** What was kept; anything unreadable falls back to the defaults. */
function kept(first: Locale): Kept {
  const value: Kept = { elder: false, theme: 'light', locale: first };
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof found !== 'object' || found === null) return value;
    if ('elder' in found) value.elder = found.elder === true;
    if ('theme' in found) value.theme = THEMES.find((t) => t === found.theme) ?? value.theme;
    if ('locale' in found) value.locale = LOCALES.find((l) => l === found.locale) ?? value.locale;
  } catch {
    // A damaged entry is worth no more than none.
  }
  return value;
}

export const useSettings = defineStore('settings', () => {
  // The court's own program starts in the court's language: a system on which nobody set one calls itself English.
  const first = kept(useHost().kind === 'browser' ? localeOf(navigator.languages) : 'zh-CN');
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

  const turn = () => {
    locale.value = locale.value === 'en' ? 'zh-CN' : 'en';
  };
  return { elder, theme, locale, turn };
});
