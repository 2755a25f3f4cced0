/** One after the other: a device that is being listened to is busy for everybody else, the check itself too. */

/** Runs each work when the one before is over, however that ended. */
export function inTurn() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
