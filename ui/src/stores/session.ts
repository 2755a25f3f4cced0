/**
 * The seat this page holds, the way to the server, and the hearing. The server decides: actions send a command and
 * wait for its reply; what is shown comes from snapshots and events only.
 */
import { defineStore } from 'pinia';
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import { useHost } from '../host/host';
import { apply, viewer } from '../model/hearing';
import { screenOf } from '../model/screen';
import type { Command, HostEvent, LinkState, Outcome, SeatTaken, ServerFrame, Snapshot, StartInfo } from '../wire/generated';

export const useSession = defineStore('session', () => {
  const host = useHost();
  const start = shallowRef<StartInfo | null>(null);
  /** A code handed over by a link, to be filled in; the entry screen takes it. */
  const offeredCode = ref<string | null>(null);
  const seat = shallowRef<SeatTaken | null>(null);
  const link = shallowRef<LinkState>({ name: 'connecting' });
  const mediaLink = shallowRef<LinkState>({ name: 'connecting' });
  const snapshot = shallowRef<Snapshot | null>(null);
  /** The server's clock minus this computer's, in milliseconds. */
  const clockOffsetMs = ref(0);
  const wasLive = ref(false);

  const you = computed(() => (snapshot.value ? (viewer(snapshot.value) ?? null) : null));
  const screen = computed(() => screenOf(seat.value !== null, link.value, snapshot.value));

  function hear(event: HostEvent) {
    if (event.type === 'link') {
      link.value = event.state;
      if (event.state.name === 'live') wasLive.value = true;
    } else if (event.type === 'mediaLink') mediaLink.value = event.state;
    else if (event.type === 'channel') frame(event.frame);
    else if (event.type === 'openCode') offeredCode.value = event.code;
  }

  function frame(f: ServerFrame) {
    if (f.type === 'welcome' || f.type === 'snapshot') {
      snapshot.value = f.snapshot;
      clockOffsetMs.value = f.snapshot.serverTime - Date.now();
    } else if (f.type === 'event' && snapshot.value) {
      snapshot.value = apply(snapshot.value, f.envelope);
    }
  }
  onScopeDispose(host.on(hear));

  /** Asks the host what is there; goes straight back to a seat that is held (the page was reloaded). */
  async function begin() {
    const info = await host.call('app.start', null);
    start.value = info;
    offeredCode.value = info.code;
    if (info.session) await join(info.session);
  }

  async function join(taken: SeatTaken) {
    link.value = { name: 'connecting' };
    mediaLink.value = { name: 'connecting' };
    wasLive.value = false;
    snapshot.value = null;
    seat.value = taken;
    await host.call('hearing.join', taken);
  }

  /** Sends one command and waits for the reply. `deliberate` refuses it if anything happened since the last event. */
  async function command(what: Command, deliberate = false): Promise<Outcome> {
    const expectedSeq = deliberate ? (snapshot.value?.seq ?? null) : null;
    return host.call('hearing.command', { commandId: crypto.randomUUID(), expectedSeq, command: what });
  }

  /** Gives the seat up in this program and returns to the entry screen. Not the same as leaving the hearing. */
  async function end() {
    await host.call('hearing.end', null);
    seat.value = null;
    snapshot.value = null;
    link.value = { name: 'connecting' };
  }

  return { start, offeredCode, seat, link, mediaLink, snapshot, clockOffsetMs, wasLive, you, screen, begin, join, command, end };
});
