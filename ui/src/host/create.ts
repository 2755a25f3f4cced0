/** Chooses the host once, at start. The fake host is not part of a production build. */
import type { Host } from './host';

export async function createHost(): Promise<Host> {
  if (import.meta.env.DEV && new URLSearchParams(location.search).get('host') === 'fake') {
    return (await import('./fake')).createFakeHost(location.search);
  }
  if ('__TAURI_INTERNALS__' in window) return (await import('./tauri')).createTauriHost();
  return (await import('./browser')).createBrowserHost();
}
