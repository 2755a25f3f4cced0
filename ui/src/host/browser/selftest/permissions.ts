// What the browser says of camera and microphone, read and not guessed. Asks nobody.

import type { PermissionFacts, TestGrant } from '../../../wire/generated';

const GRANTS: Record<PermissionState, TestGrant> = { granted: 'granted', denied: 'denied', prompt: 'notAsked' };

async function grant(name: 'camera' | 'microphone'): Promise<TestGrant> {
  try {
    // Some browsers know the query, but not these names.
    const { state } = await navigator.permissions.query({ name: name as PermissionName });
    return GRANTS[state];
  } catch {
    return 'unknown';
  }
}

/** Reads both. */
export async function readPermissions(): Promise<PermissionFacts> {
  const [camera, microphone] = await Promise.all([grant('camera'), grant('microphone')]);
  return { camera, microphone };
}
