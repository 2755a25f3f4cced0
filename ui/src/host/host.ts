/**
 * What the page needs from the program around it. Three implementations: the desktop shell (tauri.ts), a plain
 * browser (browser.ts) and a scripted one for development and tests (fake.ts). Missing abilities are declared in
 * `can`, never stubbed: the page leaves out what cannot be done.
 */
import { inject, type InjectionKey } from 'vue';
import type { HostCommands, HostError, HostEvent } from '../wire/generated';

/** What a self-test may be unable to know; words under `selftest.unknowable`. */
export type Unknowable =
  /** Which programs hold the camera. */
  | 'holders'
  /** Whether the camera turns its picture by itself. */
  | 'flipped'
  /** Whether the system goes through a proxy, and whether media passes as a web page. */
  | 'proxy'
  | 'tunnel'
  /** The system's own switches; those of the browser are known where it tells. */
  | 'systemSwitches'
  /** How busy the computer is, its memory and room on its disk, its power and whether it saves it. */
  | 'load'
  | 'memory'
  | 'disk'
  | 'power'
  | 'saver'
  /** How fast pictures are encoded. */
  | 'codec';

/** What this host is able to do. */
export interface HostCan {
  /** Screen or window can be shared; the host lists the sources (`picker`), or the browser asks by itself. */
  share: 'picker' | 'browser' | 'no';
  /** The loudspeaker can be chosen. */
  chooseSpeaker: boolean;
  /** Devices and network can be tried before a seat is taken. */
  checkBeforeSeat: boolean;
  /** Everything can be measured by itself, with a report. */
  selfTest: boolean;
  /** The system's own settings for a device can be opened from here. */
  openSettings: boolean;
  /** What a self-test cannot know here: the report says so instead of nothing. */
  cannotKnow: readonly Unknowable[];
}

export interface Host {
  readonly kind: 'desktop' | 'browser' | 'fake';
  readonly can: HostCan;
  /** Carries out one command. Rejects with {@link HostFailure} only. */
  call<K extends keyof HostCommands>(name: K, args: HostCommands[K]['args']): Promise<HostCommands[K]['reply']>;
  /** Hears everything the host says by itself, in order. Returns how to stop. */
  on(listener: (event: HostEvent) => void): () => void;
  /**
   * Shows the pictures of a track inside `box`. The host adds its own element (canvas or video, class `picture`) and
   * removes it again when the returned function is called. Pictures never pass through stores.
   */
  attach(slot: number, box: HTMLElement): () => void;
}

/** A command that failed. The page branches on `error`, never on text. */
export class HostFailure extends Error {
  constructor(readonly error: HostError) {
    super(error.name);
    this.name = 'HostFailure';
  }
}

/** Where the host is provided. */
export const hostKey: InjectionKey<Host> = Symbol('host');

/** The host of this app; for stores and composables. */
export function useHost(): Host {
  const host = inject(hostKey);
  if (!host) throw new Error('main.ts provides the host before anything uses it');
  return host;
}
