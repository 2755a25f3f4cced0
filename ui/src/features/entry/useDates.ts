/** Dates as a court notice writes them: 2026年3月18日 星期三 9:30. */
import { useI18n } from 'vue-i18n';

export function useDates() {
  const { t, locale } = useI18n();
  const part = (ms: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale.value, options).format(new Date(ms));

  /** 9:30 */
  const time = (ms: number) => {
    const at = new Date(ms);
    return `${at.getHours()}:${String(at.getMinutes()).padStart(2, '0')}`;
  };
  /** 9:30:05 */
  const clock = (ms: number) => `${time(ms)}:${String(new Date(ms).getSeconds()).padStart(2, '0')}`;
  /** 2026年3月18日 星期三 9:30 */
  const dateTime = (ms: number) =>
    t('entry.dateTime', {
      date: part(ms, { dateStyle: 'long' }),
      weekday: part(ms, { weekday: 'long' }),
      time: time(ms),
    });
  return { time, clock, dateTime };
}
