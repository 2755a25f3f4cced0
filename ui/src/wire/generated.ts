// Made by `cargo xtask codegen` from crates/protocol. Do not edit: change the Rust type and run it again.

export const PROTOCOL_VERSION = 1;
export const MESSAGE_LIMIT = 1000;
export const REASON_LIMIT = 200;

export type PersonName = string;

export type IdNumber = string;

export type Secret = string;

export type NetAddress = string;

export type Words = string;

export type HearingId = string;

export type SeatId = string;

export type ConnectionId = string;

export type CommandId = string;

export type RequestId = string;

export type Seq = number;

export type TimeMs = number;

export type Role = "presidingJudge" | "panelMember" | "assistant" | "clerk" | "technician" | "plaintiff" | "defendant" | "thirdParty" | "agent" | "witness" | "expert" | "interpreter" | "observer";

export type Side = "bench" | "clerk" | "plaintiff" | "defendant" | "thirdParty" | "witness" | "gallery";

export type Seat = { 
/**
 * Unique within the hearing.
 */
id: SeatId, 
/**
 * What it may do.
 */
role: Role, 
/**
 * What the court calls it, as the label shows it: 原告, 上诉人, 人民陪审员, 原告代理人.
 */
title: string, 
/**
 * Who was invited.
 */
name: PersonName, 
/**
 * For an agent or interpreter: whose.
 */
represents: SeatId | null, 
/**
 * Where it is drawn.
 */
side: Side, };

export type HearingState = { "name": "scheduled" } | { "name": "open" } | { "name": "inSession", 
/**
 * What the hearing is doing.
 */
phase: Phase, } | { "name": "recess", 
/**
 * Where it goes on.
 */
phase: Phase, 
/**
 * Said by the judge, for everybody.
 */
reason: Words, 
/**
 * When the judge means to go on.
 */
until: TimeMs | null, } | { "name": "suspended", 
/**
 * Where it goes on.
 */
phase: Phase, 
/**
 * Why.
 */
cause: SuspendCause, } | { "name": "signing", 
/**
 * Where it goes on if the judge reopens.
 */
phase: Phase, } | { "name": "closed" } | { "name": "archived" } | { "name": "cancelled", 
/**
 * For everybody.
 */
reason: Words, } | { "name": "adjourned", 
/**
 * For everybody.
 */
reason: Words, } | { "name": "movedOffline", 
/**
 * For everybody.
 */
reason: Words, };

export type SuspendCause = { "name": "judgeLost" } | { "name": "technical", 
/**
 * What is broken.
 */
note: Words, };

export type Phase = "opening" | "investigation" | "evidence" | "debate" | "finalStatement" | "mediation" | "pronouncement";

export type ParticipantState = { "name": "invited" } | { "name": "coded" } | { "name": "testing" } | { "name": "identifying" } | { "name": "acknowledging" } | { "name": "waiting" } | { "name": "witnessRoom" } | { "name": "inCourt" } | { "name": "isolated", 
/**
 * Said to the person.
 */
reason: Words, 
/**
 * Since when.
 */
since: TimeMs, } | { "name": "disconnected", 
/**
 * When the last packet came.
 */
since: TimeMs, 
/**
 * What the server saw of it.
 */
cause: DropCause, 
/**
 * What the person's own program said of it, then or on coming back: their word, beside what was seen and never
 * in its place.
 */
told: DropCause | null, 
/**
 * Where the person returns to.
 */
resume: ParticipantState, } | { "name": "left" } | { "name": "removed", 
/**
 * Said to the person.
 */
reason: Words, };

export type DropCause = "silence" | "connectionReset" | "windowClosed" | "sleep" | "crash" | "serverRestart" | "protocolError";

export type Identity = "none" | "requested" | "pending" | "passed" | "failed" | "waived";

export type TestScore = "unknown" | "good" | "usable" | "bad";

export type NetQuality = "unknown" | "good" | "poor" | "bad";

export type MediaKind = "audio" | "video";

export type TrackSource = "microphone" | "camera" | "screen";

export type MediaSwitches = { 
/**
 * The person has the microphone on.
 */
mic: boolean, 
/**
 * The person has the camera on.
 */
camera: boolean, 
/**
 * The court holds the microphone closed (静音并锁定).
 */
micLocked: boolean, 
/**
 * The court holds the camera closed.
 */
cameraLocked: boolean, 
/**
 * The court hides the sound from the others (屏蔽声音).
 */
audioBlocked: boolean, 
/**
 * The court hides the picture from the others (屏蔽画面).
 */
videoBlocked: boolean, 
/**
 * The court has asked the person to open the microphone; only the person can.
 */
askedToUnmute: boolean, };

export type Participant = { 
/**
 * Who.
 */
seat: Seat, 
/**
 * Where they stand.
 */
state: ParticipantState, 
/**
 * Their switches.
 */
media: MediaSwitches, 
/**
 * 举手.
 */
hand: boolean, 
/**
 * 正在共享屏幕.
 */
sharing: boolean, 
/**
 * Identity check.
 */
identity: Identity, 
/**
 * Device check.
 */
test: TestScore, 
/**
 * Network as measured by the server.
 */
net: NetQuality, 
/**
 * Their devices, as their own program says; the court's and their own to see.
 */
devices: DeviceConditions, 
/**
 * The court's last offer to put a device right; the court's and their own to see.
 */
fix: FixOffer | null, 
/**
 * The judge's findings about this person, oldest first.
 */
findings: Array<Finding>, };

export type Finding = { 
/**
 * What was found.
 */
kind: FindingKind, 
/**
 * In the judge's words.
 */
note: Words, 
/**
 * When.
 */
at: TimeMs, };

export type FindingKind = "absent" | "withdrewWithoutLeave" | "excusedDrop";

export type Request = { "name": "floor" } | { "name": "recess", 
/**
 * Why.
 */
note: Words, } | { "name": "leave", 
/**
 * Why.
 */
note: Words, } | { "name": "share" } | { "name": "phase", 
/**
 * Which.
 */
phase: Phase, };

