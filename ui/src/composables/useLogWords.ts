/** A line of the log in words; the phase or fix in it is named in the language of the page. */
import { useI18n } from 'vue-i18n';
import type { LogLine } from '../model/sentences';

export function useLogWords() {
  const { t } = useI18n();
  return (line: Extract<LogLine, { kind: 'event' }>): string => {
    const { phase, fix, ...words } = line.words;
    return t(`courtroom.log.${line.key}`, {
      ...words,
      ...(phase ? { phase: t(`courtroom.phase.${phase}`) } : {}),
      ...(fix ? { fix: t(`courtroom.fix.${fix}`) } : {}),
    });
  };
}
