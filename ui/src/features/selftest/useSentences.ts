/** Findings and remedies in the words that fit: a browser has its address bar, and a report no buttons of the check. */
import { useI18n } from 'vue-i18n';
import { useHost, type Host } from '../../host/host';
import type { TestFinding as Finding, TestRemedy as Remedy } from '../../wire/generated';

/** Where the words are read: beside the devices, or on a report of them. */
export type Place = 'check' | 'report';

export function findingKey(finding: Finding, kind: Host['kind']): string {
  const own = kind === 'browser' && (finding === 'permissionCamera' || finding === 'permissionMicrophone');
  return own ? `selftest.findingInBrowser.${finding}` : `selftest.finding.${finding}`;
}

export function remedyKey(remedy: Remedy, kind: Host['kind'], place: Place): string {
  if (kind === 'browser' && remedy === 'allowCamera') return 'entry.remedy.camera.deniedBrowser';
  if (kind === 'browser' && remedy === 'allowMicrophone') return 'entry.remedy.microphone.deniedBrowser';
  const elsewhere = remedy === 'chooseOther' || remedy === 'turnPicture' || remedy === 'takeLiveMicrophone';
  return place === 'report' && elsewhere ? `selftest.remedyOnReport.${remedy}` : `selftest.remedy.${remedy}`;
}

export function useSentences(place: Place) {
  const { t } = useI18n();
  const { kind } = useHost();
  return { findingSaid: (finding: Finding) => t(findingKey(finding, kind)), remedySaid: (remedy: Remedy) => t(remedyKey(remedy, kind, place)) };
}
