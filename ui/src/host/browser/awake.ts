// Keeps the screen on while a seat is held: a phone that goes dark in the middle of a hearing closes the tab's
// connections, and the seat with them. A browser that cannot do it, or will not (low battery), goes on as it is.

/** One seat's hold on the screen. */
export class Awake {
  private lock: WakeLockSentinel | null = null;
  private wanted = false;
  // The browser takes the lock back whenever the tab is hidden.
  private readonly again = () => void this.take();

  /** From now on. */
  keep(): void {
    this.wanted = true;
    document.addEventListener('visibilitychange', this.again);
    void this.take();
  }

  /** No longer. */
  release(): void {
    this.wanted = false;
    document.removeEventListener('visibilitychange', this.again);
    this.drop();
  }

  private async take(): Promise<void> {
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      this.drop();
      this.lock = lock;
      if (!this.wanted) this.drop();
    } catch {
      // Refused: nothing that the person could do about it here.
    }
  }

  private drop(): void {
    void this.lock?.release().catch(() => undefined);
    this.lock = null;
  }
}
