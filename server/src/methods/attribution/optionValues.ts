import { UserError } from '../../../../protocol/errors';

/** An option that counts something. @throws UserError `outOfRange` naming the option. */
export function wholeOption(
  name: string,
  given: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = given ?? otherwise;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(name, `a whole number from ${least} to ${most}`, value);
}

/** An option that is an amount, ends included. @throws UserError `outOfRange` naming the option. */
export function amountOption(
  name: string,
  given: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = given ?? otherwise;
  if (value >= least && value <= most) return value;
  throw outOfRange(name, `a number from ${least} to ${most}`, value);
}

const outOfRange = (name: string, wanted: string, value: number): UserError =>
  new UserError('outOfRange', `The option "${name}" is ${wanted}; ${value} is not.`);