export type PendingRequest = { 
/**
 * Unique within the hearing.
 */
id: RequestId, 
/**
 * Who asks.
 */
seat: SeatId, 
/**
 * For what.
 */
request: Request, 
/**
 * Since when.
 */
at: TimeMs, };

export type RecordingState = { "name": "unavailable" } | { "name": "off" } | { "name": "on", 
/**
 * Since when.
 */
since: TimeMs, } | { "name": "paused", 
/**
 * Why.
 */
reason: PauseReason, 
/**
 * Who ordered it; none when the hearing itself stopped.
 */
by: SeatId | null, 
/**
 * Since when.
 */
since: TimeMs, };

export type PauseReason = "recess" | "closedEvidence" | "mediation" | "suspended";

export type Floor = { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Since when.
 */
since: TimeMs, };

export type CaseInfo = { 
/**
 * 案号.
 */
number: string, 
/**
 * 案由.
 */
cause: string, 
/**
 * 法院.
 */
court: string, 
/**
 * 法庭.
 */
courtroom: string, 
/**
 * 开庭时间.
 */
startsAt: TimeMs, 
/**
 * 公开审理.
 */
public: boolean, };

export type HearingSettings = { 
/**
 * The identity step is part of joining.
 */
identityStep: boolean, 
/**
 * The clerk may run what is marked "c" for the clerk: recess, phases, admission, isolation, media locks.
 */
clerkAssists: boolean, 
/**
 * The technician may suspend, and stop the broadcast.
 */
technicianMaySuspend: boolean, 
/**
 * Parties share their screen without asking.
 */
partiesShareFreely: boolean, 
/**
 * Panel members may share their screen.
 */
panelMayShare: boolean, 
/**
 * A witness may read the own part of the transcript when called.
 */
witnessReadsOwnPart: boolean, 
/**
 * A recorder is connected to this server.
 */
recorder: boolean, 
/**
 * This server can broadcast (直播).
 */
broadcaster: boolean, 
/**
 * How long the judge may be gone before the hearing is suspended, in milliseconds.
 */
judgeGraceMs: number, };

export type Snapshot = { 
/**
 * Which hearing.
 */
hearing: HearingId, 
/**
 * The last event that this snapshot contains.
 */
seq: Seq, 
/**
 * When it was taken.
 */
serverTime: TimeMs, 
/**
 * The viewer.
 */
you: SeatId, 
/**
 * The case.
 */
case: CaseInfo, 
/**
 * Its settings.
 */
settings: HearingSettings, 
/**
 * Where it stands.
 */
state: HearingState, 
/**
 * When it came into that state.
 */
stateSince: TimeMs, 
/**
 * When the hearing first went into session, if it did.
 */
startedAt: TimeMs | null, 
/**
 * Everybody the viewer may see, the viewer included.
 */
participants: Array<Participant>, 
/**
 * Who holds the floor.
 */
floor: Floor | null, 
/**
 * Open requests: all of them for the court, their own for the others.
 */
requests: Array<PendingRequest>, 
/**
 * Recording.
 */
recording: RecordingState, 
/**
 * 直播 is running.
 */
broadcasting: boolean, 
/**
 * The public log that the viewer may read, oldest first, at most [`Snapshot::LOG_LIMIT`] entries.
 */
log: Array<Envelope>, };

export type Actor = { 
/**
 * Which seat.
 */
seat: SeatId, 
/**
 * Its role at that time.
 */
role: Role, 
/**
 * Its title at that time, so that a log line stands alone.
 */
title: string, 
/**
 * Its name at that time.
 */
name: PersonName, };

export type Command = { "type": "hearing.open" } | { "type": "hearing.start" } | { "type": "hearing.recess", 
/**
 * Said to everybody.
 */
reason: Words, 
/**
 * When the judge means to go on.
 */
until: TimeMs | null, } | { "type": "hearing.resume" } | { "type": "hearing.suspend", 
/**
 * What is broken.
 */
note: Words, } | { "type": "hearing.sign" } | { "type": "hearing.close" } | { "type": "hearing.archive" } | { "type": "hearing.cancel", 
/**
 * Said to everybody.
 */
reason: Words, } | { "type": "hearing.adjourn", 
/**
 * Said to everybody.
 */
reason: Words, } | { "type": "hearing.moveOffline", 
/**
 * Said to everybody.
 */
reason: Words, } | { "type": "hearing.handOver", 
/**
 * To whom.
 */
to: SeatId, } | { "type": "phase.set", 
/**
 * Which.
 */
phase: Phase, } | { "type": "floor.give", 
/**
 * To whom.
 */
seat: SeatId | null, } | { "type": "seat.admit", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "seat.callWitness", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "seat.dismiss", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "seat.isolate", 
/**
 * Whom.
 */
seat: SeatId, 
/**
 * Said to the person.
 */
reason: Words, } | { "type": "seat.recall", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "seat.remove", 
/**
 * Whom.
 */
seat: SeatId, 
/**
 * Said to the person.
 */
reason: Words, } | { "type": "media.lock", 
/**
 * Whom.
 */
seat: SeatId | null, 
/**
 * What.
 */
kind: MediaKind, } | { "type": "media.unlock", 
/**
 * Whom.
 */
seat: SeatId | null, 
/**
 * What.
 */
kind: MediaKind, } | { "type": "media.block", 
/**
 * Whom.
 */
seat: SeatId, 
/**
 * What.
 */
kind: MediaKind, } | { "type": "media.unblock", 
/**
 * Whom.
 */
seat: SeatId, 
/**
 * What.
 */
kind: MediaKind, } | { "type": "media.askUnmute", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "self.mic", 
/**
 * On or off.
 */
on: boolean, } | { "type": "self.camera", 
/**
 * On or off.
 */
on: boolean, } | { "type": "self.devices", 
/**
 * All of them.
 */
devices: DeviceConditions, } | { "type": "fix.offer", 
/**
 * To whom.
 */
seat: SeatId, 
/**
 * What would be done.
 */
fix: DeviceFix | null, } | { "type": "fix.answer", 
/**
 * 同意.
 */
agreed: boolean, } | { "type": "fix.done", 
/**
 * It worked.
 */
worked: boolean, } | { "type": "self.hand", 
/**
 * Up or down.
 */
up: boolean, } | { "type": "hand.lowerAll" } | { "type": "step.begin" } | { "type": "step.tested", 
/**
 * How it went.
 */
score: TestScore, } | { "type": "step.identified", 
/**
 * The person skipped; the court sees 未核验.
 */
skipped: boolean, } | { "type": "step.acknowledged" } | { "type": "step.retest" } | { "type": "identity.request", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "identity.submit" } | { "type": "identity.confirm", 
/**
 * Whom.
 */
seat: SeatId, 
/**
 * The outcome.
 */
passed: boolean, } | { "type": "identity.waive", 
/**
 * Whom.
 */
seat: SeatId, } | { "type": "share.start" } | { "type": "share.stop", 
/**
 * Whose; none for one's own.
 */
seat: SeatId | null, } | { "type": "request.make", 
/**
 * For what.
 */
request: Request, } | { "type": "request.withdraw", 
/**
 * Which.
 */
request: RequestId, } | { "type": "request.decide", 
/**
 * Which.
 */
request: RequestId, 
/**
 * 同意.
 */
granted: boolean, } | { "type": "message.send", 
/**
 * At most [`MESSAGE_LIMIT`] characters.
 */
text: Words, } | { "type": "help.ask", 
/**
 * At most [`MESSAGE_LIMIT`] characters; empty is a plain call for help.
 */
text: Words, 
/**
 * When the court answers: whom.
 */
to: SeatId | null, } | { "type": "record.pause", 
/**
 * Why.
 */
reason: PauseReason, } | { "type": "record.resume" } | { "type": "broadcast.start" } | { "type": "broadcast.stop" } | { "type": "finding.make", 
/**
 * About whom.
 */
seat: SeatId, 
/**
 * What.
 */
kind: FindingKind, 
/**
 * In the judge's words.
 */
note: Words, } | { "type": "leave" };

