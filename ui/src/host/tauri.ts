import type { Host } from './host';

export async function createTauriHost(): Promise<Host> {
  throw new Error('to be written');
}
