/** Which dialog is open over the courtroom: one at a time, or none. */
import { inject, provide, shallowRef, type InjectionKey, type ShallowRef } from 'vue';
import type { FindingKind, SeatId } from '../../wire/generated';

export type Asking =
  | { name: 'recess' }
  | { name: 'close' }
  | { name: 'archive' }
  | { name: 'request' }
  | { name: 'witness' }
  | { name: 'isolate'; seat: SeatId | null }
  | { name: 'remove' | 'identity' | 'answer' | 'check'; seat: SeatId }
  | { name: 'finding'; seat: SeatId; finding: FindingKind }
  | { name: 'technical' | 'adjourn' | 'cancel' | 'moveOffline' }
  | { name: 'share' | 'devices' | 'help' | 'leave' };

const key: InjectionKey<ShallowRef<Asking | null>> = Symbol('asking');

export function provideAsking(): ShallowRef<Asking | null> {
  const asking = shallowRef<Asking | null>(null);
  provide(key, asking);
  return asking;
}

export function useAsking(): ShallowRef<Asking | null> {
  const asking = inject(key);
  if (!asking) throw new Error('CourtroomScreen provides the dialogs');
  return asking;
}