export type Refusal = "notAllowed" | "askFirst" | "wrongHearingState" | "notInCourt" | "wrongTargetState" | "unknownSeat" | "unknownRequest" | "stale" | "lockedByCourt" | "needsLeave" | "needsHandOver" | "invalid" | "nothingToDo" | "commandIdReused" | "unavailable" | "tooFast";

export type Envelope = { 
/**
 * Which hearing.
 */
hearingId: HearingId, 
/**
 * Position in the log. A viewer who may not see everything sees gaps.
 */
seq: Seq, 
/**
 * The server's clock.
 */
serverTime: TimeMs, 
/**
 * Who did it; none when the server itself noticed it.
 */
actor: Actor | null, 
/**
 * The command behind it.
 */
causedBy: CommandId | null, } & ({ "type": "hearing.state", "payload": { 
/**
 * Where it came from.
 */
from: HearingState, 
/**
 * Where it stands.
 */
to: HearingState, } } | { "type": "participant.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Where they came from.
 */
from: ParticipantState, 
/**
 * Where they stand.
 */
to: ParticipantState, } } | { "type": "participant.shown", "payload": { 
/**
 * The person.
 */
participant: Participant, } } | { "type": "participant.hidden", "payload": { 
/**
 * Who.
 */
seat: SeatId, } } | { "type": "participant.media", "payload": { 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * All of them, as they are now.
 */
media: MediaSwitches, } } | { "type": "participant.hand", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Up or down.
 */
up: boolean, } } | { "type": "participant.seat", "payload": { 
/**
 * The seat as it is now.
 */
seat: Seat, } } | { "type": "participant.replaced", "payload": { 
/**
 * Whose.
 */
seat: SeatId, } } | { "type": "participant.test", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * How it went.
 */
score: TestScore, } } | { "type": "participant.devices", "payload": { 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * All of them, as they are now.
 */
devices: DeviceConditions, } } | { "type": "participant.fix", "payload": { 
/**
 * To whom.
 */
seat: SeatId, 
/**
 * As it stands; none when it was taken back.
 */
fix: FixOffer | null, } } | { "type": "identity.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * As it is now.
 */
identity: Identity, } } | { "type": "floor", "payload": { 
/**
 * Who holds it.
 */
floor: Floor | null, } } | { "type": "share.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Sharing now.
 */
on: boolean, } } | { "type": "request.made", "payload": { 
/**
 * The request.
 */
request: PendingRequest, } } | { "type": "request.ended", "payload": { 
/**
 * Which.
 */
id: RequestId, 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * How.
 */
outcome: RequestOutcome, } } | { "type": "message", "payload": { 
/**
 * The words.
 */
text: Words, } } | { "type": "help", "payload": { 
/**
 * The person it is about: the asker, or whom the court answers.
 */
seat: SeatId, 
/**
 * The words; empty is a plain call for help.
 */
text: Words, } } | { "type": "recording.state", "payload": { 
/**
 * As it is now.
 */
state: RecordingState, } } | { "type": "broadcast.state", "payload": { 
/**
 * Broadcasting now.
 */
on: boolean, } } | { "type": "net.health", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * As it is now.
 */
net: NetQuality, } } | { "type": "finding", "payload": { 
/**
 * About whom.
 */
seat: SeatId, 
/**
 * The finding.
 */
finding: Finding, } });

