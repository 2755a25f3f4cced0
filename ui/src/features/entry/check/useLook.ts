/** 摄像头: looks at what the running camera gives, again whenever another one runs. */
import { onScopeDispose, ref, watch } from 'vue';
import { useHost } from '../../../host/host';
import type { TestFacts } from '../../../wire/generated';
import { cameraFails, faultIn } from '../check';
import { inTime } from './inTime';
import { inTurn } from './inTurn';
import { useOpening } from './useOpening';

/** The host looks for two seconds. */
const LIMIT_MS = 8_000;
/** Until a picture that was not good is looked at again: who opens the cover sees the sentence go by itself. */
const AGAIN_MS = 3_000;

/** `wrong`: something was found that may be put right. */
export function useLook(facts: TestFacts, wrong: () => boolean) {
  const host = useHost();
  const looking = ref(false);
  /** The person looks at their picture; elsewhere what was found stays as it is. */
  const watched = ref(false);
  /** A look that is under way when the camera changes says nothing about the new one. */
  let current = 0;
  const turn = inTurn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = () => {
    clearTimeout(timer);
    current += 1;
    looking.value = false;
  };

  async function look() {
    forget();
    const mine = current;
    // What was found stays until something else is: the sentence does not flicker.
    looking.value = facts.camera === null;
    const answer = await turn(async () => (mine === current ? inTime(host.call('check.look', null), LIMIT_MS) : null));
    if (answer === null || mine !== current) return;
    looking.value = false;
    if (answer.name === 'answered') facts.camera = answer.value;
    else {
      const fault = faultIn(answer.error);
      facts.camera = fault === null ? null : cameraFails(fault);
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (watched.value && facts.camera?.name === 'seen' && wrong()) timer = setTimeout(() => void look(), AGAIN_MS);
  }
  watch(watched, plan);

  useOpening('camera', (now) => {
    forget();
    facts.camera = now.name === 'failed' ? cameraFails(now.fault) : null;
    if (now.name === 'on') void look();
    else looking.value = now.name === 'opening';
  });
  onScopeDispose(forget);
  return { looking, watched, look };
}
