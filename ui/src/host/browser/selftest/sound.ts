// Microphone, loudspeaker and the way between them. Never keeps a sound. First the microphone is listened to while the person
// speaks, then chirps are played, then, where nothing was heard, the other microphones are listened to.

import type { DeviceInfo, MicrophoneFacts, SpeakerFacts } from '../../../wire/generated';
import { deviceInfos, faultOf, nameOf } from '../devices';
import { hear } from './ear';
import { measureLoop } from './loop';
import { openContext, playOn, record } from './tape';
import { openTrack } from './within';

/** A person reads one sentence in this time. */
const SPOKEN_MS = 5_000;
/** Whether another microphone has sound shows sooner. */
const OTHERS_MS = 2_000;
const OPEN_MS = 3_000;

/** Which devices. */
export interface Chosen {
  microphone: string | null;
  speaker: string | null;
}

export interface SoundFacts {
  microphone: MicrophoneFacts | null;
  speaker: SpeakerFacts | null;
}

/** As the microphone gives its sound. */
const plain = (id: string | null): MediaStreamConstraints => ({
  audio: { ...(id === null ? {} : { deviceId: { exact: id } }), echoCancellation: false, noiseSuppression: false, autoGainControl: false },
});

/** Measures for nine to eighteen seconds; never fails: what went wrong is a fact. `note` is told what is known so far. */
export async function measureSound(chosen: Chosen, openMs: number, note: (facts: SoundFacts) => void, signal?: AbortSignal): Promise<void> {
  const facts: SoundFacts = { microphone: null, speaker: null };
  const say = (more: Partial<SoundFacts>) => note(Object.assign(facts, more));
  let context: AudioContext | null = null;
  try {
    const track = await openTrack(plain(chosen.microphone), openMs, signal);
    try {
      context = await openContext(signal);
      say({ microphone: await listen(context, track, SPOKEN_MS, signal) });
    } finally {
      track.stop();
    }
  } catch (error) {
    say({ microphone: { name: 'failed', fault: faultOf(error), device: null } });
  }
  try {
    context ??= await openContext(signal);
    say({ speaker: await measureSpeaker(context, chosen, facts.microphone?.name === 'heard', signal) });
    const { microphone } = facts;
    if (microphone?.name === 'heard' && microphone.speechDb === null) {
      say({ microphone: { ...microphone, live: await liveOther(context, microphone.device, signal) } });
    }
  } catch (error) {
    if (facts.speaker === null) say({ speaker: { name: 'failed', fault: faultOf(error), device: null } });
  } finally {
    void context?.close().catch(() => undefined);
  }
}

/** What one microphone that runs gives. */
export async function listen(context: AudioContext, track: MediaStreamTrack, ms: number, signal?: AbortSignal): Promise<MicrophoneFacts> {
  const { samples } = await record(context, track, ms, signal);
  return { name: 'heard', device: await nameOf(track), ...hear(samples, context.sampleRate), live: null };
}

/** The loudspeaker, and what of it comes back into the microphone, where that one runs. */
export async function measureSpeaker(context: AudioContext, { microphone, speaker }: Chosen, hears: boolean, signal?: AbortSignal): Promise<SpeakerFacts> {
  const outputs = await speakers();
  // Only where a browser lists loudspeakers at all does an empty list mean that there is none.
  if (outputs !== null && outputs.length === 0) return { name: 'failed', fault: 'missing', device: null };
  const taken = outputs?.find((one) => (speaker === null ? one.default : one.id === speaker)) ?? outputs?.[0];
  try {
    await playOn(context, speaker);
  } catch (error) {
    return { name: 'failed', fault: faultOf(error), device: taken?.name ?? null };
  }
  // A microphone that fails meanwhile says nothing of the loudspeaker.
  const echo = hears ? await measureLoop(context, microphone, signal).catch(() => null) : null;
  return { name: 'played', device: taken?.name ?? '', heard: null, headset: null, echo };
}

/** All loudspeakers; `null` where the browser does not list them, or not yet. */
async function speakers(): Promise<DeviceInfo[] | null> {
  if (!('setSinkId' in HTMLMediaElement.prototype)) return null;
  const all = deviceInfos(await navigator.mediaDevices.enumerateDevices().catch(() => []));
  return all.some(({ name }) => name !== '') ? all.filter(({ kind }) => kind === 'speaker') : null;
}

/** Another microphone that hears speech while this one does not. */
async function liveOther(context: AudioContext, own: string, signal?: AbortSignal): Promise<string | null> {
  const all = deviceInfos(await navigator.mediaDevices.enumerateDevices().catch(() => []));
  const others = all.filter(({ kind, name }) => kind === 'microphone' && name !== own);
  const heard = await Promise.all(
    others.map(async ({ id, name }) => {
      const track = await openTrack(plain(id), OPEN_MS, signal).catch(() => null);
      if (track === null) return null;
      const facts = await listen(context, track, OTHERS_MS, signal).catch(() => null);
      track.stop();
      return facts?.name === 'heard' && facts.speechDb !== null ? name : null;
    }),
  );
  return heard.find((name) => name !== null) ?? null;
}
