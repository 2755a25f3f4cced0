// A report as plain text, to be sent to the clerk.

import type { Host } from '../../host/host';
import type { createWords } from '../../i18n';
import type { SelfTest } from '../../wire/generated';
import { numberOf, rowsOf } from './rows';
import { findingKey, remedyKey } from './useSentences';

type Translate = ReturnType<typeof createWords>['global']['t'];

export function reportText(report: SelfTest, t: Translate, kind: Host['kind']): string {
  const lines = [t('selftest.title'), t('selftest.number', { number: numberOf(report.takenAt) }), t(`selftest.verdict.${report.overall.score}`)];
  for (const { name, device, facts, part } of rowsOf(report)) {
    const said = [
      device ?? '',
      ...part.findings.map((finding) => t(findingKey(finding, kind))),
      facts.map((fact) => t(`selftest.fact.${fact.key}`, fact.values)).join(t('selftest.listSeparator')),
    ].filter((text) => text !== '');
    lines.push(`${t(`selftest.part.${name}`)} [${t(`selftest.score.${part.score}`)}] ${said.join(' ')}`.trimEnd());
  }
  report.overall.remedies.forEach((remedy, i) => lines.push(`${i + 1}. ${t(remedyKey(remedy, kind, 'report'))}`));
  return `${lines.join('\n')}\n`;
}
