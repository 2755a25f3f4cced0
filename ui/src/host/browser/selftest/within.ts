// Waiting that ends: every part of a self-test has a deadline, and all of them end when the test is stopped.

/** Resolves as the promise does, or rejects with `TimeoutError` after `ms`, or with `AbortError` when `signal` ends it. */
export function within<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stopped);
    };
    const stopped = () => (end(), reject(new DOMException('stopped', 'AbortError')));
    const timer = setTimeout(() => (end(), reject(new DOMException('too late', 'TimeoutError'))), ms);
    if (signal?.aborted) return stopped();
    signal?.addEventListener('abort', stopped);
    promise.then(
      (value) => (end(), resolve(value)),
      (error: unknown) => (end(), reject(error)),
    );
  });
}

/** Some time passes; less when `signal` ends it. */
export async function pass(ms: number, signal?: AbortSignal): Promise<void> {
  await within(new Promise<never>(() => undefined), ms, signal).catch(() => undefined);
}

/** One track of a device. A stream that comes after all is closed again, so that no device stays on. */
export async function openTrack(constraints: MediaStreamConstraints, ms: number, signal?: AbortSignal): Promise<MediaStreamTrack> {
  // Without a secure address there is no mediaDevices at all.
  if (!navigator.mediaDevices) throw new DOMException('no media devices here', 'NotAllowedError');
  const asked = navigator.mediaDevices.getUserMedia(constraints);
  try {
    const [track] = (await within(asked, ms, signal)).getTracks();
    if (track === undefined) throw new DOMException('nothing was opened', 'NotFoundError');
    return track;
  } catch (error) {
    asked.then((late) => late.getTracks().forEach((one) => one.stop())).catch(() => undefined);
    throw error;
  }
}
