/** 麦克风: hears the person read a sentence, plays it back, and takes the microphone that hears them. */
import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import { useHost } from '../../../host/host';
import { useDevices } from '../../../stores/devices';
import type { TestFacts } from '../../../wire/generated';
import { faultIn, microphoneFails } from '../check';
import { inTime } from './inTime';
import type { inTurn } from './inTurn';
import { useOpening } from './useOpening';

/** How long the host listens. */
export const READING_S = 5;
const HEAR_LIMIT_MS = 12_000;
const REPLAY_LIMIT_MS = 10_000;
/** A microphone that was chosen runs by then. */
const RUNNING_LIMIT_MS = 8_000;

export function useVoice(facts: TestFacts, turn: ReturnType<typeof inTurn>) {
  const host = useHost();
  const devices = useDevices();
  /** Seconds that are left to read; none when nobody listens. */
  const left = ref<number | null>(null);
  const shape = shallowRef<readonly number[]>([]);
  const replaying = ref(false);
  /** Nothing was recorded, or it could not be played. */
  const failed = ref<'hear' | 'replay' | null>(null);
  let current = 0;
  let ticking: ReturnType<typeof setInterval> | undefined;

  function forget() {
    current += 1;
    clearInterval(ticking);
    left.value = null;
    shape.value = [];
    failed.value = null;
    facts.microphone = null;
  }
  async function hear() {
    forget();
    const mine = current;
    const answer = await turn(async () => {
      if (mine !== current) return null;
      left.value = READING_S;
      ticking = setInterval(() => (left.value = Math.max(1, (left.value ?? 1) - 1)), 1_000);
      return inTime(host.call('check.hear', null), HEAR_LIMIT_MS);
    });
    if (answer === null || mine !== current) return;
    clearInterval(ticking);
    left.value = null;
    if (answer.name === 'answered') {
      facts.microphone = answer.value.facts;
      shape.value = answer.value.shape;
      return;
    }
    const fault = faultIn(answer.error);
    if (fault === null) failed.value = 'hear';
    else facts.microphone = microphoneFails(fault);
  }
  async function replay() {
    replaying.value = true;
    failed.value = null;
    const answer = await turn(() => inTime(host.call('check.replay', null), REPLAY_LIMIT_MS));
    replaying.value = false;
    if (answer.name === 'failed') failed.value = 'replay';
  }
  /** Settles once this microphone runs, or will not. */
  const running = (id: string) =>
    new Promise<void>((done) => {
      const over = () => {
        clearTimeout(timer);
        stop();
        done();
      };
      const timer = setTimeout(over, RUNNING_LIMIT_MS);
      const settled = () => {
        const state = devices.states.microphone;
        return state.name === 'failed' || (state.name === 'on' && state.device === id);
      };
      const stop = watch(settled, (now) => now && queueMicrotask(over), { immediate: true });
    });
  /** 改用这个麦克风: the one that hears, by its name; then the sentence is read once more. */
  async function takeLive(choose: (id: string) => Promise<void>) {
    const name = facts.microphone?.name === 'heard' ? facts.microphone.live : null;
    const live = devices.list.devices.find((one) => one.kind === 'microphone' && one.name === name);
    if (!live) return;
    await choose(live.id);
    await running(live.id);
    if (devices.states.microphone.name === 'on') await hear();
  }

  useOpening('microphone', (now) => {
    forget();
    if (now.name === 'failed') facts.microphone = microphoneFails(now.fault);
  });
  onScopeDispose(() => {
    current += 1;
    clearInterval(ticking);
  });
  return { left, shape, replaying, failed, hear, replay, takeLive };
}
