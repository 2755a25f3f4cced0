/** Words. The source language is zh-CN; the others follow it key by key (checked by locales.spec.ts). */
import { createI18n } from 'vue-i18n';
import zhApp from './locales/zh-CN/app.json';
import zhCourtroom from './locales/zh-CN/courtroom.json';
import zhEntry from './locales/zh-CN/entry.json';
import zhSelftest from './locales/zh-CN/selftest.json';
import enApp from './locales/en/app.json';
import enCourtroom from './locales/en/courtroom.json';
import enEntry from './locales/en/entry.json';
import enSelftest from './locales/en/selftest.json';

/** The source words: one file per part, keys sorted. */
export const source = { ...zhApp, ...zhCourtroom, ...zhEntry, ...zhSelftest };
export type Words = typeof source;
/** The court's language: what goes on record is written in it. */
export const RECORD_LOCALE = 'zh-CN';
export type Locale = 'zh-CN' | 'en';

export const createWords = (locale: Locale = 'zh-CN') =>
  createI18n<[Words], Locale, false>({
    legacy: false,
    locale,
    fallbackLocale: 'zh-CN',
    messages: { 'zh-CN': source, en: { ...enApp, ...enCourtroom, ...enEntry, ...enSelftest } as Words },
  });

declare module 'vue-i18n' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- this is how vue-i18n learns the keys
  export interface DefineLocaleMessage extends Words {}
}