export type Event = { "type": "hearing.state", "payload": { 
/**
 * Where it came from.
 */
from: HearingState, 
/**
 * Where it stands.
 */
to: HearingState, } } | { "type": "participant.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Where they came from.
 */
from: ParticipantState, 
/**
 * Where they stand.
 */
to: ParticipantState, } } | { "type": "participant.shown", "payload": { 
/**
 * The person.
 */
participant: Participant, } } | { "type": "participant.hidden", "payload": { 
/**
 * Who.
 */
seat: SeatId, } } | { "type": "participant.media", "payload": { 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * All of them, as they are now.
 */
media: MediaSwitches, } } | { "type": "participant.hand", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Up or down.
 */
up: boolean, } } | { "type": "participant.seat", "payload": { 
/**
 * The seat as it is now.
 */
seat: Seat, } } | { "type": "participant.replaced", "payload": { 
/**
 * Whose.
 */
seat: SeatId, } } | { "type": "participant.test", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * How it went.
 */
score: TestScore, } } | { "type": "participant.devices", "payload": { 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * All of them, as they are now.
 */
devices: DeviceConditions, } } | { "type": "participant.fix", "payload": { 
/**
 * To whom.
 */
seat: SeatId, 
/**
 * As it stands; none when it was taken back.
 */
fix: FixOffer | null, } } | { "type": "identity.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * As it is now.
 */
identity: Identity, } } | { "type": "floor", "payload": { 
/**
 * Who holds it.
 */
floor: Floor | null, } } | { "type": "share.state", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * Sharing now.
 */
on: boolean, } } | { "type": "request.made", "payload": { 
/**
 * The request.
 */
request: PendingRequest, } } | { "type": "request.ended", "payload": { 
/**
 * Which.
 */
id: RequestId, 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * How.
 */
outcome: RequestOutcome, } } | { "type": "message", "payload": { 
/**
 * The words.
 */
text: Words, } } | { "type": "help", "payload": { 
/**
 * The person it is about: the asker, or whom the court answers.
 */
seat: SeatId, 
/**
 * The words; empty is a plain call for help.
 */
text: Words, } } | { "type": "recording.state", "payload": { 
/**
 * As it is now.
 */
state: RecordingState, } } | { "type": "broadcast.state", "payload": { 
/**
 * Broadcasting now.
 */
on: boolean, } } | { "type": "net.health", "payload": { 
/**
 * Who.
 */
seat: SeatId, 
/**
 * As it is now.
 */
net: NetQuality, } } | { "type": "finding", "payload": { 
/**
 * About whom.
 */
seat: SeatId, 
/**
 * The finding.
 */
finding: Finding, } };

export type RequestOutcome = "granted" | "refused" | "withdrawn" | "lapsed";

export type DeviceCondition = { "name": "unknown" } | { "name": "off" } | { "name": "fine" } | { "name": "silent" } | { "name": "echo" } | { "name": "failed", 
/**
 * Why.
 */
fault: DeviceFault, };

export type DeviceConditions = { 
/**
 * 摄像头.
 */
camera: DeviceCondition, 
/**
 * 麦克风.
 */
microphone: DeviceCondition, 
/**
 * 扬声器.
 */
speaker: DeviceCondition, };

export type DeviceFix = "nextCamera" | "nextMicrophone" | "nextSpeaker" | "raiseInput" | "restartCamera" | "restartMicrophone" | "reconnect";

export type FixState = "offered" | "agreed" | "declined" | "done" | "failed";

export type FixOffer = { 
/**
 * What would be done.
 */
fix: DeviceFix, 
/**
 * How far it is.
 */
state: FixState, 
/**
 * Who offered it.
 */
by: SeatId, 
/**
 * Since when it is in that state.
 */
at: TimeMs, };

export type ClientFrame = { "type": "hello", 
/**
 * [`crate::PROTOCOL_VERSION`].
 */
protocol: number, 
/**
 * The seat token from [`crate::SeatTaken`].
 */
token: Secret, 
/**
 * After a drop: the last event that was applied. That there is one tells a resumed connection from a new one.
 */
resumeAfter: Seq | null, 
/**
 * After a drop: what the client knows about it.
 */
dropCause: DropCause | null, 
/**
 * For the technician: program, version, system, webview.
 */
client: string, } | { "type": "command", 
/**
 * Chosen by the client; the same id is carried out once, whatever happens to the connection.
 */
commandId: CommandId, 
/**
 * The last event the sender had seen; given when the decision rests on it.
 */
expectedSeq: Seq | null, 
/**
 * What.
 */
command: Command, } | { "type": "ping", 
/**
 * The sender's clock; echoed.
 */
sentAt: TimeMs, } | { "type": "refresh" } | { "type": "netReport" } & NetReport | { "type": "goodbye", 
/**
 * Why.
 */
cause: DropCause, };

export type NetReport = { 
/**
 * Round trip of the hearing channel or the media path, the larger, in milliseconds.
 */
rttMs: number, 
/**
 * Packets lost on the way to or from the client, the larger, 0.0 to 1.0.
 */
loss: number, 
/**
 * In milliseconds.
 */
jitterMs: number, };

export type ServerFrame = { "type": "welcome", 
/**
 * This connection.
 */
connection: ConnectionId, 
/**
 * The hearing as the viewer may see it.
 */
snapshot: Snapshot, 
/**
 * Where and how to reach the media room, when the viewer may.
 */
media: MediaAccess | null, } | { "type": "snapshot", 
/**
 * The hearing as the viewer may now see it.
 */
snapshot: Snapshot, } | { "type": "media", 
/**
 * Where and how.
 */
media: MediaAccess, } | { "type": "event", 
/**
 * What.
 */
envelope: Envelope, } | { "type": "reply", 
/**
 * Which command.
 */
commandId: CommandId, 
/**
 * How it went.
 */
outcome: Outcome, } | { "type": "pong", 
/**
 * As it was sent.
 */
sentAt: TimeMs, 
/**
 * The server's clock.
 */
serverTime: TimeMs, } | { "type": "bye", 
/**
 * Why.
 */
reason: ByeReason, };

export type Outcome = { "name": "accepted", 
/**
 * Its last event.
 */
seq: Seq, } | { "name": "rejected", 
/**
 * Why.
 */
code: Refusal, };

export type ByeReason = "replaced" | "removed" | "left" | "hearingEnded" | "badToken" | "updateNeeded" | "protocolError" | "restarting" | "tooSlow" | "tooOften";

export type MediaAccess = { 
/**
 * WebSocket base address (`ws://` or `wss://`), or a path relative to the server's own address.
 */
url: string, 
/**
 * The room's access token.
 */
token: Secret, 
/**
 * When the token ends.
 */
expiresAt: TimeMs, };

