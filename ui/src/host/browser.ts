import type { Host } from './host';

export async function createBrowserHost(): Promise<Host> {
  throw new Error('to be written');
}
