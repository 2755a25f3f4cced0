/** The words: both languages have the same keys, sorted; every key that is used exists, and every key is used. */
import { describe, expect, it } from 'vitest';
import { source } from '../i18n';

const files = import.meta.glob<Record<string, unknown>>('./*/*.json', { eager: true, import: 'default' });
const sources = import.meta.glob<string>('../**/*.{vue,ts}', { eager: true, query: '?raw', import: 'default' });

function keys(tree: unknown, at = ''): string[] {
  if (typeof tree !== 'object' || tree === null) return [at];
  return Object.entries(tree).flatMap(([k, v]) => keys(v, at ? `${at}.${k}` : k));
}
function unsorted(tree: unknown, at = ''): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const names = Object.keys(tree);
  const here = names.join() === [...names].sort().join() ? [] : [at || 'top'];
  return [...here, ...Object.entries(tree).flatMap(([k, v]) => unsorted(v, `${at}.${k}`))];
}
const of = (locale: string) => Object.entries(files).filter(([path]) => path.startsWith(`./${locale}/`)).flatMap(([, tree]) => keys(tree)).sort();
const texts = Object.entries(sources).filter(([path]) => !path.includes('.spec.')).map(([, text]) => text.replace(/\/\*[^]*?\*\//g, ''));

/** Keys written out, and keys put together: `courtroom.fault.${…}` is a pattern. Host commands look the same. */
const QUOTED = /['`]((?:app|courtroom|entry|selftest)\.[\w.]+(?:\$\{[^}]*\}[\w.]*)*)['`]/g;
const used = new Set(texts.flatMap((text) => [...text.matchAll(QUOTED)].map((m) => m[1] ?? '')).filter((key) => key !== 'app.start'));

describe('words', () => {
  it('are the same keys in both languages', () => expect(of('en')).toEqual(of('zh-CN')));
  it.each(Object.keys(files))('are sorted in %s', (path) => expect(unsorted(files[path])).toEqual([]));
  it('exist where they are used', () => {
    const known = of('zh-CN');
    const missing = [...used].filter((key) => {
      const pattern = new RegExp(`^${key.replace(/\./g, '\\.').replace(/\$\{[^}]*\}/g, '.+')}$`);
      return !known.some((k) => pattern.test(k));
    });
    expect(missing).toEqual([]);
  });
  it('are used where they exist', () => {
    const patterns = [...used].map((key) => new RegExp(`^${key.replace(/\./g, '\\.').replace(/\$\{[^}]*\}/g, '.+')}$`));
    expect(of('zh-CN').filter((key) => !patterns.some((p) => p.test(key)))).toEqual([]);
  });
});

it('calls only the legal act 退庭, and asks nobody for a code who signs in by account', () => {
  const { courtroom } = source;
  expect(courtroom.codeMeanwhile).not.toContain('退庭');
  expect(courtroom.lost.home).not.toContain('庭审码');
});
