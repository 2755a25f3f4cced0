/** 扬声器: plays the gavel, asks whether it was heard and whether it is a headset, and listens for what comes back. */
import { reactive, ref } from 'vue';
import { useHost } from '../../../host/host';
import { useDevices } from '../../../stores/devices';
import type { SpeakerFacts, TestFacts } from '../../../wire/generated';
import { faultIn, speakerFails } from '../check';
import { inTime } from './inTime';
import type { inTurn } from './inTurn';

const PLAY_LIMIT_MS = 10_000;
const LOOP_LIMIT_MS = 15_000;

export function useLoudspeaker(facts: TestFacts, turn: ReturnType<typeof inTurn>) {
  const host = useHost();
  const devices = useDevices();
  /** What the person said. */
  const said = reactive<{ heard: boolean | null; headset: boolean | null }>({ heard: null, headset: null });
  const playing = ref(false);
  const looping = ref(false);
  const failed = ref(false);
  let current = 0;

  function forget() {
    current += 1;
    said.heard = said.headset = null;
    looping.value = failed.value = false;
    facts.speaker = null;
  }
  function inUse(): string {
    const { devices: all, speaker } = devices.list;
    const mine = all.filter((one) => one.kind === 'speaker');
    return (mine.find((one) => one.id === speaker) ?? mine.find((one) => one.default))?.name ?? '';
  }
  const played = (): SpeakerFacts => ({ name: 'played', device: inUse(), heard: said.heard, headset: said.headset, echo: null });

  async function play() {
    forget();
    playing.value = true;
    const answer = await turn(() => inTime(host.call('check.playSound', null), PLAY_LIMIT_MS));
    playing.value = false;
    if (answer.name === 'answered') return;
    failed.value = true;
    const fault = faultIn(answer.error);
    if (fault !== null) facts.speaker = speakerFails(fault);
  }
  function heard(well: boolean) {
    forget();
    said.heard = well;
    if (!well) facts.speaker = played();
  }
  /** 您戴着耳机吗: then the way of the sound is known, and what comes back of it can be judged. */
  async function headset(worn: boolean) {
    current += 1;
    const mine = current;
    said.headset = worn;
    looping.value = true;
    const answer = await turn(async () => (mine === current ? inTime(host.call('check.loop', null), LOOP_LIMIT_MS) : null));
    if (answer === null || mine !== current) return;
    looping.value = false;
    const came = answer.name === 'answered' && answer.value.name === 'played' ? answer.value : null;
    // The person heard it: whatever the second try said, the loudspeaker plays.
    facts.speaker = came ? { ...came, heard: said.heard, headset: worn } : played();
  }
  return { said, playing, looping, failed, play, heard, headset, forget };
}
