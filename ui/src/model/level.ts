/** Loudness as a share of the meter. Speech lies between -50 and -10 dB; the bar shows that range. */
const QUIET_DB = -60;
const LOUD_DB = -6;

export function levelShare(rmsDb: number): number {
  return Math.min(1, Math.max(0, (rmsDb - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}
