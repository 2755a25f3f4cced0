import { createPinia, setActivePinia } from 'pinia';
import { createApp, nextTick } from 'vue';
import { expect, it, vi } from 'vitest';
import { hostKey, type Host } from '../host/host';
import { fakeHost } from '../testing/fakeHost';
import { localeOf, useSettings } from './settings';

function settings(kind: Host['kind']) {
  const pinia = createPinia();
  createApp({}).provide(hostKey, { ...fakeHost().host, kind }).use(pinia);
  setActivePinia(pinia);
  return useSettings();
}

it.each<[string[], string]>([
  [['zh-CN', 'en'], 'zh-CN'],
  [['zh-Hant-TW'], 'zh-CN'],
  [['en-GB', 'zh'], 'en'],
  [['ru', 'en-US'], 'en'],
  [['ko'], 'zh-CN'],
  [[], 'zh-CN'],
])('a browser that speaks %j starts in %s', (languages, locale) => expect(localeOf(languages)).toBe(locale));

it('follows the browser until the person chooses, and keeps the choice', async () => {
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['en-US']);
  expect(settings('desktop').locale).toBe('zh-CN');
  localStorage.clear();
  const first = settings('browser');
  expect(first.locale).toBe('en');
  first.turn();
  await nextTick();
  expect(document.documentElement.lang).toBe('zh-CN');
  expect(settings('browser').locale).toBe('zh-CN');
});
