/** Waits for an answer of the host, but not for ever: a device that hangs must end in a sentence, not in a spinner. */
import { HostFailure } from '../../../host/host';
import type { HostError } from '../../../wire/generated';

export type Answer<T> = { name: 'answered'; value: T } | { name: 'failed'; error: HostError };

/** What a host answers that does not answer. */
const LATE: HostError = { name: 'device', fault: 'hung' };

/** A host's failure is an answer too; any other error is a bug and goes on its way. */
export async function inTime<T>(asked: Promise<T>, limitMs: number): Promise<Answer<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Answer<T>>((answer) => (timer = setTimeout(() => answer({ name: 'failed', error: LATE }), limitMs)));
  const real = asked.then(
    (value): Answer<T> => ({ name: 'answered', value }),
    (error: unknown): Answer<T> => {
      if (error instanceof HostFailure) return { name: 'failed', error: error.error };
      throw error;
    },
  );
  try {
    return await Promise.race([real, late]);
  } finally {
    clearTimeout(timer);
  }
}
