import type { Host } from './host';

export async function createFakeHost(): Promise<Host> {
  throw new Error('to be written');
}
