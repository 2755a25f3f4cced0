/**
 * Where errors end that nobody caught. A refusal or a dead network is told where it happens; what comes here is a bug,
 * and the person hears of it: a page when the screen itself broke, a bar when an act did.
 */
import type { App } from 'vue';
import type { Broken, useFailure } from './stores/failure';

/** Vue says where an error came from: in words while developing, as the last part of an address in a build. */
const DRAWING = /^(setup|render) function$|#runtime-[01]$/;

/** What an error broke, from what Vue says of it. */
export const brokenBy = (where: string): Broken => (DRAWING.test(where) ? 'screen' : 'act');

/** For whoever looks into it; the person is shown no details. */
export function report(error: unknown): void {
  // eslint-disable-next-line no-console -- the one place where a bug leaves its trace
  console.error(error);
}

/** From now on nothing fails unseen. */
export function catchAll(app: App, failure: ReturnType<typeof useFailure>): void {
  const tell = (error: unknown, broken: Broken) => {
    report(error);
    failure.happened(broken, Date.now());
  };
  app.config.errorHandler = (error, _, where) => tell(error, brokenBy(where));
  addEventListener('unhandledrejection', (event) => tell(event.reason, 'act'));
  // Without an error it is the browser's own remark, about sizes that changed while it measured.
  addEventListener('error', (event) => event.error && tell(event.error, 'act'));
}