export type Enter = { 
/**
 * As typed. A malformed code is answered like a wrong one.
 */
code: Secret, };

export type Entered = { 
/**
 * Shown back in [`TakeSeat`]; valid for thirty minutes.
 */
ticket: Secret, 
/**
 * Which hearing.
 */
hearing: HearingId, 
/**
 * The case, to be checked by the person.
 */
case: CaseInfo, 
/**
 * Where the hearing stands.
 */
state: HearingState, 
/**
 * The seat that the code is for. Its name is masked: whoever takes the seat has to know it.
 */
seat: Seat, 
/**
 * The other seats that the person may know of (never witnesses). Names are masked but for the court's.
 */
others: Array<Seat>, 
/**
 * The seat is in use on another device now; taking it ends that connection.
 */
inUse: boolean, 
/**
 * Identity is one of the steps.
 */
identityStep: boolean, };

export type TakeSeat = { 
/**
 * From [`Entered`].
 */
ticket: Secret, 
/**
 * The name as typed; must match the invitation.
 */
name: PersonName, 
/**
 * In what capacity.
 */
capacity: Capacity, 
/**
 * Take it although it is in use elsewhere.
 */
takeOver: boolean, };

export type Capacity = { "name": "party", 
/**
 * 身份证号, if given.
 */
idNumber: IdNumber | null, } | { "name": "agent", 
/**
 * 代理哪一方.
 */
represents: SeatId, 
/**
 * 代理人类型.
 */
kind: AgentKind, 
/**
 * 执业证号, 17 digits, for lawyers and legal workers.
 */
licence: IdNumber | null, 
/**
 * 代理权限.
 */
authority: AgentAuthority, } | { "name": "other" };

export type AgentKind = "lawyer" | "legalWorker" | "relative" | "employee" | "recommended";

export type AgentAuthority = "general" | "special";

export type SeatTaken = { 
/**
 * Which hearing.
 */
hearing: HearingId, 
/**
 * Which seat.
 */
seat: SeatId, 
/**
 * For [`crate::ClientFrame::Hello`]; valid until the hearing ends.
 */
token: Secret, };

export type StaffSignIn = { 
/**
 * 账号.
 */
account: Secret, 
/**
 * 密码.
 */
password: Secret, };

export type StaffSignedIn = { 
/**
 * `Authorization: Bearer …` of the other staff routes.
 */
token: Secret, 
/**
 * Whose account.
 */
name: PersonName, 
/**
 * Their hearings.
 */
hearings: Array<StaffHearing>, };

export type StaffHearings = { 
/**
 * Their hearings, by starting time.
 */
hearings: Array<StaffHearing>, };

export type StaffHearing = { 
/**
 * Which hearing.
 */
hearing: HearingId, 
/**
 * The case.
 */
case: CaseInfo, 
/**
 * Where it stands.
 */
state: HearingState, 
/**
 * The account's seat in it.
 */
seat: SeatId, 
/**
 * The account's role in it.
 */
role: Role, 
/**
 * The seat is in use on another device now.
 */
inUse: boolean, };

export type StaffTakeSeat = { 
/**
 * Which hearing.
 */
hearing: HearingId, 
/**
 * Take it although it is in use elsewhere.
 */
takeOver: boolean, };

export type Practice = { 
/**
 * The way in, with a token that sends sound and picture and receives nothing.
 */
media: MediaAccess, 
/**
 * A token for the same room that receives and sends nothing.
 */
mirror: Secret, 
/**
 * The server's clock when it answered.
 */
serverTime: TimeMs, };

export type SendSelfTest = { 
/**
 * For which seat.
 */
by: TestSender, 
/**
 * The report.
 */
report: SelfTest, };

export type TestSender = { "name": "code", 
/**
 * As typed.
 */
code: Secret, } | { "name": "seat", 
/**
 * Their seat.
 */
seat: SeatTaken, };

export type SelfTestsRead = { 
/**
 * The newest first; at most [`SelfTestsRead::KEPT`] of a seat.
 */
tests: Array<SeatTest>, };

export type ApiError = { 
/**
 * What kind of failure.
 */
code: ApiErrorCode, 
/**
 * When to try again, where that makes sense.
 */
retryAfterMs: number | null, 
/**
 * When the code's window opens, for [`ApiErrorCode::CodeNotYetValid`].
 */
validFrom: TimeMs | null, };

export type ApiErrorCode = "codeNotAccepted" | "codeNotYetValid" | "codeExpired" | "seatInUse" | "nameMismatch" | "capacityMismatch" | "ticketExpired" | "signInFailed" | "notSignedIn" | "notAllowed" | "notFound" | "badRequest" | "tooManyTries" | "busy" | "internal";

export type StartInfo = { 
/**
 * The program's version.
 */
version: string, 
/**
 * The court's server, as configured.
 */
server: string, 
/**
 * A code from a link or the command line, to be filled in.
 */
code: Secret | null, 
/**
 * Where encoded pictures come from.
 */
frames: FrameSocket, 
/**
 * The seat that this program holds: the page was reloaded and goes straight back to it.
 */
session: SeatTaken | null, };

export type FrameSocket = { 
/**
 * `ws://127.0.0.1:PORT`.
 */
url: string, 
/**
 * Sent as the first text message; good for one connection. A new one comes with [`StartInfo`].
 */
token: Secret, };

export type FrameRequest = { "type": "key", 
/**
 * Of which track.
 */
slot: number, } | { "type": "alive" } | { "type": "nativeDecode", 
/**
 * On, or back to access units.
 */
on: boolean, };

export type TrackInfo = { 
/**
 * Number of the track while this page lives.
 */
slot: number, 
/**
 * Whose.
 */
seat: SeatId, 
/**
 * What of theirs.
 */
source: TrackSource, 
/**
 * One's own preview.
 */
own: boolean, 
/**
 * The sender has it muted: show the name instead of the last picture.
 */
muted: boolean, 
/**
 * Size of the original picture; 0 while unknown.
 */
width: number, 
/**
 * Size of the original picture; 0 while unknown.
 */
height: number, };

