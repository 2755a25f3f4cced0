/** Words that leave this page for the court: in the court's language, whatever the page is shown in. */
import { useI18n } from 'vue-i18n';
import { RECORD_LOCALE } from '../i18n';

export function useRecordWords() {
  const { t, locale } = useI18n();
  /** What goes on record. */
  const onRecord = (key: string): string => t(key, {}, { locale: RECORD_LOCALE });
  /** What the court reads and its sender reads again before sending. */
  const forBoth = (key: string): string => (locale.value === RECORD_LOCALE ? t(key) : `${onRecord(key)} (${t(key)})`);
  return { onRecord, forBoth };
}
