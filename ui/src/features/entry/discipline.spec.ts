// 读给我听 on computers with a voice, with one that comes late, and without one.
import { cleanup, fireEvent, screen } from '@testing-library/vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import { fakeHost } from '../../testing/fakeHost';
import { mountApp } from '../../testing/mountApp';
import Discipline from './Discipline.vue';

interface Utterance {
  text: string;
  voice: unknown;
  onend?: () => void;
  onerror?: (event: { error: string }) => void;
}

/** A computer with these voices; what it was asked to read is kept. */
function computer(...langs: string[]) {
  const read: Utterance[] = [];
  const speech = {
    voices: langs.map((lang) => ({ lang })),
    onvoiceschanged: null as (() => void) | null,
    getVoices: () => speech.voices,
    speak: (words: Utterance) => read.push(words),
    // The browser says so of what it cuts off, a little later.
    cancel: () => read.forEach(({ onerror }) => queueMicrotask(() => onerror?.({ error: 'canceled' }))),
  };
  vi.stubGlobal('speechSynthesis', speech);
  vi.stubGlobal('SpeechSynthesisUtterance', function (this: Utterance, text: string) {
    this.text = text;
  });
  mountApp(Discipline, fakeHost().host, { steps: ['discipline'], busy: false });
  return { speech, read };
}
const button = () => screen.getByRole<HTMLButtonElement>('button', { name: /读给我听|停止朗读/ });
const SILENT = /没有可用的朗读语音/;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  // The page lets go of the voice while there still is one.
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('读给我听', () => {
  it('reads the rules with a voice of the language, and stops when asked', async () => {
    const { read } = computer('en-US', 'zh_CN');
    await fireEvent.click(button());
    expect(read).toMatchObject([{ text: expect.stringContaining('服从审判长指挥') as string, voice: { lang: 'zh_CN' } }]);
    expect(button().textContent).toBe('停止朗读');
    await fireEvent.click(button());
    expect(button().textContent).toBe('读给我听');
    // The end of what was cut off does not end what is read next, nor does it count as failure.
    await fireEvent.click(button());
    await vi.advanceTimersByTimeAsync(5000);
    expect(read).toHaveLength(2);
    expect(button().textContent).toBe('停止朗读');
    expect(screen.queryByText(SILENT)).toBeNull();
  });

  it.each([[[]], [['en-US', 'de-DE']]])('with the voices %j says that nothing can be read, and is shut', async (langs) => {
    computer(...langs);
    await vi.advanceTimersByTimeAsync(5000);
    expect(screen.getByRole('status').textContent).toMatch(SILENT);
    expect(button().disabled).toBe(true);
  });

  it('waits for voices that load late before it says so', async () => {
    const { speech } = computer();
    expect(screen.queryByText(SILENT)).toBeNull();
    expect(button().disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect(screen.getByRole('status').textContent).toMatch(SILENT);
    speech.voices = [{ lang: 'cmn' }];
    speech.onvoiceschanged?.();
    await nextTick();
    expect(screen.queryByText(SILENT)).toBeNull();
    expect(button().disabled).toBe(false);
  });

  it('reads Mandarin and not Cantonese', async () => {
    const { read } = computer('zh-HK', 'zh-TW', 'zh-CN');
    await fireEvent.click(button());
    expect(read).toMatchObject([{ voice: { lang: 'zh-CN' } }]);
    cleanup();
    computer('zh-HK', 'zh-Hant-HK');
    await vi.advanceTimersByTimeAsync(5000);
    expect(button().disabled).toBe(true);
  });

  it('may be tried again when the reading was only cut off', async () => {
    const { read } = computer('zh-CN');
    await fireEvent.click(button());
    read[0]?.onerror?.({ error: 'audio-busy' });
    await nextTick();
    expect(screen.queryByText(SILENT)).toBeNull();
    expect(button().disabled).toBe(false);
  });

  it('says so of a voice that does not speak', async () => {
    const { read } = computer('zh-CN');
    await fireEvent.click(button());
    read[0]?.onerror?.({ error: 'synthesis-failed' });
    await nextTick();
    expect(screen.getByRole('status').textContent).toMatch(SILENT);
    expect(button().disabled).toBe(true);
  });
});
