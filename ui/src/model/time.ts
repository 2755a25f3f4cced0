/** Times as the page writes them: 24-hour, two digits. */

const two = (n: number) => String(n).padStart(2, '0');

/** 02:14, or 01:02:14 from an hour on. Never negative. */
export function elapsed(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const tail = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s >= 3600 ? `${two(Math.floor(s / 3600))}:${tail}` : tail;
}

/** 00:54:24, always with hours. */
export function hours(ms: number): string {
  const text = elapsed(ms);
  return text.length > 5 ? text : `00:${text}`;
}

/** 10:24. */
export function clock(at: number): string {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** 10:24:36. */
export function clockSeconds(at: number): string {
  return `${clock(at)}:${two(new Date(at).getSeconds())}`;
}
