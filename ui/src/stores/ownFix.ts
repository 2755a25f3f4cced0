/**
 * The court's offer to put one's own device right: agreeing carries it out, once, and tells the court how it went. A store and
 * not a part of the screen, because the screen changes while it is at work: a new connection is one of the things it does.
 */
import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';
import { useAct } from '../composables/useAct';
import { HostFailure, useHost } from '../host/host';
import type { DeviceFix, FixOffer } from '../wire/generated';
import { useNotices } from './notices';
import { useSession } from './session';

/** No fix takes half of it; what has not answered by then has failed. */
const LIMIT_MS = 40_000;

export const useOwnFix = defineStore('ownFix', () => {
  const host = useHost();
  const session = useSession();
  const notices = useNotices();
  const { act, busy } = useAct();
  const fix = computed(() => session.you?.fix ?? null);
  const offered = computed(() => (fix.value?.state === 'offered' ? fix.value.fix : null));
  const agreed = computed(() => (fix.value?.state === 'agreed' ? fix.value : null));
  const working = ref<DeviceFix | null>(null);
  /** How what was agreed to at that time came out; told to the court until it knows. */
  const result = ref<{ at: number; worked: boolean } | null>(null);
  let begun: number | null = null;

  const agree = () => act({ type: 'fix.answer', agreed: true });
  const decline = () => act({ type: 'fix.answer', agreed: false });

  async function apply(what: DeviceFix): Promise<boolean> {
    const late = new Promise<boolean>((done) => setTimeout(() => done(false), LIMIT_MS));
    const applied = host.call('fix.apply', what).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof HostFailure)) reportError(error);
        return false;
      },
    );
    return Promise.race([applied, late]);
  }
  async function carryOut({ fix: what, at }: FixOffer) {
    begun = at;
    working.value = what;
    const worked = await apply(what);
    working.value = null;
    notices.show(worked ? { kind: 'ok', key: 'courtroom.fixBar.done' } : { kind: 'warn', key: 'courtroom.fixBar.failed' });
    result.value = { at, worked };
  }
  // Also what was agreed to before the page was loaded again.
  watch(
    agreed,
    (offer) => {
      if (offer && offer.at !== begun) void carryOut(offer);
    },
    { immediate: true },
  );
  // A lost connection is no reason to leave the court without an answer: it is told again when the line is back.
  watch(
    [result, () => session.link.name, agreed],
    () => {
      const ended = result.value;
      if (ended && agreed.value?.at === ended.at && session.link.name === 'live') {
        result.value = null;
        void act({ type: 'fix.done', worked: ended.worked });
      }
    },
    { immediate: true },
  );
  return { offered, working, busy, agree, decline };
});
