/** Nothing fails unseen: what breaks the screen, what breaks an act, and browsers that cannot run the page at all. */
import { fireEvent, screen, waitFor } from '@testing-library/vue';
import { createPinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp, nextTick, type App as AnyApp, type Component } from 'vue';
import old from '../public/old.js?raw';
import { brokenBy, catchAll } from './boundary';
import { hostKey } from './host/host';
import { createWords } from './i18n';
import { useFailure } from './stores/failure';
import Root from './Root.vue';
import { hearing } from './testing/build';
import { fakeHost } from './testing/fakeHost';

let box: HTMLElement;
let app: AnyApp | null = null;
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  box = document.body.appendChild(document.createElement('div'));
});
afterEach(() => {
  app?.unmount();
  app = null;
  document.body.replaceChildren();
});

function start(root: Component, answers = {}, fake = fakeHost(answers)) {
  const pinia = createPinia();
  app?.unmount();
  app = createApp(root).provide(hostKey, fake.host).use(pinia).use(createWords());
  const failure = useFailure(pinia);
  catchAll(app, failure);
  app.mount(box);
  return failure;
}
const bug = () => {
  throw new TypeError('a bug');
};

describe('a bug', () => {
  it('of the page itself, as it begins, is told in its place', async () => {
    const fake = fakeHost();
    fake.host.on = bug;
    start(Root, {}, fake);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('软件出错'));
    // Nobody has a seat yet, and nothing is open.
    expect(document.body.textContent).not.toMatch(/席位|摄像头/);
  });
  it('while drawing breaks the screen, which says what stays safe and what may be open', async () => {
    const fake = fakeHost({ 'app.start': () => ({ version: '0', server: '', code: null, frames: { url: '', token: '' }, session: { hearing: 'h', seat: 'p', token: 't' } }), 'hearing.join': () => null, 'check.quick': () => ({ serverReachable: true, rttMs: 9 }) as never });
    start(Root, {}, fake);
    await waitFor(() => expect(fake.asked.map(({ name }) => name)).toContain('hearing.join'));
    fake.say({ type: 'link', state: { name: 'live' } });
    const broken = { ...hearing(), case: null } as unknown as ReturnType<typeof hearing>;
    fake.say({ type: 'channel', frame: { type: 'snapshot', snapshot: broken } });
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('软件出错'));
    expect(document.body.textContent).toContain('席位仍然保留');
    expect(document.body.textContent).toContain('麦克风和摄像头可能仍然开着');
  });
  it('is told as the same thing in a build, where Vue says only a number', () => {
    expect(['0', '1', '5', '13'].map((n) => brokenBy(`https://vuejs.org/error-reference/#runtime-${n}`))).toEqual(['screen', 'screen', 'act', 'act']);
  });
  it('in an act leaves the screen and says that something was not done', async () => {
    const failure = start(Root, { 'app.start': async () => bug(), 'check.quick': () => ({ serverReachable: true, rttMs: 9 }) });
    expect((await screen.findByRole('alert')).textContent).toContain('刚才的操作可能没有完成');
    await fireEvent.click(screen.getByRole('button', { name: '关闭提示' }));
    failure.happened('act', Date.now());
    expect(failure.now).toBeNull();
    failure.happened('screen', Date.now());
    await nextTick();
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('软件出错'));
    expect(screen.getByRole('button', { name: '重新载入' })).toBeTruthy();
  });
  it('in a promise nobody waits for is told too; what the browser remarks about itself is not', () => {
    const failure = start({ render: () => null });
    dispatchEvent(Object.assign(new Event('error'), { message: 'ResizeObserver loop' }));
    expect(failure.now).toBeNull();
    dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: new TypeError('a bug') }));
    expect(failure.now).toBe('act');
  });
});

describe('a browser', () => {
  const look = (window: object, more: Record<string, unknown> = {}) => {
    const names = { window: { matchMedia: () => ({ matches: true }), crypto, isSecureContext: true, ...window }, AbortSignal, structuredClone, crypto, document, ...more };
    new Function(...Object.keys(names), old)(...Object.values(names));
    return document.querySelector('.old-browser h1')?.textContent ?? null;
  };
  afterEach(() => delete document.documentElement.dataset['old']);
  // The test's own document knows no scripts without modules.
  beforeEach(() => {
    Object.defineProperty(HTMLScriptElement.prototype, 'noModule', { value: false, configurable: true });
  });

  it('of today hears nothing', () => expect(look({})).toBeNull());
  it.each<[string, Record<string, unknown>]>([
    ['timeouts', { AbortSignal: () => undefined }],
    ['clones', { structuredClone: undefined }],
  ])('without %s is told what to use instead', (_, more) => {
    expect(look({}, more)).toContain('太旧');
    expect(document.documentElement.dataset['old']).toBe('');
  });
  it('that cannot read the styles is told so', () => expect(look({ matchMedia: () => ({ matches: false }) })).toContain('太旧'));
  it('within the desktop program is told to update the system, not to use that program', () => {
    expect(look({ matchMedia: () => ({ matches: false }), __TAURI_INTERNALS__: {} })).toContain('太旧');
    expect(document.querySelector('.old-browser')?.textContent).toContain('更新系统');
    expect(document.querySelector('.old-browser')?.textContent).not.toContain('桌面软件');
  });
  it('on an address without TLS is told the right one', () => expect(look({ crypto: undefined, isSecureContext: false })).toContain('https'));
});