export type TrackView = { 
/**
 * Which track.
 */
slot: number, 
/**
 * Device pixels; 0 when it is not on screen.
 */
width: number, 
/**
 * Device pixels; 0 when it is not on screen.
 */
height: number, };

export type DeviceKind = "camera" | "microphone" | "speaker";

export type DeviceInfo = { 
/**
 * Stable while it stays plugged in, and across starts where the system allows it.
 */
id: string, 
/**
 * What it is.
 */
kind: DeviceKind, 
/**
 * As the system calls it.
 */
name: string, 
/**
 * The system's default.
 */
default: boolean, };

export type DeviceList = { 
/**
 * Everything that was found.
 */
devices: Array<DeviceInfo>, 
/**
 * In use or last asked for.
 */
camera: string | null, 
/**
 * In use or last asked for.
 */
microphone: string | null, 
/**
 * In use or last asked for.
 */
speaker: string | null, };

export type DeviceState = { "name": "off" } | { "name": "opening" } | { "name": "on", 
/**
 * Which.
 */
device: string, 
/**
 * Measured size; 0 for sound.
 */
width: number, 
/**
 * Measured size; 0 for sound.
 */
height: number, 
/**
 * Measured frames a second; 0 for sound.
 */
fps: number, } | { "name": "failed", 
/**
 * Why.
 */
fault: DeviceFault, };

export type DeviceFault = "missing" | "busy" | "denied" | "hung" | "unplugged" | "broken" | "notSent";

export type ScreenInfo = { 
/**
 * Handed back to `share.start`.
 */
id: string, 
/**
 * Its title.
 */
name: string, 
/**
 * A whole monitor, else one window.
 */
monitor: boolean, 
/**
 * A small picture as a `data:` address, when one could be taken.
 */
thumbnail: string | null, };

export type LinkState = { "name": "connecting" } | { "name": "live" } | { "name": "retrying", 
/**
 * The coming try, from 1.
 */
attempt: number, 
/**
 * Until the coming try, in milliseconds.
 */
retryInMs: number, 
/**
 * How long it has been lost, in milliseconds.
 */
lostForMs: number, } | { "name": "ended", 
/**
 * Why.
 */
reason: ByeReason, };

export type HostEvent = { "type": "link", 
/**
 * As it is now.
 */
state: LinkState, } | { "type": "mediaLink", 
/**
 * As it is now.
 */
state: LinkState, } | { "type": "channel", 
/**
 * The frame.
 */
frame: ServerFrame, } | { "type": "tracks", 
/**
 * Complete, not a change.
 */
tracks: Array<TrackInfo>, } | { "type": "speakers", 
/**
 * Seats.
 */
seats: Array<SeatId>, } | { "type": "level", 
/**
 * Root mean square over a window that slides, about the last 100 ms (the shell's has a time constant of 60 ms), in
 * dB below full scale (0 is loudest, -90 is silence).
 */
rmsDb: number, 
/**
 * Largest sample of late, likewise: it rises at once and falls slowly, by 20 dB a second in the shell.
 */
peakDb: number, 
/**
 * Speech was found while the microphone is muted.
 */
talkingWhileMuted: boolean, } | { "type": "devices", 
/**
 * Complete.
 */
list: DeviceList, } | { "type": "device", 
/**
 * Which.
 */
kind: DeviceKind, 
/**
 * As it is now.
 */
state: DeviceState, } | { "type": "network", 
/**
 * Graded.
 */
quality: NetQuality, 
/**
 * In milliseconds.
 */
rttMs: number, 
/**
 * 0.0 to 1.0.
 */
loss: number, 
/**
 * In kilobits a second.
 */
sendingKbps: number, 
/**
 * In kilobits a second.
 */
receivingKbps: number, } | { "type": "playback", 
/**
 * Sound waits for a touch.
 */
blocked: boolean, } | { "type": "selfTest", 
/**
 * As it is now.
 */
progress: SelfTestProgress, } | { "type": "shareEnded" } | { "type": "openCode", 
/**
 * To be filled in.
 */
code: Secret, };

export type HostError = { "name": "api", 
/**
 * Its answer.
 */
error: ApiError, } | { "name": "unreachable" } | { "name": "device", 
/**
 * Why.
 */
fault: DeviceFault, } | { "name": "noSession" } | { "name": "shareDenied" } | { "name": "internal" };

export type SendCommand = { 
/**
 * See [`ClientFrame::Command`].
 */
commandId: CommandId, 
/**
 * See [`ClientFrame::Command`].
 */
expectedSeq: Seq | null, 
/**
 * What.
 */
command: Command, };

export type ChooseDevice = { 
/**
 * Which kind.
 */
kind: DeviceKind, 
/**
 * From [`DeviceInfo::id`]; none follows the system's default.
 */
id: string | null, };

export type SwitchMedia = { 
/**
 * Which.
 */
kind: MediaKind, 
/**
 * On or off.
 */
on: boolean, };

export type QuickCheck = { 
/**
 * The camera delivers pictures.
 */
camera: DeviceState, 
/**
 * The microphone runs.
 */
microphone: DeviceState, 
/**
 * Loudest 100 ms heard during the check, in dB below full scale.
 */
loudestDb: number, 
/**
 * The server answers.
 */
serverReachable: boolean, 
/**
 * Round trip to the server, in milliseconds.
 */
rttMs: number | null, 
/**
 * Media ports answer, where the check can know it.
 */
mediaReachable: boolean | null, };

export type SelfTest = { 
/**
 * When it began.
 */
takenAt: TimeMs, 
/**
 * How long it took, in milliseconds.
 */
tookMs: number, 
/**
 * The program's version.
 */
version: string, 
/**
 * What was measured.
 */
facts: TestFacts, 
/**
 * 摄像头.
 */
camera: TestPart, 
/**
 * 麦克风.
 */
microphone: TestPart, 
/**
 * 扬声器和回声.
 */
speaker: TestPart, 
/**
 * 网络.
 */
network: TestPart, 
/**
 * 电脑性能.
 */
computer: TestPart, 
/**
 * 系统权限.
 */
permissions: TestPart, 
/**
 * All of it: the worst of the parts, and the steps that matter most.
 */
overall: TestPart, };

