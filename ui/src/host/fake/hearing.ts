/** A hearing that plays in the page: answers commands with events, as the server would for one viewer. */
import { apply } from '../../model/hearing';
import { find } from '../../model/people';
import type { Command, Envelope, Event, HearingState, MediaSwitches, Outcome, Participant, Phase, Refusal, SeatId, Snapshot } from '../../wire/generated';
import { CASE, SETTINGS, cast } from './cast';

const MINUTE_MS = 60_000;
type Tell = (envelope: Envelope) => void;

export class FakeHearing {
  snapshot: Snapshot;
  private requests = 0;

  constructor(
    as: SeatId,
    private readonly now: () => number,
    private readonly tell: Tell,
  ) {
    const at = now();
    this.snapshot = {
      hearing: 'fake',
      seq: 100,
      serverTime: at,
      you: as,
      case: { ...CASE, startsAt: at - 60 * MINUTE_MS },
      settings: SETTINGS,
      state: { name: 'inSession', phase: 'evidence' },
      stateSince: at - 54 * MINUTE_MS,
      startedAt: at - 54 * MINUTE_MS,
      participants: cast(as),
      floor: { seat: 'agent2', since: at - 134_000 },
      requests: [],
      recording: { name: 'on', since: at - 54 * MINUTE_MS - 24_000 },
      broadcasting: false,
      log: [],
    };
  }

  /** What happened before the page came. */
  past(events: [actor: SeatId | null, Event][]): void {
    const at = this.now();
    events.forEach(([actor, event], i) => {
      this.snapshot = apply(this.snapshot, this.envelope(actor, event, at - (events.length - i) * MINUTE_MS));
    });
  }

  /** Something happens now. */
  happen(actor: SeatId | null, event: Event): void {
    const envelope = this.envelope(actor, event, this.now());
    this.snapshot = apply(this.snapshot, envelope);
    this.tell(envelope);
  }

  do(seat: SeatId, command: Command): Outcome {
    const refusal = this.carryOut(seat, command);
    return refusal ? { name: 'rejected', code: refusal } : { name: 'accepted', seq: this.snapshot.seq };
  }

  private envelope(actor: SeatId | null, event: Event, serverTime: number): Envelope {
    const by = actor === null ? undefined : find(this.snapshot, actor);
    return {
      hearingId: 'fake',
      seq: this.snapshot.seq + 1,
      serverTime,
      actor: by ? { seat: by.seat.id, role: by.seat.role, title: by.seat.title, name: by.seat.name } : null,
      causedBy: null,
      ...event,
    };
  }

  private become(seat: SeatId, to: HearingState): void {
    this.happen(seat, { type: 'hearing.state', payload: { from: this.snapshot.state, to } });
  }

  private move(by: SeatId, seat: SeatId, to: Participant['state']): void {
    const p = find(this.snapshot, seat);
    if (p) this.happen(by, { type: 'participant.state', payload: { seat, from: p.state, to } });
  }

  private switch(by: SeatId, seat: SeatId | null, set: Partial<MediaSwitches>): void {
    const whom = this.snapshot.participants.filter((p) => (seat === null ? ['plaintiff', 'defendant', 'agent', 'thirdParty', 'witness'].includes(p.seat.role) : p.seat.id === seat));
    for (const p of whom) this.happen(by, { type: 'participant.media', payload: { seat: p.seat.id, media: { ...p.media, ...set } } });
  }

  private fix(by: SeatId, seat: SeatId, fix: Participant['fix']): null {
    this.happen(by, { type: 'participant.fix', payload: { seat, fix } });
    return null;
  }

  private phase(): Phase {
    return 'phase' in this.snapshot.state ? this.snapshot.state.phase : 'opening';
  }

