import { isCapabilityError, type ErrorCode } from '../../../protocol/errors';

/** Exit statuses of the command line. A bug counts as "cannot do this": whoever asked did nothing wrong. */
export const EXIT = { done: 0, notMet: 1, wrongRequest: 2, cannot: 3, interrupted: 130 } as const;

/** The exit status for an error. */
export function exitStatus(code: ErrorCode): number {
  if (code === 'cancelled') return EXIT.interrupted;
  return isCapabilityError(code) || code === 'internal' ? EXIT.cannot : EXIT.wrongRequest;
}
