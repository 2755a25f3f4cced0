/** Mounts a component as main.ts would: host, stores and words in place. */
import { render } from '@testing-library/vue';
import { createPinia } from 'pinia';
import type { Component } from 'vue';
import { hostKey, type Host } from '../host/host';
import { createWords, type Locale } from '../i18n';

export function mountApp(component: Component, host: Host, props: Record<string, unknown> = {}, locale?: Locale) {
  const pinia = createPinia();
  return { pinia, ...render(component, { props, global: { plugins: [pinia, createWords(locale)], provide: { [hostKey as symbol]: host } } }) };
}
