/** The people of the scripted hearing. All names are invented. */
import type { CaseInfo, HearingSettings, MediaSwitches, Participant, ParticipantState, Role, Seat, Side } from '../../wire/generated';

export const CASE: CaseInfo = {
  number: '（2026）示0101民初1234号',
  cause: '房屋租赁合同纠纷',
  court: '示例市示例区人民法院',
  courtroom: '第三互联网法庭',
  startsAt: 0,
  public: true,
};

export const SETTINGS: HearingSettings = {
  identityStep: true,
  clerkAssists: true,
  technicianMaySuspend: true,
  partiesShareFreely: true,
  panelMayShare: true,
  witnessReadsOwnPart: false,
  recorder: true,
  broadcaster: false,
  judgeGraceMs: 30_000,
};

const SILENT: MediaSwitches = {
  mic: false,
  camera: true,
  micLocked: false,
  cameraLocked: false,
  audioBlocked: false,
  videoBlocked: false,
  askedToUnmute: false,
};

const FINE: Participant['devices'] = { camera: { name: 'fine' }, microphone: { name: 'fine' }, speaker: { name: 'fine' } };

function person(id: string, role: Role, title: string, name: string, side: Side, set: Partial<Participant> = {}): Participant {
  const seat: Seat = { id, role, title, name, side, represents: null };
  const state: ParticipantState = { name: 'inCourt' };
  return { seat, state, media: SILENT, hand: false, sharing: false, identity: 'passed', test: 'good', net: 'good', devices: FINE, fix: null, findings: [], ...set };
}

/** As a viewer with this role sees them: witnesses are not there for the parties until they are called. */
export function cast(as: string): Participant[] {
  const court = ['judge', 'panel1', 'panel2', 'clerk', 'tech'].includes(as);
  const talking = { ...SILENT, mic: true };
  const people = [
    person('panel2', 'panelMember', '陪审员', '赵试例', 'bench'),
    person('judge', 'presidingJudge', '审判长', '王示范', 'bench', { media: talking }),
    person('panel1', 'panelMember', '审判员', '郑拟定', 'bench'),
    person('clerk', 'clerk', '书记员', '孙演示', 'clerk'),
    person('plaintiff', 'plaintiff', '原告', '张示例', 'plaintiff'),
    person('agent1', 'agent', '原告代理人', '周样稿', 'plaintiff', { hand: court }),
    person('defendant', 'defendant', '被告', '李样本', 'defendant', { net: 'poor', identity: 'pending', test: 'usable', devices: { ...FINE, microphone: { name: 'silent' } } }),
    person('agent2', 'agent', '被告代理人', '吴范例', 'defendant', { media: talking }),
  ];
  if (court || as === 'witness') people.push(person('witness', 'witness', '证人', '钱假设', 'witness', { state: { name: 'witnessRoom' } }));
  else people.push(person('third', 'thirdParty', '第三人', '样例物业', 'thirdParty'));
  return people;
}