export type TestPlan = { 
/**
 * The camera, which nothing else may hold.
 */
camera: boolean, 
/**
 * Microphone and loudspeaker, which nothing else may hold.
 */
sound: boolean, 
/**
 * The line to the court.
 */
network: boolean, };

export type Voice = { 
/**
 * What was measured of it.
 */
facts: MicrophoneFacts, 
/**
 * Its loudness over time, oldest first, 0 to 1; empty where nothing was recorded.
 */
shape: Array<number>, };

export type SeatTest = { 
/**
 * Whose seat it was sent for.
 */
seat: SeatId, 
/**
 * When it came, by the server's clock.
 */
sentAt: TimeMs, 
/**
 * The report.
 */
report: SelfTest, };

export type TestStep = "computer" | "camera" | "sound" | "network";

export type SelfTestProgress = { 
/**
 * What is over.
 */
over: Array<TestStep>, 
/**
 * What is being measured now.
 */
running: Array<TestStep>, 
/**
 * What follows from all that is known so far.
 */
report: SelfTest, 
/**
 * Nothing more comes.
 */
done: boolean, };

export type TestPart = { 
/**
 * Good, usable, bad; unknown where nothing was tested.
 */
score: TestScore, 
/**
 * What is wrong, the gravest first; empty where all is well.
 */
findings: Array<TestFinding>, 
/**
 * What to do, in this order; three steps at most.
 */
remedies: Array<TestRemedy>, };

export type TestFacts = { 
/**
 * See [`CameraFacts`].
 */
camera: CameraFacts | null, 
/**
 * See [`MicrophoneFacts`].
 */
microphone: MicrophoneFacts | null, 
/**
 * See [`SpeakerFacts`].
 */
speaker: SpeakerFacts | null, 
/**
 * See [`NetworkFacts`].
 */
network: NetworkFacts | null, 
/**
 * See [`ComputerFacts`].
 */
computer: ComputerFacts | null, 
/**
 * See [`PermissionFacts`].
 */
permissions: PermissionFacts | null, };

export type CameraFacts = { "name": "failed", 
/**
 * Why.
 */
fault: DeviceFault, 
/**
 * What it is called, where that is known.
 */
device: string | null, 
/**
 * Programs that hold it, where the system tells.
 */
heldBy: Array<string>, } | { "name": "seen", 
/**
 * What it is called.
 */
device: string, 
/**
 * Pixels.
 */
width: number, 
/**
 * Pixels.
 */
height: number, 
/**
 * Pictures a second, counted.
 */
fps: number, 
/**
 * From opening to the first picture, in milliseconds.
 */
firstMs: number, 
/**
 * Mean luma, 0 black to 1 white.
 */
brightness: number, 
/**
 * Part of the pixels that are burnt out.
 */
burnt: number, 
/**
 * Standard deviation of luma, 0 to 0.5; next to nothing where something covers the lens.
 */
contrast: number, 
/**
 * Variance of the Laplacian of the picture at 320 pixels of width, in squared 8-bit steps.
 */
sharpness: number, 
/**
 * Part of the pictures that were the same as the one before.
 */
frozen: number, 
/**
 * The camera is set to turn its picture upside down, and tells so.
 */
flipped: boolean, };

export type MicrophoneFacts = { "name": "failed", 
/**
 * Why.
 */
fault: DeviceFault, 
/**
 * What it is called, where that is known.
 */
device: string | null, } | { "name": "heard", 
/**
 * What it is called.
 */
device: string, 
/**
 * Level of what was said, in dBFS; none where nothing stood out of the noise.
 */
speechDb: number | null, 
/**
 * Level of the background, in dBFS.
 */
noiseDb: number, 
/**
 * Highest sample, in dBFS.
 */
peakDb: number, 
/**
 * Part of the samples at full scale.
 */
clipped: number, 
/**
 * Another microphone that hears something while this one is silent.
 */
live: string | null, };

export type SpeakerFacts = { "name": "failed", 
/**
 * Why.
 */
fault: DeviceFault, 
/**
 * What it is called, where that is known.
 */
device: string | null, } | { "name": "played", 
/**
 * What it is called.
 */
device: string, 
/**
 * What the person answered; none without an answer.
 */
heard: boolean | null, 
/**
 * It is a headset, as the person says or the device does; none where neither does.
 */
headset: boolean | null, 
/**
 * The test sound in the microphone; none where it was not found there, as with a headset.
 */
echo: EchoFacts | null, };

export type EchoFacts = { 
/**
 * From playing to hearing, devices included, in milliseconds.
 */
delayMs: number, 
/**
 * What is heard against what is played, in dB.
 */
levelDb: number, 
/**
 * The same after the echo canceller, in dB.
 */
residualDb: number, };

export type TestPath = "untested" | "open" | "closed";

export type NetworkFacts = { 
/**
 * The server's name is known.
 */
name: TestPath, 
/**
 * A TCP connection to it.
 */
reach: TestPath, 
/**
 * TLS, with a certificate that is trusted; untested for a server on this computer.
 */
tls: TestPath, 
/**
 * It is a court's server, and answers as one.
 */
answer: TestPath, 
/**
 * A WebSocket, as the hearing channel is.
 */
channel: TestPath, 
/**
 * Media over UDP.
 */
udp: TestPath, 
/**
 * Media over TCP.
 */
tcp: TestPath, 
/**
 * Media inside a WebSocket to the server's own address: what passes where only web pages do.
 */
tunnel: TestPath, 
/**
 * The system sends what goes to the web through a proxy.
 */
proxy: boolean, 
/**
 * Round trip of media, in milliseconds.
 */
rttMs: number | null, 
/**
 * Variation of the delay of media (RFC 3550 §6.4.1), in milliseconds.
 */
jitterMs: number | null, 
/**
 * Part of media packets that did not arrive, 0 to 1, before repairs.
 */
loss: number | null, 
/**
 * Most that came through upwards, in bits per second.
 */
upBps: number | null, 
/**
 * Most that came through downwards, in bits per second.
 */
downBps: number | null, 
/**
 * How far this computer's clock is ahead of the server's, in milliseconds.
 */
skewMs: number | null, };

