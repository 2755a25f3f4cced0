// Reports that were made in this browser, the newest first. They are kept in its storage and nowhere else; storage that is closed
// or holds something else is empty.

import type { SelfTest } from '../../../wire/generated';

const KEY = 'mingting.selfTests';
/** So many are kept. */
const KEPT = 20;

function isReport(value: unknown): value is SelfTest {
  if (typeof value !== 'object' || value === null) return false;
  const report = value as Record<string, unknown>;
  const isPart = (part: unknown) => typeof part === 'object' && part !== null && 'score' in part && 'findings' in part && 'remedies' in part;
  const parts = ['camera', 'microphone', 'speaker', 'network', 'computer', 'permissions', 'overall'];
  return typeof report['takenAt'] === 'number' && typeof report['facts'] === 'object' && report['facts'] !== null && parts.every((part) => isPart(report[part]));
}

/** All that are kept. */
export function keptReports(): SelfTest[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.filter(isReport).slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

/** Keeps one; the oldest makes room. The same test that was completed later takes its own place. */
export function keepReport(report: SelfTest): void {
  const others = keptReports().filter(({ takenAt }) => takenAt !== report.takenAt);
  const all = [report, ...others].sort((a, b) => b.takenAt - a.takenAt).slice(0, KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Storage is closed or full: the report on the screen is all there is.
  }
}
