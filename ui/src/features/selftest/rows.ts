// A report as rows of sentences to be translated: what was tested, on which device, what was measured and what is wrong. Pure.

import type { Unknowable } from '../../host/host';
import type { SelfTest, TestPart } from '../../wire/generated';

/** The parts of a report, in the order of the page. */
export const PARTS = ['camera', 'microphone', 'speaker', 'network', 'permissions', 'computer'] as const;
export type PartName = (typeof PARTS)[number];

/** A measured figure; `key` under `selftest.fact`. */
export type Fact =
  | { key: 'picture'; values: { w: number; h: number; fps: number } }
  | { key: 'heldBy'; values: { names: string } }
  | { key: 'speech'; values: { speech: number; noise: number } }
  | { key: 'quiet'; values: { noise: number } }
  | { key: 'echo'; values: { n: number } }
  | { key: 'rate'; values: { up: string; down: string } }
  | { key: 'delay'; values: { n: number } }
  | { key: 'loss'; values: { n: string } }
  | { key: 'system'; values: { system: string; cores: number } }
  | { key: 'memory'; values: { n: string } };

/** One row. */
export interface Row {
  name: PartName;
  /** What the device calls itself; null where that is not known. */
  device: string | null;
  facts: Fact[];
  part: TestPart;
}

const mega = (bps: number) => (bps / 1_000_000).toFixed(1);

function camera({ camera: facts }: SelfTest['facts']): Pick<Row, 'device' | 'facts'> {
  if (!facts) return { device: null, facts: [] };
  if (facts.name === 'failed') {
    const held: Fact[] = facts.heldBy.length > 0 ? [{ key: 'heldBy', values: { names: facts.heldBy.join('、') } }] : [];
    return { device: facts.device, facts: held };
  }
  return { device: facts.device, facts: [{ key: 'picture', values: { w: facts.width, h: facts.height, fps: Math.round(facts.fps) } }] };
}

function microphone({ microphone: facts }: SelfTest['facts']): Pick<Row, 'device' | 'facts'> {
  if (!facts) return { device: null, facts: [] };
  if (facts.name === 'failed') return { device: facts.device, facts: [] };
  const noise = Math.round(facts.noiseDb);
  const heard: Fact = facts.speechDb === null ? { key: 'quiet', values: { noise } } : { key: 'speech', values: { speech: Math.round(facts.speechDb), noise } };
  return { device: facts.device, facts: [heard] };
}

function speaker({ speaker: facts }: SelfTest['facts']): Pick<Row, 'device' | 'facts'> {
  if (!facts) return { device: null, facts: [] };
  if (facts.name === 'failed') return { device: facts.device, facts: [] };
  return { device: facts.device, facts: facts.echo ? [{ key: 'echo', values: { n: Math.round(facts.echo.residualDb) } }] : [] };
}

function network({ network: facts }: SelfTest['facts']): Pick<Row, 'device' | 'facts'> {
  if (!facts) return { device: null, facts: [] };
  const said: Fact[] = [];
  if (facts.upBps !== null && facts.downBps !== null) said.push({ key: 'rate', values: { up: mega(facts.upBps), down: mega(facts.downBps) } });
  if (facts.rttMs !== null) said.push({ key: 'delay', values: { n: Math.round(facts.rttMs) } });
  if (facts.loss !== null) said.push({ key: 'loss', values: { n: (facts.loss * 100).toFixed(1) } });
  return { device: null, facts: said };
}

function computer({ computer: facts }: SelfTest['facts']): Pick<Row, 'device' | 'facts'> {
  if (!facts) return { device: null, facts: [] };
  const said: Fact[] = [{ key: 'system', values: { system: facts.system, cores: facts.cores } }];
  if (facts.memoryMib !== null) said.push({ key: 'memory', values: { n: (facts.memoryMib / 1024).toFixed(0) } });
  return { device: null, facts: said };
}

/** The rows of a report. */
export function rowsOf(report: SelfTest): Row[] {
  const seen = {
    camera: camera(report.facts),
    microphone: microphone(report.facts),
    speaker: speaker(report.facts),
    network: network(report.facts),
    permissions: { device: null, facts: [] },
    computer: computer(report.facts),
  };
  return PARTS.map((name) => ({ name, ...seen[name], part: report[name] }));
}

/** Of which part each is. */
const PART_OF: Record<Unknowable, PartName | null> = {
  holders: 'camera',
  flipped: 'camera',
  proxy: 'network',
  // The way of last resort, and how fast pictures are encoded, say nothing to a person.
  tunnel: null,
  systemSwitches: 'permissions',
  load: 'computer',
  memory: 'computer',
  disk: 'computer',
  power: 'computer',
  saver: 'computer',
  codec: null,
};

/** A report of another program may know it all the same. */
function isKnown({ camera, network, computer }: SelfTest['facts'], what: Unknowable): boolean {
  switch (what) {
    case 'holders':
      // Asked only where a camera is held.
      return camera?.name !== 'failed' || camera.heldBy.length > 0;
    case 'proxy':
      return network?.proxy === true;
    case 'tunnel':
      return network !== null && network.tunnel !== 'untested';
    case 'load':
      return computer !== null && computer.busy !== null;
    case 'memory':
      return computer !== null && computer.memoryMib !== null;
    case 'disk':
      return computer !== null && computer.freeDiskMib !== null;
    case 'power':
      return computer !== null && computer.power !== null;
    case 'saver':
      return computer !== null && computer.saver !== null;
    case 'codec':
      return (computer?.codec.length ?? 0) > 0;
    case 'flipped':
    case 'systemSwitches':
      return false;
    default:
      return what satisfies never;
  }
}

/** What the host declares that it cannot know of a part, and this report does not know. */
export function unknownOf(name: PartName, report: SelfTest, cannotKnow: readonly Unknowable[]): Unknowable[] {
  return cannotKnow.filter((what) => PART_OF[what] === name && !isKnown(report.facts, what));
}

/** Number of a report, by the minute it was made: 20260317-2014. */
export function numberOf(takenAt: number): string {
  const at = new Date(takenAt);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}-${two(at.getHours())}${two(at.getMinutes())}`;
}
