/** The way from the first screen to a seat: asks the host, and keeps what has to survive the change of screens. */
import { defineStore } from 'pinia';
import { ref, shallowRef, watch } from 'vue';
import { HostFailure, useHost } from '../../host/host';
import { useSession } from '../../stores/session';
import type { Enter, HearingId, SeatTaken, StaffSignedIn, StaffSignIn } from '../../wire/generated';
import { SIGN_IN, step, type Flow, type FlowEvent } from './flow';
import { capacityOf, tidyName, type PersonForm } from './person';
import { problemOf } from './problem';

export const useEntry = defineStore('entry', () => {
  const host = useHost();
  const session = useSession();
  const flow = shallowRef<Flow>(SIGN_IN);
  /** The digits of the 庭审码 typed so far: the self-check and 返回 lead back to them. */
  const code = ref('');
  /** The person has checked the case in this page: the step goes on by itself once the seat is taken. */
  const caseChecked = ref(false);
  /** 信息有误: goes to the clerk as soon as there is a channel. */
  const note = ref('');

  /** Who signed in as staff comes back to their hearings: the host keeps the sign-in until they go back themselves. */
  const staff = shallowRef<StaffSignedIn | null>(null);
  const home = (): Flow => (staff.value ? step(SIGN_IN, { name: 'signedIn', signedIn: staff.value }) : SIGN_IN);

  const happen = (event: FlowEvent) => {
    flow.value = step(flow.value, event);
    if (flow.value.name === 'signIn') staff.value = null;
  };

  /** Runs one question to the host; a failure becomes part of the flow. */
  async function ask(question: () => Promise<void>, hearing?: HearingId) {
    happen({ name: 'asked', hearing });
    try {
      await question();
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      happen({ name: 'failed', problem: problemOf(error.error, Date.now()) });
    }
  }

  const enter = (typed: Enter['code']) =>
    ask(async () => happen({ name: 'entered', entered: await host.call('court.enter', { code: typed }) }));

  const signIn = (account: StaffSignIn) =>
    ask(async () => {
      const signedIn = await host.call('court.signIn', account);
      staff.value = signedIn;
      happen({ name: 'signedIn', signedIn });
    });

  async function seated(taken: SeatTaken) {
    code.value = '';
    flow.value = home();
    await session.join(taken);
  }

  /** 信息无误，下一步. */
  async function takeSeat(form: PersonForm, takeOver: boolean) {
    const at = flow.value;
    if (at.name !== 'case') return;
    const { ticket, seat } = at.entered;
    await ask(async () => {
      const capacity = capacityOf(form, seat.role);
      const taken = await host.call('court.takeSeat', { ticket, name: tidyName(form.name), capacity, takeOver });
      caseChecked.value = true;
      await seated(taken);
    });
  }

  const takeStaffSeat = (hearing: HearingId, takeOver: boolean) =>
    ask(async () => seated(await host.call('court.staffSeat', { hearing, takeOver })), hearing);

  // The list tells of a hearing what this page saw of it last.
  watch(
    () => session.snapshot?.state,
    (state) => {
      const at = session.seat?.hearing;
      if (!staff.value || !state || at === undefined) return;
      staff.value = { ...staff.value, hearings: staff.value.hearings.map((one) => (one.hearing === at ? { ...one, state } : one)) };
    },
  );
  // However the seat was given up: the next one starts from the beginning.
  watch(
    () => session.seat,
    (seat) => {
      if (seat !== null) return;
      caseChecked.value = false;
      note.value = '';
      flow.value = home();
    },
  );

  return { flow, code, caseChecked, note, happen, enter, signIn, takeSeat, takeStaffSeat };
});
