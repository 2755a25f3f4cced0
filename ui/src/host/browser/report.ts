// Tells the court how one's own switches stand, once for each change. A refusal is not repeated until something is
// different. Pure but for the sending, which comes in as an argument.

/** What is told. */
export type Switch = 'mic' | 'camera';

/** Keeps what the court knows in line with what is. */
export class SwitchReport {
  private readonly underWay = new Set<Switch>();
  private readonly refused = new Map<Switch, boolean>();

  /** `send` resolves to false when the court refused. */
  constructor(private readonly send: (which: Switch, on: boolean) => Promise<boolean>) {}

  /** The court has `known`, it is `actual`; `again` is called once the answer is there. */
  compare(which: Switch, known: boolean, actual: boolean, again: () => void): void {
    if (known === actual) {
      this.refused.delete(which);
      return;
    }
    if (this.underWay.has(which) || this.refused.get(which) === actual) return;
    this.underWay.add(which);
    void this.send(which, actual).then((carriedOut) => {
      this.underWay.delete(which);
      if (carriedOut) this.refused.delete(which);
      else this.refused.set(which, actual);
      again();
    });
  }
}
