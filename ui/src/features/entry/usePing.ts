/** Measures the way to the court's server. */
import { HostFailure, useHost } from '../../host/host';

/** Milliseconds there and back; `null` when the server cannot be reached. */
export function usePing(): () => Promise<number | null> {
  const host = useHost();
  return async () => {
    try {
      const { serverReachable, rttMs } = await host.call('check.quick', null);
      return serverReachable ? (rttMs ?? 0) : null;
    } catch (error) {
      if (error instanceof HostFailure) return null;
      throw error;
    }
  };
}
