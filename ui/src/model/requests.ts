/** What became of one's own requests, read from the log. */
import type { Request, Snapshot } from '../wire/generated';

/** The court has granted leave, and the person is still here. */
export const grantedLeave = (s: Snapshot): boolean => granted(s, 'leave');

/** The court's last word on the viewer's request of this kind is a grant, and nothing newer was asked. */
export function granted(s: Snapshot, kind: Request['name']): boolean {
  const made = s.log.findLast((e) => e.type === 'request.made' && e.payload.request.seat === s.you && e.payload.request.request.name === kind);
  if (made?.type !== 'request.made') return false;
  const { id } = made.payload.request;
  return s.log.some((e) => e.type === 'request.ended' && e.payload.id === id && e.payload.outcome === 'granted');
}