  private carryOut(seat: SeatId, c: Command): Refusal | null {
    switch (c.type) {
      case 'hearing.open':
        this.become(seat, { name: 'open' });
        return null;
      case 'hearing.start':
      case 'hearing.resume':
        this.become(seat, { name: 'inSession', phase: this.phase() });
        return null;
      case 'hearing.recess':
        this.become(seat, { name: 'recess', phase: this.phase(), reason: c.reason, until: c.until });
        this.happen(null, { type: 'recording.state', payload: { state: { name: 'paused', reason: 'recess', by: seat, since: this.now() } } });
        return null;
      case 'hearing.suspend':
        this.become(seat, { name: 'suspended', phase: this.phase(), cause: { name: 'technical', note: c.note } });
        return null;
      case 'hearing.close':
        this.become(seat, { name: 'closed' });
        return null;
      case 'hearing.archive':
        this.become(seat, { name: 'archived' });
        return null;
      case 'hearing.cancel':
      case 'hearing.adjourn':
      case 'hearing.moveOffline':
        this.become(seat, { name: ({ 'hearing.cancel': 'cancelled', 'hearing.adjourn': 'adjourned', 'hearing.moveOffline': 'movedOffline' } as const)[c.type], reason: c.reason });
        return null;
      case 'phase.set':
        this.become(seat, { name: 'inSession', phase: c.phase });
        return null;
      case 'floor.give':
        if (c.seat && find(this.snapshot, c.seat)?.hand) this.happen(seat, { type: 'participant.hand', payload: { seat: c.seat, up: false } });
        this.happen(seat, { type: 'floor', payload: { floor: c.seat ? { seat: c.seat, since: this.now() } : null } });
        return null;
      case 'fix.offer':
        return this.fix(seat, c.seat, c.fix ? { fix: c.fix, state: 'offered', by: seat, at: this.now() } : null);
      case 'fix.answer':
      case 'fix.done': {
        const offer = find(this.snapshot, seat)?.fix;
        if (!offer) return 'nothingToDo';
        const state = c.type === 'fix.answer' ? (c.agreed ? 'agreed' : 'declined') : c.worked ? 'done' : 'failed';
        return this.fix(seat, seat, { ...offer, state, at: this.now() });
      }
      case 'seat.callWitness':
      case 'seat.admit':
      case 'seat.recall':
        this.move(seat, c.seat, { name: 'inCourt' });
        return null;
      case 'seat.dismiss':
        this.move(seat, c.seat, { name: 'witnessRoom' });
        return null;
      case 'seat.isolate':
        this.move(seat, c.seat, { name: 'isolated', reason: c.reason, since: this.now() });
        return null;
      case 'seat.remove':
        this.move(seat, c.seat, { name: 'removed', reason: c.reason });
        return null;
      case 'leave':
        this.move(seat, seat, { name: 'left' });
        return null;
      case 'media.lock':
        this.switch(seat, c.seat, c.kind === 'audio' ? { micLocked: true, mic: false } : { cameraLocked: true, camera: false });
        return null;
      case 'media.unlock':
        this.switch(seat, c.seat, c.kind === 'audio' ? { micLocked: false } : { cameraLocked: false });
        return null;
      case 'media.block':
      case 'media.unblock':
        this.switch(seat, c.seat, c.kind === 'audio' ? { audioBlocked: c.type === 'media.block' } : { videoBlocked: c.type === 'media.block' });
        return null;
      case 'media.askUnmute':
        this.switch(seat, c.seat, { askedToUnmute: true });
        return null;
      case 'self.mic':
      case 'self.camera':
        this.switch(seat, seat, c.type === 'self.mic' ? { mic: c.on, askedToUnmute: false } : { camera: c.on });
        return null;
      case 'self.hand':
        this.happen(seat, { type: 'participant.hand', payload: { seat, up: c.up } });
        return null;
      case 'hand.lowerAll':
        for (const p of this.snapshot.participants.filter((q) => q.hand)) this.happen(seat, { type: 'participant.hand', payload: { seat: p.seat.id, up: false } });
        return null;
      case 'identity.request':
        this.happen(seat, { type: 'identity.state', payload: { seat: c.seat, identity: 'requested' } });
        return null;
      case 'identity.submit':
        this.happen(seat, { type: 'identity.state', payload: { seat, identity: 'pending' } });
        return null;
      case 'identity.confirm':
        this.happen(seat, { type: 'identity.state', payload: { seat: c.seat, identity: c.passed ? 'passed' : 'failed' } });
        return null;
      case 'identity.waive':
        this.happen(seat, { type: 'identity.state', payload: { seat: c.seat, identity: 'waived' } });
        return null;
      case 'share.start':
        this.happen(seat, { type: 'share.state', payload: { seat, on: true } });
        return null;
      case 'share.stop':
        this.happen(seat, { type: 'share.state', payload: { seat: c.seat ?? seat, on: false } });
        return null;
      case 'request.make':
        this.requests += 1;
        this.happen(seat, { type: 'request.made', payload: { request: { id: `made-${this.requests}`, seat, request: c.request, at: this.now() } } });
        return null;
      case 'request.withdraw':
      case 'request.decide': {
        const r = this.snapshot.requests.find((q) => q.id === c.request);
        if (!r) return 'unknownRequest';
        const outcome = c.type === 'request.withdraw' ? 'withdrawn' : c.granted ? 'granted' : 'refused';
        this.happen(seat, { type: 'request.ended', payload: { id: r.id, seat: r.seat, outcome } });
        return null;
      }
      case 'message.send':
        this.happen(seat, { type: 'message', payload: { text: c.text } });
        return null;
      case 'help.ask':
        this.happen(seat, { type: 'help', payload: { seat: c.to ?? seat, text: c.text } });
        return null;
      case 'finding.make':
        this.happen(seat, { type: 'finding', payload: { seat: c.seat, finding: { kind: c.kind, note: c.note, at: this.now() } } });
        return null;
      case 'step.begin':
        this.move(seat, seat, { name: 'testing' });
        return null;
      case 'step.retest':
        this.move(seat, seat, { name: 'testing' });
        return null;
      case 'step.tested':
        this.move(seat, seat, { name: 'identifying' });
        return null;
      case 'step.identified':
        this.move(seat, seat, { name: 'acknowledging' });
        return null;
      case 'step.acknowledged':
        this.move(seat, seat, { name: find(this.snapshot, seat)?.seat.role === 'witness' ? 'witnessRoom' : 'waiting' });
        return null;
      default:
        return 'unavailable';
    }
  }
}