export type CodecSpeed = { 
/**
 * Lines of the picture.
 */
height: number, 
/**
 * Pictures a second that this computer encodes.
 */
encodeFps: number, 
/**
 * Pictures a second that this computer decodes.
 */
decodeFps: number, };

export type TestPower = { "name": "mains" } | { "name": "battery", 
/**
 * What is left.
 */
percent: number, };

export type ComputerFacts = { 
/**
 * The operating system and its version.
 */
system: string, 
/**
 * Version of what shows the page.
 */
webview: string | null, 
/**
 * Logical processors.
 */
cores: number, 
/**
 * Part of them that was busy while nothing was tested, 0 to 1.
 */
busy: number | null, 
/**
 * All memory, in MiB.
 */
memoryMib: number | null, 
/**
 * Memory that can be had, in MiB.
 */
freeMemoryMib: number | null, 
/**
 * Room on the disk with the program's data, in MiB.
 */
freeDiskMib: number | null, 
/**
 * Where its power comes from.
 */
power: TestPower | null, 
/**
 * The system saves power and slows programs down.
 */
saver: boolean | null, 
/**
 * Smallest picture first.
 */
codec: Array<CodecSpeed>, };

export type TestGrant = "unknown" | "granted" | "denied" | "notAsked";

export type PermissionFacts = { 
/**
 * May this program use the camera.
 */
camera: TestGrant, 
/**
 * May this program use the microphone.
 */
microphone: TestGrant, };

export type TestFinding = "cameraMissing" | "cameraBusy" | "cameraDenied" | "cameraUnplugged" | "cameraBroken" | "cameraBlack" | "cameraFrozen" | "cameraDark" | "cameraBright" | "cameraBlurred" | "cameraSlow" | "cameraSmall" | "cameraUpsideDown" | "microphoneMissing" | "microphoneBusy" | "microphoneDenied" | "microphoneUnplugged" | "microphoneBroken" | "microphoneDead" | "microphoneOther" | "microphoneNoSpeech" | "microphoneQuiet" | "microphoneClipped" | "microphoneNoisy" | "speakerMissing" | "speakerBusy" | "speakerBroken" | "speakerNotHeard" | "echo" | "loudspeakerHeard" | "nameUnknown" | "serverUnreachable" | "tlsRefused" | "notTheCourt" | "channelClosed" | "udpClosed" | "onlyTunnel" | "mediaClosed" | "networkSlow" | "networkUneven" | "networkLossy" | "networkVeryLossy" | "uplinkNarrow" | "uplinkTooNarrow" | "downlinkNarrow" | "downlinkTooNarrow" | "clockWrong" | "computerSlow" | "computerTooSlow" | "computerBusy" | "memoryShort" | "diskShort" | "batteryLow" | "powerSaving" | "permissionCamera" | "permissionMicrophone" | "unfinished";

export type TestRemedy = "connectCamera" | "closeCameraPrograms" | "allowCamera" | "openCover" | "checkAntivirus" | "replug" | "chooseOther" | "moreLight" | "lessLight" | "wipeLens" | "turnPicture" | "connectMicrophone" | "closeMicrophonePrograms" | "allowMicrophone" | "hardwareSwitch" | "takeLiveMicrophone" | "speakAgain" | "raiseLevel" | "lowerLevel" | "quietRoom" | "connectSpeaker" | "turnUp" | "useHeadset" | "checkInternet" | "askAddress" | "leaveProxy" | "askAdministratorUdp" | "askAdministrator" | "usePhoneNetwork" | "useCable" | "stopDownloads" | "setClock" | "closePrograms" | "freeDisk" | "plugIn" | "leavePowerSaving" | "useOtherComputer" | "testAgain" | "callClerk";

/** Every command from page to host: its arguments and its reply. */
export interface HostCommands {
  'app.start': { args: null; reply: StartInfo };
  'court.enter': { args: Enter; reply: Entered };
  'court.takeSeat': { args: TakeSeat; reply: SeatTaken };
  'court.signIn': { args: StaffSignIn; reply: StaffSignedIn };
  'court.staffSeat': { args: StaffTakeSeat; reply: SeatTaken };
  'hearing.join': { args: SeatTaken; reply: null };
  'hearing.command': { args: SendCommand; reply: Outcome };
  'hearing.retryNow': { args: null; reply: null };
  'hearing.end': { args: null; reply: null };
  'devices.list': { args: null; reply: DeviceList };
  'devices.choose': { args: ChooseDevice; reply: DeviceList };
  'media.switch': { args: SwitchMedia; reply: null };
  'media.views': { args: Array<TrackView>; reply: null };
  'check.playSound': { args: null; reply: null };
  'check.quick': { args: null; reply: QuickCheck };
  'check.start': { args: TestPlan; reply: null };
  'check.stop': { args: null; reply: null };
  'check.history': { args: null; reply: Array<SelfTest> };
  'check.keep': { args: SelfTest; reply: null };
  'check.send': { args: SendSelfTest; reply: null };
  'check.look': { args: null; reply: CameraFacts };
  'check.hear': { args: null; reply: Voice };
  'check.replay': { args: null; reply: null };
  'check.loop': { args: null; reply: SpeakerFacts };
  'check.permissions': { args: null; reply: PermissionFacts };
  'check.settings': { args: DeviceKind; reply: null };
  'camera.turn': { args: boolean; reply: null };
  'court.selfTests': { args: null; reply: Array<SeatTest> };
  'fix.apply': { args: DeviceFix; reply: null };
  'practice.start': { args: null; reply: null };
  'practice.stop': { args: null; reply: null };
  'share.sources': { args: null; reply: Array<ScreenInfo> };
  'share.start': { args: string; reply: null };
  'share.stop': { args: null; reply: null };
}
