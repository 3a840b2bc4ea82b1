/**
 * Why a request could not be answered. The command line maps `request` codes to exit status 2 and
 * `capability` codes to 3; everything else is a bug and carries a stack.
 */
export type ErrorCode =
  // the request is wrong (exit 2)
  | 'usage'
  | 'fileNotFound'
  | 'fileUnreadable'
  | 'notOnnx'
  | 'brokenModel'
  | 'missingExternalData'
  | 'layerNotFound'
  | 'layerAmbiguous'
  | 'tensorNotFound'
  | 'wrongShape'
  | 'badImage'
  | 'badArray'
  | 'badLabels'
  | 'inputNeeded'
  | 'outOfRange'
  | 'noPath'
  // the model or this machine cannot do it (exit 3)
  | 'unsupported'
  | 'noWeights'
  | 'noGrid'
  | 'noGradient'
  | 'runtimeRefused'
  | 'tooLarge'
  | 'outOfMemory'
  | 'engineCrashed'
  | 'untrustedWorkspace'
  // neither
  | 'cancelled'
  | 'internal';

const CAPABILITY: readonly ErrorCode[] = [
  'unsupported',
  'noWeights',
  'noGrid',
  'noGradient',
  'runtimeRefused',
  'tooLarge',
  'outOfMemory',
  'engineCrashed',
  'untrustedWorkspace',
];

/** What a user can do about an error: a button with this title that runs this command. */
export interface ErrorAction {
  readonly title: string;
  readonly command: string;
  readonly arguments?: readonly unknown[];
}

/** An error as it crosses a process boundary. `message` is one sentence for a person. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly action?: ErrorAction;
  /** Only for the log. */
  readonly stack?: string;
}

/** An error that a user can meet: one sentence that names the file, node or setting and what to do. */
export class UserError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly action?: ErrorAction,
  ) {
    super(message);
    this.name = 'UserError';
  }
}

/** True for errors that say the model or machine cannot do what was asked (exit status 3). */
export const isCapabilityError = (code: ErrorCode): boolean => CAPABILITY.includes(code);

/** A cancelled call, whatever way it was cancelled. */
export class CancelledError extends UserError {
  constructor() {
    super('cancelled', 'Cancelled.');
  }
}

/** Turns anything thrown into what crosses the wire; aborts become `cancelled`, bugs become `internal` with their stack. */
export function toWireError(error: unknown): WireError {
  if (error instanceof UserError)
    return {
      code: error.code,
      message: error.message,
      ...(error.action ? { action: error.action } : {}),
      ...(error.stack ? { stack: error.stack } : {}),
    };
  if (error instanceof Error && error.name === 'AbortError')
    return { code: 'cancelled', message: 'Cancelled.' };
  if (error instanceof Error)
    return {
      code: 'internal',
      message: `Something went wrong inside Layer Lens: ${error.message}`,
      ...(error.stack ? { stack: error.stack } : {}),
    };
  return { code: 'internal', message: `Something went wrong inside Layer Lens: ${String(error)}` };
}

/** The other direction. */
export function fromWireError(error: WireError): UserError {
  if (error.code === 'cancelled') return new CancelledError();
  const result = new UserError(error.code, error.message, error.action);
  if (error.stack) result.stack = error.stack;
  return result;
}
