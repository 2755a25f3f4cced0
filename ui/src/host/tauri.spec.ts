/** The desktop host over a mocked bridge: one command, one event, and what a broken bridge becomes. */
import { emit } from '@tauri-apps/api/event';
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks';
import { afterEach, expect, it } from 'vitest';
import type { HostEvent } from '../wire/generated';
import { HostFailure } from './host';
import { createTauriHost } from './tauri';

afterEach(clearMocks);

it('passes a command on by its name and gives the reply back', async () => {
  const asked: unknown[] = [];
  mockIPC((command, args) => void (command === 'host_call' && asked.push(args)), { shouldMockEvents: true });
  const host = await createTauriHost();
  await host.call('hearing.retryNow', null);
  expect(asked).toEqual([{ name: 'hearing.retryNow', args: null }]);
});

it.each<[string, unknown, object]>([
  ['an error of the shell', { name: 'device', fault: 'busy' }, { name: 'device', fault: 'busy' }],
  ['a bridge that broke', 'missing required key args', { name: 'internal' }],
  ['an error nobody knows', { name: 'nonsense' }, { name: 'internal' }],
])('%s is a failure that the page knows', async (_, reason, error) => {
  mockIPC((command) => (command === 'host_call' ? Promise.reject(reason) : undefined), { shouldMockEvents: true });
  const host = await createTauriHost();
  const failure = await host.call('devices.list', null).catch((one: unknown) => one);
  expect(failure).toBeInstanceOf(HostFailure);
  expect((failure as HostFailure).error).toEqual(error);
});

it('hears what the shell says, until it is told to stop', async () => {
  mockIPC(() => undefined, { shouldMockEvents: true });
  const host = await createTauriHost();
  const heard: HostEvent[] = [];
  const stop = host.on((event) => heard.push(event));
  const said: HostEvent = { type: 'openCode', code: '12345674' };
  await emit('host', said);
  stop();
  await emit('host', said);
  expect(heard).toEqual([said]);
});
