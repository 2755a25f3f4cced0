/** Small complete values for tests; each test says only what matters to it. */
import type { Envelope, Event, HearingState, Participant, ParticipantState, Role, SeatId, Side, Snapshot } from '../wire/generated';

export const T0 = Date.UTC(2026, 2, 2, 2, 0, 0);

const SIDES: Partial<Record<Role, Side>> = {
  presidingJudge: 'bench',
  panelMember: 'bench',
  clerk: 'clerk',
  plaintiff: 'plaintiff',
  defendant: 'defendant',
  thirdParty: 'thirdParty',
  witness: 'witness',
};

export function person(id: SeatId, role: Role, set: Partial<Participant> & { title?: string; name?: string; side?: Side } = {}): Participant {
  const { title = id, name = '某某', side = SIDES[role] ?? 'gallery', ...rest } = set;
  return {
    seat: { id, role, title, name, side, represents: null },
    state: { name: 'inCourt' },
    media: { mic: false, camera: true, micLocked: false, cameraLocked: false, audioBlocked: false, videoBlocked: false, askedToUnmute: false },
    hand: false,
    sharing: false,
    identity: 'passed',
    test: 'good',
    net: 'good',
    devices: { camera: { name: 'unknown' }, microphone: { name: 'unknown' }, speaker: { name: 'unknown' } },
    fix: null,
    findings: [],
    ...rest,
  };
}

export const away = (resume: ParticipantState = { name: 'inCourt' }): ParticipantState => ({ name: 'disconnected', since: T0, cause: 'silence', told: null, resume });

export function hearing(set: Partial<Snapshot> = {}): Snapshot {
  return {
    hearing: 'h',
    seq: 10,
    serverTime: T0,
    you: 'p',
    case: { number: '（2026）示0101民初1号', cause: '合同纠纷', court: '示例法院', courtroom: '第一法庭', startsAt: T0, public: true },
    settings: {
      identityStep: false,
      clerkAssists: true,
      technicianMaySuspend: false,
      partiesShareFreely: false,
      panelMayShare: false,
      witnessReadsOwnPart: false,
      recorder: false,
      broadcaster: false,
      judgeGraceMs: 30_000,
    },
    state: inSession,
    stateSince: T0,
    startedAt: T0,
    participants: [
      person('j', 'presidingJudge', { title: '审判长', name: '王示范' }),
      person('c', 'clerk', { title: '书记员', name: '孙演示' }),
      person('p', 'plaintiff', { title: '原告', name: '张示例' }),
      person('d', 'defendant', { title: '被告', name: '李样本' }),
    ],
    floor: null,
    requests: [],
    recording: { name: 'unavailable' },
    broadcasting: false,
    log: [],
    ...set,
  };
}

export const inSession: HearingState = { name: 'inSession', phase: 'evidence' };

/** The next event of `h`, done by `actor`. */
export function event(h: Snapshot, actor: SeatId | null, what: Event, after = 1): Envelope {
  const by = h.participants.find((p) => p.seat.id === actor)?.seat;
  return {
    hearingId: 'h',
    seq: h.seq + after,
    serverTime: T0 + after * 1000,
    actor: by ? { seat: by.id, role: by.role, title: by.title, name: by.name } : null,
    causedBy: null,
    ...what,
  };
}
