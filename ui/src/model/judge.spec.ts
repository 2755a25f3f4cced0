/** The page judges as the desktop program does: both read the same cases. */
import { expect, it } from 'vitest';
import type { TestFacts, TestPart } from '../wire/generated';
import text from '../../../crates/client/src/selftest/cases.json?raw';
import { FINDINGS, MAX_REMEDIES, judge, steps, type Verdict } from './judge';

interface Case extends TestPart {
  what: string;
  part: keyof Verdict;
  facts: Partial<TestFacts>;
}
const cases = JSON.parse(text) as Case[];

it.each(cases.map((one) => [`${one.part}: ${one.what}`, one] as const))('%s', (_, { part, facts, score, findings, remedies }) => {
  expect(judge(facts)[part]).toEqual({ score, findings, remedies });
});

it('has a case for everything there is to find, each with one to three steps', () => {
  const found = new Set(cases.flatMap(({ findings }) => findings));
  expect(FINDINGS.filter((finding) => !found.has(finding))).toEqual([]);
  expect(FINDINGS.filter((finding) => steps(finding).length < 1 || steps(finding).length > MAX_REMEDIES)).toEqual([]);
});

it('knows nothing of what was not tested, also of a sound that nobody answered for', () => {
  expect(judge({}).overall.score).toBe('unknown');
  expect(judge({ speaker: { name: 'played', device: '', heard: null, headset: null, echo: null } }).speaker.score).toBe('unknown');
});
